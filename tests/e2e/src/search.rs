//! A real search server.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use serde_json::{Value, json};

use crate::ports;
use crate::rest::{Answer, Rest};
use crate::system::System;
use crate::wait::until;

/// Whose server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavor {
    Elasticsearch,
    OpenSearch,
}

impl Flavor {
    pub const ALL: [Flavor; 2] = [Flavor::Elasticsearch, Flavor::OpenSearch];
}

/// A server that runs until it is dropped.
pub struct Search {
    scripts: PathBuf,
    data: PathBuf,
    flavor: Flavor,
    port: u16,
    rest: Rest,
}

/// The servers that tests share, as long as one of them needs them.
static SHARED: Mutex<[Weak<Search>; 2]> = Mutex::new([Weak::new(), Weak::new()]);

impl Search {
    /// The server that tests share, which none of them may stop.
    pub fn shared(system: &System, flavor: Flavor) -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = &mut shared[flavor as usize];
        if let Some(running) = kept.upgrade() {
            return running;
        }
        let started = Arc::new(Self::start(system, flavor));
        *kept = Arc::downgrade(&started);
        started
    }

    /// A server of a test's own.
    pub fn start(system: &System, flavor: Flavor) -> Self {
        // The second one is for the servers among themselves.
        let port = ports::free(&[100]);
        let search = Self {
            scripts: system.scripts.clone(),
            data: system.directory(&system.name("search")),
            flavor,
            port,
            rest: Rest::new(port),
        };
        search.begin();
        search
    }

    /// Starts it again, with its data, on its port.
    pub fn begin(&self) {
        self.perform("start");
    }

    /// Ends it as an operator would; what it has stays.
    pub fn stop(&self) {
        self.perform("stop");
    }

    /// `http://host:port`.
    pub fn url(&self) -> String {
        self.rest.address.clone()
    }

    /// One call of its own API.
    #[track_caller]
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.rest.call(method, path, body)
    }

    /// All documents of an index by their ids; none if there is no index.
    pub fn documents(&self, index: &str) -> BTreeMap<String, Value> {
        let mut all = BTreeMap::new();
        let refreshed = self.rest.try_call("POST", &format!("/{index}/_refresh"), None);
        if refreshed.is_none_or(|answer| answer.status != 200) {
            return all;
        }
        let first = json!({"size": 5000, "sort": ["_doc"]});
        let mut page = self
            .rest
            .try_call("POST", &format!("/{index}/_search?scroll=1m"), Some(&first));
        while let Some(answer) = page {
            let hits = answer.body["hits"]["hits"].as_array().cloned().unwrap_or_default();
            if hits.is_empty() {
                break;
            }
            for hit in hits {
                all.insert(
                    hit["_id"].as_str().unwrap_or_default().to_owned(),
                    hit["_source"].clone(),
                );
            }
            let next = json!({"scroll": "1m", "scroll_id": answer.body["_scroll_id"]});
            page = self.rest.try_call("POST", "/_search/scroll", Some(&next));
        }
        all
    }

    /// Waits until the documents of an index are these; patience begins anew with each change, as servers may be slow.
    #[track_caller]
    pub fn await_documents(&self, index: &str, expected: &BTreeMap<String, Value>) {
        let mut last = self.documents(index);
        while last != *expected {
            let what = format!(
                "{index} comes nearer to the {} documents that were produced",
                expected.len()
            );
            last = until(&what, || Some(self.documents(index)).filter(|found| *found != last));
            println!("{index}: {} of {} documents", last.len(), expected.len());
        }
    }

    fn perform(&self, action: &str) {
        let status = self.command(action).status().expect("bash runs the start script");
        assert!(
            status.success(),
            "start-search.sh {action}: {status}; data in {}",
            self.data.display()
        );
    }

    fn command(&self, action: &str) -> Command {
        let mut command = Command::new(self.scripts.join("start-search.sh"));
        for setting in ["VERSION", "HOST"] {
            command.env_remove(setting);
        }
        let flavor = match self.flavor {
            Flavor::Elasticsearch => "elasticsearch",
            Flavor::OpenSearch => "opensearch",
        };
        command
            .arg(action)
            .env("FLAVOR", flavor)
            .env("PORT", self.port.to_string())
            .env("DATA", &self.data)
            .env("HEAP", "384M")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    }
}

impl Drop for Search {
    fn drop(&mut self) {
        let _ = self.command("clean").stderr(Stdio::null()).status();
    }
}

//! The Elasticsearch sink and the PostgreSQL source in a worker, on real servers.

#![allow(clippy::unwrap_used)]

mod database;
mod documents;
mod errors;
mod faults;
mod pipeline;
mod proxy;
mod slot;
mod takeover;

use std::collections::BTreeMap;

use caisson_e2e::{Search, System, WorkerSetup};
use serde_json::{Value, json};

/// The two documents that everybody has, as they are POSTed.
pub const SOURCE: &str = include_str!("../../../pipeline/pg-source-connector.json");
pub const SINK: &str = include_str!("../../../pipeline/es-sink-connector.json");

/// A document with the host, port or login of a test.
pub fn document(text: &str, places: &[(&str, &str)]) -> Value {
    let mut document: Value = serde_json::from_str(text).unwrap();
    for (key, value) in places {
        let old = document["config"]
            .as_object_mut()
            .unwrap()
            .insert((*key).to_owned(), json!(value));
        assert!(old.is_some(), "{key} is no key of {text}");
    }
    document
}

/// What everybody's configuration of this sink looks like, old keys included, for a topic of a test's own.
pub fn config(topic: &str, url: &str) -> Value {
    let mut document = document(SINK, &[("topics", topic), ("connection.url", url)]);
    // Servers that have just begun, on a machine that runs all of this, may take more than the usual three seconds.
    document["config"]["read.timeout.ms"] = json!("30000");
    document["config"].take()
}

/// A worker whose consumers leave their groups soon after it was killed.
pub fn mortal(worker: WorkerSetup) -> WorkerSetup {
    worker
        .property("consumer.session.timeout.ms", "6000")
        .property("consumer.heartbeat.interval.ms", "500")
}

/// Records for a topic, and the documents that they add up to.
#[derive(Default)]
pub struct Changes {
    pub lines: String,
    pub documents: BTreeMap<String, Value>,
}

impl Changes {
    /// Writes a document under a key as a database has one.
    pub fn put(&mut self, id: u64, document: Value) {
        self.lines.push_str(&format!("{{\"id\":{id}}}\t{document}\n"));
        self.documents.insert(id.to_string(), document);
    }

    /// Writes many: each id several times, the last one counts.
    pub fn many(ids: u64, rounds: u64) -> Self {
        let mut changes = Self::default();
        for round in 0..rounds {
            for id in 0..ids {
                let text = "the quick brown fox jumps over the lazy dog";
                changes.put(
                    id,
                    json!({"id": id, "round": round, "name": format!("name {id}"), "text": text}),
                );
            }
        }
        changes
    }

    pub fn produce(&self, system: &System, topic: &str) {
        system.produce(topic, Some("\t"), &self.lines);
    }
}

/// A name for a topic and its index that no other run has, and a server.
pub fn index_of(search: &Search, topic: &str) -> String {
    let index = topic.to_lowercase();
    assert_eq!(search.documents(&index).len(), 0);
    index
}

//! What one demo starts, and stops again: a directory, a broker, a worker.

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::cli::{DemoArguments, Mode};
use crate::demo::rest::Rest;
use crate::kafka::{self, Broker};
use crate::tree::Tree;
use crate::worker::Worker;

/// REST's port in Kafka Connect.
const USUAL_PORT: u16 = 8083;

pub struct Session<'a> {
    tree: &'a Tree,
    directory: PathBuf,
    port: u16,
    pub rest: Rest,
    broker: Option<Broker>,
    worker: Option<Worker>,
    keep: bool,
}

impl<'a> Session<'a> {
    /// Makes an empty directory and settles on a port; nothing runs yet.
    pub fn open(tree: &'a Tree, arguments: &DemoArguments) -> Result<Self> {
        let directory = tree.scratch().join(format!("demo-{}", std::process::id()));
        std::fs::create_dir_all(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
        let port = match arguments.port {
            Some(port) => port,
            None if TcpListener::bind(("127.0.0.1", USUAL_PORT)).is_ok() => USUAL_PORT,
            None => kafka::free_ports()?,
        };
        Ok(Self {
            tree,
            directory,
            port,
            rest: Rest::new(port),
            broker: None,
            worker: None,
            keep: arguments.keep,
        })
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Leaves the directory for whoever wants to know what went wrong.
    pub fn keep_for_inspection(&mut self) {
        self.keep = true;
    }

    pub fn start_kafka(&mut self) -> Result<String> {
        let broker = Broker::start(self.tree, self.file("kafka"), kafka::free_ports()?)?;
        let bootstrap = broker.bootstrap();
        self.broker = Some(broker);
        Ok(bootstrap)
    }

    /// Starts the worker and returns how long it took until REST answered.
    pub fn start_worker(&mut self, bootstrap: &str) -> Result<Duration> {
        self.start_worker_with(bootstrap, "")
    }

    /// The same with more lines of properties.
    pub fn start_worker_with(&mut self, bootstrap: &str, more: &str) -> Result<Duration> {
        let properties = self.properties(bootstrap) + more;
        let answers = || self.rest.answers();
        let (worker, took) = Worker::start(self.tree, &self.directory, Mode::Standalone, &properties, answers)?;
        self.worker = Some(worker);
        Ok(took)
    }

    fn properties(&self, bootstrap: &str) -> String {
        format!(
            "bootstrap.servers={bootstrap}\n\
             listeners=http://127.0.0.1:{port}\n\
             plugin.path={components}\n\
             key.converter=org.apache.kafka.connect.json.JsonConverter\n\
             value.converter=org.apache.kafka.connect.json.JsonConverter\n\
             offset.storage.file.filename={offsets}\n\
             offset.flush.interval.ms=1000\n",
            port = self.port,
            components = self.tree.components().display(),
            offsets = self.file("connect.offsets").display(),
        )
    }

    /// An error with the end of its log if the worker has ended.
    pub fn check_worker(&mut self) -> Result<()> {
        self.worker.as_mut().map_or(Ok(()), Worker::check)
    }

    /// The worker's resident memory in MiB.
    pub fn worker_memory(&self) -> u64 {
        self.worker.as_ref().map_or(0, Worker::memory)
    }

    fn stop(&mut self) -> Result<()> {
        if let Some(worker) = self.worker.take() {
            println!("stopping the worker");
            worker.stop()?;
        }
        if let Some(broker) = self.broker.take() {
            println!("stopping Kafka");
            broker.clean(self.tree)?;
        }
        if self.keep {
            println!("kept {}", self.directory.display());
        } else {
            std::fs::remove_dir_all(&self.directory)?;
        }
        Ok(())
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("while cleaning up {}: {error:#}", self.directory.display());
        }
    }
}

//! The herder of a single worker: configurations and statuses live in memory, only source offsets outlive the process.
//!
//! A request changes what should run ([`caisson_store::ConfigStore`]) and returns; the node ([`crate::node`]) does the
//! rest.

mod requests;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use caisson_store::{BoxFuture, Config, ConfigChange, ConfigStore, StatusStore};
use tokio::sync::mpsc;

use crate::Error;
use crate::loggers::Loggers;
use crate::modules::Modules;
use crate::node::{Grant, Leader, Node, NodeOptions, NodeParts};
use crate::worker::{Worker, WorkerEvent};

/// What a standalone herder is told at its start.
#[derive(Clone, Debug)]
pub struct Options {
    /// The REST address under which this worker shows itself in statuses, `host:port`.
    pub worker_id: String,
    /// For `GET /`.
    pub version: String,
    pub commit: String,
    /// `topic.tracking.enable`
    pub topic_tracking: bool,
    /// `topic.tracking.allow.reset`
    pub topic_tracking_reset: bool,
}

/// What a standalone herder works with.
pub struct Parts {
    pub worker: Arc<dyn Worker>,
    /// What the worker tells; emptied as soon as something is in it.
    pub events: mpsc::Receiver<WorkerEvent>,
    pub configs: Arc<dyn ConfigStore>,
    pub statuses: Arc<dyn StatusStore>,
    pub loggers: Loggers,
    /// None: modules cannot be uploaded.
    pub modules: Option<Arc<dyn Modules>>,
}

/// The herder of a single worker.
pub struct StandaloneHerder {
    options: Options,
    node: Arc<Node>,
    loggers: Loggers,
    modules: Option<Arc<dyn Modules>>,
    /// Makes a check of the configurations and the write that follows from it one step. It is held across that write,
    /// which is what it is for; nothing slow is done under it.
    changes: tokio::sync::Mutex<()>,
    /// Everything that the operator's command line named has been asked for.
    ready: AtomicBool,
}

impl StandaloneHerder {
    /// Must be called inside a runtime: it begins to listen to the worker.
    pub fn new(parts: Parts, options: Options) -> StandaloneHerder {
        let node = NodeOptions {
            worker_id: options.worker_id.clone(),
            topic_tracking: options.topic_tracking,
            topic_tracking_reset: options.topic_tracking_reset,
            exactly_once: false,
        };
        let parts_of_node = NodeParts {
            worker: parts.worker,
            events: parts.events,
            configs: parts.configs.clone(),
            statuses: parts.statuses,
            leader: Arc::new(Myself(parts.configs)),
        };
        StandaloneHerder {
            options,
            node: Node::start(parts_of_node, node, Grant::Everything),
            loggers: parts.loggers,
            modules: parts.modules,
            changes: tokio::sync::Mutex::new(()),
            ready: AtomicBool::new(false),
        }
    }

    /// Says that the start is over: the health check calls the worker ready from now on.
    pub fn started(&self) {
        self.ready.store(true, Ordering::Release);
    }

    /// Stops all connectors and tasks, and returns when that is done. Configurations stay.
    pub async fn shut_down(&self) {
        self.node.stop().await;
    }
}

/// A worker on its own leads itself.
struct Myself(Arc<dyn ConfigStore>);

impl Leader for Myself {
    /// Nothing comes late here: the driver waits for what it writes.
    fn put_task_configs(
        &self,
        name: Arc<str>,
        tasks: Vec<Config>,
        _made_from: u64,
    ) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async { Ok(self.0.write(ConfigChange::PutTasks { name, tasks }).await?) })
    }

    fn fence_zombies(&self, _name: Arc<str>) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }
}

//! The herder of a single worker: configurations and statuses live in memory, only source offsets outlive the process.
//!
//! A request changes what should run ([`caisson_store::ConfigStore`]) and returns; one driver per connector compares
//! that with what runs and closes the gap, action by action ([`plan`] decides, [`driver`] performs). Start, pause,
//! resume, stop, reconfiguration, restart and deletion are all that one comparison, so a request is answered while a
//! broker is away, and a connector that is slow to start delays no other.

mod driver;
mod events;
mod plan;
mod requests;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use caisson_store::{ConfigStore, StatusStore};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::Error;
use crate::loggers::Loggers;
use crate::worker::{Worker, WorkerEvent};
use driver::{Command, Inbox};
use events::Events;

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
}

/// The herder of a single worker.
pub struct StandaloneHerder {
    shared: Arc<Shared>,
    /// Makes a check of the configurations and the write that follows from it one step. It is held across that write,
    /// which is what it is for; nothing slow is done under it.
    changes: tokio::sync::Mutex<()>,
}

/// What requests and drivers share.
struct Shared {
    options: Options,
    worker: Arc<dyn Worker>,
    configs: Arc<dyn ConfigStore>,
    statuses: Arc<dyn StatusStore>,
    loggers: Loggers,
    events: Events,
    /// Where the drivers of connectors take commands. Held for the time of a lookup, an insertion or a removal.
    inboxes: Mutex<BTreeMap<Arc<str>, Inbox>>,
    /// Everything that the operator's command line named has been asked for.
    ready: AtomicBool,
    /// Nothing shall run any more.
    stopping: AtomicBool,
}

impl StandaloneHerder {
    /// Must be called inside a runtime: it begins to listen to the worker.
    pub fn new(parts: Parts, options: Options) -> StandaloneHerder {
        let shared = Arc::new(Shared {
            options,
            worker: parts.worker,
            configs: parts.configs,
            statuses: parts.statuses,
            loggers: parts.loggers,
            events: Events::new(parts.events),
            inboxes: Mutex::default(),
            ready: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
        });
        tokio::spawn(events::listen(Arc::downgrade(&shared)));
        StandaloneHerder {
            shared,
            changes: tokio::sync::Mutex::new(()),
        }
    }

    /// Says that the start is over: the health check calls the worker ready from now on.
    pub fn started(&self) {
        self.shared.ready.store(true, Ordering::Release);
    }

    /// Stops all connectors and tasks, and returns when that is done. Configurations stay.
    pub async fn shut_down(&self) {
        self.shared.stopping.store(true, Ordering::Release);
        let names: Vec<Arc<str>> = self.shared.inboxes().keys().cloned().collect();
        let mut stopped = JoinSet::new();
        for name in names {
            let shared = self.shared.clone();
            stopped.spawn(async move { shared.settle(&name).await });
        }
        while stopped.join_next().await.is_some() {}
        self.shared.drain_events();
    }
}

impl Shared {
    fn inboxes(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Inbox>> {
        self.inboxes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The inbox of a connector's driver; the driver is started if there is none.
    fn inbox(self: &Arc<Self>, name: &str) -> Inbox {
        let mut inboxes = self.inboxes();
        if let Some(inbox) = inboxes.get(name) {
            return inbox.clone();
        }
        let name: Arc<str> = name.into();
        let inbox = driver::start(self.clone(), name.clone());
        inboxes.insert(name, inbox.clone());
        inbox
    }

    /// Has the driver look at the configurations again.
    fn changed(self: &Arc<Self>, name: &str) {
        self.inbox(name).changed();
    }

    /// Gives the driver a command, and waits for its answer.
    async fn ask<T>(
        self: &Arc<Self>,
        name: &str,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.inbox(name).send(command(reply)).await;
        answer
            .await
            .map_err(|_| Error::Other(format!("Worker is shutting down; connector {name} was not changed")))
    }

    /// Waits until what runs of a connector is what should run.
    async fn settle(self: &Arc<Self>, name: &str) {
        // No answer means that the driver has ended, which it does only when nothing runs.
        let _ = self.ask(name, Command::Settle).await;
    }

    fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }
}

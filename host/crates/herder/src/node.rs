//! What runs on this worker, and how it comes to be what should run.
//!
//! One driver per connector compares what should run of it here with what runs, and closes the gap action by action
//! ([`plan`] decides, [`driver`] performs). Start, rebalance, pause, resume, stop, reconfiguration, restart and deletion
//! are all that one comparison, so a request is answered while a broker is away, and a connector that is slow to start
//! delays no other. Both kinds of herder stand on this: they differ in what they grant to the node.

mod driver;
mod events;
mod failures;
mod metrics;
pub(crate) mod plan;
mod recovery;
mod restart;
mod view;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use caisson_store::{BoxFuture, Config, ConfigStore, ConnectorEntry, StatusStore};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::Error;
use crate::assignor::{Item, Items};
use crate::info::ConnectorKind;
use crate::offsets::OffsetOutcome;
use crate::worker::{Worker, WorkerEvent};
pub(crate) use driver::OffsetCommand;
use driver::{Command, Inbox};
use events::Events;
use plan::Wanted;
use recovery::Recovery;
pub(crate) use view::OffsetRequest;

/// What a node is told at its start.
#[derive(Clone, Debug)]
pub struct NodeOptions {
    /// The REST address under which this worker shows itself in statuses, `host:port`.
    pub worker_id: String,
    /// `topic.tracking.enable`
    pub topic_tracking: bool,
    /// `topic.tracking.allow.reset`
    pub topic_tracking_reset: bool,
    /// Whether source tasks write in transactions, so that earlier ones have to be fenced off.
    pub exactly_once: bool,
}

/// What a node works with.
pub struct NodeParts {
    pub worker: Arc<dyn Worker>,
    /// What the worker tells; emptied as soon as something is in it.
    pub events: mpsc::Receiver<WorkerEvent>,
    pub configs: Arc<dyn ConfigStore>,
    pub statuses: Arc<dyn StatusStore>,
    pub leader: Arc<dyn Leader>,
}

/// What a node needs of the leader of its cluster, wherever that is.
pub trait Leader: Send + Sync {
    /// Has the task configurations that a connector of this node has made written down. `made_from` is the revision of the
    /// connector's configuration that it had: who asked may have given up, and what comes late must not follow something
    /// newer.
    fn put_task_configs(
        &self,
        name: Arc<str>,
        configs: Vec<Config>,
        made_from: u64,
    ) -> BoxFuture<'_, Result<(), Error>>;

    /// Before a task of an exactly-once source starts: has the producers of earlier tasks fenced off.
    fn fence_zombies(&self, name: Arc<str>) -> BoxFuture<'_, Result<(), Error>>;
}

/// What of all that is configured this node may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// A worker on its own.
    Everything,
    Nothing,
    /// A member of a group.
    Items {
        items: Items,
        /// Where the config topic ended when this was shared out. Task configurations that were committed later may
        /// be shared out anew, so they start only with a later grant.
        offset: i64,
    },
}

/// The node.
pub struct Node {
    options: NodeOptions,
    worker: Arc<dyn Worker>,
    configs: Arc<dyn ConfigStore>,
    statuses: Arc<dyn StatusStore>,
    leader: Arc<dyn Leader>,
    events: Events,
    /// Where the drivers of connectors take commands. Held for the time of a lookup, an insertion or a removal.
    inboxes: Mutex<BTreeMap<Arc<str>, Inbox>>,
    /// Held for the time of a look or a change.
    grant: Mutex<Grant>,
    /// The generation of the group in which the grant was made; 0 outside a group.
    generation: AtomicI32,
    /// What has failed of connectors that want restarts. Held for the time of a look or a change.
    recoveries: Mutex<BTreeMap<Arc<str>, Recovery>>,
    /// Where its clock begins.
    began: Instant,
}

impl Node {
    /// Must be called inside a runtime: it begins to listen to the worker.
    pub fn start(parts: NodeParts, options: NodeOptions, grant: Grant) -> Arc<Node> {
        let node = Arc::new(Node {
            options,
            worker: parts.worker,
            configs: parts.configs,
            statuses: parts.statuses,
            leader: parts.leader,
            events: Events::new(parts.events),
            inboxes: Mutex::default(),
            grant: Mutex::new(grant),
            generation: AtomicI32::new(0),
            recoveries: Mutex::default(),
            began: Instant::now(),
        });
        tokio::spawn(events::listen(Arc::downgrade(&node)));
        node
    }

    pub fn worker(&self) -> &Arc<dyn Worker> {
        &self.worker
    }

    pub fn configs(&self) -> &Arc<dyn ConfigStore> {
        &self.configs
    }

    pub fn statuses(&self) -> &Arc<dyn StatusStore> {
        &self.statuses
    }

    pub fn options(&self) -> &NodeOptions {
        &self.options
    }

    pub fn entry(&self, name: &str) -> Option<Arc<ConnectorEntry>> {
        self.configs.snapshot().get(name).cloned()
    }

    /// What a configuration's class is; none where this worker does not know it.
    pub fn kind(&self, config: &Config) -> Option<ConnectorKind> {
        let class = config.get("connector.class")?.as_deref()?;
        self.worker.connector_kind(class)
    }

    /// Changes what may run here; the drivers of what is concerned act on it.
    pub fn grant(self: &Arc<Self>, grant: Grant, generation: i32) {
        self.generation.store(generation, Ordering::Release);
        let mut names: Vec<Arc<str>> = self.inboxes().keys().cloned().collect();
        if let Grant::Items { items, .. } = &grant {
            names.extend(items.iter().map(|item| item.connector().clone()));
        }
        *self.granted() = grant;
        names.sort_unstable();
        names.dedup();
        for name in names {
            self.changed(&name);
        }
    }

    /// What should run here of a connector; none if nothing should.
    pub(crate) fn wanted(&self, name: &str) -> Option<Wanted> {
        let entry = self.entry(name)?;
        wanted(&self.granted(), name, entry)
    }

    /// Whether this node may run something.
    pub fn has(&self, item: &Item) -> bool {
        match &*self.granted() {
            Grant::Everything => true,
            Grant::Nothing => false,
            Grant::Items { items, .. } => items.contains(item),
        }
    }

    /// Stops all connectors and tasks, and returns when that is done.
    pub async fn stop(self: &Arc<Self>) {
        self.grant(Grant::Nothing, self.generation.load(Ordering::Acquire));
        self.settle_all().await;
        self.drain_events();
    }

    /// Waits until what runs is what should run.
    pub async fn settle_all(self: &Arc<Self>) {
        let names: Vec<Arc<str>> = self.inboxes().keys().cloned().collect();
        let mut settled = JoinSet::new();
        for name in names {
            let node = self.clone();
            settled.spawn(async move { node.settle(&name).await });
        }
        while settled.join_next().await.is_some() {}
    }

    /// Waits until nothing runs any more that should not.
    pub async fn settle_stops(self: &Arc<Self>) {
        let inboxes: Vec<(Arc<str>, Inbox)> = self
            .inboxes()
            .iter()
            .map(|(name, inbox)| (name.clone(), inbox.clone()))
            .collect();
        let mut stopped = JoinSet::new();
        for (name, _) in inboxes {
            let node = self.clone();
            stopped.spawn(async move {
                // As in `settle`.
                let _ = node.ask(&name, Command::SettleStops).await;
            });
        }
        while stopped.join_next().await.is_some() {}
    }

    /// Has the driver look at the configurations again.
    pub fn changed(self: &Arc<Self>, name: &str) {
        self.inbox(name).changed();
    }

    /// Waits until what runs of a connector is what should run.
    pub async fn settle(self: &Arc<Self>, name: &str) {
        // No answer means that the driver has ended, which it does only when nothing runs.
        let _ = self.ask(name, Command::Settle).await;
    }

    /// Restarts what runs here of a connector; returns when it was started, or failed to.
    pub async fn restart(self: &Arc<Self>, name: &str, connector: bool, tasks: Vec<u32>) -> Result<(), Error> {
        self.ask(name, |reply| Command::Restart {
            connector,
            tasks,
            reply: Some(reply),
        })
        .await?
    }

    /// As [`Node::restart`], without waiting for more than that the wish is taken.
    pub async fn begin_restart(self: &Arc<Self>, name: &str, connector: bool, tasks: Vec<u32>) {
        let command = Command::Restart {
            connector,
            tasks,
            reply: None,
        };
        self.inbox(name).send(command).await;
    }

    pub(crate) async fn change_offsets(
        self: &Arc<Self>,
        name: &str,
        change: OffsetCommand,
    ) -> Result<OffsetOutcome, Error> {
        self.ask(name, |reply| Command::Offsets { change, reply }).await?
    }

    fn granted(&self) -> MutexGuard<'_, Grant> {
        self.grant.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn inboxes(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Inbox>> {
        self.inboxes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        self.inboxes().is_empty()
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
}

/// What a grant lets run of a connector.
pub(crate) fn wanted(grant: &Grant, name: &str, entry: Arc<ConnectorEntry>) -> Option<Wanted> {
    let (connector, tasks) = match grant {
        Grant::Everything => (true, (0..entry.tasks.len() as u32).collect()),
        Grant::Nothing => return None,
        Grant::Items { items, offset } => {
            let current = i64::try_from(entry.task_revision).is_ok_and(|revision| revision < *offset);
            let name: Arc<str> = name.into();
            let granted = |number: &u32| items.contains(&Item::Task(caisson_model::TaskId::new(name.clone(), *number)));
            let tasks = (0..entry.tasks.len() as u32)
                .filter(|number| current && granted(number))
                .collect();
            (items.contains(&Item::Connector(name.clone())), tasks)
        }
    };
    let wanted = Wanted {
        entry,
        connector,
        tasks,
    };
    (wanted.connector || !wanted.tasks.is_empty()).then_some(wanted)
}

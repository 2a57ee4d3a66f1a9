//! Statuses in the cluster's status topic.
//!
//! What is visible is what was read, this worker's own reports included: all workers then tell the same. Reports go out
//! one batch after the other in the background; a report that waits is replaced by a newer one of the same thing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use caisson_model::{ConnectorState, TaskId, TaskState};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::known::Known;
use super::record::StatusRecord;
use super::{Status, StatusStore, TopicUse};
use crate::log::{Discarded, Log, LogReader, LogRecord};
use crate::{BoxFuture, Error};

/// The pause after a batch that could not be written.
const RETRY: Duration = Duration::from_secs(1);

/// A status store behind a topic.
pub struct TopicStatusStore {
    shared: Arc<Shared>,
    log: Arc<dyn Log>,
    writer: JoinHandle<()>,
}

struct Shared {
    /// What was read. Held for the time of a lookup, or while a batch is applied.
    known: Mutex<Known>,
    /// What is to be written. Held to put something in or take it out.
    waiting: Mutex<Waiting>,
    /// Tells the writer that something waits.
    wake: Notify,
    /// Tells who flushes that nothing waits.
    idle: Notify,
    discarded: Discarded,
}

#[derive(Default)]
struct Waiting {
    /// By key: how many reports came before, and the report.
    reports: BTreeMap<Vec<u8>, (u64, StatusRecord)>,
    count: u64,
    /// A batch is being written.
    writing: bool,
}

impl TopicStatusStore {
    /// The reader to open the topic with, and what makes the store once it is open; that must be called inside a runtime.
    /// The topic is read by the first [`TopicStatusStore::refresh`], if not before.
    pub fn prepare() -> (impl FnOnce(Arc<dyn Log>) -> TopicStatusStore, Arc<dyn LogReader>) {
        let shared = Arc::new(Shared {
            known: Mutex::default(),
            waiting: Mutex::default(),
            wake: Notify::new(),
            idle: Notify::new(),
            discarded: Discarded::of("status"),
        });
        let hand: Arc<dyn LogReader> = shared.clone();
        let make = move |log: Arc<dyn Log>| TopicStatusStore {
            writer: tokio::spawn(write(shared.clone(), log.clone())),
            shared,
            log,
        };
        (make, hand)
    }

    /// Brings what is visible up to what was written before this call.
    pub async fn refresh(&self) -> Result<(), Error> {
        self.log.read_to_end().await
    }

    /// Waits until everything that was reported has been written.
    pub async fn flush(&self) {
        loop {
            let idle = self.shared.idle.notified();
            if self.shared.waiting().is_idle() {
                return;
            }
            idle.await;
        }
    }
}

impl Drop for TopicStatusStore {
    fn drop(&mut self) {
        self.writer.abort();
    }
}

async fn write(shared: Arc<Shared>, log: Arc<dyn Log>) {
    loop {
        shared.wake.notified().await;
        loop {
            let batch = shared.waiting().take();
            if batch.is_empty() {
                break;
            }
            let pairs = batch.iter().map(|(_, report)| report.write()).collect();
            let written = log.append(pairs).await;
            let failed = written.is_err();
            if let Err(error) = written {
                tracing::warn!(%error, retry_after = ?RETRY, "statuses could not be written");
            }
            shared.done(if failed { batch } else { Vec::new() });
            if failed {
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

impl Waiting {
    fn is_idle(&self) -> bool {
        self.reports.is_empty() && !self.writing
    }

    fn take(&mut self) -> Vec<(u64, StatusRecord)> {
        let mut batch: Vec<_> = std::mem::take(&mut self.reports).into_values().collect();
        batch.sort_by_key(|(order, _)| *order);
        self.writing = !batch.is_empty();
        batch
    }
}

impl Shared {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self, report: StatusRecord) {
        let mut waiting = self.waiting();
        waiting.count += 1;
        let order = waiting.count;
        waiting.reports.insert(report.key(), (order, report));
        drop(waiting);
        self.wake.notify_one();
    }

    /// Notes that a batch was written, or not: then what was not replaced meanwhile waits again.
    fn done(&self, failed: Vec<(u64, StatusRecord)>) {
        let mut waiting = self.waiting();
        waiting.writing = false;
        for (order, report) in failed {
            waiting.reports.entry(report.key()).or_insert((order, report));
        }
        if waiting.is_idle() {
            drop(waiting);
            self.idle.notify_waiters();
        }
    }
}

/// Whether a report may take the place of what is known. A worker that lets go of something, or fails at it, must not
/// hide what its next owner has said.
fn may_replace<S>(known: Option<&Status<S>>, new: &Status<S>, retreat: bool) -> bool {
    let older = |known: &Status<S>| known.worker_id == new.worker_id || known.generation <= new.generation;
    !retreat || known.is_none_or(older)
}

impl StatusStore for TopicStatusStore {
    fn connector(&self, name: &str) -> Option<Status<ConnectorState>> {
        self.shared.known().connectors.get(name).cloned()
    }

    fn task(&self, id: &TaskId) -> Option<Status<TaskState>> {
        self.shared.known().tasks.get(id).cloned()
    }

    fn connectors(&self) -> Vec<String> {
        self.shared.known().names()
    }

    fn tasks(&self, connector: &str) -> Vec<(u32, Status<TaskState>)> {
        self.shared.known().tasks_of(connector)
    }

    fn put_connector(&self, name: &str, status: Status<ConnectorState>) {
        let retreat = matches!(status.state, ConnectorState::Unassigned | ConnectorState::Failed);
        if may_replace(self.shared.known().connectors.get(name), &status, retreat) {
            self.shared.report(StatusRecord::Connector {
                name: name.to_owned(),
                status: Some(status),
            });
        }
    }

    fn put_task(&self, id: &TaskId, status: Status<TaskState>) {
        let retreat = matches!(status.state, TaskState::Unassigned | TaskState::Failed);
        if may_replace(self.shared.known().tasks.get(id), &status, retreat) {
            self.shared.report(StatusRecord::Task {
                id: id.clone(),
                status: Some(status),
            });
        }
    }

    fn remove_task(&self, id: &TaskId) {
        self.shared.report(StatusRecord::Task {
            id: id.clone(),
            status: None,
        });
    }

    fn remove_connector(&self, name: &str) {
        let numbers: Vec<u32> = self.tasks(name).into_iter().map(|(number, _)| number).collect();
        for number in numbers {
            self.remove_task(&TaskId::new(name, number));
        }
        self.shared.report(StatusRecord::Connector {
            name: name.to_owned(),
            status: None,
        });
    }

    fn put_topic(&self, used: TopicUse) {
        let key = (used.connector.clone(), used.topic.clone());
        if !self.shared.known().topics.contains_key(&key) {
            self.shared.report(StatusRecord::Topic {
                connector: used.connector.clone(),
                topic: used.topic.clone(),
                used: Some(used),
            });
        }
    }

    fn topics(&self, connector: &str) -> Vec<TopicUse> {
        self.shared.known().topics_of(connector)
    }

    fn remove_topics(&self, connector: &str) {
        for used in self.topics(connector) {
            self.shared.report(StatusRecord::Topic {
                connector: used.connector,
                topic: used.topic,
                used: None,
            });
        }
    }

    fn settle(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.flush().await;
            if let Err(error) = self.refresh().await {
                tracing::warn!(%error, "the status topic cannot be read to its end");
            }
        })
    }
}

impl LogReader for Shared {
    fn read(&self, records: Vec<LogRecord>) {
        let mut known = self.known();
        for record in records {
            match StatusRecord::read(record.key.as_deref(), record.value.as_deref()) {
                Ok(read) => apply(&mut known, read),
                Err(error) => self.discarded.note(&record, &error),
            }
        }
    }
}

fn apply(known: &mut Known, record: StatusRecord) {
    match record {
        StatusRecord::Connector { name, status } => match status {
            Some(status) if comes_late(known.connectors.get(&name), &status) => {}
            Some(status) => drop(known.connectors.insert(name, status)),
            None => drop(known.connectors.remove(&name)),
        },
        StatusRecord::Task { id, status } => match status {
            Some(status) if overtaken(known.tasks.get(&id), &status) => {}
            Some(status) => drop(known.tasks.insert(id, status)),
            None => drop(known.tasks.remove(&id)),
        },
        StatusRecord::Topic { connector, topic, used } => match used {
            Some(used) => drop(known.topics.entry((connector, topic)).or_insert(used)),
            None => drop(known.topics.remove(&(connector, topic))),
        },
    }
}

/// Whether a worker says that it has let go of a connector which another has had since. A worker that was frozen or cut off
/// says so before it has read what happened meanwhile.
fn comes_late(known: Option<&Status<ConnectorState>>, new: &Status<ConnectorState>) -> bool {
    let newer = |known: &Status<_>| known.worker_id != new.worker_id && new.generation < known.generation;
    new.state == ConnectorState::Unassigned && known.is_some_and(newer)
}

/// Whether a worker says that it has let go of a task which another has started meanwhile.
fn overtaken(known: Option<&Status<TaskState>>, new: &Status<TaskState>) -> bool {
    new.state == TaskState::Unassigned
        && known.is_some_and(|known| known.state == TaskState::Running && new.generation <= known.generation)
}

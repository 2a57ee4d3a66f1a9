//! What the worker tells, written into the statuses in the order in which it was told.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::Poll;
use std::time::{SystemTime, UNIX_EPOCH};

use caisson_model::{ConnectorState, Failure, TaskId, TaskState};
use caisson_store::{Status, TopicUse};
use tokio::sync::mpsc;

use super::Node;
use super::driver::Command;
use super::recovery::Part;
use crate::worker::WorkerEvent;

/// The worker's events. They are applied under the lock, whoever takes them: who is about to write a status of its own
/// empties the channel first, and so never writes before something older.
pub struct Events {
    receiver: Mutex<mpsc::Receiver<WorkerEvent>>,
}

impl Events {
    pub fn new(receiver: mpsc::Receiver<WorkerEvent>) -> Events {
        Events {
            receiver: Mutex::new(receiver),
        }
    }
}

/// Applies events as they come, until the worker or the herder is gone.
pub async fn listen(node: Weak<Node>) {
    std::future::poll_fn(|context| {
        loop {
            let Some(node) = node.upgrade() else {
                return Poll::Ready(());
            };
            let mut receiver = node.events.receiver.lock().unwrap_or_else(PoisonError::into_inner);
            match receiver.poll_recv(context) {
                Poll::Ready(Some(event)) => node.apply(event),
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await;
}

impl Node {
    /// Applies all events that are there.
    pub fn drain_events(self: &Arc<Self>) {
        let mut receiver = self.events.receiver.lock().unwrap_or_else(PoisonError::into_inner);
        while let Ok(event) = receiver.try_recv() {
            self.apply(event);
        }
    }

    fn apply(self: &Arc<Self>, event: WorkerEvent) {
        match event {
            WorkerEvent::ConnectorStatus {
                connector,
                state,
                failure,
                version,
            } => {
                self.connector_told(&connector, state, failure, version);
            }
            WorkerEvent::TaskStatus {
                id,
                state,
                failure,
                version,
            } => self.task_told(&id, state, failure, version),
            WorkerEvent::Reconfigure { connector } => {
                let inbox = self.inboxes().get(&connector).cloned();
                if inbox.is_some_and(|inbox| !inbox.offer(Command::Reconfigure)) {
                    tracing::warn!(%connector, "connector asks for new task configurations faster than they are made");
                }
            }
            WorkerEvent::TopicUsed { id, topic } => self.topic_used(&id, &topic),
        }
    }

    fn connector_told(&self, name: &str, state: ConnectorState, failure: Option<Failure>, version: Option<String>) {
        // News of a connector that was deleted meanwhile must not bring its status back.
        if !self.configs.snapshot().contains(name) {
            return;
        }
        let status = match state {
            ConnectorState::Failed => self.failed(name, Part::Connector, state, failure, version),
            ConnectorState::Unassigned
            | ConnectorState::Running
            | ConnectorState::Paused
            | ConnectorState::Stopped
            | ConnectorState::Restarting => self.status(state, failure, version),
        };
        if state == ConnectorState::Running {
            self.runs(name, Part::Connector);
        }
        self.statuses.put_connector(name, status);
    }

    fn task_told(&self, id: &TaskId, state: TaskState, failure: Option<Failure>, version: Option<String>) {
        let snapshot = self.configs.snapshot();
        let known = snapshot.get(&id.connector);
        if known.is_none_or(|entry| id.task as usize >= entry.tasks.len()) {
            return;
        }
        let part = Part::Task(id.task);
        let status = match state {
            TaskState::Failed => self.failed(&id.connector, part, state, failure, version),
            TaskState::Unassigned | TaskState::Running | TaskState::Paused | TaskState::Restarting => {
                self.status(state, failure, version)
            }
        };
        if state == TaskState::Running {
            self.runs(&id.connector, part);
        }
        self.statuses.put_task(id, status);
    }

    fn topic_used(&self, id: &TaskId, topic: &str) {
        if !self.options.topic_tracking || !self.configs.snapshot().contains(&id.connector) {
            return;
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.statuses.put_topic(TopicUse {
            connector: id.connector.to_string(),
            topic: topic.to_owned(),
            task: id.task,
            discovered: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
        });
    }

    pub(super) fn status<S>(&self, state: S, failure: Option<Failure>, version: Option<String>) -> Status<S> {
        let trace = failure.map(|failure| failure.trace());
        Status {
            state,
            worker_id: self.options.worker_id.clone(),
            trace,
            version,
            generation: self.generation.load(Ordering::Acquire),
        }
    }
}

//! What is: the states of connectors and tasks, and the topics that they used.
//!
//! Writes never wait: a status is news, not truth, and the newest one wins. A store behind a broker sends them on in
//! its own time.

mod known;
mod memory;
mod record;
mod topic;

use caisson_model::{ConnectorState, TaskId, TaskState};

use crate::BoxFuture;

pub use memory::MemoryStatusStore;
pub use record::StatusRecord;
pub use topic::TopicStatusStore;

/// The status of a connector (`S` is [`ConnectorState`]) or of a task ([`TaskState`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status<S> {
    pub state: S,
    /// The REST address of the worker that reports, `host:port`.
    pub worker_id: String,
    /// Why it failed.
    pub trace: Option<String>,
    /// The version of the running plugin; none where its class was never instantiated.
    pub version: Option<String>,
    /// The generation of the group in which the report was made; 0 outside a group.
    pub generation: i32,
}

/// One topic that a connector has used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicUse {
    pub connector: String,
    pub topic: String,
    pub task: u32,
    /// When it was first seen, in milliseconds since 1970.
    pub discovered: u64,
}

/// A place for statuses.
pub trait StatusStore: Send + Sync {
    fn connector(&self, name: &str) -> Option<Status<ConnectorState>>;
    fn task(&self, id: &TaskId) -> Option<Status<TaskState>>;
    /// The connectors of which there is a status of their own or of a task.
    fn connectors(&self) -> Vec<String>;
    /// The statuses of a connector's tasks, by number.
    fn tasks(&self, connector: &str) -> Vec<(u32, Status<TaskState>)>;
    fn put_connector(&self, name: &str, status: Status<ConnectorState>);
    fn put_task(&self, id: &TaskId, status: Status<TaskState>);
    fn remove_task(&self, id: &TaskId);
    /// Removes the status of a connector and those of its tasks.
    fn remove_connector(&self, name: &str);

    /// Keeps the first use of a topic by a connector; later ones change nothing.
    fn put_topic(&self, used: TopicUse);
    /// The topics that a connector has used, in the order of their names.
    fn topics(&self, connector: &str) -> Vec<TopicUse>;
    fn remove_topics(&self, connector: &str);

    /// Waits until everything that was reported is visible. That may be for ever: who asks sets a limit.
    fn settle(&self) -> BoxFuture<'_, ()>;
}

#[cfg(test)]
mod tests;

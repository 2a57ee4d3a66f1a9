//! What workers of one cluster tell each other about their work, when the group forms anew.

use std::sync::Arc;
use std::time::Duration;

use crate::TaskId;

/// Connectors and tasks, in the order in which they were named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    pub connectors: Vec<Arc<str>>,
    pub tasks: Vec<TaskId>,
}

impl Work {
    pub fn is_empty(&self) -> bool {
        self.connectors.is_empty() && self.tasks.is_empty()
    }
}

/// How the members of a group share the work; Kafka Connect's three protocols, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupProtocol {
    /// Everybody stops everything, and gets a new share.
    Eager,
    /// Only what moves is stopped (KIP-415).
    Compatible,
    /// As before, and internal requests are signed (KIP-507).
    Sessioned,
}

/// What a member says of itself when it joins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkerState {
    /// Where its REST API is, ending in a slash.
    pub url: String,
    /// The next offset to read of the config topic.
    pub offset: i64,
    /// What it runs; none where the protocol does not say.
    pub assignment: Option<Assignment>,
}

/// What the leader tells a member. `assigned` and `revoked` are the difference to what the member said it runs; in the
/// eager protocol `assigned` is all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assignment {
    pub error: AssignmentError,
    /// The leader's member id.
    pub leader: Option<String>,
    pub leader_url: Option<String>,
    /// The offset of the config topic at which the work was shared out.
    pub offset: i64,
    pub assigned: Work,
    pub revoked: Work,
    /// After this time the member joins again, so that held-back work is shared out; zero: not.
    pub delay: Duration,
}

/// Whether the leader could share out the work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AssignmentError {
    #[default]
    None,
    /// The leader knows less of the config topic than a member.
    ConfigMismatch,
    /// What a later version may mean; treated as a failure.
    Other(i16),
}

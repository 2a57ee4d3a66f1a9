//! What the operator asked for: connectors, their target states, and the task configurations made from them.
//!
//! Reads come from a snapshot in memory, whatever keeps the truth; writes are asynchronous, since a cluster's truth is
//! a topic. What a store holds is what [`State`] makes of a sequence of [`ConfigRecord`]s: a store in memory applies
//! them at once, one behind a topic writes them, and applies all that it reads, whoever wrote it.

mod memory;
mod record;
mod state;
mod topic;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use caisson_model::TargetState;
use tokio::sync::watch;

use crate::{BoxFuture, Error};

pub use memory::MemoryConfigStore;
pub use record::{ConfigRecord, InvalidRecord};
pub(crate) use record::{object, task_id, text};
pub use state::State;
pub use topic::TopicConfigStore;

/// A flat configuration. Kafka Connect lets null values pass where a key has a definition, so they are kept.
pub type Config = BTreeMap<String, Option<String>>;

/// One connector as configured.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectorEntry {
    pub config: Arc<Config>,
    pub target: TargetState,
    /// The task configurations that are valid now, by task number; empty until they were made, and while stopped.
    pub tasks: Vec<Arc<Config>>,
    /// How many there were at most. Kafka Connect's workers look for whoever runs one of these when it is to be restarted.
    pub most_tasks: u32,
    /// Where the configuration was written: an offset of the config topic, so it never repeats.
    pub revision: u64,
    /// Where the present set of task configurations was committed, in the same way.
    pub task_revision: u64,
    /// Where it was last written that the connector is to run, after it was not to; 0 if never. Whoever reads both at once
    /// cannot tell by the state that the task configurations have to be made again.
    pub resumed: u64,
    /// The connector configuration from which the present task configurations were made.
    pub made_from: Option<Arc<Config>>,
    pub fencing: Fencing,
}

/// What is known of the producers of an exactly-once source connector (KIP-618).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fencing {
    /// There are new task configurations, and producers of the earlier ones may still be at work.
    pub pending: bool,
    /// How many producers there may be, if it was ever written down.
    pub tasks: Option<u32>,
}

/// By what members sign internal requests (KIP-507).
#[derive(Clone, PartialEq, Eq)]
pub struct SessionKey {
    pub key: Vec<u8>,
    /// As Java names it, such as `HmacSHA256`.
    pub algorithm: String,
    /// In milliseconds since 1970.
    pub created: i64,
}

/// The newest wish to restart a connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestartWish {
    /// Where it was written.
    pub revision: u64,
    pub only_failed: bool,
    pub include_tasks: bool,
}

/// The newest wish to set a log level on all workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelWish {
    /// Where it was written.
    pub revision: u64,
    /// As it was asked for, in any case of letters.
    pub level: String,
}

/// Everything at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConfigSnapshot {
    /// The next offset to read; 0 in the beginning.
    pub offset: i64,
    connectors: BTreeMap<Arc<str>, Arc<ConnectorEntry>>,
    pub session_key: Option<Arc<SessionKey>>,
    /// By connector.
    pub restarts: BTreeMap<Arc<str>, RestartWish>,
    /// By logger.
    pub levels: BTreeMap<String, LevelWish>,
}

impl ConfigSnapshot {
    pub fn get(&self, name: &str) -> Option<&Arc<ConnectorEntry>> {
        self.connectors.get(name)
    }

    pub fn contains(&self, name: &str) -> bool {
        self.connectors.contains_key(name)
    }

    pub fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.connectors.keys()
    }

    pub fn connectors(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<ConnectorEntry>)> {
        self.connectors.iter()
    }
}

/// A change of what a store holds.
#[derive(Clone, Debug, PartialEq)]
pub enum ConfigChange {
    /// Creates or replaces a connector's configuration. Without a target state an existing one stays, and a new
    /// connector is to be started.
    PutConnector {
        name: Arc<str>,
        config: Config,
        target: Option<TargetState>,
    },
    /// Removes a connector with its target state and tasks.
    RemoveConnector {
        name: Arc<str>,
    },
    /// Removes a connector's tasks and wants it stopped; one without the other would be a connector that neither runs
    /// nor is stopped.
    StopConnector {
        name: Arc<str>,
    },
    /// Replaces the whole set of task configurations of a connector.
    PutTasks {
        name: Arc<str>,
        tasks: Vec<Config>,
    },
    /// Any worker may write this one, and the level of a logger; all others are the leader's.
    PutTarget {
        name: Arc<str>,
        target: TargetState,
    },
    /// Notes that the producers of earlier tasks are fenced off, and how many tasks there are now.
    PutTaskCount {
        name: Arc<str>,
        tasks: u32,
    },
    PutSessionKey(SessionKey),
    Restart {
        name: Arc<str>,
        only_failed: bool,
        include_tasks: bool,
    },
    PutLevel {
        logger: String,
        level: String,
    },
}

impl ConfigChange {
    /// Whether only the leader may write it.
    pub fn privileged(&self) -> bool {
        match self {
            ConfigChange::PutConnector { .. }
            | ConfigChange::RemoveConnector { .. }
            | ConfigChange::StopConnector { .. }
            | ConfigChange::PutTasks { .. }
            | ConfigChange::PutTaskCount { .. }
            | ConfigChange::PutSessionKey(_)
            | ConfigChange::Restart { .. } => true,
            ConfigChange::PutTarget { .. } | ConfigChange::PutLevel { .. } => false,
        }
    }
}

/// A place for configurations. What is said of a connector that is not there has no effect.
pub trait ConfigStore: Send + Sync {
    /// The newest state that this worker knows.
    fn snapshot(&self) -> Arc<ConfigSnapshot>;

    /// Follows the state.
    fn watch(&self) -> watch::Receiver<Arc<ConfigSnapshot>>;

    /// Makes a change; done means written down for good, and seen in the snapshot.
    fn write(&self, change: ConfigChange) -> BoxFuture<'_, Result<(), Error>>;

    /// Brings the snapshot up to everything that was written before this call.
    fn refresh(&self) -> BoxFuture<'_, Result<(), Error>>;

    /// Becomes the only one that can make privileged changes, where that is asked for.
    fn claim(&self) -> BoxFuture<'_, Result<(), Error>>;
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionKey")
            .field("algorithm", &self.algorithm)
            .field("created", &self.created)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

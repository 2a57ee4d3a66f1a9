//! Who of a cluster runs what. The leader of the group decides, and only the leader; both ways of deciding are Kafka
//! Connect's own, so that leaders of either kind may take turns. Pure: members, configuration, earlier rounds and the
//! time in, shares out.

mod cooperative;
mod eager;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use caisson_model::{TaskId, Work};

pub use cooperative::{CooperativeAssignor, Generations};
pub use eager::share_eagerly;

/// One thing that runs on one worker. Connectors come before tasks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Item {
    Connector(Arc<str>),
    Task(TaskId),
}

pub type Items = BTreeSet<Item>;

/// A member of the group, by the id that the coordinator gave it.
pub type MemberId = Arc<str>;

/// What one member is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Beyond what the member runs already.
    pub assigned: Items,
    pub revoked: Items,
}

/// What all members are told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shares {
    pub members: BTreeMap<MemberId, Share>,
    /// What each member runs in the end.
    pub complete: BTreeMap<MemberId, Items>,
    /// When all shall join again; zero: not.
    pub delay: Duration,
}

impl Item {
    pub fn connector(&self) -> &Arc<str> {
        match self {
            Item::Connector(name) => name,
            Item::Task(id) => &id.connector,
        }
    }

    pub fn is_connector(&self) -> bool {
        match self {
            Item::Connector(_) => true,
            Item::Task(_) => false,
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Item::Connector(name) => f.write_str(name),
            Item::Task(id) => write!(f, "{id}"),
        }
    }
}

/// The items of a list as members send it.
pub fn items(work: &Work) -> Items {
    let connectors = work.connectors.iter().cloned().map(Item::Connector);
    connectors.chain(work.tasks.iter().cloned().map(Item::Task)).collect()
}

/// The list to send.
pub fn work<'a>(items: impl IntoIterator<Item = &'a Item>) -> Work {
    let mut work = Work::default();
    for item in items {
        match item {
            Item::Connector(name) => work.connectors.push(name.clone()),
            Item::Task(id) => work.tasks.push(id.clone()),
        }
    }
    work
}

#[cfg(test)]
mod tests;

//! Whether somebody else writes what only the leader writes: another cluster that has the same config topic by mistake.

use std::time::Duration;

use caisson_store::{ConfigSnapshot, ConnectorEntry};

use super::{Core, Now, Writing, by_connector};

/// How long a worker has to be the leader still after such a change. One that was frozen reads what the leader after it has
/// written before it hears that it leads no more.
const CERTAIN: Duration = Duration::from_secs(10);

/// What a leader thinks of changes that it has not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strangers {
    Unknown,
    /// One was seen. It is told at this time, if the worker has led until then.
    Suspected {
        until: Duration,
    },
    /// It was told.
    Told,
}

impl Core {
    /// The config topic is read further.
    pub(super) fn look_for_strangers(&mut self, old: &ConfigSnapshot, now: Now) {
        let settled = self.is_leader() && self.writing == Writing::Yes && self.active.is_none();
        if settled && self.strangers == Strangers::Unknown && leaders_part_differs(old, &self.config) {
            self.strangers = Strangers::Suspected {
                until: now.monotonic + CERTAIN,
            };
        }
    }

    pub(super) fn tell_of_strangers(&mut self, now: Now) {
        if let Strangers::Suspected { until } = self.strangers
            && until <= now.monotonic
        {
            tracing::warn!(
                "the config topic has a change that this worker, which leads, has not made. Another Connect cluster with \
                 another group.id may use the topic: each needs topics of its own"
            );
            self.strangers = Strangers::Told;
        }
    }

    /// This worker leads no more: who leads now may have made the change.
    pub(super) fn clear_strangers(&mut self) {
        if self.strangers != Strangers::Told {
            self.strangers = Strangers::Unknown;
        }
    }

    pub(super) fn strangers_told_at(&self) -> Option<Duration> {
        match self.strangers {
            Strangers::Suspected { until } => Some(until),
            Strangers::Unknown | Strangers::Told => None,
        }
    }
}

/// Whether there is another session key, or a connector or task configuration that was written since.
fn leaders_part_differs(old: &ConfigSnapshot, new: &ConfigSnapshot) -> bool {
    let of = |entry: &ConnectorEntry| (entry.revision, entry.task_revision);
    key_of(old) != key_of(new) || by_connector(old, of) != by_connector(new, of)
}

fn key_of(snapshot: &ConfigSnapshot) -> Option<&[u8]> {
    snapshot.session_key.as_ref().map(|key| key.key.as_slice())
}

//! What only the leader does unasked: it claims the config topic, and keeps the session key fresh.

use std::time::Duration;

use super::event::{Action, Ticket};
use super::requests::Job;
use super::{Core, Now, Writing};

/// The pause before the config topic is claimed again.
const CLAIM_BACKOFF: Duration = Duration::from_millis(250);

impl Core {
    pub(super) fn duties(&mut self, now: Now) {
        if !self.is_leader() {
            return;
        }
        if self.writing == Writing::No {
            let ticket = self.ticket();
            self.writing = Writing::Claiming(ticket);
            self.act(Action::Claim { ticket });
        }
        let rotating = self.queue.contains(&Job::RotateKey) || self.active.as_ref().is_some_and(|a| a.rotates_key());
        if self.writing == Writing::Yes && !rotating && self.key_is_due(now) {
            self.queue.push_front(Job::RotateKey);
        }
    }

    pub(super) fn claimed(&mut self, ticket: Ticket, ok: bool, now: Now) {
        if self.writing != Writing::Claiming(ticket) {
            return;
        }
        if !ok {
            tracing::warn!("the config topic could not be claimed; trying again while this worker leads");
            self.writing = Writing::RetryAt(now.monotonic + CLAIM_BACKOFF);
            return;
        }
        // What the former leader wrote last counts, so it is read before the first decision.
        let within = self.options.sync_timeout;
        self.act(Action::Refresh { ticket, within });
    }

    pub(super) fn claim_refreshed(&mut self, ok: bool, now: Now) {
        self.writing = if ok {
            Writing::Yes
        } else {
            Writing::RetryAt(now.monotonic + CLAIM_BACKOFF)
        };
    }

    fn key_is_due(&self, now: Now) -> bool {
        if !self.signs() {
            return false;
        }
        let Some(key) = &self.config.session_key else {
            return true;
        };
        key.algorithm != self.options.key_algorithm
            || key.key.len() != self.options.key_size
            || self.key_expires().is_some_and(|expires| expires <= now.wall)
    }

    fn key_expires(&self) -> Option<i64> {
        let key = self.config.session_key.as_ref()?;
        let ttl = i64::try_from(self.options.key_ttl.as_millis()).unwrap_or(i64::MAX);
        (ttl > 0).then(|| key.created.saturating_add(ttl))
    }

    /// When the key will be due; none if it is already, as then it only waits for its turn.
    pub(super) fn key_rotation_at(&self, now: Now) -> Option<Duration> {
        let left = self.key_expires().filter(|_| self.is_leader() && self.signs())? - now.wall;
        (left > 0).then(|| now.monotonic + Duration::from_millis(u64::try_from(left).unwrap_or(0)))
    }
}

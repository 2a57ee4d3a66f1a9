//! When what has failed is started again without being asked.

use std::time::Duration;

/// What a connector wants done about its failures, and those of its tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestartPolicy {
    /// Restarts in a row; none: without end.
    pub attempts: Option<u32>,
    /// The wait before the first of them; each further one is twice as long.
    pub backoff: Duration,
    pub longest_backoff: Duration,
    /// What has run for so long begins a new row.
    pub reset_after: Duration,
}

impl RestartPolicy {
    /// The wait before the next restart, when so many were made in a row.
    pub fn wait(&self, made: u32) -> Duration {
        self.backoff.saturating_mul(1 << made.min(31)).min(self.longest_backoff)
    }
}

//! Waits between attempts: twice as long each time, by chance shorter.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// No wait is longer, as in the original.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// A server that is not there may be back at any moment, and asking costs nobody anything.
const LONGEST_UNREACHABLE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Backoff {
    initial: Duration,
    /// State of a generator of random numbers (xorshift); never zero.
    random: u64,
}

impl Backoff {
    pub fn new(initial: Duration) -> Self {
        Backoff {
            initial,
            random: RandomState::new().hash_one(0) | 1,
        }
    }

    /// The wait before attempt number `attempt`, which is one or more.
    pub fn wait(&mut self, attempt: u32) -> Duration {
        let most = self
            .initial
            .saturating_mul(1 << attempt.saturating_sub(1).min(30))
            .min(LONGEST);
        // At least half of it: the server asked for time.
        most / 2 + (most / 2).mul_f64(self.next())
    }

    /// The wait before looking again whether there is a server.
    pub fn unreachable(&mut self) -> Duration {
        let most = self.initial.clamp(Duration::from_millis(50), LONGEST_UNREACHABLE);
        most / 2 + (most / 2).mul_f64(self.next())
    }

    fn next(&mut self) -> f64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_vary() {
        let mut backoff = Backoff::new(Duration::from_millis(100));
        for (attempt, most) in [(1, 100), (2, 200), (5, 1600)] {
            let wait = backoff.wait(attempt).as_millis();
            assert!((most / 2..=most).contains(&wait), "{attempt}: {wait}");
        }
        assert!(backoff.wait(100) <= LONGEST);
        assert!(Backoff::new(Duration::ZERO).wait(3).is_zero());
    }
}

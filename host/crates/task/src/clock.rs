//! Waiting longer each time.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);

/// Doubles from 100 ms to 10 s, unless the other side says how long to wait.
#[derive(Debug, Default)]
pub struct Backoff {
    attempts: u32,
}

impl Backoff {
    pub fn next(&mut self, asked_milliseconds: Option<u32>) -> Duration {
        let own = FIRST.saturating_mul(1 << self.attempts.min(10)).min(LONGEST);
        self.attempts += 1;
        match asked_milliseconds {
            Some(milliseconds) => Duration::from_millis(milliseconds.into()),
            None => own,
        }
    }

    pub fn was_used(&self) -> bool {
        self.attempts > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_a_bound_and_obeys_the_plugin() {
        let mut backoff = Backoff::default();
        assert!(!backoff.was_used());
        assert_eq!(backoff.next(None), Duration::from_millis(100));
        assert_eq!(backoff.next(None), Duration::from_millis(200));
        assert_eq!(backoff.next(Some(5)), Duration::from_millis(5));
        for _ in 0..100 {
            assert!(backoff.next(None) <= LONGEST);
        }
    }
}

//! When an operation that failed is tried again (`errors.retry.*`): doubling waits, up to a deadline. Pure: times and
//! random numbers are the caller's.

use std::time::Duration;

/// The first wait, in milliseconds.
const FIRST: i64 = 300;

/// How long and how often an operation is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// `errors.retry.timeout`; `None` is without end, zero is not at all.
    pub timeout: Option<Duration>,
    /// `errors.retry.delay.max.ms`
    pub longest_delay: Duration,
}

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Try again after so many milliseconds. Java's arithmetic can make them negative after some sixty attempts, which
    /// means at once.
    After(i64),
    GiveUp,
}

/// The attempts of one operation on one record (`RetryWithToleranceOperator.execAndRetry`).
#[derive(Clone, Debug)]
pub struct Attempts {
    /// On the caller's clock, in milliseconds.
    deadline: i64,
    longest_delay: i64,
    failed: u32,
}

impl RetryPolicy {
    /// An operation begins.
    pub fn begin(&self, now: i64) -> Attempts {
        let milliseconds = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Attempts {
            deadline: self
                .timeout
                .map_or(i64::MAX, |timeout| now.saturating_add(milliseconds(timeout))),
            longest_delay: milliseconds(self.longest_delay),
            failed: 0,
        }
    }
}

impl Attempts {
    /// An attempt has failed with an error that may pass. `random` gives a number from zero up to, and without, its
    /// argument.
    pub fn failed(&mut self, now: i64, random: impl FnOnce(i64) -> i64) -> Retry {
        if now >= self.deadline {
            return Retry::GiveUp;
        }
        // As Java shifts: by the low six bits, and out of the number.
        let mut delay = FIRST.wrapping_shl(self.failed);
        self.failed = self.failed.wrapping_add(1);
        if delay > self.longest_delay {
            delay = if self.longest_delay > 0 {
                random(self.longest_delay)
            } else {
                0
            };
        }
        if delay.wrapping_add(now) > self.deadline {
            delay = (self.deadline - now).max(0);
        }
        Retry::After(delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(timeout: Option<u64>, longest: u64, attempts: usize) -> Vec<Retry> {
        let policy = RetryPolicy {
            timeout: timeout.map(Duration::from_millis),
            longest_delay: Duration::from_millis(longest),
        };
        let mut now = 0;
        let mut operation = policy.begin(now);
        let next = |_| {
            let retry = operation.failed(now, |below| below - 1);
            if let Retry::After(delay) = retry {
                now += delay.max(0);
            }
            retry
        };
        (0..attempts).map(next).collect()
    }

    #[test]
    fn waits_double_and_end_at_the_deadline() {
        let expected = [300, 600, 100].map(Retry::After);
        assert_eq!(waits(Some(1000), 60_000, 4)[..3], expected);
        assert_eq!(waits(Some(1000), 60_000, 4)[3], Retry::GiveUp);
    }

    #[test]
    fn nothing_is_tried_again_without_a_time_for_it() {
        assert_eq!(waits(Some(0), 60_000, 1), [Retry::GiveUp]);
    }

    #[test]
    fn longer_waits_than_allowed_are_random_ones() {
        assert_eq!(waits(None, 500, 3), [300, 499, 499].map(Retry::After));
        assert_eq!(waits(None, 0, 2), [0, 0].map(Retry::After));
    }
}

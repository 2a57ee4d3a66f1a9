//! A clock for leases: it goes on while the machine sleeps, and nobody sets it.
//!
//! A lease is a promise of a broker, whose clock runs on while this machine is suspended. The monotonic clock, which
//! timers use, stands still meanwhile; the wall clock jumps.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A moment since the machine started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(Duration);

impl Moment {
    pub fn now() -> Moment {
        let time = clock_gettime(ClockId::Boottime);
        // Both are never negative on this clock.
        Moment(Duration::new(
            u64::try_from(time.tv_sec).unwrap_or(0),
            u32::try_from(time.tv_nsec).unwrap_or(0),
        ))
    }

    /// A moment by its distance from the start of the machine, for simulated time and for storage in an atomic.
    pub const fn from_start(since: Duration) -> Moment {
        Moment(since)
    }

    pub const fn since_start(self) -> Duration {
        self.0
    }

    /// How long until this moment, seen from `now`; zero if it is over.
    pub fn after(self, now: Moment) -> Duration {
        self.0.saturating_sub(now.0)
    }
}

impl std::ops::Add<Duration> for Moment {
    type Output = Moment;

    fn add(self, duration: Duration) -> Moment {
        Moment(self.0.saturating_add(duration))
    }
}

impl std::ops::Sub<Duration> for Moment {
    type Output = Moment;

    fn sub(self, duration: Duration) -> Moment {
        Moment(self.0.saturating_sub(duration))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_forward() {
        let earlier = Moment::now();
        let later = Moment::now();
        assert!(later >= earlier);
        assert_eq!(
            (earlier + Duration::from_secs(3)).after(earlier),
            Duration::from_secs(3)
        );
        assert_eq!(earlier.after(earlier + Duration::from_secs(3)), Duration::ZERO);
    }
}

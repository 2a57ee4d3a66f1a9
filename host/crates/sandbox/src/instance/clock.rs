//! Clocks that tick once a millisecond: fine enough for timeouts and timestamps, too coarse to watch a neighbour's use
//! of caches and branch predictors.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

const TICK: Duration = Duration::from_millis(1);

fn coarse(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

pub(super) struct CoarseMonotonic {
    /// Before the instance began, so that zero is never read: some programs take it for "not set".
    start: Instant,
}

impl CoarseMonotonic {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        CoarseMonotonic {
            start: now.checked_sub(Duration::from_secs(1)).unwrap_or(now),
        }
    }
}

impl HostMonotonicClock for CoarseMonotonic {
    fn resolution(&self) -> u64 {
        u64::try_from(TICK.as_nanos()).unwrap_or(u64::MAX)
    }

    fn now(&self) -> u64 {
        u64::try_from(coarse(self.start.elapsed()).as_nanos()).unwrap_or(u64::MAX)
    }
}

pub(super) struct CoarseWall;

impl HostWallClock for CoarseWall {
    fn resolution(&self) -> Duration {
        TICK
    }

    fn now(&self) -> Duration {
        coarse(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
    }
}

//! Waiting for a condition instead of sleeping for a time.

use std::time::{Duration, Instant};

/// How long anything may take before the test fails; generous, for busy machines.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Looks again and again until `look` returns something; panics with `what` when patience ends.
#[track_caller]
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "after {} s still not: {what}", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(20));
    }
}

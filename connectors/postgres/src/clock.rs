//! The time of the wall.

use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since 1970.
pub fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_micros() as i64)
}

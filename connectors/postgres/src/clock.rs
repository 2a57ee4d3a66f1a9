//! The time of the wall.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::types::time::{Fraction, write_timestamp};

/// Microseconds since 1970.
pub fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_micros() as i64)
}

/// Now, as `2026-01-02T03:04:05.678901Z`.
pub fn instant() -> String {
    let mut text = Vec::new();
    write_timestamp(&mut text, now(), Fraction::Padded(6));
    String::from_utf8_lossy(&text).into_owned()
}

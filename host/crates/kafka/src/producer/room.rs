//! Waiting for room in a full producer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Where senders wait until deliveries have made room.
#[derive(Default)]
pub(crate) struct Room {
    /// How many wait; lets the producer's thread skip the lock while nobody does.
    waiting: AtomicUsize,
    /// Counts how often room was made.
    made: Mutex<u64>,
    changed: Condvar,
}

impl Room {
    /// Tells who waits that there may be room.
    pub(crate) fn made(&self) {
        if self.waiting.load(Ordering::SeqCst) == 0 {
            return;
        }
        *self.made.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_all();
    }

    /// Whether room was made in time.
    pub(crate) fn wait(&self, timeout: Duration) -> bool {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = *made;
        let result = self.changed.wait_timeout_while(made, timeout, |made| *made == seen);
        let (made, _) = result.unwrap_or_else(PoisonError::into_inner);
        let in_time = *made != seen;
        drop(made);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        in_time
    }
}

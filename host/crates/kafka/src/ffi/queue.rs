//! Event queues.

use std::sync::Arc;
use std::time::Duration;

use super::{Client, milliseconds, raw};

/// A queue of a client; several threads may use it at once (each call takes the queue's own lock).
pub(crate) struct Queue {
    queue: *mut raw::rd_kafka_queue_t,
    // Freed after the queue: fields are dropped after `Drop::drop` ran.
    _client: Arc<Client>,
}

// SAFETY: librdkafka's queues are locked inside and made to be used from several threads.
unsafe impl Send for Queue {}
// SAFETY: as above.
unsafe impl Sync for Queue {}

impl Queue {
    /// A private queue.
    pub(crate) fn new(client: &Arc<Client>) -> Queue {
        // SAFETY: the client is alive, and the queue keeps it so.
        let queue = unsafe { raw::rd_kafka_queue_new(client.raw()) };
        Queue {
            queue,
            _client: client.clone(),
        }
    }

    /// Waits for the next event; null if none came.
    pub(super) fn poll_raw(&self, timeout: Duration) -> *mut raw::rd_kafka_event_t {
        // SAFETY: the queue is alive; the caller owns the event.
        unsafe { raw::rd_kafka_queue_poll(self.queue, milliseconds(timeout)) }
    }

    pub(super) fn raw(&self) -> *mut raw::rd_kafka_queue_t {
        self.queue
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: ours, freed once, before the client.
        unsafe { raw::rd_kafka_queue_destroy(self.queue) }
    }
}

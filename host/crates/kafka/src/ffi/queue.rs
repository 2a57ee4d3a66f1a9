//! Event queues.

use std::sync::Arc;
use std::time::Duration;

use super::{Client, Event, milliseconds, raw};

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

    /// The queue of a consumer's group: rebalances, commits, errors.
    pub(crate) fn of_consumer(client: &Arc<Client>) -> Option<Queue> {
        // SAFETY: as in `new`; null if the client is no consumer with a group.
        let queue = unsafe { raw::rd_kafka_queue_get_consumer(client.raw()) };
        (!queue.is_null()).then(|| Queue {
            queue,
            _client: client.clone(),
        })
    }

    /// Waits for the next event.
    pub(crate) fn poll(&self, timeout: Duration) -> Option<Event> {
        // SAFETY: the queue is alive; the event belongs to us, and `Event` frees it.
        unsafe { Event::from_raw(raw::rd_kafka_queue_poll(self.queue, milliseconds(timeout))) }
    }

    /// As [`Queue::poll`], for results that have no common form.
    pub(super) fn poll_raw(&self, timeout: Duration) -> *mut raw::rd_kafka_event_t {
        // SAFETY: the queue is alive; the caller owns the event.
        unsafe { raw::rd_kafka_queue_poll(self.queue, milliseconds(timeout)) }
    }

    /// Ends a wait on this queue at once, or the next one if nobody waits.
    pub(crate) fn wake(&self) {
        // SAFETY: the queue is alive; made to be called from any thread.
        unsafe { raw::rd_kafka_queue_yield(self.queue) }
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

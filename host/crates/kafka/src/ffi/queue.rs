//! Event queues.

use std::sync::Arc;
use std::time::Duration;

use super::{Client, Event, c_text, milliseconds, raw};

/// A queue of a client; several threads may use it at once (each call takes the queue's own lock).
pub(crate) struct Queue {
    queue: *mut raw::rd_kafka_queue_t,
    // Freed after the queue: fields are dropped after `Drop::drop` ran.
    client: Arc<Client>,
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
            client: client.clone(),
        }
    }

    /// The queue of a consumer's group: rebalances, commits, errors.
    pub(crate) fn of_consumer(client: &Arc<Client>) -> Option<Queue> {
        // SAFETY: as in `new`; null if the client is no consumer with a group.
        let queue = unsafe { raw::rd_kafka_queue_get_consumer(client.raw()) };
        (!queue.is_null()).then(|| Queue {
            queue,
            client: client.clone(),
        })
    }

    /// Sends what arrives for a partition to this queue. Must come before the partition is assigned, so that nothing
    /// of it reaches the consumer's main queue.
    pub(crate) fn capture(&self, topic: &str, partition: i32) -> bool {
        // SAFETY: client and queue are alive. The partition's queue object is only a handle: freeing it leaves the
        // partition's forwarding as it is.
        unsafe {
            let source = raw::rd_kafka_queue_get_partition(self.client.raw(), c_text(topic).as_ptr(), partition);
            if source.is_null() {
                return false;
            }
            raw::rd_kafka_queue_forward(source, self.queue);
            raw::rd_kafka_queue_destroy(source);
        }
        true
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

    /// While the result lives, whenever something arrives in `source`, wakes who waits on this queue.
    pub(crate) fn wake_on(self: &Arc<Self>, source: &Arc<Queue>) -> WakeOn {
        let target = Arc::as_ptr(self) as *mut libc::c_void;
        // SAFETY: the callback gets a pointer to this queue, which `WakeOn` keeps alive until it has removed the callback.
        // The callback only takes this queue's lock.
        unsafe { raw::rd_kafka_queue_cb_event_enable(source.queue, Some(wake_target), target) }
        WakeOn {
            source: source.clone(),
            _target: self.clone(),
        }
    }

    pub(super) fn raw(&self) -> *mut raw::rd_kafka_queue_t {
        self.queue
    }

    pub(super) fn client(&self) -> &Arc<Client> {
        &self.client
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: ours, freed once, before the client.
        unsafe { raw::rd_kafka_queue_destroy(self.queue) }
    }
}

/// One queue's arrivals wake another.
pub(crate) struct WakeOn {
    source: Arc<Queue>,
    // Used by the callback through a pointer; dropped after `Drop::drop` has removed the callback.
    _target: Arc<Queue>,
}

impl Drop for WakeOn {
    fn drop(&mut self) {
        // SAFETY: the queue is alive. This removes the callback under the queue's lock, so that it is not running
        // afterwards.
        unsafe { raw::rd_kafka_queue_cb_event_enable(self.source.queue, None, std::ptr::null_mut()) }
    }
}

unsafe extern "C" fn wake_target(_client: *mut raw::rd_kafka_t, target: *mut libc::c_void) {
    // SAFETY: `wake_on` passed a pointer to a queue that is alive while the callback is set.
    let target = unsafe { &*target.cast::<Queue>() };
    target.wake();
}

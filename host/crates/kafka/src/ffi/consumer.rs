//! Calls of a consumer in a group.

use std::time::Duration;

use super::{Client, PartitionList, Queue, check, check_error, milliseconds, raw};
use crate::error::KafkaError;

impl Client {
    /// Serves the client's own events (errors) through the consumer's queue.
    pub(crate) fn unite_queues(&self) -> Result<(), KafkaError> {
        // SAFETY: the client is alive.
        check(unsafe { raw::rd_kafka_poll_set_consumer(self.raw()) })
    }

    /// Subscribes to exactly these topics; to none, leaves the group.
    pub(crate) fn subscribe(&self, topics: &[String]) -> Result<(), KafkaError> {
        if topics.is_empty() {
            // SAFETY: the client is alive.
            return check(unsafe { raw::rd_kafka_unsubscribe(self.raw()) });
        }
        let mut list = PartitionList::new();
        for topic in topics {
            list.add(topic, -1, 0);
        }
        // SAFETY: the list lives for the call, which copies it.
        check(unsafe { raw::rd_kafka_subscribe(self.raw(), list.as_ptr()) })
    }

    /// Answers an eager rebalance: exactly these partitions from now on, or none.
    pub(crate) fn assign(&self, partitions: Option<&PartitionList>) -> Result<(), KafkaError> {
        let list = partitions.map_or(std::ptr::null(), PartitionList::as_ptr);
        // SAFETY: the list is null or lives for the call, which copies it.
        check(unsafe { raw::rd_kafka_assign(self.raw(), list) })
    }

    /// Answers a cooperative rebalance.
    pub(crate) fn incremental_assign(&self, partitions: &PartitionList) -> Result<(), KafkaError> {
        // SAFETY: the list lives for the call; the error object is ours.
        unsafe { check_error(raw::rd_kafka_incremental_assign(self.raw(), partitions.as_ptr())) }
    }

    /// Answers a cooperative rebalance.
    pub(crate) fn incremental_unassign(&self, partitions: &PartitionList) -> Result<(), KafkaError> {
        // SAFETY: as above.
        unsafe { check_error(raw::rd_kafka_incremental_unassign(self.raw(), partitions.as_ptr())) }
    }

    /// Whether the group rebalances cooperatively, so that events name only what changes.
    pub(crate) fn is_cooperative(&self) -> bool {
        // SAFETY: the text is static.
        unsafe { super::text(raw::rd_kafka_rebalance_protocol(self.raw())) == "COOPERATIVE" }
    }

    /// Whether the partitions are lost already, so that nothing can be committed for them.
    pub(crate) fn assignment_lost(&self) -> bool {
        // SAFETY: the client is alive.
        unsafe { raw::rd_kafka_assignment_lost(self.raw()) != 0 }
    }

    /// Begins a commit; its result comes as an event with this token.
    pub(crate) fn commit(&self, offsets: &PartitionList, events: &Queue, token: u64) -> Result<(), KafkaError> {
        // SAFETY: the list is copied; the queue is kept by the library until the event is there; the token is a number
        // that travels as a pointer and is never followed.
        check(unsafe {
            let opaque = token as *mut libc::c_void;
            raw::rd_kafka_commit_queue(self.raw(), offsets.as_ptr(), events.raw(), None, opaque)
        })
    }

    /// Fills in the committed offsets of the group; blocks.
    pub(crate) fn committed(&self, partitions: &mut PartitionList, timeout: Duration) -> Result<(), KafkaError> {
        // SAFETY: the list is ours alone for the call.
        check(unsafe { raw::rd_kafka_committed(self.raw(), partitions.as_mut_ptr(), milliseconds(timeout)) })
    }

    /// Replaces each element's offset, read as a time (or -1 for the end, -2 for the beginning), by the offset there;
    /// blocks.
    pub(crate) fn offsets_at(&self, times: &mut PartitionList, timeout: Duration) -> Result<(), KafkaError> {
        // SAFETY: the list is ours alone for the call.
        check(unsafe { raw::rd_kafka_offsets_for_times(self.raw(), times.as_mut_ptr(), milliseconds(timeout)) })
    }

    /// Begins to leave the group. Revocations come through `events` until [`Client::is_closed`].
    pub(crate) fn begin_close(&self, events: &Queue) -> Result<(), KafkaError> {
        // SAFETY: both are alive; the error object is ours.
        unsafe { check_error(raw::rd_kafka_consumer_close_queue(self.raw(), events.raw())) }
    }

    pub(crate) fn is_closed(&self) -> bool {
        // SAFETY: the client is alive.
        unsafe { raw::rd_kafka_consumer_closed(self.raw()) != 0 }
    }
}

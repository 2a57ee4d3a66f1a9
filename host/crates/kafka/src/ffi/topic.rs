//! Reading whole partitions by their topic.

use std::sync::Arc;

use super::{Client, c_text, raw};
use crate::error::{ErrorCode, KafkaError};

/// A topic whose partitions are read whole, without a group.
pub(crate) struct Topic {
    topic: *mut raw::rd_kafka_topic_t,
    /// Has to outlive the topic.
    _client: Arc<Client>,
}

// SAFETY: topic objects are locked inside and made to be used from several threads.
unsafe impl Send for Topic {}
// SAFETY: as above.
unsafe impl Sync for Topic {}

impl Drop for Topic {
    fn drop(&mut self) {
        // SAFETY: ours, freed once, before the client.
        unsafe { raw::rd_kafka_topic_destroy(self.topic) }
    }
}

impl Topic {
    pub(crate) fn new(client: &Arc<Client>, name: &str) -> Result<Topic, KafkaError> {
        // SAFETY: the client is alive and kept so; null as configuration means the client's defaults.
        let topic = unsafe { raw::rd_kafka_topic_new(client.raw(), c_text(name).as_ptr(), std::ptr::null_mut()) };
        if topic.is_null() {
            // SAFETY: thread-local number.
            return Err(KafkaError::new(ErrorCode(unsafe { raw::rd_kafka_last_error() })));
        }
        Ok(Topic {
            topic,
            _client: client.clone(),
        })
    }

    /// Begins to fetch a partition from its beginning into a queue. [`Topic::stop`] ends it.
    pub(crate) fn read_from_beginning(&self, partition: i32, queue: &super::Queue) -> Result<(), KafkaError> {
        // SAFETY: both are alive, and belong to the same client.
        let started =
            unsafe { raw::rd_kafka_consume_start_queue(self.topic, partition, raw::OFFSET_BEGINNING, queue.raw()) };
        if started == 0 {
            return Ok(());
        }
        // SAFETY: thread-local number.
        Err(KafkaError::new(ErrorCode(unsafe { raw::rd_kafka_last_error() })))
    }

    /// Ends what [`Topic::read_from_beginning`] began; waits for the client's own thread.
    pub(crate) fn stop(&self, partition: i32) {
        // SAFETY: alive. It fails only for a partition that is not read.
        unsafe {
            raw::rd_kafka_consume_stop(self.topic, partition);
        }
    }
}

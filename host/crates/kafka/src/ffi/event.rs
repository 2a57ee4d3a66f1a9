//! What comes out of a consumer's main queue.

use super::partitions::{Element, elements};
use super::{raw, text};
use crate::error::{ErrorCode, KafkaError};

/// An event, copied out of the library.
#[derive(Debug)]
pub(crate) enum Event {
    /// The group gives partitions. The library waits for the answer by an assign call.
    Assign(Vec<Element>),
    /// The group takes partitions. The library waits for the answer by an unassign call.
    Revoke(Vec<Element>),
    /// A rebalance failed; everything must be unassigned.
    RebalanceFailed(KafkaError),
    /// The result of a commit that was started with this token.
    Committed {
        token: u64,
        result: Result<(), KafkaError>,
        partitions: Vec<Element>,
    },
    /// Something to report; `KafkaError::fatal` says whether the client is done for.
    Error(KafkaError),
    /// Nothing of interest.
    Other,
}

impl Event {
    /// Copies an event and frees it.
    ///
    /// # Safety
    /// `event` is null, or an event that belongs to the caller.
    pub(super) unsafe fn from_raw(event: *mut raw::rd_kafka_event_t) -> Option<Event> {
        if event.is_null() {
            return None;
        }
        // SAFETY: the event is valid until destroyed, and `convert` copies.
        unsafe {
            let converted = convert(event);
            raw::rd_kafka_event_destroy(event);
            Some(converted)
        }
    }
}

/// # Safety
/// `event` is valid for the call.
unsafe fn convert(event: *mut raw::rd_kafka_event_t) -> Event {
    // SAFETY: each getter is called for an event type that it is defined for.
    unsafe {
        match raw::rd_kafka_event_type(event) {
            raw::EVENT_REBALANCE => {
                let partitions = elements(raw::rd_kafka_event_topic_partition_list(event));
                match ErrorCode(raw::rd_kafka_event_error(event)) {
                    ErrorCode::ASSIGN_PARTITIONS => Event::Assign(partitions),
                    ErrorCode::REVOKE_PARTITIONS => Event::Revoke(partitions),
                    _ => Event::RebalanceFailed(event_error(event)),
                }
            }
            raw::EVENT_OFFSET_COMMIT => Event::Committed {
                token: raw::rd_kafka_event_opaque(event) as u64,
                result: super::check(raw::rd_kafka_event_error(event)),
                partitions: elements(raw::rd_kafka_event_topic_partition_list(event)),
            },
            raw::EVENT_ERROR => Event::Error(event_error(event)),
            _ => Event::Other,
        }
    }
}

/// # Safety
/// `event` is valid for the call.
unsafe fn event_error(event: *mut raw::rd_kafka_event_t) -> KafkaError {
    // SAFETY: the getters are defined for every event; texts are copied.
    unsafe {
        KafkaError {
            code: ErrorCode(raw::rd_kafka_event_error(event)),
            message: text(raw::rd_kafka_event_error_string(event)),
            fatal: raw::rd_kafka_event_error_is_fatal(event) != 0,
            requires_abort: false,
        }
    }
}

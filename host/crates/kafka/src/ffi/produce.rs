//! Calls of a producer.

use std::sync::Arc;
use std::time::Duration;

use super::{Client, c_text, check, check_error, milliseconds, raw, text};
use crate::error::{ErrorCode, KafkaError};
use crate::producer::{AckGroup, OutRecord};

/// The report of a record's delivery, or of the end of the attempts.
pub(crate) struct Delivered<'a> {
    message: &'a raw::rd_kafka_message_t,
}

impl Delivered<'_> {
    /// Who waits for the record.
    pub(crate) fn group(&self) -> &AckGroup {
        // SAFETY: `token` wrote it, from a group that counts this record as pending, and a group keeps itself alive
        // while anything is pending.
        unsafe { &*self.message.private.cast::<AckGroup>() }
    }

    pub(crate) fn failed(&self) -> bool {
        self.message.err != 0
    }

    pub(crate) fn code(&self) -> ErrorCode {
        ErrorCode(self.message.err)
    }

    pub(crate) fn partition(&self) -> Option<i32> {
        (self.message.partition >= 0).then_some(self.message.partition)
    }

    pub(crate) fn topic(&self) -> String {
        if self.message.rkt.is_null() {
            return String::new();
        }
        // SAFETY: the topic object lives as long as the message.
        unsafe { text(raw::rd_kafka_topic_name(self.message.rkt)) }
    }
}

/// Called by the library from `rd_kafka_poll` (or flush) for every record.
pub(super) unsafe extern "C" fn delivered(
    _client: *mut raw::rd_kafka_t,
    message: *const raw::rd_kafka_message_t,
    opaque: *mut libc::c_void,
) {
    // SAFETY: the message is valid for the call, and the context as long as the client.
    let (context, message) = unsafe { (super::client::context(opaque), &*message) };
    if let Some(delivered) = &context.delivered {
        delivered(Delivered { message });
    }
}

/// A topic of a producer. Records are produced through it without looking the name up.
pub(crate) struct Topic {
    topic: *mut raw::rd_kafka_topic_t,
    client: Arc<Client>,
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

/// Which partitions the records of one call go to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// Each record says.
    Each,
    /// All to this one, or if absent, to those that their keys choose.
    All(Option<i32>),
}

/// Room for the records of one call; kept between calls.
#[derive(Default)]
pub(crate) struct Scratch {
    messages: Vec<raw::rd_kafka_message_t>,
}

// SAFETY: between calls it is empty memory.
unsafe impl Send for Scratch {}

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
            client: client.clone(),
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

    /// Enqueues plain records (without headers and timestamps), whose groups already count them as pending. Calls
    /// `refused` with the index of each that can never be sent. Returns how many were dealt with: fewer than all if the
    /// queue is full.
    pub(crate) fn produce_plain(
        &self,
        records: &[OutRecord<'_>],
        target: Target,
        scratch: &mut Scratch,
        mut refused: impl FnMut(usize, ErrorCode),
    ) -> usize {
        scratch.messages.clear();
        scratch.messages.extend(records.iter().map(plain));
        let Ok(count) = libc::c_int::try_from(scratch.messages.len()) else {
            return 0;
        };
        let (partition, flags) = match target {
            Target::Each => (-1, raw::MSG_F_COPY | raw::MSG_F_PARTITION),
            Target::All(partition) => (partition.unwrap_or(-1), raw::MSG_F_COPY),
        };
        // SAFETY: `count` messages whose keys and values live for the call, which copies them.
        let good = unsafe {
            let messages = scratch.messages.as_mut_ptr();
            raw::rd_kafka_produce_batch(self.topic, partition, flags, messages, count)
        };
        let mut taken = scratch.messages.len();
        if good != count {
            for (index, message) in scratch.messages.iter().enumerate() {
                match ErrorCode(message.err) {
                    ErrorCode::NONE => {}
                    // A full queue refuses all that follow.
                    ErrorCode::QUEUE_FULL => {
                        taken = index;
                        break;
                    }
                    code => refused(index, code),
                }
            }
        }
        scratch.messages.clear();
        taken
    }

    /// Enqueues one record of any form, whose group already counts it as pending.
    pub(crate) fn produce_one(&self, record: &OutRecord<'_>) -> Result<(), KafkaError> {
        let headers = headers(record.headers)?;
        let arguments = [
            argument(raw::VTYPE_RKT, raw::rd_kafka_vu_value { rkt: self.topic }),
            argument(
                raw::VTYPE_PARTITION,
                raw::rd_kafka_vu_value {
                    int32: record.partition.unwrap_or(-1),
                },
            ),
            argument(raw::VTYPE_MSGFLAGS, raw::rd_kafka_vu_value { int: raw::MSG_F_COPY }),
            argument(raw::VTYPE_KEY, memory(record.key)),
            argument(raw::VTYPE_VALUE, memory(record.value)),
            argument(raw::VTYPE_OPAQUE, raw::rd_kafka_vu_value { ptr: token(record.ack) }),
            // 0 means the time of the call.
            argument(
                raw::VTYPE_TIMESTAMP,
                raw::rd_kafka_vu_value {
                    int64: record.timestamp.unwrap_or(0),
                },
            ),
            argument(raw::VTYPE_HEADERS, raw::rd_kafka_vu_value { headers }),
        ];
        // Null headers are not allowed as an argument, so it stands last and is left out.
        let count = if headers.is_null() {
            arguments.len() - 1
        } else {
            arguments.len()
        };
        // SAFETY: each argument's union holds what its type says; key and value live for the call, which copies them;
        // the headers belong to the library after success.
        unsafe {
            let result = check_error(raw::rd_kafka_produceva(self.client.raw(), arguments.as_ptr(), count));
            if result.is_err() && !headers.is_null() {
                raw::rd_kafka_headers_destroy(headers);
            }
            result
        }
    }
}

/// What travels with a record: its group. Read back by [`Delivered::group`] only.
fn token(group: &Arc<AckGroup>) -> *mut libc::c_void {
    Arc::as_ptr(group).cast_mut().cast()
}

fn plain(record: &OutRecord<'_>) -> raw::rd_kafka_message_t {
    let (payload, len) = parts(record.value);
    let (key, key_len) = parts(record.key);
    raw::rd_kafka_message_t {
        err: 0,
        rkt: std::ptr::null_mut(),
        partition: record.partition.unwrap_or(-1),
        payload,
        len,
        key,
        key_len,
        offset: 0,
        private: token(record.ack),
    }
}

fn parts(bytes: Option<&[u8]>) -> (*mut libc::c_void, usize) {
    match bytes {
        // Empty is not null: a slice's pointer never is.
        Some(bytes) => (bytes.as_ptr().cast_mut().cast(), bytes.len()),
        None => (std::ptr::null_mut(), 0),
    }
}

fn memory(bytes: Option<&[u8]>) -> raw::rd_kafka_vu_value {
    let (pointer, size) = parts(bytes);
    raw::rd_kafka_vu_value {
        mem: raw::rd_kafka_vu_mem { ptr: pointer, size },
    }
}

fn argument(vtype: libc::c_int, value: raw::rd_kafka_vu_value) -> raw::rd_kafka_vu_t {
    raw::rd_kafka_vu_t { vtype, u: value }
}

/// The header list of a record; null if there are none.
fn headers(pairs: &[(&str, Option<&[u8]>)]) -> Result<*mut raw::rd_kafka_headers_t, KafkaError> {
    if pairs.is_empty() {
        return Ok(std::ptr::null_mut());
    }
    // SAFETY: a new list that is ours until it is given away; names and values are copied.
    unsafe {
        let list = raw::rd_kafka_headers_new(pairs.len());
        for (name, value) in pairs {
            let (value, size) = parts(*value);
            let added = check(raw::rd_kafka_header_add(
                list,
                name.as_ptr().cast(),
                name.len().cast_signed(),
                value,
                size.cast_signed(),
            ));
            if let Err(error) = added {
                raw::rd_kafka_headers_destroy(list);
                return Err(error);
            }
        }
        Ok(list)
    }
}

impl Client {
    /// Waits until all records are delivered or failed, serving their reports; `false` if the time was too short.
    pub(crate) fn flush(&self, timeout: Duration) -> bool {
        // SAFETY: the client is alive.
        unsafe { raw::rd_kafka_flush(self.raw(), milliseconds(timeout)) == 0 }
    }

    /// Fails all records that are not delivered; their reports come with the next polls.
    pub(crate) fn purge(&self) {
        // SAFETY: the client is alive.
        unsafe {
            raw::rd_kafka_purge(self.raw(), raw::PURGE_F_QUEUE | raw::PURGE_F_INFLIGHT);
        }
    }

    /// Records and requests that are on their way.
    pub(crate) fn outstanding(&self) -> usize {
        // SAFETY: the client is alive.
        usize::try_from(unsafe { raw::rd_kafka_outq_len(self.raw()) }).unwrap_or(0)
    }

    pub(crate) fn init_transactions(&self, timeout: Duration) -> Result<(), KafkaError> {
        // SAFETY: the client is alive; the error object is ours.
        unsafe { check_error(raw::rd_kafka_init_transactions(self.raw(), milliseconds(timeout))) }
    }

    pub(crate) fn begin_transaction(&self) -> Result<(), KafkaError> {
        // SAFETY: as above.
        unsafe { check_error(raw::rd_kafka_begin_transaction(self.raw())) }
    }

    pub(crate) fn commit_transaction(&self, timeout: Duration) -> Result<(), KafkaError> {
        // SAFETY: as above.
        unsafe { check_error(raw::rd_kafka_commit_transaction(self.raw(), milliseconds(timeout))) }
    }

    pub(crate) fn abort_transaction(&self, timeout: Duration) -> Result<(), KafkaError> {
        // SAFETY: as above.
        unsafe { check_error(raw::rd_kafka_abort_transaction(self.raw(), milliseconds(timeout))) }
    }
}

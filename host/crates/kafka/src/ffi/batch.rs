//! Records in batches, as librdkafka holds them: keys and values are slices of the fetched data.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Duration;

use caisson_model::TopicPartition;

use super::{Client, Queue, milliseconds, raw, text};
use crate::consumer::slot::Slot;
use crate::error::{ConsumerError, ErrorCode, KafkaError};

type RawMessage = NonNull<raw::rd_kafka_message_t>;

/// Records of assigned partitions, in the order in which they were fetched; freed when dropped.
///
/// A batch pins the fetched data that its records point into, so it should not be kept for long.
pub struct Batch {
    messages: Vec<RawMessage>,
    runs: Vec<Span>,
    bytes: usize,
    // Messages must be freed before their client.
    _client: Arc<Client>,
}

/// Successive records of one partition.
struct Span {
    slot: Arc<Slot>,
    epoch: u32,
    /// Where it ends in `messages`; it begins where the one before ends.
    end: usize,
}

/// What to do with some records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Keep,
    Hold,
    Drop,
}

// SAFETY: the batch is the only owner of its messages, and a message has no tie to a thread. It is not `Sync`, because
// reading headers for the first time changes the message.
unsafe impl Send for Batch {}

impl Batch {
    /// Number of records.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Bytes of all keys and values.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Successive records of the same partition, together: cheaper than record by record where the partition matters.
    pub fn runs(&self) -> impl Iterator<Item = Run<'_>> {
        let mut start = 0;
        self.runs.iter().map(move |span| {
            let messages = &self.messages[start..span.end];
            start = span.end;
            Run {
                slot: &span.slot,
                messages,
            }
        })
    }

    /// All records.
    pub fn messages(&self) -> impl Iterator<Item = Message<'_>> {
        self.runs().flat_map(|run| run.messages())
    }

    /// Divides a batch into what is kept and what is held; the rest is freed.
    pub(crate) fn divide(mut self, fate: impl Fn(&Slot, u32) -> Fate) -> (Batch, Batch) {
        if self.runs.iter().all(|span| fate(&span.slot, span.epoch) == Fate::Keep) {
            let held = self.empty_like();
            return (self, held);
        }
        let (mut kept, mut held, mut dropped) = (self.empty_like(), self.empty_like(), self.empty_like());
        let mut start = 0;
        let messages = std::mem::take(&mut self.messages);
        for span in self.runs.drain(..) {
            let target = match fate(&span.slot, span.epoch) {
                Fate::Keep => &mut kept,
                Fate::Hold => &mut held,
                Fate::Drop => &mut dropped,
            };
            for message in &messages[start..span.end] {
                target.bytes += size(*message);
                target.messages.push(*message);
            }
            start = span.end;
            target.runs.push(Span {
                end: target.messages.len(),
                ..span
            });
        }
        (kept, held)
    }

    fn empty_like(&self) -> Batch {
        Batch::empty(self._client.clone())
    }

    fn empty(client: Arc<Client>) -> Batch {
        Batch {
            messages: Vec::new(),
            runs: Vec::new(),
            bytes: 0,
            _client: client,
        }
    }

    /// Says whose the next records are.
    fn begin_run(&mut self, slot: &Arc<Slot>) {
        let epoch = slot.epoch();
        let goes_on = self
            .runs
            .last()
            .is_some_and(|span| Arc::ptr_eq(&span.slot, slot) && span.epoch == epoch);
        if !goes_on {
            self.runs.push(Span {
                slot: slot.clone(),
                epoch,
                end: self.messages.len(),
            });
        }
    }

    /// Adds a record to the last run.
    fn push(&mut self, message: RawMessage, bytes: usize) {
        self.messages.push(message);
        self.bytes += bytes;
        if let Some(span) = self.runs.last_mut() {
            span.end = self.messages.len();
        }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        for message in &self.messages {
            // SAFETY: the batch owns its messages, and they are freed once.
            unsafe { raw::rd_kafka_message_destroy(message.as_ptr()) }
        }
    }
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch")
            .field("records", &self.len())
            .field("bytes", &self.bytes)
            .finish()
    }
}

fn size(message: RawMessage) -> usize {
    // SAFETY: valid until freed by the batch that owns it.
    unsafe { message.as_ref().len + message.as_ref().key_len }
}

/// Successive records of one partition.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    slot: &'a Arc<Slot>,
    messages: &'a [RawMessage],
}

impl<'a> Run<'a> {
    pub fn topic_partition(&self) -> &'a TopicPartition {
        &self.slot.partition
    }

    /// Number of records; never 0.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// The offset after the last record: the position when the run is done.
    pub fn next_offset(&self) -> i64 {
        self.messages().next_back().map_or(0, |message| message.offset() + 1)
    }

    pub fn messages(&self) -> impl DoubleEndedIterator<Item = Message<'a>> + ExactSizeIterator + use<'a> {
        let partition = &self.slot.partition;
        self.messages.iter().map(move |message| Message {
            message: *message,
            partition,
            _batch: PhantomData,
        })
    }
}

/// When a record was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timestamp {
    /// The record has none.
    None,
    /// Milliseconds since 1970, set by the producer.
    Create(i64),
    /// Milliseconds since 1970, set by the broker.
    LogAppend(i64),
}

/// A record, borrowed from its batch.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    message: RawMessage,
    partition: &'a TopicPartition,
    _batch: PhantomData<&'a Batch>,
}

impl<'a> Message<'a> {
    fn raw(&self) -> &'a raw::rd_kafka_message_t {
        // SAFETY: valid while the batch is borrowed.
        unsafe { self.message.as_ref() }
    }

    pub fn topic(&self) -> &'a str {
        &self.partition.topic
    }

    pub fn partition(&self) -> i32 {
        self.partition.partition
    }

    pub fn topic_partition(&self) -> &'a TopicPartition {
        self.partition
    }

    pub fn offset(&self) -> i64 {
        self.raw().offset
    }

    pub fn key(&self) -> Option<&'a [u8]> {
        // SAFETY: the message's key is null, or `key_len` bytes that live as long as the message.
        unsafe { bytes(self.raw().key, self.raw().key_len) }
    }

    pub fn value(&self) -> Option<&'a [u8]> {
        // SAFETY: as for the key.
        unsafe { bytes(self.raw().payload, self.raw().len) }
    }

    pub fn timestamp(&self) -> Timestamp {
        let mut kind = 0;
        // SAFETY: the message is valid.
        let time = unsafe { raw::rd_kafka_message_timestamp(self.message.as_ptr(), &mut kind) };
        match (time, kind) {
            (-1, _) => Timestamp::None,
            (time, 1) => Timestamp::Create(time),
            (time, 2) => Timestamp::LogAppend(time),
            (_, _) => Timestamp::None,
        }
    }

    /// The headers in their order; parsed when asked for the first time. A record without any costs next to nothing.
    pub fn headers(&self) -> Headers<'a> {
        let mut headers = std::ptr::null_mut();
        // SAFETY: the message is valid. This may parse the headers and keep them in the message, which is why a batch
        // is not `Sync`: two threads never do it at once.
        let count = unsafe {
            match raw::rd_kafka_message_headers(self.message.as_ptr(), &mut headers) {
                0 => raw::rd_kafka_header_cnt(headers),
                _ => 0,
            }
        };
        Headers {
            headers,
            next: 0,
            count,
            _batch: PhantomData,
        }
    }
}

/// # Safety
/// `pointer` is null, or `length` bytes are there for `'a`.
unsafe fn bytes<'a>(pointer: *const libc::c_void, length: usize) -> Option<&'a [u8]> {
    // SAFETY: the caller's promise.
    (!pointer.is_null()).then(|| unsafe { std::slice::from_raw_parts(pointer.cast(), length) })
}

/// One header. Names that are not UTF-8 are shown with replacement characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    pub name: Cow<'a, str>,
    pub value: Option<&'a [u8]>,
}

/// The headers of a record.
pub struct Headers<'a> {
    headers: *const raw::rd_kafka_headers_t,
    next: usize,
    count: usize,
    _batch: PhantomData<&'a Batch>,
}

impl<'a> Iterator for Headers<'a> {
    type Item = Header<'a>;

    fn next(&mut self) -> Option<Header<'a>> {
        if self.next == self.count {
            return None;
        }
        let (mut name, mut value, mut length) = (std::ptr::null(), std::ptr::null(), 0);
        // SAFETY: the list belongs to the message, which lives for `'a`; so do names (which end in NUL) and values.
        unsafe {
            let code = raw::rd_kafka_header_get_all(self.headers, self.next, &mut name, &mut value, &mut length);
            if code != 0 || name.is_null() {
                self.next = self.count;
                return None;
            }
            self.next += 1;
            let name = std::ffi::CStr::from_ptr(name).to_string_lossy();
            Some(Header {
                name,
                value: bytes(value, length),
            })
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.count - self.next, Some(self.count - self.next))
    }
}

impl ExactSizeIterator for Headers<'_> {}

/// Reads a private queue into batches. There is one per queue: concurrent batch reads of a consumer are not defined.
pub(crate) struct Reader {
    queue: Arc<Queue>,
    /// Room for one call; empty between calls.
    chunk: Vec<RawMessage>,
    batch: Batch,
    refused: Vec<ConsumerError>,
    /// Ends of partitions that were reached, where the client reports them.
    ends: Vec<(i32, i64)>,
}

// SAFETY: as for `Batch`.
unsafe impl Send for Reader {}

/// When a batch is full.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchLimit {
    pub records: usize,
    pub bytes: usize,
}

/// Records that are read in one call; what may be read beyond the limit of bytes.
const CHUNK: usize = 256;

impl Reader {
    pub(crate) fn new(queue: Arc<Queue>) -> Self {
        let batch = Batch::empty(queue.client().clone());
        Reader {
            queue,
            chunk: Vec::with_capacity(CHUNK),
            batch,
            refused: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// The batch in the making.
    pub(crate) fn batch(&self) -> &Batch {
        &self.batch
    }

    /// Takes the batch, and what came among it and is no record.
    pub(crate) fn take(&mut self) -> Batch {
        let empty = Batch::empty(self.queue.client().clone());
        std::mem::replace(&mut self.batch, empty)
    }

    pub(crate) fn take_refused(&mut self) -> Vec<ConsumerError> {
        std::mem::take(&mut self.refused)
    }

    /// Takes the ends of partitions that were reached (`enable.partition.eof`): the partition, and the offset that its next
    /// record will have at least.
    pub(crate) fn take_ends(&mut self) -> Vec<(i32, i64)> {
        std::mem::take(&mut self.ends)
    }

    /// Reads what is there until the batch is full; if nothing is there, waits for the first record, at most for `wait`.
    /// `find` tells the slot of a partition that is assigned; records of others are freed.
    pub(crate) fn read(
        &mut self,
        limit: BatchLimit,
        wait: Duration,
        find: &mut dyn FnMut(&str, i32) -> Option<Arc<Slot>>,
    ) {
        let mut wait = wait;
        while self.batch.len() < limit.records && self.batch.bytes < limit.bytes {
            let room = CHUNK.min(limit.records - self.batch.len());
            if self.read_chunk(room, Duration::ZERO) == 0 {
                // A batch call waits until it is full or its time is over: so the first record is awaited alone.
                if wait.is_zero() || self.read_chunk(1, wait) == 0 {
                    return;
                }
            }
            wait = Duration::ZERO;
            self.sort(find);
        }
    }

    fn read_chunk(&mut self, room: usize, wait: Duration) -> usize {
        let spare = self.chunk.spare_capacity_mut();
        let room = room.min(spare.len());
        // SAFETY: there is space for `room` pointers (`NonNull` has a pointer's layout); the library writes as many
        // pointers as it returns, none of them null.
        unsafe {
            let target = spare.as_mut_ptr().cast();
            let read = raw::rd_kafka_consume_batch_queue(self.queue.raw(), milliseconds(wait), target, room);
            let read = usize::try_from(read).unwrap_or(0);
            self.chunk.set_len(self.chunk.len() + read);
            read
        }
    }

    /// Moves the chunk into the batch.
    fn sort(&mut self, find: &mut dyn FnMut(&str, i32) -> Option<Arc<Slot>>) {
        // The slot of the last record's partition; a partition is its topic object and its number.
        let mut topic: *const raw::rd_kafka_topic_t = std::ptr::null();
        let mut partition = 0;
        let mut slot: Option<Arc<Slot>> = None;
        for message in self.chunk.drain(..) {
            // SAFETY: read and not handed on, so valid and ours.
            let record = unsafe { message.as_ref() };
            if record.err != 0 {
                // SAFETY: as above; freed after it was looked at.
                unsafe {
                    if record.err == ErrorCode::PARTITION_EOF.0 {
                        self.ends.push((record.partition, record.offset));
                    } else {
                        self.refused.push(refusal(record));
                    }
                    raw::rd_kafka_message_destroy(message.as_ptr());
                }
                continue;
            }
            if topic != record.rkt.cast_const() || partition != record.partition {
                (topic, partition) = (record.rkt, record.partition);
                // SAFETY: a record has a topic object, whose name ends in NUL and lives as long as the record.
                let name = unsafe { std::ffi::CStr::from_ptr(raw::rd_kafka_topic_name(topic)) };
                slot = find(&name.to_string_lossy(), partition);
                if let Some(slot) = &slot {
                    self.batch.begin_run(slot);
                }
            }
            if slot.is_some() {
                self.batch.push(message, record.len + record.key_len);
            } else {
                // SAFETY: nobody wants it; still ours.
                unsafe { raw::rd_kafka_message_destroy(message.as_ptr()) }
            }
        }
    }
}

/// What a message that carries an error says.
///
/// # Safety
/// `message` is valid.
unsafe fn refusal(message: &raw::rd_kafka_message_t) -> ConsumerError {
    let code = ErrorCode(message.err);
    // SAFETY: an error message's payload is its text, `len` bytes; its topic may be null.
    let (reason, partition) = unsafe {
        let reason = bytes(message.payload, message.len).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let partition = (!message.rkt.is_null())
            .then(|| TopicPartition::new(text(raw::rd_kafka_topic_name(message.rkt)), message.partition));
        (reason, partition)
    };
    let error = KafkaError::with_message(code, reason.unwrap_or_else(|| code.description()));
    ConsumerError {
        error,
        partition,
        fatal: code == ErrorCode::AUTO_OFFSET_RESET,
    }
}

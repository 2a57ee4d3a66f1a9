//! Records in batches, as they were fetched: keys and values are slices of the broker's bytes.

use std::borrow::Cow;
use std::sync::Arc;

use caisson_model::TopicPartition;

use super::records::{Entry, Fields, Records};
use crate::consumer::slot::Slot;

/// Records of assigned partitions, in the order in which they were fetched.
///
/// A batch holds the fetched bytes that its records point into, so it should not be kept for long.
#[derive(Default)]
pub struct Batch {
    spans: Vec<Span>,
    records: usize,
    bytes: usize,
}

/// Successive records of one partition, from one answer.
struct Span {
    slot: Arc<Slot>,
    epoch: u32,
    records: Arc<Records>,
    from: usize,
    to: usize,
}

/// When a batch is full.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchLimit {
    pub records: usize,
    pub bytes: usize,
}

/// What to do with some records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Keep,
    Hold,
    Drop,
}

impl Batch {
    /// Number of records.
    pub fn len(&self) -> usize {
        self.records
    }

    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Bytes that its records take, headers and lengths included.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Successive records of the same partition, together: cheaper than record by record where the partition matters.
    pub fn runs(&self) -> impl Iterator<Item = Run<'_>> {
        self.spans.iter().map(|span| Run { span })
    }

    /// All records.
    pub fn messages(&self) -> impl Iterator<Item = Message<'_>> {
        self.runs().flat_map(|run| run.messages())
    }

    pub(crate) fn is_full(&self, limit: BatchLimit) -> bool {
        self.records >= limit.records || self.bytes >= limit.bytes
    }

    /// Takes records from `from` on until the batch is full, at least one if it is not; returns where the rest begins.
    pub(super) fn take(
        &mut self,
        slot: &Arc<Slot>,
        epoch: u32,
        records: &Arc<Records>,
        from: usize,
        limit: BatchLimit,
    ) -> usize {
        let most = limit.records.saturating_sub(self.records).min(records.len() - from);
        let to = records.until(from, most, limit.bytes.saturating_sub(self.bytes));
        self.push(Span {
            slot: slot.clone(),
            epoch,
            records: records.clone(),
            from,
            to,
        });
        to
    }

    fn push(&mut self, span: Span) {
        self.records += span.to - span.from;
        self.bytes += span.records.size(span.from, span.to);
        self.spans.push(span);
    }

    /// Divides a batch into what is kept and what is held; the rest is dropped.
    pub(crate) fn divide(self, fate: impl Fn(&Slot, u32) -> Fate) -> (Batch, Batch) {
        if self.spans.iter().all(|span| fate(&span.slot, span.epoch) == Fate::Keep) {
            return (self, Batch::default());
        }
        let (mut kept, mut held) = (Batch::default(), Batch::default());
        for span in self.spans {
            match fate(&span.slot, span.epoch) {
                Fate::Keep => kept.push(span),
                Fate::Hold => held.push(span),
                Fate::Drop => {}
            }
        }
        (kept, held)
    }
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch")
            .field("records", &self.records)
            .field("bytes", &self.bytes)
            .finish()
    }
}

/// Successive records of one partition.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    span: &'a Span,
}

impl<'a> Run<'a> {
    pub fn topic_partition(&self) -> &'a TopicPartition {
        &self.span.slot.partition
    }

    /// Number of records; never 0.
    pub fn len(&self) -> usize {
        self.span.to - self.span.from
    }

    pub fn is_empty(&self) -> bool {
        self.span.to == self.span.from
    }

    /// The offset after the last record: the position when the run is done.
    pub fn next_offset(&self) -> i64 {
        self.messages().next_back().map_or(0, |message| message.offset() + 1)
    }

    pub fn messages(&self) -> impl DoubleEndedIterator<Item = Message<'a>> + ExactSizeIterator + use<'a> {
        let span = self.span;
        let bytes = span.records.bytes();
        span.records.entries()[span.from..span.to]
            .iter()
            .map(move |entry| Message { entry, bytes, span })
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
    entry: &'a Entry,
    bytes: &'a [u8],
    span: &'a Span,
}

impl<'a> Message<'a> {
    pub fn topic(&self) -> &'a str {
        &self.topic_partition().topic
    }

    pub fn partition(&self) -> i32 {
        self.topic_partition().partition
    }

    pub fn topic_partition(&self) -> &'a TopicPartition {
        &self.span.slot.partition
    }

    pub fn offset(&self) -> i64 {
        self.entry.offset
    }

    pub fn key(&self) -> Option<&'a [u8]> {
        self.entry.key(self.bytes)
    }

    pub fn value(&self) -> Option<&'a [u8]> {
        self.entry.value(self.bytes)
    }

    pub fn timestamp(&self) -> Timestamp {
        match self.entry.timestamp {
            // What a producer without a clock writes.
            -1 => Timestamp::None,
            time if self.span.records.is_append_time() => Timestamp::LogAppend(time),
            time => Timestamp::Create(time),
        }
    }

    /// The headers in their order; read when they are asked for. A record without any costs next to nothing.
    pub fn headers(&self) -> Headers<'a> {
        let (fields, count) = self.entry.headers(self.bytes);
        Headers { fields, left: count }
    }
}

/// One header. Names that are not UTF-8 are shown with replacement characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    pub name: Cow<'a, str>,
    pub value: Option<&'a [u8]>,
}

/// The headers of a record.
pub struct Headers<'a> {
    fields: Fields<'a>,
    left: usize,
}

impl<'a> Iterator for Headers<'a> {
    type Item = Header<'a>;

    fn next(&mut self) -> Option<Header<'a>> {
        self.left = self.left.checked_sub(1)?;
        // That they can be read was seen when the record arrived.
        let name = self.fields.field().ok()??;
        let value = self.fields.field().ok()?;
        Some(Header {
            name: String::from_utf8_lossy(name),
            value,
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Headers<'_> {}

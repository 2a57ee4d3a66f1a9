//! Record batches of message format v2 (KIP-98), read: a place for each record, and nothing copied unless it was compressed.

use std::ops::Range;
use std::sync::Arc;

use super::budget::{Budget, Buffer};
use crate::compression;
use crate::error::{ErrorCode, KafkaError};

/// Bytes before the first record of a batch.
const HEADER: usize = 61;
/// Bytes that a batch's length does not count.
const UNCOUNTED: usize = 12;
/// Where the checksummed part begins.
const CHECKED: usize = 21;
/// What a batch may unpack to. Brokers take no batch near this size.
const UNPACKED: usize = 512 << 20;
/// After how many unpacked bytes the rest of an answer is left for the next one.
const ENOUGH: usize = 32 << 20;
/// Places that are made at once.
const RESERVED: usize = 64 << 10;
/// The fewest bytes that a record takes.
const SMALLEST: usize = 7;

/// How a partition's bytes are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading<'a> {
    /// Records before it are left out: batches are sent whole.
    pub wanted: i64,
    pub check_crcs: bool,
    /// Producer id and first offset of transactions that came to nothing, by that offset; given if only committed records
    /// are wanted.
    pub aborted: &'a [(i64, i64)],
}

/// What was read of a partition.
pub(super) struct Decoded {
    pub records: Vec<Records>,
    /// Where to go on.
    pub next: i64,
}

/// Records of one partition with one kind of time.
pub(super) struct Records {
    buffer: Arc<Buffer>,
    entries: Vec<Entry>,
    append_time: bool,
}

/// Where a record's parts are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub offset: i64,
    pub timestamp: i64,
    key_at: u32,
    value_at: u32,
    headers_at: u32,
    /// -1 for none.
    key_length: i32,
    value_length: i32,
}

impl Records {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer.bytes()
    }

    /// Whether the broker, not the producer, set the times.
    pub(super) fn is_append_time(&self) -> bool {
        self.append_time
    }

    /// Bytes between the begin of one record and the end of another.
    pub(super) fn size(&self, from: usize, to: usize) -> usize {
        match (
            self.entries.get(from),
            to.checked_sub(1).and_then(|last| self.entries.get(last)),
        ) {
            (Some(first), Some(last)) => last.headers_at.saturating_sub(first.key_at) as usize,
            _ => 0,
        }
    }

    /// The end of as many records as are at most `most` and reach `bytes`; at least one.
    pub(super) fn until(&self, from: usize, most: usize, bytes: usize) -> usize {
        let candidates = &self.entries[from..from + most];
        let Some(first) = candidates.first() else { return from };
        let end = u32::try_from(bytes).unwrap_or(u32::MAX).saturating_add(first.key_at);
        let below = candidates.partition_point(|entry| entry.headers_at < end);
        // The one that crosses the limit belongs to it.
        from + (below + 1).min(most)
    }
}

impl Entry {
    pub(super) fn key<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        slice(bytes, self.key_at, self.key_length)
    }

    pub(super) fn value<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        slice(bytes, self.value_at, self.value_length)
    }

    /// The headers' fields, and how many headers there are.
    pub(super) fn headers<'a>(&self, bytes: &'a [u8]) -> (Fields<'a>, usize) {
        let mut fields = Fields {
            bytes,
            at: self.headers_at as usize,
        };
        let count = fields.varint().ok().and_then(|count| usize::try_from(count).ok());
        (fields, count.unwrap_or(0))
    }
}

fn slice(bytes: &[u8], at: u32, length: i32) -> Option<&[u8]> {
    let length = usize::try_from(length).ok()?;
    bytes.get(at as usize..at as usize + length)
}

/// Reads varints and fields of records.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    #[inline]
    fn byte(&mut self) -> Result<u8, KafkaError> {
        let byte = *self
            .bytes
            .get(self.at)
            .ok_or_else(|| corrupt("a record ends too early"))?;
        self.at += 1;
        Ok(byte)
    }

    /// A number, small ones of either sign in few bytes.
    #[inline]
    fn varint(&mut self) -> Result<i64, KafkaError> {
        let first = self.byte()?;
        if first & 0x80 == 0 {
            return Ok(unzigzag(u64::from(first)));
        }
        let mut value = u64::from(first & 0x7f);
        for shift in (7..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(unzigzag(value));
            }
        }
        Err(corrupt("a number is too long"))
    }

    /// The place and length of a field; a length of -1 says that there is none.
    #[inline]
    fn place(&mut self) -> Result<(u32, i32), KafkaError> {
        let length = self.varint()?;
        let at = self.at;
        if length < 0 {
            return Ok((at as u32, -1));
        }
        let end = usize::try_from(length)
            .ok()
            .and_then(|length| at.checked_add(length))
            .filter(|end| *end <= self.bytes.len())
            .ok_or_else(|| corrupt("a field is longer than its record"))?;
        self.at = end;
        Ok((at as u32, length as i32))
    }

    pub(super) fn field(&mut self) -> Result<Option<&'a [u8]>, KafkaError> {
        let (at, length) = self.place()?;
        Ok(slice(self.bytes, at, length))
    }
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

/// Reads what a broker sent of one partition: `range` of the answer's bytes.
pub(super) fn decode(
    answer: &Arc<Buffer>,
    range: Range<usize>,
    reading: Reading<'_>,
    budget: &Arc<Budget>,
) -> Result<Decoded, KafkaError> {
    let mut decoder = Decoder {
        reading,
        next: reading.wanted,
        waiting: reading.aborted,
        aborted: Vec::new(),
        pieces: Vec::new(),
        unpacked: Vec::new(),
    };
    let mut at = range.start;
    while let Some(length) = batch_length(&answer.bytes()[at..range.end])? {
        decoder.batch(answer.bytes(), at..at + length)?;
        at += length;
        if decoder.unpacked.len() >= ENOUGH {
            break;
        }
    }
    let unpacked = (!decoder.unpacked.is_empty()).then(|| budget.hold(std::mem::take(&mut decoder.unpacked)));
    let records = decoder.pieces.into_iter().filter_map(|piece| {
        let buffer = if piece.is_unpacked { unpacked.as_ref()? } else { answer };
        (!piece.entries.is_empty()).then(|| Records {
            buffer: buffer.clone(),
            entries: piece.entries,
            append_time: piece.append_time,
        })
    });
    Ok(Decoded {
        records: records.collect(),
        next: decoder.next,
    })
}

/// The length of the batch at the beginning; none if it is not whole: brokers cut off the last one.
fn batch_length(bytes: &[u8]) -> Result<Option<usize>, KafkaError> {
    let Some(head) = bytes.get(..UNCOUNTED + 5) else {
        return Ok(None);
    };
    let magic = head[16];
    if magic != 2 {
        return Err(KafkaError::with_message(
            ErrorCode::UNSUPPORTED_FEATURE,
            format!(
                "records of message format v{magic}, which producers before Kafka 0.11 wrote, cannot be read: copy the topic \
                 by a consumer and a producer of Kafka 3, which write format v2"
            ),
        ));
    }
    let length = usize::try_from(be_i32(bytes, 8)).map_err(|_| corrupt("the length of a batch is negative"))?;
    let whole = length + UNCOUNTED;
    if whole < HEADER {
        return Err(corrupt("a batch is shorter than its head"));
    }
    Ok((whole <= bytes.len()).then_some(whole))
}

/// Entries that point into the same bytes.
struct Piece {
    is_unpacked: bool,
    append_time: bool,
    entries: Vec<Entry>,
}

struct Decoder<'a> {
    reading: Reading<'a>,
    next: i64,
    /// Aborted transactions that begin further on.
    waiting: &'a [(i64, i64)],
    /// Producers in the midst of one.
    aborted: Vec<i64>,
    pieces: Vec<Piece>,
    /// Records that were compressed.
    unpacked: Vec<u8>,
}

impl Decoder<'_> {
    fn batch(&mut self, answer: &[u8], range: Range<usize>) -> Result<(), KafkaError> {
        let bytes = &answer[range.clone()];
        let base = be_i64(bytes, 0);
        let last = base
            .checked_add(i64::from(be_i32(bytes, 23)))
            .filter(|last| *last >= base)
            .ok_or_else(|| corrupt("offsets run backwards"))?;
        if self.reading.check_crcs && crc32c::crc32c(&bytes[CHECKED..]) != be_i32(bytes, 17).cast_unsigned() {
            return Err(corrupt(&format!("the checksum of the batch at offset {base} is wrong")));
        }
        let attributes = i16::from_be_bytes([bytes[21], bytes[22]]);
        let is_control = attributes & 0x20 != 0;
        if last < self.next {
            return Ok(());
        }
        self.next = last.saturating_add(1);
        if self.is_aborted(bytes, last, attributes)? || is_control {
            return Ok(());
        }
        let append_time = attributes & 0x08 != 0;
        let compression = attributes & 0x07;
        let count = usize::try_from(be_i32(bytes, 57)).map_err(|_| corrupt("a batch has less than no records"))?;
        let times = Times {
            base_offset: base,
            base: be_i64(bytes, 27),
            append: append_time.then(|| be_i64(bytes, 35)),
        };
        let wanted = self.reading.wanted;
        if compression == 0 {
            let records = &answer[..range.end];
            let from = range.start + HEADER;
            let entries = self.piece(false, append_time, count.min(bytes.len() / SMALLEST));
            return read(records, from, count, &times, wanted, entries);
        }
        let from = self.unpacked.len();
        compression::decompress(compression, &bytes[HEADER..], &mut self.unpacked, UNPACKED)
            .map_err(|error| corrupt(&format!("the batch at offset {base} cannot be unpacked: {error}")))?;
        let unpacked = std::mem::take(&mut self.unpacked);
        let most = count.min((unpacked.len() - from) / SMALLEST);
        let entries = self.piece(true, append_time, most);
        let result = read(&unpacked, from, count, &times, wanted, entries);
        self.unpacked = unpacked;
        result
    }

    /// Whether the batch belongs to a transaction that came to nothing. Keeps account of where these begin and end.
    fn is_aborted(&mut self, bytes: &[u8], last: i64, attributes: i16) -> Result<bool, KafkaError> {
        let producer = be_i64(bytes, 43);
        while let Some(((other, first), rest)) = self.waiting.split_first()
            && *first <= last
        {
            self.aborted.push(*other);
            self.waiting = rest;
        }
        if attributes & 0x20 != 0 {
            if is_abort(bytes)? {
                self.aborted.retain(|aborted| *aborted != producer);
            }
            return Ok(true);
        }
        let is_transactional = attributes & 0x10 != 0;
        Ok(is_transactional && self.aborted.contains(&producer))
    }

    /// The entries to add to.
    fn piece(&mut self, is_unpacked: bool, append_time: bool, more: usize) -> &mut Vec<Entry> {
        let fits = |piece: &Piece| piece.is_unpacked == is_unpacked && piece.append_time == append_time;
        if !self.pieces.last().is_some_and(fits) {
            self.pieces.push(Piece {
                is_unpacked,
                append_time,
                entries: Vec::new(),
            });
        }
        let last = self.pieces.len() - 1;
        let entries = &mut self.pieces[last].entries;
        // What a batch claims to hold is believed up to here.
        entries.reserve(more.min(RESERVED));
        entries
    }
}

/// Whether a control batch ends a transaction without effect: its record's key is a version and a type, 0 for abort.
fn is_abort(bytes: &[u8]) -> Result<bool, KafkaError> {
    let mut fields = Fields { bytes, at: HEADER };
    let _length = fields.varint()?;
    let _attributes = fields.byte()?;
    let (_time, _offset) = (fields.varint()?, fields.varint()?);
    let key = fields.field()?.unwrap_or_default();
    Ok(key.get(2..4) == Some(&[0, 0]))
}

/// What a batch's head says of the records' offsets and times.
struct Times {
    base_offset: i64,
    base: i64,
    /// The time of all records, if the broker set it.
    append: Option<i64>,
}

/// Reads the records of a batch, which must end where the bytes do.
fn read(
    bytes: &[u8],
    from: usize,
    count: usize,
    times: &Times,
    wanted: i64,
    entries: &mut Vec<Entry>,
) -> Result<(), KafkaError> {
    let mut fields = Fields { bytes, at: from };
    for _ in 0..count {
        let length = fields.varint()?;
        let end = usize::try_from(length)
            .ok()
            .and_then(|length| fields.at.checked_add(length))
            .filter(|end| *end <= bytes.len())
            .ok_or_else(|| corrupt("a record is longer than its batch"))?;
        let mut record = Fields {
            bytes: &bytes[..end],
            at: fields.at,
        };
        let _attributes = record.byte()?;
        let timestamp = times.base.wrapping_add(record.varint()?);
        let offset = times.base_offset.wrapping_add(record.varint()?);
        let (key_at, key_length) = record.place()?;
        let (value_at, value_length) = record.place()?;
        let headers_at = record.at as u32;
        skip_headers(&mut record)?;
        if record.at != end {
            return Err(corrupt("a record is longer than its parts"));
        }
        fields.at = end;
        if offset >= wanted {
            entries.push(Entry {
                offset,
                timestamp: times.append.unwrap_or(timestamp),
                key_at,
                value_at,
                headers_at,
                key_length,
                value_length,
            });
        }
    }
    if fields.at != bytes.len() {
        return Err(corrupt("a batch is longer than its records"));
    }
    Ok(())
}

#[inline]
fn skip_headers(record: &mut Fields<'_>) -> Result<(), KafkaError> {
    let count = record.varint()?;
    if count < 0 {
        return Err(corrupt("a record has less than no headers"));
    }
    for _ in 0..count {
        if record.place()?.1 < 0 {
            return Err(corrupt("a header has no name"));
        }
        record.place()?;
    }
    Ok(())
}

fn be_i32(bytes: &[u8], at: usize) -> i32 {
    bytes[at..].first_chunk().map_or(0, |bytes| i32::from_be_bytes(*bytes))
}

fn be_i64(bytes: &[u8], at: usize) -> i64 {
    bytes[at..].first_chunk().map_or(0, |bytes| i64::from_be_bytes(*bytes))
}

fn corrupt(what: &str) -> KafkaError {
    KafkaError::with_message(ErrorCode::BAD_MESSAGE, format!("records cannot be read: {what}"))
}

#[cfg(test)]
mod tests;

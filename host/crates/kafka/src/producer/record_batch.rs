//! The bytes of a record batch, Kafka's message format v2 (KIP-98): a header of 61 bytes and the records, which are
//! written once, where they will be sent from.

use crate::compression::Compression;

/// Bytes before the first record.
pub(crate) const HEADER: usize = 61;
/// Where the part begins that the checksum covers: the attributes.
const CHECKED: usize = 21;
/// Bytes of the header that `batchLength` does not count.
const UNCOUNTED: usize = 12;

/// A record's parts.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a> {
    /// Milliseconds since 1970.
    pub timestamp: i64,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub headers: &'a [(&'a str, Option<&'a [u8]>)],
}

/// Who sent a batch, for the broker to tell a repetition from a new batch (KIP-98).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub id: i64,
    pub epoch: i16,
}

impl Identity {
    /// Of a producer that is not idempotent.
    pub(crate) const NONE: Identity = Identity { id: -1, epoch: -1 };
}

/// A batch that still takes records.
pub(crate) struct BatchBuilder {
    bytes: Vec<u8>,
    records: i32,
    base_timestamp: i64,
    max_timestamp: i64,
}

impl BatchBuilder {
    /// Builds in the memory of `buffer`, whose content is dropped.
    pub(crate) fn new(mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        buffer.resize(HEADER, 0);
        BatchBuilder {
            bytes: buffer,
            records: 0,
            base_timestamp: 0,
            max_timestamp: 0,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Bytes so far, header included.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Adds a record that fits: see [`largest_size`].
    pub(crate) fn push(&mut self, record: &Parts<'_>) {
        if self.records == 0 {
            self.base_timestamp = record.timestamp;
            self.max_timestamp = record.timestamp;
        }
        self.max_timestamp = self.max_timestamp.max(record.timestamp);
        let timestamp_delta = record.timestamp.wrapping_sub(self.base_timestamp);
        let body = 1
            + varint_len(zigzag(timestamp_delta))
            + varint_len(zigzag(i64::from(self.records)))
            + field_len(record.key)
            + field_len(record.value)
            + headers_len(record.headers);
        let bytes = &mut self.bytes;
        bytes.reserve(body + 5);
        write_varint(bytes, zigzag(body as i64));
        // No record has attributes in this format.
        bytes.push(0);
        write_varint(bytes, zigzag(timestamp_delta));
        write_varint(bytes, zigzag(i64::from(self.records)));
        write_field(bytes, record.key);
        write_field(bytes, record.value);
        write_varint(bytes, zigzag(record.headers.len() as i64));
        for (name, value) in record.headers {
            write_field(bytes, Some(name.as_bytes()));
            write_field(bytes, *value);
        }
        self.records += 1;
    }

    /// The finished batch, compressed, without sender and checksum: [`RecordBatch::stamp`] adds them.
    pub(crate) fn seal(self, compression: Compression) -> RecordBatch {
        let mut bytes = self.bytes;
        // Records that would only grow stay as they are.
        let compressed = compression
            .compress(&bytes[HEADER..])
            .filter(|records| records.len() < bytes.len() - HEADER);
        let mut raw = None;
        if let Some(records) = &compressed {
            let mut shorter = Vec::with_capacity(HEADER + records.len());
            shorter.extend_from_slice(&bytes[..HEADER]);
            shorter.extend_from_slice(records);
            raw = Some(std::mem::replace(&mut bytes, shorter));
        }
        let attributes = if compressed.is_some() {
            compression.attribute()
        } else {
            0
        };
        let length = i32::try_from(bytes.len() - UNCOUNTED).unwrap_or(i32::MAX);
        put(&mut bytes, 8, &length.to_be_bytes());
        put(&mut bytes, 12, &(-1_i32).to_be_bytes());
        bytes[16] = 2;
        put(&mut bytes, 21, &attributes.to_be_bytes());
        put(&mut bytes, 23, &(self.records - 1).to_be_bytes());
        put(&mut bytes, 27, &self.base_timestamp.to_be_bytes());
        put(&mut bytes, 35, &self.max_timestamp.to_be_bytes());
        put(&mut bytes, 57, &self.records.to_be_bytes());
        RecordBatch {
            bytes,
            raw,
            records: self.records,
            base_timestamp: self.base_timestamp,
        }
    }
}

/// A batch that can be sent.
pub(crate) struct RecordBatch {
    bytes: Vec<u8>,
    /// The batch before it was compressed, if it was: it may have to be split.
    raw: Option<Vec<u8>>,
    records: i32,
    base_timestamp: i64,
}

/// A record, as it is read back from its batch.
pub(crate) struct Written<'a> {
    timestamp: i64,
    key: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
    headers: Vec<(&'a str, Option<&'a [u8]>)>,
}

impl Written<'_> {
    pub(crate) fn as_parts(&self) -> Parts<'_> {
        Parts {
            timestamp: self.timestamp,
            key: self.key,
            value: self.value,
            headers: &self.headers,
        }
    }
}

impl RecordBatch {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn records(&self) -> i32 {
        self.records
    }

    /// Says who sends it, its place in the sequence of that sender's records of the partition, and whether it belongs to
    /// a transaction.
    pub(crate) fn stamp(&mut self, identity: Identity, sequence: i32, transactional: bool) {
        const TRANSACTIONAL: u8 = 0x10;
        let bytes = &mut self.bytes;
        bytes[22] = (bytes[22] & !TRANSACTIONAL) | if transactional { TRANSACTIONAL } else { 0 };
        put(bytes, 43, &identity.id.to_be_bytes());
        put(bytes, 51, &identity.epoch.to_be_bytes());
        put(bytes, 53, &sequence.to_be_bytes());
        let checksum = crc32c::crc32c(&bytes[CHECKED..]);
        put(bytes, 17, &checksum.to_be_bytes());
    }

    /// The records, read back. What [`BatchBuilder::push`] wrote can be read.
    pub(crate) fn read(&self) -> Option<Vec<Written<'_>>> {
        let mut rest = &self.raw.as_ref().unwrap_or(&self.bytes)[HEADER..];
        (0..self.records)
            .map(|_| {
                let _length = read_varint(&mut rest)?;
                let (_attributes, after) = rest.split_first()?;
                rest = after;
                let timestamp = self.base_timestamp.wrapping_add(read_varint(&mut rest)?);
                let _place = read_varint(&mut rest)?;
                let (key, value) = (read_field(&mut rest)?, read_field(&mut rest)?);
                let count = read_varint(&mut rest)?;
                let header = |rest: &mut _| Some((std::str::from_utf8(read_field(rest)??).ok()?, read_field(rest)?));
                let headers = (0..count).map(|_| header(&mut rest)).collect::<Option<_>>()?;
                Some(Written {
                    timestamp,
                    key,
                    value,
                    headers,
                })
            })
            .collect()
    }

    /// Its memory, for the next one.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.raw.unwrap_or(self.bytes)
    }
}

fn read_varint(bytes: &mut &[u8]) -> Option<i64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
        }
    }
    None
}

/// The outer absence is a fault, the inner one a field that is none.
fn read_field<'a>(bytes: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let Ok(length) = usize::try_from(read_varint(bytes)?) else {
        return Some(None);
    };
    let (field, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(Some(field))
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

/// The most bytes that a record takes in a batch, whatever its place.
pub(crate) fn largest_size(record: &Parts<'_>) -> usize {
    // Length 5, attributes 1, time 10, place 5.
    21 + field_len(record.key) + field_len(record.value) + headers_len(record.headers)
}

fn headers_len(headers: &[(&str, Option<&[u8]>)]) -> usize {
    let each = headers
        .iter()
        .map(|(name, value)| field_len(Some(name.as_bytes())) + field_len(*value));
    varint_len(zigzag(headers.len() as i64)) + each.sum::<usize>()
}

fn field_len(field: Option<&[u8]>) -> usize {
    match field {
        Some(bytes) => varint_len(zigzag(bytes.len() as i64)) + bytes.len(),
        None => 1,
    }
}

fn write_field(bytes: &mut Vec<u8>, field: Option<&[u8]>) {
    match field {
        Some(field) => {
            write_varint(bytes, zigzag(field.len() as i64));
            bytes.extend_from_slice(field);
        }
        // -1 says that there is none.
        None => bytes.push(1),
    }
}

/// Small numbers of either sign as small numbers without sign.
fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

fn varint_len(value: u64) -> usize {
    // Seven bits to the byte; zero takes one too.
    (63 - (value | 1).leading_zeros() as usize) / 7 + 1
}

fn write_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record<'a>(key: Option<&'a [u8]>, value: Option<&'a [u8]>, timestamp: i64) -> Parts<'a> {
        Parts {
            timestamp,
            key,
            value,
            headers: &[],
        }
    }

    #[test]
    fn numbers_take_as_many_bytes_as_announced() {
        for value in [0, 1, 63, 64, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX] {
            let mut bytes = Vec::new();
            write_varint(&mut bytes, value);
            assert_eq!(bytes.len(), varint_len(value), "{value}");
        }
        assert_eq!(
            (zigzag(0), zigzag(-1), zigzag(1), zigzag(i64::MIN)),
            (0, 1, 2, u64::MAX)
        );
    }

    #[test]
    fn a_batch_has_kafkas_bytes() {
        let mut builder = BatchBuilder::new(vec![9; 7]);
        builder.push(&record(Some(b"k"), Some(b"hello"), 1000));
        builder.push(&Parts {
            headers: &[("h", Some(b"1")), ("n", None)],
            ..record(None, None, 990)
        });
        let mut batch = builder.seal(Compression::None);
        batch.stamp(Identity { id: 7, epoch: 1 }, 5, false);
        let bytes = batch.bytes();
        let mut records = vec![24, 0, 0, 0, 2, b'k', 10];
        records.extend_from_slice(b"hello\0");
        records.extend_from_slice(&[26, 0, 19, 2, 1, 1, 4, 2, b'h', 2, b'1', 2, b'n', 1]);
        assert_eq!(&bytes[HEADER..], &records);
        assert_eq!(bytes[..8], [0; 8]);
        assert_eq!(bytes[8..12], (bytes.len() as i32 - 12).to_be_bytes());
        assert_eq!(bytes[12..17], [255, 255, 255, 255, 2]);
        assert_eq!(bytes[17..21], crc32c::crc32c(&bytes[21..]).to_be_bytes());
        assert_eq!(bytes[21..27], [0, 0, 0, 0, 0, 1]);
        assert_eq!(bytes[27..35], 1000_i64.to_be_bytes());
        assert_eq!(bytes[35..43], 1000_i64.to_be_bytes());
        assert_eq!(bytes[43..51], 7_i64.to_be_bytes());
        assert_eq!(bytes[51..53], [0, 1]);
        assert_eq!(bytes[53..61], [0, 0, 0, 5, 0, 0, 0, 2]);
    }

    #[test]
    fn what_was_written_can_be_read_back_however_it_is_compressed() {
        let kinds = [
            Compression::None,
            Compression::Gzip(6),
            Compression::Snappy,
            Compression::Lz4,
            Compression::Zstd(3),
        ];
        for compression in kinds {
            let mut builder = BatchBuilder::new(Vec::new());
            let headers: &[(&str, Option<&[u8]>)] = &[("h", Some(b"1")), ("n", None)];
            for number in 0..500_i64 {
                builder.push(&Parts {
                    headers,
                    ..record(
                        (number % 2 == 0).then_some(b"key"),
                        Some(b"a value that repeats"),
                        5 - number,
                    )
                });
            }
            let plain = builder.len();
            let batch = builder.seal(compression);
            let smaller = batch.bytes().len() < plain / 2;
            assert_eq!(smaller, compression != Compression::None, "{compression:?}");
            let read = batch.read().unwrap();
            assert_eq!(read.len(), 500);
            for (number, written) in (0_i64..).zip(&read) {
                assert_eq!(written.timestamp, 5 - number);
                assert_eq!(written.key, (number % 2 == 0).then_some(&b"key"[..]));
                assert_eq!(
                    (written.value, &*written.headers),
                    (Some(&b"a value that repeats"[..]), headers)
                );
            }
        }
    }

    #[test]
    fn what_a_record_takes_is_bounded_by_what_was_said() {
        let value = vec![1; 300];
        let parts = Parts {
            headers: &[("name", Some(b"value"))],
            ..record(Some(b"key"), Some(&value), i64::MAX)
        };
        let mut builder = BatchBuilder::new(Vec::new());
        builder.push(&record(None, None, i64::MIN));
        let before = builder.len();
        builder.push(&parts);
        assert!(builder.len() - before <= largest_size(&parts));
    }
}

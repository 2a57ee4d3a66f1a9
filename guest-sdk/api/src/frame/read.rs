//! Reading a frame.

use std::iter::FusedIterator;

use super::table::{self, Cursor};
use super::{
    Boundary, ENTRY, Encoding, Encodings, FrameError, HEADER, MAGIC, MAX_FRAME, MAX_PARTITIONS, MAX_STRINGS,
    NO_PARTITION, NO_SCHEMA, SOURCE_ENTRY, SourceCoordinates, Timestamp,
};

/// A frame that has been validated as a whole: whatever it hands out needs no further check.
#[derive(Clone, Debug)]
pub struct Frame<'a> {
    /// The record entries.
    entries: &'a [u8],
    entry_size: usize,
    data: &'a [u8],
    encodings: Encodings,
    boundary: Boundary,
    strings: Vec<&'a str>,
    schemas: Vec<(u64, &'a str)>,
    partitions: Vec<&'a str>,
}

/// One record of a frame.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    pub timestamp: Timestamp,
    pub offset: Option<i64>,
    pub partition: Option<i32>,
    pub origin: u32,
    pub topic_index: u16,
    pub topic: &'a str,
    pub boundary: Boundary,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    /// Index in the schema table.
    pub key_schema: Option<u16>,
    pub value_schema: Option<u16>,
    pub headers: Headers<'a>,
    /// Only in frames of sources.
    pub source: Option<SourceCoordinates<'a>>,
}

/// One header of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderEntry<'a> {
    pub name: &'a str,
    pub schema: Option<u16>,
    pub value: Option<&'a [u8]>,
}

/// The numbers of one record entry, unchecked.
struct Raw {
    timestamp: i64,
    offset: i64,
    partition: i32,
    origin: u32,
    topic: u16,
    attributes: u16,
    key_schema: u16,
    value_schema: u16,
    start: u32,
    key: i32,
    value: i32,
    headers: u32,
    /// Partition, start and length of the offset text.
    source: Option<(u32, u32, u32)>,
}

impl Raw {
    #[inline]
    fn read(entry: &[u8]) -> Option<Raw> {
        let e = entry.first_chunk::<ENTRY>()?;
        let source = entry.first_chunk::<SOURCE_ENTRY>().and_then(|e| {
            let partition = u32_at(e, 48);
            (partition != NO_PARTITION).then(|| (partition, u32_at(e, 52), u32_at(e, 56)))
        });
        Some(Raw {
            timestamp: i64_at(e, 0),
            offset: i64_at(e, 8),
            partition: u32_at(e, 16) as i32,
            origin: u32_at(e, 20),
            topic: u16_at(e, 24),
            attributes: u16_at(e, 26),
            key_schema: u16_at(e, 28),
            value_schema: u16_at(e, 30),
            start: u32_at(e, 32),
            key: u32_at(e, 36) as i32,
            value: u32_at(e, 40) as i32,
            headers: u32_at(e, 44),
            source,
        })
    }
}

#[inline(always)]
fn u16_at<const N: usize>(e: &[u8; N], at: usize) -> u16 {
    u16::from_le_bytes([e[at], e[at + 1]])
}

#[inline(always)]
fn u32_at<const N: usize>(e: &[u8; N], at: usize) -> u32 {
    u32::from_le_bytes([e[at], e[at + 1], e[at + 2], e[at + 3]])
}

#[inline(always)]
fn i64_at<const N: usize>(e: &[u8; N], at: usize) -> i64 {
    (u64::from(u32_at(e, at)) | u64::from(u32_at(e, at + 4)) << 32) as i64
}

/// The header of the frame, after its own checks.
struct Head {
    count: usize,
    entry_size: usize,
    boundary: Boundary,
    encodings: Encodings,
    strings: usize,
    schemas: usize,
    partitions: usize,
    data: usize,
}

impl Head {
    fn read(bytes: &[u8]) -> Result<Head, FrameError> {
        let h = bytes.first_chunk::<HEADER>().ok_or(FrameError::Short(bytes.len()))?;
        if h[..4] != MAGIC {
            return Err(FrameError::Magic);
        }
        if bytes.len() > MAX_FRAME {
            return Err(FrameError::TooLarge(bytes.len()));
        }
        let said = u32_at(h, 4);
        if said as usize != bytes.len() {
            return Err(FrameError::Length {
                said,
                found: bytes.len(),
            });
        }
        let entry_size = u16_at(h, 12);
        if usize::from(entry_size) < ENTRY || !entry_size.is_multiple_of(8) {
            return Err(FrameError::EntrySize(entry_size));
        }
        if let Some(at) = [15, 19, 36, 37, 38, 39].into_iter().find(|at| h[*at] != 0) {
            return Err(FrameError::Reserved(at));
        }
        let column =
            |at: usize, column| Encoding::from_byte(h[at]).ok_or(FrameError::Encoding { column, found: h[at] });
        Ok(Head {
            count: u32_at(h, 8) as usize,
            entry_size: entry_size.into(),
            boundary: Boundary::from_bits(h[14].into()).ok_or(FrameError::Flags(h[14]))?,
            encodings: Encodings {
                key: column(16, "keys")?,
                value: column(17, "values")?,
                headers: column(18, "headers")?,
            },
            strings: u32_at(h, 20) as usize,
            schemas: u32_at(h, 24) as usize,
            partitions: u32_at(h, 28) as usize,
            data: u32_at(h, 32) as usize,
        })
    }
}

fn text<'a>(bytes: &'a [u8], table: &'static str) -> Result<&'a str, FrameError> {
    std::str::from_utf8(bytes).map_err(|_| FrameError::TableText(table))
}

impl<'a> Frame<'a> {
    /// Validates a frame. An empty slice is an empty batch.
    pub fn parse(bytes: &'a [u8]) -> Result<Frame<'a>, FrameError> {
        if bytes.is_empty() {
            return Ok(Frame::empty());
        }
        let head = Head::read(bytes)?;
        // At most 2^32 entries of 2^16 bytes: cannot overflow 64 bits, but could overflow the 32 of a guest.
        let end = head
            .count
            .checked_mul(head.entry_size)
            .and_then(|n| n.checked_add(HEADER));
        let end = end
            .filter(|end| *end <= bytes.len())
            .ok_or(FrameError::Section("records"))?;
        let data = bytes.get(head.data..).ok_or(FrameError::Section("data"))?;
        let mut frame = Frame {
            entries: &bytes[HEADER..end],
            entry_size: head.entry_size,
            data,
            encodings: head.encodings,
            boundary: head.boundary,
            ..Frame::empty()
        };
        frame.read_tables(bytes, &head, end)?;
        frame.check_records()?;
        Ok(frame)
    }

    fn empty() -> Self {
        Frame {
            entries: &[],
            entry_size: ENTRY,
            data: &[],
            encodings: Encodings::default(),
            boundary: Boundary::None,
            strings: Vec::new(),
            schemas: Vec::new(),
            partitions: Vec::new(),
        }
    }

    /// Tables may leave gaps between them but have to come in order; `end` is where the section before ends.
    fn read_tables(&mut self, bytes: &'a [u8], head: &Head, end: usize) -> Result<(), FrameError> {
        let place = |at: usize, end: usize, name| {
            if at < end || at > head.data {
                Err(FrameError::Section(name))
            } else {
                Ok(at)
            }
        };
        let at = place(head.strings, end, "strings")?;
        let (entries, mut end) = table::read(bytes, at, head.data, MAX_STRINGS, "strings")?;
        self.strings = entries
            .into_iter()
            .map(|entry| text(entry, "strings"))
            .collect::<Result<_, _>>()?;
        if head.schemas != 0 {
            let at = place(head.schemas, end, "schemas")?;
            let (entries, after) = table::read(bytes, at, head.data, MAX_STRINGS, "schema")?;
            for entry in entries {
                let (id, json) = entry.split_first_chunk::<8>().ok_or(FrameError::Table("schema"))?;
                self.schemas.push((u64::from_le_bytes(*id), text(json, "schema")?));
            }
            end = after;
        }
        if head.partitions != 0 {
            let at = place(head.partitions, end, "partitions")?;
            let (entries, after) = table::read(bytes, at, head.data, MAX_PARTITIONS, "partition")?;
            self.partitions = entries
                .into_iter()
                .map(|entry| text(entry, "partition"))
                .collect::<Result<_, _>>()?;
            end = after;
        }
        place(head.data, end, "data").map(|_| ())
    }

    fn check_records(&self) -> Result<(), FrameError> {
        // Payloads may lie in any order, but together they cannot be longer than data: else a small frame could stand
        // for any amount of work and memory.
        let mut left = self.data.len() as u64;
        for (record, entry) in self.entries.chunks_exact(self.entry_size).enumerate() {
            let raw = Raw::read(entry).ok_or(FrameError::Section("records"))?;
            self.check_numbers(record, &raw)?;
            let used = self.check_ranges(record, &raw)?;
            left = left.checked_sub(used).ok_or(FrameError::Overlap { record })?;
            self.check_texts(record, &raw)?;
        }
        Ok(())
    }

    #[inline]
    fn check_numbers(&self, record: usize, raw: &Raw) -> Result<(), FrameError> {
        if raw.attributes > 0b1011 {
            return Err(FrameError::Attributes {
                record,
                attributes: raw.attributes,
            });
        }
        if raw.offset < -1 {
            return Err(FrameError::Number {
                record,
                what: "offset",
                found: raw.offset,
            });
        }
        if raw.partition < -1 {
            return Err(FrameError::Number {
                record,
                what: "partition",
                found: raw.partition.into(),
            });
        }
        let index = |what, index: u32| Err(FrameError::Index { record, what, index });
        if usize::from(raw.topic) >= self.strings.len() {
            return index("topic", raw.topic.into());
        }
        if !self.is_schema(raw.key_schema) {
            return index("schema of the key", raw.key_schema.into());
        }
        if !self.is_schema(raw.value_schema) {
            return index("schema of the value", raw.value_schema.into());
        }
        match raw.source {
            Some((partition, _, _)) if partition as usize >= self.partitions.len() => {
                index("source partition", partition)
            }
            Some(_) | None => Ok(()),
        }
    }

    fn is_schema(&self, index: u16) -> bool {
        usize::from(index) < self.schemas.len() || index == NO_SCHEMA
    }

    /// Checks that all ranges lie in data, and returns their total length.
    #[inline]
    fn check_ranges(&self, record: usize, raw: &Raw) -> Result<u64, FrameError> {
        if raw.key < -1 {
            return Err(FrameError::Number {
                record,
                what: "length of the key",
                found: raw.key.into(),
            });
        }
        if raw.value < -1 {
            return Err(FrameError::Number {
                record,
                what: "length of the value",
                found: raw.value.into(),
            });
        }
        let length = raw.key.max(0) as u64 + raw.value.max(0) as u64 + u64::from(raw.headers);
        if u64::from(raw.start) + length > self.data.len() as u64 {
            return Err(FrameError::Range {
                record,
                what: "payload",
            });
        }
        match raw.source {
            None => Ok(length),
            Some((_, at, bytes)) if u64::from(at) + u64::from(bytes) > self.data.len() as u64 => {
                Err(FrameError::Range {
                    record,
                    what: "source offset",
                })
            }
            Some((_, _, bytes)) => Ok(length + u64::from(bytes)),
        }
    }

    /// After [`Frame::check_ranges`].
    #[inline]
    fn check_texts(&self, record: usize, raw: &Raw) -> Result<(), FrameError> {
        let start = raw.start as usize;
        if self.encodings.key == Encoding::Json {
            check_text(record, "key", slice(self.data, start, raw.key))?;
        }
        let start = start + raw.key.max(0) as usize;
        if self.encodings.value == Encoding::Json {
            check_text(record, "value", slice(self.data, start, raw.value))?;
        }
        if raw.headers != 0 {
            let start = start + raw.value.max(0) as usize;
            self.check_headers(record, &self.data[start..start + raw.headers as usize])?;
        }
        match raw.source {
            Some((_, at, length)) => check_text(
                record,
                "source offset",
                Some(&self.data[at as usize..][..length as usize]),
            ),
            None => Ok(()),
        }
    }

    fn check_headers(&self, record: usize, bytes: &[u8]) -> Result<(), FrameError> {
        let broken = FrameError::Headers { record };
        let mut cursor = Cursor { bytes, at: 0 };
        for _ in 0..cursor.u16().ok_or(broken)? {
            let (name, schema) = (cursor.u16().ok_or(broken)?, cursor.u16().ok_or(broken)?);
            if usize::from(name) >= self.strings.len() {
                return Err(FrameError::Index {
                    record,
                    what: "name of a header",
                    index: name.into(),
                });
            }
            if !self.is_schema(schema) {
                return Err(FrameError::Index {
                    record,
                    what: "schema of a header",
                    index: schema.into(),
                });
            }
            let length = cursor.i32().ok_or(broken)?;
            if length < -1 {
                return Err(FrameError::Number {
                    record,
                    what: "length of a header",
                    found: length.into(),
                });
            }
            let value = cursor.take(length.max(0) as usize).ok_or(broken)?;
            if self.encodings.headers == Encoding::Json {
                check_text(record, "header", Some(value))?;
            }
        }
        if cursor.at == bytes.len() { Ok(()) } else { Err(broken) }
    }

    /// Checks what only frames returned by transforms and converters promise: that origins rise and stay below the
    /// number of records that went in.
    pub fn check_origins(&self, inputs: usize) -> Result<(), FrameError> {
        let mut next = 0;
        for (record, entry) in self.records().enumerate() {
            let origin = entry.origin as usize;
            if origin < next || origin >= inputs {
                return Err(FrameError::Origin {
                    record,
                    origin: entry.origin,
                    inputs,
                });
            }
            next = origin + 1;
        }
        Ok(())
    }

    /// The number of records.
    pub fn len(&self) -> usize {
        self.entries.len() / self.entry_size
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn encodings(&self) -> Encodings {
        self.encodings
    }

    /// What becomes of the transaction after the whole batch.
    pub fn boundary(&self) -> Boundary {
        self.boundary
    }

    /// Whether records can have source coordinates.
    pub fn is_source(&self) -> bool {
        self.entry_size >= SOURCE_ENTRY
    }

    /// # Panics
    /// If there is no record `index`.
    pub fn record(&self, index: usize) -> Entry<'_> {
        assert!(index < self.len(), "record {index} of a frame of {}", self.len());
        self.entry(&self.entries[index * self.entry_size..][..self.entry_size])
    }

    pub fn records(&self) -> Records<'_> {
        Records {
            frame: self,
            entries: self.entries.chunks_exact(self.entry_size),
        }
    }

    /// A topic, by [`Entry::topic_index`].
    ///
    /// # Panics
    /// If there is no such string.
    pub fn topic(&self, index: u16) -> &'a str {
        self.strings[usize::from(index)]
    }

    /// The id and the JSON text of a schema.
    ///
    /// # Panics
    /// If there is no such schema.
    pub fn schema(&self, index: u16) -> (u64, &'a str) {
        self.schemas[usize::from(index)]
    }

    pub fn schemas(&self) -> &[(u64, &'a str)] {
        &self.schemas
    }

    /// The JSON text of a source partition.
    ///
    /// # Panics
    /// If there is no such partition.
    pub fn source_partition(&self, index: u32) -> &'a str {
        self.partitions[index as usize]
    }

    pub fn source_partitions(&self) -> &[&'a str] {
        &self.partitions
    }

    /// Topics and names of headers, as the indices in records see them.
    pub fn strings(&self) -> &[&'a str] {
        &self.strings
    }

    #[inline]
    fn entry(&self, entry: &[u8]) -> Entry<'_> {
        let raw = Raw::read(entry).expect("entries are at least as long as Frame::parse demands");
        let key = raw.start as usize;
        let value = key + raw.key.max(0) as usize;
        let headers = value + raw.value.max(0) as usize;
        Entry {
            timestamp: match raw.attributes & 3 {
                1 => Timestamp::Create(raw.timestamp),
                2 => Timestamp::LogAppend(raw.timestamp),
                3 => Timestamp::Arrival,
                _ => Timestamp::None,
            },
            offset: (raw.offset >= 0).then_some(raw.offset),
            partition: (raw.partition >= 0).then_some(raw.partition),
            origin: raw.origin,
            topic_index: raw.topic,
            topic: self.strings[usize::from(raw.topic)],
            boundary: Boundary::from_bits(raw.attributes >> 2).unwrap_or_default(),
            key: slice(self.data, key, raw.key),
            value: slice(self.data, value, raw.value),
            key_schema: schema_index(raw.key_schema),
            value_schema: schema_index(raw.value_schema),
            headers: Headers::new(&self.data[headers..headers + raw.headers as usize], &self.strings),
            source: raw.source.map(|(partition, at, length)| SourceCoordinates {
                partition,
                offset: known_text(&self.data[at as usize..at as usize + length as usize]),
            }),
        }
    }
}

#[inline]
fn slice(data: &[u8], start: usize, length: i32) -> Option<&[u8]> {
    usize::try_from(length).ok().map(|length| &data[start..start + length])
}

fn schema_index(index: u16) -> Option<u16> {
    (index != NO_SCHEMA).then_some(index)
}

fn check_text(record: usize, what: &'static str, bytes: Option<&[u8]>) -> Result<(), FrameError> {
    match bytes {
        Some(bytes) if std::str::from_utf8(bytes).is_err() => Err(FrameError::Text { record, what }),
        Some(_) | None => Ok(()),
    }
}

/// Text that [`Frame::parse`] has checked. Checked again because that is cheap and `unsafe` is not worth it here.
fn known_text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// The records of a frame, in order.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    frame: &'a Frame<'a>,
    entries: std::slice::ChunksExact<'a, u8>,
}

impl<'a> Iterator for Records<'a> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        self.entries.next().map(|entry| self.frame.entry(entry))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.entries.size_hint()
    }
}

impl ExactSizeIterator for Records<'_> {}
impl FusedIterator for Records<'_> {}

/// The headers of a record, in order; names may repeat.
#[derive(Clone, Copy, Debug)]
pub struct Headers<'a> {
    /// What is left, without the count.
    bytes: &'a [u8],
    left: u16,
    strings: &'a [&'a str],
}

impl<'a> Headers<'a> {
    #[inline]
    fn new(bytes: &'a [u8], strings: &'a [&'a str]) -> Self {
        match bytes.split_first_chunk::<2>() {
            Some((count, bytes)) => Headers {
                bytes,
                left: u16::from_le_bytes(*count),
                strings,
            },
            None => Headers {
                bytes: &[],
                left: 0,
                strings,
            },
        }
    }

    pub fn is_empty(&self) -> bool {
        self.left == 0
    }
}

impl<'a> Iterator for Headers<'a> {
    type Item = HeaderEntry<'a>;

    fn next(&mut self) -> Option<HeaderEntry<'a>> {
        self.left = self.left.checked_sub(1)?;
        let mut cursor = Cursor {
            bytes: self.bytes,
            at: 0,
        };
        let (name, schema, length) = (cursor.u16()?, cursor.u16()?, cursor.i32()?);
        let value = cursor.take(length.max(0) as usize)?;
        self.bytes = &self.bytes[cursor.at..];
        Some(HeaderEntry {
            name: self.strings.get(usize::from(name))?,
            schema: schema_index(schema),
            value: (length >= 0).then_some(value),
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left.into(), Some(self.left.into()))
    }
}

impl ExactSizeIterator for Headers<'_> {}

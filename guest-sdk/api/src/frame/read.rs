//! Reading a frame.

use std::iter::FusedIterator;

use super::entry::{Entry, Headers, Raw, schema_index, slice, u16_at, u32_at};
use super::table;
use super::{
    Boundary, ENTRY, Encoding, Encodings, FrameError, HEADER, MAGIC, MAX_FRAME, MAX_PARTITIONS, MAX_STRINGS,
    SOURCE_ENTRY, SourceCoordinates, Timestamp,
};

/// A frame that has been validated as a whole: whatever it hands out needs no further check.
#[derive(Clone, Debug)]
pub struct Frame<'a> {
    /// The record entries.
    pub(super) entries: &'a [u8],
    pub(super) entry_size: usize,
    pub(super) data: &'a [u8],
    pub(super) encodings: Encodings,
    pub(super) boundary: Boundary,
    pub(super) strings: Vec<&'a str>,
    pub(super) schemas: Vec<(u64, &'a str)>,
    pub(super) partitions: Vec<&'a str>,
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

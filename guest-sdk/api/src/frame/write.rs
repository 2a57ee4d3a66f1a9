//! Writing a frame.

use super::record::RecordWriter;
use super::table::Table;
use super::{
    Boundary, ENTRY, Encodings, FrameError, HEADER, MAGIC, MAX_FRAME, MAX_PARTITIONS, MAX_STRINGS, NO_PARTITION,
    NO_SCHEMA, SOURCE_ENTRY, SourceCoordinates, Timestamp,
};

/// Whose frames a builder makes: it decides what an entry has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Records carry source coordinates.
    Source,
    /// What goes to sinks.
    Sink,
    /// What goes to and comes from transforms, predicates and converters.
    Transform,
}

/// Builds frames, one after the other, in a buffer that it keeps.
///
/// Indices that [`FrameBuilder::topic`] and its like return are good until the next [`FrameBuilder::begin`].
///
/// The layout of the buffer is that of the frame. Entries have room for the expected number of records, behind them
/// is room for tables as large as those of the batch before, and payloads are appended behind that.
#[derive(Debug)]
pub struct FrameBuilder {
    entry_size: usize,
    pub(super) buffer: Vec<u8>,
    pub(super) records: usize,
    /// Entries that fit before the tables.
    room: usize,
    /// Where data starts in the buffer.
    data: usize,
    encodings: Encodings,
    boundary: Boundary,
    strings: Table,
    schemas: Table,
    partitions: Table,
    /// Room to leave for tables.
    slack: usize,
    /// Size of the largest frame so far, to allocate once after the buffer was taken.
    largest: usize,
}

/// All of a record but its payloads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordHead {
    pub timestamp: Timestamp,
    /// Not negative.
    pub offset: Option<i64>,
    /// Not negative.
    pub partition: Option<i32>,
    pub origin: u32,
    /// From [`FrameBuilder::topic`].
    pub topic: u16,
    pub boundary: Boundary,
    /// From [`FrameBuilder::schema`].
    pub key_schema: Option<u16>,
    pub value_schema: Option<u16>,
}

/// A record to add.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewRecord<'a> {
    pub timestamp: Timestamp,
    /// Not negative.
    pub offset: Option<i64>,
    /// Not negative.
    pub partition: Option<i32>,
    pub origin: u32,
    /// From [`FrameBuilder::topic`].
    pub topic: u16,
    pub boundary: Boundary,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    /// From [`FrameBuilder::schema`].
    pub key_schema: Option<u16>,
    pub value_schema: Option<u16>,
    pub headers: &'a [NewHeader<'a>],
    /// Ignored unless the builder's role is [`Role::Source`].
    pub source: Option<SourceCoordinates<'a>>,
}

impl NewRecord<'_> {
    pub fn head(&self) -> RecordHead {
        RecordHead {
            timestamp: self.timestamp,
            offset: self.offset,
            partition: self.partition,
            origin: self.origin,
            topic: self.topic,
            boundary: self.boundary,
            key_schema: self.key_schema,
            value_schema: self.value_schema,
        }
    }
}

/// A header of a record to add.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NewHeader<'a> {
    /// From [`FrameBuilder::header_name`].
    pub name: u16,
    pub schema: Option<u16>,
    pub value: Option<&'a [u8]>,
}

/// Lengths of what was written for a record; -1 is null.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lengths {
    pub key: i32,
    pub value: i32,
    pub headers: u32,
    pub source: u32,
}

const SMALLEST_SLACK: usize = 256;
/// Moving this much data is cheaper than sending a gap.
const CHEAP_TO_MOVE: usize = 4096;

impl FrameBuilder {
    pub fn new(role: Role) -> Self {
        let entry_size = match role {
            Role::Source => SOURCE_ENTRY,
            Role::Sink | Role::Transform => ENTRY,
        };
        FrameBuilder {
            entry_size,
            buffer: vec![0; HEADER],
            records: 0,
            room: 0,
            data: HEADER,
            encodings: Encodings::default(),
            boundary: Boundary::None,
            strings: Table::default(),
            schemas: Table::default(),
            partitions: Table::default(),
            slack: SMALLEST_SLACK,
            largest: 0,
        }
    }

    /// Starts a new frame. `expected_records` is a hint: with the right number nothing is ever moved.
    pub fn begin(&mut self, encodings: Encodings, expected_records: usize) {
        self.encodings = encodings;
        self.boundary = Boundary::None;
        self.strings.clear();
        self.schemas.clear();
        self.partitions.clear();
        self.records = 0;
        // A hint is only a hint: it must not reserve more than a frame can hold.
        self.room = expected_records.min(MAX_FRAME / 4 / self.entry_size);
        self.data = HEADER + self.room * self.entry_size + self.slack;
        self.buffer.clear();
        self.buffer.reserve(self.largest.max(self.data));
        self.buffer.resize(self.data, 0);
    }

    /// Gives the builder a buffer to write the next frames in, such as one that [`FrameBuilder::take`] returned.
    pub fn recycle(&mut self, buffer: Vec<u8>) {
        if buffer.capacity() > self.buffer.capacity() {
            let old = std::mem::replace(&mut self.buffer, buffer);
            self.buffer.clear();
            self.buffer.extend_from_slice(&old);
        }
    }

    /// What becomes of the transaction after the batch (sources).
    pub fn set_boundary(&mut self, boundary: Boundary) {
        self.boundary = boundary;
    }

    /// The index of a topic.
    pub fn topic(&mut self, name: &str) -> Result<u16, FrameError> {
        let index = self.strings.intern(b"", name.as_bytes(), MAX_STRINGS);
        index.map(|index| index as u16).ok_or(FrameError::TableSize("strings"))
    }

    /// The index of the name of a header.
    pub fn header_name(&mut self, name: &str) -> Result<u16, FrameError> {
        self.topic(name)
    }

    /// The index of a schema, given as JSON text; the id is the worker's, 0 in frames of guests.
    pub fn schema(&mut self, id: u64, json: &str) -> Result<u16, FrameError> {
        let index = self.schemas.intern(&id.to_le_bytes(), json.as_bytes(), MAX_STRINGS);
        index.map(|index| index as u16).ok_or(FrameError::TableSize("schema"))
    }

    /// The index of a source partition, given as JSON text.
    pub fn source_partition(&mut self, json: &str) -> Result<u32, FrameError> {
        self.partitions
            .intern(b"", json.as_bytes(), MAX_PARTITIONS)
            .ok_or(FrameError::TableSize("partition"))
    }

    /// Adds a record.
    #[inline]
    pub fn push(&mut self, record: &NewRecord<'_>) -> Result<(), FrameError> {
        let key = record.key.unwrap_or_default();
        let value = record.value.unwrap_or_default();
        if key.len() + value.len() > MAX_FRAME {
            return Err(FrameError::TooLarge(key.len() + value.len()));
        }
        let start = self.buffer.len();
        self.buffer.extend_from_slice(key);
        self.buffer.extend_from_slice(value);
        let mut lengths = Lengths {
            key: record.key.map_or(-1, |key| key.len() as i32),
            value: record.value.map_or(-1, |value| value.len() as i32),
            headers: 0,
            source: 0,
        };
        if !record.headers.is_empty() {
            match self.write_headers(record.headers) {
                Ok(length) => lengths.headers = length,
                Err(error) => {
                    self.buffer.truncate(start);
                    return Err(error);
                }
            }
        }
        let head = record.head();
        self.close_record(start, lengths, &head, record.source)
    }

    fn write_headers(&mut self, headers: &[NewHeader<'_>]) -> Result<u32, FrameError> {
        let at = self.buffer.len();
        let count = u16::try_from(headers.len()).map_err(|_| FrameError::Headers { record: self.records })?;
        self.buffer.extend_from_slice(&count.to_le_bytes());
        for header in headers {
            self.write_header_head(header.name, header.schema, header.value.map(<[u8]>::len))?;
            self.buffer.extend_from_slice(header.value.unwrap_or_default());
        }
        Ok((self.buffer.len() - at) as u32)
    }

    pub(super) fn write_header_head(
        &mut self,
        name: u16,
        schema: Option<u16>,
        length: Option<usize>,
    ) -> Result<(), FrameError> {
        let record = self.records;
        if usize::from(name) >= self.strings.len() {
            return Err(FrameError::Index {
                record,
                what: "name of a header",
                index: name.into(),
            });
        }
        self.check_schema("schema of a header", schema)?;
        let bytes = length.unwrap_or_default();
        if bytes > MAX_FRAME {
            return Err(FrameError::TooLarge(bytes));
        }
        self.buffer.extend_from_slice(&name.to_le_bytes());
        self.buffer
            .extend_from_slice(&schema.unwrap_or(NO_SCHEMA).to_le_bytes());
        self.buffer
            .extend_from_slice(&length.map_or(-1, |length| length as i32).to_le_bytes());
        Ok(())
    }

    /// Adds a record whose payloads are written in place: key, then value, then headers.
    pub fn record(&mut self) -> RecordWriter<'_> {
        RecordWriter::new(self)
    }

    /// Writes the entry of a record whose payloads lie from `start` to the end of the buffer, where the offset text is
    /// still to come. On an error the payloads are taken back.
    #[inline]
    pub(super) fn close_record(
        &mut self,
        start: usize,
        mut lengths: Lengths,
        head: &RecordHead,
        source: Option<SourceCoordinates<'_>>,
    ) -> Result<(), FrameError> {
        let offset = self.buffer.len() - self.data;
        if self.entry_size == SOURCE_ENTRY
            && let Some(source) = source
        {
            lengths.source = source.offset.len() as u32;
            self.buffer.extend_from_slice(source.offset.as_bytes());
        }
        if let Err(error) = self.check(head, source) {
            self.buffer.truncate(start);
            return Err(error);
        }
        let mut start = start;
        if self.records == self.room {
            start += self.make_room();
        }
        let e = &mut self.buffer[HEADER + self.records * self.entry_size..][..self.entry_size];
        write_entry(e, (start - self.data) as u32, lengths, head);
        if let Some(e) = e.get_mut(ENTRY..SOURCE_ENTRY) {
            let partition = source.map_or(NO_PARTITION, |source| source.partition);
            e[0..4].copy_from_slice(&partition.to_le_bytes());
            e[4..8].copy_from_slice(&(offset as u32).to_le_bytes());
            e[8..12].copy_from_slice(&lengths.source.to_le_bytes());
        }
        self.records += 1;
        Ok(())
    }

    #[inline]
    fn check(&self, head: &RecordHead, source: Option<SourceCoordinates<'_>>) -> Result<(), FrameError> {
        let record = self.records;
        if self.byte_len() + self.entry_size > MAX_FRAME {
            return Err(FrameError::TooLarge(self.byte_len() + self.entry_size));
        }
        if usize::from(head.topic) >= self.strings.len() {
            return Err(FrameError::Index {
                record,
                what: "topic",
                index: head.topic.into(),
            });
        }
        self.check_schema("schema of the key", head.key_schema)?;
        self.check_schema("schema of the value", head.value_schema)?;
        if let Some(offset) = head.offset.filter(|offset| *offset < 0) {
            return Err(FrameError::Number {
                record,
                what: "offset",
                found: offset,
            });
        }
        if let Some(partition) = head.partition.filter(|partition| *partition < 0) {
            return Err(FrameError::Number {
                record,
                what: "partition",
                found: partition.into(),
            });
        }
        match source {
            Some(source) if source.partition as usize >= self.partitions.len() && self.entry_size == SOURCE_ENTRY => {
                Err(FrameError::Index {
                    record,
                    what: "source partition",
                    index: source.partition,
                })
            }
            Some(_) | None => Ok(()),
        }
    }

    #[inline]
    fn check_schema(&self, what: &'static str, schema: Option<u16>) -> Result<(), FrameError> {
        match schema {
            Some(index) if usize::from(index) >= self.schemas.len() => Err(FrameError::Index {
                record: self.records,
                what,
                index: index.into(),
            }),
            Some(_) | None => Ok(()),
        }
    }

    /// More records came than expected: doubles the room for entries. Returns by how much data has moved.
    #[cold]
    fn make_room(&mut self) -> usize {
        let more = self.room.max(16);
        self.room += more;
        let by = more * self.entry_size;
        self.move_data(self.data + by);
        by
    }

    fn move_data(&mut self, to: usize) {
        let end = self.buffer.len();
        if to > self.data {
            self.buffer.resize(end + (to - self.data), 0);
        }
        self.buffer.copy_within(self.data..end, to);
        self.buffer.truncate(to + (end - self.data));
        self.data = to;
    }

    /// The number of records so far.
    pub fn len(&self) -> usize {
        self.records
    }

    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// The length that the frame would have now, but for gaps.
    pub fn byte_len(&self) -> usize {
        HEADER + self.records * self.entry_size + self.table_len() + (self.buffer.len() - self.data)
    }

    fn table_len(&self) -> usize {
        let optional = |table: &Table| if table.len() == 0 { 0 } else { table.encoded_len() };
        self.strings.encoded_len() + optional(&self.schemas) + optional(&self.partitions)
    }

    /// Completes the frame. Without records and without a boundary it is empty.
    pub fn finish(&mut self) -> &[u8] {
        self.seal();
        if self.is_nothing() { &[] } else { &self.buffer }
    }

    /// Completes the frame and gives it away; the builder starts over with [`FrameBuilder::begin`].
    pub fn take(&mut self) -> Vec<u8> {
        if self.is_nothing() {
            return Vec::new();
        }
        self.seal();
        let frame = std::mem::take(&mut self.buffer);
        let (encodings, slack) = (self.encodings, self.slack);
        self.largest = 0;
        self.slack = 0;
        self.begin(encodings, 0);
        self.slack = slack;
        self.largest = frame.len();
        frame
    }

    fn is_nothing(&self) -> bool {
        self.records == 0 && self.boundary == Boundary::None
    }

    /// Writes tables and header. May be called again after more records.
    fn seal(&mut self) {
        let tables = HEADER + self.records * self.entry_size;
        let need = self.table_len();
        let gap = self.data.saturating_sub(tables + need);
        let data = self.buffer.len() - self.data;
        if self.data < tables + need || (gap > 0 && (data <= CHEAP_TO_MOVE || gap > data / 4)) {
            self.move_data(tables + need);
            self.room = self.records;
        }
        self.slack = SMALLEST_SLACK.max(need + need / 4);
        let mut at = tables;
        at += self.strings.write(&mut self.buffer[at..]);
        let optional = |table: &Table, at: &mut usize, buffer: &mut [u8]| {
            let start = *at;
            if table.len() == 0 {
                return 0;
            }
            *at += table.write(&mut buffer[start..]);
            start
        };
        let schemas = optional(&self.schemas, &mut at, &mut self.buffer);
        let partitions = optional(&self.partitions, &mut at, &mut self.buffer);
        self.buffer[at..self.data].fill(0);
        self.write_header([tables, schemas, partitions, self.data]);
    }

    fn write_header(&mut self, sections: [usize; 4]) {
        let length = self.buffer.len() as u32;
        let h = &mut self.buffer[..HEADER];
        h.fill(0);
        h[0..4].copy_from_slice(&MAGIC);
        h[4..8].copy_from_slice(&length.to_le_bytes());
        h[8..12].copy_from_slice(&(self.records as u32).to_le_bytes());
        h[12..14].copy_from_slice(&(self.entry_size as u16).to_le_bytes());
        h[14] = self.boundary.bits() as u8;
        h[16] = self.encodings.key as u8;
        h[17] = self.encodings.value as u8;
        h[18] = self.encodings.headers as u8;
        for (place, section) in h[20..36].chunks_exact_mut(4).zip(sections) {
            place.copy_from_slice(&(section as u32).to_le_bytes());
        }
    }
}

impl Lengths {
    pub const NONE: Lengths = Lengths {
        key: -1,
        value: -1,
        headers: 0,
        source: 0,
    };
}

#[inline]
fn write_entry(entry: &mut [u8], start: u32, lengths: Lengths, head: &RecordHead) {
    let e = entry
        .first_chunk_mut::<ENTRY>()
        .expect("entries are at least this long");
    let attributes = head.timestamp.bits() | head.boundary.bits() << 2;
    e[0..8].copy_from_slice(&head.timestamp.millis().unwrap_or_default().to_le_bytes());
    e[8..16].copy_from_slice(&head.offset.unwrap_or(-1).to_le_bytes());
    e[16..20].copy_from_slice(&head.partition.unwrap_or(-1).to_le_bytes());
    e[20..24].copy_from_slice(&head.origin.to_le_bytes());
    e[24..26].copy_from_slice(&head.topic.to_le_bytes());
    e[26..28].copy_from_slice(&attributes.to_le_bytes());
    e[28..30].copy_from_slice(&head.key_schema.unwrap_or(NO_SCHEMA).to_le_bytes());
    e[30..32].copy_from_slice(&head.value_schema.unwrap_or(NO_SCHEMA).to_le_bytes());
    e[32..36].copy_from_slice(&start.to_le_bytes());
    e[36..40].copy_from_slice(&lengths.key.to_le_bytes());
    e[40..44].copy_from_slice(&lengths.value.to_le_bytes());
    e[44..48].copy_from_slice(&lengths.headers.to_le_bytes());
}

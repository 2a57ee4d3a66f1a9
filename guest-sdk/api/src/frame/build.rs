//! Building a frame. Entries and payloads are written once, at their final place: the builder leaves room for the
//! expected number of entries and for the tables in front of the data, and moves the data only when it guessed wrong.

use std::collections::HashMap;

use super::{Boundary, Encodings, HEADER, MAGIC, NONE, SINK_ENTRY, SOURCE_ENTRY, Timestamp};

/// Room for the tables that a frame begins with; it grows to what frames turn out to need.
const FIRST_SLACK: usize = 256;

/// Builds frames one after the other, keeping its memory.
#[derive(Debug)]
pub struct FrameBuilder {
    buffer: Vec<u8>,
    entry_size: usize,
    /// Records laid down, and for how many there is room.
    count: usize,
    room: usize,
    /// Bytes between the entries and the data.
    slack: usize,
    encodings: Encodings,
    boundary: Boundary,
    strings: Table,
    schemas: Table,
    partitions: Table,
}

/// What is known of a record besides its payloads.
#[derive(Clone, Copy, Debug, Default)]
pub struct RecordMeta {
    /// From [`FrameBuilder::topic`].
    pub topic: u16,
    pub partition: Option<i32>,
    pub offset: Option<i64>,
    pub timestamp: Timestamp,
    pub origin: u32,
    pub boundary: Boundary,
}

/// Texts that get an index, each once.
#[derive(Debug, Default)]
struct Table {
    /// Entries in the form that stands in the frame.
    bytes: Vec<u8>,
    count: u32,
    known: HashMap<Box<str>, u32>,
    last: Option<(Box<str>, u32)>,
}

impl Table {
    fn clear(&mut self) {
        self.bytes.clear();
        self.count = 0;
        self.known.clear();
        self.last = None;
    }

    /// The index of a text; `prefix` stands before it in the frame and takes no part in its identity.
    fn index(&mut self, text: &str, prefix: &[u8]) -> u32 {
        if let Some((last, index)) = &self.last
            && **last == *text
        {
            return *index;
        }
        let index = match self.known.get(text) {
            Some(index) => *index,
            None => {
                let index = self.count;
                self.count += 1;
                self.bytes.extend_from_slice(&((prefix.len() + text.len()) as u32).to_le_bytes());
                self.bytes.extend_from_slice(prefix);
                self.bytes.extend_from_slice(text.as_bytes());
                self.known.insert(text.into(), index);
                index
            }
        };
        self.last = Some((text.into(), index));
        index
    }

    fn len(&self) -> usize {
        if self.count == 0 { 0 } else { 4 + self.bytes.len() }
    }
}

impl FrameBuilder {
    /// For frames whose records have no source coordinates: to sinks, transforms and converters of sinks.
    pub fn for_sink() -> Self {
        Self::new(SINK_ENTRY)
    }

    /// For frames of sources.
    pub fn for_source() -> Self {
        Self::new(SOURCE_ENTRY)
    }

    fn new(entry_size: usize) -> Self {
        let mut builder = FrameBuilder {
            buffer: Vec::new(),
            entry_size,
            count: 0,
            room: 0,
            slack: FIRST_SLACK,
            encodings: Encodings::default(),
            boundary: Boundary::None,
            strings: Table::default(),
            schemas: Table::default(),
            partitions: Table::default(),
        };
        builder.begin(Encodings::default(), 0);
        builder
    }

    /// Begins a new frame, for about so many records.
    pub fn begin(&mut self, encodings: Encodings, expected_records: usize) {
        self.encodings = encodings;
        self.boundary = Boundary::None;
        self.count = 0;
        self.room = expected_records;
        self.strings.clear();
        self.schemas.clear();
        self.partitions.clear();
        self.buffer.clear();
        self.buffer.resize(self.data_start(), 0);
    }

    fn entries_end(&self) -> usize {
        HEADER + self.room * self.entry_size
    }

    fn data_start(&self) -> usize {
        self.entries_end() + self.slack
    }

    pub fn len(&self) -> usize {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of payload so far: what decides whether a batch is large enough.
    pub fn data_len(&self) -> usize {
        self.buffer.len() - self.data_start()
    }

    /// What the transaction should do after this batch (sources).
    pub fn set_boundary(&mut self, boundary: Boundary) {
        self.boundary = boundary;
    }

    /// The index of a topic; at most 65,535 topics and header names fit into one frame.
    pub fn topic(&mut self, name: &str) -> u16 {
        index16(self.strings.index(name, &[]))
    }

    /// The index of a header's name.
    pub fn header_name(&mut self, name: &str) -> u16 {
        index16(self.strings.index(name, &[]))
    }

    /// The index of a schema's JSON text. `id` is the worker's choice; guests say 0.
    pub fn schema(&mut self, id: u64, text: &str) -> u16 {
        index16(self.schemas.index(text, &id.to_le_bytes()))
    }

    /// The index of a source partition's JSON text.
    pub fn source_partition(&mut self, text: &str) -> u32 {
        self.partitions.index(text, &[])
    }

    /// Begins a record. Its payloads follow in the order key, value, headers; dropping it unfinished leaves it out.
    pub fn record(&mut self, meta: &RecordMeta) -> RecordBuilder<'_> {
        let start = self.buffer.len();
        let data_start = self.data_start();
        let mut entry = [0; SOURCE_ENTRY];
        let (kind, at) = match meta.timestamp {
            Timestamp::None => (0u16, 0),
            Timestamp::Create(at) => (1, at),
            Timestamp::LogAppend(at) => (2, at),
            Timestamp::Arrival => (3, 0),
        };
        put(&mut entry, 0, &at.to_le_bytes());
        put(&mut entry, 8, &meta.offset.unwrap_or(-1).to_le_bytes());
        put(&mut entry, 16, &meta.partition.unwrap_or(-1).to_le_bytes());
        put(&mut entry, 20, &meta.origin.to_le_bytes());
        put(&mut entry, 24, &meta.topic.to_le_bytes());
        put(&mut entry, 26, &(kind | (meta.boundary as u16) << 2).to_le_bytes());
        put(&mut entry, 28, &NONE.to_le_bytes());
        put(&mut entry, 30, &NONE.to_le_bytes());
        put(&mut entry, 32, &((start - data_start) as u32).to_le_bytes());
        put(&mut entry, 36, &(-1i32).to_le_bytes());
        put(&mut entry, 40, &(-1i32).to_le_bytes());
        RecordBuilder { builder: self, entry, start, part: start, headers: 0, finished: false }
    }

    /// Makes room for more entries than were expected.
    fn grow(&mut self) {
        let from = self.data_start();
        let length = self.buffer.len() - from;
        self.room = (self.room * 2).max(64);
        let to = self.data_start();
        self.buffer.resize(to + length, 0);
        self.buffer.copy_within(from..from + length, to);
    }

    /// Makes room for tables that are larger than was expected, from now on.
    fn widen(&mut self, needed: usize) {
        let from = self.data_start();
        let length = self.buffer.len() - from;
        self.slack = needed.next_power_of_two();
        let to = self.data_start();
        self.buffer.resize(to + length, 0);
        self.buffer.copy_within(from..from + length, to);
    }

    /// Completes the frame. A frame without records and boundary is empty.
    pub fn finish(&mut self) -> &[u8] {
        if self.count == 0 && self.boundary == Boundary::None {
            return &[];
        }
        let needed = self.strings.len() + self.schemas.len() + self.partitions.len();
        if needed > self.slack {
            self.widen(needed);
        }
        let mut at = self.entries_end();
        let mut header = [0; HEADER];
        put(&mut header, 0, &MAGIC);
        put(&mut header, 4, &(self.buffer.len() as u32).to_le_bytes());
        put(&mut header, 8, &(self.count as u32).to_le_bytes());
        put(&mut header, 12, &(self.entry_size as u16).to_le_bytes());
        header[14] = self.boundary as u8;
        header[16] = self.encodings.key as u8;
        header[17] = self.encodings.value as u8;
        header[18] = self.encodings.headers as u8;
        for (place, table) in [(20, &self.strings), (24, &self.schemas), (28, &self.partitions)] {
            if table.count == 0 {
                continue;
            }
            put(&mut header, place, &(at as u32).to_le_bytes());
            put(&mut self.buffer, at, &table.count.to_le_bytes());
            put(&mut self.buffer, at + 4, &table.bytes);
            at += table.len();
        }
        put(&mut header, 32, &(self.data_start() as u32).to_le_bytes());
        put(&mut self.buffer, 0, &header);
        &self.buffer
    }

    /// Completes the frame and gives it away; hand it back with [`FrameBuilder::reuse`] to keep its memory.
    pub fn take(&mut self) -> Vec<u8> {
        if self.finish().is_empty() {
            return Vec::new();
        }
        self.count = 0;
        std::mem::take(&mut self.buffer)
    }

    /// Memory for frames to come.
    pub fn reuse(&mut self, buffer: Vec<u8>) {
        if self.buffer.capacity() < buffer.capacity() {
            self.buffer = buffer;
            self.buffer.clear();
        }
    }
}

/// More than 65,535 texts do not fit into a frame: the last index then stands for all of them, which a reader
/// refuses.
fn index16(index: u32) -> u16 {
    u16::try_from(index).unwrap_or(NONE)
}

fn put(bytes: &mut [u8], at: usize, what: &[u8]) {
    bytes[at..at + what.len()].copy_from_slice(what);
}

/// A record that is being laid down.
#[derive(Debug)]
pub struct RecordBuilder<'b> {
    builder: &'b mut FrameBuilder,
    entry: [u8; SOURCE_ENTRY],
    start: usize,
    /// Where the payload that comes next begins.
    part: usize,
    headers: u16,
    finished: bool,
}

impl RecordBuilder<'_> {
    /// The builder, for indexes that are found out late.
    pub fn builder(&mut self) -> &mut FrameBuilder {
        self.builder
    }

    fn part_length(&mut self) -> i32 {
        let end = self.builder.buffer.len();
        let length = (end - self.part) as i32;
        self.part = end;
        length
    }

    /// The key's bytes as they are.
    pub fn key(&mut self, schema: Option<u16>, key: &[u8]) {
        self.builder.buffer.extend_from_slice(key);
        self.close_key(schema);
    }

    /// Writes the key behind what `write` is given; what that holds already is not to be touched.
    pub fn key_with<E>(&mut self, schema: Option<u16>, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        write(&mut self.builder.buffer)?;
        self.close_key(schema);
        Ok(())
    }

    fn close_key(&mut self, schema: Option<u16>) {
        let length = self.part_length();
        put(&mut self.entry, 28, &schema.unwrap_or(NONE).to_le_bytes());
        put(&mut self.entry, 36, &length.to_le_bytes());
    }

    /// The schema of a key that is null.
    pub fn key_schema(&mut self, schema: u16) {
        put(&mut self.entry, 28, &schema.to_le_bytes());
    }

    /// The value's bytes as they are.
    pub fn value(&mut self, schema: Option<u16>, value: &[u8]) {
        self.builder.buffer.extend_from_slice(value);
        self.close_value(schema);
    }

    /// As [`RecordBuilder::key_with`].
    pub fn value_with<E>(&mut self, schema: Option<u16>, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        write(&mut self.builder.buffer)?;
        self.close_value(schema);
        Ok(())
    }

    fn close_value(&mut self, schema: Option<u16>) {
        let length = self.part_length();
        put(&mut self.entry, 30, &schema.unwrap_or(NONE).to_le_bytes());
        put(&mut self.entry, 40, &length.to_le_bytes());
    }

    /// The schema of a value that is null.
    pub fn value_schema(&mut self, schema: u16) {
        put(&mut self.entry, 30, &schema.to_le_bytes());
    }

    /// Adds a header; the name's index comes from [`FrameBuilder::header_name`].
    pub fn header(&mut self, name: u16, schema: Option<u16>, value: Option<&[u8]>) {
        let at = self.open_header(name, schema);
        if let Some(value) = value {
            self.builder.buffer.extend_from_slice(value);
            self.close_header(at);
        }
    }

    /// Adds a header whose value `write` appends.
    pub fn header_with<E>(
        &mut self,
        name: u16,
        schema: Option<u16>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let at = self.open_header(name, schema);
        write(&mut self.builder.buffer)?;
        self.close_header(at);
        Ok(())
    }

    fn open_header(&mut self, name: u16, schema: Option<u16>) -> usize {
        let buffer = &mut self.builder.buffer;
        if self.headers == 0 {
            buffer.extend_from_slice(&[0, 0]);
        }
        self.headers += 1;
        buffer.extend_from_slice(&name.to_le_bytes());
        buffer.extend_from_slice(&schema.unwrap_or(NONE).to_le_bytes());
        buffer.extend_from_slice(&(-1i32).to_le_bytes());
        buffer.len()
    }

    fn close_header(&mut self, at: usize) {
        let length = (self.builder.buffer.len() - at) as i32;
        put(&mut self.builder.buffer, at - 4, &length.to_le_bytes());
    }

    /// Where in its source the record comes from: an index from [`FrameBuilder::source_partition`], and JSON text.
    /// Only for builders of sources, and after the headers.
    pub fn source(&mut self, partition: u32, offset: &str) {
        self.close_headers();
        let data_start = self.builder.data_start();
        let at = self.builder.buffer.len() - data_start;
        self.builder.buffer.extend_from_slice(offset.as_bytes());
        put(&mut self.entry, 48, &partition.to_le_bytes());
        put(&mut self.entry, 52, &(at as u32).to_le_bytes());
        put(&mut self.entry, 56, &(offset.len() as u32).to_le_bytes());
        self.part = self.builder.buffer.len();
    }

    fn close_headers(&mut self) {
        if self.headers > 0 {
            let (count, length) = (self.headers, self.builder.buffer.len() - self.part);
            put(&mut self.builder.buffer, self.part, &count.to_le_bytes());
            put(&mut self.entry, 44, &(length as u32).to_le_bytes());
            self.headers = 0;
        }
    }

    /// Adds the record to the frame.
    pub fn finish(mut self) {
        self.close_headers();
        if self.builder.count == self.builder.room {
            self.builder.grow();
        }
        let builder = &mut *self.builder;
        let at = HEADER + builder.count * builder.entry_size;
        put(&mut builder.buffer, at, &self.entry[..builder.entry_size]);
        builder.count += 1;
        self.finished = true;
    }
}

impl Drop for RecordBuilder<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.builder.buffer.truncate(self.start);
        }
    }
}

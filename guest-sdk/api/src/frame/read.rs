//! Reading a frame. Everything is checked once, in [`Frame::parse`]; what comes after borrows and cannot fail.

use super::{
    Boundary, Encoding, Encodings, FrameError, HEADER, MAGIC, MAX_FRAME, NONE, SINK_ENTRY, SOURCE_ENTRY, Timestamp,
};

/// A checked view of a frame. An empty list of bytes is an empty batch.
#[derive(Clone, Debug, Default)]
pub struct Frame<'a> {
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
    /// In a batch that a transform or converter returns: the index of the record that this one came from.
    pub origin: u32,
    pub topic_index: u16,
    pub topic: &'a str,
    pub boundary: Boundary,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    /// Indexes into [`Frame::schemas`].
    pub key_schema: Option<u16>,
    pub value_schema: Option<u16>,
    pub headers: Headers<'a>,
    pub source: Option<SourceCoordinates<'a>>,
}

/// Where in its source a record comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceCoordinates<'a> {
    /// Index into [`Frame::source_partitions`].
    pub partition: u32,
    /// JSON text.
    pub offset: &'a str,
}

/// The headers of a record, in order.
#[derive(Clone, Copy, Debug)]
pub struct Headers<'a> {
    remaining: u16,
    bytes: &'a [u8],
    /// Names are resolved by [`Frame::header_name`], so that an entry stays small.
    _private: (),
}

/// A header as it stands in the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderEntry<'a> {
    /// Index of the name, see [`Frame::header_name`].
    pub name: u16,
    pub schema: Option<u16>,
    pub value: Option<&'a [u8]>,
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|chunk| u16::from_le_bytes(*chunk))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|chunk| u32::from_le_bytes(*chunk))
}

impl<'a> Frame<'a> {
    /// Checks a whole frame: ranges, indexes, text.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, FrameError> {
        if bytes.is_empty() {
            return Ok(Frame::default());
        }
        let frame = Frame::parse_sections(bytes)?;
        let mut origin = None;
        for index in 0..frame.len() {
            frame.check(index, origin).map_err(|what| FrameError::Record { record: index, what })?;
            origin = Some(frame.record(index).origin);
        }
        Ok(frame)
    }

    fn parse_sections(bytes: &'a [u8]) -> Result<Self, FrameError> {
        if bytes.len() > MAX_FRAME {
            return Err(FrameError::TooLarge(bytes.len()));
        }
        let header: &[u8; HEADER] = bytes.first_chunk().ok_or(FrameError::Length { stated: HEADER, actual: bytes.len() })?;
        let word = |at: usize| u32_at(header, at).unwrap_or(0) as usize;
        if header[..4] != MAGIC {
            return Err(FrameError::Magic);
        }
        if word(4) != bytes.len() {
            return Err(FrameError::Length { stated: word(4), actual: bytes.len() });
        }
        let entry_size = u16_at(header, 12).unwrap_or(0) as usize;
        if entry_size < SINK_ENTRY || !entry_size.is_multiple_of(8) {
            return Err(FrameError::EntrySize(entry_size));
        }
        let encoding = |at: usize| Encoding::from_byte(header[at]).ok_or(FrameError::Encoding(header[at]));
        let encodings = Encodings { key: encoding(16)?, value: encoding(17)?, headers: encoding(18)? };
        let boundary = Boundary::from_bits(header[14].into()).ok_or(FrameError::Flags(header[14]))?;
        let entries = word(8)
            .checked_mul(entry_size)
            .and_then(|length| bytes.get(HEADER..HEADER.checked_add(length)?))
            .ok_or(FrameError::Table { table: "record" })?;
        let data = bytes.get(word(32)..).filter(|_| word(32) >= HEADER + entries.len());
        Ok(Frame {
            entries,
            entry_size,
            data: data.ok_or(FrameError::Table { table: "data" })?,
            encodings,
            boundary,
            strings: texts(bytes, word(20), "strings", usize::from(NONE))?,
            schemas: schemas(bytes, word(24))?,
            partitions: texts(bytes, word(28), "partition", bytes.len())?,
        })
    }

    /// What `record` relies on. `before` is the origin of the record before this one.
    fn check(&self, index: usize, before: Option<u32>) -> Result<(), &'static str> {
        let entry = self.entry(index);
        let topic = word16(entry, 24);
        if usize::from(topic) >= self.strings.len() {
            return Err("topic index out of range");
        }
        let attributes = word16(entry, 26);
        if attributes & !0b1111 != 0 || Boundary::from_bits(attributes >> 2).is_none() {
            return Err("unknown attributes");
        }
        for schema in [word16(entry, 28), word16(entry, 30)] {
            if schema != NONE && usize::from(schema) >= self.schemas.len() {
                return Err("schema index out of range");
            }
        }
        let (key, value) = (word32(entry, 36) as i32, word32(entry, 40) as i32);
        if key < -1 || value < -1 {
            return Err("negative length");
        }
        let start = word32(entry, 32) as usize;
        let key_end = start.checked_add(key.max(0) as usize).ok_or("payload out of range")?;
        let value_end = key_end.checked_add(value.max(0) as usize).ok_or("payload out of range")?;
        let headers_end = value_end.checked_add(word32(entry, 44) as usize).ok_or("payload out of range")?;
        let headers = self.data.get(value_end..headers_end).ok_or("payload out of range")?;
        if self.encodings.key == Encoding::Json && std::str::from_utf8(&self.data[start..key_end]).is_err() {
            return Err("key is not UTF-8");
        }
        if self.encodings.value == Encoding::Json && std::str::from_utf8(&self.data[key_end..value_end]).is_err() {
            return Err("value is not UTF-8");
        }
        if !headers.is_empty() {
            self.check_headers(headers)?;
        }
        self.check_source(index)?;
        let origin = word32(entry, 20);
        match before {
            Some(before) if origin <= before && !(origin == 0 && before == 0) => Err("origins are not increasing"),
            _ => Ok(()),
        }
    }

    fn check_headers(&self, bytes: &'a [u8]) -> Result<(), &'static str> {
        let mut headers = Headers::new(bytes);
        let stated = headers.remaining;
        let mut seen = 0;
        while let Some(header) = headers.next() {
            seen += 1;
            if usize::from(header.name) >= self.strings.len() {
                return Err("header name out of range");
            }
            if header.schema.is_some_and(|schema| usize::from(schema) >= self.schemas.len()) {
                return Err("header schema out of range");
            }
            if self.encodings.headers == Encoding::Json
                && header.value.is_some_and(|value| std::str::from_utf8(value).is_err())
            {
                return Err("header is not UTF-8");
            }
        }
        if seen == stated && headers.bytes.is_empty() { Ok(()) } else { Err("headers out of range") }
    }

    fn check_source(&self, index: usize) -> Result<(), &'static str> {
        if self.entry_size < SOURCE_ENTRY {
            return Ok(());
        }
        let at = index * self.entry_size;
        let Some(source) = self.entries.get(at + SINK_ENTRY..at + SOURCE_ENTRY) else {
            return Err("entry out of range");
        };
        let partition = u32_at(source, 0).unwrap_or(0) as usize;
        let start = u32_at(source, 4).unwrap_or(0) as usize;
        let length = u32_at(source, 8).unwrap_or(0) as usize;
        if length == 0 {
            return Ok(());
        }
        if partition >= self.partitions.len() {
            return Err("source partition out of range");
        }
        let offset = start.checked_add(length).and_then(|end| self.data.get(start..end)).ok_or("source offset out of range")?;
        std::str::from_utf8(offset).map(|_| ()).map_err(|_| "source offset is not UTF-8")
    }

    pub fn len(&self) -> usize {
        self.entries.len().checked_div(self.entry_size).unwrap_or(0)
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn encodings(&self) -> Encodings {
        self.encodings
    }

    /// What a source wants of its transaction after this batch.
    pub fn boundary(&self) -> Boundary {
        self.boundary
    }

    /// Id and JSON text of each schema.
    pub fn schemas(&self) -> &[(u64, &'a str)] {
        &self.schemas
    }

    pub fn schema(&self, index: u16) -> (u64, &'a str) {
        self.schemas[usize::from(index)]
    }

    /// JSON texts.
    pub fn source_partitions(&self) -> &[&'a str] {
        &self.partitions
    }

    pub fn source_partition(&self, index: u32) -> &'a str {
        self.partitions[index as usize]
    }

    pub fn header_name(&self, index: u16) -> &'a str {
        self.strings[usize::from(index)]
    }

    fn entry(&self, index: usize) -> &'a [u8; SINK_ENTRY] {
        let at = index * self.entry_size;
        self.entries[at..].first_chunk().expect("entries are at least this long, as parse has checked")
    }

    /// # Panics
    /// If there are not that many records.
    pub fn record(&self, index: usize) -> Entry<'a> {
        let entry = self.entry(index);
        let at = word64(entry, 0) as i64;
        let attributes = word16(entry, 26);
        let topic_index = word16(entry, 24);
        let (key, value) = (word32(entry, 36) as i32, word32(entry, 40) as i32);
        let start = word32(entry, 32) as usize;
        let key_end = start + key.max(0) as usize;
        let value_end = key_end + value.max(0) as usize;
        let headers = word32(entry, 44) as usize;
        let schema = |at: usize| Some(word16(entry, at)).filter(|index| *index != NONE);
        Entry {
            timestamp: match attributes & 0b11 {
                0 => Timestamp::None,
                1 => Timestamp::Create(at),
                2 => Timestamp::LogAppend(at),
                _ => Timestamp::Arrival,
            },
            offset: Some(word64(entry, 8) as i64).filter(|offset| *offset >= 0),
            partition: Some(word32(entry, 16) as i32).filter(|partition| *partition >= 0),
            origin: word32(entry, 20),
            topic_index,
            topic: self.strings[usize::from(topic_index)],
            boundary: Boundary::from_bits(attributes >> 2).unwrap_or_default(),
            key: (key >= 0).then(|| &self.data[start..key_end]),
            value: (value >= 0).then(|| &self.data[key_end..value_end]),
            key_schema: schema(28),
            value_schema: schema(30),
            headers: Headers::new(&self.data[value_end..value_end + headers]),
            source: self.source(index),
        }
    }

    fn source(&self, index: usize) -> Option<SourceCoordinates<'a>> {
        if self.entry_size < SOURCE_ENTRY {
            return None;
        }
        let source = self.entries[index * self.entry_size + SINK_ENTRY..].first_chunk::<16>()?;
        let start = u32_at(source, 4)? as usize;
        let length = u32_at(source, 8)? as usize;
        if length == 0 {
            return None;
        }
        // SAFETY is not at stake: the text was checked by `parse`, and is checked again here, being short.
        let offset = std::str::from_utf8(&self.data[start..start + length]).ok()?;
        Some(SourceCoordinates { partition: u32_at(source, 0)?, offset })
    }

    pub fn records(&self) -> impl ExactSizeIterator<Item = Entry<'a>> + '_ {
        (0..self.len()).map(|index| self.record(index))
    }
}

fn word16(entry: &[u8; SINK_ENTRY], at: usize) -> u16 {
    u16::from_le_bytes([entry[at], entry[at + 1]])
}

fn word32(entry: &[u8; SINK_ENTRY], at: usize) -> u32 {
    u32::from_le_bytes([entry[at], entry[at + 1], entry[at + 2], entry[at + 3]])
}

fn word64(entry: &[u8; SINK_ENTRY], at: usize) -> u64 {
    u64::from(word32(entry, at)) | u64::from(word32(entry, at + 4)) << 32
}

/// The entries of a table: `u32 n`, then n times `u32 length` and that many bytes.
fn table<'a>(bytes: &'a [u8], at: usize, table: &'static str, most: usize) -> Result<Vec<&'a [u8]>, FrameError> {
    let wrong = FrameError::Table { table };
    if at == 0 {
        return Ok(Vec::new());
    }
    let count = u32_at(bytes, at).ok_or_else(|| wrong.clone())? as usize;
    // Each entry takes at least its length: a count that cannot be is refused before anything is reserved for it.
    if at < HEADER || count > most || count > (bytes.len() - at) / 4 {
        return Err(wrong);
    }
    let mut entries = Vec::with_capacity(count);
    let mut at = at + 4;
    for _ in 0..count {
        let length = u32_at(bytes, at).ok_or_else(|| wrong.clone())? as usize;
        let end = (at + 4).checked_add(length).ok_or_else(|| wrong.clone())?;
        entries.push(bytes.get(at + 4..end).ok_or_else(|| wrong.clone())?);
        at = end;
    }
    Ok(entries)
}

fn texts<'a>(bytes: &'a [u8], at: usize, name: &'static str, most: usize) -> Result<Vec<&'a str>, FrameError> {
    let entries = table(bytes, at, name, most)?;
    entries.into_iter().map(|entry| std::str::from_utf8(entry).map_err(|_| FrameError::TableText { table: name })).collect()
}

fn schemas(bytes: &[u8], at: usize) -> Result<Vec<(u64, &str)>, FrameError> {
    let entries = table(bytes, at, "schema", usize::from(NONE))?;
    let split = |entry| {
        let (id, text): (&[u8; 8], &[u8]) = <[u8]>::split_first_chunk(entry).ok_or(FrameError::Table { table: "schema" })?;
        let text = std::str::from_utf8(text).map_err(|_| FrameError::TableText { table: "schema" })?;
        Ok((u64::from_le_bytes(*id), text))
    };
    entries.into_iter().map(split).collect()
}

impl<'a> Headers<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        match bytes.split_first_chunk() {
            Some((count, bytes)) => Headers { remaining: u16::from_le_bytes(*count), bytes, _private: () },
            None => Headers { remaining: 0, bytes: &[], _private: () },
        }
    }

    pub fn is_empty(&self) -> bool {
        self.remaining == 0
    }
}

impl<'a> Iterator for Headers<'a> {
    type Item = HeaderEntry<'a>;

    fn next(&mut self) -> Option<HeaderEntry<'a>> {
        if self.remaining == 0 {
            return None;
        }
        let (fixed, rest) = self.bytes.split_first_chunk::<8>()?;
        let length = i32::from_le_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]);
        let (value, rest) = match usize::try_from(length) {
            Ok(length) => rest.split_at_checked(length).map(|(value, rest)| (Some(value), rest))?,
            Err(_) if length == -1 => (None, rest),
            Err(_) => return None,
        };
        self.remaining -= 1;
        self.bytes = rest;
        let schema = u16::from_le_bytes([fixed[2], fixed[3]]);
        Some(HeaderEntry {
            name: u16::from_le_bytes([fixed[0], fixed[1]]),
            schema: Some(schema).filter(|schema| *schema != NONE),
            value,
        })
    }
}

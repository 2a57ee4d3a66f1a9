//! Whether the records of a frame can be trusted.

use super::entry::{Raw, slice};
use super::read::Frame;
use super::table::Cursor;
use super::{Encoding, FrameError, NO_SCHEMA};

impl Frame<'_> {
    pub(super) fn check_records(&self) -> Result<(), FrameError> {
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
}

fn check_text(record: usize, what: &'static str, bytes: Option<&[u8]>) -> Result<(), FrameError> {
    match bytes {
        Some(bytes) if std::str::from_utf8(bytes).is_err() => Err(FrameError::Text { record, what }),
        Some(_) | None => Ok(()),
    }
}

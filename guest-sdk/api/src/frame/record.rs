//! Writing the payloads of a record in place.

use super::write::{FrameBuilder, Lengths, RecordHead};
use super::{FrameError, SourceCoordinates};

/// A record whose payloads are being written into the frame. Dropped before [`RecordWriter::finish`] it leaves no trace.
///
/// What is written out of the order key, value, headers is a mistake of the caller and panics.
#[derive(Debug)]
pub struct RecordWriter<'b> {
    builder: &'b mut FrameBuilder,
    start: usize,
    lengths: Lengths,
    headers: u16,
    done: bool,
}

impl<'b> RecordWriter<'b> {
    pub(super) fn new(builder: &'b mut FrameBuilder) -> Self {
        RecordWriter {
            start: builder.buffer.len(),
            lengths: Lengths::NONE,
            headers: 0,
            done: false,
            builder,
        }
    }

    /// Writes the key; without this call it is null.
    pub fn key(&mut self, key: Option<&[u8]>) {
        assert!(self.builder.buffer.len() == self.start, "the key comes first");
        if let Some(key) = key {
            self.builder.buffer.extend_from_slice(key);
            self.lengths.key = key.len() as i32;
        }
    }

    /// Lets `write` append the key; it returns false if the key is null.
    pub fn key_with<E>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<bool, E>) -> Result<(), E> {
        assert!(self.builder.buffer.len() == self.start, "the key comes first");
        self.lengths.key = append(&mut self.builder.buffer, write)?;
        Ok(())
    }

    /// Writes the value; without this call it is null.
    pub fn value(&mut self, value: Option<&[u8]>) {
        assert!(self.lengths.headers == 0, "the value comes before the headers");
        if let Some(value) = value {
            self.builder.buffer.extend_from_slice(value);
            self.lengths.value = value.len() as i32;
        }
    }

    /// Lets `write` append the value; it returns false if the value is null.
    pub fn value_with<E>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<bool, E>) -> Result<(), E> {
        assert!(self.lengths.headers == 0, "the value comes before the headers");
        self.lengths.value = append(&mut self.builder.buffer, write)?;
        Ok(())
    }

    /// Adds a header.
    pub fn header(&mut self, name: u16, schema: Option<u16>, value: Option<&[u8]>) -> Result<(), FrameError> {
        self.header_with(name, schema, |out| {
            out.extend_from_slice(value.unwrap_or_default());
            Ok(value.is_some())
        })
    }

    /// Adds a header whose value `write` appends; it returns false if the value is null.
    pub fn header_with<E: From<FrameError>>(
        &mut self,
        name: u16,
        schema: Option<u16>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<bool, E>,
    ) -> Result<(), E> {
        let at = self.builder.buffer.len();
        let count = self.headers.checked_add(1).ok_or(FrameError::Headers {
            record: self.builder.records,
        })?;
        if self.headers == 0 {
            self.builder.buffer.extend_from_slice(&[0, 0]);
        }
        let written = self.write_header(name, schema, write);
        if written.is_err() {
            self.builder.buffer.truncate(at);
            return written;
        }
        self.headers = count;
        self.lengths.headers += (self.builder.buffer.len() - at) as u32;
        Ok(())
    }

    fn write_header<E: From<FrameError>>(
        &mut self,
        name: u16,
        schema: Option<u16>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<bool, E>,
    ) -> Result<(), E> {
        self.builder.write_header_head(name, schema, None)?;
        let length_at = self.builder.buffer.len() - 4;
        let length = append(&mut self.builder.buffer, write)?;
        self.builder.buffer[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
        Ok(())
    }

    /// Adds the record to the frame.
    pub fn finish(mut self, head: RecordHead, source: Option<SourceCoordinates<'_>>) -> Result<(), FrameError> {
        if self.headers > 0 {
            let at = self.builder.buffer.len() - self.lengths.headers as usize;
            self.builder.buffer[at..at + 2].copy_from_slice(&self.headers.to_le_bytes());
        }
        self.builder.close_record(self.start, self.lengths, &head, source)?;
        self.done = true;
        Ok(())
    }
}

impl Drop for RecordWriter<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.builder.buffer.truncate(self.start);
        }
    }
}

/// Lets `write` append to `out`, and returns how much that was: -1 if it was nothing because of null.
fn append<E>(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Result<bool, E>) -> Result<i32, E> {
    let at = out.len();
    let written = write(out);
    if matches!(written, Ok(true)) {
        return Ok((out.len() - at) as i32);
    }
    out.truncate(at);
    written.map(|_| -1)
}

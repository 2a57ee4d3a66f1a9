//! The three tables of a frame: strings, schemas, source partitions.

use std::collections::HashMap;

use super::FrameError;

/// A reader of little-endian numbers and ranges that ends at the end of its bytes.
pub(super) struct Cursor<'a> {
    pub bytes: &'a [u8],
    pub at: usize,
}

impl<'a> Cursor<'a> {
    pub fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..self.at.checked_add(length)?)?;
        self.at += length;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let taken = self.bytes.get(self.at..)?.first_chunk::<N>()?;
        self.at += N;
        Some(*taken)
    }

    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_le_bytes)
    }
}

/// Reads the table at `at`, whose bytes end before `end`; returns the entries and where it ends.
pub(super) fn read<'a>(
    frame: &'a [u8],
    at: usize,
    end: usize,
    limit: usize,
    name: &'static str,
) -> Result<(Vec<&'a [u8]>, usize), FrameError> {
    let bytes = frame.get(..end).ok_or(FrameError::Section(name))?;
    let mut cursor = Cursor { bytes, at };
    let count = cursor.u32().ok_or(FrameError::Table(name))? as usize;
    if count > limit {
        return Err(FrameError::TableSize(name));
    }
    // Every entry takes four bytes at least, so a hostile count cannot make us allocate more than the frame allows.
    let mut entries = Vec::with_capacity(count.min((end - at) / 4));
    for _ in 0..count {
        let length = cursor.u32().ok_or(FrameError::Table(name))?;
        entries.push(cursor.take(length as usize).ok_or(FrameError::Table(name))?);
    }
    Ok((entries, cursor.at))
}

/// Below this many entries a scan beats hashing.
const SCANNED: usize = 8;

/// A table under construction, kept in the form in which it stands in the frame.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Entries, each behind its length, without the leading count.
    bytes: Vec<u8>,
    /// Where the content of each entry starts in `bytes`.
    starts: Vec<usize>,
    /// Filled once there are more than [`SCANNED`] entries.
    index: HashMap<Box<[u8]>, u32>,
    last: usize,
}

impl Table {
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.starts.clear();
        self.index.clear();
        self.last = 0;
    }

    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Bytes that [`Table::write`] writes.
    pub fn encoded_len(&self) -> usize {
        4 + self.bytes.len()
    }

    fn entry(&self, index: usize) -> &[u8] {
        let start = self.starts[index];
        let end = self.starts.get(index + 1).map_or(self.bytes.len(), |next| next - 4);
        &self.bytes[start..end]
    }

    /// The index of an entry made of `head` and `tail`, which is added if it is not there; `None` beyond `limit`.
    pub fn intern(&mut self, head: &[u8], tail: &[u8], limit: usize) -> Option<u32> {
        if self.last < self.len() && is(self.entry(self.last), head, tail) {
            return Some(self.last as u32);
        }
        let known = if self.len() <= SCANNED {
            (0..self.len()).find(|i| is(self.entry(*i), head, tail))
        } else {
            let key: Vec<u8> = [head, tail].concat();
            self.index.get(key.as_slice()).map(|i| *i as usize)
        };
        self.last = match known {
            Some(index) => index,
            None => self.add(head, tail, limit)?,
        };
        Some(self.last as u32)
    }

    fn add(&mut self, head: &[u8], tail: &[u8], limit: usize) -> Option<usize> {
        let index = self.len();
        let length = head.len() + tail.len();
        if index >= limit || self.bytes.len() + length > super::MAX_FRAME {
            return None;
        }
        self.bytes.extend_from_slice(&(length as u32).to_le_bytes());
        self.starts.push(self.bytes.len());
        self.bytes.extend_from_slice(head);
        self.bytes.extend_from_slice(tail);
        if index == SCANNED {
            for known in 0..=index {
                self.index.insert(self.entry(known).into(), known as u32);
            }
        } else if index > SCANNED {
            self.index.insert(self.entry(index).into(), index as u32);
        }
        Some(index)
    }

    /// Writes the table at the start of `out` and returns its length.
    pub fn write(&self, out: &mut [u8]) -> usize {
        out[..4].copy_from_slice(&(self.len() as u32).to_le_bytes());
        out[4..4 + self.bytes.len()].copy_from_slice(&self.bytes);
        self.encoded_len()
    }
}

fn is(entry: &[u8], head: &[u8], tail: &[u8]) -> bool {
    entry.len() == head.len() + tail.len() && entry.starts_with(head) && entry.ends_with(tail)
}

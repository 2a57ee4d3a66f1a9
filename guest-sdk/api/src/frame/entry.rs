//! One record of a frame, as numbers and as what they mean.

use super::table::Cursor;
use super::{Boundary, ENTRY, NO_PARTITION, NO_SCHEMA, SOURCE_ENTRY, SourceCoordinates, Timestamp};

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
pub(super) struct Raw {
    pub timestamp: i64,
    pub offset: i64,
    pub partition: i32,
    pub origin: u32,
    pub topic: u16,
    pub attributes: u16,
    pub key_schema: u16,
    pub value_schema: u16,
    pub start: u32,
    pub key: i32,
    pub value: i32,
    pub headers: u32,
    /// Partition, start and length of the offset text.
    pub source: Option<(u32, u32, u32)>,
}

impl Raw {
    #[inline]
    pub fn read(entry: &[u8]) -> Option<Raw> {
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
pub(super) fn u16_at<const N: usize>(e: &[u8; N], at: usize) -> u16 {
    u16::from_le_bytes([e[at], e[at + 1]])
}

#[inline(always)]
pub(super) fn u32_at<const N: usize>(e: &[u8; N], at: usize) -> u32 {
    u32::from_le_bytes([e[at], e[at + 1], e[at + 2], e[at + 3]])
}

#[inline(always)]
pub(super) fn i64_at<const N: usize>(e: &[u8; N], at: usize) -> i64 {
    (u64::from(u32_at(e, at)) | u64::from(u32_at(e, at + 4)) << 32) as i64
}

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
    pub(super) fn new(bytes: &'a [u8], strings: &'a [&'a str]) -> Self {
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

#[inline]
pub(super) fn slice(data: &[u8], start: usize, length: i32) -> Option<&[u8]> {
    usize::try_from(length).ok().map(|length| &data[start..start + length])
}

pub(super) fn schema_index(index: u16) -> Option<u16> {
    (index != NO_SCHEMA).then_some(index)
}

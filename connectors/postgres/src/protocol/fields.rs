//! Reading the fields of a message. Whatever a server sends, this ends in a value or an error.

use crate::error::{Error, Result};

/// What is left of a message.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

fn short() -> Error {
    Error::Protocol("a message ends in the middle of a field".into())
}

impl<'a> Fields<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Fields { rest: bytes }
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[inline]
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or_else(short)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>().ok_or_else(short)?;
        self.rest = rest;
        Ok(*bytes)
    }

    #[inline]
    pub fn byte(&mut self) -> Result<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    #[inline]
    pub fn int16(&mut self) -> Result<i16> {
        self.array().map(i16::from_be_bytes)
    }

    #[inline]
    pub fn int32(&mut self) -> Result<i32> {
        self.array().map(i32::from_be_bytes)
    }

    #[inline]
    pub fn int64(&mut self) -> Result<i64> {
        self.array().map(i64::from_be_bytes)
    }

    /// A number of things that follow; negative ones are none.
    pub fn count16(&mut self) -> Result<usize> {
        Ok(usize::try_from(self.int16()?).unwrap_or(0))
    }

    /// The length of what follows; `None` for -1.
    #[inline]
    pub fn length32(&mut self) -> Result<Option<usize>> {
        match self.int32()? {
            -1 => Ok(None),
            length => usize::try_from(length)
                .map(Some)
                .map_err(|_| Error::Protocol("a field has a negative length".into())),
        }
    }

    /// Text up to a zero byte.
    pub fn text(&mut self) -> Result<&'a str> {
        let end = memchr::memchr(0, self.rest).ok_or_else(short)?;
        let text = std::str::from_utf8(&self.rest[..end]).map_err(|_| Error::Protocol("a text is not UTF-8".into()))?;
        self.rest = &self.rest[end + 1..];
        Ok(text)
    }
}

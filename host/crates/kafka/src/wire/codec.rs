//! Kafka's primitive types, in both spellings: the classic one with fixed lengths, and the *flexible* one (KIP-482) with
//! lengths in as few bytes as they need and tagged fields at the end of each structure.

use crate::error::{ErrorCode, KafkaError};

/// An answer that cannot be read.
pub(crate) fn malformed(what: &str) -> KafkaError {
    KafkaError::with_message(ErrorCode::BAD_MESSAGE, format!("answer cannot be read: {what}"))
}

pub(crate) type Read<T> = Result<T, KafkaError>;

/// Reads an answer. Every length is checked against the bytes that are there.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    /// Bytes at the beginning, those that were read included.
    whole: usize,
    flexible: bool,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], flexible: bool) -> Self {
        Reader {
            bytes,
            whole: bytes.len(),
            flexible,
        }
    }

    fn take(&mut self, length: usize) -> Read<&'a [u8]> {
        let (taken, rest) = self
            .bytes
            .split_at_checked(length)
            .ok_or_else(|| malformed("it ends too early"))?;
        self.bytes = rest;
        Ok(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Read<[u8; N]> {
        let (taken, rest) = self
            .bytes
            .split_first_chunk()
            .ok_or_else(|| malformed("it ends too early"))?;
        self.bytes = rest;
        Ok(*taken)
    }

    pub(crate) fn bool(&mut self) -> Read<bool> {
        Ok(self.fixed::<1>()? != [0])
    }

    pub(crate) fn i16(&mut self) -> Read<i16> {
        Ok(i16::from_be_bytes(self.fixed()?))
    }

    pub(crate) fn i32(&mut self) -> Read<i32> {
        Ok(i32::from_be_bytes(self.fixed()?))
    }

    pub(crate) fn i64(&mut self) -> Read<i64> {
        Ok(i64::from_be_bytes(self.fixed()?))
    }

    /// An unsigned number of up to 32 bits, seven to the byte.
    pub(crate) fn id(&mut self) -> Read<[u8; 16]> {
        self.fixed()
    }

    fn varint(&mut self) -> Read<u32> {
        let mut value = 0_u32;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.fixed()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(malformed("a number is too long"))
    }

    /// A length, absent for null. `classic` reads the fixed spelling.
    fn length(&mut self, classic: impl FnOnce(&mut Self) -> Read<i32>) -> Read<Option<usize>> {
        if self.flexible {
            // 0 is null, and lengths are one more than they are.
            return Ok((self.varint()? as usize).checked_sub(1));
        }
        match classic(self)? {
            -1 => Ok(None),
            length => Ok(Some(
                usize::try_from(length).map_err(|_| malformed("a length is negative"))?,
            )),
        }
    }

    pub(crate) fn nullable_string(&mut self) -> Read<Option<String>> {
        let Some(length) = self.length(|reader| Ok(i32::from(reader.i16()?)))? else {
            return Ok(None);
        };
        let text = std::str::from_utf8(self.take(length)?).map_err(|_| malformed("a text is not UTF-8"))?;
        Ok(Some(text.to_owned()))
    }

    pub(crate) fn string(&mut self) -> Read<String> {
        self.nullable_string()?.ok_or_else(|| malformed("a text is missing"))
    }

    pub(crate) fn nullable_bytes(&mut self) -> Read<Option<Vec<u8>>> {
        match self.length(Self::i32)? {
            Some(length) => Ok(Some(self.take(length)?.to_vec())),
            None => Ok(None),
        }
    }

    /// Null reads as empty: brokers send null beside an error code where the schema says otherwise.
    pub(crate) fn bytes(&mut self) -> Read<Vec<u8>> {
        Ok(self.nullable_bytes()?.unwrap_or_default())
    }

    /// Where bytes stand that are not copied. Null reads as empty.
    pub(crate) fn place(&mut self) -> Read<std::ops::Range<usize>> {
        let length = self.length(Self::i32)?.unwrap_or(0);
        self.take(length)?;
        let end = self.whole - self.bytes.len();
        Ok(end - length..end)
    }

    /// Null reads as empty.
    pub(crate) fn array<T>(&mut self, mut element: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let count = self.length(Self::i32)?.unwrap_or(0);
        // Every element takes a byte at least.
        if count > self.bytes.len() {
            return Err(malformed("an array is longer than the answer"));
        }
        // Grows with what is read: a small answer cannot make a large reservation.
        let mut elements = Vec::new();
        for _ in 0..count {
            elements.push(element(self)?);
        }
        Ok(elements)
    }

    /// The end of a structure: skips tagged fields, none of which matter here.
    pub(crate) fn end(&mut self) -> Read<()> {
        if !self.flexible {
            return Ok(());
        }
        for _ in 0..self.varint()? {
            self.varint()?;
            let length = self.varint()? as usize;
            self.take(length)?;
        }
        Ok(())
    }
}

/// Writes a request.
pub(crate) struct Writer {
    pub(crate) bytes: Vec<u8>,
    flexible: bool,
}

impl Writer {
    pub(crate) fn new(bytes: Vec<u8>, flexible: bool) -> Self {
        Writer { bytes, flexible }
    }

    pub(crate) fn bool(&mut self, value: bool) {
        self.bytes.push(u8::from(value));
    }

    pub(crate) fn i8(&mut self, value: i8) {
        self.bytes.extend(value.to_be_bytes());
    }

    pub(crate) fn i16(&mut self, value: i16) {
        self.bytes.extend(value.to_be_bytes());
    }

    pub(crate) fn i32(&mut self, value: i32) {
        self.bytes.extend(value.to_be_bytes());
    }

    pub(crate) fn i64(&mut self, value: i64) {
        self.bytes.extend(value.to_be_bytes());
    }

    pub(crate) fn id(&mut self, value: &[u8; 16]) {
        self.bytes.extend_from_slice(value);
    }

    fn varint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    fn length(&mut self, length: usize) {
        // A request is far smaller than this; the frame around it says its length in 31 bits.
        self.varint(u32::try_from(length + 1).unwrap_or(u32::MAX));
    }

    /// A text; what exceeds its longest form is cut off, which only reasons for the log ever do.
    pub(crate) fn string(&mut self, text: &str) {
        let text = &text[..text.floor_char_boundary(i16::MAX as usize)];
        if self.flexible {
            self.length(text.len());
        } else {
            self.i16(text.len() as i16);
        }
        self.bytes.extend(text.as_bytes());
    }

    pub(crate) fn null_string(&mut self) {
        if self.flexible {
            self.varint(0);
        } else {
            self.i16(-1);
        }
    }

    pub(crate) fn nullable_string(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.string(text),
            None => self.null_string(),
        }
    }

    pub(crate) fn null_array(&mut self) {
        if self.flexible {
            self.varint(0);
        } else {
            self.i32(-1);
        }
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        if self.flexible {
            self.length(bytes.len());
        } else {
            self.i32(i32::try_from(bytes.len()).unwrap_or(i32::MAX));
        }
        self.bytes.extend(bytes);
    }

    pub(crate) fn array<T>(&mut self, elements: &[T], mut element: impl FnMut(&mut Self, &T)) {
        if self.flexible {
            self.length(elements.len());
        } else {
            self.i32(i32::try_from(elements.len()).unwrap_or(i32::MAX));
        }
        for one in elements {
            element(self, one);
        }
    }

    /// The end of a structure: no tagged fields.
    pub(crate) fn end(&mut self) {
        if self.flexible {
            self.varint(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A structure with everything in it.
    #[derive(Debug, PartialEq)]
    struct All {
        numbers: (i16, i32, i64, bool),
        texts: (Option<String>, String),
        bytes: Vec<u8>,
        array: Vec<i32>,
    }

    fn read_all(bytes: &[u8], flexible: bool) -> Read<All> {
        let mut reader = Reader::new(bytes, flexible);
        let all = All {
            numbers: (reader.i16()?, reader.i32()?, reader.i64()?, reader.bool()?),
            texts: (reader.nullable_string()?, reader.string()?),
            bytes: reader.bytes()?,
            array: reader.array(Reader::i32)?,
        };
        reader.end()?;
        Ok(all)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            numbers in (any::<i16>(), any::<i32>(), any::<i64>(), any::<bool>()),
            text in ".{0,300}",
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
            array in proptest::collection::vec(any::<i32>(), 0..300),
            flexible in any::<bool>(),
        ) {
            let mut writer = Writer::new(Vec::new(), flexible);
            writer.i16(numbers.0);
            writer.i32(numbers.1);
            writer.i64(numbers.2);
            writer.i8(i8::from(numbers.3));
            writer.null_string();
            writer.string(&text);
            writer.bytes(&bytes);
            writer.array(&array, |writer, number| writer.i32(*number));
            writer.end();
            let read = read_all(&writer.bytes, flexible).unwrap();
            prop_assert_eq!(read, All { numbers, texts: (None, text), bytes, array });
        }

        #[test]
        fn garbage_is_an_error_and_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), flexible in any::<bool>()) {
            let _ = read_all(&bytes, flexible);
        }
    }

    #[test]
    fn a_claimed_length_is_not_believed() {
        for bytes in [&[0x7f, 0xff, 0xff, 0xff, 0, 0][..], &[0x80, 0, 0, 0]] {
            assert!(Reader::new(bytes, false).array(Reader::i32).is_err());
            assert!(Reader::new(bytes, false).bytes().is_err());
        }
        assert!(
            Reader::new(&[0xff, 0xff, 0xff, 0xff, 0x0f, 1], true)
                .array(Reader::bool)
                .is_err()
        );
        assert!(Reader::new(&[0xff; 10], true).string().is_err());
        // Tagged fields without end.
        assert!(
            Reader::new(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0, 0], true)
                .end()
                .is_err()
        );
    }
}

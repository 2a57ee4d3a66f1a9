//! Kafka's classic primitive types out of bytes from elsewhere. Nothing is allocated for a length before as many bytes
//! have been seen.

use super::Malformed;

pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    pub fn at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn i16(&mut self, field: &'static str) -> Result<i16, Malformed> {
        self.array(field).map(i16::from_be_bytes)
    }

    pub fn i32(&mut self, field: &'static str) -> Result<i32, Malformed> {
        self.array(field).map(i32::from_be_bytes)
    }

    pub fn i64(&mut self, field: &'static str) -> Result<i64, Malformed> {
        self.array(field).map(i64::from_be_bytes)
    }

    pub fn string(&mut self, field: &'static str) -> Result<String, Malformed> {
        let length = usize::try_from(self.i16(field)?).map_err(|_| Malformed {
            field,
            problem: "a null string",
        })?;
        // Java replaces what is no UTF-8 as well.
        Ok(String::from_utf8_lossy(self.take(length, field)?).into_owned())
    }

    pub fn nullable_bytes(&mut self, field: &'static str) -> Result<Option<&'a [u8]>, Malformed> {
        match usize::try_from(self.i32(field)?) {
            Ok(length) => self.take(length, field).map(Some),
            Err(_) => Ok(None),
        }
    }

    /// The number of elements of an array; a null array has none.
    pub fn count(&mut self, field: &'static str) -> Result<usize, Malformed> {
        Ok(usize::try_from(self.i32(field)?).unwrap_or(0))
    }

    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], Malformed> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(N, field)?);
        Ok(bytes)
    }

    fn take(&mut self, length: usize, field: &'static str) -> Result<&'a [u8], Malformed> {
        let Some((taken, rest)) = self.rest.split_at_checked(length) else {
            return Err(Malformed {
                field,
                problem: "an early end",
            });
        };
        self.rest = rest;
        Ok(taken)
    }
}

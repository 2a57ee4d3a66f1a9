//! Kafka's classic primitive types into bytes.

#[derive(Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub fn i16(&mut self, value: i16) -> &mut Self {
        self.bytes.extend(value.to_be_bytes());
        self
    }

    pub fn i32(&mut self, value: i32) -> &mut Self {
        self.bytes.extend(value.to_be_bytes());
        self
    }

    pub fn i64(&mut self, value: i64) -> &mut Self {
        self.bytes.extend(value.to_be_bytes());
        self
    }

    /// A string of at most 32767 bytes, which is more than a connector's name or a URL may have; what is longer is cut.
    pub fn string(&mut self, text: &str) -> &mut Self {
        let mut end = text.len().min(i16::MAX as usize);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.i16(i16::try_from(end).unwrap_or(i16::MAX));
        self.bytes.extend(&text.as_bytes()[..end]);
        self
    }

    pub fn nullable_bytes(&mut self, bytes: Option<&[u8]>) -> &mut Self {
        match bytes {
            Some(bytes) => {
                self.count(bytes.len());
                self.bytes.extend(bytes);
            }
            None => {
                self.i32(-1);
            }
        }
        self
    }

    pub fn count(&mut self, count: usize) -> &mut Self {
        self.i32(i32::try_from(count).unwrap_or(i32::MAX))
    }

    pub fn done(self) -> Vec<u8> {
        self.bytes
    }
}

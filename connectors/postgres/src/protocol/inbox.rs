//! Bytes that have come in, cut into messages.

use std::ops::Range;

use crate::error::{Error, Result};

/// A message larger than this is refused: it would not leave room for the record that is made of it.
const MAX_MESSAGE: usize = 96 << 20;

/// What was read and not taken yet.
#[derive(Debug, Default)]
pub struct Inbox {
    bytes: Vec<u8>,
    at: usize,
}

impl Inbox {
    /// Adds what has come.
    pub fn push(&mut self, bytes: Vec<u8>) {
        if self.at == self.bytes.len() {
            self.bytes = bytes;
            self.at = 0;
            return;
        }
        self.bytes.drain(..self.at);
        self.at = 0;
        self.bytes.extend_from_slice(&bytes);
    }

    /// Tag and body of the next whole message.
    pub fn take(&mut self) -> Result<Option<(u8, Range<usize>)>> {
        let Some(head) = self.bytes[self.at..].first_chunk::<5>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        if !(4..=MAX_MESSAGE).contains(&length) {
            return Err(Error::Protocol(format!(
                "a message of {length} bytes, at most {MAX_MESSAGE} can be taken"
            )));
        }
        let (start, end) = (self.at + 5, self.at + 1 + length);
        if self.bytes.len() < end {
            return Ok(None);
        }
        self.at = end;
        Ok(Some((head[0], start..end)))
    }

    /// The body of a message that [`Inbox::take`] named, until more is pushed.
    pub fn body(&self, range: Range<usize>) -> &[u8] {
        &self.bytes[range]
    }

    pub fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_cut_wherever_reads_end() {
        let stream = b"Z\0\0\0\x05IC\0\0\0\x04d\0\0\0\x07abc";
        for cut in 0..stream.len() {
            let mut inbox = Inbox::default();
            let mut found = Vec::new();
            for part in [&stream[..cut], &stream[cut..]] {
                inbox.push(part.to_vec());
                while let Some((tag, range)) = inbox.take().expect("the stream is well formed") {
                    found.push((tag, inbox.body(range).to_vec()));
                }
            }
            assert_eq!(
                found,
                [(b'Z', b"I".to_vec()), (b'C', Vec::new()), (b'd', b"abc".to_vec())]
            );
            assert!(inbox.is_empty());
        }
    }

    #[test]
    fn lengths_out_of_range_are_refused() {
        for length in [0_u32, 3, u32::MAX, MAX_MESSAGE as u32 + 1] {
            let mut inbox = Inbox::default();
            let mut bytes = vec![b'd'];
            bytes.extend_from_slice(&length.to_be_bytes());
            inbox.push(bytes);
            assert!(inbox.take().is_err(), "{length}");
        }
    }
}

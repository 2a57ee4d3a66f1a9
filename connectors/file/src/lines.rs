//! Finds lines in bytes that come in blocks.
//!
//! A line ends at `\n`, `\r\n` or `\r`. Positions count UTF-16 units, as the offsets of Kafka Connect do.

use std::io;

use memchr::{memchr, memchr2};

/// Bytes asked for at once.
const BLOCK: usize = 256 << 10;

/// Bytes read and not yet taken.
#[derive(Debug)]
pub struct Lines {
    buffer: Vec<u8>,
    /// What is not taken yet lies in `start..end`, and up to `scanned` holds no end of a line.
    start: usize,
    scanned: usize,
    end: usize,
    /// Whether the bytes in the buffer have something that needs the slow way.
    carriage_returns: bool,
    beyond_ascii: bool,
}

/// A line without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'l> {
    pub bytes: &'l [u8],
    /// Whether all bytes are below 128, so that they are as many UTF-16 units.
    pub ascii: bool,
    /// Length of the line with its end in UTF-16 units.
    pub units: u64,
}

impl Lines {
    pub fn new() -> Self {
        Lines {
            buffer: Vec::new(),
            start: 0,
            scanned: 0,
            end: 0,
            carriage_returns: false,
            beyond_ascii: false,
        }
    }

    /// Reads one more block. Returns how much came.
    pub fn fill(&mut self, read: impl FnOnce(&mut [u8]) -> io::Result<usize>) -> io::Result<usize> {
        if self.start == self.end {
            (self.start, self.scanned, self.end) = (0, 0, 0);
            (self.carriage_returns, self.beyond_ascii) = (false, false);
        } else if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.scanned, self.end) = (self.scanned - self.start, self.end - self.start);
            self.start = 0;
        }
        self.make_room();
        let came = read(&mut self.buffer[self.end..])?;
        let block = &self.buffer[self.end..self.end + came];
        let (carriage_returns, beyond_ascii) = look_at(block);
        self.carriage_returns |= carriage_returns;
        self.beyond_ascii |= beyond_ascii;
        self.end += came;
        Ok(came)
    }

    /// Room for a block behind what is there; after a very long line, the memory for it is given back.
    fn make_room(&mut self) {
        let wanted = (self.end + BLOCK).next_multiple_of(BLOCK);
        if self.buffer.len() < wanted {
            // Half as much again: a line of 20 MB should not need 64 MB of memory.
            self.buffer.resize(
                wanted.max((self.buffer.len() + self.buffer.len() / 2).next_multiple_of(BLOCK)),
                0,
            );
        } else if self.buffer.len() > 8 * BLOCK && wanted <= 2 * BLOCK {
            self.buffer.truncate(wanted);
            self.buffer.shrink_to_fit();
        }
    }

    /// Bytes that are there and not taken.
    pub fn pending(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Passes over bytes.
    pub fn skip(&mut self, bytes: usize) {
        self.start = (self.start + bytes).min(self.end);
        self.scanned = self.scanned.max(self.start);
    }

    /// The next line, if the end of it is there.
    #[inline]
    pub fn next(&mut self) -> Option<Line<'_>> {
        let rest = &self.buffer[self.scanned..self.end];
        let found = if self.carriage_returns {
            memchr2(b'\n', b'\r', rest)
        } else {
            memchr(b'\n', rest)
        };
        let Some(found) = found else {
            self.scanned = self.end;
            return None;
        };
        let at = self.scanned + found;
        let mut next = at + 1;
        if self.buffer[at] == b'\r' {
            // What follows decides whether the line ends here or one further on.
            if next == self.end {
                self.scanned = at;
                return None;
            }
            next += usize::from(self.buffer[next] == b'\n');
        }
        let bytes = &self.buffer[self.start..at];
        let ends = next - at;
        (self.start, self.scanned) = (next, next);
        let ascii = !self.beyond_ascii;
        let units = if ascii { bytes.len() } else { units(bytes) } + ends;
        Some(Line {
            bytes,
            ascii,
            units: units as u64,
        })
    }
}

/// Whether there is a carriage return, and whether there is a byte beyond ASCII. Written so that it becomes vector code.
fn look_at(block: &[u8]) -> (bool, bool) {
    let (mut carriage_return, mut all) = (0u8, 0u8);
    for byte in block {
        carriage_return |= u8::from(*byte == b'\r');
        all |= byte;
    }
    (carriage_return != 0, all >= 0x80)
}

/// UTF-16 units of a text in UTF-8: one for each first byte of a character, one more where the character has four.
/// Total, so that positions stay what they are even where the bytes are no UTF-8.
pub fn units(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .map(|byte| usize::from((*byte as i8) >= -64) + usize::from(*byte >= 0xf0))
        .sum()
}

/// How many bytes hold so many UTF-16 units, or how many units there are at all.
pub fn bytes_of_units(bytes: &[u8], wanted: u64) -> Result<usize, u64> {
    let total = if bytes.is_ascii() { bytes.len() } else { units(bytes) } as u64;
    if total <= wanted {
        return Err(total);
    }
    let mut seen = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let first = (*byte as i8) >= -64;
        if first && seen >= wanted {
            return Ok(at);
        }
        seen += u64::from(first) + u64::from(*byte >= 0xf0);
    }
    Ok(bytes.len())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// The lines of a text that comes in blocks of every size, with their lengths.
    fn check(text: &str, expected: &[(&str, u64)]) {
        for size in 1..=text.len().max(1) {
            let mut lines = Lines::new();
            let mut found = Vec::new();
            let mut rest = text.as_bytes();
            while !rest.is_empty() {
                let (block, after) = rest.split_at(size.min(rest.len()));
                rest = after;
                let came = lines.fill(|to| {
                    to[..block.len()].copy_from_slice(block);
                    Ok(block.len())
                });
                assert_eq!(came.unwrap(), block.len());
                while let Some(line) = lines.next() {
                    found.push((String::from_utf8(line.bytes.to_vec()).unwrap(), line.units));
                }
            }
            let expected: Vec<_> = expected
                .iter()
                .map(|(line, units)| (line.to_string(), *units))
                .collect();
            assert_eq!(found, expected, "in blocks of {size}");
        }
    }

    #[test]
    fn lines_end_at_every_kind_of_end() {
        check(
            "one\ntwo\r\nthree\rfour\n\n\r\nrest",
            &[("one", 4), ("two", 5), ("three", 6), ("four", 5), ("", 1), ("", 2)],
        );
    }

    #[test]
    fn a_carriage_return_at_the_end_waits_for_what_follows() {
        check("one\r", &[]);
        check("one\r\n", &[("one", 5)]);
        check("one\r\r", &[("one", 4)]);
    }

    #[test]
    fn lengths_count_utf_16_units() {
        check("zwei äöü\n\u{1f600}!\n", &[("zwei äöü", 9), ("\u{1f600}!", 4)]);
    }

    #[test]
    fn a_position_in_units_is_found_again_in_bytes() {
        let text = "aä\u{1f600}b".as_bytes();
        assert_eq!(bytes_of_units(text, 0), Ok(0));
        assert_eq!(bytes_of_units(text, 1), Ok(1));
        assert_eq!(bytes_of_units(text, 2), Ok(3));
        assert_eq!(bytes_of_units(text, 4), Ok(7));
        assert_eq!(bytes_of_units(text, 5), Err(5));
        assert_eq!(bytes_of_units(b"abc", 2), Ok(2));
    }
}

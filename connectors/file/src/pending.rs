//! Lines on their way to a file that may refuse them, or take only a part.

use std::io::{self, Write};

/// Where lines are appended.
pub trait Destination {
    /// How much is there, if that can be known.
    fn length(&self) -> Option<u64>;

    /// Appends some of the bytes and says how many.
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize>;
}

impl Destination for io::Stdout {
    fn length(&self) -> Option<u64> {
        None
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write(bytes)
    }
}

/// Bytes that are not written yet.
#[derive(Debug, Default)]
pub struct Pending {
    bytes: Vec<u8>,
    /// What lies before this place is written.
    written: usize,
    /// Whether nobody else appends to the destination, so that what it grew by was written here.
    alone: bool,
}

impl Pending {
    pub fn new(alone: bool) -> Self {
        Pending {
            bytes: Vec::new(),
            written: 0,
            alone,
        }
    }

    /// Where to add bytes.
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// How much is not written yet.
    pub fn left(&self) -> usize {
        self.bytes.len() - self.written
    }

    /// Writes everything. After an error, the rest is kept for the next time, to the byte.
    pub fn write_to(&mut self, destination: &mut impl Destination) -> io::Result<()> {
        while self.written < self.bytes.len() {
            // A failed write may have taken a part, and no system says how much; the length of the file does.
            let before = destination.length().filter(|_| self.alone);
            match destination.append(&self.bytes[self.written..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => self.written += written,
                Err(error) => {
                    // With others at the same file, what it grew by may be theirs; then lines are rather repeated.
                    if let (Some(before), Some(after)) = (before, destination.length()) {
                        self.written += (after.saturating_sub(before) as usize).min(self.left());
                    }
                    if error.kind() != io::ErrorKind::Interrupted {
                        return Err(error);
                    }
                }
            }
        }
        self.bytes.clear();
        self.written = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// A disk that takes at most `step` bytes at once and `room` bytes in all; a write that does not fit takes what
    /// fits and fails.
    struct Disk {
        bytes: Vec<u8>,
        room: usize,
        step: usize,
    }

    impl Destination for Disk {
        fn length(&self) -> Option<u64> {
            Some(self.bytes.len() as u64)
        }

        fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let wanted = bytes.len().min(self.step);
            let taken = wanted.min(self.room - self.bytes.len());
            self.bytes.extend_from_slice(&bytes[..taken]);
            if taken < wanted {
                Err(io::ErrorKind::StorageFull.into())
            } else {
                Ok(taken)
            }
        }
    }

    #[test]
    fn a_disk_that_fills_up_at_any_byte_loses_and_repeats_nothing() {
        let text = b"one\ntwo\nthree\n";
        for step in [1, 3, 100] {
            for room in 0..text.len() {
                let mut disk = Disk {
                    bytes: Vec::new(),
                    room,
                    step,
                };
                let mut pending = Pending::new(true);
                pending.bytes().extend_from_slice(text);
                let error = pending.write_to(&mut disk).unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::StorageFull);
                assert_eq!(pending.left(), text.len() - room);
                disk.room = usize::MAX;
                pending.write_to(&mut disk).unwrap();
                assert_eq!(disk.bytes, text, "full after {room} bytes");
                assert_eq!(pending.left(), 0);
            }
        }
    }

    #[test]
    fn with_others_at_the_file_a_part_is_rather_repeated_than_lost() {
        let mut disk = Disk {
            bytes: Vec::new(),
            room: 5,
            step: 100,
        };
        let mut pending = Pending::new(false);
        pending.bytes().extend_from_slice(b"one\ntwo\n");
        pending.write_to(&mut disk).unwrap_err();
        assert_eq!(pending.left(), 8);
    }
}

//! The values that the generator makes with the format `sequence`, and that the discarding sink checks.
//!
//! A value is one JSON object in exactly this form, so that every converter leaves it alone and reading it costs next to nothing:
//!
//! ```json
//! {"seed":7,"task":0,"partition":3,"sequence":12,"fill":"9e3779b97f4a7c15…","check":"0123456789abcdef"}
//! ```
//!
//! `partition` is -1 where the generator left the choice to the partitioner. A *stream* is what has its own count from
//! 1: a task of the generator, or with chosen partitions each partition of a task. `fill` follows from the
//! rest, `check` is a sum over all before it.

/// Identity of a stream of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Stream {
    pub seed: i64,
    pub task: u32,
    /// -1: the partitioner chooses.
    pub partition: i32,
}

/// What a value says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sequenced {
    pub stream: Stream,
    /// From 1, without gaps.
    pub sequence: u64,
}

/// A value that is not what the generator wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Corrupt {
    /// Not in the form above.
    Form,
    /// In the form, but the sum is another one.
    Check,
}

const TAIL: &[u8] = br#"","check":""#;
/// Length of the sum with the end of the object.
const END: usize = 18;

/// Appends a value of `size` bytes, or more if what it has to say does not fit.
pub fn write(record: Sequenced, size: usize, to: &mut Vec<u8>) {
    let start = to.len();
    let Sequenced { stream, sequence } = record;
    let mut digits = itoa::Buffer::new();
    to.extend_from_slice(br#"{"seed":"#);
    to.extend_from_slice(digits.format(stream.seed).as_bytes());
    to.extend_from_slice(br#","task":"#);
    to.extend_from_slice(digits.format(stream.task).as_bytes());
    to.extend_from_slice(br#","partition":"#);
    to.extend_from_slice(digits.format(stream.partition).as_bytes());
    to.extend_from_slice(br#","sequence":"#);
    to.extend_from_slice(digits.format(sequence).as_bytes());
    to.extend_from_slice(br#","fill":""#);
    let mut state = mix(stream.seed as u64 ^ sequence ^ (u64::from(stream.task) << 48));
    let fill_end = start + size.saturating_sub(TAIL.len() + END);
    while to.len() < fill_end {
        state = mix(state);
        let word = hex(state);
        let room = (fill_end - to.len()).min(word.len());
        to.extend_from_slice(&word[..room]);
    }
    let check = sum(&to[start..]);
    to.extend_from_slice(TAIL);
    to.extend_from_slice(&hex(check));
    to.extend_from_slice(b"\"}");
}

/// Reads a value and verifies its sum.
pub fn read(value: &[u8]) -> Result<Sequenced, Corrupt> {
    let rest = value.strip_prefix(br#"{"seed":"#).ok_or(Corrupt::Form)?;
    let (seed, rest) = number(rest, br#","task":"#)?;
    let (task, rest) = number(rest, br#","partition":"#)?;
    let (partition, rest) = number(rest, br#","sequence":"#)?;
    let (sequence, _) = number(rest, br#","fill":""#)?;
    let end = value.len().checked_sub(TAIL.len() + END).ok_or(Corrupt::Form)?;
    let (covered, tail) = value.split_at(end);
    let check = tail
        .strip_prefix(TAIL)
        .and_then(|tail| tail.strip_suffix(b"\"}"))
        .ok_or(Corrupt::Form)?;
    if check != hex(sum(covered)) {
        return Err(Corrupt::Check);
    }
    let wrong = |_| Corrupt::Form;
    Ok(Sequenced {
        stream: Stream {
            seed,
            task: u32::try_from(task).map_err(wrong)?,
            partition: i32::try_from(partition).map_err(wrong)?,
        },
        sequence: u64::try_from(sequence).map_err(wrong)?,
    })
}

/// A whole number and what follows the words behind it.
fn number<'v>(bytes: &'v [u8], words: &[u8]) -> Result<(i64, &'v [u8]), Corrupt> {
    let (negative, digits) = match bytes.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, bytes),
    };
    let mut value = 0i64;
    let mut length = 0;
    for digit in digits.iter().take_while(|byte| byte.is_ascii_digit()) {
        value = value
            .checked_mul(10)
            .and_then(|value| value.checked_add(i64::from(digit - b'0')))
            .ok_or(Corrupt::Form)?;
        length += 1;
    }
    let rest = digits[length..].strip_prefix(words).ok_or(Corrupt::Form)?;
    if length == 0 {
        return Err(Corrupt::Form);
    }
    Ok((if negative { -value } else { value }, rest))
}

/// The finalizer of splitmix64.
fn mix(mut word: u64) -> u64 {
    word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// A sum that changes with every bit, eight bytes at a step. It guards against accidents, not against anybody.
fn sum(bytes: &[u8]) -> u64 {
    let mut state = bytes.len() as u64;
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        state = (state ^ u64::from_le_bytes(*word))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29);
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    mix(state ^ u64::from_le_bytes(last))
}

fn hex(word: u64) -> [u8; 16] {
    let mut text = [0; 16];
    for (digit, byte) in text.iter_mut().enumerate() {
        *byte = b"0123456789abcdef"[(word >> (60 - 4 * digit)) as usize & 15];
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn record(sequence: u64) -> Sequenced {
        Sequenced {
            stream: Stream {
                seed: -7,
                task: 3,
                partition: -1,
            },
            sequence,
        }
    }

    #[test]
    fn what_is_written_is_read_back_at_every_size() {
        for size in [0, 20, 99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 1024] {
            for sequence in [1, 9, 10, u64::from(u32::MAX), i64::MAX as u64] {
                let mut value = Vec::new();
                write(record(sequence), size, &mut value);
                assert_eq!(
                    read(&value),
                    Ok(record(sequence)),
                    "{}",
                    String::from_utf8_lossy(&value)
                );
                assert!(
                    value.len() == size || value.len() > size && size < 140,
                    "{size}: {}",
                    value.len()
                );
            }
        }
    }

    #[test]
    fn a_changed_byte_is_noticed_wherever_it_is() {
        let mut value = Vec::new();
        write(record(41), 120, &mut value);
        for at in 0..value.len() {
            let mut changed = value.clone();
            changed[at] ^= 1;
            assert!(read(&changed).is_err(), "byte {at}");
            assert!(read(&value[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn values_differ_between_records_and_agree_between_runs() {
        let value = |sequence| {
            let mut value = Vec::new();
            write(record(sequence), 150, &mut value);
            value
        };
        assert_eq!(value(5), value(5));
        assert_ne!(value(5)[70..120], value(6)[70..120]);
    }
}

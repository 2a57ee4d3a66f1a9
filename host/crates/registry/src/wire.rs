//! The bytes in front of a serialized value that say which schema it was written with.

/// The first byte of a value whose schema has a number.
const NUMBER: u8 = 0;
/// The first byte of a value whose schema has a globally unique id.
const GUID: u8 = 1;
/// More levels than messages of one file are ever nested in each other.
const MAX_INDEXES: usize = 64;

/// How a registry calls a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SchemaId {
    Number(i32),
    Guid([u8; 16]),
}

/// Why the front of a value cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireError {
    /// The first byte is neither of those above, or there is none.
    Magic,
    Short,
    /// The place of a message in its file makes no sense.
    Indexes,
}

impl std::fmt::Display for SchemaId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SchemaId::Number(id) => write!(f, "{id}"),
            SchemaId::Guid(guid) => {
                for (at, byte) in guid.iter().enumerate() {
                    if matches!(at, 4 | 6 | 8 | 10) {
                        f.write_str("-")?;
                    }
                    write!(f, "{byte:02x}")?;
                }
                Ok(())
            }
        }
    }
}

/// The id in front, and what follows it.
pub fn split(bytes: &[u8]) -> Result<(SchemaId, &[u8]), WireError> {
    match bytes {
        [NUMBER, rest @ ..] => {
            let (id, rest) = rest.split_first_chunk().ok_or(WireError::Short)?;
            Ok((SchemaId::Number(i32::from_be_bytes(*id)), rest))
        }
        [GUID, rest @ ..] => {
            let (guid, rest) = rest.split_first_chunk().ok_or(WireError::Short)?;
            Ok((SchemaId::Guid(*guid), rest))
        }
        _ => Err(WireError::Magic),
    }
}

/// What stands in front of a value written with the schema of this number.
pub fn prefix(id: i32) -> [u8; 5] {
    let [a, b, c, d] = id.to_be_bytes();
    [NUMBER, a, b, c, d]
}

/// The place of a message type in its file: its index, then that of each type nested in it. And what follows.
pub fn split_indexes(bytes: &[u8]) -> Result<(Vec<usize>, &[u8]), WireError> {
    let mut rest = bytes;
    let count = number(&mut rest)?;
    if count == 0 {
        return Ok((vec![0], rest));
    }
    if count > MAX_INDEXES {
        return Err(WireError::Indexes);
    }
    let mut indexes = Vec::with_capacity(count);
    for _ in 0..count {
        indexes.push(number(&mut rest)?);
    }
    Ok((indexes, rest))
}

/// Appends the place of a message type; the first of a file, which most are, takes one byte.
pub fn put_indexes(indexes: &[usize], out: &mut Vec<u8>) {
    if indexes == [0] {
        out.push(0);
        return;
    }
    put_number(indexes.len(), out);
    for index in indexes {
        put_number(*index, out);
    }
}

/// Zigzag varints as Kafka has them; negative ones mean nothing here.
fn number(rest: &mut &[u8]) -> Result<usize, WireError> {
    let mut value = 0_u32;
    for shift in (0..32).step_by(7) {
        let (byte, after) = rest.split_first().ok_or(WireError::Short)?;
        *rest = after;
        value |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            if value & 1 == 1 {
                return Err(WireError::Indexes);
            }
            return Ok((value >> 1) as usize);
        }
    }
    Err(WireError::Indexes)
}

fn put_number(number: usize, out: &mut Vec<u8>) {
    let mut value = (number as u32) << 1;
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_ids_are_told_apart() {
        assert_eq!(split(&[0, 0, 0, 1, 2, 9]), Ok((SchemaId::Number(258), &[9_u8][..])));
        let mut bytes = vec![1];
        bytes.extend(0..17);
        let (id, rest) = split(&bytes).unwrap();
        assert_eq!(id.to_string(), "00010203-0405-0607-0809-0a0b0c0d0e0f");
        assert_eq!(rest, [16]);
        assert_eq!(split(&[]), Err(WireError::Magic));
        assert_eq!(split(b"{}"), Err(WireError::Magic));
        assert_eq!(split(&[0, 0, 0]), Err(WireError::Short));
        assert_eq!(split(&prefix(-1)), Ok((SchemaId::Number(-1), &[][..])));
    }

    #[test]
    fn indexes_are_read_as_they_are_written() {
        for indexes in [vec![0], vec![1], vec![0, 0], vec![3, 200, 70_000]] {
            let mut bytes = Vec::new();
            put_indexes(&indexes, &mut bytes);
            bytes.push(42);
            assert_eq!(split_indexes(&bytes), Ok((indexes, &[42_u8][..])));
        }
        // The long form of the first message.
        assert_eq!(split_indexes(&[2, 0]), Ok((vec![0], &[][..])));
    }

    #[test]
    fn indexes_of_nonsense_are_refused() {
        for bytes in [
            &[][..],
            &[1],
            &[0xff; 10],
            &[0xfe, 0xff, 0xff, 0xff, 0x0f],
            &[4, 0],
            &[2, 3],
        ] {
            assert!(split_indexes(bytes).is_err(), "{bytes:x?}");
        }
    }
}

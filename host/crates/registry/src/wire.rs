//! The bytes in front of a serialized value that say which schema it was written with.

/// The first byte of a value whose schema has a number.
const NUMBER: u8 = 0;
/// The first byte of a value whose schema has a globally unique id.
const GUID: u8 = 1;

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
}

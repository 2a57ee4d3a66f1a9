//! The messages of the output plugin pgoutput, protocol version 1.

use crate::error::{Error, Result};
use crate::lsn::Lsn;
use crate::protocol::Fields;
use crate::row::Cell;

/// Microseconds between the epochs of Unix and PostgreSQL.
const EPOCH: i64 = 946_684_800_000_000;

/// PostgreSQL's time as microseconds since 1970.
pub fn unix_micros(postgres: i64) -> i64 {
    postgres.saturating_add(EPOCH)
}

/// And back.
pub fn postgres_micros(unix: i64) -> i64 {
    unix.saturating_sub(EPOCH)
}

/// One message. Cells of rows are in the vectors that [`decode`] was given; their texts lie in its bytes.
#[derive(Clone, Debug, PartialEq)]
pub enum Message<'a> {
    Begin {
        /// Microseconds since 1970.
        time: i64,
        xid: u32,
    },
    Commit {
        end: Lsn,
        time: i64,
    },
    Origin {
        lsn: Lsn,
        name: &'a str,
    },
    Relation(Relation),
    Insert {
        relation: u32,
    },
    /// What came of the old row is in the old cells.
    Update {
        relation: u32,
        old: Old,
    },
    Delete {
        relation: u32,
        old: Old,
    },
    Truncate {
        relations: Vec<u32>,
    },
    /// Of `pg_logical_emit_message`.
    Logical {
        transactional: bool,
        lsn: Lsn,
        prefix: &'a str,
        content: &'a [u8],
    },
    /// What needs no looking after: types.
    Other,
}

/// How much of the row before the change was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Old {
    None,
    /// The columns of the replica identity.
    Key,
    /// The whole row.
    Full,
}

/// What a table looks like from here on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    pub id: u32,
    pub schema: String,
    pub table: String,
    pub columns: Vec<RelationColumn>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelationColumn {
    pub name: String,
    pub type_oid: u32,
    pub modifier: i32,
}

/// Reads one message. `base` is where `bytes` begins in what the ranges of cells count from.
pub fn decode<'a>(bytes: &'a [u8], base: usize, old: &mut Vec<Cell>, new: &mut Vec<Cell>) -> Result<Message<'a>> {
    let mut fields = Fields::new(bytes);
    let cells = Tuple {
        end: base + bytes.len(),
    };
    old.clear();
    new.clear();
    Ok(match fields.byte()? {
        b'B' => {
            fields.int64()?;
            let time = unix_micros(fields.int64()?);
            let xid = fields.int32()? as u32;
            Message::Begin { time, xid }
        }
        b'C' => {
            fields.byte()?;
            fields.int64()?;
            let end = Lsn(fields.int64()? as u64);
            let time = unix_micros(fields.int64()?);
            Message::Commit { end, time }
        }
        b'O' => {
            let lsn = Lsn(fields.int64()? as u64);
            let name = fields.text()?;
            Message::Origin { lsn, name }
        }
        b'R' => Message::Relation(relation(&mut fields)?),
        b'I' => {
            let relation = fields.int32()? as u32;
            cells.expect(&mut fields, b'N', new)?;
            Message::Insert { relation }
        }
        b'U' => {
            let relation = fields.int32()? as u32;
            let old = cells.update(&mut fields, old, new)?;
            Message::Update { relation, old }
        }
        b'D' => {
            let relation = fields.int32()? as u32;
            let kind = old_kind(fields.byte()?)?;
            cells.read(&mut fields, old)?;
            Message::Delete { relation, old: kind }
        }
        b'T' => truncate(&mut fields)?,
        b'M' => logical(&mut fields)?,
        b'Y' => Message::Other,
        other => {
            return Err(Error::Protocol(format!(
                "pgoutput sends a message of the unknown kind {:?}",
                other as char
            )));
        }
    })
}

fn truncate<'a>(fields: &mut Fields<'a>) -> Result<Message<'a>> {
    let count = usize::try_from(fields.int32()?).unwrap_or(0);
    fields.byte()?;
    let mut relations = Vec::new();
    for _ in 0..count {
        relations.push(fields.int32()? as u32);
    }
    Ok(Message::Truncate { relations })
}

fn logical<'a>(fields: &mut Fields<'a>) -> Result<Message<'a>> {
    let transactional = fields.byte()? & 1 == 1;
    let lsn = Lsn(fields.int64()? as u64);
    let prefix = fields.text()?;
    let length = fields.length32()?.unwrap_or(0);
    let content = fields.bytes(length)?;
    Ok(Message::Logical {
        transactional,
        lsn,
        prefix,
        content,
    })
}

fn old_kind(kind: u8) -> Result<Old> {
    match kind {
        b'K' => Ok(Old::Key),
        b'O' => Ok(Old::Full),
        other => Err(Error::Protocol(format!(
            "an old row of the unknown kind {:?}",
            other as char
        ))),
    }
}

fn relation(fields: &mut Fields<'_>) -> Result<Relation> {
    let id = fields.int32()? as u32;
    let schema = match fields.text()? {
        // pgoutput leaves the namespace of the catalogue out.
        "" => "pg_catalog".to_owned(),
        schema => schema.to_owned(),
    };
    let table = fields.text()?.to_owned();
    fields.byte()?;
    let count = fields.count16()?;
    let mut columns = Vec::new();
    for _ in 0..count {
        fields.byte()?;
        columns.push(RelationColumn {
            name: fields.text()?.to_owned(),
            type_oid: fields.int32()? as u32,
            modifier: fields.int32()?,
        });
    }
    Ok(Relation {
        id,
        schema,
        table,
        columns,
    })
}

/// Reads rows; knows where the message ends, from which positions follow.
struct Tuple {
    end: usize,
}

impl Tuple {
    fn expect(&self, fields: &mut Fields<'_>, kind: u8, cells: &mut Vec<Cell>) -> Result<()> {
        if fields.byte()? != kind {
            return Err(Error::Protocol("an insert has no new row".into()));
        }
        self.read(fields, cells)
    }

    /// Both rows of an update; the old one is there only if the replica identity or the key asks for it.
    fn update(&self, fields: &mut Fields<'_>, old: &mut Vec<Cell>, new: &mut Vec<Cell>) -> Result<Old> {
        let kind = match fields.byte()? {
            b'N' => Old::None,
            kind => {
                self.read(fields, old)?;
                let kind = old_kind(kind)?;
                if fields.byte()? != b'N' {
                    return Err(Error::Protocol("an update has no new row".into()));
                }
                kind
            }
        };
        self.read(fields, new)?;
        Ok(kind)
    }

    fn read(&self, fields: &mut Fields<'_>, cells: &mut Vec<Cell>) -> Result<()> {
        let count = fields.count16()?;
        for _ in 0..count {
            cells.push(match fields.byte()? {
                b'n' => Cell::Null,
                b'u' => Cell::Unchanged,
                b't' => {
                    let length = fields.length32()?.unwrap_or(0);
                    fields.bytes(length)?;
                    let end = self.end - fields.rest().len();
                    Cell::Text(end - length..end)
                }
                other => {
                    return Err(Error::Protocol(format!(
                        "a cell of the unknown kind {:?}",
                        other as char
                    )));
                }
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::row::{Content, Row};

    fn insert() -> Vec<u8> {
        b"I\0\0\0\x07N\0\x03t\0\0\0\x02hinu".to_vec()
    }

    #[test]
    fn an_insert_has_texts_nulls_and_unchanged_values() {
        let mut bytes = b"xx".to_vec();
        bytes.extend(insert());
        let (mut old, mut new) = (Vec::new(), Vec::new());
        let message = decode(&bytes[2..], 2, &mut old, &mut new).unwrap();
        assert_eq!(message, Message::Insert { relation: 7 });
        let row = Row {
            cells: &new,
            bytes: &bytes,
        };
        assert_eq!(row.get(0), Content::Text(b"hi"));
        assert_eq!(row.get(1), Content::Null);
        assert_eq!(row.get(2), Content::Unchanged);
        assert_eq!(row.get(3), Content::Null);
    }

    #[test]
    fn an_update_has_both_rows() {
        let bytes = b"U\0\0\0\x07K\0\x01t\0\0\0\x011N\0\x01t\0\0\0\x012";
        let (mut old, mut new) = (Vec::new(), Vec::new());
        let message = decode(bytes, 0, &mut old, &mut new).unwrap();
        assert_eq!(
            message,
            Message::Update {
                relation: 7,
                old: Old::Key
            }
        );
        assert_eq!(&bytes[range(&old[0])], b"1");
        assert_eq!(&bytes[range(&new[0])], b"2");
    }

    fn range(cell: &Cell) -> std::ops::Range<usize> {
        match cell {
            Cell::Text(range) => range.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn whatever_is_cut_or_changed_ends_in_an_error_or_a_message() {
        let messages: [&[u8]; 9] = [
            b"B\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x02\0\0\0\x03",
            b"C\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x03",
            b"O\0\0\0\0\0\0\0\x01name\0",
            b"R\0\0\0\x07public\0t\0d\0\x01\x01id\0\0\0\0\x17\xff\xff\xff\xff",
            b"I\0\0\0\x07N\0\x03t\0\0\0\x02hinu",
            b"U\0\0\0\x07O\0\x01t\0\0\0\x011N\0\x01t\0\0\0\x012",
            b"D\0\0\0\x07K\0\x01t\0\0\0\x011",
            b"T\0\0\0\x01\0\0\0\0\x07",
            b"M\x01\0\0\0\0\0\0\0\x01prefix\0\0\0\0\x03abc",
        ];
        let (mut old, mut new) = (Vec::new(), Vec::new());
        for message in messages {
            decode(message, 0, &mut old, &mut new).unwrap();
            for cut in 0..message.len() {
                let _ = decode(&message[..cut], 0, &mut old, &mut new);
                for value in [0, 1, 0x7f, 0x80, 0xff] {
                    let mut changed = message.to_vec();
                    changed[cut] = value;
                    let _ = decode(&changed, 0, &mut old, &mut new);
                }
            }
        }
    }
}

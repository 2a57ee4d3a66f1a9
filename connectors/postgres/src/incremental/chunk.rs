//! What was read of a table between two marks.

use std::collections::HashMap;

use crate::emit::Emitter;
use crate::error::Result;
use crate::row::OwnedRow;
use crate::table::Table;

/// Rows of one table.
pub struct Chunk {
    pub table: Table,
    /// Without those that the stream has told of since.
    pub rows: Vec<Option<OwnedRow>>,
    /// Their places, by their keys as records have them.
    pub places: HashMap<Vec<u8>, usize>,
    /// The key of its last row, as texts.
    pub end: Vec<String>,
}

impl Chunk {
    pub fn new(table: Table, rows: Vec<OwnedRow>, end: Vec<String>, emitter: &Emitter) -> Result<Chunk> {
        let mut places = HashMap::new();
        for (place, row) in rows.iter().enumerate() {
            if let Some(key) = emitter.key_of(&table, row.as_row(), None)? {
                places.insert(key, place);
            }
        }
        Ok(Chunk {
            table,
            rows: rows.into_iter().map(Some).collect(),
            places,
            end,
        })
    }
}

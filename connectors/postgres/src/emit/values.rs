//! Rows and their like as typed values.

use caisson_sdk::api::typed::{BlockAt, Blocks};

use super::Place;
use crate::config::Placeholder;
use crate::error::{Error, Result};
use crate::row::{Content, Row};
use crate::table::envelope::slot;
use crate::table::{Column, Table};
use crate::types::codec::{Problem, Slot, Written};

pub fn typed(error: caisson_sdk::api::typed::TypedError) -> Error {
    Error::Batch(error.into())
}

/// The struct `transaction` of the envelope, or of a message.
pub fn write_place(blocks: &mut Blocks<'_>, block: BlockAt, place: Option<&Place>) -> Result<()> {
    write_place_at(blocks, block, slot::TRANSACTION, place)
}

pub fn write_place_at(blocks: &mut Blocks<'_>, block: BlockAt, index: usize, place: Option<&Place>) -> Result<()> {
    let Some(place) = place else {
        blocks.null(block, index);
        return Ok(());
    };
    let own = blocks.structure(block, index, 3).map_err(typed)?;
    blocks.bytes(own, 0, place.id.as_bytes()).map_err(typed)?;
    blocks.number(own, 1, place.total_order);
    blocks.number(own, 2, place.table_order);
    Ok(())
}

/// A struct of these columns as a value of its own.
pub fn write_struct(
    out: &mut Vec<u8>,
    table: &Table,
    columns: &[Column],
    row: Row<'_>,
    unchanged: Option<Row<'_>>,
    unavailable: &Placeholder,
) -> Result<()> {
    let mut blocks = Blocks::new(out);
    let block = blocks.block(columns.len()).map_err(typed)?;
    write_columns(&mut blocks, block, table, columns, row, unchanged, unavailable)
}

pub fn write_columns(
    blocks: &mut Blocks<'_>,
    block: BlockAt,
    table: &Table,
    columns: &[Column],
    row: Row<'_>,
    unchanged: Option<Row<'_>>,
    unavailable: &Placeholder,
) -> Result<()> {
    for (index, column) in columns.iter().enumerate() {
        let mut slot = Slot {
            blocks: &mut *blocks,
            block,
            index,
        };
        let content = match (row.get(column.cell), unchanged) {
            // The old row of REPLICA IDENTITY FULL has it.
            (Content::Unchanged, Some(old)) => match old.get(column.cell) {
                Content::Text(text) => Content::Text(text),
                Content::Null | Content::Unchanged => Content::Unchanged,
            },
            (content, _) => content,
        };
        write_cell(&mut slot, column, content, unavailable).map_err(|problem| match problem {
            Problem::Typed(error) => typed(error),
            Problem::Text(expected) => Error::Value {
                table: table.name.to_string(),
                column: column.name.clone(),
                problem: format!("the server's text is not {expected}"),
            },
        })?;
    }
    Ok(())
}

#[inline]
fn write_cell(
    slot: &mut Slot<'_, '_>,
    column: &Column,
    content: Content<'_>,
    unavailable: &Placeholder,
) -> std::result::Result<(), Problem> {
    let written = match content {
        Content::Text(text) => column.codec.write(slot, text)?,
        Content::Unchanged => column.codec.write_unavailable(slot, unavailable)?,
        Content::Null => Written::Nothing,
    };
    if written == Written::Value {
        return Ok(());
    }
    match (&column.default, column.optional) {
        (_, true) if !column.codec.masks_null() => {
            slot.blocks.null(slot.block, slot.index);
            Ok(())
        }
        (Some(default), false) => column.codec.write_default(slot, default.as_bytes()).map(drop),
        _ => column.codec.write_stand_in(slot),
    }
}

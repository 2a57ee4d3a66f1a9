//! Columns that are read from the table again where the stream has no value for them: the post processor
//! `io.debezium.processors.reselect.ReselectColumnsPostProcessor`.

use crate::catalog::TableInfo;
use crate::config::{Reselect, ReselectFailure};
use crate::error::{Error, Result};
use crate::protocol::{Session, identifier, literal};
use crate::row::{Cell, Content, OwnedRow, Row};
use crate::table::{Column, Table};

/// The row with what the table says now of columns that are null, or that the server has not sent because they did not
/// change. `None`: there is nothing to add.
pub fn complete(
    processors: &[Reselect],
    sql: &mut Session,
    table: &Table,
    info: Option<&TableInfo>,
    after: Row<'_>,
    before: Option<Row<'_>>,
) -> Result<Option<OwnedRow>> {
    let mut completed: Option<OwnedRow> = None;
    for processor in processors {
        let row = completed.as_ref().map_or(after, OwnedRow::as_row);
        let missing = missing(processor, table, row, before);
        let condition = condition(processor, table, info, row);
        let (false, Some(condition)) = (missing.is_empty(), condition) else {
            continue;
        };
        match read(sql, table, &missing, &condition) {
            Ok(Some(values)) => {
                let mut owned = owned(row);
                for (column, value) in missing.into_iter().zip(values) {
                    put(&mut owned, column.cell, value.as_deref());
                }
                completed = Some(owned);
            }
            Ok(None) => processor.failed(format!("there is no row in {} where {condition}", table.name))?,
            Err(Error::Server(error)) => {
                processor.failed(format!("columns of {} cannot be read: {error}", table.name))?
            }
            Err(error) => return Err(error),
        }
    }
    Ok(completed)
}

impl Reselect {
    fn failed(&self, problem: String) -> Result<()> {
        match self.on_failure {
            ReselectFailure::Fail => Err(Error::config(problem)),
            ReselectFailure::Warn => {
                caisson_sdk::warn!("a change is told without what was to be selected again: {problem}");
                Ok(())
            }
        }
    }
}

/// The columns to be read.
fn missing<'t>(processor: &Reselect, table: &'t Table, row: Row<'_>, before: Option<Row<'_>>) -> Vec<&'t Column> {
    let is_missing = |column: &&Column| match row.get(column.cell) {
        Content::Text(_) => false,
        Content::Null => processor.nulls && column.optional,
        Content::Unchanged => {
            let known = before.is_some_and(|before| matches!(before.get(column.cell), Content::Text(_)));
            processor.unavailable && !known
        }
    };
    let is_selected = |column: &&Column| processor.columns.takes(&format!("{}:{}", table.name, column.name));
    table.columns.iter().filter(is_missing).filter(is_selected).collect()
}

/// What finds the row by its key; `None` without one.
fn condition(processor: &Reselect, table: &Table, info: Option<&TableInfo>, row: Row<'_>) -> Option<String> {
    let key = table.key.as_ref()?;
    let columns: Vec<&Column> = if processor.by_event_key {
        key.columns.iter().collect()
    } else {
        let own = info.map(|info| info.key.as_slice()).unwrap_or_default();
        let find = |name: &String| table.columns.iter().find(|column| column.name == *name);
        own.iter().map(find).collect::<Option<_>>()?
    };
    let equals = |column: &&Column| match row.get(column.cell) {
        Content::Text(text) => {
            let text = String::from_utf8_lossy(text);
            Some(format!("{} = {}", identifier(&column.name), literal(&text)))
        }
        Content::Null => Some(format!("{} is null", identifier(&column.name))),
        Content::Unchanged => None,
    };
    let terms: Vec<String> = columns.iter().map(equals).collect::<Option<_>>()?;
    (!terms.is_empty()).then(|| terms.join(" and "))
}

fn read(sql: &mut Session, table: &Table, columns: &[&Column], condition: &str) -> Result<Option<Vec<Option<String>>>> {
    let list: Vec<String> = columns.iter().map(|column| identifier(&column.name)).collect();
    let rows = sql.query(&format!(
        "select {} from {}.{} where {condition} limit 1",
        list.join(", "),
        identifier(&table.name.schema),
        identifier(&table.name.table)
    ))?;
    Ok(rows.rows.into_iter().next())
}

fn owned(row: Row<'_>) -> OwnedRow {
    let mut owned = OwnedRow::default();
    for (index, cell) in row.cells.iter().enumerate() {
        owned.cells.push(cell.clone());
        if let Content::Text(text) = row.get(index) {
            let text = text.to_vec();
            let start = owned.bytes.len();
            owned.bytes.extend_from_slice(&text);
            owned.cells[index] = Cell::Text(start..owned.bytes.len());
        }
    }
    owned
}

fn put(row: &mut OwnedRow, cell: usize, value: Option<&str>) {
    let Some(place) = row.cells.get_mut(cell) else { return };
    *place = match value {
        Some(text) => {
            let start = row.bytes.len();
            row.bytes.extend_from_slice(text.as_bytes());
            Cell::Text(start..row.bytes.len())
        }
        None => Cell::Null,
    };
}

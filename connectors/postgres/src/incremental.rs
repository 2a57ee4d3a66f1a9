//! Incremental snapshots: tables that are read again in chunks while the stream goes on.
//!
//! Around each chunk the connector inserts two marks into the table of signals. Both come back in the stream, and what
//! changes between them supersedes what the chunk has read: at the second mark the rest of the chunk goes out. So a row
//! is never told older than it was told before.

use std::collections::{HashMap, VecDeque};

use crate::catalog::{self, TableInfo, TableName};
use crate::clock;
use crate::config::{Options, Watermarks, filters};
use crate::emit::Emitter;
use crate::error::{Error, Result};
use crate::notifications::Notification;
use crate::protocol::{Rows, Session, identifier, literal};
use crate::random;
use crate::row::{Cell, OwnedRow};
use crate::signal::{Execute, Signal};
use crate::table::Table;
use crate::types::TypeRegistry;

mod chunk;
mod state;
#[cfg(test)]
mod tests;

use chunk::Chunk;

/// What is asked for, and how far it is.
pub struct Incremental {
    /// The table of signals, without which there are no incremental snapshots.
    signals: Option<TableName>,
    chunk: usize,
    /// Tables to be read; the first is at hand.
    queue: VecDeque<Request>,
    window: Option<Window>,
    paused: bool,
    /// Tables, or all, to be stopped when it goes on.
    stops: Vec<Option<Vec<String>>>,
    /// As offsets have it.
    state: Option<String>,
    /// The signal that has asked last.
    signal: String,
    /// What is to be told.
    untold: Vec<Notification>,
}

/// A table to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Request {
    table: TableName,
    filter: Option<String>,
    surrogate: Option<String>,
    /// Keys as texts: that of the table's last row when its reading began, and that of the last row that is out.
    maximum: Option<Vec<String>>,
    last: Option<Vec<String>>,
    /// Since the task has begun.
    rows: u64,
}

/// A chunk that waits for its marks to come by.
struct Window {
    id: String,
    /// Whether the first mark has come.
    open: bool,
    chunk: Option<Chunk>,
}

/// What reading a chunk needs.
pub struct Ground<'a> {
    pub sql: &'a mut Session,
    pub types: &'a mut TypeRegistry,
    pub emitter: &'a Emitter,
    pub options: &'a Options,
}

/// Rows to be told.
pub struct Released {
    pub table: Table,
    pub rows: Vec<OwnedRow>,
}

impl Incremental {
    /// Goes on with what an offset says.
    pub fn new(options: &Options, stored: Option<&str>) -> Self {
        let signals = options.tables.signal.as_deref().and_then(|name| {
            let (schema, table) = name.split_once('.')?;
            Some(TableName {
                schema: schema.to_owned(),
                table: table.to_owned(),
            })
        });
        let queue = match (&signals, stored) {
            (Some(_), Some(stored)) => state::read(stored),
            _ => VecDeque::new(),
        };
        Incremental {
            chunk: options.incremental_chunk,
            state: state::write(&queue),
            signals,
            queue,
            window: None,
            paused: false,
            stops: Vec::new(),
            signal: String::new(),
            untold: Vec::new(),
        }
    }

    /// Whether it is the table of signals.
    pub fn watches(&self, table: &TableName) -> bool {
        self.signals.as_ref() == Some(table)
    }

    /// Whether a chunk is to be read.
    #[inline]
    pub fn is_ready(&self) -> bool {
        self.window.is_none() && !self.queue.is_empty() && !self.paused && self.signals.is_some()
    }

    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// Whether changes of a table may supersede what was read of it.
    #[inline]
    pub fn collects(&self, table: &TableName) -> bool {
        match &self.window {
            Some(Window {
                open: true,
                chunk: Some(chunk),
                ..
            }) => chunk.table.name == *table,
            Some(_) | None => false,
        }
    }

    /// A row of the table at hand has changed.
    pub fn supersede(&mut self, key: &[u8]) {
        if let Some(chunk) = self.window.as_mut().and_then(|window| window.chunk.as_mut())
            && let Some(place) = chunk.places.get(key)
        {
            chunk.rows[*place] = None;
        }
    }

    /// Does what a signal says; rows to be told are returned.
    pub fn signalled(&mut self, signal: Signal, known: &HashMap<TableName, TableInfo>) -> Option<Released> {
        match signal {
            Signal::WindowOpen(id) => {
                if let Some(window) = self.window.as_mut().filter(|window| id.starts_with(&window.id)) {
                    window.open = true;
                }
                None
            }
            Signal::WindowClose(id) => self.close(&id),
            Signal::Execute(execute) => {
                self.enqueue(&execute, known);
                None
            }
            // A paused snapshot is stopped when it would go on.
            Signal::Stop(tables) if self.paused => {
                self.stops.push(tables);
                None
            }
            Signal::Stop(tables) => {
                self.stop(tables.as_deref());
                None
            }
            Signal::Pause => {
                self.pause(true);
                None
            }
            Signal::Resume => {
                self.pause(false);
                None
            }
            // Nothing to do with these snapshots.
            Signal::Log(_) | Signal::Block(_) => None,
        }
    }

    fn pause(&mut self, pause: bool) {
        if self.queue.is_empty() {
            return;
        }
        if self.paused != pause {
            let kind = if pause { "PAUSED" } else { "RESUMED" };
            self.untold.push(self.about(kind));
        }
        self.paused = pause;
        if !pause {
            self.stop_as_asked();
        }
    }

    /// A notification that lists the tables to be read.
    fn about(&self, kind: &'static str) -> Notification {
        Notification::incremental(&self.signal, kind).with("data_collections", names(self.queue.iter()))
    }

    /// What is to be told since the last call.
    pub fn notifications(&mut self) -> Vec<Notification> {
        std::mem::take(&mut self.untold)
    }

    /// The chunk is out with the record after its last row.
    pub fn released(&mut self) {
        self.state = state::write(&self.queue);
    }

    fn close(&mut self, id: &str) -> Option<Released> {
        let window = self.window.take_if(|window| id.starts_with(&window.id))?;
        let chunk = window.chunk?;
        // A snapshot that was stopped meanwhile tells what it has read.
        if let Some(request) = self.queue.front_mut()
            && request.table == chunk.table.name
        {
            request.last = Some(chunk.end);
        }
        self.stop_as_asked();
        Some(Released {
            table: chunk.table,
            rows: chunk.rows.into_iter().flatten().collect(),
        })
    }

    fn enqueue(&mut self, execute: &Execute, known: &HashMap<TableName, TableInfo>) {
        let was_idle = self.queue.is_empty();
        self.signal.clone_from(&execute.id);
        for (table, filter) in execute.tables(known) {
            if self.queue.iter().any(|request| request.table == table) {
                continue;
            }
            self.queue.push_back(Request {
                table,
                filter,
                surrogate: execute.surrogate.clone(),
                maximum: None,
                last: None,
                rows: 0,
            });
        }
        if was_idle && !self.queue.is_empty() {
            self.untold.push(self.about("STARTED"));
        }
        self.state = state::write(&self.queue);
    }

    /// Stops what was asked to be stopped while it was paused.
    fn stop_as_asked(&mut self) {
        for tables in std::mem::take(&mut self.stops) {
            self.stop(tables.as_deref());
        }
    }

    fn stop(&mut self, tables: Option<&[String]>) {
        let stopped = |table: &TableName| match tables {
            None => true,
            Some(patterns) => patterns.iter().any(|pattern| {
                filters::compile("data-collections", pattern).is_ok_and(|regex| regex.is_match(&table.to_string()))
            }),
        };
        let gone = names(self.queue.iter().filter(|request| stopped(&request.table)));
        if gone.is_empty() {
            return;
        }
        self.queue.retain(|request| !stopped(&request.table));
        self.paused &= !self.queue.is_empty();
        let aborted = Notification::incremental(&self.signal, "ABORTED");
        self.untold.push(aborted.with("data_collections", gone));
        self.state = state::write(&self.queue);
    }

    /// Reads the next chunk between its marks. A failure of the connection leaves all as it was, and what is wrong
    /// with a table alone ends its snapshot.
    pub fn step(&mut self, ground: &mut Ground<'_>) -> Result<()> {
        let Some(signals) = self.signals.clone() else {
            return Ok(());
        };
        let id = random::uuid()?;
        let opened = clock::instant();
        mark(
            ground.sql,
            &signals,
            &id,
            "open",
            &format!(r#"{{"openWindowTimestamp": "{opened}"}}"#),
        )?;
        let chunk = self.next_chunk(ground)?;
        match ground.options.watermarks {
            Watermarks::InsertInsert => {
                let closed = clock::instant();
                let data = format!(r#"{{"openWindowTimestamp": "{opened}", "closeWindowTimestamp": "{closed}"}}"#);
                mark(ground.sql, &signals, &id, "close", &data)?;
            }
            Watermarks::InsertDelete => unmark(ground.sql, &signals, &id)?,
        }
        self.window = Some(Window { id, open: false, chunk });
        Ok(())
    }

    /// Rows of the first table that has more.
    fn next_chunk(&mut self, ground: &mut Ground<'_>) -> Result<Option<Chunk>> {
        while let Some(request) = self.queue.front_mut() {
            let end = match request.read(self.chunk, ground) {
                Err(error) if error.is_transient() || matches!(error, Error::Net(_)) => return Err(error),
                Err(error) => {
                    caisson_sdk::error!("the incremental snapshot of a table ends here: {error}"; table = request.table);
                    Scan::Failed
                }
                Ok(Scan::Chunk(chunk)) => {
                    let (table, maximum) = (request.table.to_string(), request.maximum.iter().flatten());
                    let maximum = maximum.map(String::as_str).collect::<Vec<_>>().join(",");
                    let progress = self.about("IN_PROGRESS").with("current_collection_in_progress", table);
                    self.untold.push(
                        progress
                            .with("maximum_key", maximum)
                            .with("last_processed_key", chunk.end.join(",")),
                    );
                    return Ok(Some(*chunk));
                }
                Ok(end) => end,
            };
            caisson_sdk::info!("the incremental snapshot of a table is complete"; table = request.table);
            let (table, rows) = (request.table.to_string(), request.rows);
            let scanned = self.about("TABLE_SCAN_COMPLETED").scanned(table, rows, end.status());
            self.untold.push(scanned);
            self.queue.pop_front();
            if self.queue.is_empty() {
                self.untold.push(Notification::incremental(&self.signal, "COMPLETED"));
            }
            self.state = state::write(&self.queue);
        }
        Ok(None)
    }
}

/// What reading on in a table gives.
enum Scan {
    Chunk(Box<Chunk>),
    End,
    /// There never was a row.
    Empty,
    /// The table is not there, or not captured.
    Unknown,
    WithoutKey,
    Failed,
}

impl Scan {
    /// How notifications call it.
    fn status(&self) -> &'static str {
        match self {
            Scan::Chunk(_) | Scan::End => "SUCCEEDED",
            Scan::Empty => "EMPTY",
            Scan::Unknown => "UNKNOWN_SCHEMA",
            Scan::WithoutKey => "NO_PRIMARY_KEY",
            Scan::Failed => "SQL_EXCEPTION",
        }
    }
}

fn names<'r>(requests: impl Iterator<Item = &'r Request>) -> String {
    requests
        .map(|request| request.table.to_string())
        .collect::<Vec<_>>()
        .join(",")
}

/// Inserts a mark.
fn mark(sql: &mut Session, signals: &TableName, id: &str, end: &str, data: &str) -> Result<()> {
    sql.query(&format!(
        "insert into {} values ({}, {}, {})",
        qualified(signals),
        literal(&format!("{id}-{end}")),
        literal(&format!("snapshot-window-{end}")),
        literal(data)
    ))
    .map(drop)
}

/// Deletes the first mark of a chunk, which closes it as well as a second one.
fn unmark(sql: &mut Session, signals: &TableName, id: &str) -> Result<()> {
    let id = literal(&format!("{id}-open"));
    sql.query(&format!("delete from {} where id = {id}", qualified(signals)))
        .map(drop)
}

fn qualified(table: &TableName) -> String {
    format!("{}.{}", identifier(&table.schema), identifier(&table.table))
}

impl Request {
    fn look_up(&self, ground: &mut Ground<'_>) -> Result<Option<TableInfo>> {
        match ground.options.tables.takes(&self.table.schema, &self.table.table) {
            true => catalog::find(ground.sql, &self.table),
            false => Ok(None),
        }
    }

    /// The next rows.
    fn read(&mut self, most: usize, ground: &mut Ground<'_>) -> Result<Scan> {
        let Some(info) = self.look_up(ground)? else {
            caisson_sdk::error!("a table of an incremental snapshot is not there, or is not captured"; table = self.table);
            return Ok(Scan::Unknown);
        };
        let sql = &mut *ground.sql;
        ground
            .types
            .ensure(sql, info.columns.iter().map(|column| column.type_oid))?;
        let table = Table::of_snapshot(&info, ground.types, ground.options);
        let key: Vec<String> = match (&self.surrogate, &table.key) {
            (Some(column), _) => vec![column.clone()],
            (None, Some(key)) => key.columns.iter().map(|column| column.name.clone()).collect(),
            (None, None) => {
                caisson_sdk::error!(
                    "a table of an incremental snapshot has no key to go by, and the signal no surrogate-key";
                    table = self.table
                );
                return Ok(Scan::WithoutKey);
            }
        };
        let from = qualified(&self.table);
        let filter = self
            .filter
            .as_deref()
            .map_or("true".to_owned(), |filter| format!("({filter})"));
        let list = |direction: &str| {
            let columns = key.iter().map(|column| format!("{}{direction}", identifier(column)));
            columns.collect::<Vec<_>>().join(", ")
        };
        if self.maximum.is_none() {
            let rows = sql.query(&format!(
                "select {} from {from} where {filter} order by {} limit 1",
                list(""),
                list(" desc")
            ))?;
            self.maximum = key_of(&rows, 0, 0..key.len());
        }
        let Some(maximum) = &self.maximum else {
            return Ok(Scan::Empty);
        };
        let tuple = |values: &[String]| values.iter().map(|value| literal(value)).collect::<Vec<_>>().join(", ");
        let after = match &self.last {
            Some(last) => format!(" and ({}) > ({})", list(""), tuple(last)),
            None => String::new(),
        };
        let selected: Vec<String> = table.selected.iter().map(|column| identifier(column)).collect();
        // The key stands behind the columns once more: not all of them may be captured.
        let rows = sql.query(&format!(
            "select {}, {} from {from} where {filter}{after} and ({}) <= ({}) order by {} limit {most}",
            selected.join(", "),
            list(""),
            list(""),
            tuple(maximum),
            list("")
        ))?;
        let Some(last) = rows.rows.len().checked_sub(1) else {
            return Ok(Scan::End);
        };
        let Some(end) = key_of(&rows, last, selected.len()..selected.len() + key.len()) else {
            return Err(Error::config("a column to go by is null"));
        };
        let rows: Vec<OwnedRow> = rows.rows.into_iter().map(|row| owned(row, selected.len())).collect();
        self.rows += rows.len() as u64;
        let chunk = Chunk::new(table, rows, end, ground.emitter)?;
        Ok(Scan::Chunk(Box::new(chunk)))
    }
}

/// The texts of these columns; `None` if one is null.
fn key_of(rows: &Rows, row: usize, columns: std::ops::Range<usize>) -> Option<Vec<String>> {
    columns.map(|column| rows.get(row, column).map(str::to_owned)).collect()
}

/// The first columns of a row.
fn owned(row: Vec<Option<String>>, columns: usize) -> OwnedRow {
    let mut owned = OwnedRow::default();
    for text in row.into_iter().take(columns) {
        owned.cells.push(match text {
            Some(text) => {
                let start = owned.bytes.len();
                owned.bytes.extend_from_slice(text.as_bytes());
                Cell::Text(start..owned.bytes.len())
            }
            None => Cell::Null,
        });
    }
    owned
}

//! The first reading of all rows, in one transaction that sees the tables as they were at one position of the stream.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::{Duration, Instant};

use crate::catalog::{TableInfo, TableName};
use crate::clock;
use crate::config::{Lock, Options, TableOrder};
use crate::emit::{Change, Op, Out};
use crate::error::{Error, Result};
use crate::lsn::Lsn;
use crate::notifications::SnapshotTeller;
use crate::offsets::{self, Position, Progress};
use crate::protocol::{Message, Session, identifier};
use crate::row::{Cell, OwnedRow, cut_copy_line};
use crate::server::CreatedSlot;
use crate::source_info::{SnapshotMark, SourceInfo};
use crate::table::Table;
use crate::types::TypeRegistry;
use crate::types::codec::snapshot_money_text;
use crate::types::form::DecimalMode;
use crate::visibility::Visibility;

/// A snapshot that runs.
pub struct Snapshot {
    session: Session,
    waiting: VecDeque<Reading>,
    current: Option<Current>,
    /// The last row that came, until it is known what comes after it.
    held: Option<Held>,
    is_first_table: bool,
    info: SourceInfo,
    lsn: Lsn,
    /// What the snapshot has seen, where the stream may tell of it again.
    visibility: Option<Visibility>,
    cells: Vec<Cell>,
    plain: Vec<u8>,
    money_as_double: bool,
    records: u64,
    offsets: Offsets,
    teller: SnapshotTeller,
    now: i64,
}

/// A table to be read.
pub struct Reading {
    pub table: Table,
    /// What gives its rows, where that is not the table itself.
    pub statement: Option<String>,
}

/// The offsets of a snapshot's records.
pub struct Offsets {
    /// Of all records but the last.
    pub running: String,
    /// Of the last.
    pub completed: String,
}

struct Current {
    table: Table,
    rows: u64,
}

struct Held {
    /// `None`: that of the current table.
    table: Option<Table>,
    row: OwnedRow,
    mark: SnapshotMark,
}

/// What is left when a snapshot is through.
pub struct Finished {
    pub session: Session,
    pub lsn: Lsn,
    pub visibility: Option<Visibility>,
    pub records: u64,
}

impl Snapshot {
    /// Begins the transaction. With a slot that was just made, it sees what the slot's stream begins after; otherwise
    /// what it has seen is remembered.
    pub fn begin(
        mut session: Session,
        slot: Option<&CreatedSlot>,
        readings: Vec<Reading>,
        options: &Options,
    ) -> Result<Self> {
        // Read before the snapshot is taken: a transaction in between is told twice rather than not at all.
        let current = session.query(
            "select case when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_last_wal_replay_lsn() \
             else pg_catalog.pg_current_wal_lsn() end",
        )?;
        let lsn = match slot {
            Some(slot) => slot.start,
            None => current.single().and_then(Lsn::parse).unwrap_or_default(),
        };
        begin_transaction(&mut session, slot.and_then(|slot| slot.snapshot.as_deref()), options)?;
        if options.snapshot.lock == Lock::Shared {
            lock(&mut session, &readings, options)?;
        }
        let rows = session.query(
            "select (extract(epoch from pg_catalog.clock_timestamp()) * 1000000)::bigint, \
             pg_catalog.txid_current_snapshot()::text, \
             pg_catalog.txid_snapshot_xmax(pg_catalog.txid_current_snapshot())::text",
        )?;
        let transaction = rows.get(0, 2).and_then(|xid| xid.parse::<u64>().ok());
        let transaction = transaction.map(|xid| xid as u32);
        let time = rows
            .single()
            .and_then(|time| time.parse().ok())
            .unwrap_or_else(clock::now);
        let names = names(readings.iter().map(|reading| &reading.table.name));
        let offset = |progress| offsets::snapshot(lsn, transaction, time, progress);
        Ok(Snapshot {
            session,
            waiting: readings.into(),
            current: None,
            held: None,
            is_first_table: true,
            info: SourceInfo {
                time,
                mark: SnapshotMark::True,
                last_commit: Lsn(0),
                lsn,
                transaction,
                xmin: None,
                origin: None,
            },
            lsn,
            visibility: match slot {
                Some(_) => None,
                None => rows.get(0, 1).and_then(Visibility::parse),
            },
            cells: Vec::new(),
            plain: Vec::new(),
            money_as_double: options.modes.decimal == DecimalMode::Text,
            records: 0,
            offsets: Offsets {
                running: offset(Progress::Running),
                completed: offset(Progress::Completed),
            },
            teller: SnapshotTeller::new(names),
            now: clock::now(),
        })
    }

    /// All tables that are captured, whether they are read or not.
    pub fn among(mut self, captured: &[TableInfo]) -> Self {
        self.teller.among(names(captured.iter().map(|table| &table.name)));
        self
    }

    /// One that is made in the middle of a stream, whose records have the stream's offsets and place.
    pub fn within_stream(mut self, offsets: Offsets, place: &Position) -> Self {
        self.info.last_commit = place.last_commit;
        self.info.lsn = place.lsn;
        self.info.transaction = place.transaction;
        self.offsets = offsets;
        self
    }

    /// Adds rows to the batch until it is full, the time is over, or all are read: then the rest is returned.
    pub fn read(&mut self, out: &mut Out<'_>, end: Instant) -> Result<Step> {
        self.now = clock::now();
        self.teller.begin(&self.offsets.running, out)?;
        loop {
            if self.current.is_none() && !self.next_table(out)? {
                self.release(out)?;
                return Ok(Step::Done);
            }
            while !out.batch.is_full() {
                // What is there is taken first; only then is the time looked at.
                let wait = if self.session.has_more() {
                    Duration::ZERO
                } else {
                    end.saturating_duration_since(Instant::now())
                };
                match self.session.next(wait)? {
                    Some(Message::CopyData(range)) => self.row(range, out)?,
                    Some(Message::Ready) => {
                        self.end_table(out)?;
                        break;
                    }
                    Some(_) => {}
                    None if out.batch.is_empty() && !self.session.was_interrupted() && Instant::now() < end => {}
                    None => return Ok(Step::More),
                }
            }
            if out.batch.is_full() {
                return Ok(Step::More);
            }
        }
    }

    /// Ends the transaction.
    pub fn finish(mut self) -> Result<Finished> {
        self.session.query("commit")?;
        Ok(Finished {
            session: self.session,
            lsn: self.lsn,
            visibility: self.visibility,
            records: self.records,
        })
    }

    fn next_table(&mut self, out: &mut Out<'_>) -> Result<bool> {
        let Some(Reading { table, statement }) = self.waiting.pop_front() else {
            return Ok(false);
        };
        let columns: Vec<String> = table.selected.iter().map(|column| identifier(column)).collect();
        let columns = columns.join(", ");
        let from = match statement {
            Some(statement) => format!("({statement}) as overridden"),
            None => format!("{}.{}", identifier(&table.name.schema), identifier(&table.name.table)),
        };
        caisson_sdk::info!("reading a table for the snapshot"; table = table.name);
        self.teller.table(table.name.to_string(), &self.offsets.running, out)?;
        self.session
            .send_query(&format!("copy (select {columns} from {from}) to stdout"))?;
        self.current = Some(Current { table, rows: 0 });
        Ok(true)
    }

    fn end_table(&mut self, out: &mut Out<'_>) -> Result<()> {
        let Some(current) = self.current.take() else {
            return Ok(());
        };
        let (name, rows) = (current.table.name.to_string(), current.rows);
        self.is_first_table = false;
        if let (Some(held), true) = (&mut self.held, current.rows > 0) {
            if held.mark != SnapshotMark::First {
                held.mark = SnapshotMark::LastInDataCollection;
            }
            held.table = Some(current.table);
        }
        self.teller.table_end(name, rows, &self.offsets.running, out)
    }

    /// Takes a row: the one before it goes out.
    fn row(&mut self, range: Range<usize>, out: &mut Out<'_>) -> Result<()> {
        let mut held = self.held.take();
        if let Some(held) = &held {
            self.write(held, Progress::Running, held.mark, out)?;
        }
        let Some(current) = &mut self.current else {
            return Err(Error::Protocol("a row of no table".into()));
        };
        let mark = match (self.is_first_table, current.rows) {
            (true, 0) => SnapshotMark::First,
            (false, 0) => SnapshotMark::FirstInDataCollection,
            _ => SnapshotMark::True,
        };
        current.rows += 1;
        let line = self.session.body(range);
        let moved = cut_copy_line(line, &mut self.cells, &mut self.plain);
        let bytes = if moved { self.plain.as_slice() } else { line };
        // The memory of the row before is used again.
        let mut row = held.take().map_or_else(OwnedRow::default, |held| held.row);
        row.bytes.clear();
        row.bytes.extend_from_slice(bytes);
        std::mem::swap(&mut row.cells, &mut self.cells);
        if self.money_as_double {
            shorten_money(&current.table, &mut row);
        }
        self.held = Some(Held { table: None, row, mark });
        Ok(())
    }

    /// The last row of all.
    fn release(&mut self, out: &mut Out<'_>) -> Result<()> {
        if let Some(held) = self.held.take() {
            self.write(&held, Progress::Completed, SnapshotMark::Last, out)?;
        }
        self.teller.end(&self.offsets.completed, out)
    }

    fn write(&mut self, held: &Held, progress: Progress, mark: SnapshotMark, out: &mut Out<'_>) -> Result<()> {
        let Some(table) = held
            .table
            .as_ref()
            .or(self.current.as_ref().map(|current| &current.table))
        else {
            return Ok(());
        };
        self.info.mark = mark;
        self.records += 1;
        let offset = match progress {
            Progress::Running => &self.offsets.running,
            Progress::Completed => &self.offsets.completed,
        };
        out.emitter
            .change(
                out.batch,
                table,
                &Change {
                    op: Op::Read,
                    before: None,
                    after: Some(held.row.as_row()),
                    source: &self.info,
                    place: None,
                    next_place: None,
                    now: self.now,
                    offset,
                    previous_offset: offset,
                },
            )
            .map(drop)
    }
}

/// The names of tables as notifications list them.
fn names<'t>(tables: impl Iterator<Item = &'t TableName>) -> String {
    tables.map(TableName::to_string).collect::<Vec<_>>().join(",")
}

/// Whether there is more to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    More,
    Done,
}

/// The original reads money of a snapshot as a double, which shows where decimals are texts.
fn shorten_money(table: &Table, row: &mut OwnedRow) {
    for column in table.columns.iter().filter(|column| column.is_money) {
        let Some(Cell::Text(range)) = row.cells.get(column.cell).cloned() else {
            continue;
        };
        if let Some(text) = row.bytes.get(range).and_then(snapshot_money_text) {
            let start = row.bytes.len();
            row.bytes.extend_from_slice(text.as_bytes());
            row.cells[column.cell] = Cell::Text(start..row.bytes.len());
        }
    }
}

/// With a snapshot that a slot has exported, or one of its own.
fn begin_transaction(session: &mut Session, exported: Option<&str>, options: &Options) -> Result<()> {
    session.query("begin")?;
    let isolation = &options.snapshot.isolation;
    match exported {
        Some(snapshot) => {
            session.query("set transaction isolation level repeatable read, read only")?;
            session.query(&format!("set transaction snapshot '{snapshot}'"))?;
        }
        None => {
            let deferrable = if *isolation == "serializable" {
                ", deferrable"
            } else {
                ""
            };
            session.query(&format!(
                "set transaction isolation level {isolation}, read only{deferrable}"
            ))?;
        }
    }
    Ok(())
}

/// All tables that a first snapshot reads.
pub fn readings(tables: &[TableInfo], types: &TypeRegistry, options: &Options) -> Vec<Reading> {
    let mut chosen: Vec<(usize, &TableInfo)> = tables
        .iter()
        // The table of signals has nothing to tell of before the stream.
        .filter(|table| options.tables.signal.as_ref() != Some(&table.name.to_string()))
        .filter_map(|table| match &options.snapshot.include {
            Some(patterns) => Some((patterns.position(&table.name.to_string())?, table)),
            None => Some((options.tables.position(&table.name.to_string()), table)),
        })
        .collect();
    if options.snapshot.order == TableOrder::ByName {
        // Those of the list in the order of the list; the caller has put the others in theirs.
        chosen.sort_by_key(|(position, _)| *position);
    }
    chosen
        .into_iter()
        .map(|(_, table)| {
            let name = table.name.to_string();
            let overrides = &options.snapshot.overrides;
            let statement = overrides.iter().find(|(overridden, _)| *overridden == name);
            Reading {
                table: Table::of_snapshot(table, types, options),
                statement: statement.map(|(_, statement)| statement.clone()),
            }
        })
        .collect()
}

fn lock(session: &mut Session, readings: &[Reading], options: &Options) -> Result<()> {
    session.query(&format!(
        "set local lock_timeout = {}",
        options.snapshot.lock_timeout.as_millis()
    ))?;
    for Reading { table, .. } in readings {
        session.query(&format!(
            "lock table {}.{} in access share mode",
            identifier(&table.name.schema),
            identifier(&table.name.table)
        ))?;
    }
    Ok(())
}

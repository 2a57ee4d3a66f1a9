//! Signals in the stream, and the rows of incremental snapshots that they let out.

use super::Stream;
use super::blocking::Blocking;
use crate::clock;
use crate::emit::{Change, Op, Out};
use crate::error::Result;
use crate::incremental::{Ground, Released};
use crate::offsets::Position;
use crate::row::{Content, Row as Cells};
use crate::signal::Signal;
use crate::source_info::{SnapshotMark, SourceInfo};
use crate::table::Table;

/// The first three columns of the table of signals.
struct Row {
    id: String,
    kind: String,
    data: Option<String>,
}

impl Row {
    fn read(table: &Table, cells: Option<Cells<'_>>) -> Self {
        let text = |column: usize| match cells?.get(table.columns.get(column)?.cell) {
            Content::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
            Content::Null | Content::Unchanged => None,
        };
        Row {
            id: text(0).unwrap_or_default(),
            kind: text(1).unwrap_or_default(),
            data: text(2),
        }
    }
}

/// What a row of the table of signals asks for.
pub fn read(table: &Table, cells: Option<Cells<'_>>) -> Option<Signal> {
    let row = Row::read(table, cells);
    match Signal::parse(&row.id, &row.kind, row.data.as_deref()) {
        Ok(signal) => Some(signal),
        Err(problem) => {
            caisson_sdk::warn!("a signal is passed over: {problem}"; id = row.id);
            None
        }
    }
}

/// A mark that is deleted closes its chunk.
pub fn closed(table: &Table, cells: Option<Cells<'_>>) -> Option<Signal> {
    let row = Row::read(table, cells);
    row.id.ends_with("-open").then_some(Signal::WindowClose(row.id))
}

impl Stream {
    /// Does what a row of the table of signals asks for.
    pub(super) fn signal(&mut self, signal: Signal, before: Position, out: &mut Out<'_>) -> Result<()> {
        match signal {
            Signal::Log(message) => {
                let message = message.replace("{}", &self.offset);
                caisson_sdk::info!("{message}");
            }
            Signal::Block(execute) => self.blocking = Some(Blocking { execute, before }),
            signal => {
                if let Some(released) = self.incremental.signalled(signal, &self.known) {
                    self.release(&released, out)?;
                    self.incremental.released();
                }
                self.tell_of_incremental(out)?;
            }
        }
        Ok(())
    }

    /// Reads the next chunk of an incremental snapshot.
    pub(super) fn read_chunk(&mut self, out: &mut Out<'_>) -> Result<()> {
        self.incremental.step(&mut Ground {
            sql: &mut self.sql,
            types: &mut self.types,
            emitter: out.emitter,
            options: out.options,
        })?;
        self.tell_of_incremental(out)
    }

    /// Tells how incremental snapshots go.
    fn tell_of_incremental(&mut self, out: &mut Out<'_>) -> Result<()> {
        for notification in self.incremental.notifications() {
            self.write_offset();
            notification.tell(&self.offset, out)?;
        }
        Ok(())
    }

    /// Tells the rows of a chunk. Their offset is that before the chunk: whoever goes on there reads it again.
    fn release(&mut self, released: &Released, out: &mut Out<'_>) -> Result<()> {
        self.write_offset();
        let source = SourceInfo {
            time: clock::now(),
            mark: SnapshotMark::Incremental,
            last_commit: self.source.last_commit,
            lsn: self.source.lsn,
            transaction: None,
            xmin: None,
            origin: None,
        };
        for row in &released.rows {
            let change = Change {
                op: Op::Read,
                before: None,
                after: Some(row.as_row()),
                source: &source,
                place: None,
                next_place: None,
                now: clock::now(),
                offset: &self.offset,
                previous_offset: &self.offset,
            };
            out.emitter.change(out.batch, &released.table, &change)?;
        }
        Ok(())
    }
}

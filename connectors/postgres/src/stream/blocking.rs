//! Snapshots that a signal asks for and the stream stands still for.

use super::{Stream, extras};
use crate::catalog;
use crate::config::Options;
use crate::error::Result;
use crate::offsets::{self, Position};
use crate::server;
use crate::signal::Execute;
use crate::snapshot::{Offsets, Reading, Snapshot};
use crate::table::Table;

/// What a signal asks for.
pub struct Blocking {
    pub(super) execute: Execute,
    /// Where the stream was before the signal: whoever goes on there makes the snapshot again.
    pub(super) before: Position,
}

impl Stream {
    /// Whether it stands still until a snapshot is complete.
    pub fn is_blocked(&self) -> bool {
        self.blocking.is_some()
    }

    /// Begins the snapshot that the stream stands still for, on a connection of its own; `None`: it has no tables.
    pub fn begin_blocking(&mut self, options: &Options) -> Result<Option<Snapshot>> {
        let Some(blocking) = &self.blocking else {
            return Ok(None);
        };
        let mut tables = blocking.execute.tables(&self.known);
        // As in a first snapshot, whatever the signal's order.
        tables.sort();
        let mut sql = server::connect(options)?;
        let mut readings = Vec::with_capacity(tables.len());
        for (name, statement) in tables {
            if !options.tables.takes(&name.schema, &name.table) {
                continue;
            }
            let Some(info) = catalog::find(&mut sql, &name)? else {
                continue;
            };
            self.types
                .ensure(&mut sql, info.columns.iter().map(|column| column.type_oid))?;
            readings.push(Reading {
                table: Table::of_snapshot(&info, &self.types, options),
                statement: statement.map(|statement| statement.trim_end_matches(';').to_owned()),
            });
        }
        if readings.is_empty() {
            sql.close();
            return Ok(None);
        }
        caisson_sdk::info!("the stream stands still for a snapshot"; tables = readings.len());
        let extras = extras(&self.transactions, &self.incremental);
        let offset = |position: &Position| {
            let mut offset = String::new();
            offsets::write_stream(&mut offset, position, extras);
            offset
        };
        let offsets = Offsets {
            running: offset(&blocking.before),
            completed: offset(&self.position),
        };
        let snapshot = Snapshot::begin(sql, None, readings, options)?;
        Ok(Some(snapshot.within_stream(offsets, &self.position)))
    }

    /// Lets the stream go on.
    pub fn unblock(&mut self) {
        self.blocking = None;
    }
}

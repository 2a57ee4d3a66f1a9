//! Messages of the stream, one by one: what they change here, and the records that come of them.

use std::ops::Range;
use std::time::{Duration, Instant};

use super::{Captured, Stream, extras, signals};
use crate::catalog::TableName;
use crate::clock;
use crate::config::{OnFailure, Options};
use crate::emit::{Change, Emitter, Op, Out, Place};
use crate::error::{Error, Result};
use crate::incremental::Incremental;
use crate::logical::LogicalMessage;
use crate::lsn::Lsn;
use crate::offsets::{self, MessageType, Position};
use crate::pgoutput::{self, Message, Old, Relation};
use crate::reselect;
use crate::row::{Cell, OwnedRow, Row};
use crate::signal::Signal;
use crate::source_info::Origin;
use crate::table::{Table, is_as_cataloged};

/// What the original calls the place of a message; behind it, an address where the message lay in its memory.
const MESSAGE_ID: &str = "io.debezium.connector.postgresql.LogicalDecodingMessageMonitor$LogicalDecodingMessageId@";

impl Stream {
    /// Processes one message of pgoutput that lies in the session's bytes.
    pub(super) fn change(&mut self, lsn: Lsn, range: Range<usize>, out: &mut Out<'_>) -> Result<()> {
        let (mut old, mut new) = (std::mem::take(&mut self.old), std::mem::take(&mut self.new));
        let bytes = self.session.body(0..range.end);
        let decoded = pgoutput::decode(&bytes[range.start..], range.start, &mut old, &mut new)?;
        let rows = |op: Op, before, after| Rows {
            op,
            before,
            after,
            end: range.end,
        };
        let outcome = match decoded {
            Message::Begin { time, xid } => self.begin_transaction(lsn, time, xid, out),
            Message::Commit { end, time } => self.commit(end, time, out),
            Message::Origin { lsn, name } => {
                self.source.origin = Some(Origin {
                    name: name.to_owned(),
                    lsn,
                });
                Ok(())
            }
            Message::Relation(relation) => self.relation(relation, out.options),
            Message::Insert { relation } => self.row(relation, lsn, rows(Op::Create, None, Some(&new)), out),
            Message::Update { relation, old: kind } => {
                let before = (kind != Old::None).then_some(old.as_slice());
                self.row(relation, lsn, rows(Op::Update, before, Some(&new)), out)
            }
            Message::Delete { relation, .. } => self.row(relation, lsn, rows(Op::Delete, Some(&old), None), out),
            Message::Truncate { relations } => relations
                .into_iter()
                .try_for_each(|relation| self.row(relation, lsn, rows(Op::Truncate, None, None), out)),
            Message::Logical {
                transactional,
                prefix,
                content,
                ..
            } => {
                let message = LogicalMessage {
                    transactional,
                    prefix: prefix.to_owned(),
                    content: content.to_vec(),
                };
                self.logical(lsn, &message, out)
            }
            Message::Other => Ok(()),
        };
        (self.old, self.new) = (old, new);
        outcome
    }

    fn begin_transaction(&mut self, lsn: Lsn, time: i64, xid: u32, out: &mut Out<'_>) -> Result<()> {
        self.in_transaction = true;
        self.source.time = time;
        self.source.transaction = Some(xid);
        self.source.origin = None;
        self.resume.begin(xid);
        self.transactions.begin(xid, lsn, time);
        if self.transactions.are_told() && !self.resume.is_searching() {
            let position = Position {
                transaction: Some(xid),
                time,
                ..self.position.clone()
            };
            if self.transactions.tell_begin(&position, &mut self.offset, out)? {
                self.told = position.last_commit;
            }
        }
        Ok(())
    }

    fn commit(&mut self, end: Lsn, time: i64, out: &mut Out<'_>) -> Result<()> {
        let seen = self.resume.commit();
        self.in_transaction = false;
        self.position.lsn = end;
        self.position.changes = 1;
        self.position.last_commit = end;
        self.position.message = MessageType::Commit;
        if !seen {
            self.position.transaction = self.source.transaction;
            self.position.time = self.source.time;
            self.source.lsn = end;
            if self.transactions.are_told() {
                let (told, before) = (self.told, out.batch.len());
                self.write_offset();
                self.transactions.commit(end, time, &self.offset, out)?;
                if out.batch.len() == before {
                    // No record has this offset.
                    self.told = told;
                }
            }
        }
        self.transactions.end();
        self.source.last_commit = end;
        Ok(())
    }

    fn relation(&mut self, relation: Relation, options: &Options) -> Result<()> {
        if !options.tables.takes(&relation.schema, &relation.table) {
            self.relations.insert(relation.id, Captured::No);
            return Ok(());
        }
        let name = TableName {
            schema: relation.schema.clone(),
            table: relation.table.clone(),
        };
        if self
            .known
            .get(&name)
            .is_some_and(|info| is_as_cataloged(&relation, info))
        {
            // What the stream does not say may have changed, such as the key.
            self.changed = Some((relation, Instant::now()));
            return Ok(());
        }
        // The catalogue is asked some time after the change was committed, as the original does: changes of structure
        // come in series, and what it says then is the outcome of the series.
        let age = Duration::from_micros(u64::try_from(clock::now() - self.source.time).unwrap_or(0));
        let due = Instant::now() + options.poll_interval.saturating_sub(age);
        self.changed = Some((relation, due));
        Ok(())
    }

    fn row(&mut self, relation: u32, lsn: Lsn, rows: Rows<'_>, out: &mut Out<'_>) -> Result<()> {
        let Some(Captured::Yes(table)) = self.relations.get(&relation) else {
            return Ok(());
        };
        if self.resume.skips(lsn) {
            return Ok(());
        }
        let bytes = self.session.body(0..rows.end);
        let row = |cells| Row { cells, bytes };
        let (old, new) = (rows.before.map(row), rows.after.map(row));
        let is_signals = self.incremental.watches(&table.name);
        let is_left_out = is_left_out(table, rows.op, old, new, out)?;
        let completed = match new {
            // Before it counts as processed: the server may not be there.
            Some(new) if !is_left_out && !is_signals && !out.options.reselects.is_empty() => {
                let info = self.known.get(&table.name);
                reselect::complete(&out.options.reselects, &mut self.sql, table, info, new, old)?
            }
            Some(_) | None => None,
        };
        let before = self.position.clone();
        self.position.advance(lsn, self.source.transaction);
        self.position.time = self.source.time;
        self.position.message = message_type(rows.op);
        if is_left_out {
            return Ok(());
        }
        self.source.lsn = lsn;
        let after = completed.as_ref().map(OwnedRow::as_row).or(new);
        let place = self
            .transactions
            .place(&table.name, lsn, &self.position, &mut self.offset, out)?;
        if place.is_some() && out.emitter.makes_two(rows.op, table, old, after)? {
            self.transactions.count_another(&table.name);
        }
        let signal = is_signals.then(|| signal_of(rows.op, table, old, new)).flatten();
        // Whoever goes on after a record that blocks has to find the signal again.
        let is_found_again = matches!(signal, Some(Signal::Block(_)));
        let position = if is_found_again { &before } else { &self.position };
        std::mem::swap(&mut self.offset, &mut self.previous_offset);
        offsets::write_stream(
            &mut self.offset,
            position,
            extras(&self.transactions, &self.incremental),
        );
        self.told = self.position.last_commit;
        let next_place = place.as_ref().map(Place::next);
        let change = Change {
            op: rows.op,
            before: old,
            after,
            source: &self.source,
            place: place.as_ref(),
            next_place: next_place.as_ref(),
            now: self.now,
            offset: &self.offset,
            previous_offset: &self.previous_offset,
        };
        if let Err(error) = out.emitter.change(out.batch, table, &change) {
            return tolerate(error, out.options);
        }
        if self.incremental.collects(&table.name) {
            supersede(&mut self.incremental, table, &change, out.emitter)?;
        }
        match signal {
            Some(signal) => self.signal(signal, before, out),
            None => Ok(()),
        }
    }

    fn logical(&mut self, lsn: Lsn, message: &LogicalMessage, out: &mut Out<'_>) -> Result<()> {
        if !out.options.messages.takes(&message.prefix) || self.resume.skips_message(lsn, message.transactional) {
            return Ok(());
        }
        self.position.message = MessageType::Message;
        let mut source = self.source.clone();
        source.lsn = lsn;
        if !message.transactional {
            source.transaction = None;
            source.time = self.now;
        }
        let transaction = source.transaction.or(self.position.transaction);
        self.position.advance(lsn, transaction);
        self.position.time = source.time;
        let place = match message.transactional {
            true => {
                let id = format_args!("{MESSAGE_ID}{:x}", lsn.0);
                self.transactions
                    .place(&id, lsn, &self.position, &mut self.offset, out)?
            }
            false => None,
        };
        self.write_offset();
        message.write(&source, place.as_ref(), self.now, &self.offset, out)
    }
}

/// What is being read of a table by its keys is older than this change of it.
fn supersede(incremental: &mut Incremental, table: &Table, change: &Change<'_>, emitter: &Emitter) -> Result<()> {
    for row in [change.before, change.after].into_iter().flatten() {
        if let Some(key) = emitter.key_of(table, row, change.before)? {
            incremental.supersede(&key);
        }
    }
    Ok(())
}

/// Whether the configuration leaves a change out.
fn is_left_out(
    table: &Table,
    op: Op,
    before: Option<Row<'_>>,
    after: Option<Row<'_>>,
    out: &mut Out<'_>,
) -> Result<bool> {
    let events = &out.options.events;
    // What an update that changes the key becomes is skipped by what it is then.
    if events.skipped.contains(&op.letter()) && (op != Op::Update || !out.emitter.is_moved(table, before, after)?) {
        return Ok(true);
    }
    Ok(match (before, after) {
        (Some(before), Some(after)) if events.skips_unchanged => out.emitter.is_unchanged(table, before, after),
        _ => false,
    })
}

/// The cells of a change.
#[derive(Clone, Copy)]
struct Rows<'a> {
    op: Op,
    before: Option<&'a [Cell]>,
    after: Option<&'a [Cell]>,
    /// Where the message ends in the session's bytes.
    end: usize,
}

fn message_type(op: Op) -> MessageType {
    match op {
        Op::Read | Op::Create => MessageType::Insert,
        Op::Update => MessageType::Update,
        Op::Delete => MessageType::Delete,
        Op::Truncate => MessageType::Truncate,
    }
}

/// `event.processing.failure.handling.mode`, which is about values.
fn tolerate(error: Error, options: &Options) -> Result<()> {
    match (&error, options.events.on_failure) {
        (Error::Value { .. }, OnFailure::Warn) => {
            caisson_sdk::warn!("a change is left out: {error}");
            Ok(())
        }
        (Error::Value { .. }, OnFailure::Skip) => Ok(()),
        (_, OnFailure::Fail | OnFailure::Warn | OnFailure::Skip) => Err(error),
    }
}

/// What a row of the table of signals asks for.
fn signal_of(op: Op, table: &Table, old: Option<Row<'_>>, new: Option<Row<'_>>) -> Option<Signal> {
    match op {
        Op::Create => signals::read(table, new),
        Op::Delete => signals::closed(table, old),
        _ => None,
    }
}

//! The stream of changes: reading it, keeping the connection alive, and knowing where it stands.

use std::collections::HashMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use crate::catalog::{self, TableInfo, TableName};
use crate::clock;
use crate::config::{Flush, OnFailure, Options};
use crate::emit::{Change, Made, Op, Out, Place};
use crate::error::{Error, Result};
use crate::heartbeat::Heartbeats;
use crate::logical::LogicalMessage;
use crate::lsn::Lsn;
use crate::offsets::{self, MessageType, Position, Stored};
use crate::pgoutput::{self, Message, Old, Relation};
use crate::protocol::{Fields, Message as Wire, Mode, Session};
use crate::row::{Cell, Row};
use crate::server;
use crate::source_info::{Origin, SnapshotMark, SourceInfo};
use crate::table::{Table, is_as_cataloged};
use crate::transactions::Transactions;
use crate::types::TypeRegistry;
use crate::visibility::Visibility;

mod resume;
use resume::Resume;

/// A stream that is open, and what has to be known to read it.
pub struct Stream {
    session: Session,
    /// For the catalogue and heartbeats.
    sql: Session,
    types: TypeRegistry,
    /// What the catalogue said of tables last.
    known: HashMap<TableName, TableInfo>,
    relations: HashMap<u32, Captured>,
    /// A relation that waits to be looked up, and until when.
    changed: Option<(Relation, Instant)>,
    resume: Resume,
    position: Position,
    source: SourceInfo,
    offset: String,
    transactions: Transactions,
    heartbeats: Heartbeats,
    /// Up to where the server was told that all is done.
    flushed: Lsn,
    /// The end of the log as the server told it last.
    server_end: Lsn,
    last_status: Instant,
    next_xmin: Option<Instant>,
    old: Vec<Cell>,
    new: Vec<Cell>,
    now: i64,
    /// Whether a transaction is open in the stream.
    in_transaction: bool,
}

/// What becomes of a table's changes.
enum Captured {
    Yes(Box<Table>),
    No,
}

/// How a stream begins.
pub struct Beginning {
    pub start: Lsn,
    /// The offset that it goes on from.
    pub stored: Option<Stored>,
    pub visibility: Option<Visibility>,
    pub sql: Session,
    pub types: TypeRegistry,
    pub tables: Vec<TableInfo>,
}

impl Stream {
    /// Asks for the stream. If it is not to be had, what it would begin with is given back.
    pub fn begin(
        mut beginning: Beginning,
        heartbeats: Heartbeats,
        options: &Options,
    ) -> std::result::Result<Self, Box<(Error, Box<Beginning>, Heartbeats)>> {
        let session = match open(&mut beginning, options) {
            Ok(session) => session,
            Err(error) => return Err(Box::new((error, Box::new(beginning), heartbeats))),
        };
        caisson_sdk::info!("streaming changes"; slot = options.slot.name, from = beginning.start);
        let stored = beginning.stored.as_ref();
        let position = Position {
            lsn: stored.map_or(beginning.start, |stored| stored.lsn),
            last_commit: stored.map_or(Lsn(0), |stored| stored.last_commit),
            transaction: stored.and_then(|stored| stored.transaction),
            time: clock::now(),
            message: MessageType::Begin,
        };
        Ok(Stream {
            session,
            sql: beginning.sql,
            types: beginning.types,
            known: beginning
                .tables
                .into_iter()
                .map(|table| (table.name.clone(), table))
                .collect(),
            relations: HashMap::new(),
            changed: None,
            resume: Resume::new(stored, beginning.visibility),
            source: SourceInfo {
                time: position.time,
                mark: SnapshotMark::False,
                last_commit: position.last_commit,
                lsn: position.lsn,
                transaction: None,
                xmin: None,
                origin: None,
            },
            position,
            offset: String::new(),
            transactions: Transactions::new(options),
            heartbeats,
            flushed: Lsn(0),
            server_end: Lsn(0),
            last_status: Instant::now(),
            next_xmin: options.xmin_interval.map(|_| Instant::now()),
            old: Vec::new(),
            new: Vec::new(),
            now: clock::now(),
            in_transaction: false,
        })
    }

    /// The end of the last transaction that the records so far stand for.
    pub fn last_commit(&self) -> Lsn {
        self.position.last_commit
    }

    /// Everything up to here is in Kafka, and its offset stored.
    pub fn committed(&mut self, up_to: Lsn, options: &Options) -> Result<()> {
        if options.flush != Flush::Never && up_to > self.flushed {
            self.flushed = up_to;
            self.send_status()?;
        }
        Ok(())
    }

    /// What has to begin a new stream in place of this one, after its connection was lost.
    pub fn into_beginning(self) -> (Beginning, Heartbeats) {
        let stored = Stored {
            lsn: self.position.lsn,
            last_commit: self.position.last_commit,
            transaction: self.position.transaction,
            snapshot_unfinished: false,
            incremental: None,
        };
        let beginning = Beginning {
            start: stored.start(),
            stored: Some(stored),
            visibility: self.resume.into_visibility(),
            sql: self.sql,
            types: self.types,
            tables: self.known.into_values().collect(),
        };
        (beginning, self.heartbeats)
    }

    /// Says goodbye.
    pub fn close(mut self) -> Session {
        let _ = self.send_status();
        self.session.close();
        self.sql
    }

    /// Adds changes to the batch until it is full, the time is over, or nothing more has come.
    pub fn read(&mut self, out: &mut Out<'_>, end: Instant) -> Result<()> {
        self.now = clock::now();
        self.keep_alive(out.options)?;
        self.fetch_xmin(out.options)?;
        while !out.batch.is_full() {
            if !self.look_up_changed(out.options, end)? {
                break;
            }
            let wait = if self.session.has_more() || !out.batch.is_empty() {
                Duration::ZERO
            } else {
                end.saturating_duration_since(Instant::now())
            };
            match self.session.next(wait)? {
                Some(Wire::CopyData(range)) => self.copy_data(range, out)?,
                Some(Wire::CopyDone | Wire::Complete | Wire::Ready) => return Err(Error::Closed(" of the stream")),
                Some(_) => {}
                None => break,
            }
        }
        self.beat(out)
    }

    /// Looks up a table that has changed, once its time has come; false while it has not.
    fn look_up_changed(&mut self, options: &Options, end: Instant) -> Result<bool> {
        let Some((_, due)) = &self.changed else { return Ok(true) };
        let now = Instant::now();
        if *due > now {
            if *due > end {
                std::thread::sleep(end.saturating_duration_since(now));
                return Ok(false);
            }
            std::thread::sleep(*due - now);
        }
        // Taken only when it is done: the look-up may be interrupted.
        if let Some((relation, _)) = self.changed.clone() {
            self.look_up(relation, options)?;
            self.changed = None;
        }
        Ok(true)
    }

    fn look_up(&mut self, relation: Relation, options: &Options) -> Result<()> {
        let name = TableName {
            schema: relation.schema.clone(),
            table: relation.table.clone(),
        };
        let info = catalog::find(&mut self.sql, &name)?;
        self.types
            .ensure(&mut self.sql, relation.columns.iter().map(|column| column.type_oid))?;
        let table = Table::of_stream(&relation, info.as_ref(), &self.types, options);
        match info {
            Some(info) => self.known.insert(name, info),
            None => self.known.remove(&name),
        };
        self.relations.insert(relation.id, Captured::Yes(Box::new(table)));
        Ok(())
    }

    fn copy_data(&mut self, range: Range<usize>, out: &mut Out<'_>) -> Result<()> {
        let mut fields = Fields::new(self.session.body(range.clone()));
        match fields.byte()? {
            b'w' => {
                let lsn = Lsn(fields.int64()? as u64);
                fields.int64()?;
                fields.int64()?;
                let start = range.end - fields.rest().len();
                self.change(lsn, start..range.end, out)
            }
            b'k' => {
                self.server_end = self.server_end.max(Lsn(fields.int64()? as u64));
                fields.int64()?;
                let reply = fields.byte()? == 1;
                let idle = !self.in_transaction && out.batch.is_empty() && !self.resume.is_searching();
                if out.options.flush == Flush::CommittedAndIdle && idle && self.flushed >= self.position.last_commit {
                    self.flushed = self.flushed.max(self.server_end);
                }
                if reply { self.send_status() } else { Ok(()) }
            }
            other => Err(Error::Protocol(format!(
                "the stream has a message of the unknown kind {:?}",
                other as char
            ))),
        }
    }

    /// Processes one message of pgoutput that lies in the session's bytes.
    fn change(&mut self, lsn: Lsn, range: Range<usize>, out: &mut Out<'_>) -> Result<()> {
        let (mut old, mut new) = (std::mem::take(&mut self.old), std::mem::take(&mut self.new));
        let bytes = self.session.body(0..range.end);
        let decoded = pgoutput::decode(&bytes[range.start..], range.start, &mut old, &mut new)?;
        let outcome = match decoded {
            Message::Begin { time, xid } => {
                self.in_transaction = true;
                self.source.time = time;
                self.source.transaction = Some(xid);
                self.source.origin = None;
                self.resume.begin(xid);
                self.transactions.begin(xid, lsn, time);
                Ok(())
            }
            Message::Commit { end, time } => self.commit(end, time, out),
            Message::Origin { lsn, name } => {
                self.source.origin = Some(Origin {
                    name: name.to_owned(),
                    lsn,
                });
                Ok(())
            }
            Message::Relation(relation) => self.relation(relation, out.options),
            Message::Insert { relation } => {
                let rows = Rows {
                    op: Op::Create,
                    before: None,
                    after: Some(&new),
                    end: range.end,
                };
                self.row(relation, lsn, rows, out)
            }
            Message::Update { relation, old: kind } => {
                let before = (kind != Old::None).then_some(old.as_slice());
                let rows = Rows {
                    op: Op::Update,
                    before,
                    after: Some(&new),
                    end: range.end,
                };
                self.row(relation, lsn, rows, out)
            }
            Message::Delete { relation, .. } => {
                let rows = Rows {
                    op: Op::Delete,
                    before: Some(&old),
                    after: None,
                    end: range.end,
                };
                self.row(relation, lsn, rows, out)
            }
            Message::Truncate { relations } => relations.into_iter().try_for_each(|relation| {
                let rows = Rows {
                    op: Op::Truncate,
                    before: None,
                    after: None,
                    end: range.end,
                };
                self.row(relation, lsn, rows, out)
            }),
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

    fn commit(&mut self, end: Lsn, time: i64, out: &mut Out<'_>) -> Result<()> {
        let seen = self.resume.commit();
        self.in_transaction = false;
        self.position.lsn = self.position.lsn.max(end);
        self.position.last_commit = end;
        self.position.message = MessageType::Commit;
        if !seen {
            self.position.transaction = self.source.transaction;
            self.position.time = self.source.time;
            self.source.lsn = end;
            let extras = self.transactions.extras();
            offsets::write_stream(&mut self.offset, &self.position, &extras);
            self.transactions.commit(end, time, &self.offset, out)?;
        }
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
        if let Some(info) = self.known.get(&name)
            && is_as_cataloged(&relation, info)
        {
            let table = Table::of_stream(&relation, Some(info), &self.types, options);
            self.relations.insert(relation.id, Captured::Yes(Box::new(table)));
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
        if self.resume.skips(lsn) {
            return Ok(());
        }
        let Some(Captured::Yes(table)) = self.relations.get(&relation) else {
            return Ok(());
        };
        self.position.lsn = self.position.lsn.max(lsn);
        self.position.transaction = self.source.transaction;
        self.position.time = self.source.time;
        self.position.message = match rows.op {
            Op::Read | Op::Create => MessageType::Insert,
            Op::Update => MessageType::Update,
            Op::Delete => MessageType::Delete,
            Op::Truncate => MessageType::Truncate,
        };
        if out.options.events.skipped.contains(&rows.op.letter()) {
            return Ok(());
        }
        self.source.lsn = lsn;
        let place = self.transactions.place(&table.name, lsn, &self.position, out)?;
        let extras = self.transactions.extras();
        offsets::write_stream(&mut self.offset, &self.position, &extras);
        let next_place = place.as_ref().map(Place::next);
        let bytes = self.session.body(0..rows.end);
        let row = |cells| Row { cells, bytes };
        let change = Change {
            op: rows.op,
            before: rows.before.map(row),
            after: rows.after.map(row),
            source: &self.source,
            place: place.as_ref(),
            next_place: next_place.as_ref(),
            now: self.now,
            offset: &self.offset,
        };
        match out.emitter.change(out.batch, table, &change) {
            Err(error @ Error::Value { .. }) => tolerate(error, out.options),
            Err(error) => Err(error),
            Ok(Made::One) => Ok(()),
            Ok(Made::DeleteAndCreate) => {
                self.transactions.count_another(&table.name);
                Ok(())
            }
        }
    }

    fn logical(&mut self, lsn: Lsn, message: &LogicalMessage, out: &mut Out<'_>) -> Result<()> {
        if !out.options.messages.takes(&message.prefix) || self.resume.skips_message(lsn, message.transactional) {
            return Ok(());
        }
        self.position.lsn = self.position.lsn.max(lsn);
        self.position.message = MessageType::Message;
        let mut source = self.source.clone();
        source.lsn = lsn;
        if !message.transactional {
            source.transaction = None;
            source.time = self.now;
        }
        self.position.transaction = source.transaction.or(self.position.transaction);
        self.position.time = source.time;
        let extras = self.transactions.extras();
        offsets::write_stream(&mut self.offset, &self.position, &extras);
        message.write(&source, self.now, &self.offset, out)
    }

    /// A heartbeat, if it is time for one.
    fn beat(&mut self, out: &mut Out<'_>) -> Result<()> {
        if !self.heartbeats.is_due() {
            return Ok(());
        }
        let extras = self.transactions.extras();
        offsets::write_stream(&mut self.offset, &self.position, &extras);
        self.heartbeats.beat(&mut self.sql, &self.offset, out)
    }

    fn keep_alive(&mut self, options: &Options) -> Result<()> {
        if self.last_status.elapsed() >= options.status_interval {
            self.send_status()?;
        }
        Ok(())
    }

    fn fetch_xmin(&mut self, options: &Options) -> Result<()> {
        let (Some(next), Some(interval)) = (self.next_xmin, options.xmin_interval) else {
            return Ok(());
        };
        if Instant::now() >= next {
            self.source.xmin = server::slot_state(&mut self.sql, options)?.and_then(|slot| slot.xmin);
            self.next_xmin = Some(Instant::now() + interval);
        }
        Ok(())
    }

    fn send_status(&mut self) -> Result<()> {
        self.last_status = Instant::now();
        let mut status = vec![b'r'];
        // Written, flushed, applied.
        for _ in 0..3 {
            status.extend_from_slice(&self.flushed.0.to_be_bytes());
        }
        status.extend_from_slice(&pgoutput::postgres_micros(clock::now()).to_be_bytes());
        status.push(0);
        self.session.send_copy_data(&status)
    }
}

/// Opens both connections; that for queries may have been lost meanwhile.
fn open(beginning: &mut Beginning, options: &Options) -> Result<Session> {
    if beginning.sql.query("select 1").is_err() {
        beginning.sql = server::connect(options)?;
    }
    let mut session = Session::open(&options.target, Mode::Replication, server::STREAM_APPLICATION)?;
    let command = server::start_command(options, session.version(), beginning.start);
    session.query(&command)?;
    Ok(session)
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

/// `event.processing.failure.handling.mode`.
fn tolerate(error: Error, options: &Options) -> Result<()> {
    match options.events.on_failure {
        OnFailure::Fail => Err(error),
        OnFailure::Warn => {
            caisson_sdk::warn!("a change is left out: {error}");
            Ok(())
        }
        OnFailure::Skip => Ok(()),
    }
}

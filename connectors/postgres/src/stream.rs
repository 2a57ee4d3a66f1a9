//! The stream of changes: reading it, keeping the connection alive, and knowing where it stands.

use std::collections::HashMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use crate::catalog::{self, TableInfo, TableName};
use crate::clock;
use crate::config::{Flush, Options};
use crate::emit::Out;
use crate::error::{Error, Result};
use crate::heartbeat::Heartbeats;
use crate::incremental::Incremental;
use crate::lsn::Lsn;
use crate::notifications::Notification;
use crate::offsets::{self, Extras, MessageType, Position, Stored};
use crate::pgoutput::{self, Relation};
use crate::protocol::{Fields, Message as Wire, Mode, Session};
use crate::row::Cell;
use crate::server;
use crate::source_info::{SnapshotMark, SourceInfo};
use crate::table::{Table, is_as_cataloged};
use crate::transactions::Transactions;
use crate::types::TypeRegistry;
use crate::visibility::Visibility;

mod blocking;
mod changes;
mod resume;
mod signals;

use blocking::Blocking;
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
    /// Offsets of the record at hand and of the one before it, or where the stream began.
    offset: String,
    previous_offset: String,
    transactions: Transactions,
    incremental: Incremental,
    /// The snapshot that it stands still for.
    blocking: Option<Blocking>,
    heartbeats: Heartbeats,
    /// The last commit in the offset of the last record.
    told: Lsn,
    /// Up to where the server was told that all is done.
    flushed: Lsn,
    /// The end of the log as the server told it last.
    server_end: Lsn,
    /// Records given out before this batch that Kafka may not have yet, or whose offsets are not stored.
    outstanding: u64,
    last_status: Instant,
    last_read: Instant,
    next_xmin: Option<Instant>,
    old: Vec<Cell>,
    new: Vec<Cell>,
    now: i64,
    /// Whether a transaction is open in the stream.
    in_transaction: bool,
    /// Whether it is to be told that there is no snapshot before it.
    is_first: bool,
}

/// A server sends single transactions in packets of their own: a batch waits a moment for more of them, in milliseconds, and
/// longer as long as more come.
const PAUSES: [u64; 3] = [1, 2, 4];
/// The task is paused, or something holds it up.
const NOT_READ: Duration = Duration::from_secs(2);

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
    /// Whether the task has begun with it, without a snapshot.
    pub is_first: bool,
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
            changes: stored.map_or(1, |stored| stored.changes),
            last_commit: stored.map_or(Lsn(0), |stored| stored.last_commit),
            transaction: stored.and_then(|stored| stored.transaction),
            time: clock::now(),
            message: stored.and_then(|stored| stored.message).unwrap_or(MessageType::Begin),
        };
        let incremental = Incremental::new(options, stored.and_then(|stored| stored.incremental.as_deref()));
        let transactions = Transactions::new(options, stored.and_then(|stored| stored.told.clone()));
        let mut offset = String::new();
        offsets::write_stream(&mut offset, &position, extras(&transactions, &incremental));
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
            incremental,
            blocking: None,
            position,
            offset,
            previous_offset: String::new(),
            transactions,
            heartbeats,
            told: Lsn(0),
            flushed: Lsn(0),
            server_end: Lsn(0),
            outstanding: 0,
            last_status: Instant::now(),
            last_read: Instant::now(),
            next_xmin: options.xmin_interval.map(|_| Instant::now()),
            old: Vec::new(),
            new: Vec::new(),
            now: clock::now(),
            in_transaction: false,
            is_first: beginning.is_first,
        })
    }

    /// The end of the last transaction before the records so far, as their offsets have it: what a reader that goes on
    /// after them asks for, and so the most that the server may let go of.
    pub fn last_commit(&self) -> Lsn {
        self.told
    }

    /// Everything up to here is in Kafka, and its offset stored.
    ///
    /// The worker says so again and again while the task is paused, and nothing is read. A server that shuts down has ended
    /// the other connection then, and waits for this one.
    pub fn committed(&mut self, up_to: Lsn, options: &Options) -> Result<()> {
        if options.flush != Flush::Never && up_to > self.flushed {
            self.flushed = up_to;
            self.send_status()?;
        }
        if self.last_read.elapsed() >= NOT_READ {
            self.sql.query("select 1")?;
            self.send_status()?;
        }
        Ok(())
    }

    /// What has to begin a new stream in place of this one, after its connection was lost.
    pub fn into_beginning(self) -> (Beginning, Heartbeats) {
        // The signal of a snapshot that is not complete has to come again.
        let position = self.blocking.map_or(self.position, |blocking| blocking.before);
        let stored = Stored {
            lsn: position.lsn,
            changes: position.changes,
            last_commit: position.last_commit,
            transaction: position.transaction,
            message: Some(position.message),
            told: self.transactions.told().cloned(),
            snapshot_unfinished: false,
            incremental: self.incremental.state().map(str::to_owned),
        };
        let beginning = Beginning {
            start: stored.start(),
            stored: Some(stored),
            visibility: self.resume.into_visibility(),
            is_first: self.is_first,
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

    /// Adds changes to the batch until it is full, the time is over, or nothing more has come. `outstanding`: records
    /// before it that may have to be given again.
    pub fn read(&mut self, out: &mut Out<'_>, end: Instant, outstanding: u64) -> Result<()> {
        self.now = clock::now();
        self.last_read = Instant::now();
        self.outstanding = outstanding;
        self.keep_alive(out.options)?;
        self.fetch_xmin(out.options)?;
        if std::mem::take(&mut self.is_first) {
            Notification::initial("SKIPPED").tell(&self.offset, out)?;
        }
        // Whether something has come since the last pause, and those that may follow.
        let (mut came, mut pauses) = (true, PAUSES.into_iter());
        while !out.batch.is_full() && !self.is_blocked() {
            if !self.look_up_changed(out.options, end)? {
                break;
            }
            if self.incremental.is_ready() {
                self.read_chunk(out)?;
            }
            let wait = if self.session.has_more() || !out.batch.is_empty() {
                Duration::ZERO
            } else {
                end.saturating_duration_since(Instant::now())
            };
            match self.session.next(wait)? {
                Some(Wire::CopyData(range)) => {
                    came = true;
                    self.copy_data(range, out)?;
                }
                Some(Wire::CopyDone | Wire::Complete | Wire::Ready) => return Err(Error::Closed(" of the stream")),
                Some(_) => {}
                None if out.batch.is_empty() || !came || self.session.was_interrupted() => break,
                None => {
                    let Some(pause) = pauses.next() else { break };
                    came = false;
                    std::thread::sleep(Duration::from_millis(pause));
                }
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
        let found = catalog::find(&mut self.sql, &name)?;
        // The catalogue may be ahead of the stream.
        let fits = |info: &TableInfo| is_as_cataloged(&relation, info);
        let info = match self.known.get(&name) {
            Some(known) if fits(known) && !found.as_ref().is_some_and(fits) => Some(known.clone()),
            _ => found,
        };
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
                let idle = self.outstanding == 0 && out.batch.is_empty() && !self.in_transaction;
                if out.options.flush == Flush::CommittedAndIdle && idle && !self.resume.is_searching() {
                    self.flushed = self.flushed.max(self.server_end);
                }
                if reply { self.answer() } else { Ok(()) }
            }
            other => Err(Error::Protocol(format!(
                "the stream has a message of the unknown kind {:?}",
                other as char
            ))),
        }
    }

    /// A heartbeat, if it is time for one.
    fn beat(&mut self, out: &mut Out<'_>) -> Result<()> {
        // While it stands still, an offset beyond the signal would forget the snapshot.
        if self.is_blocked() || !self.heartbeats.is_due() {
            return Ok(());
        }
        self.write_offset();
        self.heartbeats.beat(&mut self.sql, &self.offset, out)
    }

    /// Writes the offset of the next record.
    fn write_offset(&mut self) {
        let extras = extras(&self.transactions, &self.incremental);
        offsets::write_stream(&mut self.offset, &self.position, extras);
        self.told = self.position.last_commit;
    }

    /// Answers a server that wants to hear of its reader.
    ///
    /// One that shuts down asks again and again, and waits until its reader has everything. That is so once Kafka has it and
    /// the offsets are stored, which may be a minute from now, or never where only what is captured counts. Such a server
    /// has ended all other connections first: with them this stream ends, and what was not committed is sent again to the
    /// next one.
    fn answer(&mut self) -> Result<()> {
        self.send_status()?;
        if self.flushed < self.server_end {
            self.sql.query("select 1")?;
        }
        Ok(())
    }

    /// Tells the server from time to time that its reader is there.
    pub fn keep_alive(&mut self, options: &Options) -> Result<()> {
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

/// What offsets have beside the position.
fn extras<'a>(transactions: &'a Transactions, incremental: &'a Incremental) -> Extras<'a> {
    Extras {
        told: transactions.told(),
        incremental: incremental.state(),
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

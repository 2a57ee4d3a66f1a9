//! The data flow: connect, read a snapshot if need be, stream.

use std::time::{Duration, Instant};

use caisson_sdk::api;
use caisson_sdk::prelude::*;
use caisson_sdk::serde_json::json;

use crate::catalog::{self, TableInfo};
use crate::config::{Options, TableOrder, effectless};
use crate::deliveries::Deliveries;
use crate::emit::{Emitter, Out};
use crate::error::{Error, Result};
use crate::heartbeat::Heartbeats;
use crate::lsn::Lsn;
use crate::offsets::Stored;
use crate::protocol::{Mode, Rows, Session};
use crate::server::{self, CreatedSlot};
use crate::snapshot::{self, Snapshot, Step};
use crate::stream::{Beginning, Stream};
use crate::types::TypeRegistry;

mod blocking;
mod plan;

use plan::{Plan, plan};

/// The one task of a connector.
pub struct PostgresTask {
    options: Options,
    context: SourceContext,
    emitter: Emitter,
    phase: Phase,
    deliveries: Deliveries,
    /// Nothing is done before.
    not_before: Option<Instant>,
    /// Tries to get hold of the slot so far.
    tries: u32,
}

/// What the task is at.
enum Phase {
    Connecting,
    /// The slot is being made, which waits for transactions that run.
    MakingSlot {
        replication: Session,
        rows: Rows,
        ground: Ground,
        plan: Plan,
    },
    Snapshot {
        snapshot: Box<Snapshot>,
        /// The connection that made the slot and holds its snapshot.
        replication: Option<Session>,
        ground: TypesAndTables,
        slot: Option<CreatedSlot>,
        plan: Plan,
    },
    Beginning(Box<Beginning>, Heartbeats),
    Streaming(Box<Stream>),
    /// A signal has asked for a snapshot, and the stream stands still.
    Blocked {
        snapshot: Box<Snapshot>,
        stream: Box<Stream>,
    },
    Done,
}

/// A connection, and what it has told of the database.
struct Ground {
    sql: Session,
    rest: TypesAndTables,
}

struct TypesAndTables {
    types: TypeRegistry,
    tables: Vec<TableInfo>,
}

/// How long a wait for the server may take within one call, beside the call's own time.
const STEP: Duration = Duration::from_millis(200);

impl SourceTask for PostgresTask {
    fn start(settings: &Settings, context: &SourceContext) -> std::result::Result<Self, api::Error> {
        let options = Options::read(settings)?;
        let effectless = effectless(settings.config());
        if !effectless.is_empty() {
            let keys = effectless.join(", ");
            caisson_sdk::warn!("these keys have no effect on this connector"; keys = keys);
        }
        let emitter = Emitter::new(&options, "0")?;
        let delay = options.snapshot.delay;
        Ok(PostgresTask {
            options,
            context: *context,
            emitter,
            phase: Phase::Connecting,
            deliveries: Deliveries::default(),
            not_before: (!delay.is_zero()).then(|| Instant::now() + delay),
            tries: 0,
        })
    }

    fn poll(&mut self, batch: &mut Batch) -> std::result::Result<(), api::Error> {
        self.emitter.begin();
        let end = Instant::now() + batch.max_wait();
        let mut outcome = Ok(Pace::Go);
        while outcome.is_ok() && !batch.is_full() && (batch.is_empty() || !self.is_streaming()) {
            if Instant::now() >= end {
                break;
            }
            outcome = self.step(batch, end);
            if matches!(outcome, Ok(Pace::Wait)) {
                break;
            }
        }
        if let Err(error) = outcome {
            self.failed(error, batch)?;
        }
        self.deliveries.polled(batch.len(), self.last_commit());
        Ok(())
    }

    fn delivered(&mut self, deliveries: &[Delivery]) -> std::result::Result<(), api::Error> {
        self.deliveries.delivered(deliveries);
        Ok(())
    }

    fn committed(&mut self) -> std::result::Result<(), api::Error> {
        let up_to = self.deliveries.committed();
        if let Phase::Streaming(stream) | Phase::Blocked { stream, .. } = &mut self.phase
            && let Err(error) = stream.committed(up_to, &self.options)
            && error.is_transient()
            && !error.is_interruption()
        {
            caisson_sdk::warn!("the server could not be told what is done: {error}");
            self.disconnect();
        }
        Ok(())
    }

    fn stop(&mut self) {
        let sql = match std::mem::replace(&mut self.phase, Phase::Done) {
            Phase::Streaming(stream) | Phase::Blocked { stream, .. } => Some(stream.close()),
            Phase::Beginning(beginning, _) => Some(beginning.sql),
            Phase::MakingSlot { ground, .. } => Some(ground.sql),
            Phase::Connecting | Phase::Snapshot { .. } | Phase::Done => None,
        };
        if let Some(mut sql) = sql {
            if self.options.slot.drop_on_stop
                && let Err(error) = server::drop_slot(&mut sql, &self.options)
            {
                caisson_sdk::warn!("the slot could not be dropped: {error}"; slot = self.options.slot.name);
            }
            sql.close();
        }
    }
}

/// Whether there is more to do at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    Go,
    Wait,
}

impl PostgresTask {
    fn is_streaming(&self) -> bool {
        matches!(self.phase, Phase::Streaming(_))
    }

    fn last_commit(&self) -> Lsn {
        match &self.phase {
            Phase::Streaming(stream) | Phase::Blocked { stream, .. } => stream.last_commit(),
            _ => Lsn(0),
        }
    }

    /// Decides what an error means: patience, a new connection, or the end of the task.
    fn failed(&mut self, error: Error, batch: &Batch) -> std::result::Result<(), api::Error> {
        if error.is_interruption() {
            return Ok(());
        }
        if !error.is_transient() {
            return self.without_blocking(error);
        }
        self.disconnect();
        if !batch.is_empty() {
            // What has come goes out first; the next call finds out whether the server is back.
            caisson_sdk::warn!("the connection to the server is lost: {error}");
            return Ok(());
        }
        Err(error.into())
    }

    /// Gives up the connection, which is lost, in favour of another.
    fn disconnect(&mut self) {
        self.phase = match std::mem::replace(&mut self.phase, Phase::Connecting) {
            Phase::Streaming(stream) | Phase::Blocked { stream, .. } => {
                let (beginning, heartbeats) = stream.into_beginning();
                Phase::Beginning(Box::new(beginning), heartbeats)
            }
            Phase::Beginning(beginning, heartbeats) => Phase::Beginning(beginning, heartbeats),
            // A snapshot cannot go on in another transaction.
            Phase::Connecting | Phase::MakingSlot { .. } | Phase::Snapshot { .. } => Phase::Connecting,
            Phase::Done => Phase::Done,
        };
    }

    fn step(&mut self, batch: &mut Batch, end: Instant) -> Result<Pace> {
        if let Some(until) = self.not_before {
            let now = Instant::now();
            if until > now {
                std::thread::sleep(until.min(end) - now);
                return Ok(Pace::Wait);
            }
            self.not_before = None;
        }
        match &mut self.phase {
            Phase::Connecting => self.prepare().map(|()| Pace::Go),
            Phase::MakingSlot { .. } => self.make_slot(end),
            Phase::Snapshot { .. } | Phase::Blocked { .. } => self.read_snapshot(batch, end),
            Phase::Beginning(..) => self.begin_stream(),
            Phase::Streaming(stream) if stream.is_blocked() => self.block().map(|()| Pace::Go),
            Phase::Streaming(stream) => {
                let mut out = Out {
                    batch,
                    emitter: &mut self.emitter,
                    options: &self.options,
                };
                stream
                    .read(&mut out, end, self.deliveries.outstanding())
                    .map(|()| Pace::Wait)
            }
            Phase::Done => {
                std::thread::sleep(end.saturating_duration_since(Instant::now()));
                Ok(Pace::Wait)
            }
        }
    }

    /// Reads on in the first snapshot, or in one that the stream stands still for.
    fn read_snapshot(&mut self, batch: &mut Batch, end: Instant) -> Result<Pace> {
        let (snapshot, is_first) = match &mut self.phase {
            Phase::Snapshot { snapshot, .. } => (snapshot, true),
            Phase::Blocked { snapshot, stream } => {
                stream.keep_alive(&self.options)?;
                (snapshot, false)
            }
            _ => return Ok(Pace::Go),
        };
        let mut out = Out {
            batch,
            emitter: &mut self.emitter,
            options: &self.options,
        };
        match (snapshot.read(&mut out, end)?, is_first) {
            (Step::More, _) => return Ok(Pace::Wait),
            (Step::Done, true) => self.end_snapshot()?,
            (Step::Done, false) => self.end_blocking()?,
        }
        Ok(Pace::Go)
    }

    /// Connects, and finds out what is to be done.
    fn prepare(&mut self) -> Result<()> {
        let options = &self.options;
        let mut sql = server::connect(options)?;
        server::check(&mut sql, options)?;
        let types = TypeRegistry::load(&mut sql)?;
        let mut captured = catalog::list_tables(&mut sql)?;
        captured.retain(|table| options.tables.takes(&table.name.schema, &table.name.table));
        match options.snapshot.order {
            TableOrder::ByName => {}
            TableOrder::Ascending => captured.sort_by(|one, other| one.rows.total_cmp(&other.rows)),
            TableOrder::Descending => captured.sort_by(|one, other| other.rows.total_cmp(&one.rows)),
        }
        options.guardrail.check(captured.len())?;
        if captured.is_empty() {
            caisson_sdk::warn!("no table is captured: none matches table.include.list and schema.include.list");
        }
        let stored = self.stored()?;
        let slot = match options.snapshot.mode.streams() {
            true => server::slot_state(&mut sql, options)?,
            false => None,
        };
        let plan = plan(options, stored, slot.as_ref())?;
        if plan.stream {
            server::ensure_publication(&mut sql, options, &captured)?;
            server::set_identities(&mut sql, options, &captured)?;
        }
        let tables = catalog::describe(&mut sql, &captured)?;
        let ground = Ground {
            sql,
            rest: TypesAndTables { types, tables },
        };
        if plan.stream && slot.is_none() {
            let mut replication = Session::open(&options.target, Mode::Replication, server::STREAM_APPLICATION)?;
            caisson_sdk::info!("making the replication slot"; slot = options.slot.name);
            let command = server::create_slot_command(options, replication.version());
            replication.send_query(&command)?;
            self.phase = Phase::MakingSlot {
                replication,
                rows: Rows::default(),
                ground,
                plan,
            };
            return Ok(());
        }
        self.proceed(ground, plan, None, None)
    }

    fn stored(&self) -> Result<Option<Stored>> {
        let partition = json!({ "server": self.options.prefix });
        let offset = self.context.offset(&partition).map_err(Error::Net)?;
        match offset {
            None => Ok(None),
            Some(offset) => Stored::parse(&offset).map(Some).ok_or_else(|| {
                Error::config(format!(
                    "the stored offset {offset} has no position: delete the connector's offsets, and let it take a new \
                     snapshot"
                ))
            }),
        }
    }

    fn make_slot(&mut self, end: Instant) -> Result<Pace> {
        let Phase::MakingSlot { replication, rows, .. } = &mut self.phase else {
            return Ok(Pace::Go);
        };
        let wait = end
            .saturating_duration_since(Instant::now())
            .max(STEP.min(Duration::from_millis(1)));
        if !replication.answer(rows, wait)? {
            return Ok(Pace::Wait);
        }
        let Phase::MakingSlot {
            replication,
            rows,
            ground,
            plan,
        } = std::mem::replace(&mut self.phase, Phase::Connecting)
        else {
            return Ok(Pace::Go);
        };
        let slot = CreatedSlot::parse(&rows)?;
        self.proceed(ground, plan, Some(slot), Some(replication))?;
        Ok(Pace::Go)
    }

    /// To the snapshot, or to the stream.
    fn proceed(
        &mut self,
        ground: Ground,
        plan: Plan,
        slot: Option<CreatedSlot>,
        replication: Option<Session>,
    ) -> Result<()> {
        let Ground { sql, rest } = ground;
        if plan.snapshot {
            let readings = snapshot::readings(&rest.tables, &rest.types, &self.options);
            let snapshot = Snapshot::begin(sql, slot.as_ref(), readings, &self.options)?.among(&rest.tables);
            self.phase = Phase::Snapshot {
                snapshot: Box::new(snapshot),
                replication,
                ground: rest,
                slot,
                plan,
            };
            return Ok(());
        }
        if let Some(replication) = replication {
            replication.close();
        }
        if !plan.stream {
            sql.close();
            self.phase = Phase::Done;
            return Ok(());
        }
        let start = match (&slot, &plan.stored) {
            (Some(slot), _) => slot.start,
            (None, Some(stored)) => stored.start(),
            (None, None) => plan.reader,
        };
        let beginning = Beginning {
            start,
            stored: plan.stored.filter(|_| slot.is_none()),
            visibility: None,
            is_first: true,
            sql,
            types: rest.types,
            tables: rest.tables,
        };
        self.phase = Phase::Beginning(Box::new(beginning), Heartbeats::new(&self.options));
        Ok(())
    }

    fn end_snapshot(&mut self) -> Result<()> {
        let Phase::Snapshot {
            snapshot,
            replication,
            ground,
            slot,
            plan,
        } = std::mem::replace(&mut self.phase, Phase::Connecting)
        else {
            return Ok(());
        };
        let finished = snapshot.finish()?;
        caisson_sdk::info!("the snapshot is complete"; records = finished.records, at = finished.lsn);
        if let Some(replication) = replication {
            replication.close();
        }
        if !plan.stream {
            finished.session.close();
            self.phase = Phase::Done;
            return Ok(());
        }
        let beginning = Beginning {
            // With a slot that was there before, from where its reader was: what the snapshot has seen is passed by.
            start: slot.map_or(plan.reader, |slot| slot.start),
            stored: None,
            visibility: finished.visibility,
            is_first: false,
            sql: finished.session,
            types: ground.types,
            tables: ground.tables,
        };
        let delay = self.options.snapshot.streaming_delay;
        self.not_before = (!delay.is_zero()).then(|| Instant::now() + delay);
        self.phase = Phase::Beginning(Box::new(beginning), Heartbeats::new(&self.options));
        Ok(())
    }

    fn begin_stream(&mut self) -> Result<Pace> {
        let Phase::Beginning(beginning, heartbeats) = std::mem::replace(&mut self.phase, Phase::Connecting) else {
            return Ok(Pace::Go);
        };
        match Stream::begin(*beginning, heartbeats, &self.options) {
            Ok(stream) => {
                self.tries = 0;
                self.phase = Phase::Streaming(Box::new(stream));
                Ok(Pace::Go)
            }
            Err(refused) => {
                let (error, beginning, heartbeats) = *refused;
                self.phase = Phase::Beginning(beginning, heartbeats);
                self.retry(error)
            }
        }
    }

    /// Waits for a slot that another reader holds, so often as the configuration says.
    fn retry(&mut self, error: Error) -> Result<Pace> {
        let held = error.code() == Some("55006");
        if !held {
            return Err(error);
        }
        self.tries += 1;
        if self.tries > self.options.slot.max_retries {
            return Err(Error::Config(api::Error::from(error).message));
        }
        caisson_sdk::warn!("the slot is not to be had yet: {error}"; tries = self.tries);
        self.not_before = Some(Instant::now() + self.options.slot.retry_delay);
        Ok(Pace::Wait)
    }
}

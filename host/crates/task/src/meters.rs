//! What a task counts of itself, for whoever looks: totals since it was started, and averages over the last minute, as
//! Kafka Connect's metrics of tasks are.
//!
//! Counted once per batch, commit or failed record, by atomics without an order among each other: figures that are read
//! together may be a batch apart.

mod report;

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use caisson_model::{Histogram, Sampled, TaskState};

use crate::settings::Direction;

/// The figures of one task, from its start to its end.
pub struct Meters {
    direction: Direction,
    began: Instant,
    life: Life,
    /// Records polled from the source, or read from Kafka.
    taken: Flow,
    /// Records written to Kafka, or given to the sink.
    given: Flow,
    /// Records of a source of which something has become.
    settled: AtomicU64,
    /// Records that were taken and are not done with.
    active: AtomicU64,
    recently_active: Sampled,
    /// Records in each batch.
    batches: Sampled,
    /// How long each `poll` with records, or `put`, took, in microseconds.
    calls: Sampled,
    commits: Commits,
    /// Records in each transaction of an exactly-once source.
    transactions: Sampled,
    /// Records by which a sink is behind what was read for it, where that is most.
    lag: AtomicU64,
    /// Partitions that a sink has.
    partitions: AtomicU64,
    errors: ErrorCounts,
    /// How long each batch took, by the place in [`STAGES`].
    stages: [Histogram; STAGES.len()],
    /// Plugins that were replaced, and those that gave their place back by themselves.
    swaps: AtomicU64,
    rollbacks: AtomicU64,
}

/// What a batch goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// A source's call that gives it.
    Poll,
    /// From Kafka's bytes to what the first step takes.
    Read,
    /// The transforms, and the converters behind them.
    Transform,
    /// From a source's records to the producer, with the wait for room in it.
    Send,
    /// A sink's call that takes it.
    Put,
    /// A commit of offsets, to its answer.
    Commit,
}

const STAGES: [Stage; 6] = [
    Stage::Poll,
    Stage::Read,
    Stage::Transform,
    Stage::Send,
    Stage::Put,
    Stage::Commit,
];

impl Stage {
    fn as_str(self) -> &'static str {
        match self {
            Stage::Poll => "poll",
            Stage::Read => "read",
            Stage::Transform => "transform",
            Stage::Send => "send",
            Stage::Put => "put",
            Stage::Commit => "commit",
        }
    }
}

#[derive(Default)]
struct Flow {
    total: AtomicU64,
    recent: Sampled,
}

#[derive(Default)]
struct Commits {
    /// The number of the last one that was begun.
    sequence: AtomicU64,
    succeeded: AtomicU64,
    /// Answers that came when a later commit had been begun.
    skipped: Flow,
    /// One for each that succeeded, zero for each that failed.
    recent: Sampled,
    /// In microseconds.
    times: Sampled,
}

#[derive(Default)]
struct ErrorCounts {
    failures: AtomicU64,
    errors: AtomicU64,
    skipped: AtomicU64,
    retries: AtomicU64,
    logged: AtomicU64,
    letters: AtomicU64,
    letters_lost: AtomicU64,
    /// Milliseconds since 1970; zero: never.
    last: AtomicU64,
}

/// For how long the task was in which state. Written by whoever passes on what the task says of its state, in that order.
struct Life {
    /// The place in [`STATES`].
    state: AtomicU8,
    /// Milliseconds from the start to the last change.
    since: AtomicU64,
    running: AtomicU64,
    paused: AtomicU64,
}

const STATES: [TaskState; 5] = [
    TaskState::Unassigned,
    TaskState::Running,
    TaskState::Paused,
    TaskState::Failed,
    TaskState::Restarting,
];

impl Meters {
    pub fn new(direction: Direction) -> Meters {
        Meters {
            direction,
            began: Instant::now(),
            life: Life {
                state: AtomicU8::new(0),
                since: AtomicU64::new(0),
                running: AtomicU64::new(0),
                paused: AtomicU64::new(0),
            },
            taken: Flow::default(),
            given: Flow::default(),
            settled: AtomicU64::new(0),
            active: AtomicU64::new(0),
            recently_active: Sampled::default(),
            batches: Sampled::default(),
            calls: Sampled::default(),
            commits: Commits::default(),
            transactions: Sampled::default(),
            lag: AtomicU64::new(0),
            partitions: AtomicU64::new(0),
            errors: ErrorCounts::default(),
            stages: Default::default(),
            swaps: AtomicU64::new(0),
            rollbacks: AtomicU64::new(0),
        }
    }

    /// A plugin of the task was replaced.
    pub fn swapped(&self) {
        add(&self.swaps, 1);
    }

    /// One that had replaced another has given its place back.
    pub fn rolled_back(&self) {
        add(&self.rollbacks, 1);
    }

    /// A batch has been through something.
    pub(crate) fn stage(&self, stage: Stage, took: Duration) {
        self.stages[stage as usize].add(took);
    }

    /// The task is in another state now.
    pub fn enter(&self, state: TaskState) {
        let now = millis(self.began.elapsed());
        let spent = now.saturating_sub(self.life.since.swap(now, Ordering::Relaxed));
        let place = STATES.iter().position(|known| *known == state).unwrap_or(0);
        let before = self.life.state.swap(place as u8, Ordering::Relaxed);
        match STATES[before as usize] {
            TaskState::Running => add(&self.life.running, spent),
            TaskState::Paused => add(&self.life.paused, spent),
            TaskState::Unassigned | TaskState::Failed | TaskState::Restarting => {}
        }
    }

    pub fn state(&self) -> TaskState {
        STATES[self.life.state.load(Ordering::Relaxed) as usize]
    }

    /// A source was asked for records, and gave so many.
    pub(crate) fn polled(&self, records: usize, took: Duration) {
        let now = self.began.elapsed();
        self.taken.add(now, records);
        self.batches.add(now, records as u64);
        self.calls.add(now, micros(took));
        self.stage(Stage::Poll, took);
        self.unsettled();
    }

    /// Kafka has so many records of a source.
    pub(crate) fn written(&self, records: u64) {
        self.given.add(self.began.elapsed(), records as usize);
    }

    /// So many records of a source were written, left out, or dropped by a transform.
    pub(crate) fn settled(&self, records: u64) {
        add(&self.settled, records);
        self.unsettled();
    }

    fn unsettled(&self) {
        let settled = self.settled.load(Ordering::Relaxed);
        self.active(self.taken.total.load(Ordering::Relaxed).saturating_sub(settled));
    }

    /// So many records were taken and are not done with.
    pub(crate) fn active(&self, records: u64) {
        self.active.store(records, Ordering::Relaxed);
        self.recently_active.add(self.began.elapsed(), records);
    }

    /// So many records were read for a sink.
    pub(crate) fn read(&self, records: usize) {
        self.taken.add(self.began.elapsed(), records);
    }

    /// A sink took so many records.
    pub(crate) fn put(&self, records: usize, took: Duration) {
        let now = self.began.elapsed();
        self.given.add(now, records);
        self.batches.add(now, records as u64);
        self.calls.add(now, micros(took));
        self.stage(Stage::Put, took);
    }

    pub(crate) fn partitions(&self, count: usize) {
        self.partitions.store(count as u64, Ordering::Relaxed);
    }

    /// A transaction with so many records was committed.
    pub(crate) fn transaction(&self, records: u64) {
        self.transactions.add(self.began.elapsed(), records);
    }

    /// A sink is so many records behind in the partition where that is most.
    pub(crate) fn lag(&self, records: u64) {
        self.lag.store(records, Ordering::Relaxed);
    }

    /// The answer to a commit has come too late to say anything.
    pub(crate) fn commit_skipped(&self) {
        self.commits.skipped.add(self.began.elapsed(), 1);
    }

    pub(crate) fn commit_begun(&self) {
        add(&self.commits.sequence, 1);
    }

    /// A commit of offsets is over.
    pub(crate) fn committed(&self, well: bool, took: Duration) {
        let now = self.began.elapsed();
        self.commits.recent.add(now, u64::from(well));
        self.stage(Stage::Commit, took);
        if well {
            add(&self.commits.succeeded, 1);
            self.commits.times.add(now, micros(took));
        }
    }

    /// An operation failed on a record, for good.
    pub(crate) fn failure(&self) {
        add(&self.errors.failures, 1);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.errors.last.store(millis(now), Ordering::Relaxed);
    }

    /// The failure ends the task.
    pub(crate) fn error(&self) {
        add(&self.errors.errors, 1);
    }

    pub(crate) fn skipped(&self) {
        add(&self.errors.skipped, 1);
    }

    pub(crate) fn retry(&self) {
        add(&self.errors.retries, 1);
    }

    pub(crate) fn logged(&self) {
        add(&self.errors.logged, 1);
    }

    pub(crate) fn letter(&self) {
        add(&self.errors.letters, 1);
    }

    pub(crate) fn letter_lost(&self) {
        add(&self.errors.letters_lost, 1);
    }
}

impl Flow {
    fn add(&self, now: Duration, records: usize) {
        add(&self.total, records as u64);
        self.recent.add(now, records as u64);
    }
}

fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

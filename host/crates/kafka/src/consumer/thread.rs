//! The thread of a consumer: its loop, the task's commands, and the way out. The group's rebalances are in `rebalance`.

mod rebalance;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use caisson_model::{PartitionOffset, TopicPartition};
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

use super::events::ConsumerEvent;
use super::inbox::Event;
use super::slot::Position;
use super::strategy::Strategy;
use super::{Command, ConsumerOptions, Shared, Which};
use crate::error::{ConsumerError, Error};
use crate::fetch::{Batch, BatchLimit, Fetcher, Reset};
use crate::group::spawn_with_members;
use crate::report::Reporter;
use crate::settings::ClientSettings;
use rebalance::Rebalance;

/// How long the thread sleeps when nothing wakes it. Records, events, commands and the task all do.
const SLEEP: Duration = Duration::from_secs(20);
/// Errors that wait for the task; what comes beyond is in the log only.
const ERRORS: usize = 16;

/// How a consumer behaves, by its settings.
pub(super) struct Manner {
    limit: BatchLimit,
    reset: Reset,
    strategy: Strategy,
    /// `isolation.level=read_committed`: committed offsets are those of transactions that are decided.
    stable_offsets: bool,
    /// At the longest; a member that does not poll in time is given up.
    sleep: Duration,
    reporter: Reporter,
}

impl Manner {
    /// `poll_interval` is how long the group waits for a member that does not poll.
    pub(super) fn of(
        settings: &ClientSettings,
        options: ConsumerOptions,
        poll_interval: Duration,
    ) -> Result<Manner, Error> {
        Ok(Manner {
            limit: BatchLimit {
                records: settings.max_poll_records().unwrap_or(options.batch_records).max(1),
                bytes: options.batch_bytes.max(1),
            },
            reset: Reset::of(settings),
            strategy: Strategy::of(settings)?,
            stable_offsets: settings.native("isolation.level") == Some("read_committed"),
            sleep: SLEEP.min(poll_interval / 3),
            reporter: settings.reporter(),
        })
    }
}

pub(super) struct Thread {
    shared: Arc<Shared>,
    sender: Sender<ConsumerEvent>,
    fetcher: Fetcher,
    manner: Manner,
    /// The batch in the making.
    batch: Batch,
    /// Events for the task that found no room yet, in order. Records are read only while it is empty.
    outbox: VecDeque<ConsumerEvent>,
    rebalance: Rebalance,
    /// All partitions are paused, also those to come.
    paused: bool,
    closing: Option<Instant>,
}

impl Thread {
    pub(super) fn new(shared: Arc<Shared>, fetcher: Fetcher, sender: Sender<ConsumerEvent>, manner: Manner) -> Self {
        Thread {
            shared,
            sender,
            fetcher,
            manner,
            batch: Batch::default(),
            outbox: VecDeque::new(),
            rebalance: Rebalance::default(),
            paused: false,
            closing: None,
        }
    }

    /// Runs until the consumer is closed or the task has dropped its end. Says whether the group was told that it left.
    pub(super) fn run(mut self) -> bool {
        while self.closing.is_none() {
            self.shared.member.poll();
            // Before all else: this takes back the wake-ups that what follows answers.
            while let Some(event) = self.shared.inbox.take(Duration::ZERO) {
                self.serve_event(event);
            }
            self.serve_commands();
            self.serve_rebalance();
            self.deliver();
            if self.closing.is_none() {
                self.read_or_wait();
            }
        }
        self.close()
    }

    /// Takes the next records if they can be handed on, or waits for what changes that.
    fn read_or_wait(&mut self) {
        if self.outbox.is_empty() && self.rebalance.is_settled() {
            self.fetcher.fill(&mut self.batch, self.manner.limit);
            self.hand_over(false);
            if !self.outbox.is_empty() {
                return;
            }
        }
        let sleep = self.rebalance.next_step().map_or(self.manner.sleep, |due| {
            due.saturating_duration_since(Instant::now()).min(self.manner.sleep)
        });
        let event = self.shared.inbox.take(sleep);
        if let Some(event) = event {
            self.serve_event(event);
        }
    }

    /// Puts the batch into the outbox: at once if the task has nothing to do, or if it is full. Otherwise it grows while
    /// the task is busy, which costs no time and makes batches larger the busier the task is.
    fn hand_over(&mut self, at_once: bool) {
        for refused in self.fetcher.take_errors() {
            self.report(refused);
        }
        if self.batch.is_empty() {
            return;
        }
        if !self.batch.is_full(self.manner.limit) && !at_once {
            self.shared.signals.want_room();
            // Looked at after the wish was made known, so that the wake-up cannot be missed.
            if self.sender.capacity() < self.sender.max_capacity() {
                return;
            }
        }
        let batch = std::mem::take(&mut self.batch);
        self.outbox.push_back(ConsumerEvent::Records(batch));
    }

    /// Sends what the channel has room for.
    fn deliver(&mut self) {
        self.hand_over(false);
        while let Some(event) = self.outbox.pop_front() {
            self.shared.signals.want_room();
            match self.sender.try_send(event) {
                Ok(()) => {}
                Err(TrySendError::Full(event)) => {
                    self.outbox.push_front(event);
                    return;
                }
                Err(TrySendError::Closed(_)) => {
                    self.closing = Some(Instant::now() + super::DROPPED);
                    return;
                }
            }
        }
    }

    fn serve_commands(&mut self) {
        for command in self.shared.take_commands() {
            match command {
                Command::Seek(offsets, answer) => {
                    self.seek(offsets);
                    let _ = answer.try_send(());
                }
                Command::Pause(which, answer) => {
                    self.set_paused(which, true);
                    let _ = answer.try_send(());
                }
                Command::Resume(which, answer) => {
                    self.set_paused(which, false);
                    let _ = answer.try_send(());
                }
                Command::Close(until) => self.closing = Some(until),
            }
        }
    }

    fn seek(&self, wanted: Vec<PartitionOffset>) {
        // Nothing is handed over between the seek and this: both happen on this thread.
        for PartitionOffset { partition, offset } in wanted {
            if let Some(slot) = self.shared.assignment.find(&partition.topic, partition.partition) {
                slot.seek(Position::At(offset));
            }
        }
        self.fetcher.changed();
    }

    fn set_paused(&mut self, which: Which, paused: bool) {
        let slots = match which {
            Which::All => {
                self.paused = paused;
                self.shared.assignment.all()
            }
            Which::These(partitions) => {
                let find = |wanted: &TopicPartition| self.shared.assignment.find(&wanted.topic, wanted.partition);
                partitions.iter().filter_map(find).collect()
            }
        };
        for slot in slots {
            slot.set_paused(paused);
        }
        self.fetcher.changed();
    }

    fn serve_event(&mut self, event: Event) {
        match event {
            Event::Preparing { preparing, topics } => self.rebalance.prepare(preparing, topics),
            Event::Joined { generation, partitions } => self.rebalance.join(generation, partitions),
            Event::Lost(loss) => {
                tracing::warn!(target: "kafka", client = self.manner.reporter.client(), %loss, "the group has gone on without this consumer");
                self.rebalance.lose();
            }
            Event::Positions { number, result } => self.positioned(number, result),
            Event::Committed { sequence, result } => {
                self.outbox.push_back(ConsumerEvent::Committed { sequence, result });
            }
            Event::Error(error) => self.report(error),
        }
    }

    fn report(&mut self, error: ConsumerError) {
        let said = self.manner.reporter.error(&error.error);
        let waiting = self
            .outbox
            .iter()
            .filter(|event| matches!(event, ConsumerEvent::Error(_)))
            .count();
        if error.fatal || (said && waiting < ERRORS) {
            self.outbox.push_back(ConsumerEvent::Error(error));
        }
    }

    /// Leaves the group.
    fn close(self) -> bool {
        let until = self.closing.unwrap_or_else(Instant::now);
        let left = self.shared.member.leave_for_good("consumer is being closed");
        // Drops what was read, and with it what holds up a revocation.
        let Thread {
            shared,
            manner,
            fetcher,
            batch,
            outbox,
            sender,
            ..
        } = self;
        drop((fetcher, batch, outbox, sender));
        let has_left = Arc::new(AtomicBool::new(false));
        let (flag, inbox) = (has_left.clone(), shared.inbox.clone());
        let waiting = spawn_with_members(move || async move {
            left.await;
            flag.store(true, Ordering::Release);
            inbox.wake();
        });
        if waiting.is_err() {
            return false;
        }
        while !has_left.load(Ordering::Acquire) {
            let Some(rest) = until.checked_duration_since(Instant::now()) else {
                tracing::warn!(target: "kafka", client = manner.reporter.client(), "consumer could not leave its group in time");
                return false;
            };
            // What comes now is for nobody.
            drop(shared.inbox.take(rest));
        }
        true
    }
}

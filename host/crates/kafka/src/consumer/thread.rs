//! The thread of a consumer: its loop, the task's commands, and the way out. The group's rebalances are in `rebalance`.

mod rebalance;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use caisson_model::{PartitionOffset, TopicPartition};
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

use super::events::ConsumerEvent;
use super::pattern::Pattern;
use super::{Command, Shared, Which};
use crate::error::{ConsumerError, ErrorCode, KafkaError};
use crate::fetch::{Batch, BatchLimit, Fetcher, Reset};
use crate::ffi::{Element, Event, PartitionList, Queue};

/// How long the thread sleeps when nothing wakes it. Records, events, commands and the task all do.
const SLEEP: Duration = Duration::from_secs(5);
/// Errors that wait for the task; what comes beyond is in the log only.
const ERRORS: usize = 16;

use rebalance::{Assigning, Revoking};

pub(super) struct Thread {
    shared: Arc<Shared>,
    sender: Sender<ConsumerEvent>,
    fetcher: Fetcher,
    /// The batch in the making.
    batch: Batch,
    limit: BatchLimit,
    pattern: Option<Pattern>,
    reset: Reset,
    /// Events for the task that found no room yet, in order. Records are read only while it is empty.
    outbox: VecDeque<ConsumerEvent>,
    /// Partitions that the group gave, until it is known where to begin.
    assigning: Option<Assigning>,
    /// Partitions that the group takes, until the task is done with them.
    revoking: Option<Revoking>,
    /// All partitions are paused, also those to come.
    paused: bool,
    closing: Option<Instant>,
}

impl Thread {
    pub(super) fn new(
        shared: Arc<Shared>,
        fetcher: Fetcher,
        sender: Sender<ConsumerEvent>,
        limit: BatchLimit,
        pattern: Option<Pattern>,
        reset: Reset,
    ) -> Self {
        Thread {
            shared,
            sender,
            fetcher,
            batch: Batch::default(),
            limit,
            pattern,
            reset,
            outbox: VecDeque::new(),
            assigning: None,
            revoking: None,
            paused: false,
            closing: None,
        }
    }

    /// Runs until the consumer is closed or the task has dropped its end.
    pub(super) fn run(mut self) {
        while self.closing.is_none() {
            // Before all else: this takes back the wake-ups that what follows answers.
            while let Some(event) = self.shared.main.poll(Duration::ZERO) {
                self.serve_event(event);
            }
            self.serve_commands();
            self.serve_rebalance();
            self.serve_pattern();
            self.deliver();
            if self.closing.is_none() {
                self.read_or_wait();
            }
        }
        self.close();
    }

    /// Takes the next records if they can be handed on, or waits for what changes that.
    fn read_or_wait(&mut self) {
        let may_read = self.outbox.is_empty() && self.revoking.is_none() && self.assigning.is_none();
        if may_read {
            self.fetcher.fill(&mut self.batch, self.limit);
            self.hand_over(false);
            if !self.outbox.is_empty() {
                return;
            }
        }
        let event = self.shared.main.poll(self.sleep());
        if let Some(event) = event {
            self.serve_event(event);
        }
    }

    fn sleep(&self) -> Duration {
        let due = self
            .pattern
            .as_ref()
            .map_or(SLEEP, |pattern| pattern.due().saturating_duration_since(Instant::now()));
        // A position that could not be learned is asked for again soon.
        let soon = if self.assigning.is_some() {
            Duration::from_millis(100)
        } else {
            SLEEP
        };
        due.min(soon)
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
        if !self.batch.is_full(self.limit) && !at_once {
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
                slot.seek(offset);
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
            Event::Assign(partitions) => {
                self.assigning = Some(Assigning {
                    partitions: names(&partitions),
                    attempts: 0,
                });
            }
            Event::Revoke(partitions) => self.revoke(names(&partitions)),
            Event::RebalanceFailed(error) => {
                self.report(ConsumerError {
                    error,
                    partition: None,
                    fatal: false,
                });
                self.revoke(self.shared.assignment.partitions());
            }
            Event::Committed {
                token,
                result,
                partitions,
            } => {
                let refused = partitions.iter().find(|partition| partition.error != 0);
                let result = match (result, refused) {
                    (Err(error), _) if error.code == ErrorCode::NO_OFFSET => Ok(()),
                    (Ok(()), Some(partition)) => Err(KafkaError::new(ErrorCode(partition.error))),
                    (result, _) => result,
                };
                self.outbox.push_back(ConsumerEvent::Committed {
                    sequence: token,
                    result,
                });
            }
            Event::Error(error) => {
                let fatal = error.fatal;
                self.report(ConsumerError {
                    error,
                    partition: None,
                    fatal,
                });
            }
            Event::Other => {}
        }
    }

    fn report(&mut self, error: ConsumerError) {
        let said = self.shared.client.reporter().error(&error.error);
        let waiting = self
            .outbox
            .iter()
            .filter(|event| matches!(event, ConsumerEvent::Error(_)))
            .count();
        if error.fatal || (said && waiting < ERRORS) {
            self.outbox.push_back(ConsumerEvent::Error(error));
        }
    }

    fn serve_pattern(&mut self) {
        let Some(pattern) = &mut self.pattern else { return };
        if pattern.due() > Instant::now() || self.assigning.is_some() || self.revoking.is_some() {
            return;
        }
        if let Err(error) = pattern.refresh(&self.shared.client) {
            self.report(ConsumerError {
                error,
                partition: None,
                fatal: false,
            });
        }
    }

    /// Leaves the group.
    fn close(self) {
        let until = self.closing.unwrap_or_else(Instant::now);
        let client = &self.shared.client;
        // Drops what was read, and with it what holds up a revocation.
        drop((self.fetcher, self.batch, self.outbox, self.sender));
        let events = Queue::new(client);
        if let Err(error) = client.begin_close(&events) {
            tracing::debug!(client = client.name(), %error, "consumer left its group without a word");
            return;
        }
        // An answer may still be owed to the group.
        if self.assigning.is_some() || self.revoking.is_some() {
            let _ = client.assign(None);
        }
        while !client.is_closed() {
            let Some(left) = until.checked_duration_since(Instant::now()) else {
                tracing::warn!(client = client.name(), "consumer could not leave its group in time");
                return;
            };
            match events.poll(left.min(Duration::from_millis(100))) {
                Some(Event::Revoke(partitions)) if client.is_cooperative() && !partitions.is_empty() => {
                    let _ = client.incremental_unassign(&PartitionList::new());
                }
                Some(Event::Assign(_) | Event::Revoke(_) | Event::RebalanceFailed(_)) => {
                    let _ = client.assign(None);
                }
                Some(Event::Committed { .. } | Event::Error(_) | Event::Other) | None => {}
            }
        }
    }
}

fn names(elements: &[Element]) -> Vec<TopicPartition> {
    elements
        .iter()
        .map(|element| TopicPartition::new(element.topic.as_str(), element.partition))
        .collect()
}

fn at(partitions: &[TopicPartition], offset: i64) -> Vec<PartitionOffset> {
    partitions
        .iter()
        .map(|partition| PartitionOffset {
            partition: partition.clone(),
            offset,
        })
        .collect()
}

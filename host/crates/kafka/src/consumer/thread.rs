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
use super::{Command, Shared, Which, list_of};
use crate::error::{ConsumerError, ErrorCode, KafkaError};
use crate::ffi::{BatchLimit, Element, Event, PartitionList, Queue, Reader};

/// How long the thread sleeps when nothing wakes it. Records, events, commands and the task all do.
const SLEEP: Duration = Duration::from_millis(500);
/// Errors that wait for the task; what comes beyond is in the log only.
const ERRORS: usize = 16;
/// How long a seek may hold up the thread.
const SEEK: Duration = Duration::from_secs(5);

pub(super) use rebalance::Reset;
use rebalance::{Assigning, Revoking};

pub(super) struct Thread {
    shared: Arc<Shared>,
    sender: Sender<ConsumerEvent>,
    reader: Reader,
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
        sender: Sender<ConsumerEvent>,
        limit: BatchLimit,
        pattern: Option<Pattern>,
        reset: Reset,
    ) -> Self {
        let reader = Reader::new(shared.records.clone());
        Thread {
            shared,
            sender,
            reader,
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
        let wake = self.shared.records.wake_on(&self.shared.main);
        while self.closing.is_none() {
            self.serve_commands();
            while let Some(event) = self.shared.main.poll(Duration::ZERO) {
                self.serve_event(event);
            }
            self.serve_rebalance();
            self.serve_pattern();
            self.deliver();
            if self.closing.is_none() {
                self.read_or_wait();
            }
        }
        drop(wake);
        self.close();
    }

    /// Takes the next records if they can be handed on, or waits for what changes that.
    fn read_or_wait(&mut self) {
        let sleep = self.sleep();
        if !self.outbox.is_empty() || self.revoking.is_some() || self.assigning.is_some() {
            let event = self.shared.main.poll(sleep);
            if let Some(event) = event {
                self.serve_event(event);
            }
            return;
        }
        let assignment = &self.shared.assignment;
        self.reader.read(self.limit, sleep, &mut |topic, partition| {
            assignment.find(topic, partition)
        });
        self.hand_over(false);
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
        for refused in self.reader.take_refused() {
            self.refused(refused);
        }
        let batch = self.reader.batch();
        if batch.is_empty() {
            return;
        }
        let full = batch.len() >= self.limit.records || batch.bytes() >= self.limit.bytes;
        if !full && !at_once {
            self.shared.signals.want_room();
            // Looked at after the wish was made known, so that the wake-up cannot be missed.
            if self.sender.capacity() < self.sender.max_capacity() {
                return;
            }
        }
        let batch = self.reader.take();
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
                    let _ = answer.try_send(self.seek(&offsets));
                }
                Command::Pause(which, answer) => {
                    let _ = answer.try_send(self.set_paused(which, true));
                }
                Command::Resume(which, answer) => {
                    let _ = answer.try_send(self.set_paused(which, false));
                }
                Command::Close(until) => self.closing = Some(until),
            }
        }
    }

    fn seek(&mut self, offsets: &[PartitionOffset]) -> Result<(), KafkaError> {
        let assigned = |wanted: &&PartitionOffset| {
            self.shared
                .assignment
                .find(&wanted.partition.topic, wanted.partition.partition)
                .is_some()
        };
        let wanted: Vec<PartitionOffset> = offsets.iter().filter(assigned).cloned().collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let mut list = list_of(&wanted);
        self.shared.client.seek(&mut list, SEEK)?;
        let failed = list.elements().into_iter().find(|element| element.error != 0);
        // Nothing is read between the seek and this: both happen on this thread.
        for PartitionOffset { partition, .. } in &wanted {
            if let Some(slot) = self.shared.assignment.find(&partition.topic, partition.partition) {
                slot.next_epoch();
            }
        }
        failed.map_or(Ok(()), |element| Err(KafkaError::new(ErrorCode(element.error))))
    }

    fn set_paused(&mut self, which: Which, paused: bool) -> Result<(), KafkaError> {
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
        let changed: Vec<_> = slots.into_iter().filter(|slot| slot.paused() != paused).collect();
        if changed.is_empty() {
            return Ok(());
        }
        let mut list = PartitionList::new();
        for slot in &changed {
            list.add(&slot.partition.topic, slot.partition.partition, 0);
        }
        if paused {
            self.shared.client.pause(&mut list)?;
        } else {
            self.shared.client.resume(&mut list)?;
        }
        for slot in changed {
            slot.set_paused(paused);
        }
        Ok(())
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
                self.refused(ConsumerError {
                    error,
                    partition: None,
                    fatal,
                });
            }
            Event::Stray {
                topic,
                partition,
                offset,
            } => self.recapture(&topic, partition, offset),
            Event::Other => {}
        }
    }

    /// An error, of the client or of a partition.
    fn refused(&mut self, error: ConsumerError) {
        if error.error.code == ErrorCode::PARTITION_EOF {
            return;
        }
        self.report(error);
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

    /// A record reached the main queue although its partition was captured. It was read out of turn, so the partition is
    /// captured again, and read again from there.
    fn recapture(&mut self, topic: &str, partition: i32, offset: i64) {
        let Some(slot) = self.shared.assignment.find(topic, partition) else {
            return;
        };
        self.shared.records.capture(topic, partition);
        let position = PartitionOffset {
            partition: slot.partition.clone(),
            offset,
        };
        if let Err(error) = self.seek(&[position]) {
            self.report(ConsumerError {
                error,
                partition: Some(slot.partition.clone()),
                fatal: true,
            });
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
        drop((self.reader, self.outbox, self.sender));
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
                    let _ = client.incremental_unassign(&list_of(&at(&names(&partitions), -1001)));
                }
                Some(Event::Assign(_) | Event::Revoke(_) | Event::RebalanceFailed(_)) => {
                    let _ = client.assign(None);
                }
                Some(Event::Committed { .. } | Event::Error(_) | Event::Stray { .. } | Event::Other) | None => {}
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

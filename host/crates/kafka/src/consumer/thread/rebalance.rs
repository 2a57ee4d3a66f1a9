//! Rebalances: how the thread answers what the group gives and takes.
//!
//! librdkafka waits for the answer (an assign or unassign call) to each event, however long it takes, and goes on being
//! served meanwhile. So nothing here blocks for longer than a request to the coordinator.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use caisson_model::{PartitionOffset, TopicPartition};

use super::{Thread, at};
use crate::consumer::events::{ConsumerEvent, Revocation};
use crate::consumer::list_of;
use crate::consumer::slot::Position;
use crate::error::{ConsumerError, ErrorCode, KafkaError};
use crate::fetch::Reset;
use crate::ffi::{Element, PartitionList};

/// How long one attempt to learn where to begin may hold up the thread.
const RESOLVE: Duration = Duration::from_secs(2);
/// Attempts before a partition is begun without its position being known.
const ATTEMPTS: u32 = 5;

/// Partitions that the group gave, until it is known where to begin.
pub(super) struct Assigning {
    pub(super) partitions: Vec<TopicPartition>,
    pub(super) attempts: u32,
}

/// Partitions that the group takes, until the task is done with them.
pub(super) struct Revoking {
    partitions: Vec<TopicPartition>,
    done: Arc<AtomicBool>,
}

impl Thread {
    pub(super) fn serve_rebalance(&mut self) {
        if let Some(revoking) = self.revoking.take_if(|revoking| revoking.done.load(Ordering::Acquire)) {
            self.unassign(&revoking.partitions);
        }
        if self.revoking.is_none()
            && let Some(assigning) = self.assigning.take()
        {
            self.assign(assigning);
        }
    }

    /// Tells the task to let go of partitions. The answer to the group waits until it has.
    pub(super) fn revoke(&mut self, partitions: Vec<TopicPartition>) {
        // An assignment that was not begun is void.
        self.assigning = None;
        let lost = self.shared.client.assignment_lost();
        let held: Vec<TopicPartition> = partitions
            .iter()
            .filter(|partition| {
                self.shared
                    .assignment
                    .find(&partition.topic, partition.partition)
                    .is_some()
            })
            .cloned()
            .collect();
        if held.is_empty() {
            self.unassign(&partitions);
            return;
        }
        if lost {
            // Somebody else reads them already: what is on its way must not reach the task.
            for partition in &held {
                if let Some(slot) = self.shared.assignment.find(&partition.topic, partition.partition) {
                    slot.next_epoch();
                }
            }
        }
        self.hand_over(true);
        let (done, flag) = Revocation::new(self.shared.signals.clone());
        self.outbox.push_back(ConsumerEvent::Revoked {
            partitions: held,
            lost,
            done,
        });
        self.revoking = Some(Revoking { partitions, done: flag });
    }

    /// Answers the group.
    fn unassign(&mut self, partitions: &[TopicPartition]) {
        for partition in partitions {
            self.shared.assignment.remove(partition);
        }
        let client = &self.shared.client;
        let result = if client.is_cooperative() && !partitions.is_empty() {
            client.incremental_unassign(&PartitionList::new())
        } else {
            client.assign(None)
        };
        if let Err(error) = result {
            self.report(ConsumerError {
                error,
                partition: None,
                fatal: false,
            });
        }
    }

    /// Learns where to begin, answers the group, and tells the task.
    fn assign(&mut self, mut assigning: Assigning) {
        assigning.attempts += 1;
        let positions = match self.positions(&assigning.partitions) {
            Ok(positions) => positions,
            Err(error) => {
                self.report(ConsumerError {
                    error,
                    partition: None,
                    fatal: false,
                });
                if assigning.attempts < ATTEMPTS && !self.shared.client.assignment_lost() {
                    self.assigning = Some(assigning);
                    return;
                }
                at(&assigning.partitions, -1001)
            }
        };
        for PartitionOffset { partition, offset } in &positions {
            let position = match (offset, self.reset) {
                (0.., _) => Position::At(*offset),
                (_, Reset::Earliest) => Position::Earliest,
                (_, Reset::Latest) => Position::Latest,
                (_, Reset::None) => {
                    self.report(no_position(partition));
                    Position::Unknown
                }
            };
            self.shared.assignment.add(partition, position, self.paused);
        }
        self.fetcher.changed();
        // The library knows of no partition: it is the fetcher's part to read them.
        let client = &self.shared.client;
        let none = PartitionList::new();
        let result = if client.is_cooperative() {
            client.incremental_assign(&none)
        } else {
            client.assign(Some(&none))
        };
        if let Err(error) = result {
            self.report(ConsumerError {
                error,
                partition: None,
                fatal: false,
            });
        }
        let told = positions.into_iter().map(|position| PartitionOffset {
            offset: position.offset.max(-1),
            ..position
        });
        self.outbox.push_back(ConsumerEvent::Assigned(told.collect()));
    }

    /// Where to begin: committed offsets, and for partitions without one what `auto.offset.reset` says.
    fn positions(&self, partitions: &[TopicPartition]) -> Result<Vec<PartitionOffset>, KafkaError> {
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        let mut committed = list_of(&at(partitions, -1001));
        self.shared.client.committed(&mut committed, RESOLVE)?;
        let time = match self.reset {
            Reset::Earliest => -2,
            Reset::Latest => -1,
            Reset::None => return Ok(offsets(&committed.elements(), &[])),
        };
        let mut missing = PartitionList::new();
        for element in committed.elements() {
            if element.offset < 0 {
                missing.add(&element.topic, element.partition, time);
            }
        }
        if !missing.is_empty() {
            self.shared.client.offsets_at(&mut missing, RESOLVE)?;
        }
        Ok(offsets(&committed.elements(), &missing.elements()))
    }
}

/// Committed offsets where there are some, else the found ones; -1001 (the library's "not known") where neither is.
fn offsets(committed: &[Element], found: &[Element]) -> Vec<PartitionOffset> {
    let position = |element: &Element| {
        let known = if element.offset >= 0 {
            element.offset
        } else {
            let found = found
                .iter()
                .find(|other| other.topic == element.topic && other.partition == element.partition);
            found
                .filter(|other| other.error == 0 && other.offset >= 0)
                .map_or(-1001, |other| other.offset)
        };
        PartitionOffset {
            partition: TopicPartition::new(element.topic.as_str(), element.partition),
            offset: known,
        }
    };
    committed.iter().map(position).collect()
}

/// There is no committed offset, and none is to be guessed.
fn no_position(partition: &TopicPartition) -> ConsumerError {
    let text = format!(
        "{partition} has no committed offset, and auto.offset.reset is none: set the consumer group's offset, or \
         consumer.override.auto.offset.reset"
    );
    ConsumerError {
        error: KafkaError::with_message(ErrorCode::AUTO_OFFSET_RESET, text),
        partition: Some(partition.clone()),
        fatal: true,
    }
}

//! Rebalances: how the thread answers what the group gives and takes.
//!
//! The group waits for a member's answers, as long as its rebalance timeout allows, while heartbeats go on elsewhere. So the
//! thread gives each answer when the task has done its part, and serves the task until then. Nothing here waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use caisson_model::{PartitionOffset, TopicPartition};

use super::Thread;
use crate::consumer::events::{ConsumerEvent, Revocation};
use crate::consumer::inbox::Event;
use crate::consumer::slot::{Position, Slot};
use crate::consumer::strategy::Owned;
use crate::error::{ConsumerError, ErrorCode, KafkaError};
use crate::fetch::Reset;
use crate::group::{Answer, Preparing};

/// How long one question for committed offsets may take; it is asked again after that.
const PATIENCE: Duration = Duration::from_secs(30);
/// The pause before that, and how often a refusal for good is believed to be a mistake.
const AGAIN: Duration = Duration::from_millis(200);
const ATTEMPTS: u32 = 5;
/// How long the task waits to hear where partitions begin that nobody has committed anything of. They are read all the same
/// as soon as that is known.
const PLACING: Duration = Duration::from_secs(10);

/// Where the member is between what it has and what the group wants.
#[derive(Default)]
pub(super) struct Rebalance {
    /// The group waits for what the member wants and has.
    preparing: Option<(Preparing, Arc<[String]>)>,
    /// What the group gave last, until the member has come to have that.
    joined: Option<Vec<TopicPartition>>,
    /// The task let go of partitions that the group gives to others in its next rebalance.
    gave_up: bool,
    /// All partitions are lost, and the task does not know yet.
    lost: bool,
    /// Partitions that the task is to let go of.
    revoking: Option<Revoking>,
    /// Partitions that are new, until it is known where to begin.
    assigning: Option<Assigning>,
    /// What the last generation gave, and its number.
    previous: Vec<TopicPartition>,
    generation: Option<i32>,
    /// Numbers the questions for committed offsets.
    questions: u64,
}

struct Revoking {
    partitions: Vec<TopicPartition>,
    done: Arc<AtomicBool>,
}

struct Assigning {
    partitions: Vec<TopicPartition>,
    attempts: u32,
    step: Step,
}

enum Step {
    /// Committed offsets were asked for, with that number.
    Asked(u64),
    /// They are to be asked for again.
    Again(Instant),
    /// They are known, and these are read from there. Where the others begin is being found out.
    Placing { slots: Vec<Arc<Slot>>, until: Instant },
}

impl Rebalance {
    /// Whether records may be handed out: the task knows of all partitions that are read.
    pub(super) fn is_settled(&self) -> bool {
        self.revoking.is_none() && self.assigning.is_none() && !self.lost
    }

    /// When there is something to do by itself.
    pub(super) fn next_step(&self) -> Option<Instant> {
        match self.assigning.as_ref()?.step {
            Step::Asked(_) => None,
            Step::Again(due) | Step::Placing { until: due, .. } => Some(due),
        }
    }

    pub(super) fn prepare(&mut self, preparing: Preparing, topics: Arc<[String]>) {
        self.preparing = Some((preparing, topics));
        (self.joined, self.gave_up) = (None, false);
    }

    pub(super) fn join(&mut self, generation: i32, partitions: Vec<TopicPartition>) {
        self.previous.clone_from(&partitions);
        self.generation = Some(generation);
        self.joined = Some(partitions);
    }

    /// A join that waits to be answered goes on waiting.
    pub(super) fn lose(&mut self) {
        (self.joined, self.lost, self.generation) = (None, true, None);
    }
}

impl Thread {
    pub(super) fn serve_rebalance(&mut self) {
        let is_done = |revoking: &mut Revoking| revoking.done.load(Ordering::Acquire);
        if let Some(revoking) = self.rebalance.revoking.take_if(is_done) {
            self.remove(&revoking.partitions);
        }
        if self.rebalance.revoking.is_none() && std::mem::take(&mut self.rebalance.lost) {
            self.give_up_assigning();
            self.revoke(self.shared.assignment.partitions(), true);
        }
        if self.rebalance.revoking.is_none() {
            self.answer_preparing();
            self.take_joined();
        }
        self.go_on_assigning();
    }

    /// Lets go of what cannot be kept through a rebalance, and then says what the member has and wants.
    fn answer_preparing(&mut self) {
        let Some((preparing, topics)) = self.rebalance.preparing.take() else {
            return;
        };
        self.give_up_assigning();
        let mut held = self.shared.assignment.partitions();
        held.sort();
        let is_cooperative = self.manner.strategy.is_cooperative();
        let is_unwanted = |one: &&TopicPartition| !is_cooperative || !topics.iter().any(|topic| **topic == *one.topic);
        let unwanted: Vec<TopicPartition> = held.iter().filter(is_unwanted).cloned().collect();
        if !unwanted.is_empty() {
            self.rebalance.preparing = Some((preparing, topics));
            return self.revoke(unwanted, false);
        }
        let owned = Owned {
            partitions: &held,
            previous: &self.rebalance.previous,
            generation: self.rebalance.generation.unwrap_or(-1),
        };
        preparing.join(self.manner.strategy.subprotocols(&topics, &owned));
    }

    /// Lets go of what the group has given to others, and then takes what is new.
    fn take_joined(&mut self) {
        let Some(given) = self.rebalance.joined.take() else {
            return;
        };
        self.give_up_assigning();
        let held = self.shared.assignment.partitions();
        let taken: Vec<TopicPartition> = held.iter().filter(|one| !given.contains(one)).cloned().collect();
        if !taken.is_empty() {
            // Only a cooperative member has something here. Who is to get it hears of that in the next rebalance.
            self.rebalance.joined = Some(given);
            self.rebalance.gave_up = true;
            return self.revoke(taken, false);
        }
        let new = given.into_iter().filter(|one| !held.contains(one)).collect();
        self.rebalance.assigning = Some(Assigning {
            partitions: new,
            attempts: 0,
            step: Step::Again(Instant::now()),
        });
    }

    /// Tells the task to let go of partitions; what follows waits until it has.
    fn revoke(&mut self, partitions: Vec<TopicPartition>, lost: bool) {
        if partitions.is_empty() {
            return;
        }
        if lost {
            // Somebody else reads them already: what is on its way must not reach the task.
            self.shared.assignment.all().iter().for_each(|slot| slot.next_epoch());
        }
        self.hand_over(true);
        let (done, flag) = Revocation::new(self.shared.signals.clone());
        self.outbox.push_back(ConsumerEvent::Revoked {
            partitions: partitions.clone(),
            lost,
            done,
        });
        self.rebalance.revoking = Some(Revoking { partitions, done: flag });
    }

    fn remove(&self, partitions: &[TopicPartition]) {
        for partition in partitions {
            self.shared.assignment.remove(partition);
        }
        self.fetcher.changed();
    }

    /// Forgets partitions that the task has not heard of.
    fn give_up_assigning(&mut self) {
        if let Some(assigning) = self.rebalance.assigning.take() {
            self.remove(&assigning.partitions);
        }
    }

    fn go_on_assigning(&mut self) {
        let Some(mut assigning) = self.rebalance.assigning.take() else {
            return;
        };
        match &assigning.step {
            _ if assigning.partitions.is_empty() => return self.assigned(Vec::new()),
            Step::Again(due) if *due <= Instant::now() => self.ask_for_positions(&mut assigning),
            Step::Placing { slots, until } => {
                let is_placed = |slot: &Arc<Slot>| slot.begun().is_some() || slot.position().1 == Position::Unknown;
                if slots.iter().all(is_placed) || *until <= Instant::now() {
                    let begun = slots.iter().map(|slot| PartitionOffset {
                        partition: slot.partition.clone(),
                        offset: slot.begun().unwrap_or(-1),
                    });
                    return self.assigned(begun.collect());
                }
            }
            Step::Asked(_) | Step::Again(_) => {}
        }
        self.rebalance.assigning = Some(assigning);
    }

    fn assigned(&mut self, begun: Vec<PartitionOffset>) {
        self.outbox.push_back(ConsumerEvent::Assigned(begun));
        if std::mem::take(&mut self.rebalance.gave_up) {
            self.shared
                .member
                .join("partitions were given up that others are to get");
        }
    }

    fn ask_for_positions(&mut self, assigning: &mut Assigning) {
        self.rebalance.questions += 1;
        let number = self.rebalance.questions;
        let inbox = self.shared.inbox.clone();
        let answer = Answer::new(move |result| inbox.push(Event::Positions { number, result }));
        assigning.step = Step::Asked(number);
        let partitions = assigning.partitions.clone();
        self.shared
            .member
            .committed(partitions, self.manner.stable_offsets, PATIENCE, answer);
    }

    /// Begins to read where the group has committed to, or else where `auto.offset.reset` says.
    pub(super) fn positioned(&mut self, number: u64, result: Result<Vec<PartitionOffset>, KafkaError>) {
        let is_about = |assigning: &mut Assigning| matches!(assigning.step, Step::Asked(asked) if asked == number);
        let Some(mut assigning) = self.rebalance.assigning.take_if(is_about) else {
            return;
        };
        match result {
            Ok(committed) => {
                assigning.step = Step::Placing {
                    slots: self.place(&assigning.partitions, &committed),
                    until: Instant::now() + PLACING,
                };
            }
            Err(error) => {
                assigning.attempts += u32::from(!error.code.is_retriable());
                // To begin somewhere else could pass over records.
                let fatal = assigning.attempts >= ATTEMPTS;
                self.report(ConsumerError {
                    error: KafkaError {
                        message: format!("asking for committed offsets: {}", error.message),
                        ..error
                    },
                    partition: None,
                    fatal,
                });
                assigning.step = Step::Again(Instant::now() + if fatal { PATIENCE } else { AGAIN });
            }
        }
        self.rebalance.assigning = Some(assigning);
    }

    fn place(&mut self, partitions: &[TopicPartition], committed: &[PartitionOffset]) -> Vec<Arc<Slot>> {
        let mut slots = Vec::new();
        for partition in partitions {
            let known = committed.iter().find(|known| known.partition == *partition);
            let position = match (known, self.manner.reset) {
                (Some(known), _) => Position::At(known.offset),
                (None, Reset::Earliest) => Position::Earliest,
                (None, Reset::Latest) => Position::Latest,
                (None, Reset::None) => {
                    self.report(no_position(partition));
                    Position::Unknown
                }
            };
            self.shared.assignment.add(partition, position, self.paused);
            slots.extend(self.shared.assignment.find(&partition.topic, partition.partition));
        }
        self.fetcher.changed();
        slots
    }
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

//! What a task hears of its consumer, and the receiving end of the channel.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use caisson_model::{PartitionOffset, TopicPartition};
use tokio::sync::mpsc;

use super::inbox::Inbox;
use super::slot::Slot;
use crate::error::{ConsumerError, KafkaError};
use crate::fetch::{Batch, Fate};

/// What a task hears, in this order: partitions are assigned, their records come, they are revoked.
#[derive(Debug)]
pub enum ConsumerEvent {
    /// The group gave these partitions, and reading begins at these offsets: the committed ones, or where
    /// `auto.offset.reset` says. An offset is -1 if Kafka has not told it. With an eager assignor these are all partitions
    /// of the task; with a cooperative one, those that are new. May be empty.
    Assigned(Vec<PartitionOffset>),
    /// The group takes these partitions away, and waits until the revocation is dropped: after the last commit, so that
    /// who gets the partitions begins behind it.
    Revoked {
        partitions: Vec<TopicPartition>,
        lost: bool,
        done: Revocation,
    },
    Records(Batch),
    /// The result of [`super::SinkConsumer::commit`].
    Committed {
        sequence: u64,
        result: Result<(), KafkaError>,
    },
    /// Something to log or to show; if it is fatal, the consumer is of no more use.
    Error(ConsumerError),
}

/// Holds up the group until it is dropped.
pub struct Revocation {
    done: Arc<AtomicBool>,
    signals: Arc<Signals>,
}

impl Revocation {
    pub(crate) fn new(signals: Arc<Signals>) -> (Revocation, Arc<AtomicBool>) {
        let done = Arc::new(AtomicBool::new(false));
        (
            Revocation {
                done: done.clone(),
                signals,
            },
            done,
        )
    }

    /// The task has committed and closed: the same as dropping.
    pub fn complete(self) {}
}

impl Drop for Revocation {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Release);
        self.signals.wake();
    }
}

impl std::fmt::Debug for Revocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Revocation")
    }
}

/// How others wake the consumer's thread.
pub(crate) struct Signals {
    inbox: Arc<Inbox>,
    /// The thread waits for the task to take something from the channel.
    wants_room: AtomicBool,
}

impl Signals {
    pub(crate) fn new(inbox: Arc<Inbox>) -> Self {
        Signals {
            inbox,
            wants_room: AtomicBool::new(false),
        }
    }

    /// Wakes the thread.
    pub(crate) fn wake(&self) {
        self.inbox.wake();
    }

    /// The thread says that it will wait for room. It looks once more afterwards, and only then waits.
    pub(crate) fn want_room(&self) {
        self.wants_room.store(true, Ordering::SeqCst);
    }

    fn made_room(&self) {
        if self.wants_room.swap(false, Ordering::SeqCst) {
            self.wake();
        }
    }
}

/// The receiving end.
pub struct ConsumerEvents {
    receiver: mpsc::Receiver<ConsumerEvent>,
    signals: Arc<Signals>,
    /// Records of paused partitions, in order. At most what was on its way when they were paused.
    held: Vec<Batch>,
}

impl ConsumerEvents {
    pub(crate) fn new(receiver: mpsc::Receiver<ConsumerEvent>, signals: Arc<Signals>) -> Self {
        ConsumerEvents {
            receiver,
            signals,
            held: Vec::new(),
        }
    }

    /// The next event; none after the consumer is closed. Safe to cancel.
    pub async fn recv(&mut self) -> Option<ConsumerEvent> {
        loop {
            if let Some(batch) = self.released() {
                return Some(ConsumerEvent::Records(batch));
            }
            let event = self.receiver.recv().await?;
            self.signals.made_room();
            if let Some(event) = self.sift(event) {
                return Some(event);
            }
        }
    }

    /// The next event if there is one.
    pub fn try_recv(&mut self) -> Option<ConsumerEvent> {
        loop {
            if let Some(batch) = self.released() {
                return Some(ConsumerEvent::Records(batch));
            }
            let event = self.receiver.try_recv().ok()?;
            self.signals.made_room();
            if let Some(event) = self.sift(event) {
                return Some(event);
            }
        }
    }

    /// Leaves out records that are void, and puts aside those of paused partitions.
    fn sift(&mut self, event: ConsumerEvent) -> Option<ConsumerEvent> {
        let ConsumerEvent::Records(batch) = event else {
            return Some(event);
        };
        let (kept, held) = batch.divide(fate);
        if !held.is_empty() {
            self.held.push(held);
        }
        (!kept.is_empty()).then_some(ConsumerEvent::Records(kept))
    }

    /// Records that were put aside and may be handed out now.
    fn released(&mut self) -> Option<Batch> {
        for index in 0..self.held.len() {
            let (kept, held) = self.held.remove(index).divide(fate);
            self.held.insert(index, held);
            if !kept.is_empty() {
                self.held.retain(|batch| !batch.is_empty());
                return Some(kept);
            }
        }
        self.held.retain(|batch| !batch.is_empty());
        None
    }
}

fn fate(slot: &Slot, epoch: u32) -> Fate {
    if slot.epoch() != epoch {
        Fate::Drop
    } else if slot.paused() {
        Fate::Hold
    } else {
        Fate::Keep
    }
}

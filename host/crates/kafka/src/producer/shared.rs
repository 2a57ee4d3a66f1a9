//! What the tasks that send and the producer's own thread have in common.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::OutRecord;
use super::options::Options;
use super::room::Room;
use super::sender::Order;
use super::topic::TopicQueue;
use crate::error::{DeliveryError, KafkaError};
use crate::report::Reporter;

pub(crate) struct Shared {
    pub options: Options,
    pub reporter: Reporter,
    /// Topics that were ever sent to; they stay as long as the producer.
    topics: Mutex<HashMap<Arc<str>, Arc<TopicQueue>>>,
    pub memory: Memory,
    pub buffers: Buffers,
    /// Records that are accepted and neither delivered nor failed.
    outstanding: AtomicUsize,
    pub room: Room,
    /// Wakes the sender.
    pub wake: Notify,
    /// How many wait for everything to be sent: nothing lingers meanwhile.
    pub flushing: AtomicUsize,
    pub closing: AtomicBool,
    /// What the owner of transactions asks for, until the sender takes it.
    order: Mutex<Option<Order>>,
    /// Why the producer cannot be used any more.
    fatal: Mutex<Option<KafkaError>>,
}

impl Shared {
    pub(crate) fn new(options: Options, reporter: Reporter) -> Shared {
        Shared {
            memory: Memory::new(options.buffer),
            options,
            reporter,
            topics: Mutex::default(),
            buffers: Buffers::default(),
            outstanding: AtomicUsize::new(0),
            room: Room::default(),
            wake: Notify::new(),
            flushing: AtomicUsize::new(0),
            closing: AtomicBool::new(false),
            order: Mutex::new(None),
            fatal: Mutex::new(None),
        }
    }

    pub(crate) fn topic(&self, name: &str) -> Arc<TopicQueue> {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(topic) = topics.get(name) {
            return topic.clone();
        }
        let topic = Arc::new(TopicQueue::new(name));
        topics.insert(topic.name.clone(), topic.clone());
        topic
    }

    pub(crate) fn topics(&self) -> Vec<Arc<TopicQueue>> {
        let topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        topics.values().cloned().collect()
    }

    /// Fails a record that can never be sent.
    pub(crate) fn refuse(&self, topic: &str, record: &OutRecord<'_>, error: &KafkaError) {
        record.ack.add(1);
        record.ack.fail(&DeliveryError {
            topic: topic.to_owned(),
            partition: record.partition,
            error: error.clone(),
        });
    }

    /// Records were accepted.
    pub(crate) fn begun(&self, records: usize) {
        self.outstanding.fetch_add(records, Ordering::Relaxed);
    }

    /// Records are delivered or failed, and their memory is free.
    pub(crate) fn ended(&self, records: usize, bytes: usize) {
        self.memory.give(bytes);
        self.outstanding.fetch_sub(records, Ordering::Relaxed);
        self.room.made();
    }

    pub(crate) fn outstanding(&self) -> usize {
        self.outstanding.load(Ordering::Relaxed)
    }

    pub(crate) fn give_order(&self, order: Order) {
        *self.order.lock().unwrap_or_else(PoisonError::into_inner) = Some(order);
        self.wake.notify_one();
    }

    pub(crate) fn take_order(&self) -> Option<Order> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(crate) fn fatal(&self) -> Option<KafkaError> {
        self.fatal.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The producer can do nothing more.
    pub(crate) fn fail(&self, error: KafkaError) {
        let mut fatal = self.fatal.lock().unwrap_or_else(PoisonError::into_inner);
        fatal.get_or_insert(KafkaError { fatal: true, ..error });
        drop(fatal);
        self.room.made();
    }
}

/// `buffer.memory`, and how much of it is taken.
pub(crate) struct Memory {
    limit: usize,
    /// Two tasks that append at once may exceed the limit by a batch: it is a bound on memory, not a promise of bytes.
    taken: AtomicUsize,
}

impl Memory {
    fn new(limit: usize) -> Memory {
        Memory {
            limit,
            taken: AtomicUsize::new(0),
        }
    }

    /// Bytes that are free. A buffer that is empty has room for any record.
    pub(crate) fn room(&self) -> usize {
        match self.taken.load(Ordering::Relaxed) {
            0 => usize::MAX / 2,
            taken => self.limit.saturating_sub(taken),
        }
    }

    pub(crate) fn is_short(&self) -> bool {
        self.taken.load(Ordering::Relaxed) > self.limit / 2
    }

    pub(crate) fn take(&self, bytes: usize) {
        self.taken.fetch_add(bytes, Ordering::Relaxed);
    }

    fn give(&self, bytes: usize) {
        self.taken.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Memory of batches that were sent, for those to come.
#[derive(Default)]
pub(crate) struct Buffers {
    free: Mutex<Vec<Vec<u8>>>,
}

impl Buffers {
    /// Buffers that are kept. More than a few wait only while a broker is slow.
    const KEPT: usize = 8;

    pub(crate) fn get(&self) -> Vec<u8> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.pop().unwrap_or_default()
    }

    pub(crate) fn put(&self, buffer: Vec<u8>) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < Self::KEPT {
            free.push(buffer);
        }
    }
}

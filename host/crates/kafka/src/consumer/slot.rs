//! What is known of an assigned partition, shared between a consumer's thread, its records on their way, and the task.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use caisson_model::TopicPartition;

/// An assigned partition.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) partition: TopicPartition,
    /// Records carry the epoch in which they were read. A seek, a revocation or a loss begins the next one, and records
    /// of an older one are dropped wherever they are found.
    epoch: AtomicU32,
    /// Records of a paused partition are held back by the receiver until it is resumed.
    paused: AtomicBool,
}

impl Slot {
    pub(crate) fn new(partition: TopicPartition) -> Self {
        Slot {
            partition,
            epoch: AtomicU32::new(0),
            paused: AtomicBool::new(false),
        }
    }

    pub(crate) fn epoch(&self) -> u32 {
        self.epoch.load(Ordering::Acquire)
    }

    pub(crate) fn next_epoch(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn paused(&self) -> bool {
        self.paused.load(Ordering::Acquire)
    }

    pub(crate) fn set_paused(&self, paused: bool) {
        self.paused.store(paused, Ordering::Release);
    }
}

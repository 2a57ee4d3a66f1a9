//! The partitions that are assigned to a consumer.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use caisson_model::TopicPartition;

use super::slot::{Position, Slot};

/// The assigned partitions. Changed by the consumer's thread alone, as answer to the group.
#[derive(Default)]
pub(crate) struct Assignment {
    slots: Mutex<Slots>,
    /// Changes with the partitions.
    generation: AtomicU64,
}

/// By topic, then by partition: found without making a key.
type Slots = HashMap<Arc<str>, BTreeMap<i32, Arc<Slot>>>;

impl Assignment {
    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn find(&self, topic: &str, partition: i32) -> Option<Arc<Slot>> {
        self.slots().get(topic)?.get(&partition).cloned()
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(crate) fn add(&self, partition: &TopicPartition, position: Position, paused: bool) {
        let slot = Slot::new(partition.clone(), position);
        slot.set_paused(paused);
        self.slots()
            .entry(partition.topic.clone())
            .or_default()
            .insert(partition.partition, Arc::new(slot));
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// Takes a partition away; records of it that are on their way become void.
    pub(crate) fn remove(&self, partition: &TopicPartition) {
        let mut slots = self.slots();
        let Some(of_topic) = slots.get_mut(&partition.topic) else {
            return;
        };
        if let Some(slot) = of_topic.remove(&partition.partition) {
            slot.next_epoch();
        }
        if of_topic.is_empty() {
            slots.remove(&partition.topic);
        }
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn partitions(&self) -> Vec<TopicPartition> {
        self.all().into_iter().map(|slot| slot.partition.clone()).collect()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Slot>> {
        self.slots().values().flat_map(BTreeMap::values).cloned().collect()
    }
}

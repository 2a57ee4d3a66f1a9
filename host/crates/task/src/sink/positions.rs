//! Where a sink task stands in each partition: what its plugin has taken, and what Kafka knows of it.

use std::collections::HashMap;

use caisson_model::{PartitionOffset, TopicPartition};

#[derive(Clone, Copy, Debug)]
struct Position {
    /// The next offset that the plugin has not been given.
    consumed: i64,
    /// What was last sent to Kafka as committed, if anything was.
    committing: Option<i64>,
    /// What Kafka has confirmed, or what it had when the partition was assigned.
    committed: i64,
}

/// The positions of the partitions that are assigned now.
#[derive(Debug, Default)]
pub struct Positions {
    partitions: HashMap<TopicPartition, Position>,
}

impl Positions {
    pub fn assign(&mut self, partition: TopicPartition, offset: i64) {
        self.partitions.insert(
            partition,
            Position {
                consumed: offset,
                committing: None,
                committed: offset,
            },
        );
    }

    pub fn remove(&mut self, partition: &TopicPartition) {
        self.partitions.remove(partition);
    }

    pub fn assigned(&self) -> Vec<TopicPartition> {
        self.partitions.keys().cloned().collect()
    }

    pub fn len(&self) -> usize {
        self.partitions.len()
    }

    /// How many offsets lie between what the plugin has taken and what Kafka knows of it.
    pub fn uncommitted(&self) -> u64 {
        let behind = |position: &Position| u64::try_from(position.consumed - position.committed).unwrap_or(0);
        self.partitions.values().map(behind).sum()
    }

    /// How many offsets before `next` the plugin has not been given.
    pub fn behind(&self, partition: &TopicPartition, next: i64) -> u64 {
        let consumed = self.partitions.get(partition).map(|position| position.consumed.max(0));
        consumed.map_or(0, |consumed| u64::try_from(next - consumed).unwrap_or(0))
    }

    /// The plugin has taken everything before `next`.
    pub fn advance(&mut self, partition: &TopicPartition, next: i64) {
        if let Some(position) = self.partitions.get_mut(partition) {
            position.consumed = next;
        }
    }

    /// What may be committed of these partitions.
    pub fn consumed(&self, of: &[TopicPartition]) -> Vec<PartitionOffset> {
        of.iter()
            .filter_map(|partition| {
                let position = self.partitions.get(partition)?;
                Some(PartitionOffset {
                    partition: partition.clone(),
                    offset: position.consumed,
                })
            })
            .collect()
    }

    /// Leaves of the offsets that a plugin answered those that may be sent to Kafka and say something new, and notes
    /// them as under way.
    pub fn begin_commit(&mut self, offsets: Vec<PartitionOffset>) -> Vec<PartitionOffset> {
        let mut accepted = Vec::with_capacity(offsets.len());
        for offset in offsets {
            let Some(position) = self.partitions.get_mut(&offset.partition) else {
                tracing::warn!(partition = %offset.partition, offset = offset.offset,
                    "ignoring invalid task provided offset -- partition not assigned");
                continue;
            };
            if offset.offset > position.consumed {
                tracing::warn!(partition = %offset.partition, offset = offset.offset, consumed = position.consumed,
                    "ignoring invalid task provided offset -- not yet consumed");
                continue;
            }
            if position.committing.unwrap_or(position.committed) != offset.offset {
                position.committing = Some(offset.offset);
                accepted.push(offset);
            }
        }
        accepted
    }

    /// As [`Positions::begin_commit`], but what is under way is sent again: its answer may come too late.
    pub fn begin_final_commit(&mut self, offsets: Vec<PartitionOffset>) -> Vec<PartitionOffset> {
        for position in self.partitions.values_mut() {
            position.committing = None;
        }
        self.begin_commit(offsets)
    }

    /// Kafka has confirmed these offsets.
    pub fn committed(&mut self, offsets: &[PartitionOffset]) {
        for offset in offsets {
            if let Some(position) = self.partitions.get_mut(&offset.partition) {
                position.committed = offset.offset;
                if position.committing == Some(offset.offset) {
                    position.committing = None;
                }
            }
        }
    }

    /// Kafka has refused them: the next commit has to send them again.
    pub fn commit_failed(&mut self, offsets: &[PartitionOffset]) {
        for offset in offsets {
            if let Some(position) = self.partitions.get_mut(&offset.partition)
                && position.committing == Some(offset.offset)
            {
                position.committing = None;
            }
        }
    }

    /// Goes back to what the plugin has made durable, where that is less than it was given; the answer is where to read on
    /// in all partitions, none if that is where it stands anyway.
    pub fn settle(&mut self) -> Option<Vec<PartitionOffset>> {
        let mut behind = false;
        for position in self.partitions.values_mut() {
            let durable = position.committing.unwrap_or(position.committed);
            if durable < position.consumed {
                position.consumed = durable;
                behind = true;
            }
        }
        behind.then(|| self.consumed(&self.assigned()))
    }

    /// Goes back to what is committed; the answer is where to read on.
    pub fn rewind(&mut self) -> Vec<PartitionOffset> {
        self.partitions
            .iter_mut()
            .map(|(partition, position)| {
                position.consumed = position.committed;
                position.committing = None;
                PartitionOffset {
                    partition: partition.clone(),
                    offset: position.committed,
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tp(partition: i32) -> TopicPartition {
        TopicPartition::new("t", partition)
    }

    fn at(partition: i32, offset: i64) -> PartitionOffset {
        PartitionOffset {
            partition: tp(partition),
            offset,
        }
    }

    #[test]
    fn only_consumed_offsets_of_assigned_partitions_that_are_new_are_committed() {
        let mut positions = Positions::default();
        positions.assign(tp(0), 5);
        positions.advance(&tp(0), 10);
        assert_eq!(positions.begin_commit(vec![at(0, 11), at(1, 3), at(0, 5)]), vec![]);
        assert_eq!(positions.begin_commit(vec![at(0, 9)]), vec![at(0, 9)]);
        assert_eq!(positions.begin_commit(vec![at(0, 9)]), vec![], "it is under way");
        positions.committed(&[at(0, 9)]);
        assert_eq!(positions.begin_commit(vec![at(0, 9)]), vec![], "Kafka has it");
    }

    #[test]
    fn what_was_taken_and_is_not_committed_is_counted() {
        let mut positions = Positions::default();
        positions.assign(tp(0), 10);
        positions.assign(tp(1), 0);
        positions.advance(&tp(0), 15);
        positions.advance(&tp(1), 7);
        assert_eq!((positions.len(), positions.uncommitted()), (2, 12));
        positions.committed(&[at(0, 15)]);
        assert_eq!(positions.uncommitted(), 7);
        positions.remove(&tp(1));
        assert_eq!(positions.uncommitted(), 0);
    }

    #[test]
    fn a_failed_commit_is_sent_again() {
        let mut positions = Positions::default();
        positions.assign(tp(0), 0);
        positions.advance(&tp(0), 4);
        assert_eq!(positions.begin_commit(vec![at(0, 4)]), vec![at(0, 4)]);
        positions.commit_failed(&[at(0, 4)]);
        assert_eq!(positions.begin_commit(vec![at(0, 4)]), vec![at(0, 4)]);
    }

    #[test]
    fn settling_goes_back_to_what_is_durable_and_no_further() {
        let mut positions = Positions::default();
        positions.assign(tp(0), 2);
        positions.assign(tp(1), 5);
        positions.advance(&tp(0), 8);
        assert_eq!(positions.begin_commit(vec![at(0, 8)]), vec![at(0, 8)]);
        assert_eq!(
            positions.settle(),
            None,
            "all is durable, though Kafka has not answered"
        );
        positions.advance(&tp(0), 10);
        let mut back = positions.settle().unwrap();
        back.sort_by_key(|offset| offset.partition.partition);
        assert_eq!(back, vec![at(0, 8), at(1, 5)]);
        assert_eq!(positions.settle(), None);
    }

    #[test]
    fn rewinding_goes_back_to_what_kafka_has() {
        let mut positions = Positions::default();
        positions.assign(tp(0), 2);
        positions.advance(&tp(0), 8);
        assert_eq!(positions.rewind(), vec![at(0, 2)]);
        assert_eq!(positions.consumed(&[tp(0)]), vec![at(0, 2)]);
    }
}

//! Which source offsets may be committed: per source partition, the newest one before which everything has been
//! acknowledged. A record that is stuck holds back its own partition and no other.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Whether the records of a group have reached Kafka.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    Pending,
    Done,
    /// A record of it is not in Kafka and must not be passed over.
    Failed,
}

/// The records of one batch that share a source partition; Kafka acknowledges them in any order.
pub trait Group {
    fn progress(&self) -> Progress;
}

/// Batches in the order in which the source gave them.
#[derive(Debug)]
pub struct Submitted<G> {
    partitions: HashMap<Arc<str>, VecDeque<(G, Arc<str>)>>,
}

impl<G: Group> Submitted<G> {
    pub fn new() -> Self {
        Submitted {
            partitions: HashMap::new(),
        }
    }

    /// Adds a group: the JSON text of its source partition, and of the offset of its last record.
    pub fn add(&mut self, partition: Arc<str>, group: G, offset: Arc<str>) {
        self.partitions.entry(partition).or_default().push_back((group, offset));
    }

    /// Takes what is acknowledged: source partition and offset, both as JSON text.
    pub fn take_committable(&mut self) -> Vec<(Arc<str>, Arc<str>)> {
        let mut committable = Vec::new();
        for (partition, groups) in &mut self.partitions {
            let mut newest = None;
            while groups
                .front()
                .is_some_and(|(group, _)| group.progress() == Progress::Done)
            {
                newest = groups.pop_front().map(|(_, offset)| offset);
            }
            if let Some(offset) = newest {
                committable.push((partition.clone(), offset));
            }
        }
        self.partitions.retain(|_, groups| !groups.is_empty());
        committable
    }

    /// Whether there is anything whose offset was not taken.
    pub fn is_waiting(&self) -> bool {
        !self.partitions.is_empty()
    }

    /// Whether anything still waits for its acknowledgement.
    pub fn is_pending(&self) -> bool {
        self.partitions
            .values()
            .flatten()
            .any(|(group, _)| group.progress() == Progress::Pending)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    #[derive(Clone)]
    struct Flag(Rc<Cell<bool>>);

    impl Group for Flag {
        fn progress(&self) -> Progress {
            if self.0.get() {
                Progress::Done
            } else {
                Progress::Pending
            }
        }
    }

    fn group() -> Flag {
        Flag(Rc::new(Cell::new(false)))
    }

    fn check(submitted: &mut Submitted<Flag>, expected: &[(&str, &str)]) {
        let mut actual = submitted.take_committable();
        actual.sort();
        let actual: Vec<_> = actual.iter().map(|(p, o)| (&**p, &**o)).collect();
        assert_eq!(actual, expected);
    }

    #[test]
    fn an_acknowledged_group_behind_a_pending_one_is_not_committed() {
        let (first, second) = (group(), group());
        let mut submitted = Submitted::new();
        submitted.add("a".into(), first.clone(), "1".into());
        submitted.add("a".into(), second.clone(), "2".into());
        second.0.set(true);
        check(&mut submitted, &[]);
        assert!(submitted.is_pending());
        first.0.set(true);
        check(&mut submitted, &[("a", "2")]);
        assert!(!submitted.is_pending());
    }

    #[test]
    fn a_stuck_partition_does_not_hold_back_another() {
        let (stuck, fine) = (group(), group());
        let mut submitted = Submitted::new();
        submitted.add("a".into(), stuck, "1".into());
        submitted.add("b".into(), fine.clone(), "7".into());
        fine.0.set(true);
        check(&mut submitted, &[("b", "7")]);
        check(&mut submitted, &[]);
    }
}

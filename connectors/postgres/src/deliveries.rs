//! Which position the server may be told of: that of records which are in Kafka, and whose offsets are stored.

use std::collections::VecDeque;

use caisson_sdk::source::Delivery;

use crate::lsn::Lsn;

/// Records that were given to the worker, and the positions they stand for.
#[derive(Debug, Default)]
pub struct Deliveries {
    polled: u64,
    /// The number of records up to the end of a batch, and the last commit then.
    batches: VecDeque<(u64, Lsn)>,
    delivered: Lsn,
    /// Records that were delivered, and those whose offsets are stored as well.
    arrived: u64,
    stored: u64,
}

impl Deliveries {
    /// A batch goes out.
    pub fn polled(&mut self, records: usize, last_commit: Lsn) {
        if records > 0 {
            self.polled += records as u64;
            self.batches.push_back((self.polled, last_commit));
        }
    }

    pub fn delivered(&mut self, deliveries: &[Delivery]) {
        for delivery in deliveries {
            let end = delivery.first + u64::from(delivery.count);
            while let Some((records, commit)) = self.batches.pop_front_if(|(batch, _)| *batch <= end) {
                self.delivered = self.delivered.max(commit);
                self.arrived = records;
            }
        }
    }

    /// The offsets of all that was delivered are stored.
    pub fn committed(&mut self) -> Lsn {
        self.stored = self.arrived;
        self.delivered
    }

    /// Records that were given to the worker and may have to be given again.
    pub fn outstanding(&self) -> u64 {
        self.polled - self.stored
    }
}

#[cfg(test)]
mod tests {
    use caisson_sdk::source::Outcome;

    use super::*;

    #[test]
    fn a_batch_counts_once_all_of_it_is_delivered() {
        let mut deliveries = Deliveries::default();
        deliveries.polled(3, Lsn(10));
        deliveries.polled(0, Lsn(15));
        deliveries.polled(2, Lsn(20));
        let part = |first, count| Delivery {
            first,
            count,
            outcome: Outcome::Written,
        };
        deliveries.delivered(&[part(0, 2)]);
        assert_eq!(deliveries.committed(), Lsn(0));
        deliveries.delivered(&[part(2, 1)]);
        assert_eq!(deliveries.committed(), Lsn(10));
        deliveries.delivered(&[part(3, 2)]);
        assert_eq!(deliveries.committed(), Lsn(20));
    }

    #[test]
    fn records_are_outstanding_until_their_offsets_are_stored() {
        let mut deliveries = Deliveries::default();
        assert_eq!(deliveries.outstanding(), 0);
        // Two batches of one transaction: both stand for the commit before it.
        deliveries.polled(3, Lsn(10));
        deliveries.polled(2, Lsn(10));
        deliveries.delivered(&[Delivery {
            first: 0,
            count: 3,
            outcome: Outcome::Written,
        }]);
        assert_eq!(deliveries.outstanding(), 5);
        assert_eq!((deliveries.committed(), deliveries.outstanding()), (Lsn(10), 2));
        deliveries.delivered(&[Delivery {
            first: 3,
            count: 2,
            outcome: Outcome::Dropped,
        }]);
        assert_eq!((deliveries.committed(), deliveries.outstanding()), (Lsn(10), 0));
    }
}

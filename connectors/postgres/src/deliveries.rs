//! Which position the server may be told of: that of records which are in Kafka, and whose offsets are stored.

use std::collections::VecDeque;

use caisson_sdk::source::{Delivery, Outcome};

use crate::lsn::Lsn;

/// Records that were given to the worker, and the positions they stand for.
///
/// Of records that are left out (a transform has dropped them) no offset is stored: a server that were told of their position
/// would be further than the stored offset.
#[derive(Debug, Default)]
pub struct Deliveries {
    polled: u64,
    /// The number of records up to the end of a batch, and the last commit then.
    batches: VecDeque<(u64, Lsn)>,
    /// The same of the last batch that has arrived as a whole.
    arrived: (u64, Lsn),
    /// The number of records up to the last one that was written.
    written: u64,
    /// What the stored offsets cover, once they are stored.
    covered: Lsn,
    /// Records that have arrived and whose offsets are stored, if they have any.
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
            if delivery.outcome == Outcome::Written {
                self.written = end;
            }
            while let Some((records, commit)) = self.batches.pop_front_if(|(batch, _)| *batch <= end) {
                if self.written >= records {
                    self.covered = self.covered.max(commit);
                } else if self.written > self.arrived.0 {
                    // Where in the batch its last written record stands is not known, but it comes after the one before.
                    self.covered = self.covered.max(self.arrived.1);
                }
                self.arrived = (records, commit);
            }
        }
    }

    /// The offsets of all that was written are stored.
    pub fn committed(&mut self) -> Lsn {
        self.stored = self.arrived.0;
        self.covered
    }

    /// Records that were given to the worker and may have to be given again.
    pub fn outstanding(&self) -> u64 {
        self.polled - self.stored
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(first: u64, count: u32, outcome: Outcome) -> Delivery {
        Delivery { first, count, outcome }
    }

    #[test]
    fn a_batch_counts_once_all_of_it_is_delivered() {
        let mut deliveries = Deliveries::default();
        deliveries.polled(3, Lsn(10));
        deliveries.polled(0, Lsn(15));
        deliveries.polled(2, Lsn(20));
        let part = |first, count| run(first, count, Outcome::Written);
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
        deliveries.delivered(&[run(0, 3, Outcome::Written)]);
        assert_eq!(deliveries.outstanding(), 5);
        assert_eq!((deliveries.committed(), deliveries.outstanding()), (Lsn(10), 2));
        deliveries.delivered(&[run(3, 2, Outcome::Dropped)]);
        assert_eq!((deliveries.committed(), deliveries.outstanding()), (Lsn(10), 0));
    }

    #[test]
    fn records_that_are_left_out_carry_the_position_no_further() {
        let mut deliveries = Deliveries::default();
        for (records, commit) in [(2, 10), (2, 20), (2, 30), (3, 40), (1, 50)] {
            deliveries.polled(records, Lsn(commit));
        }
        deliveries.delivered(&[run(0, 2, Outcome::Written), run(2, 2, Outcome::Dropped)]);
        assert_eq!((deliveries.committed(), deliveries.outstanding()), (Lsn(10), 6));
        // The last of a batch is left out: its written record comes after all of the batch before.
        deliveries.delivered(&[run(4, 1, Outcome::Written), run(5, 1, Outcome::Failed)]);
        assert_eq!(deliveries.committed(), Lsn(20));
        deliveries.delivered(&[run(6, 2, Outcome::Dropped), run(8, 1, Outcome::Written)]);
        assert_eq!(deliveries.committed(), Lsn(40));
        deliveries.delivered(&[run(9, 1, Outcome::Dropped)]);
        assert_eq!((deliveries.committed(), deliveries.outstanding()), (Lsn(40), 0));
    }
}

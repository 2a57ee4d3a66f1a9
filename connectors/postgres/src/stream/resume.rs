//! Going on in the middle: the server sends whole transactions, so that what was processed of the first one comes again.

use crate::lsn::Lsn;
use crate::offsets::Stored;
use crate::visibility::Visibility;

/// What is not to be told again.
#[derive(Debug)]
pub struct Resume {
    /// The transaction in which the offset lies, and its last change that was processed.
    within: Option<(u32, Processed)>,
    visibility: Option<Visibility>,
    current: Current,
}

/// The transaction at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Current {
    New,
    /// Partly processed.
    Until(Processed),
    /// Part of the snapshot.
    Seen,
}

/// How far a transaction was processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Processed {
    until: Lsn,
    /// Of the changes at `until`, those that have not come again yet; 0 at first: none of the transaction was processed, and
    /// its beginning may have the position of a change, or that of a commit before it.
    changes: u32,
}

impl Resume {
    pub fn new(stored: Option<&Stored>, visibility: Option<Visibility>) -> Self {
        Resume {
            within: stored.and_then(|stored| {
                let processed = Processed {
                    until: stored.lsn,
                    changes: stored.changes,
                };
                Some((stored.transaction?, processed))
            }),
            visibility,
            current: Current::New,
        }
    }

    /// Whether what was processed before is still being passed by.
    pub fn is_searching(&self) -> bool {
        self.current != Current::New
    }

    pub fn begin(&mut self, xid: u32) {
        self.current = match (&self.visibility, self.within) {
            (Some(snapshot), _) if snapshot.sees(xid) => Current::Seen,
            (_, Some((within, processed))) if within == xid && processed.changes > 0 => Current::Until(processed),
            _ => Current::New,
        };
    }

    /// Whether the next change was processed before. Within a transaction positions do not fall.
    #[inline]
    pub fn skips(&mut self, lsn: Lsn) -> bool {
        match &mut self.current {
            Current::New => false,
            Current::Until(processed) if lsn == processed.until && processed.changes > 0 => {
                processed.changes -= 1;
                true
            }
            Current::Until(processed) => lsn < processed.until,
            Current::Seen => true,
        }
    }

    /// The same for a message, which may stand outside of transactions.
    pub fn skips_message(&mut self, lsn: Lsn, transactional: bool) -> bool {
        if transactional {
            self.skips(lsn)
        } else {
            self.within.is_some_and(|(_, processed)| lsn <= processed.until)
        }
    }

    /// Ends the transaction; true if it is part of the snapshot.
    pub fn commit(&mut self) -> bool {
        let seen = self.current == Current::Seen;
        if let Current::Until(..) = self.current {
            self.within = None;
        }
        self.current = Current::New;
        seen
    }

    pub fn into_visibility(self) -> Option<Visibility> {
        self.visibility
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn stored(xid: u32, lsn: u64, commit: u64) -> Stored {
        Stored {
            lsn: Lsn(lsn),
            changes: 1,
            last_commit: Lsn(commit),
            transaction: Some(xid),
            message: None,
            told: None,
            snapshot_unfinished: false,
            incremental: None,
        }
    }

    #[test]
    fn only_the_transaction_of_the_offset_is_passed_by_up_to_it() {
        let mut resume = Resume::new(Some(&stored(7, 100, 50)), None);
        resume.begin(7);
        assert!(resume.skips(Lsn(60)) && resume.skips(Lsn(100)));
        assert!(!resume.skips(Lsn(101)));
        assert!(!resume.commit());
        // Another transaction has its changes at lower positions: it was committed later.
        resume.begin(6);
        assert!(!resume.skips(Lsn(55)));
        resume.commit();
        // The number comes around again.
        resume.begin(7);
        assert!(!resume.skips(Lsn(60)));
    }

    #[test]
    fn changes_at_one_position_are_counted() {
        let mut copied = stored(7, 100, 50);
        copied.changes = 3;
        let mut resume = Resume::new(Some(&copied), None);
        resume.begin(7);
        let skipped = [60, 100, 100, 100, 100, 101].map(|lsn| resume.skips(Lsn(lsn)));
        assert_eq!(skipped, [true, true, true, true, false, false]);
    }

    #[test]
    fn nothing_is_passed_by_after_a_beginning() {
        let mut begun = stored(7, 100, 50);
        begun.changes = 0;
        let mut resume = Resume::new(Some(&begun), None);
        resume.begin(7);
        assert!(!resume.is_searching());
        assert!(!resume.skips(Lsn(60)) && !resume.skips(Lsn(100)));
        assert!(resume.skips_message(Lsn(90), false));
    }

    #[test]
    fn what_the_snapshot_has_seen_is_passed_by() {
        let mut resume = Resume::new(None, Visibility::parse("10:12:10"));
        resume.begin(11);
        assert!(resume.skips(Lsn(1)));
        assert!(resume.commit());
        resume.begin(10);
        assert!(!resume.skips(Lsn(1)));
    }
}

//! Going on in the middle: the server sends whole transactions, so that what was processed of the first one comes again.

use crate::lsn::Lsn;
use crate::offsets::Stored;
use crate::visibility::Visibility;

/// What is not to be told again.
#[derive(Debug)]
pub struct Resume {
    /// The transaction in which the offset lies, and its last change that was processed.
    within: Option<(u32, Lsn)>,
    visibility: Option<Visibility>,
    current: Current,
}

/// The transaction at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Current {
    New,
    /// Partly processed, up to this change.
    Until(u32, Lsn),
    /// Part of the snapshot.
    Seen,
}

impl Resume {
    pub fn new(stored: Option<&Stored>, visibility: Option<Visibility>) -> Self {
        Resume {
            within: stored.and_then(|stored| Some((stored.transaction?, stored.lsn))),
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
            (_, Some((within, lsn))) if within == xid => Current::Until(xid, lsn),
            _ => Current::New,
        };
    }

    /// Whether a change was processed before. Within a transaction positions rise.
    #[inline]
    pub fn skips(&self, lsn: Lsn) -> bool {
        match self.current {
            Current::New => false,
            Current::Until(_, until) => lsn <= until,
            Current::Seen => true,
        }
    }

    /// The same for a message, which may stand outside of transactions.
    pub fn skips_message(&self, lsn: Lsn, transactional: bool) -> bool {
        if transactional {
            self.skips(lsn)
        } else {
            self.within.is_some_and(|(_, until)| lsn <= until)
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
            last_commit: Lsn(commit),
            transaction: Some(xid),
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
    fn what_the_snapshot_has_seen_is_passed_by() {
        let mut resume = Resume::new(None, Visibility::parse("10:12:10"));
        resume.begin(11);
        assert!(resume.skips(Lsn(1)));
        assert!(resume.commit());
        resume.begin(10);
        assert!(!resume.skips(Lsn(1)));
    }
}

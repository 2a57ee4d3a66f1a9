//! Who waits for the delivery of records.
//!
//! A task makes one group for each batch and source partition and gives it to all records of that partition in that
//! batch. A delivery report costs one decrement; the task hears of the group once, when its last record is done.

use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::DeliveryError;

/// Hears of deliveries, on the producer's thread (or on one that sends or flushes): must be quick, must not wait, and must
/// not panic, as its caller is a C library.
pub trait AckListener: Send + Sync {
    /// A record of the group failed for good.
    fn failed(&self, tag: u64, error: &DeliveryError);
    /// All records of the group are done, of which `failed` were not delivered. Called once per group.
    fn done(&self, tag: u64, failed: usize);
}

/// The records that are acknowledged together.
pub struct AckGroup {
    listener: Arc<dyn AckListener>,
    tag: u64,
    /// Records that are not done, and one more until the group is sealed.
    pending: AtomicUsize,
    failed: AtomicUsize,
    /// The group itself, while something is pending.
    keep: Mutex<Option<Arc<AckGroup>>>,
}

impl AckGroup {
    /// Opens a group. It is done when the returned guard is dropped and all records are done; so a group without records
    /// is done at once.
    pub fn open(listener: Arc<dyn AckListener>, tag: u64) -> OpenAckGroup {
        let group = Arc::new(AckGroup {
            listener,
            tag,
            pending: AtomicUsize::new(1),
            failed: AtomicUsize::new(0),
            keep: Mutex::new(None),
        });
        *group.keep.lock().unwrap_or_else(PoisonError::into_inner) = Some(group.clone());
        OpenAckGroup { group }
    }

    /// What the group was opened with.
    pub fn tag(&self) -> u64 {
        self.tag
    }

    /// Counts records as pending. The guard, or another pending record, must still be there.
    pub(crate) fn add(&self, records: usize) {
        self.pending.fetch_add(records, Ordering::Relaxed);
    }

    /// Records are done, or were not accepted after all.
    pub(crate) fn complete(&self, records: usize) {
        if self.pending.fetch_sub(records, Ordering::AcqRel) != records {
            return;
        }
        self.listener.done(self.tag, self.failed.load(Ordering::Relaxed));
        // The last use: this may free the group.
        let keep = self.keep.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(keep);
    }

    /// A record failed.
    pub(crate) fn fail(&self, error: &DeliveryError) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        self.listener.failed(self.tag, error);
        self.complete(1);
    }
}

/// A group that still takes records.
pub struct OpenAckGroup {
    group: Arc<AckGroup>,
}

impl Deref for OpenAckGroup {
    type Target = Arc<AckGroup>;

    fn deref(&self) -> &Arc<AckGroup> {
        &self.group
    }
}

impl Drop for OpenAckGroup {
    /// Seals the group: no more records.
    fn drop(&mut self) {
        self.group.complete(1);
    }
}

//! What the producer's thread tells a task: which groups of records have arrived, and the first failure.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use caisson_kafka::{AckGroup, AckListener, DeliveryError, OpenAckGroup};
use caisson_model::Failure;
use tokio::sync::Notify;

use super::submitted::{Group, Progress};
use crate::errors::{Errors, Tolerance};

/// The state of one group.
#[derive(Debug, Default)]
pub struct Flag(AtomicU8);

const PENDING: u8 = 0;
const WRITTEN: u8 = 1;
/// At least one record has not been delivered, which ends the task.
const FAILED: u8 = 2;
/// At least one record has not been delivered, and is left out.
const LEFT_OUT: u8 = 3;

impl Flag {
    fn set(&self, state: u8) {
        self.0.store(state, Ordering::Release);
    }

    pub fn is_done(&self) -> bool {
        self.0.load(Ordering::Acquire) != PENDING
    }

    pub fn has_failed(&self) -> bool {
        matches!(self.0.load(Ordering::Acquire), FAILED | LEFT_OUT)
    }
}

impl Group for Arc<Flag> {
    fn progress(&self) -> Progress {
        match self.0.load(Ordering::Acquire) {
            PENDING => Progress::Pending,
            FAILED => Progress::Failed,
            _ => Progress::Done,
        }
    }
}

/// Where the producer's thread leaves word.
pub struct Acks {
    /// What a failed delivery means for its group.
    tolerance: Tolerance,
    next_tag: AtomicU64,
    /// The flags of open groups. Held for one look-up, by the task or the producer's thread.
    open: Mutex<HashMap<u64, Arc<Flag>>>,
    /// Failed deliveries that the task has not seen yet, and how many there were beyond those kept.
    failures: Mutex<Vec<DeliveryError>>,
    changed: Notify,
}

/// Failures that are kept word for word between two looks of the task.
const KEPT_FAILURES: usize = 100;

impl Acks {
    pub fn new(tolerance: Tolerance) -> Self {
        Acks {
            tolerance,
            next_tag: AtomicU64::new(0),
            open: Mutex::default(),
            failures: Mutex::default(),
            changed: Notify::new(),
        }
    }

    pub fn open(self: &Arc<Self>) -> (OpenAckGroup, Arc<Flag>) {
        let tag = self.next_tag.fetch_add(1, Ordering::Relaxed);
        let flag = Arc::new(Flag::default());
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(tag, flag.clone());
        (AckGroup::open(self.clone(), tag), flag)
    }

    /// Lets the error policy decide on deliveries that have failed.
    pub fn check(&self, errors: &mut Errors) -> Result<(), Failure> {
        let failures = std::mem::take(&mut *self.failures.lock().unwrap_or_else(PoisonError::into_inner));
        for failure in failures {
            errors.delivery(&failure)?;
        }
        Ok(())
    }

    pub fn has_failures(&self) -> bool {
        !self.failures.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Until a group is done, or for so long.
    pub async fn changed(&self, at_most: Duration) {
        let _ = tokio::time::timeout(at_most, self.changed.notified()).await;
    }
}

impl AckListener for Acks {
    fn failed(&self, _tag: u64, error: &DeliveryError) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() < KEPT_FAILURES {
            failures.push(error.clone());
        }
    }

    fn done(&self, tag: u64, failed: usize) {
        let flag = self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&tag);
        if let Some(flag) = flag {
            flag.set(match (failed, self.tolerance) {
                (0, _) => WRITTEN,
                (_, Tolerance::None) => FAILED,
                (_, Tolerance::All) => LEFT_OUT,
            });
        }
        self.changed.notify_one();
    }
}

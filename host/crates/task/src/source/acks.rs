//! What the producer's thread tells a task: which groups of records have arrived, and the first failure.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use caisson_api::frame::Frame;
use caisson_kafka::{AckGroup, AckListener, DeliveryError, OpenAckGroup};
use caisson_model::{Failure, Tolerance};
use tokio::sync::Notify;

use super::submitted::{Group, Progress};
use crate::errors::{Errors, Origin};
use crate::meters::Meters;

/// The state of one group.
#[derive(Debug, Default)]
pub struct Flag {
    state: AtomicU8,
    /// How many records it has; set before the first is sent.
    records: AtomicU64,
}

const PENDING: u8 = 0;
const WRITTEN: u8 = 1;
/// At least one record has not been delivered, which ends the task.
const FAILED: u8 = 2;
/// At least one record has not been delivered, and is left out.
const LEFT_OUT: u8 = 3;

impl Flag {
    fn set(&self, state: u8) {
        self.state.store(state, Ordering::Release);
    }

    /// So many records belong to it.
    pub fn count(&self, records: u64) {
        self.records.store(records, Ordering::Relaxed);
    }

    pub fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    pub fn is_done(&self) -> bool {
        self.state.load(Ordering::Acquire) != PENDING
    }

    pub fn has_failed(&self) -> bool {
        matches!(self.state.load(Ordering::Acquire), FAILED | LEFT_OUT)
    }
}

impl Group for Arc<Flag> {
    fn progress(&self) -> Progress {
        match self.state.load(Ordering::Acquire) {
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
    meters: Arc<Meters>,
    next_tag: AtomicU64,
    /// The open groups. Held for one look-up, by the task or the producer's thread.
    open: Mutex<HashMap<u64, Open>>,
    /// Failed deliveries that the task has not seen yet. Held to add one and to take them all.
    failures: Mutex<Vec<Undelivered>>,
    changed: Notify,
}

/// A group whose records are on their way.
struct Open {
    flag: Arc<Flag>,
    record: Option<Kept>,
}

/// A polled record that may still be asked for: it goes to the dead letter queue if it is not delivered.
#[derive(Clone)]
pub struct Kept {
    /// The batch as the guest gave it.
    pub batch: Arc<Vec<u8>>,
    pub index: usize,
}

/// A record that did not reach Kafka.
struct Undelivered {
    error: DeliveryError,
    record: Option<Kept>,
}

/// Failures without a record that are kept word for word between two looks of the task.
const KEPT_FAILURES: usize = 100;

impl Acks {
    pub fn new(tolerance: Tolerance, meters: Arc<Meters>) -> Self {
        Acks {
            tolerance,
            meters,
            next_tag: AtomicU64::new(0),
            open: Mutex::default(),
            failures: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// A new group; of one record if that is to be kept.
    pub fn open(self: &Arc<Self>, record: Option<Kept>) -> (OpenAckGroup, Arc<Flag>) {
        let tag = self.next_tag.fetch_add(1, Ordering::Relaxed);
        let flag = Arc::new(Flag::default());
        let group = Open {
            flag: flag.clone(),
            record,
        };
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(tag, group);
        (AckGroup::open(self.clone(), tag), flag)
    }

    /// Lets the error policy decide on deliveries that have failed.
    pub fn check(&self, errors: &mut Errors) -> Result<(), Failure> {
        let failures = std::mem::take(&mut *self.failures.lock().unwrap_or_else(PoisonError::into_inner));
        for Undelivered { error, record } in failures {
            let frame = match &record {
                Some(record) => Frame::parse(&record.batch).ok(),
                None => None,
            };
            let origin = match (&frame, &record) {
                (Some(frame), Some(record)) => Origin::Polled {
                    frame,
                    index: record.index,
                },
                (_, _) => Origin::Unknown,
            };
            errors.delivery(&error, origin)?;
        }
        Ok(())
    }

    /// The first delivery that has failed since the last time, for which no policy is asked.
    pub fn take_failure(&self) -> Option<DeliveryError> {
        let failures = std::mem::take(&mut *self.failures.lock().unwrap_or_else(PoisonError::into_inner));
        failures.into_iter().next().map(|failure| failure.error)
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
    fn failed(&self, tag: u64, error: &DeliveryError) {
        let record = {
            let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.get(&tag).and_then(|group| group.record.clone())
        };
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() < KEPT_FAILURES || record.is_some() {
            let error = error.clone();
            failures.push(Undelivered { error, record });
        }
    }

    fn done(&self, tag: u64, failed: usize) {
        let group = self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&tag);
        if let Some(group) = group {
            let records = group.flag.records();
            self.meters.written(records.saturating_sub(failed as u64));
            self.meters.settled(records);
            group.flag.set(match (failed, self.tolerance) {
                (0, _) => WRITTEN,
                (_, Tolerance::None) => FAILED,
                (_, Tolerance::All) => LEFT_OUT,
            });
        }
        self.changed.notify_one();
    }
}

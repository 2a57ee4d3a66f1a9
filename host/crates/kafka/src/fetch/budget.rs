//! Memory of fetched records: counted while anybody holds it, and used again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// Buffers that are kept for the next answers: what an answer arrives in is not counted, nor are they.
const SPARE: usize = 1;

/// How much is held, and how much may be.
pub(super) struct Budget {
    limit: usize,
    held: AtomicUsize,
    spare: Mutex<Vec<Vec<u8>>>,
    /// Wakes the driver: there is room, or something else has changed.
    changed: Notify,
}

impl Budget {
    pub(super) fn new(limit: usize) -> Budget {
        Budget {
            limit,
            held: AtomicUsize::new(0),
            spare: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// Bytes that may be asked for.
    pub(super) fn room(&self) -> usize {
        self.limit.saturating_sub(self.held.load(Ordering::Relaxed))
    }

    pub(super) fn wake(&self) {
        self.changed.notify_one();
    }

    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn spare(&self) -> std::sync::MutexGuard<'_, Vec<Vec<u8>>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Empty memory for an answer.
    pub(super) fn buffer(&self) -> Vec<u8> {
        self.spare().pop().unwrap_or_default()
    }

    /// Memory that was not used, or is free again.
    pub(super) fn put_back(&self, mut bytes: Vec<u8>) {
        bytes.clear();
        let mut spare = self.spare();
        if spare.len() < SPARE {
            spare.push(bytes);
        }
    }

    /// Nothing comes at the moment: keeps no memory for it.
    pub(super) fn rest(&self) {
        self.spare().clear();
    }

    /// Bytes that count from now until they are dropped.
    pub(super) fn hold(self: &Arc<Self>, bytes: Vec<u8>) -> Arc<Buffer> {
        self.held.fetch_add(bytes.len(), Ordering::Relaxed);
        Arc::new(Buffer {
            bytes,
            budget: self.clone(),
        })
    }
}

/// Bytes that records point into.
pub(super) struct Buffer {
    bytes: Vec<u8>,
    budget: Arc<Budget>,
}

impl Buffer {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.budget.held.fetch_sub(self.bytes.len(), Ordering::Relaxed);
        self.budget.put_back(std::mem::take(&mut self.bytes));
        self.budget.wake();
    }
}

//! Offsets that live as long as the process: for tests, and as the part that the file store shares.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{OffsetEntry, OffsetStore, entries_of};
use crate::{BoxFuture, Error};

/// An offset store in memory.
#[derive(Debug, Default)]
pub struct MemoryOffsetStore {
    /// All pairs. Held for the time of a lookup or an insertion.
    pairs: Mutex<BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl MemoryOffsetStore {
    pub fn new() -> MemoryOffsetStore {
        MemoryOffsetStore::default()
    }

    fn pairs(&self) -> MutexGuard<'_, BTreeMap<Vec<u8>, Vec<u8>>> {
        self.pairs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OffsetStore for MemoryOffsetStore {
    fn get(&self, keys: Vec<Vec<u8>>) -> BoxFuture<'_, Result<Vec<Option<Vec<u8>>>, Error>> {
        Box::pin(async move {
            let pairs = self.pairs();
            Ok(keys.iter().map(|key| pairs.get(key).cloned()).collect())
        })
    }

    fn put(&self, changes: Vec<(Vec<u8>, Option<Vec<u8>>)>) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            apply(&mut self.pairs(), changes);
            Ok(())
        })
    }

    fn entries(&self, connector: &str) -> BoxFuture<'_, Result<Vec<OffsetEntry>, Error>> {
        let entries = entries_of(connector, self.pairs().iter());
        Box::pin(async move { Ok(entries) })
    }
}

pub(super) fn apply(pairs: &mut BTreeMap<Vec<u8>, Vec<u8>>, changes: Vec<(Vec<u8>, Option<Vec<u8>>)>) {
    for (key, value) in changes {
        match value {
            Some(value) => pairs.insert(key, value),
            None => pairs.remove(&key),
        };
    }
}

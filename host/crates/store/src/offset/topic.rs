//! Offsets in the cluster's offsets topic.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::memory::apply;
use super::{OffsetEntry, OffsetKey, OffsetStore, entries_of};
use crate::log::{Discarded, Log, LogReader, LogRecord};
use crate::{BoxFuture, Error};

/// An offset store behind a topic. Reads catch up with the topic first, so they see what other workers wrote.
pub struct TopicOffsetStore {
    reader: Arc<Reader>,
    log: Arc<dyn Log>,
}

struct Reader {
    /// What was read. Held for the time of a lookup, or while a batch is applied.
    pairs: Mutex<BTreeMap<Vec<u8>, Vec<u8>>>,
    discarded: Discarded,
}

impl TopicOffsetStore {
    /// The reader to open the topic with, and what makes the store once it is open. The topic is read by the first
    /// [`TopicOffsetStore::refresh`], if not before.
    pub fn prepare() -> (impl FnOnce(Arc<dyn Log>) -> TopicOffsetStore, Arc<dyn LogReader>) {
        let reader = Arc::new(Reader {
            pairs: Mutex::default(),
            discarded: Discarded::of("offset"),
        });
        let hand: Arc<dyn LogReader> = reader.clone();
        (move |log| TopicOffsetStore { reader, log }, hand)
    }

    /// Catches up with the topic.
    pub async fn refresh(&self) -> Result<(), Error> {
        self.log.read_to_end().await
    }
}

impl Reader {
    fn pairs(&self) -> MutexGuard<'_, BTreeMap<Vec<u8>, Vec<u8>>> {
        self.pairs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LogReader for Reader {
    fn read(&self, records: Vec<LogRecord>) {
        let is_offset = |record: &LogRecord| {
            let known = record.key.as_deref().is_some_and(OffsetKey::is_one);
            if !known {
                self.discarded.note(record, &"its key is none of an offset");
            }
            known
        };
        let keyed = records.into_iter().filter(is_offset);
        let pairs = keyed.filter_map(|record| Some((record.key?, record.value)));
        apply(&mut self.pairs(), pairs.collect());
    }
}

impl OffsetStore for TopicOffsetStore {
    fn get(&self, keys: Vec<Vec<u8>>) -> BoxFuture<'_, Result<Vec<Option<Vec<u8>>>, Error>> {
        Box::pin(async move {
            self.refresh().await?;
            let pairs = self.reader.pairs();
            Ok(keys.iter().map(|key| pairs.get(key).cloned()).collect())
        })
    }

    fn put(&self, changes: Vec<(Vec<u8>, Option<Vec<u8>>)>) -> BoxFuture<'_, Result<(), Error>> {
        if changes.is_empty() {
            return Box::pin(async { Ok(()) });
        }
        self.log.append(changes)
    }

    fn entries(&self, connector: &str) -> BoxFuture<'_, Result<Vec<OffsetEntry>, Error>> {
        let connector = connector.to_owned();
        Box::pin(async move {
            self.refresh().await?;
            Ok(entries_of(&connector, self.reader.pairs().iter()))
        })
    }
}

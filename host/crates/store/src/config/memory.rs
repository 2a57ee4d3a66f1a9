//! Configurations that live as long as the process, as in Kafka Connect's standalone mode.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::state::State;
use super::{ConfigChange, ConfigSnapshot, ConfigStore};
use crate::{BoxFuture, Error};

/// A config store in memory.
#[derive(Debug)]
pub struct MemoryConfigStore {
    /// Held for the time of a copy of the map of pointers.
    state: Mutex<State>,
    published: watch::Sender<Arc<ConfigSnapshot>>,
}

impl Default for MemoryConfigStore {
    fn default() -> Self {
        MemoryConfigStore {
            state: Mutex::default(),
            published: watch::Sender::new(Arc::default()),
        }
    }
}

impl MemoryConfigStore {
    pub fn new() -> MemoryConfigStore {
        MemoryConfigStore::default()
    }
}

impl ConfigStore for MemoryConfigStore {
    fn snapshot(&self) -> Arc<ConfigSnapshot> {
        self.published.borrow().clone()
    }

    fn watch(&self) -> watch::Receiver<Arc<ConfigSnapshot>> {
        self.published.subscribe()
    }

    fn write(&self, change: ConfigChange) -> BoxFuture<'_, Result<(), Error>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for record in change.records().into_iter().flatten() {
            let offset = state.snapshot().offset;
            state.apply(record, offset);
        }
        self.published.send_replace(state.snapshot().clone());
        Box::pin(std::future::ready(Ok(())))
    }

    fn refresh(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn claim(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

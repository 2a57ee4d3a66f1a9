//! Statuses that live as long as the process.

use std::sync::{Mutex, MutexGuard, PoisonError};

use caisson_model::{ConnectorState, TaskId, TaskState};

use super::known::Known;
use super::{Status, StatusStore, TopicUse};
use crate::BoxFuture;

/// A status store in memory.
#[derive(Debug, Default)]
pub struct MemoryStatusStore {
    /// All of it. Held for the time of a lookup or an insertion.
    known: Mutex<Known>,
}

impl MemoryStatusStore {
    pub fn new() -> MemoryStatusStore {
        MemoryStatusStore::default()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StatusStore for MemoryStatusStore {
    fn connector(&self, name: &str) -> Option<Status<ConnectorState>> {
        self.known().connectors.get(name).cloned()
    }

    fn task(&self, id: &TaskId) -> Option<Status<TaskState>> {
        self.known().tasks.get(id).cloned()
    }

    fn connectors(&self) -> Vec<String> {
        self.known().names()
    }

    fn tasks(&self, connector: &str) -> Vec<(u32, Status<TaskState>)> {
        self.known().tasks_of(connector)
    }

    fn put_connector(&self, name: &str, status: Status<ConnectorState>) {
        self.known().connectors.insert(name.to_owned(), status);
    }

    fn put_task(&self, id: &TaskId, status: Status<TaskState>) {
        self.known().tasks.insert(id.clone(), status);
    }

    fn remove_task(&self, id: &TaskId) {
        self.known().tasks.remove(id);
    }

    fn remove_connector(&self, name: &str) {
        let mut known = self.known();
        known.connectors.remove(name);
        known.tasks.retain(|id, _| &*id.connector != name);
    }

    fn put_topic(&self, used: TopicUse) {
        let key = (used.connector.clone(), used.topic.clone());
        self.known().topics.entry(key).or_insert(used);
    }

    fn topics(&self, connector: &str) -> Vec<TopicUse> {
        self.known().topics_of(connector)
    }

    fn remove_topics(&self, connector: &str) {
        self.known().topics.retain(|(name, _), _| name != connector);
    }

    fn settle(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

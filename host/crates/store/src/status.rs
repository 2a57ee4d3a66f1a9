//! What is: the states of connectors and tasks, and the topics that they used.
//!
//! Writes never wait: a status is news, not truth, and the newest one wins. A store behind a broker sends them on in
//! its own time.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use caisson_model::{ConnectorState, TaskId, TaskState};

/// The status of a connector (`S` is [`ConnectorState`]) or of a task ([`TaskState`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status<S> {
    pub state: S,
    /// The REST address of the worker that reports, `host:port`.
    pub worker_id: String,
    /// Why it failed.
    pub trace: Option<String>,
    /// The version of the running plugin; none where its class was never instantiated.
    pub version: Option<String>,
    /// The generation of the group in which the report was made; 0 outside a group.
    pub generation: i32,
}

/// One topic that a connector has used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicUse {
    pub connector: String,
    pub topic: String,
    pub task: u32,
    /// When it was first seen, in milliseconds since 1970.
    pub discovered: u64,
}

/// A place for statuses.
pub trait StatusStore: Send + Sync {
    fn connector(&self, name: &str) -> Option<Status<ConnectorState>>;
    fn task(&self, id: &TaskId) -> Option<Status<TaskState>>;
    /// The statuses of a connector's tasks, by number.
    fn tasks(&self, connector: &str) -> Vec<(u32, Status<TaskState>)>;
    fn put_connector(&self, name: &str, status: Status<ConnectorState>);
    fn put_task(&self, id: &TaskId, status: Status<TaskState>);
    fn remove_task(&self, id: &TaskId);
    /// Removes the status of a connector and those of its tasks.
    fn remove_connector(&self, name: &str);

    /// Keeps the first use of a topic by a connector; later ones change nothing.
    fn put_topic(&self, used: TopicUse);
    /// The topics that a connector has used, in the order of their names.
    fn topics(&self, connector: &str) -> Vec<TopicUse>;
    fn remove_topics(&self, connector: &str);
}

/// Statuses that live as long as the process.
#[derive(Debug, Default)]
pub struct MemoryStatusStore {
    /// All of it. Held for the time of a lookup or an insertion.
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    connectors: BTreeMap<String, Status<ConnectorState>>,
    tasks: BTreeMap<TaskId, Status<TaskState>>,
    /// By connector and topic.
    topics: BTreeMap<(String, String), TopicUse>,
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

    fn tasks(&self, connector: &str) -> Vec<(u32, Status<TaskState>)> {
        let known = self.known();
        let from = known.tasks.range(TaskId::new(connector, 0)..);
        let own = from.take_while(|(id, _)| &*id.connector == connector);
        own.map(|(id, status)| (id.task, status.clone())).collect()
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
        let known = self.known();
        let from = known.topics.range((connector.to_owned(), String::new())..);
        from.take_while(|((name, _), _)| name == connector)
            .map(|(_, used)| used.clone())
            .collect()
    }

    fn remove_topics(&self, connector: &str) {
        self.known().topics.retain(|(name, _), _| name != connector);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status<S>(state: S) -> Status<S> {
        Status {
            state,
            worker_id: "w:8083".to_owned(),
            trace: None,
            version: None,
            generation: 0,
        }
    }

    #[test]
    fn tasks_are_those_of_the_connector_by_number() {
        let store = MemoryStatusStore::new();
        for id in [
            TaskId::new("c", 10),
            TaskId::new("c", 2),
            TaskId::new("c-2", 0),
            TaskId::new("b", 0),
        ] {
            store.put_task(&id, status(TaskState::Running));
        }
        let numbers: Vec<u32> = store.tasks("c").into_iter().map(|(number, _)| number).collect();
        assert_eq!(numbers, [2, 10]);
    }

    #[test]
    fn removing_a_connector_removes_its_tasks() {
        let store = MemoryStatusStore::new();
        store.put_connector("c", status(ConnectorState::Running));
        store.put_task(&TaskId::new("c", 0), status(TaskState::Running));
        store.put_task(&TaskId::new("d", 0), status(TaskState::Running));
        store.remove_connector("c");
        assert_eq!(store.connector("c"), None);
        assert!(store.tasks("c").is_empty());
        assert_eq!(store.tasks("d").len(), 1);
    }

    #[test]
    fn first_use_of_a_topic_is_kept_until_reset() {
        let store = MemoryStatusStore::new();
        let used = |task| TopicUse {
            connector: "c".to_owned(),
            topic: "t".to_owned(),
            task,
            discovered: 5,
        };
        store.put_topic(used(0));
        store.put_topic(used(1));
        assert_eq!(store.topics("c"), [used(0)]);
        store.remove_topics("c");
        assert!(store.topics("c").is_empty());
    }
}

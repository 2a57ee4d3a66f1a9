//! What the operator asked for: connectors, their target states, and the task configurations made from them.
//!
//! Reads come from a snapshot in memory, whatever keeps the truth; writes are asynchronous, since a cluster's truth is
//! a topic.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use caisson_model::TargetState;

use crate::{BoxFuture, Error};

/// A flat configuration. Kafka Connect lets null values pass where a key has a definition, so they are kept.
pub type Config = BTreeMap<String, Option<String>>;

/// One connector as configured.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectorEntry {
    pub config: Arc<Config>,
    pub target: TargetState,
    /// The task configurations that are valid now, by task number; empty until they were made, and while stopped.
    pub tasks: Vec<Arc<Config>>,
    /// Counts changes of this connector's configuration; unlike its content it never repeats within one process.
    pub revision: u64,
    /// Counts changes of the set of task configurations, in the same way.
    pub task_revision: u64,
}

/// All connectors at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConfigSnapshot {
    connectors: BTreeMap<Arc<str>, Arc<ConnectorEntry>>,
}

impl ConfigSnapshot {
    pub fn get(&self, name: &str) -> Option<&Arc<ConnectorEntry>> {
        self.connectors.get(name)
    }

    pub fn contains(&self, name: &str) -> bool {
        self.connectors.contains_key(name)
    }

    pub fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.connectors.keys()
    }
}

/// A place for configurations.
pub trait ConfigStore: Send + Sync {
    /// The newest state that this worker knows.
    fn snapshot(&self) -> Arc<ConfigSnapshot>;

    /// Creates or replaces a connector's configuration. Without a target state, an existing one stays, and a new
    /// connector is to be started.
    fn put_connector(
        &self,
        name: &str,
        config: Config,
        target: Option<TargetState>,
    ) -> BoxFuture<'_, Result<(), Error>>;

    /// Removes a connector with its target state and tasks.
    fn remove_connector(&self, name: &str) -> BoxFuture<'_, Result<(), Error>>;

    /// Replaces the whole set of task configurations of a connector.
    fn put_tasks(&self, name: &str, tasks: Vec<Config>) -> BoxFuture<'_, Result<(), Error>>;

    fn put_target(&self, name: &str, target: TargetState) -> BoxFuture<'_, Result<(), Error>>;
}

/// Configurations that live as long as the process, as in Kafka Connect's standalone mode.
#[derive(Debug, Default)]
pub struct MemoryConfigStore {
    /// The state and the number of changes so far. Held for the time of a copy of the map of pointers.
    state: Mutex<(Arc<ConfigSnapshot>, u64)>,
}

impl MemoryConfigStore {
    pub fn new() -> MemoryConfigStore {
        MemoryConfigStore::default()
    }

    /// Replaces one entry by what `change` makes of it; `None` from `change` removes it.
    fn change<F>(&self, name: &str, change: F) -> Result<(), Error>
    where
        F: FnOnce(Option<&ConnectorEntry>, u64) -> Result<Option<ConnectorEntry>, Error>,
    {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (snapshot, changes) = &mut *state;
        let entry = change(snapshot.get(name).map(Arc::as_ref), *changes + 1)?;
        *changes += 1;
        let connectors = &mut Arc::make_mut(snapshot).connectors;
        match entry {
            Some(entry) => connectors.insert(name.into(), Arc::new(entry)),
            None => connectors.remove(name),
        };
        Ok(())
    }
}

fn existing(entry: Option<&ConnectorEntry>, name: &str) -> Result<ConnectorEntry, Error> {
    entry.cloned().ok_or_else(|| Error::UnknownConnector(name.to_owned()))
}

fn ready<'a>(outcome: Result<(), Error>) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(std::future::ready(outcome))
}

impl ConfigStore for MemoryConfigStore {
    fn snapshot(&self) -> Arc<ConfigSnapshot> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    fn put_connector(
        &self,
        name: &str,
        config: Config,
        target: Option<TargetState>,
    ) -> BoxFuture<'_, Result<(), Error>> {
        ready(self.change(name, |entry, revision| {
            let config = Arc::new(config);
            Ok(Some(match entry.cloned() {
                Some(entry) => ConnectorEntry {
                    config,
                    target: target.unwrap_or(entry.target),
                    revision,
                    ..entry
                },
                None => ConnectorEntry {
                    config,
                    target: target.unwrap_or_default(),
                    tasks: Vec::new(),
                    revision,
                    task_revision: revision,
                },
            }))
        }))
    }

    fn remove_connector(&self, name: &str) -> BoxFuture<'_, Result<(), Error>> {
        ready(self.change(name, |entry, _| existing(entry, name).map(|_| None)))
    }

    fn put_tasks(&self, name: &str, tasks: Vec<Config>) -> BoxFuture<'_, Result<(), Error>> {
        ready(self.change(name, |entry, task_revision| {
            let tasks = tasks.into_iter().map(Arc::new).collect();
            Ok(Some(ConnectorEntry {
                tasks,
                task_revision,
                ..existing(entry, name)?
            }))
        }))
    }

    fn put_target(&self, name: &str, target: TargetState) -> BoxFuture<'_, Result<(), Error>> {
        ready(self.change(name, |entry, _| {
            Ok(Some(ConnectorEntry {
                target,
                ..existing(entry, name)?
            }))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(value: &str) -> Config {
        Config::from([("a".to_owned(), Some(value.to_owned()))])
    }

    #[tokio::test]
    async fn replacing_a_config_keeps_target_and_tasks() {
        let store = MemoryConfigStore::new();
        store
            .put_connector("c", config("1"), Some(TargetState::Paused))
            .await
            .unwrap();
        store.put_tasks("c", vec![config("t")]).await.unwrap();
        let before = store.snapshot();
        store.put_connector("c", config("2"), None).await.unwrap();
        let after = store.snapshot();
        let entry = after.get("c").unwrap();
        assert_eq!((entry.target, entry.tasks.len()), (TargetState::Paused, 1));
        assert_eq!(*entry.config, config("2"));
        assert!(entry.revision > before.get("c").unwrap().revision);
        assert_eq!(
            *before.get("c").unwrap().config,
            config("1"),
            "a snapshot never changes"
        );
    }

    #[tokio::test]
    async fn what_was_removed_is_unknown() {
        let store = MemoryConfigStore::new();
        store.put_connector("c", config("1"), None).await.unwrap();
        store.remove_connector("c").await.unwrap();
        assert!(!store.snapshot().contains("c"));
        assert!(matches!(
            store.put_target("c", TargetState::Stopped).await,
            Err(Error::UnknownConnector(_))
        ));
        assert!(matches!(
            store.put_tasks("c", Vec::new()).await,
            Err(Error::UnknownConnector(_))
        ));
        assert!(matches!(
            store.remove_connector("c").await,
            Err(Error::UnknownConnector(_))
        ));
    }
}

//! What a sequence of records comes to: Kafka Connect's rules for readers of the config topic.

use std::collections::BTreeMap;
use std::sync::Arc;

use caisson_model::TargetState;

use super::{Config, ConfigChange, ConfigRecord, ConfigSnapshot, ConnectorEntry, Fencing, LevelWish, RestartWish};

/// The state that records so far have made.
#[derive(Clone, Debug, Default)]
pub struct State {
    snapshot: Arc<ConfigSnapshot>,
    /// Also of connectors whose configuration has yet to come, or is gone.
    targets: BTreeMap<Arc<str>, TargetState>,
    /// Also of connectors that are gone: their producers may outlive them.
    fencing: BTreeMap<Arc<str>, Fencing>,
    /// Task configurations that no commit has put into effect yet.
    uncommitted: BTreeMap<Arc<str>, BTreeMap<u32, Arc<Config>>>,
}

impl State {
    pub fn snapshot(&self) -> &Arc<ConfigSnapshot> {
        &self.snapshot
    }

    /// Notes that everything before this offset was read, whether or not it could be used.
    pub fn advance(&mut self, next: i64) {
        if self.snapshot.offset < next {
            Arc::make_mut(&mut self.snapshot).offset = next;
        }
    }

    /// Applies the record at this offset.
    pub fn apply(&mut self, record: ConfigRecord, offset: i64) {
        self.advance(offset + 1);
        let revision = u64::try_from(offset).unwrap_or(0);
        match record {
            ConfigRecord::Connector {
                name,
                config: Some(config),
            } => self.put_connector(name, config, revision),
            ConfigRecord::Connector { name, config: None } => {
                self.uncommitted.remove(&name);
                let snapshot = self.change();
                snapshot.connectors.remove(&name);
                snapshot.restarts.remove(&name);
            }
            ConfigRecord::Task { id, config } => {
                let tasks = self.uncommitted.entry(id.connector).or_default();
                tasks.insert(id.task, Arc::new(config));
            }
            ConfigRecord::Commit { name, tasks } => self.commit(&name, tasks, revision),
            ConfigRecord::TargetState { name, target } => {
                match target {
                    Some(target) => self.targets.insert(name.clone(), target),
                    None => self.targets.remove(&name),
                };
                self.entry(&name, |entry| {
                    let target = target.unwrap_or_default();
                    if target == TargetState::Started && entry.target != target {
                        entry.resumed = revision;
                    }
                    entry.target = target;
                });
            }
            ConfigRecord::TaskCount { name, tasks } => {
                let fencing = Fencing {
                    pending: false,
                    tasks: Some(tasks),
                };
                self.fencing.insert(name.clone(), fencing);
                self.entry(&name, |entry| entry.fencing = fencing);
            }
            ConfigRecord::SessionKey(key) => self.change().session_key = Some(Arc::new(key)),
            ConfigRecord::Restart {
                name,
                only_failed,
                include_tasks,
            } => {
                let wish = RestartWish {
                    revision,
                    only_failed,
                    include_tasks,
                };
                self.change().restarts.insert(name, wish);
            }
            ConfigRecord::Level { logger, level } => {
                self.change().levels.insert(logger, LevelWish { revision, level });
            }
            ConfigRecord::Nothing => {}
        }
    }

    fn put_connector(&mut self, name: Arc<str>, config: Config, revision: u64) {
        let target = self.targets.get(&name).copied().unwrap_or_default();
        let fencing = self.fencing.get(&name).copied().unwrap_or_default();
        let config = Arc::new(config);
        let entry = match self.snapshot.get(&name) {
            Some(entry) => ConnectorEntry {
                config,
                revision,
                ..ConnectorEntry::clone(entry)
            },
            None => ConnectorEntry {
                config,
                target,
                tasks: Vec::new(),
                most_tasks: 0,
                revision,
                task_revision: revision,
                resumed: 0,
                made_from: None,
                fencing,
            },
        };
        self.change().connectors.insert(name, Arc::new(entry));
    }

    /// Puts the task configurations before it into effect. Compaction may have taken some of them away, if they were
    /// written anew later; then there are none until the commit that comes for those. It may also have left some of
    /// higher numbers, which are nothing any more.
    fn commit(&mut self, name: &Arc<str>, tasks: u32, revision: u64) {
        let mut written = self.uncommitted.remove(name).unwrap_or_default();
        let complete: Vec<Arc<Config>> = (0..tasks).map_while(|number| written.remove(&number)).collect();
        if !self.snapshot.contains(name) {
            return;
        }
        let fencing = self.fencing.entry(name.clone()).or_default();
        fencing.pending = true;
        let fencing = *fencing;
        let consistent = complete.len() == tasks as usize;
        if !consistent {
            tracing::debug!(connector = %name, tasks, "a commit of task configurations that are not all there");
        }
        self.entry(name, |entry| {
            entry.task_revision = revision;
            entry.fencing = fencing;
            if consistent {
                entry.tasks = complete;
                entry.most_tasks = entry.most_tasks.max(tasks);
                entry.made_from = Some(entry.config.clone());
            } else {
                entry.tasks = Vec::new();
            }
        });
    }

    fn entry(&mut self, name: &str, change: impl FnOnce(&mut ConnectorEntry)) {
        if let Some(entry) = self.change().connectors.get_mut(name) {
            change(Arc::make_mut(entry));
        }
    }

    fn change(&mut self) -> &mut ConfigSnapshot {
        Arc::make_mut(&mut self.snapshot)
    }
}

impl ConfigChange {
    /// The records that a change consists of, in groups: each group is written after the one before it was read back.
    pub fn records(self) -> Vec<Vec<ConfigRecord>> {
        match self {
            ConfigChange::PutConnector { name, config, target } => {
                let target = target.map(|target| ConfigRecord::TargetState {
                    name: name.clone(),
                    target: Some(target),
                });
                let connector = ConfigRecord::Connector {
                    name,
                    config: Some(config),
                };
                vec![target.into_iter().chain([connector]).collect()]
            }
            ConfigChange::RemoveConnector { name } => {
                let connector = ConfigRecord::Connector {
                    name: name.clone(),
                    config: None,
                };
                vec![vec![connector, ConfigRecord::TargetState { name, target: None }]]
            }
            ConfigChange::StopConnector { name } => vec![vec![
                ConfigRecord::Commit {
                    name: name.clone(),
                    tasks: 0,
                },
                ConfigRecord::TargetState {
                    name,
                    target: Some(TargetState::Stopped),
                },
            ]],
            ConfigChange::PutTasks { name, tasks } => {
                let commit = ConfigRecord::Commit {
                    name: name.clone(),
                    tasks: u32::try_from(tasks.len()).unwrap_or(u32::MAX),
                };
                let task = |(number, config)| ConfigRecord::Task {
                    id: caisson_model::TaskId::new(name.clone(), number),
                    config,
                };
                vec![(0..).zip(tasks).map(task).collect(), vec![commit]]
            }
            ConfigChange::PutTarget { name, target } => vec![vec![ConfigRecord::TargetState {
                name,
                target: Some(target),
            }]],
            ConfigChange::PutTaskCount { name, tasks } => vec![vec![ConfigRecord::TaskCount { name, tasks }]],
            ConfigChange::PutSessionKey(key) => vec![vec![ConfigRecord::SessionKey(key)]],
            ConfigChange::Restart {
                name,
                only_failed,
                include_tasks,
            } => vec![vec![ConfigRecord::Restart {
                name,
                only_failed,
                include_tasks,
            }]],
            ConfigChange::PutLevel { logger, level } => vec![vec![ConfigRecord::Level { logger, level }]],
        }
    }
}

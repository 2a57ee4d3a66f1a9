//! What may be asked of a standalone herder. Answers are those of Kafka Connect's distributed mode wherever they make
//! sense for a single worker: its standalone mode waits for connectors to start before it answers, and meets some
//! unknown names with an internal error, and nobody gains from either.

mod connectors;
mod restart;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use caisson_model::{TargetState, TaskId};
use caisson_store::{BoxFuture, Config, ConnectorEntry};

use super::driver::{Command, OffsetCommand};
use super::{Shared, StandaloneHerder};
use crate::herder::{Herder, Replace, RequestSignature, RestartRequest};
use crate::info::{
    ClusterInfo, ConnectorInfo, ConnectorStatus, Created, Health, PluginInfo, Stage, TaskInfo, TaskStatus,
};
use crate::loggers::{Level, LoggerLevel, Scope};
use crate::offsets::{self, ConnectorOffset, OffsetChanges, OffsetOutcome};
use crate::validation::{ConfigInfos, ConfigKeyInfo};
use crate::{ConnectorKind, Error};

const CONNECTOR_CLASS: &str = "connector.class";

/// How many tasks a connector may have.
pub struct TasksMax {
    pub tasks: u32,
    pub enforced: bool,
}

/// Reads `tasks.max` and `tasks.max.enforce` of a validated configuration.
pub fn tasks_max(config: &Config) -> TasksMax {
    let value = |key: &str| config.get(key).and_then(Option::as_deref).map(str::trim);
    TasksMax {
        tasks: value("tasks.max").and_then(|text| text.parse().ok()).unwrap_or(1),
        enforced: !value("tasks.max.enforce").is_some_and(|text| text.eq_ignore_ascii_case("false")),
    }
}

/// The refusal to change offsets of a connector that may run.
pub fn not_stopped(name: &str) -> Error {
    Error::BadRequest(format!(
        "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified connector by issuing a 'PUT' request to the '/connectors/{name}/stop' endpoint"
    ))
}

impl Shared {
    fn entry(&self, name: &str) -> Option<Arc<ConnectorEntry>> {
        self.configs.snapshot().get(name).cloned()
    }

    fn existing(&self, name: &str) -> Result<Arc<ConnectorEntry>, Error> {
        self.entry(name).ok_or_else(|| Error::connector_not_found(name))
    }

    /// As [`Shared::existing`], with the text for restarts.
    fn known(&self, name: &str) -> Result<Arc<ConnectorEntry>, Error> {
        self.entry(name)
            .ok_or_else(|| Error::NotFound(format!("Unknown connector: {name}")))
    }

    fn kind(&self, config: &Config) -> Option<ConnectorKind> {
        let class = config.get(CONNECTOR_CLASS)?.as_deref()?;
        self.worker.connector_kind(class)
    }

    fn info(&self, name: &str, entry: &ConnectorEntry) -> ConnectorInfo {
        let name: Arc<str> = name.into();
        ConnectorInfo {
            name: name.to_string(),
            config: entry.config.clone(),
            tasks: (0..entry.tasks.len() as u32)
                .map(|number| TaskId::new(name.clone(), number))
                .collect(),
            kind: self.kind(&entry.config),
        }
    }

    fn status_of(&self, name: &str) -> Option<ConnectorStatus> {
        let connector = self.statuses.connector(name)?;
        let tasks = self.statuses.tasks(name);
        let tasks = tasks
            .into_iter()
            .map(|(number, status)| TaskStatus { number, status })
            .collect();
        let kind = self.entry(name).and_then(|entry| self.kind(&entry.config));
        Some(ConnectorStatus {
            name: name.to_owned(),
            connector,
            tasks,
            kind,
        })
    }
}

impl StandaloneHerder {
    /// Checks that offsets of a connector may be changed, and has its driver do it.
    async fn change_offsets(
        &self,
        name: &str,
        change: impl FnOnce(ConnectorKind) -> Result<OffsetCommand, Error>,
    ) -> Result<OffsetOutcome, Error> {
        let entry = self.shared.existing(name)?;
        if entry.target != TargetState::Stopped || !entry.tasks.is_empty() {
            return Err(not_stopped(name));
        }
        let kind = self.shared.kind(&entry.config).ok_or_else(|| {
            let class = entry.config.get(CONNECTOR_CLASS).cloned().flatten().unwrap_or_default();
            Error::Other(format!(
                "Cannot change the offsets of connector {name}: its class {class} is not installed"
            ))
        })?;
        let change = change(kind)?;
        self.shared
            .ask(name, |reply| Command::Offsets { change, reply })
            .await?
    }
}

impl Herder for StandaloneHerder {
    fn cluster_info(&self) -> ClusterInfo {
        ClusterInfo {
            version: self.shared.options.version.clone(),
            commit: self.shared.options.commit.clone(),
            kafka_cluster_id: self.shared.worker.kafka_cluster_id(),
        }
    }

    fn health(&self) -> Health {
        if self.shared.ready.load(Ordering::Acquire) {
            Health::Ready
        } else {
            Health::Starting
        }
    }

    fn stage(&self) -> Option<Stage> {
        None
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async {
            drop(self.changes.lock().await);
            Ok(())
        })
    }

    fn connectors(&self) -> BoxFuture<'_, Result<Vec<Arc<str>>, Error>> {
        let names = self.shared.configs.snapshot().names().cloned().collect();
        Box::pin(async { Ok(names) })
    }

    fn connector_info<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<ConnectorInfo, Error>> {
        Box::pin(async { Ok(self.shared.info(name, &*self.shared.existing(name)?)) })
    }

    fn connector_config<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Arc<Config>, Error>> {
        Box::pin(async { Ok(self.shared.existing(name)?.config.clone()) })
    }

    fn connector_status(&self, name: &str) -> Result<ConnectorStatus, Error> {
        let missing = || Error::NotFound(format!("No status found for connector {name}"));
        self.shared.status_of(name).ok_or_else(missing)
    }

    fn task_infos<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<TaskInfo>, Error>> {
        Box::pin(async {
            let entry = self.shared.existing(name)?;
            let name: Arc<str> = name.into();
            let info = |(number, config): (u32, &Arc<Config>)| TaskInfo {
                id: TaskId::new(name.clone(), number),
                config: config.clone(),
            };
            Ok((0..).zip(&entry.tasks).map(info).collect())
        })
    }

    fn task_status(&self, name: &str, task: i32) -> Result<TaskStatus, Error> {
        let number = u32::try_from(task).ok();
        let status = number.and_then(|number| {
            let status = self.shared.statuses.task(&TaskId::new(name, number))?;
            Some(TaskStatus { number, status })
        });
        status.ok_or_else(|| Error::NotFound(format!("No status found for task {name}-{task}")))
    }

    fn put_connector<'a>(
        &'a self,
        name: &'a str,
        config: Config,
        target: Option<TargetState>,
        replace: Replace,
    ) -> BoxFuture<'a, Result<Created, Error>> {
        Box::pin(self.put(name, config, target, replace))
    }

    fn patch_connector<'a>(
        &'a self,
        name: &'a str,
        changes: BTreeMap<String, Option<String>>,
    ) -> BoxFuture<'a, Result<ConnectorInfo, Error>> {
        Box::pin(self.patch(name, changes))
    }

    fn delete_connector<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.delete(name))
    }

    fn pause_connector<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.set_target(name, TargetState::Paused))
    }

    fn resume_connector<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.set_target(name, TargetState::Started))
    }

    fn stop_connector<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.stop(name))
    }

    fn restart_connector<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.restart_only_connector(name))
    }

    fn restart_connector_and_tasks(&self, request: RestartRequest) -> BoxFuture<'_, Result<ConnectorStatus, Error>> {
        Box::pin(self.restart_parts(request))
    }

    fn restart_task<'a>(&'a self, name: &'a str, task: i32) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.restart_one_task(name, task))
    }

    fn topics(&self, name: &str) -> Result<Vec<String>, Error> {
        if !self.shared.options.topic_tracking {
            return Err(Error::Forbidden("Topic tracking is disabled.".to_owned()));
        }
        Ok(self
            .shared
            .statuses
            .topics(name)
            .into_iter()
            .map(|used| used.topic)
            .collect())
    }

    fn reset_topics(&self, name: &str) -> Result<(), Error> {
        if !self.shared.options.topic_tracking {
            return Err(Error::Forbidden("Topic tracking is disabled.".to_owned()));
        }
        if !self.shared.options.topic_tracking_reset {
            return Err(Error::Forbidden("Topic tracking reset is disabled.".to_owned()));
        }
        self.shared.statuses.remove_topics(name);
        Ok(())
    }

    fn offsets<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<ConnectorOffset>, Error>> {
        Box::pin(async {
            let entry = self.shared.existing(name)?;
            self.shared.worker.offsets(name, entry.config.clone()).await
        })
    }

    fn alter_offsets<'a>(
        &'a self,
        name: &'a str,
        offsets: Vec<ConnectorOffset>,
    ) -> BoxFuture<'a, Result<OffsetOutcome, Error>> {
        let changes = move |kind: ConnectorKind| {
            let offsets = offsets::without_repeats(offsets);
            Ok(OffsetCommand::Alter(match kind {
                ConnectorKind::Source => OffsetChanges::Source(offsets),
                ConnectorKind::Sink => offsets::sink_changes(name, &offsets)?,
            }))
        };
        Box::pin(self.change_offsets(name, changes))
    }

    fn reset_offsets<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<OffsetOutcome, Error>> {
        Box::pin(self.change_offsets(name, |_| Ok(OffsetCommand::Reset)))
    }

    fn plugins(&self) -> Vec<PluginInfo> {
        self.shared.worker.plugins()
    }

    fn plugin_keys(&self, class: &str, version: Option<&str>) -> Result<Vec<ConfigKeyInfo>, Error> {
        self.shared.worker.plugin_keys(class, version)
    }

    fn validate(&self, config: Config) -> BoxFuture<'_, Result<ConfigInfos, Error>> {
        self.shared.worker.validate(config)
    }

    fn loggers(&self) -> BTreeMap<String, LoggerLevel> {
        self.shared.loggers.all()
    }

    fn logger(&self, name: &str) -> Result<LoggerLevel, Error> {
        self.shared.loggers.get(name)
    }

    fn set_logger<'a>(
        &'a self,
        name: &'a str,
        level: Level,
        scope: Scope,
    ) -> BoxFuture<'a, Result<Option<Vec<String>>, Error>> {
        // A cluster of one: the scopes differ in the answer alone.
        let outcome = self.shared.loggers.set(name, level).map(|names| match scope {
            Scope::Worker => Some(names),
            Scope::Cluster => None,
        });
        Box::pin(async { outcome })
    }

    fn put_task_configs<'a>(
        &'a self,
        _name: &'a str,
        _configs: Vec<Config>,
        _signature: Option<RequestSignature>,
    ) -> BoxFuture<'a, Result<(), Error>> {
        let text = "Kafka Connect in standalone mode does not support externally setting task configurations.";
        Box::pin(async { Err(Error::Other(text.to_owned())) })
    }

    fn fence_zombies<'a>(
        &'a self,
        _name: &'a str,
        _signature: Option<RequestSignature>,
    ) -> BoxFuture<'a, Result<(), Error>> {
        let text = "Kafka Connect in standalone mode does not support exactly-once source connectors.";
        Box::pin(async { Err(Error::Other(text.to_owned())) })
    }
}

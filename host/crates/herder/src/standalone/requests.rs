//! What may be asked of a standalone herder. Answers are those of Kafka Connect's distributed mode wherever they make
//! sense for a single worker: its standalone mode waits for connectors to start before it answers, and meets some
//! unknown names with an internal error, and nobody gains from either.

mod connectors;
mod restart;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use caisson_model::preview::{Preview, PreviewRequest};
use caisson_model::{Metric, TargetState};
use caisson_store::{BoxFuture, Config};

use super::StandaloneHerder;
use crate::Error;
use crate::herder::{Herder, Replace, RequestSignature, RestartRequest};
use crate::info::{
    ClusterInfo, ConnectorInfo, ConnectorStatus, Created, Health, PluginInfo, Stage, TaskInfo, TaskStatus,
};
use crate::loggers::{Level, LoggerLevel, Scope};
use crate::modules::Modules;
use crate::node::OffsetRequest;
use crate::offsets::{ConnectorOffset, OffsetOutcome};
use crate::validation::{ConfigInfos, ConfigKeyInfo};

impl StandaloneHerder {
    async fn change_offsets(&self, name: &str, request: OffsetRequest) -> Result<OffsetOutcome, Error> {
        let command = self.node.offset_command(name, request)?;
        self.node.change_offsets(name, command).await
    }
}

impl Herder for StandaloneHerder {
    fn cluster_info(&self) -> ClusterInfo {
        ClusterInfo {
            version: self.options.version.clone(),
            commit: self.options.commit.clone(),
            kafka_cluster_id: self.node.worker().kafka_cluster_id(),
        }
    }

    fn health(&self) -> Health {
        if self.ready.load(Ordering::Acquire) {
            Health::Ready
        } else {
            Health::Starting
        }
    }

    fn stage(&self) -> Option<Stage> {
        None
    }

    fn metrics(&self) -> Vec<Metric> {
        self.node.metrics()
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async {
            drop(self.changes.lock().await);
            Ok(())
        })
    }

    fn connectors(&self) -> BoxFuture<'_, Result<Vec<Arc<str>>, Error>> {
        let names = self.node.names();
        Box::pin(async { Ok(names) })
    }

    fn connector_info<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<ConnectorInfo, Error>> {
        Box::pin(async { self.node.info(name) })
    }

    fn connector_config<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Arc<Config>, Error>> {
        Box::pin(async { self.node.config(name) })
    }

    fn connector_status(&self, name: &str) -> Result<ConnectorStatus, Error> {
        let missing = || Error::NotFound(format!("No status found for connector {name}"));
        self.node.status_of(name).ok_or_else(missing)
    }

    fn task_infos<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<TaskInfo>, Error>> {
        Box::pin(async { self.node.task_infos(name) })
    }

    fn task_status(&self, name: &str, task: i32) -> Result<TaskStatus, Error> {
        self.node.task_status(name, task)
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
        self.node.topics(name)
    }

    fn reset_topics(&self, name: &str) -> Result<(), Error> {
        self.node.reset_topics(name)
    }

    fn offsets<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<ConnectorOffset>, Error>> {
        Box::pin(async {
            let config = self.node.config(name)?;
            self.node.worker().offsets(name, config).await
        })
    }

    fn alter_offsets<'a>(
        &'a self,
        name: &'a str,
        offsets: Vec<ConnectorOffset>,
    ) -> BoxFuture<'a, Result<OffsetOutcome, Error>> {
        Box::pin(self.change_offsets(name, OffsetRequest::Alter(offsets)))
    }

    fn reset_offsets<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<OffsetOutcome, Error>> {
        Box::pin(self.change_offsets(name, OffsetRequest::Reset))
    }

    fn plugins(&self) -> Vec<PluginInfo> {
        self.node.worker().plugins()
    }

    fn plugin_keys(&self, class: &str, version: Option<&str>) -> Result<Vec<ConfigKeyInfo>, Error> {
        self.node.worker().plugin_keys(class, version)
    }

    fn validate(&self, config: Config) -> BoxFuture<'_, Result<ConfigInfos, Error>> {
        self.node.worker().validate(config)
    }

    fn preview(&self, request: PreviewRequest) -> BoxFuture<'_, Result<Preview, Error>> {
        self.node.worker().preview(request)
    }

    fn modules(&self) -> Option<Arc<dyn Modules>> {
        self.modules.clone()
    }

    fn loggers(&self) -> BTreeMap<String, LoggerLevel> {
        self.loggers.all()
    }

    fn logger(&self, name: &str) -> Result<LoggerLevel, Error> {
        self.loggers.get(name)
    }

    fn set_logger<'a>(
        &'a self,
        name: &'a str,
        level: Level,
        scope: Scope,
    ) -> BoxFuture<'a, Result<Option<Vec<String>>, Error>> {
        // A cluster of one: the scopes differ in the answer alone.
        let outcome = self.loggers.set(name, level).map(|names| match scope {
            Scope::Worker => Some(names),
            Scope::Cluster => None,
        });
        Box::pin(async { outcome })
    }

    fn put_task_configs<'a>(
        &'a self,
        _name: &'a str,
        _configs: Vec<Config>,
        _made_from: Option<u64>,
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

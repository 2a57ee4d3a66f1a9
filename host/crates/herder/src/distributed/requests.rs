//! What may be asked of a member of a cluster. Answers about what is come from what this worker knows; changes go to the
//! leader, one after the other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use caisson_model::preview::{Preview, PreviewRequest};
use caisson_model::{Metric, TargetState};
use caisson_store::{BoxFuture, Config, ConfigChange};

use super::DistributedHerder;
use super::core::{Reply, Request};
use crate::Error;
use crate::herder::{Herder, Replace, RequestSignature, RestartRequest};
use crate::info::{
    ClusterInfo, ConnectorInfo, ConnectorKind, ConnectorStatus, Created, Health, PluginInfo, Stage, TaskInfo,
    TaskStatus,
};
use crate::loggers::{Level, LoggerLevel, Scope};
use crate::modules::Modules;
use crate::node::OffsetRequest;
use crate::offsets::{ConnectorOffset, OffsetOutcome};
use crate::validation::{ConfigInfos, ConfigKeyInfo};

/// How long an answer waits for what was asked to be done.
const TAKES_EFFECT_WITHIN: Duration = Duration::from_secs(1);

impl DistributedHerder {
    async fn put(
        &self,
        name: &str,
        config: Config,
        target: Option<TargetState>,
        replace: Replace,
    ) -> Result<Created, Error> {
        if self.shared.node.entry(name).is_some() {
            self.take_effect(name).await;
        }
        self.shared.node.refuse_invalid(&config).await?;
        let request = Request::PutConnector {
            name: name.into(),
            config,
            target,
            replace,
            based_on: None,
        };
        let reply = self.shared.request(request).await?;
        let info = self.shared.node.info(name)?;
        if reply != Reply::Created {
            self.take_effect(name).await;
        }
        Ok(match reply {
            Reply::Created => Created::New(info),
            Reply::Done | Reply::Here | Reply::Outdated => Created::Replaced(info),
        })
    }

    /// Waits a while for what was asked of a connector before to be done, if it runs here: who changes it counts on that from
    /// the answer on, and what is asked next finds it done. Kafka Connect does one thing after the other, too.
    async fn take_effect(&self, name: &str) {
        let done = async {
            // Comes back when no round is under way.
            let _ = self.shared.request(Request::Ping).await;
            self.shared.node.settle(name).await;
            self.shared.node.drain_events();
        };
        let _ = tokio::time::timeout(TAKES_EFFECT_WITHIN, done).await;
    }

    /// Where another change comes between reading a configuration and writing it, it is read again.
    async fn patch(&self, name: &str, changes: BTreeMap<String, Option<String>>) -> Result<ConnectorInfo, Error> {
        self.take_effect(name).await;
        loop {
            self.shared.request(Request::Lead).await?;
            let entry = self.shared.node.existing(name)?;
            let mut config = Config::clone(&entry.config);
            for (key, value) in &changes {
                match value {
                    Some(value) => config.insert(key.clone(), Some(value.clone())),
                    None => config.remove(key),
                };
            }
            self.shared.node.refuse_invalid(&config).await?;
            let request = Request::PutConnector {
                name: name.into(),
                config,
                target: None,
                replace: Replace::Allowed,
                based_on: Some(entry.revision),
            };
            if self.shared.request(request).await? != Reply::Outdated {
                let info = self.shared.node.info(name)?;
                self.take_effect(name).await;
                return Ok(info);
            }
        }
    }

    /// Any worker may write what the operator wants a connector to be.
    async fn set_target(&self, name: &str, target: TargetState) -> Result<(), Error> {
        let node = &self.shared.node;
        node.entry(name).ok_or_else(|| Error::unknown_connector(name))?;
        let name = name.into();
        Ok(node.configs().write(ConfigChange::PutTarget { name, target }).await?)
    }

    async fn restart_parts(&self, request: RestartRequest) -> Result<ConnectorStatus, Error> {
        // As it is before: it may have begun when the request is done.
        self.show().await;
        let selected = self.shared.node.select(&request);
        self.shared.request(Request::Restart(request)).await?;
        self.show().await;
        Ok(selected?.status)
    }

    /// Waits a while for what this worker has reported to be visible.
    async fn show(&self) {
        let shown = self.shared.node.statuses().settle();
        let _ = tokio::time::timeout(TAKES_EFFECT_WITHIN, shown).await;
    }

    async fn change_offsets(&self, name: &str, request: OffsetRequest) -> Result<OffsetOutcome, Error> {
        let node = &self.shared.node;
        self.shared.request(Request::Lead).await?;
        node.configs().refresh().await.map_err(|error| {
            tracing::warn!(%error, "the config topic cannot be read to its end");
            Error::Other("Failed to read to end of config topic before modifying connector offsets".to_owned())
        })?;
        let command = node.offset_command(name, request)?;
        let source = node.kind(&*node.config(name)?) == Some(ConnectorKind::Source);
        if source && self.shared.options.exactly_once {
            let fenced = self.shared.request(Request::Fence { name: name.into() }).await;
            fenced.map_err(|error| {
                tracing::warn!(connector = name, %error, "zombies cannot be fenced off");
                let text = "Failed to perform zombie fencing for source connector prior to modifying offsets";
                Error::Other(text.to_owned())
            })?;
        }
        node.change_offsets(name, command).await
    }
}

impl Herder for DistributedHerder {
    fn cluster_info(&self) -> ClusterInfo {
        ClusterInfo {
            version: self.shared.options.version.clone(),
            commit: self.shared.options.commit.clone(),
            kafka_cluster_id: self.shared.node.worker().kafka_cluster_id(),
        }
    }

    fn health(&self) -> Health {
        if self.shared.is_resolved() {
            Health::Ready
        } else {
            Health::Starting
        }
    }

    fn stage(&self) -> Option<Stage> {
        Some(self.shared.stage())
    }

    fn metrics(&self) -> Vec<Metric> {
        self.shared.metrics()
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async { self.shared.request(Request::Ping).await.map(drop) })
    }

    fn connectors(&self) -> BoxFuture<'_, Result<Vec<Arc<str>>, Error>> {
        let names = self.shared.node.names();
        Box::pin(async { Ok(names) })
    }

    fn connector_info<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<ConnectorInfo, Error>> {
        Box::pin(async { self.shared.node.info(name) })
    }

    fn connector_config<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Arc<Config>, Error>> {
        Box::pin(async { self.shared.node.config(name) })
    }

    fn connector_status(&self, name: &str) -> Result<ConnectorStatus, Error> {
        let missing = || Error::NotFound(format!("No status found for connector {name}"));
        self.shared.node.status_of(name).ok_or_else(missing)
    }

    fn task_infos<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<TaskInfo>, Error>> {
        Box::pin(async { self.shared.node.task_infos(name) })
    }

    fn task_status(&self, name: &str, task: i32) -> Result<TaskStatus, Error> {
        self.shared.node.task_status(name, task)
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
        let request = Request::DeleteConnector { name: name.into() };
        Box::pin(async { self.shared.request(request).await.map(drop) })
    }

    fn pause_connector<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.set_target(name, TargetState::Paused))
    }

    fn resume_connector<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.set_target(name, TargetState::Started))
    }

    fn stop_connector<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        let request = Request::StopConnector { name: name.into() };
        Box::pin(async { self.shared.request(request).await.map(drop) })
    }

    fn restart_connector<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async {
            self.shared
                .request(Request::LocateConnector { name: name.into() })
                .await?;
            self.shared.node.restart(name, true, Vec::new()).await
        })
    }

    fn restart_connector_and_tasks(&self, request: RestartRequest) -> BoxFuture<'_, Result<ConnectorStatus, Error>> {
        Box::pin(self.restart_parts(request))
    }

    fn restart_task<'a>(&'a self, name: &'a str, task: i32) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let name_of = name.into();
            self.shared.request(Request::LocateTask { name: name_of, task }).await?;
            let number = self.shared.node.known_task(name, task)?;
            self.shared.node.restart(name, false, vec![number]).await
        })
    }

    fn topics(&self, name: &str) -> Result<Vec<String>, Error> {
        self.shared.node.topics(name)
    }

    fn reset_topics(&self, name: &str) -> Result<(), Error> {
        self.shared.node.reset_topics(name)
    }

    fn offsets<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<ConnectorOffset>, Error>> {
        Box::pin(async {
            let config = self.shared.node.config(name)?;
            self.shared.node.worker().offsets(name, config).await
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

    fn modules(&self) -> Option<Arc<dyn Modules>> {
        self.shared.outside.modules.clone()
    }

    fn plugins(&self) -> Vec<PluginInfo> {
        self.shared.node.worker().plugins()
    }

    fn plugin_keys(&self, class: &str, version: Option<&str>) -> Result<Vec<ConfigKeyInfo>, Error> {
        self.shared.node.worker().plugin_keys(class, version)
    }

    fn validate(&self, config: Config) -> BoxFuture<'_, Result<ConfigInfos, Error>> {
        self.shared.node.worker().validate(config)
    }

    fn preview(&self, request: PreviewRequest) -> BoxFuture<'_, Result<Preview, Error>> {
        self.shared.node.worker().preview(request)
    }

    fn loggers(&self) -> BTreeMap<String, LoggerLevel> {
        self.shared.outside.loggers.all()
    }

    fn logger(&self, name: &str) -> Result<LoggerLevel, Error> {
        self.shared.outside.loggers.get(name)
    }

    fn set_logger<'a>(
        &'a self,
        name: &'a str,
        level: Level,
        scope: Scope,
    ) -> BoxFuture<'a, Result<Option<Vec<String>>, Error>> {
        Box::pin(async move {
            match scope {
                Scope::Worker => self.shared.outside.loggers.set(name, level).map(Some),
                Scope::Cluster => {
                    let change = ConfigChange::PutLevel {
                        logger: name.to_owned(),
                        level: level.to_string(),
                    };
                    self.shared.node.configs().write(change).await?;
                    Ok(None)
                }
            }
        })
    }

    fn put_task_configs<'a>(
        &'a self,
        name: &'a str,
        configs: Vec<Config>,
        made_from: Option<u64>,
        signature: Option<RequestSignature>,
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            self.shared.verify(signature.as_ref())?;
            let request = Request::PutTasks {
                name: name.into(),
                configs,
                made_from,
            };
            self.shared.request(request).await.map(drop)
        })
    }

    fn fence_zombies<'a>(
        &'a self,
        name: &'a str,
        signature: Option<RequestSignature>,
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            self.shared.verify(signature.as_ref())?;
            self.shared
                .request(Request::Fence { name: name.into() })
                .await
                .map(drop)
        })
    }
}

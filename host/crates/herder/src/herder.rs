//! All that may be asked of a herder, in the order of Kafka Connect's REST API.

use std::collections::BTreeMap;
use std::sync::Arc;

use caisson_model::preview::{Preview, PreviewRequest};
use caisson_model::{Metric, TargetState};
use caisson_store::{BoxFuture, Config};

use crate::Error;
use crate::info::{
    ClusterInfo, ConnectorInfo, ConnectorStatus, Created, Health, PluginInfo, Stage, TaskInfo, TaskStatus,
};
use crate::loggers::{Level, LoggerLevel, Scope};
use crate::modules::Modules;
use crate::offsets::{ConnectorOffset, OffsetOutcome};
use crate::validation::{ConfigInfos, ConfigKeyInfo};

/// Whether a configuration may take another one's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replace {
    Allowed,
    Refused,
}

/// What of a connector to restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestartRequest {
    pub connector: String,
    /// Only what is FAILED.
    pub only_failed: bool,
    /// The tasks besides the connector itself.
    pub include_tasks: bool,
}

/// What a worker of the same cluster signed an internal request with (KIP-507).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestSignature {
    pub algorithm: String,
    /// In Base64, as it came.
    pub signature: String,
    /// The body as it came: what was signed.
    pub body: Vec<u8>,
}

/// A herder. Every operation may be dropped before it is done: what it has changed by then stays consistent, and work
/// that it began goes on without it.
pub trait Herder: Send + Sync {
    fn cluster_info(&self) -> ClusterInfo;
    fn health(&self) -> Health;
    /// What it is doing; none if nothing is worth telling.
    fn stage(&self) -> Option<Stage>;
    /// What is measured of this worker and of what runs on it.
    fn metrics(&self) -> Vec<Metric>;
    /// Passes through the herder and does nothing, so that who waits for it knows that the herder works.
    fn ping(&self) -> BoxFuture<'_, Result<(), Error>>;

    /// The names of all connectors.
    fn connectors(&self) -> BoxFuture<'_, Result<Vec<Arc<str>>, Error>>;
    fn connector_info<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<ConnectorInfo, Error>>;
    fn connector_config<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Arc<Config>, Error>>;
    fn connector_status(&self, name: &str) -> Result<ConnectorStatus, Error>;
    fn task_infos<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<TaskInfo>, Error>>;
    /// The number is as in the request; it need not be one that a task can have.
    fn task_status(&self, name: &str, task: i32) -> Result<TaskStatus, Error>;

    /// Validates, and creates or replaces a connector. Returns once it is written down; what should run by then
    /// follows. The target state is for new connectors.
    fn put_connector<'a>(
        &'a self,
        name: &'a str,
        config: Config,
        target: Option<TargetState>,
        replace: Replace,
    ) -> BoxFuture<'a, Result<Created, Error>>;
    /// Changes some keys and removes those whose new value is missing.
    fn patch_connector<'a>(
        &'a self,
        name: &'a str,
        changes: BTreeMap<String, Option<String>>,
    ) -> BoxFuture<'a, Result<ConnectorInfo, Error>>;
    fn delete_connector<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Error>>;

    fn pause_connector<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Error>>;
    fn resume_connector<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Error>>;
    fn stop_connector<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Error>>;
    /// Restarts the connector alone.
    fn restart_connector<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Error>>;
    /// Restarts what the request says; the status with RESTARTING where that will happen.
    fn restart_connector_and_tasks(&self, request: RestartRequest) -> BoxFuture<'_, Result<ConnectorStatus, Error>>;
    fn restart_task<'a>(&'a self, name: &'a str, task: i32) -> BoxFuture<'a, Result<(), Error>>;

    /// The topics that a connector has used, in order; none for a connector that is not there.
    fn topics(&self, name: &str) -> Result<Vec<String>, Error>;
    fn reset_topics(&self, name: &str) -> Result<(), Error>;

    fn offsets<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<ConnectorOffset>, Error>>;
    fn alter_offsets<'a>(
        &'a self,
        name: &'a str,
        offsets: Vec<ConnectorOffset>,
    ) -> BoxFuture<'a, Result<OffsetOutcome, Error>>;
    fn reset_offsets<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<OffsetOutcome, Error>>;

    /// All plugins, in any order.
    fn plugins(&self) -> Vec<PluginInfo>;
    fn plugin_keys(&self, class: &str, version: Option<&str>) -> Result<Vec<ConfigKeyInfo>, Error>;
    fn validate(&self, config: Config) -> BoxFuture<'_, Result<ConfigInfos, Error>>;

    /// Tries a configuration on samples, on this worker. Nothing of the cluster changes.
    fn preview(&self, request: PreviewRequest) -> BoxFuture<'_, Result<Preview, Error>>;

    /// Modules by REST; none where the worker has no place for them.
    fn modules(&self) -> Option<Arc<dyn Modules>> {
        None
    }

    fn loggers(&self) -> BTreeMap<String, LoggerLevel>;
    fn logger(&self, name: &str) -> Result<LoggerLevel, Error>;
    /// The names of the loggers that were set on this worker; none for the scope of the cluster.
    fn set_logger<'a>(
        &'a self,
        name: &'a str,
        level: Level,
        scope: Scope,
    ) -> BoxFuture<'a, Result<Option<Vec<String>>, Error>>;

    /// Takes task configurations from the worker that runs the connector (internal), and the revision of the connector's
    /// configuration that they were made from, if that worker says so.
    fn put_task_configs<'a>(
        &'a self,
        name: &'a str,
        configs: Vec<Config>,
        made_from: Option<u64>,
        signature: Option<RequestSignature>,
    ) -> BoxFuture<'a, Result<(), Error>>;
    /// Fences off earlier producers of an exactly-once source connector (internal).
    fn fence_zombies<'a>(
        &'a self,
        name: &'a str,
        signature: Option<RequestSignature>,
    ) -> BoxFuture<'a, Result<(), Error>>;
}

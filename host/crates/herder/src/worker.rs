//! What a herder needs of the worker below it: commands down, events up.

use std::sync::Arc;

use caisson_model::preview::{Preview, PreviewRequest};
use caisson_model::{ConnectorState, Failure, Metric, RestartPolicy, TargetState, TaskId, TaskState};
use caisson_store::{BoxFuture, Config};

use crate::Error;
use crate::info::{ConnectorKind, PluginInfo};
use crate::offsets::{ConnectorOffset, OffsetChanges, OffsetOutcome};
use crate::validation::{ConfigInfos, ConfigKeyInfo};

/// The container of connectors and tasks on this node.
///
/// The herder gives the commands of one connector one after the other, those of different connectors at once. Each
/// command has a deadline inside the worker: none may hang, whatever the guest does. A command to something that does
/// not run does nothing. What a command changed is reported by [`WorkerEvent`]s that are in the channel before the
/// command returns.
pub trait Worker: Send + Sync {
    /// Instantiates a connector and, unless it is to be paused or stopped, starts it. A failure needs no event: the
    /// herder reports it.
    fn start_connector(
        &self,
        name: &str,
        config: Arc<Config>,
        target: TargetState,
    ) -> BoxFuture<'_, Result<(), Failure>>;

    /// The task configurations of a running connector, complete: with `task.class`, and for sinks with the topics.
    fn task_configs(&self, name: &str, max_tasks: u32) -> BoxFuture<'_, Result<Vec<Config>, Failure>>;

    /// Starts, pauses or stops a connector that is there. Failing is reported by an event.
    fn set_connector_state(&self, name: &str, target: TargetState) -> BoxFuture<'_, ()>;

    /// Stops a connector and forgets it; returns once it is gone or was given up.
    fn stop_connector(&self, name: &str) -> BoxFuture<'_, ()>;

    /// Starts a task; returns once its data flow is on its way. What the guest's own start says comes by event. A
    /// failure needs no event: the herder reports it. A task that is given a claim writes in transactions.
    fn start_task(
        &self,
        id: TaskId,
        connector: Arc<Config>,
        task: Arc<Config>,
        target: TargetState,
        claim: Option<Arc<dyn Claim>>,
    ) -> BoxFuture<'_, Result<(), Failure>>;

    fn set_task_state(&self, id: TaskId, target: TargetState) -> BoxFuture<'_, ()>;

    /// Stops tasks, all at once, and forgets them; returns once they are gone or were given up.
    fn stop_tasks(&self, ids: Vec<TaskId>) -> BoxFuture<'_, ()>;

    /// Validates a configuration. That the class is missing or unknown is an [`Error::Other`] with Kafka Connect's text.
    fn validate(&self, config: Config) -> BoxFuture<'_, Result<ConfigInfos, Error>>;

    /// Tries a configuration on samples. Nothing is started that outlives the answer.
    fn preview(&self, request: PreviewRequest) -> BoxFuture<'_, Result<Preview, Error>>;

    /// All plugins, in any order.
    fn plugins(&self) -> Vec<PluginInfo>;

    /// The configuration definitions of a plugin, named by class or alias, of the newest version unless one is given.
    fn plugin_keys(&self, class: &str, version: Option<&str>) -> Result<Vec<ConfigKeyInfo>, Error>;

    /// Whether a connector wants what of it has failed restarted; none if not, or if its configuration cannot be read.
    fn restart_policy(&self, config: &Config) -> Option<RestartPolicy>;

    /// What a connector class or alias is; none if it is unknown.
    fn connector_kind(&self, class: &str) -> Option<ConnectorKind>;

    /// The offsets of a connector: those in the source offset store, or those of the sink's consumer group.
    fn offsets(&self, name: &str, config: Arc<Config>) -> BoxFuture<'_, Result<Vec<ConnectorOffset>, Error>>;

    /// Changes offsets of a connector that does not run, after its plugin has agreed.
    fn alter_offsets(
        &self,
        name: &str,
        config: Arc<Config>,
        changes: OffsetChanges,
    ) -> BoxFuture<'_, Result<OffsetOutcome, Error>>;

    /// Removes all offsets of a connector that does not run, after its plugin has agreed.
    fn reset_offsets(&self, name: &str, config: Arc<Config>) -> BoxFuture<'_, Result<OffsetOutcome, Error>>;

    /// What is measured of this node's connectors and tasks.
    fn metrics(&self) -> Vec<Metric>;

    /// The id of the Kafka cluster; none until a broker has told it.
    fn kafka_cluster_id(&self) -> Option<String>;
}

/// The right of a task to write in transactions, which it may have lost before it could begin.
pub trait Claim: Send + Sync {
    /// Asked when the task has fenced off whoever wrote for it before: whether it is still this worker's, and its
    /// configuration the newest. Otherwise it has fenced off its own successor, and must make way.
    fn verify(&self) -> BoxFuture<'_, Result<(), Failure>>;
}

/// What happened in the worker. The channel is bounded and owned by the worker; the herder empties it at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkerEvent {
    ConnectorStatus {
        connector: Arc<str>,
        state: ConnectorState,
        /// Why, where the state is FAILED.
        failure: Option<Failure>,
        version: Option<String>,
    },
    TaskStatus {
        id: TaskId,
        state: TaskState,
        failure: Option<Failure>,
        version: Option<String>,
    },
    /// The connector wants its task configurations made anew.
    Reconfigure { connector: Arc<str> },
    /// A task has read from, or written to, a topic. May be told once per task and topic.
    TopicUsed { id: TaskId, topic: Arc<str> },
}

//! What a herder tells of connectors, tasks, plugins and itself. Plain data; its JSON is made by the REST face.

use std::sync::Arc;
use std::time::SystemTime;

use caisson_api::manifest::PluginKind;
use caisson_model::{ConnectorState, TaskId, TaskState};
use caisson_store::{Config, Status};

/// The two kinds of connectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectorKind {
    Source,
    Sink,
}

/// A connector as configured.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectorInfo {
    pub name: String,
    pub config: Arc<Config>,
    pub tasks: Vec<TaskId>,
    /// None where this worker does not know the class.
    pub kind: Option<ConnectorKind>,
}

/// A connector after it was created or replaced.
#[derive(Clone, Debug, PartialEq)]
pub enum Created {
    New(ConnectorInfo),
    Replaced(ConnectorInfo),
}

/// A task as configured.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskInfo {
    pub id: TaskId,
    pub config: Arc<Config>,
}

/// How a connector and its tasks are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectorStatus {
    pub name: String,
    pub connector: Status<ConnectorState>,
    /// By number.
    pub tasks: Vec<TaskStatus>,
    pub kind: Option<ConnectorKind>,
}

/// How one task is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskStatus {
    pub number: u32,
    pub status: Status<TaskState>,
}

/// A plugin that configurations may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginInfo {
    pub class: String,
    pub kind: PluginKind,
    pub version: Option<String>,
}

/// What the worker says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterInfo {
    pub version: String,
    pub commit: String,
    /// None until a broker has told it.
    pub kafka_cluster_id: Option<String>,
}

/// Whether the herder has come up: everything that was configured at its start has been looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Starting,
    Ready,
}

/// What a herder is doing or has last done, for the texts of requests that timed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Fits after "the worker is currently".
    pub description: String,
    pub began: SystemTime,
    pub completed: Option<SystemTime>,
}

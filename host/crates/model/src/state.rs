//! What should be and what is (`reference`: Kafka Connect's `TargetState` and `AbstractStatus.State`).

use std::fmt;

/// What the operator wants of a connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum TargetState {
    #[default]
    Started,
    Paused,
    Stopped,
}

/// What a connector is; in REST in capitals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectorState {
    Unassigned,
    Running,
    Paused,
    Stopped,
    Failed,
    Restarting,
}

/// What a task is; in REST in capitals. A stopped connector has no tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskState {
    Unassigned,
    Running,
    Paused,
    Failed,
    Restarting,
}

impl ConnectorState {
    pub fn as_str(self) -> &'static str {
        match self {
            ConnectorState::Unassigned => "UNASSIGNED",
            ConnectorState::Running => "RUNNING",
            ConnectorState::Paused => "PAUSED",
            ConnectorState::Stopped => "STOPPED",
            ConnectorState::Failed => "FAILED",
            ConnectorState::Restarting => "RESTARTING",
        }
    }
}

impl TaskState {
    pub fn as_str(self) -> &'static str {
        ConnectorState::from(self).as_str()
    }
}

impl From<TaskState> for ConnectorState {
    fn from(state: TaskState) -> Self {
        match state {
            TaskState::Unassigned => ConnectorState::Unassigned,
            TaskState::Running => ConnectorState::Running,
            TaskState::Paused => ConnectorState::Paused,
            TaskState::Failed => ConnectorState::Failed,
            TaskState::Restarting => ConnectorState::Restarting,
        }
    }
}

impl fmt::Display for ConnectorState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for TaskState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

//! The records of the status topic: keys are plain text, values schemaless JSON, as Kafka Connect writes both.

use caisson_model::{ConnectorState, TaskId, TaskState};
use serde_json::{Map, Value, json};

use super::{Status, TopicUse};
use crate::config::{InvalidRecord, object, task_id, text};
use crate::json::compact;
use crate::log::Pair;

const CONNECTOR: &str = "status-connector-";
const TASK: &str = "status-task-";
const TOPIC: &str = "status-topic-";
const TOPIC_OF: &str = ":connector-";

/// One record; without a status it is a tombstone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatusRecord {
    Connector {
        name: String,
        status: Option<Status<ConnectorState>>,
    },
    Task {
        id: TaskId,
        status: Option<Status<TaskState>>,
    },
    Topic {
        connector: String,
        topic: String,
        used: Option<TopicUse>,
    },
}

impl StatusRecord {
    pub fn read(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<StatusRecord, InvalidRecord> {
        let Some(Ok(key)) = key.map(std::str::from_utf8) else {
            return Err(InvalidRecord::new("its key is no text"));
        };
        let value = value.map(object).transpose()?;
        if let Some(name) = key.strip_prefix(CONNECTOR) {
            let read = |value| status(&value, connector_state);
            return Ok(StatusRecord::Connector {
                name: name.to_owned(),
                status: value.map(read).transpose()?,
            });
        }
        if let Some(task) = key.strip_prefix(TASK) {
            let read = |value| status(&value, task_state);
            return Ok(StatusRecord::Task {
                id: task_id(task)?,
                status: value.map(read).transpose()?,
            });
        }
        if let Some((topic, connector)) = key.strip_prefix(TOPIC).and_then(|rest| rest.split_once(TOPIC_OF)) {
            return Ok(StatusRecord::Topic {
                connector: connector.to_owned(),
                topic: topic.to_owned(),
                used: value.map(|value| topic_use(&value)).transpose()?,
            });
        }
        Err(InvalidRecord::new("its key has no known prefix"))
    }

    /// The bytes of the key alone; they name what the status is of.
    pub fn key(&self) -> Vec<u8> {
        match self {
            StatusRecord::Connector { name, .. } => format!("{CONNECTOR}{name}"),
            StatusRecord::Task { id, .. } => format!("{TASK}{id}"),
            StatusRecord::Topic { connector, topic, .. } => format!("{TOPIC}{topic}{TOPIC_OF}{connector}"),
        }
        .into_bytes()
    }

    /// The bytes to write.
    pub fn write(&self) -> Pair {
        let value = match self {
            StatusRecord::Connector { status, .. } => {
                status.as_ref().map(|status| value(status, status.state.as_str()))
            }
            StatusRecord::Task { status, .. } => status.as_ref().map(|status| value(status, status.state.as_str())),
            StatusRecord::Topic { used, .. } => used.as_ref().map(|used| {
                json!({"topic": {
                    "name": used.topic,
                    "connector": used.connector,
                    "task": used.task,
                    "discoverTimestamp": used.discovered,
                }})
            }),
        };
        (self.key(), value.map(|value| compact(&value)))
    }
}

fn value<S>(status: &Status<S>, state: &str) -> Value {
    json!({
        "state": state,
        "trace": status.trace,
        "worker_id": status.worker_id,
        "generation": status.generation,
        "version": status.version,
    })
}

fn status<S>(object: &Map<String, Value>, state: fn(&str) -> Option<S>) -> Result<Status<S>, InvalidRecord> {
    let Some(state) = state(text(object, "state")?) else {
        return Err(InvalidRecord::new("its member state is none that there is"));
    };
    let optional = |member: &str| object.get(member).and_then(Value::as_str).map(str::to_owned);
    let generation = object.get("generation").and_then(Value::as_i64);
    let Some(Ok(generation)) = generation.map(i32::try_from) else {
        return Err(InvalidRecord::new("its member generation is no number"));
    };
    Ok(Status {
        state,
        worker_id: text(object, "worker_id")?.to_owned(),
        trace: optional("trace"),
        version: optional("version"),
        generation,
    })
}

fn topic_use(object: &Map<String, Value>) -> Result<TopicUse, InvalidRecord> {
    let Some(Value::Object(topic)) = object.get("topic") else {
        return Err(InvalidRecord::new("its member topic is no object"));
    };
    let number = |member: &str| topic.get(member).and_then(Value::as_u64);
    let task = number("task").and_then(|task| u32::try_from(task).ok());
    let (Some(task), Some(discovered)) = (task, number("discoverTimestamp")) else {
        return Err(InvalidRecord::new(
            "its members task and discoverTimestamp are no numbers",
        ));
    };
    Ok(TopicUse {
        connector: text(topic, "connector")?.to_owned(),
        topic: text(topic, "name")?.to_owned(),
        task,
        discovered,
    })
}

fn connector_state(text: &str) -> Option<ConnectorState> {
    let all = [
        ConnectorState::Unassigned,
        ConnectorState::Running,
        ConnectorState::Paused,
        ConnectorState::Stopped,
        ConnectorState::Failed,
        ConnectorState::Restarting,
    ];
    all.into_iter().find(|state| state.as_str() == text)
}

fn task_state(text: &str) -> Option<TaskState> {
    let all = [
        TaskState::Unassigned,
        TaskState::Running,
        TaskState::Paused,
        TaskState::Failed,
        TaskState::Restarting,
    ];
    all.into_iter().find(|state| state.as_str() == text)
}

//! The records of the config topic: keys are plain text, values schemaless JSON, as Kafka Connect writes both.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use caisson_model::{TargetState, TaskId};
use serde_json::{Map, Value, json};

use super::{Config, SessionKey};
use crate::json::compact;
use crate::log::Pair;

const CONNECTOR: &str = "connector-";
const TASK: &str = "task-";
const COMMIT: &str = "commit-";
const TARGET_STATE: &str = "target-state-";
const FENCING: &str = "tasks-fencing-";
const RESTART: &str = "restart-connector-";
const LEVEL: &str = "logger-cluster-";
const SESSION_KEY: &str = "session-key";

/// More tasks than any connector has; a record that speaks of more is no record of a worker.
const MOST_TASKS: i64 = 1_000_000;

/// One record. Where there may be none of something, its key stands alone: a tombstone.
#[derive(Clone, Debug, PartialEq)]
pub enum ConfigRecord {
    Connector {
        name: Arc<str>,
        config: Option<Config>,
    },
    /// Takes effect with the next commit.
    Task {
        id: TaskId,
        config: Config,
    },
    Commit {
        name: Arc<str>,
        tasks: u32,
    },
    TargetState {
        name: Arc<str>,
        target: Option<TargetState>,
    },
    TaskCount {
        name: Arc<str>,
        tasks: u32,
    },
    SessionKey(SessionKey),
    Restart {
        name: Arc<str>,
        only_failed: bool,
        include_tasks: bool,
    },
    Level {
        logger: String,
        level: String,
    },
    /// A tombstone of something that is never taken back. Compaction leaves such ones, and they say nothing.
    Nothing,
}

/// A record that nobody can use: of another program, of a later version, or broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidRecord(String);

impl InvalidRecord {
    pub(crate) fn new(problem: &str) -> InvalidRecord {
        InvalidRecord(problem.to_owned())
    }
}

fn invalid<T>(text: impl Into<String>) -> Result<T, InvalidRecord> {
    Err(InvalidRecord(text.into()))
}

impl ConfigRecord {
    /// Reads a record. The prefixes are tried in Kafka Connect's order.
    pub fn read(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<ConfigRecord, InvalidRecord> {
        let Some(Ok(key)) = key.map(std::str::from_utf8) else {
            return invalid("its key is no text");
        };
        if let Some(name) = key.strip_prefix(TARGET_STATE) {
            return Self::read_target(name, value);
        }
        if let Some(name) = key.strip_prefix(CONNECTOR) {
            let config = value.map(|value| properties(&object(value)?)).transpose()?;
            return Ok(ConfigRecord::Connector {
                name: name.into(),
                config,
            });
        }
        let Some(value) = value else {
            return Self::read_tombstone(key);
        };
        if let Some(task) = key.strip_prefix(TASK) {
            return Ok(ConfigRecord::Task {
                id: task_id(task)?,
                config: properties(&object(value)?)?,
            });
        }
        let object = object(value)?;
        if let Some(name) = key.strip_prefix(COMMIT) {
            let tasks = count(&object, "tasks")?;
            return Ok(ConfigRecord::Commit {
                name: name.into(),
                tasks,
            });
        }
        if let Some(name) = key.strip_prefix(RESTART) {
            return Ok(ConfigRecord::Restart {
                name: name.into(),
                only_failed: boolean(&object, "only-failed")?,
                include_tasks: boolean(&object, "include-tasks")?,
            });
        }
        if let Some(name) = key.strip_prefix(FENCING) {
            let tasks = count(&object, "task-count")?;
            return Ok(ConfigRecord::TaskCount {
                name: name.into(),
                tasks,
            });
        }
        if key == SESSION_KEY {
            return read_session_key(&object).map(ConfigRecord::SessionKey);
        }
        if let Some(logger) = key.strip_prefix(LEVEL) {
            return Ok(ConfigRecord::Level {
                logger: logger.to_owned(),
                level: text(&object, "level")?.to_owned(),
            });
        }
        invalid("its key has no known prefix")
    }

    fn read_tombstone(key: &str) -> Result<ConfigRecord, InvalidRecord> {
        let known = [TASK, COMMIT, RESTART, FENCING, SESSION_KEY, LEVEL];
        if known.iter().any(|prefix| key.starts_with(prefix)) {
            Ok(ConfigRecord::Nothing)
        } else {
            invalid("its key has no known prefix")
        }
    }

    /// `state` is for workers that do not know STOPPED; `state.v2` counts where it is there and understood.
    fn read_target(name: &str, value: Option<&[u8]>) -> Result<ConfigRecord, InvalidRecord> {
        let target = match value {
            None => None,
            Some(value) => {
                let object = object(value)?;
                let known = |member: &str| object.get(member).and_then(Value::as_str).and_then(target_of);
                let Some(target) = known("state.v2").or_else(|| known("state")) else {
                    return invalid("it has no known target state");
                };
                Some(target)
            }
        };
        Ok(ConfigRecord::TargetState {
            name: name.into(),
            target,
        })
    }

    /// The bytes to write.
    pub fn write(&self) -> Pair {
        let pair = |key: String, value: Value| (key.into_bytes(), Some(compact(&value)));
        match self {
            ConfigRecord::Connector { name, config } => {
                let key = format!("{CONNECTOR}{name}").into_bytes();
                (
                    key,
                    config.as_ref().map(|config| compact(&json!({"properties": config}))),
                )
            }
            ConfigRecord::Task { id, config } => pair(format!("{TASK}{id}"), json!({"properties": config})),
            ConfigRecord::Commit { name, tasks } => pair(format!("{COMMIT}{name}"), json!({"tasks": tasks})),
            ConfigRecord::TargetState { name, target } => {
                let key = format!("{TARGET_STATE}{name}").into_bytes();
                (key, target.map(|target| compact(&target_value(target))))
            }
            ConfigRecord::TaskCount { name, tasks } => pair(format!("{FENCING}{name}"), json!({"task-count": tasks})),
            ConfigRecord::SessionKey(key) => pair(
                SESSION_KEY.to_owned(),
                json!({
                    "key": STANDARD.encode(&key.key),
                    "algorithm": key.algorithm,
                    "creation-timestamp": key.created,
                }),
            ),
            ConfigRecord::Restart {
                name,
                only_failed,
                include_tasks,
            } => pair(
                format!("{RESTART}{name}"),
                json!({"include-tasks": include_tasks, "only-failed": only_failed}),
            ),
            ConfigRecord::Level { logger, level } => pair(format!("{LEVEL}{logger}"), json!({"level": level})),
            ConfigRecord::Nothing => (Vec::new(), None),
        }
    }
}

fn target_of(text: &str) -> Option<TargetState> {
    match text {
        "STARTED" => Some(TargetState::Started),
        "PAUSED" => Some(TargetState::Paused),
        "STOPPED" => Some(TargetState::Stopped),
        _ => None,
    }
}

fn target_value(target: TargetState) -> Value {
    let (old, new) = match target {
        TargetState::Started => ("STARTED", "STARTED"),
        TargetState::Paused => ("PAUSED", "PAUSED"),
        TargetState::Stopped => ("PAUSED", "STOPPED"),
    };
    json!({"state": old, "state.v2": new})
}

fn read_session_key(object: &Map<String, Value>) -> Result<SessionKey, InvalidRecord> {
    // The text of a secret is in no error.
    let Ok(key) = STANDARD.decode(text(object, "key")?) else {
        return invalid("its member key is no Base64");
    };
    let Some(created) = object.get("creation-timestamp").and_then(Value::as_i64) else {
        return invalid("its member creation-timestamp is no whole number");
    };
    Ok(SessionKey {
        key,
        algorithm: text(object, "algorithm")?.to_owned(),
        created,
    })
}

/// The number stands after the last dash; names of connectors may have dashes.
pub(crate) fn task_id(text: &str) -> Result<TaskId, InvalidRecord> {
    match text.rsplit_once('-').map(|(name, number)| (name, number.parse())) {
        Some((name, Ok(number))) => Ok(TaskId::new(name, number)),
        Some((_, Err(_))) | None => invalid("its key names no task"),
    }
}

pub(crate) fn object(value: &[u8]) -> Result<Map<String, Value>, InvalidRecord> {
    match serde_json::from_slice(value) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            invalid("its value is no JSON object")
        }
        Err(error) => invalid(format!("its value is no JSON: {error}")),
    }
}

fn properties(object: &Map<String, Value>) -> Result<Config, InvalidRecord> {
    let Some(Value::Object(properties)) = object.get("properties") else {
        return invalid("its member properties is no object");
    };
    let mut config = Config::new();
    for (name, value) in properties {
        let value = match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                return invalid(format!("the value of its property {name} is no text"));
            }
        };
        config.insert(name.clone(), value);
    }
    Ok(config)
}

pub(crate) fn text<'a>(object: &'a Map<String, Value>, member: &str) -> Result<&'a str, InvalidRecord> {
    match object.get(member).and_then(Value::as_str) {
        Some(text) => Ok(text),
        None => invalid(format!("its member {member} is no text")),
    }
}

fn boolean(object: &Map<String, Value>, member: &str) -> Result<bool, InvalidRecord> {
    match object.get(member).and_then(Value::as_bool) {
        Some(value) => Ok(value),
        None => invalid(format!("its member {member} is neither true nor false")),
    }
}

fn count(object: &Map<String, Value>, member: &str) -> Result<u32, InvalidRecord> {
    let number = object.get(member).and_then(Value::as_i64);
    match number
        .filter(|number| (0..=MOST_TASKS).contains(number))
        .map(u32::try_from)
    {
        Some(Ok(number)) => Ok(number),
        Some(Err(_)) | None => invalid(format!("its member {member} is no number of tasks")),
    }
}

//! What vectors about failing records have in common: exceptions, stages, and the record that was consumed.

use caisson_api::Cause;
use caisson_config::{ConnectorConfig, ConnectorKind, Given};
use caisson_kafka::Timestamp;
use caisson_model::TaskId;
use caisson_task::errors::{Consumed, Stage, Throwable};
use serde_json::Value as Json;

use crate::notation::{self, Unbuildable};
use crate::{Outcome, Thrown};

pub type Built<T> = Result<T, Unbuildable>;

impl From<&Throwable> for Thrown {
    fn from(error: &Throwable) -> Self {
        let first = (error.class.to_string(), error.message.clone().unwrap_or_default());
        let cause = |cause: &Cause| (cause.class.to_string(), cause.message.clone().unwrap_or_default());
        Thrown {
            phase: None,
            chain: std::iter::once(first).chain(error.causes.iter().map(cause)).collect(),
        }
    }
}

/// An exception as inputs have it; null is none.
pub fn throwable(json: &Json) -> Option<Throwable> {
    let class = json["class"].as_str()?.to_owned();
    let mut error = Throwable::new(class, "");
    error.message = json["message"].as_str().map(str::to_owned);
    Some(match throwable(&json["cause"]) {
        Some(cause) => error.caused_by(&cause),
        None => error,
    })
}

pub fn stage(input: &Json) -> Built<Stage> {
    let name = input["stage"].as_str().unwrap_or_default();
    let known = Stage::ALL.into_iter().find(|stage| stage.as_str() == name);
    known.ok_or_else(|| Unbuildable(format!("stage {name}")))
}

pub fn outcome(same: bool, difference: impl FnOnce() -> String) -> Outcome {
    if same {
        Outcome::Passed
    } else {
        Outcome::Failed(difference())
    }
}

/// The configuration of a connector.
pub fn config(input: &Json, kind: ConnectorKind) -> Built<ConnectorConfig> {
    let given: Given = notation::config(&input["config"]).into_iter().collect();
    ConnectorConfig::new(&given, kind).map_err(|error| Unbuildable(error.to_string()))
}

pub fn task(input: &Json) -> TaskId {
    let number = input["task"].as_u64().unwrap_or_default();
    TaskId::new(input["connector"].as_str().unwrap_or_default(), number as u32)
}

/// What [`Consumed`] borrows from.
pub struct Message {
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Option<Vec<u8>>)>,
}

pub fn bytes(json: &Json) -> Built<Option<Vec<u8>>> {
    match json {
        Json::Null => Ok(None),
        json => notation::bytes(json).map(Some),
    }
}

impl Message {
    pub fn read(record: &Json) -> Built<Message> {
        let header = |header: &Json| {
            let name = header["key"].as_str().unwrap_or_default().to_owned();
            Ok((name, bytes(&header["value"])?))
        };
        let headers = record["headers"].as_array().into_iter().flatten();
        Ok(Message {
            key: bytes(&record["key"])?,
            value: bytes(&record["value"])?,
            headers: headers.map(header).collect::<Built<_>>()?,
        })
    }

    pub fn consumed<'a>(&'a self, record: &'a Json) -> Consumed<'a> {
        let number = |name: &str| record[name].as_i64().unwrap_or_default();
        let headers = self.headers.iter();
        Consumed {
            topic: record["topic"].as_str().unwrap_or_default(),
            partition: number("partition") as i32,
            offset: number("offset"),
            timestamp: match record["timestampType"].as_str() {
                Some("CreateTime") => Timestamp::Create(number("timestamp")),
                Some("LogAppendTime") => Timestamp::LogAppend(number("timestamp")),
                _ => Timestamp::None,
            },
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            headers: headers.map(|(name, value)| (name.into(), value.as_deref())).collect(),
        }
    }
}

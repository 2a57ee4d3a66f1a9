//! Log levels.

use caisson_herder::{Error, Level, Scope};
use hyper::StatusCode;
use serde_json::{Map, Value};

use super::{Call, Outcome, no_body};
use crate::reply::Reply;
use crate::{input, shape};

pub fn loggers(call: &Call) -> Outcome {
    let loggers: Map<String, Value> = call
        .herder
        .loggers()
        .into_iter()
        .map(|(name, level)| (name, shape::logger(level)))
        .collect();
    Ok(Reply::ok(&loggers.into()))
}

pub fn logger(call: &Call, name: &str) -> Outcome {
    Ok(Reply::ok(&shape::logger(call.herder.logger(name)?)))
}

pub async fn set_logger(call: &Call, name: &str) -> Outcome {
    let body = input::parse_map(&call.body)?.ok_or_else(no_body)?;
    let Some(Some(level)) = body.get("level") else {
        let text = "Desired 'level' parameter was not specified in request.";
        return Err(Error::BadRequest(text.to_owned()).into());
    };
    let level: Level = level.parse()?;
    match call.bounded(call.herder.set_logger(name, level, scope(call))).await? {
        Some(names) => Ok(Reply::ok(&names.into())),
        None => Ok(Reply::empty(StatusCode::NO_CONTENT)),
    }
}

/// A scope that is not known counts as this worker.
fn scope(call: &Call) -> Scope {
    let scope = call.query.first("scope").unwrap_or("worker");
    if scope.eq_ignore_ascii_case("cluster") {
        return Scope::Cluster;
    }
    if !scope.eq_ignore_ascii_case("worker") {
        tracing::warn!(scope, "unknown scope of a log level; the level is set on this worker");
    }
    Scope::Worker
}

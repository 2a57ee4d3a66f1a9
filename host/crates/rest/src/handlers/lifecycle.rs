//! What changes how a connector runs, its active topics, and what workers ask of each other.

use caisson_herder::RestartRequest;
use hyper::StatusCode;
use serde_json::{Map, json};

use super::{Call, Outcome, no_body, no_resource};
use crate::client::MADE_FROM;
use crate::reply::Reply;
use crate::{input, shape};

pub async fn pause(call: &Call, name: &str) -> Outcome {
    call.bounded(call.herder.pause_connector(name)).await?;
    Ok(Reply::empty(StatusCode::ACCEPTED))
}

pub async fn resume(call: &Call, name: &str) -> Outcome {
    call.bounded(call.herder.resume_connector(name)).await?;
    Ok(Reply::empty(StatusCode::ACCEPTED))
}

pub async fn stop(call: &Call, name: &str) -> Outcome {
    call.bounded(call.herder.stop_connector(name)).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// Without flags the connector alone, done when answered; with a flag what the request selects (KIP-745).
pub async fn restart(call: &Call, name: &str) -> Outcome {
    let (include_tasks, only_failed) = (
        call.query.flag("includeTasks", false),
        call.query.flag("onlyFailed", false),
    );
    if !include_tasks && !only_failed {
        call.bounded(call.herder.restart_connector(name)).await?;
        return Ok(Reply::empty(StatusCode::NO_CONTENT));
    }
    let request = RestartRequest {
        connector: name.to_owned(),
        only_failed,
        include_tasks,
    };
    let status = call.bounded(call.herder.restart_connector_and_tasks(request)).await?;
    Ok(Reply::json(StatusCode::ACCEPTED, &shape::connector_status(&status)))
}

pub async fn restart_task(call: &Call, name: &str, task: Option<i32>) -> Outcome {
    let task = task.ok_or_else(no_resource)?;
    call.bounded(call.herder.restart_task(name, task)).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

pub fn topics(call: &Call, name: &str) -> Outcome {
    let topics = json!({"topics": call.herder.topics(name)?});
    Ok(Reply::ok(&Map::from_iter([(name.to_owned(), topics)]).into()))
}

pub fn reset_topics(call: &Call, name: &str) -> Outcome {
    call.herder.reset_topics(name)?;
    Ok(Reply::empty(StatusCode::ACCEPTED))
}

pub async fn put_task_configs(call: Call, name: &str) -> Outcome {
    let configs = match input::parse_maps(&call.body)? {
        Some(configs) => configs,
        None if call.body.is_empty() => return Err(no_body()),
        // As in Kafka Connect, where who asks is looked at before what.
        None => Vec::new(),
    };
    let made_from = call.query.first(MADE_FROM).and_then(|revision| revision.parse().ok());
    let put = call
        .herder
        .put_task_configs(name, configs, made_from, call.signature.clone());
    call.bounded(put).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

pub async fn fence(call: Call, name: &str) -> Outcome {
    call.bounded(call.herder.fence_zombies(name, call.signature.clone()))
        .await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

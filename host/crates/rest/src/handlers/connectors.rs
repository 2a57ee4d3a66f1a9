//! Connectors, their configurations and their statuses.

use caisson_herder::{Config, ConnectorInfo, Created, Error, Replace};
use hyper::StatusCode;
use serde_json::{Map, Value};

use super::{Call, Outcome, no_body, no_resource};
use crate::input::{self, CreateRequest};
use crate::path::encode;
use crate::reply::Reply;
use crate::shape;

const NAME: &str = "name";

/// Names alone, or with `expand` an object by name.
pub async fn list(call: &Call) -> Outcome {
    let names = call.bounded(call.herder.connectors()).await?;
    if call.query.first("expand").is_none() {
        let names: Vec<Value> = names.iter().map(|name| Value::from(&**name)).collect();
        return Ok(Reply::ok(&names.into()));
    }
    let mut connectors = Map::new();
    for name in &names {
        // A connector that went meanwhile is left out.
        if let Some(expanded) = expanded(call, name).await? {
            connectors.insert(name.to_string(), expanded.into());
        }
    }
    Ok(Reply::ok(&connectors.into()))
}

async fn expanded(call: &Call, name: &str) -> Result<Option<Map<String, Value>>, Reply> {
    let mut members = Map::new();
    for expansion in call.query.all("expand") {
        let expanded = match expansion {
            "status" => call
                .herder
                .connector_status(name)
                .map(|status| shape::connector_status(&status)),
            "info" => call
                .herder
                .connector_info(name)
                .await
                .map(|info| shape::connector_info(&info)),
            // Kafka Connect logs it and goes on.
            _ => continue,
        };
        match expanded {
            Ok(value) => members.insert(expansion.to_owned(), value),
            Err(Error::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
    }
    Ok(Some(members))
}

pub async fn create(call: &Call) -> Outcome {
    let CreateRequest {
        name,
        config,
        initial_state,
    } = input::parse_create(&call.body)?;
    let config = named(config, &name)?;
    let created = call
        .herder
        .put_connector(&name, config, initial_state, Replace::Refused);
    match call.bounded(created).await? {
        Created::New(info) | Created::Replaced(info) => Ok(new(&info)),
    }
}

pub async fn put_config(call: &Call, name: &str) -> Outcome {
    let config = input::parse_map(&call.body)?.ok_or_else(no_body)?;
    let config = named(config, name)?;
    match call
        .bounded(call.herder.put_connector(name, config, None, Replace::Allowed))
        .await?
    {
        Created::New(info) => Ok(new(&info)),
        Created::Replaced(info) => Ok(Reply::ok(&shape::connector_info(&info))),
    }
}

pub async fn patch_config(call: &Call, name: &str) -> Outcome {
    let Some(changes) = input::parse_map(&call.body)? else {
        // Kafka Connect looks for the connector before it looks at the body.
        call.bounded(call.herder.connector_config(name)).await?;
        return Err(no_body());
    };
    let info = call.bounded(call.herder.patch_connector(name, changes)).await?;
    Ok(Reply::ok(&shape::connector_info(&info)))
}

fn new(info: &ConnectorInfo) -> Reply {
    let location = format!("/connectors/{}", encode(&info.name));
    Reply::json(StatusCode::CREATED, &shape::connector_info(info)).with_location(location)
}

/// The configuration with the connector's name in it; another name there is refused.
fn named(mut config: Config, name: &str) -> Result<Config, Reply> {
    match config.get(NAME) {
        Some(Some(other)) if other != name => Err(Error::BadRequest(format!(
            "Connector name configuration ({other}) doesn't match connector name in the URL ({name})"
        ))
        .into()),
        Some(Some(_)) => Ok(config),
        Some(None) | None => {
            config.insert(NAME.to_owned(), Some(name.to_owned()));
            Ok(config)
        }
    }
}

pub async fn info(call: &Call, name: &str) -> Outcome {
    let info = call.bounded(call.herder.connector_info(name)).await?;
    Ok(Reply::ok(&shape::connector_info(&info)))
}

pub async fn config(call: &Call, name: &str) -> Outcome {
    let config = call.bounded(call.herder.connector_config(name)).await?;
    Ok(Reply::ok(&shape::config(&config)))
}

pub async fn delete(call: &Call, name: &str) -> Outcome {
    call.bounded(call.herder.delete_connector(name)).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

pub fn status(call: &Call, name: &str) -> Outcome {
    Ok(Reply::ok(&shape::connector_status(
        &call.herder.connector_status(name)?,
    )))
}

pub async fn tasks(call: &Call, name: &str) -> Outcome {
    let tasks = call.bounded(call.herder.task_infos(name)).await?;
    Ok(Reply::ok(&tasks.iter().map(shape::task_info).collect()))
}

pub fn task_status(call: &Call, name: &str, task: Option<i32>) -> Outcome {
    let task = task.ok_or_else(no_resource)?;
    Ok(Reply::ok(&shape::task_status(&call.herder.task_status(name, task)?)))
}

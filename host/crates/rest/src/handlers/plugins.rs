//! Plugins, their keys, and validation.

use caisson_api::manifest::PluginKind;
use caisson_herder::{Error, PluginInfo};
use serde_json::Value;

use super::{Call, Outcome, no_body};
use crate::reply::Reply;
use crate::{input, shape};

pub fn list(call: &Call) -> Outcome {
    let mut plugins = call.herder.plugins();
    if call.query.flag("connectorsOnly", true) {
        plugins.retain(|plugin| group(plugin.kind) < group(PluginKind::Transform));
    }
    let key = |plugin: &PluginInfo| (group(plugin.kind), plugin.class.clone(), plugin.version.clone());
    plugins.sort_by_key(key);
    Ok(Reply::ok(&plugins.iter().map(shape::plugin).collect()))
}

/// The place of a kind in the list.
fn group(kind: PluginKind) -> u8 {
    match kind {
        PluginKind::Sink => 0,
        PluginKind::Source => 1,
        PluginKind::Transform => 2,
        PluginKind::Predicate => 3,
        PluginKind::Converter => 4,
        PluginKind::HeaderConverter => 5,
    }
}

pub fn keys(call: &Call, class: &str) -> Outcome {
    let keys = call.herder.plugin_keys(class, call.query.first("version"))?;
    Ok(Reply::ok(
        &keys.iter().map(shape::definition).collect::<Vec<Value>>().into(),
    ))
}

/// The class in the body decides; the one in the path has to fit it.
pub async fn validate(call: &Call, class: &str) -> Outcome {
    let config = input::parse_map(&call.body)?.ok_or_else(no_body)?;
    if let Some(Some(included)) = config.get("connector.class")
        && !without_suffix(included).ends_with(without_suffix(class))
    {
        let text = format!("Included connector type {included} does not match request type {class}");
        return Err(Error::BadRequest(text).into());
    }
    let validated = async { call.herder.validate(config).await.map_err(executed) };
    let infos = call.bounded(validated).await?;
    Ok(Reply::ok(&shape::validation(&infos)))
}

/// Kafka Connect answers with the `ExecutionException` around what went wrong, which begins with the class of that.
fn executed(error: Error) -> Error {
    let class = match &error {
        Error::BadRequest(_) => "org.apache.kafka.connect.runtime.rest.errors.BadRequestException",
        Error::Config(_) => "org.apache.kafka.common.config.ConfigException",
        _ => return error,
    };
    Error::Other(format!("{class}: {error}"))
}

fn without_suffix(class: &str) -> &str {
    class
        .strip_suffix("Connector")
        .filter(|rest| !rest.is_empty())
        .unwrap_or(class)
}

//! The JSON of what a herder tells, with members in Kafka Connect's order.

mod modules;
mod preview;

use caisson_api::manifest::PluginKind;
use caisson_herder::{
    ClusterInfo, Config, ConfigInfos, ConfigKeyInfo, ConfigValueInfo, ConnectorInfo, ConnectorKind, ConnectorOffset,
    ConnectorStatus, LoggerLevel, PluginInfo, Status, TaskInfo, TaskStatus,
};
use caisson_model::TaskId;
use serde_json::{Map, Value, json};

pub use modules::{binding, bound, decision, module};
pub use preview::preview;

pub fn cluster(info: &ClusterInfo) -> Value {
    json!({"version": info.version, "commit": info.commit, "kafka_cluster_id": info.kafka_cluster_id})
}

pub fn config(config: &Config) -> Value {
    config
        .iter()
        .map(|(key, value)| (key.clone(), Value::from(value.clone())))
        .collect::<Map<_, _>>()
        .into()
}

pub fn connector_info(info: &ConnectorInfo) -> Value {
    let tasks: Vec<Value> = info.tasks.iter().map(task_id).collect();
    json!({"name": info.name, "config": config(&info.config), "tasks": tasks, "type": kind(info.kind)})
}

pub fn task_info(info: &TaskInfo) -> Value {
    json!({"id": task_id(&info.id), "config": config(&info.config)})
}

fn task_id(id: &TaskId) -> Value {
    json!({"connector": &*id.connector, "task": id.task})
}

fn kind(kind: Option<ConnectorKind>) -> &'static str {
    match kind {
        Some(ConnectorKind::Source) => "source",
        Some(ConnectorKind::Sink) => "sink",
        None => "unknown",
    }
}

pub fn connector_status(status: &ConnectorStatus) -> Value {
    let connector = state(Map::new(), status.connector.state.as_str(), &status.connector);
    let tasks: Vec<Value> = status.tasks.iter().map(task_status).collect();
    json!({"name": status.name, "connector": connector, "tasks": tasks, "type": kind(status.kind)})
}

pub fn task_status(task: &TaskStatus) -> Value {
    let id = Map::from_iter([("id".to_owned(), Value::from(task.number))]);
    state(id, task.status.state.as_str(), &task.status)
}

fn state<S>(mut members: Map<String, Value>, name: &str, status: &Status<S>) -> Value {
    members.insert("state".to_owned(), name.into());
    members.insert("worker_id".to_owned(), status.worker_id.as_str().into());
    // A plugin without a version says `undefined`, which is left out; where none is known yet, it is null.
    if status.version.as_deref() != Some("undefined") {
        members.insert("version".to_owned(), status.version.clone().into());
    }
    if let Some(trace) = status.trace.as_deref().filter(|trace| !trace.is_empty()) {
        members.insert("trace".to_owned(), trace.into());
    }
    members.into()
}

pub fn offsets(offsets: &[ConnectorOffset]) -> Value {
    let object = |members: &Option<Map<String, Value>>| members.clone().map_or(Value::Null, Value::Object);
    let offsets: Vec<Value> = offsets
        .iter()
        .map(|offset| json!({"partition": object(&offset.partition), "offset": object(&offset.offset)}))
        .collect();
    json!({"offsets": offsets})
}

pub fn plugin(info: &PluginInfo) -> Value {
    let mut members = Map::new();
    members.insert("class".to_owned(), info.class.as_str().into());
    members.insert("type".to_owned(), plugin_kind(info.kind).into());
    if let Some(version) = info.version.as_deref().filter(|version| *version != "undefined") {
        members.insert("version".to_owned(), version.into());
    }
    members.into()
}

fn plugin_kind(kind: PluginKind) -> &'static str {
    match kind {
        PluginKind::Sink => "sink",
        PluginKind::Source => "source",
        PluginKind::Transform => "transformation",
        PluginKind::Predicate => "predicate",
        PluginKind::Converter => "converter",
        PluginKind::HeaderConverter => "header_converter",
    }
}

pub fn validation(infos: &ConfigInfos) -> Value {
    let config = |info: &caisson_herder::ConfigInfo| {
        let definition = info.definition.as_ref().map_or(Value::Null, definition);
        json!({"definition": definition, "value": value(&info.value)})
    };
    let configs: Vec<Value> = infos.configs.iter().map(config).collect();
    json!({"name": infos.name, "error_count": infos.error_count, "groups": infos.groups, "configs": configs})
}

pub fn definition(key: &ConfigKeyInfo) -> Value {
    json!({
        "name": key.name,
        "type": key.kind,
        "required": key.required,
        "default_value": key.default_value,
        "importance": key.importance,
        "documentation": key.documentation,
        "group": key.group,
        "order_in_group": key.order_in_group,
        "width": key.width,
        "display_name": key.display_name,
        "dependents": key.dependents,
    })
}

fn value(value: &ConfigValueInfo) -> Value {
    json!({
        "name": value.name,
        "value": value.value,
        "recommended_values": value.recommended_values,
        "errors": value.errors,
        "visible": value.visible,
    })
}

pub fn logger(level: LoggerLevel) -> Value {
    json!({"level": level.level.as_str(), "last_modified": level.last_modified})
}

#[cfg(test)]
mod tests {
    use super::*;
    use caisson_model::{ConnectorState, TaskState};

    #[test]
    fn status_has_members_in_order_and_leaves_out_what_is_not_there() {
        let status = ConnectorStatus {
            name: "c".to_owned(),
            connector: Status {
                state: ConnectorState::Running,
                worker_id: "w:1".to_owned(),
                trace: Some(String::new()),
                version: Some("undefined".to_owned()),
                generation: 0,
            },
            tasks: vec![TaskStatus {
                number: 0,
                status: Status {
                    state: TaskState::Failed,
                    worker_id: "w:1".to_owned(),
                    trace: Some("why".to_owned()),
                    version: None,
                    generation: 0,
                },
            }],
            kind: None,
        };
        let expected = r#"{"name":"c","connector":{"state":"RUNNING","worker_id":"w:1"},"tasks":[{"id":0,"state":"FAILED","worker_id":"w:1","version":null,"trace":"why"}],"type":"unknown"}"#;
        assert_eq!(connector_status(&status).to_string(), expected);
    }
}

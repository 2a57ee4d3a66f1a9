//! A worker as the recordings had it, without anything that runs.

use caisson_api::config::{Importance, Key, Type, Validator};
use caisson_api::manifest::PluginKind;
use caisson_config::providers::{Machine, Resolved};
use caisson_config::validate::{self, ConfigInfos, KeyInfo, OwnAnswers, OwnValue, Refusal, Request, Support};
use caisson_config::{Catalogue, Given, PluginInfo, WorkerConfig, builtin};
use serde_json::{Value, json};

const PROPERTIES: &str = "\
bootstrap.servers=127.0.0.1:9092
group.id=connect-cluster
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
offset.storage.topic=connect-offsets
config.storage.topic=connect-configs
status.storage.topic=connect-status
";

pub struct Worker {
    config: WorkerConfig,
    plugins: Catalogue,
}

impl Worker {
    pub fn new() -> Worker {
        Worker::with("")
    }

    /// With more lines in the properties of the worker.
    pub fn with(properties: &str) -> Worker {
        let given =
            caisson_config::properties::parse(format!("{PROPERTIES}{properties}").as_bytes(), "worker.properties")
                .unwrap();
        let mut plugins = Catalogue::default();
        for plugin in builtin::plugins("4.3.1").into_iter().chain(file_connectors()) {
            plugins.add(plugin, Vec::new());
        }
        Worker {
            config: WorkerConfig::distributed(&given, "worker.properties", &[], Box::new(Machine)).unwrap(),
            plugins,
        }
    }

    /// The answer to `PUT /connector-plugins/{plugin}/config/validate`.
    pub fn validation(&self, step: &Value) -> Option<(u64, Value)> {
        // Other methods and types of content are refused by the server.
        if step["method"] != "PUT" || step.get("headers").is_some() {
            return None;
        }
        let path = step["path"].as_str()?;
        let plugin = path
            .strip_prefix("/connector-plugins/")?
            .strip_suffix("/config/validate")?;
        let given = given(&step["body"]);
        let class = given.get("connector.class").unwrap_or_default();
        if let Some(text) = validate::type_mismatch(plugin, class).filter(|_| !class.is_empty()) {
            return Some(error(400, &text));
        }
        Some(match self.infos(&given) {
            Ok(infos) => (200, infos_json(&infos)),
            Err(refusal) => error(500, &refusal.to_string()),
        })
    }

    /// The answer to `GET /connector-plugins/{plugin}/config`.
    pub fn plugin_keys(&self, step: &Value) -> Option<(u64, Value)> {
        let path = step["path"].as_str()?;
        let plugin = path.strip_prefix("/connector-plugins/")?.strip_suffix("/config")?;
        // Paths that no server lets through.
        if plugin == "%25" || plugin.contains("%2F") {
            return None;
        }
        let plugin = plugin.replace("%24", "$").replace("%20", " ");
        Some(match validate::plugin_keys(&self.plugins, &plugin, None) {
            Some(Ok(keys)) => (200, keys.iter().map(key_json).collect()),
            Some(Err(missing)) => error(400, &missing.to_string()),
            None => error(404, &format!("Unknown plugin {plugin}.")),
        })
    }

    /// The answer to the creation or change of a connector that is refused for its configuration.
    pub fn creation(&self, step: &Value) -> Option<(u64, Value)> {
        let message = step["expect"]["body"]["message"].as_str()?;
        message.strip_prefix("Connector configuration is invalid")?;
        let body = &step["body"];
        let mut given = given(body.get("config").unwrap_or(body));
        if step["method"] == "POST" {
            // Names are trimmed; one that is missing is like an empty one.
            let name = body["name"].as_str().unwrap_or_default();
            given.set("name", Some(name.trim_matches(|c| c <= ' ').to_owned()));
        } else if step["method"] == "PUT" {
            given.set("name", Some("cf-c".to_owned()));
        } else {
            return None;
        }
        let infos = self.infos(&given).unwrap();
        Some(error(400, &infos.refusal().unwrap_or_default()))
    }

    pub fn infos(&self, given: &Given) -> Result<ConfigInfos, Refusal> {
        self.infos_with(given, Vec::new())
    }

    /// With what the plugin says of keys.
    pub fn infos_with(&self, given: &Given, values: Vec<OwnValue>) -> Result<ConfigInfos, Refusal> {
        let resolved: Resolved = self.config.providers.resolve(given);
        let own = OwnAnswers {
            values,
            // What the file source says.
            exactly_once: Some(match given.get("file") {
                Some(_) => Support::Supported,
                None => Support::Unsupported,
            }),
            transaction_boundaries: Some(Support::Unsupported),
        };
        validate::validate(&Request {
            given,
            resolved: &resolved,
            worker: &self.config,
            plugins: &self.plugins,
            own: &own,
        })
    }
}

fn file_connectors() -> [PluginInfo; 2] {
    let file = Key::new("file", Type::String)
        .optional()
        .importance(Importance::High)
        .documentation("File.");
    let topic = Key::new("topic", Type::String)
        .importance(Importance::High)
        .validator(Validator::NonEmpty)
        .documentation("Topic.");
    let batch = Key::new("batch.size", Type::Int)
        .default("2000")
        .importance(Importance::Low)
        .documentation("Lines.");
    let connector = |kind, name: &str, keys: Vec<Key>| PluginInfo {
        class: format!("org.apache.kafka.connect.file.{name}"),
        kind,
        version: "4.3.1".to_owned(),
        keys: keys.into_iter().map(Into::into).collect(),
    };
    [
        connector(
            PluginKind::Source,
            "FileStreamSourceConnector",
            vec![file.clone(), topic, batch],
        ),
        connector(PluginKind::Sink, "FileStreamSinkConnector", vec![file]),
    ]
}

fn given(body: &Value) -> Given {
    let text = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let object = body.as_object().cloned().unwrap_or_default();
    object.into_iter().map(|(name, value)| (name, text(&value))).collect()
}

fn error(status: u64, message: &str) -> (u64, Value) {
    (status, json!({"error_code": status, "message": message}))
}

fn infos_json(infos: &ConfigInfos) -> Value {
    let configs: Vec<Value> = infos
        .configs
        .iter()
        .map(|config| {
            json!({
                "definition": config.definition.as_ref().map(key_json),
                "value": {
                    "name": config.value.name,
                    "value": config.value.value,
                    "recommended_values": config.value.recommended_values,
                    "errors": config.value.errors,
                    "visible": config.value.visible,
                },
            })
        })
        .collect();
    json!({"name": infos.name, "error_count": infos.error_count, "groups": infos.groups, "configs": configs})
}

fn key_json(key: &KeyInfo) -> Value {
    json!({
        "name": key.name,
        "type": key.kind.as_str(),
        "required": key.required,
        "default_value": key.default_value,
        "importance": key.importance.as_str(),
        "documentation": key.documentation,
        "group": key.group,
        "order_in_group": key.order_in_group,
        "width": key.width.as_str(),
        "display_name": key.display_name,
        "dependents": key.dependents,
    })
}

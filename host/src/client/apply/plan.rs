//! What is to be done about one connector: what the worker has of it, what it is to have, and what the worker says to that.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, anyhow};
use caisson_config::ConnectorFile;
use caisson_model::TargetState;
use caisson_rest::{Remote, RemoteError};
use serde_json::{Map, Value, json};

use super::diff::{Change, Config, diff};
use crate::client::connection::of_connector;
use crate::client::screen::line;

/// What is in names of keys whose definition nobody knows, if they hold secrets.
const SECRET_WORDS: [&str; 5] = ["password", "passphrase", "secret", "token", "jaas"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    None,
    Create,
    Change,
}

pub struct Plan {
    pub connector: ConnectorFile,
    pub action: Action,
    changes: Vec<Change>,
    /// By key.
    errors: BTreeMap<String, Vec<String>>,
}

impl Plan {
    /// Asks the worker what it has, and what it thinks of what it is to have.
    pub async fn of(worker: &Remote, connector: ConnectorFile) -> anyhow::Result<Plan> {
        let about = || format!("connector {}", connector.name);
        let stored = match worker.get(&of_connector(&connector.name, "/config")).await {
            Err(RemoteError::Refused { status: 404, .. }) => None,
            stored => Some(config_of(&stored.with_context(about)?)),
        };
        let wanted = wanted(&connector);
        let answer = validate(worker, &wanted).await.with_context(about)?;
        let mut definitions = Definitions::default();
        // What is taken away is known by the configuration that had it.
        if let Some(stored) = stored
            .as_ref()
            .filter(|stored| stored.keys().any(|key| !wanted.contains_key(key)))
            && let Ok(before) = validate(worker, stored).await
        {
            definitions.learn(&before);
        }
        definitions.learn(&answer);
        let changes = diff(stored.as_ref().unwrap_or(&Config::new()), &wanted, |key| {
            definitions.is_secret(key)
        });
        let action = match stored {
            None => Action::Create,
            Some(_) if changes.is_empty() => Action::None,
            Some(_) => Action::Change,
        };
        Ok(Plan {
            errors: errors(&answer),
            connector,
            action,
            changes,
        })
    }

    pub fn error_count(&self) -> usize {
        self.errors.values().map(Vec::len).sum()
    }

    /// The body of `PUT /connectors/NAME/config`.
    pub fn config(&self) -> Value {
        to_json(&wanted(&self.connector))
    }

    /// The body of `POST /connectors`.
    pub fn request(&self) -> Value {
        let mut request = json!({"name": self.connector.name, "config": self.config()});
        // Older workers do not know it, so it is only said where it matters.
        let state = match self.connector.initial_state {
            TargetState::Started => return request,
            TargetState::Paused => "PAUSED",
            TargetState::Stopped => "STOPPED",
        };
        request["initial_state"] = state.into();
        request
    }

    pub fn render(&self) -> String {
        let name = line(&self.connector.name);
        let mut text = match self.action {
            Action::None => format!("connector {name} is as it should be\n"),
            Action::Create => format!("connector {name} is to be created\n"),
            Action::Change => format!("connector {name} is to be changed\n"),
        };
        for change in &self.changes {
            text.push_str(&format!("  {}\n", change.render()));
        }
        for (key, errors) in &self.errors {
            for error in errors {
                text.push_str(&format!("  ! {}: {}\n", line(key), line(error)));
            }
        }
        text
    }

    pub fn to_json(&self) -> Value {
        let action = match self.action {
            Action::None => "none",
            Action::Create => "create",
            Action::Change => "change",
        };
        json!({
            "name": self.connector.name,
            "action": action,
            "changes": self.changes.iter().map(Change::to_json).collect::<Vec<_>>(),
            "errors": self.errors,
        })
    }
}

fn wanted(connector: &ConnectorFile) -> Config {
    let entries = connector.config.iter();
    entries
        .map(|(key, value)| (key.to_owned(), value.map(str::to_owned)))
        .collect()
}

fn config_of(value: &Value) -> Config {
    let text = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let members = value.as_object().into_iter().flatten();
    members.map(|(key, value)| (key.clone(), text(value))).collect()
}

fn to_json(config: &Config) -> Value {
    let entries = config.iter();
    Value::Object(
        entries
            .map(|(key, value)| (key.clone(), value.clone().into()))
            .collect::<Map<_, _>>(),
    )
}

async fn validate(worker: &Remote, config: &Config) -> anyhow::Result<Value> {
    let class = config.get("connector.class").cloned().flatten();
    let class = class.ok_or_else(|| anyhow!("it has no connector.class"))?;
    let path = format!("/connector-plugins/{}/config/validate", Remote::segment(&class));
    Ok(worker.put(&path, &to_json(config)).await?)
}

/// What the worker finds wrong, by key.
fn errors(answer: &Value) -> BTreeMap<String, Vec<String>> {
    let mut errors = BTreeMap::new();
    for config in answer["configs"].as_array().into_iter().flatten() {
        let value = &config["value"];
        let found = value["errors"].as_array().into_iter().flatten();
        let found: Vec<String> = found.filter_map(Value::as_str).map(str::to_owned).collect();
        if let (Some(key), false) = (value["name"].as_str(), found.is_empty()) {
            errors.insert(key.to_owned(), found);
        }
    }
    errors
}

/// What is known of keys.
#[derive(Default)]
struct Definitions {
    known: BTreeSet<String>,
    passwords: BTreeSet<String>,
}

impl Definitions {
    fn learn(&mut self, answer: &Value) {
        for config in answer["configs"].as_array().into_iter().flatten() {
            let (Some(key), Some(kind)) = (config["value"]["name"].as_str(), config["definition"]["type"].as_str())
            else {
                continue;
            };
            self.known.insert(key.to_owned());
            if kind == "PASSWORD" {
                self.passwords.insert(key.to_owned());
            }
        }
    }

    /// A key that nobody defines is a secret if it sounds like one.
    fn is_secret(&self, key: &str) -> bool {
        let sounds_secret = || {
            let key = key.to_ascii_lowercase();
            SECRET_WORDS.iter().any(|word| key.contains(word))
        };
        self.passwords.contains(key) || !self.known.contains(key) && sounds_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Value {
        let config = |name: &str, kind: &str, errors: &[&str]| json!({"definition": {"name": name, "type": kind}, "value": {"name": name, "errors": errors}});
        let unknown = json!({"definition": null, "value": {"name": "odd", "errors": ["so odd"]}});
        json!({"error_count": 2, "configs": [
            config("url", "STRING", &["no url", "nowhere"]), config("pin", "PASSWORD", &[]), config("token.count", "INT", &[]),
            unknown, 5, {"value": {}},
        ]})
    }

    #[test]
    fn passwords_are_known_by_their_definition_and_else_by_their_name() {
        let mut definitions = Definitions::default();
        definitions.learn(&answer());
        let secret = ["pin", "producer.override.sasl.jaas.config", "my.PASSWORD"];
        assert!(secret.iter().all(|key| definitions.is_secret(key)));
        assert!(
            ["url", "token.count", "file"]
                .iter()
                .all(|key| !definitions.is_secret(key))
        );
    }

    #[test]
    fn a_plan_shows_changes_and_errors_by_key() {
        let connector = ConnectorFile {
            name: "c".to_owned(),
            config: [("pin".to_owned(), Some("1234".to_owned()))].into_iter().collect(),
            initial_state: TargetState::Paused,
        };
        let mut definitions = Definitions::default();
        definitions.learn(&answer());
        let plan = Plan {
            changes: diff(&Config::new(), &wanted(&connector), |key| definitions.is_secret(key)),
            errors: errors(&answer()),
            action: Action::Create,
            connector,
        };
        assert_eq!(
            plan.render(),
            "connector c is to be created\n  + pin: [hidden]\n  ! odd: so odd\n  ! url: no url\n  ! url: nowhere\n"
        );
        assert_eq!(plan.error_count(), 3);
        assert_eq!(
            plan.request(),
            json!({"name": "c", "config": {"pin": "1234"}, "initial_state": "PAUSED"})
        );
        assert!(!plan.to_json().to_string().contains("1234"));
    }
}

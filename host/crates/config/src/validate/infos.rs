//! The answer to a validation (`ConfigInfos` of Kafka Connect's REST entities).

use caisson_api::config::{Default, Importance, Key, Type, Width};

use crate::providers::Secrets;

/// All entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigInfos {
    /// `connector.class` as it was given.
    pub name: String,
    pub error_count: usize,
    pub groups: Vec<String>,
    pub configs: Vec<ConfigInfo>,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigInfo {
    /// `None`: nobody defined the key.
    pub definition: Option<KeyInfo>,
    pub value: ValueInfo,
}

/// A definition (`ConfigKeyInfo`); members in REST's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    pub name: String,
    pub kind: Type,
    pub required: bool,
    pub default_value: Option<String>,
    pub importance: Importance,
    pub documentation: String,
    pub group: Option<String>,
    /// -1 outside of groups.
    pub order_in_group: i32,
    pub width: Width,
    pub display_name: String,
    pub dependents: Vec<String>,
}

/// A value (`ConfigValueInfo`); members in REST's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueInfo {
    pub name: String,
    pub value: Option<String>,
    pub recommended_values: Vec<String>,
    pub errors: Vec<String>,
    pub visible: bool,
}

impl KeyInfo {
    /// What REST shows of a definition, with a prefix before the name.
    pub fn new(key: &Key, prefix: &str) -> KeyInfo {
        KeyInfo {
            name: format!("{prefix}{}", key.name),
            kind: key.kind,
            required: key.default == Default::Required,
            default_value: key.default_value().ok().and_then(|value| value.to_text()),
            importance: key.importance,
            documentation: key.documentation.clone(),
            group: key.group.clone(),
            order_in_group: key.order,
            width: key.width,
            display_name: key.display.clone(),
            dependents: key.dependents.clone(),
        }
    }
}

impl ConfigInfos {
    /// All errors, in the order of the entries: what a refused creation lists.
    pub fn errors(&self) -> impl Iterator<Item = &str> {
        self.configs
            .iter()
            .flat_map(|config| config.value.errors.iter().map(String::as_str))
    }

    /// The message with which Kafka Connect refuses to create such a connector; `None` if there is nothing wrong.
    pub fn refusal(&self) -> Option<String> {
        if self.error_count == 0 {
            return None;
        }
        let mut text = format!(
            "Connector configuration is invalid and contains the following {} error(s):",
            self.error_count
        );
        for error in self.errors() {
            text.push('\n');
            text.push_str(error);
        }
        text.push_str("\nYou can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`");
        Some(text)
    }

    pub(super) fn add_error(&mut self, name: &str, error: String) {
        if let Some(config) = self.configs.iter_mut().find(|config| config.value.name == name) {
            config.value.errors.push(error);
            self.error_count += 1;
        }
    }

    pub(super) fn merge(&mut self, other: ConfigInfos) {
        self.error_count += other.error_count;
        self.configs.extend(other.configs);
        for group in other.groups {
            if !self.groups.contains(&group) {
                self.groups.push(group);
            }
        }
    }

    /// Puts variables back in place of what they stand for, which may be a password.
    pub(super) fn hide(&mut self, secrets: &Secrets) {
        if secrets.is_empty() {
            return;
        }
        for config in &mut self.configs {
            let hidden = config.definition.as_ref().is_some_and(|key| key.kind == Type::Password);
            if let Some(written) = secrets.written(&config.value.name)
                && config.value.value.is_some()
                && !hidden
            {
                config.value.value = Some(written.to_owned());
            }
            // An error about one key can quote the value of another.
            for error in &mut config.value.errors {
                *error = secrets.hide(error);
            }
        }
    }
}

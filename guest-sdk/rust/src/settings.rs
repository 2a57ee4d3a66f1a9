//! A configuration that has passed the checks of its definitions.

use std::collections::BTreeMap;

use caisson_api::Error;
use caisson_api::config::{self, Config, ConfigDef, Password};

/// What there is to say about one key of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigValue {
    pub name: String,
    /// Values to offer to a person who fills in a form.
    pub recommended_values: Vec<String>,
    /// Empty if the value is good.
    pub errors: Vec<String>,
    /// False for a key that means nothing beside the others that are set.
    pub visible: bool,
}

impl ConfigValue {
    /// A visible key with one error.
    pub fn error(name: impl Into<String>, error: impl Into<String>) -> Self {
        ConfigValue {
            name: name.into(),
            recommended_values: Vec::new(),
            errors: vec![error.into()],
            visible: true,
        }
    }
}

/// The settings of a plugin: the values of its defined keys, defaults filled in, and the configuration as it was given.
#[derive(Clone, Debug)]
pub struct Settings {
    config: Config,
    values: config::Settings,
}

impl Settings {
    /// Checks a configuration against definitions; the error has Kafka Connect's words.
    pub fn parse(definitions: &ConfigDef, config: Config) -> Result<Self, Error> {
        let values = definitions.parse(&config)?;
        Ok(Settings { config, values })
    }

    /// As `parse`, where a key may be there with null, as JSON can have it: it then has no value, not its default.
    pub fn parse_nullable(definitions: &ConfigDef, given: BTreeMap<String, Option<String>>) -> Result<Self, Error> {
        let values = definitions.parse(&given)?;
        let config = given
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)))
            .collect();
        Ok(Settings { config, values })
    }

    /// The configuration as it was given, keys that no definition names included.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// A text as it was given, whether a definition names it or not: what a connector adds for its tasks, say.
    pub fn given(&self, key: &str) -> Option<&str> {
        self.config.get(key)
    }

    /// The value of a key of type STRING or CLASS, if it has one.
    pub fn optional_text(&self, key: &str) -> Option<&str> {
        self.values.string(key)
    }

    /// The value of a key of type STRING or CLASS.
    pub fn text(&self, key: &str) -> Result<&str, Error> {
        self.optional_text(key).ok_or_else(|| missing(key, "text"))
    }

    /// The value of a key of type INT or SHORT.
    pub fn int(&self, key: &str) -> Result<i32, Error> {
        self.values.int(key).ok_or_else(|| missing(key, "whole number"))
    }

    /// The value of a key of type INT or SHORT, if it has one.
    pub fn optional_int(&self, key: &str) -> Option<i32> {
        self.values.int(key)
    }

    /// The value of a key of type LONG, INT or SHORT.
    pub fn long(&self, key: &str) -> Result<i64, Error> {
        self.values.long(key).ok_or_else(|| missing(key, "whole number"))
    }

    /// The value of a key of type DOUBLE.
    pub fn double(&self, key: &str) -> Result<f64, Error> {
        self.values.double(key).ok_or_else(|| missing(key, "number"))
    }

    /// The value of a key of type BOOLEAN.
    pub fn boolean(&self, key: &str) -> Result<bool, Error> {
        self.values.boolean(key).ok_or_else(|| missing(key, "boolean"))
    }

    /// The value of a key of type PASSWORD, if it has one.
    pub fn password(&self, key: &str) -> Option<&Password> {
        self.values.password(key)
    }

    /// The items of a key of type LIST; without a value there are none.
    pub fn list(&self, key: &str) -> &[String] {
        self.values.list(key).unwrap_or_default()
    }
}

fn missing(key: &str, kind: &str) -> Error {
    Error::config(format!("configuration {key} has no {kind} as its value"))
}

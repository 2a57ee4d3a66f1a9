//! Parsing and validating a configuration against its definitions.

use std::collections::HashSet;

use super::object::parse_text;
use super::{Checks, ConfigDef, ConfigError, Default, Key, NoChecks, Properties, Setting, Settings, Validator};
use crate::value::java;

/// What validation found about one key (`ConfigValue`).
#[derive(Clone, Debug, PartialEq, std::default::Default)]
pub struct Validated {
    pub name: String,
    /// Null also if the text could not be read.
    pub value: Setting,
    pub recommended: Vec<String>,
    pub errors: Vec<String>,
    pub visible: bool,
}

impl Key {
    /// The value of the key in a configuration, checked.
    pub fn parse(&self, properties: &dyn Properties, checks: &dyn Checks) -> Result<Setting, ConfigError> {
        let mut value = self.read(properties, checks)?;
        // Repeated elements are dropped here, although validation complains about them.
        if let (Setting::List(items), Some(Validator::EachOneOf(_) | Validator::Distinct { .. })) =
            (&mut value, &self.validator)
        {
            let mut seen = HashSet::new();
            items.retain(|item| seen.insert(item.clone()));
        }
        self.check(&value, checks)?;
        Ok(value)
    }

    /// The value without the validator's word on it.
    fn read(&self, properties: &dyn Properties, checks: &dyn Checks) -> Result<Setting, ConfigError> {
        match (properties.property(&self.name), &self.default) {
            (Some(Some(text)), _) => parse_text(&self.name, text, self.kind, checks),
            (Some(None), _) | (None, Default::None) => Ok(Setting::Null),
            (None, Default::Text(text)) => Setting::parse(&self.name, text, self.kind),
            (None, Default::Required) => {
                let name = &self.name;
                Err(ConfigError(format!(
                    "Missing required configuration \"{name}\" which has no default value."
                )))
            }
        }
    }

    fn check(&self, value: &Setting, checks: &dyn Checks) -> Result<(), ConfigError> {
        match &self.validator {
            Some(validator) => validator.check(&self.name, value, checks),
            None => Ok(()),
        }
    }

    /// The default as a value; null for required keys.
    pub fn default_value(&self) -> Result<Setting, ConfigError> {
        match &self.default {
            Default::Required | Default::None => Ok(Setting::Null),
            Default::Text(text) => Setting::parse(&self.name, text, self.kind),
        }
    }
}

impl ConfigDef {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key. For definitions that are written down in code; [`ConfigDef::define`] checks what it adds.
    pub fn key(mut self, key: Key) -> Self {
        self.keys.push(key);
        self
    }

    /// Adds a key, unless it is there already or its own default does not pass.
    pub fn define(&mut self, key: Key) -> Result<(), ConfigError> {
        if self.get(&key.name).is_some() {
            return Err(ConfigError(format!("Configuration {} is defined twice.", key.name)));
        }
        if key.default != Default::Required {
            key.check(&key.default_value()?, &NoChecks)?;
        }
        self.keys.push(key);
        Ok(())
    }

    pub fn get(&self, name: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// The groups in the order in which keys first name them.
    pub fn groups(&self) -> Vec<&str> {
        let mut groups = Vec::new();
        for group in self.keys.iter().filter_map(|key| key.group.as_deref()) {
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        groups
    }

    /// All values, or the first error. Keys that are not defined are ignored.
    pub fn parse(&self, properties: &dyn Properties) -> Result<Settings, ConfigError> {
        self.parse_with(properties, &NoChecks)
    }

    pub fn parse_with(&self, properties: &dyn Properties, checks: &dyn Checks) -> Result<Settings, ConfigError> {
        let undefined = self.undefined_dependents();
        if !undefined.is_empty() {
            let names = undefined.join(",");
            let text = format!("Some configurations in are referred in the dependents, but not defined: {names}");
            return Err(ConfigError(text));
        }
        let read = |key: &Key| Ok((key.name.clone(), key.parse(properties, checks)?));
        Ok(Settings {
            values: self.keys.iter().map(read).collect::<Result<_, ConfigError>>()?,
        })
    }

    /// What is to be said about each key, in the order of Kafka's answer, which is that of a `HashMap` of the names.
    pub fn validate(&self, properties: &dyn Properties) -> Vec<Validated> {
        self.validate_with(properties, &NoChecks)
    }

    pub fn validate_with(&self, properties: &dyn Properties, checks: &dyn Checks) -> Vec<Validated> {
        let mut all: Vec<Validated> = self.keys.iter().map(|key| validate(key, properties, checks)).collect();
        for name in self.undefined_dependents() {
            all.push(Validated {
                name: name.to_owned(),
                errors: vec![format!("{name} is referred in the dependents, but not defined.")],
                ..Validated::default()
            });
        }
        java::sort_as_in_hash_map(&mut all, |found| &found.name);
        all
    }

    fn undefined_dependents(&self) -> Vec<&str> {
        let mut undefined = Vec::new();
        for name in self.keys.iter().flat_map(|key| &key.dependents) {
            if self.get(name).is_none() && !undefined.contains(&name.as_str()) {
                undefined.push(name.as_str());
            }
        }
        undefined
    }
}

fn validate(key: &Key, properties: &dyn Properties, checks: &dyn Checks) -> Validated {
    let mut errors = Vec::new();
    let value = key.read(properties, checks).unwrap_or_else(|error| {
        errors.push(error.0);
        Setting::Null
    });
    if let Err(error) = key.check(&value, checks) {
        errors.push(error.0);
    }
    Validated {
        name: key.name.clone(),
        value,
        recommended: Vec::new(),
        errors,
        visible: true,
    }
}

impl FromIterator<Key> for ConfigDef {
    fn from_iter<I: IntoIterator<Item = Key>>(keys: I) -> Self {
        ConfigDef {
            keys: keys.into_iter().collect(),
        }
    }
}

//! Configuration definitions as Kafka's `ConfigDef` has them: what a key means, its default, and what it allows.
//!
//! One definition drives parsing, validation and documentation, in guests as in the worker.

use std::collections::BTreeMap;

/// `ConfigDef.Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    Boolean,
    String,
    Int,
    Short,
    Long,
    Double,
    List,
    Class,
    Password,
}

/// `ConfigDef.Importance`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Importance {
    High,
    Medium,
    Low,
}

/// `ConfigDef.Width`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Width {
    None,
    Short,
    Medium,
    Long,
}

/// Whether a key has to be given, and what it is if it is not.
#[derive(Clone, Debug, PartialEq)]
pub enum Default {
    /// `ConfigDef.NO_DEFAULT_VALUE`.
    Required,
    /// Null.
    None,
    /// As text, in the form that a user would write.
    Text(String),
}

/// A check of a parsed value. Data rather than code, so that it can stand in a manifest.
#[derive(Clone, Debug, PartialEq)]
pub enum Validator {
    NonEmpty,
    NonEmptyWithoutControl,
    Range(Option<f64>, Option<f64>),
    OneOf(Vec<String>),
    OneOfIgnoringCase(Vec<String>),
    EachOneOf(Vec<String>),
    /// A regular expression that the whole value has to match.
    Pattern(String),
}

/// The definition of one key (`ConfigDef.ConfigKey`).
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    pub name: String,
    pub kind: Type,
    pub default: Default,
    pub validator: Option<Validator>,
    pub importance: Importance,
    pub documentation: String,
    pub group: Option<String>,
    pub order: i32,
    pub width: Width,
    pub display: String,
    pub dependents: Vec<String>,
}

/// The definitions of a plugin, in order.
#[derive(Clone, Debug, PartialEq, std::default::Default)]
pub struct ConfigDef {
    pub keys: Vec<Key>,
}

/// A configuration as it was given: secrets resolved, in file order (`types.config` of the contract).
#[derive(Clone, Debug, PartialEq, Eq, std::default::Default)]
pub struct Config {
    pub entries: Vec<(String, String)>,
}

impl Config {
    pub fn get(&self, key: &str) -> Option<&str> {
        self.entries
            .iter()
            .rev()
            .find(|(k, _)| k == key)
            .map(|(_, v)| v.as_str())
    }
}

impl From<BTreeMap<String, String>> for Config {
    fn from(map: BTreeMap<String, String>) -> Self {
        Config {
            entries: map.into_iter().collect(),
        }
    }
}

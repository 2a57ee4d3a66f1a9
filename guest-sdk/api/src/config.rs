//! Configuration definitions as Kafka's `ConfigDef` has them: what a key means, its default, and what it allows.
//!
//! One definition drives parsing, validation and documentation, in guests as in the worker.

mod definition;
mod json;
mod object;
mod setting;
mod validator;

use std::collections::{BTreeMap, HashMap};

pub use definition::Validated;
pub use object::Object;
pub use setting::{Password, Setting, Settings};
pub use validator::{Bound, Checks, NoChecks};

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

impl Type {
    pub const ALL: [Type; 9] = [
        Type::Boolean,
        Type::String,
        Type::Int,
        Type::Short,
        Type::Long,
        Type::Double,
        Type::List,
        Type::Class,
        Type::Password,
    ];

    /// The word of Kafka's API.
    pub fn as_str(self) -> &'static str {
        match self {
            Type::Boolean => "BOOLEAN",
            Type::String => "STRING",
            Type::Int => "INT",
            Type::Short => "SHORT",
            Type::Long => "LONG",
            Type::Double => "DOUBLE",
            Type::List => "LIST",
            Type::Class => "CLASS",
            Type::Password => "PASSWORD",
        }
    }
}

/// `ConfigDef.Importance`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Importance {
    High,
    Medium,
    Low,
}

impl Importance {
    pub const ALL: [Importance; 3] = [Importance::High, Importance::Medium, Importance::Low];

    pub fn as_str(self) -> &'static str {
        match self {
            Importance::High => "HIGH",
            Importance::Medium => "MEDIUM",
            Importance::Low => "LOW",
        }
    }
}

/// `ConfigDef.Width`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Width {
    None,
    Short,
    Medium,
    Long,
}

impl Width {
    pub const ALL: [Width; 4] = [Width::None, Width::Short, Width::Medium, Width::Long];

    pub fn as_str(self) -> &'static str {
        match self {
            Width::None => "NONE",
            Width::Short => "SHORT",
            Width::Medium => "MEDIUM",
            Width::Long => "LONG",
        }
    }
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
    NonNull,
    NonEmpty,
    NonEmptyWithoutControl,
    Range(Option<Bound>, Option<Bound>),
    OneOf(Vec<String>),
    /// One of these, of which null may be one.
    OneOfOrNull(Vec<Option<String>>),
    OneOfIgnoringCase(Vec<String>),
    /// A list without empty or repeated elements, each out of these; may itself be empty.
    EachOneOf(Vec<String>),
    /// A list without empty or repeated elements.
    Distinct {
        empty_allowed: bool,
        null_allowed: bool,
        /// None means anything.
        values: Vec<String>,
    },
    /// A list of at most so many elements.
    MaxSize(usize),
    /// A regular expression that the whole value has to match.
    Pattern(String),
    All(Vec<Validator>),
    /// A check in code.
    Code(Code),
    /// One of a later version of the contract; it lets everything pass.
    Unknown(String),
}

/// A check that runs where it was written: natively, and inside of a component when it starts. A manifest carries its
/// description only.
#[derive(Clone)]
pub struct Code {
    /// What Kafka prints for the validator.
    pub description: String,
    pub check: Option<Check>,
}

/// Given the name of the key and its value.
pub type Check = fn(&str, &Setting) -> Result<(), ConfigError>;

impl PartialEq for Code {
    /// Addresses of functions mean nothing.
    fn eq(&self, other: &Self) -> bool {
        self.description == other.description
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.description)
    }
}

impl Validator {
    /// A check in code, and what Kafka prints for it.
    pub fn code(description: impl Into<String>, check: Check) -> Self {
        Validator::Code(Code {
            description: description.into(),
            check: Some(check),
        })
    }
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
    /// Place in the group; -1 without one.
    pub order: i32,
    pub width: Width,
    pub display: String,
    pub dependents: Vec<String>,
}

impl Key {
    /// A required key of medium importance.
    pub fn new(name: impl Into<String>, kind: Type) -> Self {
        let name = name.into();
        Key {
            display: name.clone(),
            name,
            kind,
            default: Default::Required,
            validator: None,
            importance: Importance::Medium,
            documentation: String::new(),
            group: None,
            order: -1,
            width: Width::None,
            dependents: Vec::new(),
        }
    }

    /// Not required; without a value it is this one, or what a user would write for it.
    pub fn default(self, value: impl Into<Object>) -> Self {
        let default = value.into().into_text().map_or(Default::None, Default::Text);
        Key { default, ..self }
    }

    /// Not required; null without a value.
    pub fn optional(self) -> Self {
        Key {
            default: Default::None,
            ..self
        }
    }

    pub fn validator(self, validator: Validator) -> Self {
        Key {
            validator: Some(validator),
            ..self
        }
    }

    pub fn importance(self, importance: Importance) -> Self {
        Key { importance, ..self }
    }

    pub fn documentation(self, text: impl Into<String>) -> Self {
        Key {
            documentation: text.into(),
            ..self
        }
    }

    /// Group, and place in it.
    pub fn group(self, group: impl Into<String>, order: i32) -> Self {
        Key {
            group: Some(group.into()),
            order,
            ..self
        }
    }

    pub fn width(self, width: Width) -> Self {
        Key { width, ..self }
    }

    pub fn display(self, name: impl Into<String>) -> Self {
        Key {
            display: name.into(),
            ..self
        }
    }

    pub fn dependents<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Self {
        Key {
            dependents: names.into_iter().map(Into::into).collect(),
            ..self
        }
    }
}

/// The definitions of a plugin, in order.
#[derive(Clone, Debug, PartialEq, std::default::Default)]
pub struct ConfigDef {
    pub keys: Vec<Key>,
}

/// Why a configuration, or a definition, is not acceptable (`ConfigException`).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

impl ConfigError {
    pub fn new(message: impl Into<String>) -> Self {
        ConfigError(message.into())
    }

    /// Kafka's `ConfigException(name, value, message)`.
    pub fn invalid(name: &str, value: impl std::fmt::Display, message: &str) -> Self {
        ConfigError(format!("Invalid value {value} for configuration {name}: {message}"))
    }
}

impl From<ConfigError> for crate::Error {
    fn from(error: ConfigError) -> Self {
        crate::Error::config(error.0)
    }
}

/// Where values of keys come from.
pub trait Properties {
    /// `None` if the key is not there, `Some(None)` if it is there with null.
    fn property(&self, key: &str) -> Option<Option<&str>>;
}

/// A configuration as it was given: secrets resolved, in file order (`types.config` of the contract).
#[derive(Clone, PartialEq, Eq, std::default::Default)]
pub struct Config {
    pub entries: Vec<(String, String)>,
}

impl Config {
    /// The value of a key; of several the last.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.entries
            .iter()
            .rev()
            .find(|(k, _)| k == key)
            .map(|(_, v)| v.as_str())
    }
}

/// Names only: values can be secrets.
impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set()
            .entries(self.entries.iter().map(|(name, _)| name))
            .finish()
    }
}

impl Properties for Config {
    fn property(&self, key: &str) -> Option<Option<&str>> {
        self.get(key).map(Some)
    }
}

impl Properties for BTreeMap<String, String> {
    fn property(&self, key: &str) -> Option<Option<&str>> {
        self.get(key).map(|value| Some(value.as_str()))
    }
}

impl Properties for HashMap<String, String> {
    fn property(&self, key: &str) -> Option<Option<&str>> {
        self.get(key).map(|value| Some(value.as_str()))
    }
}

impl Properties for BTreeMap<String, Option<String>> {
    fn property(&self, key: &str) -> Option<Option<&str>> {
        self.get(key).map(Option::as_deref)
    }
}

impl From<BTreeMap<String, String>> for Config {
    fn from(map: BTreeMap<String, String>) -> Self {
        Config {
            entries: map.into_iter().collect(),
        }
    }
}

impl From<Vec<(String, String)>> for Config {
    fn from(entries: Vec<(String, String)>) -> Self {
        Config { entries }
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Config {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Config {
            entries: entries.into_iter().map(|(k, v)| (k.into(), v.into())).collect(),
        }
    }
}

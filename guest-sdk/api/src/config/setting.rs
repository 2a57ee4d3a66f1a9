//! Values of keys after parsing.

use std::collections::HashMap;
use std::fmt;

use super::{ConfigError, Type};
use crate::value::java;

/// A value of a key.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Setting {
    #[default]
    Null,
    Boolean(bool),
    String(String),
    Int(i32),
    Short(i16),
    Long(i64),
    Double(f64),
    List(Vec<String>),
    Class(String),
    Password(Password),
}

/// A secret: it does not print.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Password(String);

impl Password {
    pub const HIDDEN: &'static str = "[hidden]";

    pub fn new(secret: impl Into<String>) -> Self {
        Password(secret.into())
    }

    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::HIDDEN)
    }
}

impl fmt::Display for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::HIDDEN)
    }
}

impl Setting {
    /// Reads text as a value of a type (`ConfigDef.parseType`); texts of classes and patterns are not looked into.
    pub fn parse(name: &str, text: &str, kind: Type) -> Result<Setting, ConfigError> {
        // Java's trim: everything up to the space.
        let trimmed = text.trim_matches(|c| c <= ' ');
        let not_a_number = || ConfigError::invalid(name, text, &format!("Not a number of type {}", kind.as_str()));
        match kind {
            Type::Boolean if trimmed.eq_ignore_ascii_case("true") => Ok(Setting::Boolean(true)),
            Type::Boolean if trimmed.eq_ignore_ascii_case("false") => Ok(Setting::Boolean(false)),
            Type::Boolean => Err(ConfigError::invalid(
                name,
                text,
                "Expected value to be either true or false",
            )),
            Type::String => Ok(Setting::String(trimmed.to_owned())),
            Type::Int => java::ascii_digits(trimmed)
                .parse()
                .map(Setting::Int)
                .map_err(|_| not_a_number()),
            Type::Short => java::ascii_digits(trimmed)
                .parse()
                .map(Setting::Short)
                .map_err(|_| not_a_number()),
            Type::Long => java::ascii_digits(trimmed)
                .parse()
                .map(Setting::Long)
                .map_err(|_| not_a_number()),
            Type::Double => parse_double(trimmed).map(Setting::Double).ok_or_else(not_a_number),
            Type::List => Ok(Setting::List(split_list(trimmed))),
            Type::Class => Ok(Setting::Class(trimmed.to_owned())),
            Type::Password => Ok(Setting::Password(Password::new(trimmed))),
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Setting::Null)
    }

    /// The text that the REST interface shows (`ConfigDef.convertToString`); passwords stay hidden.
    pub fn to_text(&self) -> Option<String> {
        match self {
            Setting::Null => None,
            Setting::List(items) => Some(items.join(",")),
            Setting::Boolean(_)
            | Setting::String(_)
            | Setting::Int(_)
            | Setting::Short(_)
            | Setting::Long(_)
            | Setting::Double(_)
            | Setting::Class(_)
            | Setting::Password(_) => Some(self.to_string()),
        }
    }

    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Setting::Int(n) => Some(f64::from(*n)),
            Setting::Short(n) => Some(f64::from(*n)),
            Setting::Long(n) => Some(*n as f64),
            Setting::Double(n) => Some(*n),
            Setting::Null
            | Setting::Boolean(_)
            | Setting::String(_)
            | Setting::List(_)
            | Setting::Class(_)
            | Setting::Password(_) => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Setting::String(text) | Setting::Class(text) => Some(text),
            Setting::Password(password) => Some(password.reveal()),
            Setting::Null
            | Setting::Boolean(_)
            | Setting::Int(_)
            | Setting::Short(_)
            | Setting::Long(_)
            | Setting::Double(_)
            | Setting::List(_) => None,
        }
    }
}

/// As `String.valueOf` prints it, which is what messages show.
impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Setting::Null => f.write_str("null"),
            Setting::Boolean(value) => write!(f, "{value}"),
            Setting::String(value) | Setting::Class(value) => f.write_str(value),
            Setting::Int(value) => write!(f, "{value}"),
            Setting::Short(value) => write!(f, "{value}"),
            Setting::Long(value) => write!(f, "{value}"),
            Setting::Double(value) => f.write_str(&java::double_text(*value)),
            Setting::List(items) => write!(f, "[{}]", items.join(", ")),
            Setting::Password(value) => write!(f, "{value}"),
        }
    }
}

/// `Double.parseDouble`, which knows other words for infinity than Rust does and takes a suffix.
fn parse_double(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, "NaN" | "Infinity") {
        return text.parse().ok();
    }
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text).parse().ok()
}

fn split_list(trimmed: &str) -> Vec<String> {
    if trimmed.is_empty() {
        return Vec::new();
    }
    let blank = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c');
    let mut items: Vec<String> = trimmed
        .split(',')
        .map(|item| item.trim_matches(blank).to_owned())
        .collect();
    // White space at the very ends went with the trimming of the whole.
    items.shrink_to_fit();
    items
}

/// The values of a whole definition (`AbstractConfig`).
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Settings {
    pub(super) values: HashMap<String, Setting>,
}

impl Settings {
    /// The value of a key; null if the key is not defined.
    pub fn get(&self, key: &str) -> &Setting {
        self.values.get(key).unwrap_or(&Setting::Null)
    }

    /// A STRING or CLASS.
    pub fn string(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Setting::String(text) | Setting::Class(text) => Some(text),
            _ => None,
        }
    }

    pub fn boolean(&self, key: &str) -> Option<bool> {
        match self.get(key) {
            Setting::Boolean(value) => Some(*value),
            _ => None,
        }
    }

    /// An INT or SHORT.
    pub fn int(&self, key: &str) -> Option<i32> {
        match self.get(key) {
            Setting::Int(value) => Some(*value),
            Setting::Short(value) => Some((*value).into()),
            _ => None,
        }
    }

    /// A LONG, INT or SHORT.
    pub fn long(&self, key: &str) -> Option<i64> {
        match self.get(key) {
            Setting::Long(value) => Some(*value),
            Setting::Int(value) => Some((*value).into()),
            Setting::Short(value) => Some((*value).into()),
            _ => None,
        }
    }

    pub fn double(&self, key: &str) -> Option<f64> {
        self.get(key).number()
    }

    pub fn list(&self, key: &str) -> Option<&[String]> {
        match self.get(key) {
            Setting::List(items) => Some(items),
            _ => None,
        }
    }

    pub fn password(&self, key: &str) -> Option<&Password> {
        match self.get(key) {
            Setting::Password(password) => Some(password),
            _ => None,
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Setting)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value))
    }
}

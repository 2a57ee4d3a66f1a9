//! Paths to fields (`SingleFieldPath`): a plain name, or with `field.syntax.version` V2 steps between dots.

use caisson_sdk::api::config::ConfigError;
use caisson_sdk::api::schema::Field;
use caisson_sdk::prelude::*;

#[derive(Debug)]
pub struct FieldPath {
    steps: Vec<String>,
}

/// Where a path ends in a schema.
#[derive(Debug)]
pub struct Place {
    /// Index of the field at each step.
    indexes: Vec<usize>,
    pub schema: SchemaRef,
}

impl FieldPath {
    pub fn parse(path: &str, version: &str) -> Result<Self, ConfigError> {
        let steps = if version.eq_ignore_ascii_case("V1") {
            vec![path.to_owned()]
        } else {
            split(path)?
        };
        Ok(FieldPath { steps })
    }

    /// The field in a schema; `None` if there is none.
    pub fn find(&self, schema: &SchemaRef) -> Result<Option<Place>, Error> {
        let Some(last) = self.steps.len().checked_sub(1) else {
            return Err(Error::data("fromIndex(0) > toIndex(-1)").with_class("java.lang.IllegalArgumentException"));
        };
        let mut schema = schema;
        let mut indexes = Vec::with_capacity(self.steps.len());
        for (number, step) in self.steps.iter().enumerate() {
            if !matches!(schema.kind, Kind::Struct(_)) {
                return Err(Error::data("Cannot look up fields on non-struct type"));
            }
            let Some(index) = schema.field_index(step) else {
                return Ok(None);
            };
            let Field { schema: next, .. } = &schema.fields()[index];
            indexes.push(index);
            if number == last {
                return Ok(Some(Place {
                    indexes,
                    schema: next.clone(),
                }));
            }
            schema = next;
        }
        Ok(None)
    }

    /// Takes the value out of a map; what is not there is null.
    pub fn take_from(&self, value: Value) -> Result<Value, Error> {
        let Some((last, before)) = self.steps.split_last() else {
            return Err(Error::data("fromIndex(0) > toIndex(-1)").with_class("java.lang.IllegalArgumentException"));
        };
        let mut value = value;
        for step in before {
            value = take_entry(value, step);
            match value {
                Value::Null => return Ok(Value::Null),
                Value::Map(_) => {}
                other => {
                    let class = other.java_class();
                    return Err(Error::data(format!(
                        "Only Map objects supported in absence of schema for [nested field access], found: {class}"
                    )));
                }
            }
        }
        Ok(take_entry(value, last))
    }
}

fn take_entry(value: Value, key: &str) -> Value {
    match value {
        Value::Map(mut entries) => match crate::map::find(&entries, key) {
            Some(place) => entries.swap_remove(place).1,
            None => Value::Null,
        },
        _ => Value::Null,
    }
}

impl Place {
    /// Takes the value out of a struct. A struct on the way that is null makes it null; if the field itself is null, it
    /// may stand for its default.
    pub fn take_from(&self, whole: Value, replace_null_with_default: bool) -> Value {
        let mut value = whole;
        for index in &self.indexes {
            value = match value {
                Value::Struct(mut values) if *index < values.len() => values.swap_remove(*index),
                _ => return Value::Null,
            };
        }
        match (&value, &self.schema.default) {
            (Value::Null, Some(default)) if replace_null_with_default => default.clone(),
            _ => value,
        }
    }
}

/// Steps between dots. A step in backticks may have dots in it; a backtick ends one only before a dot or the end, and
/// not behind a backslash.
fn split(path: &str) -> Result<Vec<String>, ConfigError> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let (step, after) = if rest.starts_with('`') {
            quoted(path, rest)?
        } else {
            match rest.find('.') {
                Some(dot) => (rest[..dot].to_owned(), &rest[dot..]),
                None => (rest.to_owned(), ""),
            }
        };
        steps.push(step);
        rest = match after.strip_prefix('.') {
            Some("") => {
                // A dot at the end is followed by a step without a name.
                steps.push(String::new());
                ""
            }
            Some(next) => next,
            None => "",
        };
    }
    Ok(steps)
}

/// The step in backticks at the start of `rest`, and what is behind it.
fn quoted<'p>(path: &str, rest: &'p str) -> Result<(String, &'p str), ConfigError> {
    let start = path.len() - rest.len();
    let mut from = 1;
    while let Some(found) = rest[from..].find('`') {
        let at = from + found;
        let after = &rest[at + 1..];
        let closes = after.is_empty() || after.starts_with('.');
        if closes && !rest[..at].ends_with('\\') {
            return Ok((unescaped(&rest[1..at]), after));
        }
        from = at + 1;
    }
    let position = path[..start].encode_utf16().count();
    Err(ConfigError::new(format!(
        "Incomplete backtick pair in path: [{path}], consider adding a backslash before backtick at position {position} to escape it"
    )))
}

/// A backslash before a backtick that would end the step is not part of the name.
fn unescaped(step: &str) -> String {
    let mut name = String::with_capacity(step.len());
    let mut rest = step;
    while let Some(at) = rest.find("\\`") {
        name.push_str(&rest[..at]);
        let after = &rest[at + 2..];
        if !(after.is_empty() || after.starts_with('.')) {
            name.push('\\');
        }
        name.push('`');
        rest = after;
    }
    name.push_str(rest);
    name
}

//! What is to be cast to which type.

use caisson_sdk::api::config::{ConfigError, Setting};
use caisson_sdk::api::value::java;
use caisson_sdk::prelude::*;

/// A type to cast to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Boolean,
    String,
}

const TARGETS: [Target; 8] = [
    Target::Int8,
    Target::Int16,
    Target::Int32,
    Target::Int64,
    Target::Float32,
    Target::Float64,
    Target::Boolean,
    Target::String,
];
/// Other types that a schema can have.
const OTHER_TYPES: [&str; 4] = ["ARRAY", "MAP", "STRUCT", "BYTES"];

impl Target {
    pub fn kind(self) -> Kind {
        match self {
            Target::Int8 => Kind::Int8,
            Target::Int16 => Kind::Int16,
            Target::Int32 => Kind::Int32,
            Target::Int64 => Kind::Int64,
            Target::Float32 => Kind::Float32,
            Target::Float64 => Kind::Float64,
            Target::Boolean => Kind::Boolean,
            Target::String => Kind::String,
        }
    }

    fn of_word(word: &str) -> Result<Self, ConfigError> {
        let word = word.trim_matches(|c| c <= ' ');
        let upper = word.to_uppercase();
        if let Some(target) = TARGETS.into_iter().find(|target| target.kind().name() == upper) {
            return Ok(target);
        }
        if OTHER_TYPES.contains(&upper.as_str()) {
            let supported = TARGETS.map(|target| target.kind().name()).join(", ");
            return Err(ConfigError::new(format!(
                "Cast transformation does not support casting to {upper}; supported types are [{supported}]"
            )));
        }
        // The original puts what it should say last into the place of the key's name.
        let cause = format!(
            "java.lang.IllegalArgumentException: No enum constant org.apache.kafka.connect.data.Schema.Type.{upper}"
        );
        Err(ConfigError::new(format!(
            "Invalid value {cause} for configuration Invalid type found in casting spec: {word}"
        )))
    }
}

/// The parsed `spec`.
#[derive(Debug)]
pub enum Spec {
    Whole(Target),
    Fields(Vec<(String, Target)>),
}

impl Spec {
    pub fn parse(items: &[String]) -> Result<Self, ConfigError> {
        if items.is_empty() {
            return Err(ConfigError::new("Must specify at least one field to cast."));
        }
        let mut whole = None;
        let mut fields: Vec<(String, Target)> = Vec::new();
        for item in items {
            match split(item).as_slice() {
                [kind] => whole = Some(Target::of_word(kind)?),
                [field, kind] => {
                    let target = Target::of_word(kind)?;
                    let field = field.trim_matches(|c| c <= ' ');
                    fields.retain(|(known, _)| known != field);
                    fields.push((field.to_owned(), target));
                }
                _ => {
                    // It says so, although the key is another one.
                    let value = Setting::List(items.to_vec());
                    let text = format!("Invalid rename mapping: {item}");
                    return Err(ConfigError::invalid("renames", value, &text));
                }
            }
        }
        match whole {
            None => {
                // A map of Java: its order decides which of two members that cannot be cast is told.
                java::sort_as_in_hash_map(&mut fields, |(field, _)| field);
                Ok(Spec::Fields(fields))
            }
            Some(target) if items.len() == 1 => Ok(Spec::Whole(target)),
            Some(_) => Err(ConfigError::new(
                "Cast transformations that specify a type to cast the entire value to may only specify a single cast in their spec",
            )),
        }
    }
}

/// Whether `spec` is good.
pub fn check(value: &Setting) -> Result<(), ConfigError> {
    match value {
        Setting::List(items) => Spec::parse(items).map(drop),
        _ => Spec::parse(&[]).map(drop),
    }
}

/// As Java's `split(":")`: empty parts at the end do not count.
pub fn split(item: &str) -> Vec<&str> {
    let trimmed = item.trim_end_matches(':');
    if trimmed.is_empty() && !item.is_empty() {
        return Vec::new();
    }
    trimmed.split(':').collect()
}

/// A value of a type that cannot be cast.
pub fn unsupported_input(kind: &str) -> Error {
    const INPUTS: &str = "INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING, BYTES";
    Error::data(format!(
        "Cast transformation does not support casting from {kind}; supported types are [{INPUTS}]"
    ))
}

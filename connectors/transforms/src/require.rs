//! What a transform may ask of a value or record before it works on it (`transforms.util.Requirements`).

use caisson_sdk::prelude::*;

pub type Entries = Vec<(Value, Value)>;

/// The entries of a map without a schema.
pub fn map<'v>(value: &'v mut Value, purpose: &str) -> Result<&'v mut Entries, Error> {
    match value {
        Value::Map(entries) => Ok(entries),
        other => {
            let class = other.java_class();
            Err(Error::data(format!(
                "Only Map objects supported in absence of schema for [{purpose}], found: {class}"
            )))
        }
    }
}

/// The values of a struct's fields.
pub fn structure<'v>(value: &'v mut Value, purpose: &str) -> Result<&'v mut Vec<Value>, Error> {
    match value {
        Value::Struct(values) => Ok(values),
        other => {
            let class = other.java_class();
            Err(Error::data(format!(
                "Only Struct objects supported for [{purpose}], found: {class}"
            )))
        }
    }
}

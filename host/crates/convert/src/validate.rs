//! Whether a value fits a schema (`ConnectSchema.validateValue`).

use caisson_api::Value;
use caisson_api::schema::{DATE, DECIMAL, Kind, Schema, TIME, TIMESTAMP};

use crate::{ConvertError, java};

/// Validates a value that stands for itself.
pub(crate) fn value(schema: &Schema, value: &Value) -> Result<(), ConvertError> {
    check(schema, value, &|| "value".to_owned())
}

/// Validates the value of a field of a struct.
pub(crate) fn field(name: &str, schema: &Schema, value: &Value) -> Result<(), ConvertError> {
    check(schema, value, &|| format!("field: \"{name}\""))
}

fn check(schema: &Schema, value: &Value, location: &dyn Fn() -> String) -> Result<(), ConvertError> {
    if value.is_null() {
        if schema.optional {
            return Ok(());
        }
        let kind = java::type_name(&schema.kind);
        let location = location();
        return Err(ConvertError::data(format!(
            "Invalid value: null used for required {location}, schema type: {kind}"
        )));
    }
    if !fits(schema, value) {
        let name = schema
            .name
            .as_ref()
            .map(|name| format!(" \"{name}\""))
            .unwrap_or_default();
        let (kind, class, location) = (java::type_name(&schema.kind), java::class_of(value), location());
        return Err(ConvertError::data(format!(
            "Invalid Java object for schema{name} with type {kind}: {class} for {location}"
        )));
    }
    match (&schema.kind, value) {
        (Kind::Array(element), Value::Array(elements)) => {
            for value in elements {
                check(element, value, &|| format!("element of array {}", location()))?;
            }
        }
        (Kind::Map(keys, values), Value::Map(entries)) => {
            for (key, value) in entries {
                check(keys, key, &|| format!("key of map {}", location()))?;
                check(values, value, &|| format!("value of map {}", location()))?;
            }
        }
        (Kind::Struct(fields), Value::Struct(values)) => {
            if fields.len() != values.len() {
                return Err(ConvertError::data("Struct schemas do not match."));
            }
            for (part, value) in fields.iter().zip(values) {
                if !value.is_null() || part.schema.default.is_none() {
                    field(&part.name, &part.schema, value)?;
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// `ConnectSchema.expectedClassesFor`: a logical name counts for more than the type.
fn fits(schema: &Schema, value: &Value) -> bool {
    match schema.name.as_deref() {
        Some(DECIMAL) => return matches!(value, Value::Decimal(_)),
        Some(DATE | TIME | TIMESTAMP) => return matches!(value, Value::Date(_)),
        Some(_) | None => {}
    }
    matches!(
        (&schema.kind, value),
        (Kind::Int8, Value::Int8(_))
            | (Kind::Int16, Value::Int16(_))
            | (Kind::Int32, Value::Int32(_))
            | (Kind::Int64, Value::Int64(_))
            | (Kind::Float32, Value::Float32(_))
            | (Kind::Float64, Value::Float64(_))
            | (Kind::Boolean, Value::Boolean(_))
            | (Kind::String, Value::String(_))
            | (Kind::Bytes, Value::Bytes(_))
            | (Kind::Array(_), Value::Array(_))
            | (Kind::Map(..), Value::Map(_))
            | (Kind::Struct(_), Value::Struct(_))
    )
}

//! Whether a value fits a schema (`ConnectSchema.validateValue`).

use super::{Kind, Logical, Schema, SchemaError, SchemaRef};
use crate::value::Value;

/// Where in the value we are, for messages; text is only made when there is something to say.
enum Place<'a> {
    Value,
    Field(&'a str),
    Element(&'a Place<'a>),
    Key(&'a Place<'a>),
    MapValue(&'a Place<'a>),
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Value => f.write_str("value"),
            Place::Field(name) => write!(f, "field: \"{name}\""),
            Place::Element(array) => write!(f, "element of array {array}"),
            Place::Key(map) => write!(f, "key of map {map}"),
            Place::MapValue(map) => write!(f, "value of map {map}"),
        }
    }
}

impl Schema {
    /// Checks a value as Kafka Connect does, with its messages.
    pub fn validate(&self, value: &Value) -> Result<(), SchemaError> {
        validate(self, value, &Place::Value)
    }

    /// Checks the value of a field; messages name it.
    pub fn validate_field(&self, name: &str, value: &Value) -> Result<(), SchemaError> {
        validate(self, value, &Place::Field(name))
    }
}

fn validate(schema: &Schema, value: &Value, place: &Place<'_>) -> Result<(), SchemaError> {
    if value.is_null() {
        if schema.optional {
            return Ok(());
        }
        let kind = &schema.kind;
        let text = format!("Invalid value: null used for required {place}, schema type: {kind}");
        return Err(SchemaError::Data(text));
    }
    if !is_expected(schema, value) {
        let name = schema
            .name
            .as_ref()
            .map(|name| format!(" \"{name}\""))
            .unwrap_or_default();
        let (kind, class) = (&schema.kind, value.java_class());
        let text = format!("Invalid Java object for schema{name} with type {kind}: class {class} for {place}");
        return Err(SchemaError::Data(text));
    }
    match (&schema.kind, value) {
        (Kind::Struct(fields), Value::Struct(values)) => {
            if fields.len() != values.len() {
                return Err(SchemaError::Data("Struct schemas do not match.".into()));
            }
            fields
                .iter()
                .zip(values)
                .try_for_each(|(field, value)| validate_in_struct(&field.name, &field.schema, value))
        }
        (Kind::Array(element), Value::Array(values)) => values
            .iter()
            .try_for_each(|value| validate(element, value, &Place::Element(place))),
        (Kind::Map(key, value), Value::Map(entries)) => entries.iter().try_for_each(|(k, v)| {
            validate(key, k, &Place::Key(place))?;
            validate(value, v, &Place::MapValue(place))
        }),
        _ => Ok(()),
    }
}

/// `Struct.validate`: null stands for the default too.
fn validate_in_struct(name: &str, schema: &SchemaRef, value: &Value) -> Result<(), SchemaError> {
    if value.is_null() && (schema.optional || schema.default.is_some()) {
        return Ok(());
    }
    validate(schema, value, &Place::Field(name))
}

/// A logical type goes by name alone, whatever it stands on.
fn is_expected(schema: &Schema, value: &Value) -> bool {
    match schema.name.as_deref().and_then(Logical::from_name) {
        Some(Logical::Decimal) => return matches!(value, Value::Decimal(_)),
        Some(Logical::Date | Logical::Time | Logical::Timestamp) => return matches!(value, Value::Date(_)),
        None => {}
    }
    match schema.kind {
        Kind::Int8 => matches!(value, Value::Int8(_)),
        Kind::Int16 => matches!(value, Value::Int16(_)),
        Kind::Int32 => matches!(value, Value::Int32(_)),
        Kind::Int64 => matches!(value, Value::Int64(_)),
        Kind::Float32 => matches!(value, Value::Float32(_)),
        Kind::Float64 => matches!(value, Value::Float64(_)),
        Kind::Boolean => matches!(value, Value::Boolean(_)),
        Kind::String => matches!(value, Value::String(_)),
        Kind::Bytes => matches!(value, Value::Bytes(_)),
        Kind::Array(_) => matches!(value, Value::Array(_)),
        Kind::Map(_, _) => matches!(value, Value::Map(_)),
        Kind::Struct(_) => matches!(value, Value::Struct(_)),
    }
}

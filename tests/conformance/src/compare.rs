//! When two values are the same.

use caisson_api::schema::{Kind, Schema};
use caisson_api::{Record, SchemaRef, Value};

/// Floating-point numbers by their bits, with all NaN equal; maps without regard to order.
pub fn same_value(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Float32(a), Value::Float32(b)) => a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
        (Value::Float64(a), Value::Float64(b)) => a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
        (Value::Array(a), Value::Array(b)) | (Value::Struct(a), Value::Struct(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_value(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            let find = |key: &Value| b.iter().find(|(known, _)| same_value(known, key));
            a.len() == b.len()
                && a.iter()
                    .all(|(key, value)| find(key).is_some_and(|(_, other)| same_value(value, other)))
        }
        (a, b) => a == b,
    }
}

/// The same schema in all its parts, and the same order of fields and parameters. Defaults are values.
pub fn same_schema(a: &Schema, b: &Schema) -> bool {
    let same_default = match (&a.default, &b.default) {
        (Some(a), Some(b)) => same_value(a, b),
        (a, b) => a.is_none() && b.is_none(),
    };
    let plain = |schema: &Schema| Schema {
        default: None,
        kind: Kind::Boolean,
        ..schema.clone()
    };
    same_default && same_kind(&a.kind, &b.kind) && plain(a) == plain(b)
}

fn same_kind(a: &Kind, b: &Kind) -> bool {
    match (a, b) {
        (Kind::Array(a), Kind::Array(b)) => same_schema(a, b),
        (Kind::Map(a_key, a_value), Kind::Map(b_key, b_value)) => {
            same_schema(a_key, b_key) && same_schema(a_value, b_value)
        }
        (Kind::Struct(a), Kind::Struct(b)) => {
            let mut pairs = a.iter().zip(b);
            a.len() == b.len() && pairs.all(|(a, b)| a.name == b.name && same_schema(&a.schema, &b.schema))
        }
        (a, b) => a == b,
    }
}

fn same_schemas(a: Option<&SchemaRef>, b: Option<&SchemaRef>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => same_schema(a, b),
        (a, b) => a.is_none() && b.is_none(),
    }
}

/// The same schema and the same value. Order counts in schemas.
pub fn same_data(a: &(Option<SchemaRef>, Value), b: &(Option<SchemaRef>, Value)) -> bool {
    same_schemas(a.0.as_ref(), b.0.as_ref()) && same_value(&a.1, &b.1)
}

/// The same record in all its parts.
pub fn same_record(a: &Record, b: &Record) -> bool {
    a.topic == b.topic
        && a.partition == b.partition
        && a.timestamp == b.timestamp
        && same_schemas(a.key_schema.as_ref(), b.key_schema.as_ref())
        && same_value(&a.key, &b.key)
        && same_schemas(a.value_schema.as_ref(), b.value_schema.as_ref())
        && same_value(&a.value, &b.value)
        && a.headers.len() == b.headers.len()
        && a.headers.iter().zip(&b.headers).all(|(a, b)| {
            a.name == b.name && same_schemas(a.schema.as_ref(), b.schema.as_ref()) && same_value(&a.value, &b.value)
        })
}

//! When two values are the same.

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

/// The same schema and the same value. Order counts in schemas.
pub fn same_data(a: &(Option<SchemaRef>, Value), b: &(Option<SchemaRef>, Value)) -> bool {
    a.0 == b.0 && same_value(&a.1, &b.1)
}

/// The same record in all its parts.
pub fn same_record(a: &Record, b: &Record) -> bool {
    a.topic == b.topic
        && a.partition == b.partition
        && a.timestamp == b.timestamp
        && a.key_schema == b.key_schema
        && same_value(&a.key, &b.key)
        && a.value_schema == b.value_schema
        && same_value(&a.value, &b.value)
        && a.headers.len() == b.headers.len()
        && a.headers
            .iter()
            .zip(&b.headers)
            .all(|(a, b)| a.name == b.name && a.schema == b.schema && same_value(&a.value, &b.value))
}

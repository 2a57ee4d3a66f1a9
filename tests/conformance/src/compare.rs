//! When two values are the same.

use caisson_api::{SchemaRef, Value};

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

//! `toString` of the objects that stand for values in Kafka Connect.

use caisson_api::Value;
use caisson_api::schema::{Kind, Schema};

/// Appends what Java's `toString` gives for a value. Structs need their schema for the names of their fields.
pub(crate) fn write_text(out: &mut Vec<u8>, schema: Option<&Schema>, value: &Value) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Boolean(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Value::Int8(value) => super::write_i64(out, i64::from(*value)),
        Value::Int16(value) => super::write_i64(out, i64::from(*value)),
        Value::Int32(value) => super::write_i64(out, i64::from(*value)),
        Value::Int64(value) => super::write_i64(out, *value),
        Value::Float32(value) => super::write_f32(out, *value),
        Value::Float64(value) => super::write_f64(out, *value),
        Value::String(value) => out.extend_from_slice(value.as_bytes()),
        // Java prints the identity of the array; no two runs agree, so the form is kept and the identity is not.
        Value::Bytes(_) => out.extend_from_slice(b"[B@0"),
        Value::Decimal(value) => super::write_decimal(out, value),
        Value::Date(millis) => super::date::write_date(out, *millis),
        Value::Array(elements) => {
            let element_schema = match schema.map(|schema| &schema.kind) {
                Some(Kind::Array(element)) => Some(element.as_ref()),
                Some(_) | None => None,
            };
            out.push(b'[');
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    out.extend_from_slice(b", ");
                }
                write_text(out, element_schema, element);
            }
            out.push(b']');
        }
        Value::Map(entries) => write_map(out, schema, entries),
        Value::Struct(values) => write_struct(out, schema, values),
    }
}

fn write_map(out: &mut Vec<u8>, schema: Option<&Schema>, entries: &[(Value, Value)]) {
    let (key_schema, value_schema) = match schema.map(|schema| &schema.kind) {
        Some(Kind::Map(key, value)) => (Some(key.as_ref()), Some(value.as_ref())),
        Some(_) | None => (None, None),
    };
    out.push(b'{');
    for (index, (key, value)) in entries.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        write_text(out, key_schema, key);
        out.push(b'=');
        write_text(out, value_schema, value);
    }
    out.push(b'}');
}

/// Fields that are null are left out.
fn write_struct(out: &mut Vec<u8>, schema: Option<&Schema>, values: &[Value]) {
    let fields = match schema.map(|schema| &schema.kind) {
        Some(Kind::Struct(fields)) => fields.as_slice(),
        Some(_) | None => &[],
    };
    out.extend_from_slice(b"Struct{");
    let mut first = true;
    for (field, value) in fields.iter().zip(values).filter(|(_, value)| !value.is_null()) {
        if !first {
            out.push(b',');
        }
        first = false;
        out.extend_from_slice(field.name.as_bytes());
        out.push(b'=');
        write_text(out, Some(&field.schema), value);
    }
    out.push(b'}');
}

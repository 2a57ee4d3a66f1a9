//! Values to JSON text (`JsonConverter.convertToJson`), written directly.

use caisson_api::Value;
use caisson_api::schema::{DATE, DECIMAL, Kind, Schema, TIME, TIMESTAMP};

use super::options::{DecimalFormat, JsonOptions};
use super::text::write_string;
use crate::logical::{self, date_to_days, time_to_millis};
use crate::{ConvertError, java};

/// Appends `value` as JSON.
pub(crate) fn write_value(
    out: &mut Vec<u8>,
    schema: Option<&Schema>,
    value: &Value,
    options: &JsonOptions,
) -> Result<(), ConvertError> {
    match schema {
        Some(schema) => write_with_schema(out, schema, value, options),
        None => write_schemaless(out, value),
    }
}

/// Appends `value`, which has no schema.
pub(crate) fn write_schemaless(out: &mut Vec<u8>, value: &Value) -> Result<(), ConvertError> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Boolean(value) => write_boolean(out, *value),
        Value::Int8(value) => java::write_i64(out, i64::from(*value)),
        Value::Int16(value) => java::write_i64(out, i64::from(*value)),
        Value::Int32(value) => java::write_i64(out, i64::from(*value)),
        Value::Int64(value) => java::write_i64(out, *value),
        Value::Float32(value) => write_f32(out, *value),
        Value::Float64(value) => write_f64(out, *value),
        Value::String(value) => write_string(out, value),
        Value::Bytes(value) => write_base64(out, value),
        Value::Array(elements) => write_array(out, elements, write_schemaless)?,
        Value::Map(entries) if entries.iter().all(|(key, _)| matches!(key, Value::String(_))) => {
            write_object(out, entries, write_schemaless)?;
        }
        Value::Map(entries) => write_pairs(out, entries, write_schemaless, write_schemaless)?,
        // A struct without a schema beside it never equals what it is compared with.
        Value::Struct(_) => return Err(ConvertError::data("Mismatching schema.")),
        Value::Decimal(_) | Value::Date(_) => {
            let class = java::class_of(value);
            return Err(ConvertError::data(format!(
                "Java class {class} does not have corresponding schema type."
            )));
        }
    }
    Ok(())
}

fn write_with_schema(
    out: &mut Vec<u8>,
    schema: &Schema,
    value: &Value,
    options: &JsonOptions,
) -> Result<(), ConvertError> {
    if value.is_null() {
        return write_null(out, schema, options);
    }
    match schema.name.as_deref() {
        Some(DECIMAL) => return write_decimal(out, schema, value, options),
        Some(DATE | TIME | TIMESTAMP) => return write_date(out, schema, value),
        Some(_) | None => {}
    }
    match (&schema.kind, value) {
        (Kind::Int8, Value::Int8(value)) => java::write_i64(out, i64::from(*value)),
        (Kind::Int16, Value::Int16(value)) => java::write_i64(out, i64::from(*value)),
        (Kind::Int32, Value::Int32(value)) => java::write_i64(out, i64::from(*value)),
        (Kind::Int64, Value::Int64(value)) => java::write_i64(out, *value),
        (Kind::Float32, Value::Float32(value)) => write_f32(out, *value),
        (Kind::Float64, Value::Float64(value)) => write_f64(out, *value),
        (Kind::Boolean, Value::Boolean(value)) => write_boolean(out, *value),
        (Kind::String, Value::String(value)) => write_string(out, value),
        (Kind::Bytes, Value::Bytes(value)) => write_base64(out, value),
        (Kind::Bytes, other) => {
            return Err(ConvertError::data(format!(
                "Invalid type for bytes type: {}",
                java::class_of(other)
            )));
        }
        (Kind::Array(element_schema), Value::Array(elements)) => {
            write_array(out, elements, |out, element| {
                write_with_schema(out, element_schema, element, options)
            })?;
        }
        (Kind::Map(keys, values), Value::Map(entries)) if matches!(keys.kind, Kind::String) => {
            write_string_map(out, keys, values, entries, options)?;
        }
        (Kind::Map(keys, values), Value::Map(entries)) => {
            let write_key = |out: &mut Vec<u8>, key: &Value| write_with_schema(out, keys, key, options);
            write_pairs(out, entries, write_key, |out, value| {
                write_with_schema(out, values, value, options)
            })?;
        }
        (Kind::Struct(fields), Value::Struct(values)) => {
            if fields.len() != values.len() {
                return Err(ConvertError::data("Mismatching schema."));
            }
            out.push(b'{');
            for (index, (field, value)) in fields.iter().zip(values).enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_string(out, &field.name);
                out.push(b':');
                write_with_schema(out, &field.schema, value, options)?;
            }
            out.push(b'}');
        }
        (kind, other) => {
            let class = java::class_of(other);
            return Err(ConvertError::data(format!("Invalid type for {kind}: {class}")));
        }
    }
    Ok(())
}

/// Null where a schema is: its default, null if it may be, or an error.
pub(crate) fn write_null(out: &mut Vec<u8>, schema: &Schema, options: &JsonOptions) -> Result<(), ConvertError> {
    if options.replace_null_with_default
        && let Some(default) = &schema.default
    {
        return write_default(out, schema, default, options);
    }
    if schema.optional {
        out.extend_from_slice(b"null");
        return Ok(());
    }
    Err(required())
}

pub(crate) fn required() -> ConvertError {
    ConvertError::data("Conversion error: null value for field that is required and has no default value")
}

/// The default of a schema. In Java the struct that is a default carries the schema that it was built with, which
/// cannot have that default in turn, and so never equals the schema that it is the default of.
pub(crate) fn write_default(
    out: &mut Vec<u8>,
    schema: &Schema,
    default: &Value,
    options: &JsonOptions,
) -> Result<(), ConvertError> {
    if let Value::Struct(_) = default {
        return Err(ConvertError::data("Mismatching schema."));
    }
    write_with_schema(out, schema, default, options)
}

fn write_boolean(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

/// Jackson puts quotes around what JSON has no number for.
pub fn write_f64(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        java::write_f64(out, value);
    } else {
        out.push(b'"');
        java::write_f64(out, value);
        out.push(b'"');
    }
}

pub fn write_f32(out: &mut Vec<u8>, value: f32) {
    if value.is_finite() {
        java::write_f32(out, value);
    } else {
        out.push(b'"');
        java::write_f32(out, value);
        out.push(b'"');
    }
}

pub fn write_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    crate::base64::encode(out, bytes);
    out.push(b'"');
}

fn write_array(
    out: &mut Vec<u8>,
    elements: &[Value],
    mut write: impl FnMut(&mut Vec<u8>, &Value) -> Result<(), ConvertError>,
) -> Result<(), ConvertError> {
    out.push(b'[');
    for (index, element) in elements.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, element)?;
    }
    out.push(b']');
    Ok(())
}

fn write_object(
    out: &mut Vec<u8>,
    entries: &[(Value, Value)],
    mut write: impl FnMut(&mut Vec<u8>, &Value) -> Result<(), ConvertError>,
) -> Result<(), ConvertError> {
    out.push(b'{');
    for (index, (key, value)) in entries.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        if let Value::String(key) = key {
            write_string(out, key);
        }
        out.push(b':');
        write(out, value)?;
    }
    out.push(b'}');
    Ok(())
}

fn write_pairs(
    out: &mut Vec<u8>,
    entries: &[(Value, Value)],
    mut write_key: impl FnMut(&mut Vec<u8>, &Value) -> Result<(), ConvertError>,
    mut write_value: impl FnMut(&mut Vec<u8>, &Value) -> Result<(), ConvertError>,
) -> Result<(), ConvertError> {
    out.push(b'[');
    for (index, (key, value)) in entries.iter().enumerate() {
        out.extend_from_slice(if index > 0 { b",[" } else { b"[" });
        write_key(out, key)?;
        out.push(b',');
        write_value(out, value)?;
        out.push(b']');
    }
    out.push(b']');
    Ok(())
}

/// A map whose key schema is a string. A null key is the key's default, or the text `null`.
fn write_string_map(
    out: &mut Vec<u8>,
    keys: &Schema,
    values: &Schema,
    entries: &[(Value, Value)],
    options: &JsonOptions,
) -> Result<(), ConvertError> {
    out.push(b'{');
    for (index, (key, value)) in entries.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let start = out.len();
        write_with_schema(out, keys, key, options)?;
        if out.get(start) != Some(&b'"') {
            out.insert(start, b'"');
            out.push(b'"');
        }
        out.push(b':');
        write_with_schema(out, values, value, options)?;
    }
    out.push(b'}');
    Ok(())
}

fn write_decimal(out: &mut Vec<u8>, schema: &Schema, value: &Value, options: &JsonOptions) -> Result<(), ConvertError> {
    let Value::Decimal(decimal) = value else {
        let class = java::class_of(value);
        return Err(ConvertError::data(format!(
            "Invalid type for Decimal, expected BigDecimal but was {class}"
        )));
    };
    match options.decimal_format {
        DecimalFormat::Numeric => java::write_decimal(out, decimal)?,
        DecimalFormat::Base64 => write_base64(out, logical::decimal_to_bytes(schema, decimal)?),
    }
    Ok(())
}

fn write_date(out: &mut Vec<u8>, schema: &Schema, value: &Value) -> Result<(), ConvertError> {
    let name = schema.name.as_deref().unwrap_or_default();
    let Value::Date(millis) = value else {
        let (short, class) = (name.rsplit('.').next().unwrap_or_default(), java::class_of(value));
        return Err(ConvertError::data(format!(
            "Invalid type for {short}, expected Date but was {class}"
        )));
    };
    let number = match name {
        DATE => i64::from(date_to_days(*millis)?),
        TIME => i64::from(time_to_millis(*millis)?),
        _ => *millis,
    };
    java::write_i64(out, number);
    Ok(())
}

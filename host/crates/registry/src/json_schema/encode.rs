//! Writing values as JSON.

use caisson_api::schema::{Field, Kind, Logical, Schema};
use caisson_api::{Decimal, Value};
use caisson_convert::tree::{write_base64, write_f32, write_f64, write_string};
use caisson_convert::{ConvertError, logical};
use serde_json::Value as Json;

use super::decode::is_union;
use super::options::{self, JsonSchemaOptions};

/// Nesting of values that have no schema.
const MAX_DEPTH: usize = caisson_api::typed::MAX_DEPTH;

/// Appends a value; false is nothing at all, as a required field without a value.
pub fn write(
    options: &JsonSchemaOptions,
    schema: Option<&Schema>,
    value: &Value,
    out: &mut Vec<u8>,
) -> Result<bool, ConvertError> {
    match schema {
        Some(schema) => write_typed(options, schema, value, out),
        None => write_plain(value, 0, out).map(|()| true),
    }
}

/// The JSON of a default.
pub fn to_json(options: &JsonSchemaOptions, schema: &Schema, value: &Value) -> Result<Json, ConvertError> {
    let mut out = Vec::new();
    if !write_typed(options, schema, value, &mut out)? {
        return Ok(Json::Null);
    }
    serde_json::from_slice(&out).map_err(|_| ConvertError::data("Invalid default value"))
}

fn mismatch(schema: &Schema, value: &Value) -> ConvertError {
    ConvertError::data(format!(
        "Invalid type for {}: class {}",
        schema.kind,
        value.java_class()
    ))
}

fn write_typed(
    options: &JsonSchemaOptions,
    schema: &Schema,
    value: &Value,
    out: &mut Vec<u8>,
) -> Result<bool, ConvertError> {
    match (value, &schema.default) {
        (Value::Null, Some(default)) if !options.ignore_default_for_nullables => {
            return write_typed(options, schema, default, out);
        }
        (Value::Null, _) if schema.optional => {
            out.extend_from_slice(b"null");
            return Ok(true);
        }
        (Value::Null, _) => return Ok(false),
        _ => {}
    }
    if let Some(kind) = schema.logical_type() {
        write_logical(options, schema, kind, value, out)?;
        return Ok(true);
    }
    match (&schema.kind, value) {
        (Kind::Int8, Value::Int8(n)) => number(i64::from(*n), out),
        (Kind::Int16, Value::Int16(n)) => number(i64::from(*n), out),
        (Kind::Int32, Value::Int32(n)) => number(i64::from(*n), out),
        (Kind::Int64, Value::Int64(n)) => number(*n, out),
        (Kind::Float32, Value::Float32(n)) => write_f32(out, *n),
        (Kind::Float64, Value::Float64(n)) => write_f64(out, *n),
        (Kind::Boolean, Value::Boolean(value)) => boolean(*value, out),
        (Kind::String, Value::String(text)) => write_string(out, text),
        (Kind::Bytes, Value::Bytes(bytes)) => base64(bytes, out),
        (Kind::Bytes, Value::Decimal(decimal)) => digits(decimal, out),
        (Kind::Array(inner), Value::Array(values)) => {
            list(values, out, |value, out| element(options, inner, value, out))?;
        }
        (Kind::Map(key, inner), Value::Map(entries)) => map(options, (key, inner), entries, out)?,
        (Kind::Struct(fields), Value::Struct(values)) if fields.len() == values.len() => {
            if is_union(schema) {
                return match fields.iter().zip(values).find(|(_, value)| !value.is_null()) {
                    Some((field, value)) => write_typed(options, &field.schema, value, out),
                    None => write_typed(options, schema, &Value::Null, out),
                };
            }
            structure(options, fields, values, out)?;
        }
        (Kind::Struct(_), Value::Struct(_)) => return Err(ConvertError::data("Mismatching schema.")),
        (_, value) => return Err(mismatch(schema, value)),
    }
    Ok(true)
}

fn write_logical(
    options: &JsonSchemaOptions,
    schema: &Schema,
    kind: Logical,
    value: &Value,
    out: &mut Vec<u8>,
) -> Result<(), ConvertError> {
    let expected = |name: &str, class: &str| {
        let found = value.java_class();
        ConvertError::data(format!(
            "Invalid type for {name}, expected {class} but was class {found}"
        ))
    };
    match (kind, value) {
        (Logical::Decimal, Value::Decimal(decimal)) if options.numeric_decimals => digits(decimal, out),
        (Logical::Decimal, Value::Decimal(decimal)) => base64(logical::decimal_to_bytes(schema, decimal)?, out),
        (Logical::Date, Value::Date(millis)) => number(logical::date_to_days(*millis)?.into(), out),
        (Logical::Time, Value::Date(millis)) => number(logical::time_to_millis(*millis)?.into(), out),
        (Logical::Timestamp, Value::Date(millis)) => number(*millis, out),
        (Logical::Decimal, _) => return Err(expected("Decimal", "BigDecimal")),
        (Logical::Date, _) => return Err(expected("Date", "Date")),
        (Logical::Time, _) => return Err(expected("Time", "Date")),
        (Logical::Timestamp, _) => return Err(expected("Timestamp", "Date")),
    }
    Ok(())
}

fn structure(
    options: &JsonSchemaOptions,
    fields: &[Field],
    values: &[Value],
    out: &mut Vec<u8>,
) -> Result<(), ConvertError> {
    out.push(b'{');
    let mut first = true;
    for (field, value) in fields.iter().zip(values) {
        let start = out.len();
        if !first {
            out.push(b',');
        }
        write_string(out, &field.name);
        out.push(b':');
        if write_typed(options, &field.schema, value, out)? {
            first = false;
        } else {
            out.truncate(start);
        }
    }
    out.push(b'}');
    Ok(())
}

fn map(
    options: &JsonSchemaOptions,
    (key_schema, value_schema): (&Schema, &Schema),
    entries: &[(Value, Value)],
    out: &mut Vec<u8>,
) -> Result<(), ConvertError> {
    if key_schema.kind == Kind::String && !key_schema.optional {
        out.push(b'{');
        for (at, (key, value)) in entries.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            write_typed(options, key_schema, key, out)?;
            out.push(b':');
            element(options, value_schema, value, out)?;
        }
        out.push(b'}');
        return Ok(());
    }
    list(entries, out, |(key, value), out| {
        out.push(b'{');
        write_string(out, options::KEY);
        out.push(b':');
        element(options, key_schema, key, out)?;
        out.push(b',');
        write_string(out, options::VALUE);
        out.push(b':');
        element(options, value_schema, value, out)?;
        out.push(b'}');
        Ok(())
    })
}

/// A value in a place that cannot be left out.
fn element(options: &JsonSchemaOptions, schema: &Schema, value: &Value, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    if !write_typed(options, schema, value, out)? {
        out.extend_from_slice(b"null");
    }
    Ok(())
}

fn list<T>(
    items: &[T],
    out: &mut Vec<u8>,
    write: impl Fn(&T, &mut Vec<u8>) -> Result<(), ConvertError>,
) -> Result<(), ConvertError> {
    out.push(b'[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(item, out)?;
    }
    out.push(b']');
    Ok(())
}

/// A value that says itself what it is.
fn write_plain(value: &Value, depth: usize, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    if depth >= MAX_DEPTH {
        return Err(ConvertError::data(format!(
            "a value is nested deeper than {MAX_DEPTH} levels"
        )));
    }
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Boolean(value) => boolean(*value, out),
        Value::Int8(n) => number(i64::from(*n), out),
        Value::Int16(n) => number(i64::from(*n), out),
        Value::Int32(n) => number(i64::from(*n), out),
        Value::Int64(n) => number(*n, out),
        Value::Float32(n) => write_f32(out, *n),
        Value::Float64(n) => write_f64(out, *n),
        Value::String(text) => write_string(out, text),
        Value::Bytes(bytes) => base64(bytes, out),
        Value::Array(values) => list(values, out, |value, out| write_plain(value, depth + 1, out))?,
        Value::Map(entries) => {
            out.push(b'{');
            for (at, (key, value)) in entries.iter().enumerate() {
                let Value::String(key) = key else {
                    return Err(ConvertError::data("A key of a map without a schema is no text"));
                };
                if at > 0 {
                    out.push(b',');
                }
                write_string(out, key);
                out.push(b':');
                write_plain(value, depth + 1, out)?;
            }
            out.push(b'}');
        }
        Value::Decimal(_) | Value::Date(_) | Value::Struct(_) => {
            return Err(ConvertError::data(format!(
                "Java class class {} does not have corresponding schema type.",
                value.java_class()
            )));
        }
    }
    Ok(())
}

fn number(number: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(number.to_string().as_bytes());
}

fn boolean(value: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

fn base64(bytes: &[u8], out: &mut Vec<u8>) {
    write_base64(out, bytes);
}

fn digits(decimal: &Decimal, out: &mut Vec<u8>) {
    out.extend_from_slice(decimal.to_string().as_bytes());
}

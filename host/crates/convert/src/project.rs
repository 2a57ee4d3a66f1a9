//! Values from the schema they were written with to the one their reader has
//! (`org.apache.kafka.connect.data.SchemaProjector`).

use std::collections::BTreeMap;

use caisson_api::Value;
use caisson_api::schema::{Field, Kind, Schema};

use crate::values::schema_text;
use crate::{Class, ConvertError};

/// The value as `target` has it. Numbers widen, fields that the source lacks take their default.
pub fn project(source: &Schema, value: &Value, target: &Schema) -> Result<Value, ConvertError> {
    check_compatible(source, target)?;
    if source.optional && !target.optional {
        let Some(default) = &target.default else {
            return Err(mismatch(
                "Writer schema is optional, however, target schema does not provide a default value.",
            ));
        };
        if value.is_null() {
            return Ok(default.clone());
        }
    }
    match (&source.kind, &target.kind, value) {
        (_, _, Value::Null) => Ok(Value::Null),
        (Kind::Struct(from), Kind::Struct(to), Value::Struct(values)) => project_struct(source, from, values, to),
        (Kind::Array(from), Kind::Array(to), Value::Array(values)) => {
            let projected: Result<_, _> = values.iter().map(|value| project(from, value, to)).collect();
            projected.map(Value::Array)
        }
        (Kind::Map(from_key, from_value), Kind::Map(to_key, to_value), Value::Map(entries)) => {
            let projected: Result<_, _> = entries
                .iter()
                .map(|(key, value)| Ok((project(from_key, key, to_key)?, project(from_value, value, to_value)?)))
                .collect();
            projected.map(Value::Map)
        }
        (_, kind, value) => Ok(widen(value, kind)),
    }
}

fn project_struct(source: &Schema, from: &[Field], values: &[Value], to: &[Field]) -> Result<Value, ConvertError> {
    let mut projected = Vec::with_capacity(to.len());
    for field in to {
        let value = match from.iter().zip(values).find(|(known, _)| known.name == field.name) {
            Some((known, value)) => {
                let value = if value.is_null() {
                    known.schema.default.as_ref().unwrap_or(value)
                } else {
                    value
                };
                let value = project(&known.schema, value, &field.schema).map_err(|cause| match cause.class {
                    Class::SchemaProjector => mismatch(format!("Error projecting {}", field.name)).because(cause),
                    _ => cause,
                })?;
                field.schema.validate_field(&field.name, &value)?;
                value
            }
            None if field.schema.optional => Value::Null,
            None => field.schema.default.clone().ok_or_else(|| {
                let (name, source) = (&field.name, schema_text(source));
                mismatch(format!(
                    "Required field `{name}` is missing from source schema: {source}"
                ))
            })?,
        };
        projected.push(value);
    }
    Ok(Value::Struct(projected))
}

fn check_compatible(source: &Schema, target: &Schema) -> Result<(), ConvertError> {
    let same = std::mem::discriminant(&source.kind) == std::mem::discriminant(&target.kind);
    if !same && !is_promotable(&source.kind, &target.kind) {
        let (source, target) = (&source.kind, &target.kind);
        return Err(mismatch(format!(
            "Schema type mismatch. source type: {source} and target type: {target}"
        )));
    }
    if source.name != target.name {
        let text = |name: &Option<String>| name.clone().unwrap_or_else(|| "null".to_owned());
        let (source, target) = (text(&source.name), text(&target.name));
        return Err(mismatch(format!(
            "Schema name mismatch. source name: {source} and target name: {target}"
        )));
    }
    let sorted = |schema: &Schema| schema.parameters.clone().map(BTreeMap::from_iter);
    if sorted(source) != sorted(target) {
        let (source, target) = (parameters_text(source), parameters_text(target));
        return Err(mismatch(format!(
            "Schema parameters not equal. source parameters: {source} and target parameters: {target}"
        )));
    }
    Ok(())
}

fn parameters_text(schema: &Schema) -> String {
    let Some(parameters) = &schema.parameters else {
        return "null".to_owned();
    };
    let entries: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    format!("{{{}}}", entries.join(", "))
}

fn is_promotable(source: &Kind, target: &Kind) -> bool {
    let width = |kind: &Kind| match kind {
        Kind::Int8 => Some(0),
        Kind::Int16 => Some(1),
        Kind::Int32 => Some(2),
        Kind::Int64 => Some(3),
        Kind::Float32 => Some(4),
        Kind::Float64 => Some(5),
        Kind::Boolean | Kind::String | Kind::Bytes | Kind::Array(_) | Kind::Map(..) | Kind::Struct(_) => None,
    };
    matches!((width(source), width(target)), (Some(source), Some(target)) if source < target)
}

/// A number in a wider type; everything else as it is.
fn widen(value: &Value, target: &Kind) -> Value {
    let integer = match value {
        Value::Int8(value) => i64::from(*value),
        Value::Int16(value) => i64::from(*value),
        Value::Int32(value) => i64::from(*value),
        Value::Int64(value) => *value,
        Value::Float32(value) if matches!(target, Kind::Float64) => return Value::Float64(f64::from(*value)),
        other => return other.clone(),
    };
    match target {
        Kind::Int16 => Value::Int16(integer as i16),
        Kind::Int32 => Value::Int32(integer as i32),
        Kind::Int64 => Value::Int64(integer),
        Kind::Float32 => Value::Float32(integer as f32),
        Kind::Float64 => Value::Float64(integer as f64),
        Kind::Int8 | Kind::Boolean | Kind::String | Kind::Bytes | Kind::Array(_) | Kind::Map(..) | Kind::Struct(_) => {
            value.clone()
        }
    }
}

fn mismatch(message: impl Into<String>) -> ConvertError {
    ConvertError::new(Class::SchemaProjector, message)
}

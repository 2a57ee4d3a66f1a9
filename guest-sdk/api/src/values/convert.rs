//! Values from one type to another (`Values.convertTo...`).

use crate::schema::{DATE, DECIMAL, Kind, Schema, TIME, TIMESTAMP};
use crate::value::to_java_string;
use crate::{Decimal, Value};

use super::parse::parse_string;
use super::shape::Shape;
use crate::conversion::{Class, ConvertError};
use crate::logical::{DAY, date_to_days, time_from_millis, time_to_millis};
use crate::value::java;

/// What a value shall become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Boolean,
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    String,
    /// With this scale in its schema; the value keeps its own.
    Decimal(i32),
    Date,
    Time,
    Timestamp,
    List,
    Map,
    Struct,
}

/// Converts `value`, which has the schema `from` or none.
pub fn convert_to(target: Target, from: Option<&Schema>, value: &Value) -> Result<Value, ConvertError> {
    match target {
        Target::Boolean
        | Target::Int8
        | Target::Int16
        | Target::Int32
        | Target::Int64
        | Target::Float32
        | Target::Float64
        | Target::String
            if value.is_null() =>
        {
            Ok(Value::Null)
        }
        Target::Decimal(_)
        | Target::Date
        | Target::Time
        | Target::Timestamp
        | Target::List
        | Target::Map
        | Target::Struct
            if value.is_null() =>
        {
            Err(null_value())
        }
        Target::Boolean => boolean(from, value),
        Target::Int8 | Target::Int16 | Target::Int32 | Target::Int64 => integer(target, from, value),
        Target::Float32 => match value {
            Value::Float32(_) => Ok(value.clone()),
            other => Ok(Value::Float32(as_double(other, from)? as f32)),
        },
        Target::Float64 => match value {
            Value::Float64(_) => Ok(value.clone()),
            other => Ok(Value::Float64(as_double(other, from)?)),
        },
        Target::String => Ok(string(from, value)),
        Target::Decimal(scale) => decimal(&Schema::decimal(scale), from, value),
        Target::Date => date(from, value),
        Target::Time => time(from, value),
        Target::Timestamp => timestamp(from, value),
        Target::List | Target::Map => container(target, from, value),
        Target::Struct => match value {
            Value::Struct(_) => Ok(value.clone()),
            other => Err(unable(from, other, "Schema{STRUCT}")),
        },
    }
}

/// Brings an element of a parsed list or map to the type that all of them have.
pub(super) fn align(shape: &Shape, value: Value) -> Result<Value, ConvertError> {
    if value.is_null() {
        return Err(null_value());
    }
    let target = match shape {
        Shape::Array(_) => Target::List,
        Shape::Map(..) => Target::Map,
        Shape::Leaf(schema) => match (schema.name.as_deref(), &schema.kind) {
            (Some(DECIMAL), _) => return decimal(schema, None, &value),
            (Some(DATE), _) => Target::Date,
            (Some(TIME), _) => Target::Time,
            (Some(TIMESTAMP), _) => Target::Timestamp,
            (_, Kind::Boolean) => Target::Boolean,
            (_, Kind::Int8) => Target::Int8,
            (_, Kind::Int16) => Target::Int16,
            (_, Kind::Int32) => Target::Int32,
            (_, Kind::Int64) => Target::Int64,
            (_, Kind::Float32) => Target::Float32,
            (_, Kind::Float64) => Target::Float64,
            (_, Kind::String) => Target::String,
            (_, Kind::Bytes | Kind::Array(_) | Kind::Map(..) | Kind::Struct(_)) => return Ok(value),
        },
    };
    convert_to(target, None, &value)
}

fn boolean(from: Option<&Schema>, value: &Value) -> Result<Value, ConvertError> {
    match value {
        Value::Boolean(_) => return Ok(value.clone()),
        Value::String(text) => {
            if let (_, parsed @ Value::Boolean(_)) = parse_string(text) {
                return Ok(parsed);
            }
        }
        _ => {}
    }
    Ok(Value::Boolean(as_long(value, from)? != 0))
}

fn integer(target: Target, from: Option<&Schema>, value: &Value) -> Result<Value, ConvertError> {
    let long = as_long(value, from)?;
    Ok(match target {
        Target::Int8 => Value::Int8(long as i8),
        Target::Int16 => Value::Int16(long as i16),
        Target::Int32 => Value::Int32(long as i32),
        _ => Value::Int64(long),
    })
}

fn string(from: Option<&Schema>, value: &Value) -> Value {
    if let Value::String(_) = value {
        return value.clone();
    }
    let mut text = Vec::new();
    super::write_text(&mut text, from, value);
    Value::String(String::from_utf8_lossy(&text).into_owned())
}

fn decimal(target: &Schema, from: Option<&Schema>, value: &Value) -> Result<Value, ConvertError> {
    let decimal = match value {
        Value::Decimal(decimal) => decimal.clone(),
        Value::Bytes(bytes) => {
            if bytes.is_empty() {
                return Err(number_format("Zero length BigInteger"));
            }
            Decimal::new(bytes, target.scale()?)
        }
        Value::String(text) => java::parse_decimal(text).ok_or_else(|| number_format(text))?,
        Value::Int8(_)
        | Value::Int16(_)
        | Value::Int32(_)
        | Value::Int64(_)
        | Value::Float32(_)
        | Value::Float64(_) => {
            // `BigDecimal.valueOf(double)` goes by way of the double's text.
            let mut text = Vec::new();
            java::write_f64(&mut text, as_double(value, None)?);
            let text = String::from_utf8_lossy(&text);
            java::parse_decimal(&text).ok_or_else(|| number_format(&text))?
        }
        other => return Err(unable(from, other, &schema_text(target))),
    };
    Ok(Value::Decimal(decimal))
}

/// What text stands for; any other value is itself.
fn parsed(value: &Value) -> Result<Value, ConvertError> {
    match value {
        Value::String(text) => match parse_string(text) {
            (_, Value::Null) => Err(ConvertError::new(
                Class::Foreign("java.lang.NullPointerException"),
                "null",
            )),
            (_, parsed) => Ok(parsed),
        },
        other => Ok(other.clone()),
    }
}

fn date(from: Option<&Schema>, value: &Value) -> Result<Value, ConvertError> {
    let value = parsed(value)?;
    if let Value::Date(millis) = value {
        match from.map(|from| from.name.as_deref()) {
            None | Some(Some(DATE)) => return Ok(value),
            Some(Some(TIMESTAMP)) => return Ok(Value::Date(i64::from((millis / DAY) as i32) * DAY)),
            Some(_) => {}
        }
    }
    Ok(Value::Date(i64::from(as_long(&value, from)? as i32) * DAY))
}

fn time(from: Option<&Schema>, value: &Value) -> Result<Value, ConvertError> {
    let value = parsed(value)?;
    if let Value::Date(millis) = value {
        match from.map(|from| from.name.as_deref()) {
            None | Some(Some(TIME)) => return Ok(value),
            Some(Some(TIMESTAMP)) => return Ok(Value::Date(millis.rem_euclid(DAY))),
            Some(_) => {}
        }
    }
    time_from_millis(as_long(&value, from)? as i32).map(Value::Date)
}

fn timestamp(from: Option<&Schema>, value: &Value) -> Result<Value, ConvertError> {
    let value = parsed(value)?;
    if let Value::Date(millis) = value {
        match from.map(|from| from.name.as_deref()) {
            None | Some(Some(TIMESTAMP)) => return Ok(value),
            Some(Some(DATE)) => return Ok(Value::Date(i64::from(date_to_days(millis)?) * DAY)),
            Some(Some(TIME)) => return Ok(Value::Date(i64::from(time_to_millis(millis)?))),
            Some(_) => {}
        }
    }
    as_long(&value, from).map(Value::Date)
}

fn container(target: Target, from: Option<&Schema>, value: &Value) -> Result<Value, ConvertError> {
    let value = parsed(value)?;
    match (target, &value) {
        (Target::List, Value::Array(_)) | (Target::Map, Value::Map(_)) => Ok(value),
        (Target::List, other) => Err(unable(from, other, "Schema{ARRAY}")),
        (_, other) => Err(unable(from, other, "Schema{MAP}")),
    }
}

/// `Values.asLong`
fn as_long(value: &Value, from: Option<&Schema>) -> Result<i64, ConvertError> {
    let mut cause = None;
    match value {
        Value::Int8(value) => return Ok(i64::from(*value)),
        Value::Int16(value) => return Ok(i64::from(*value)),
        Value::Int32(value) => return Ok(i64::from(*value)),
        Value::Int64(value) => return Ok(*value),
        Value::Float32(value) => return Ok(*value as i64),
        Value::Float64(value) => return Ok(*value as i64),
        Value::Decimal(decimal) => return Ok(java::long_value(decimal)),
        Value::String(text) => match java::parse_decimal(text) {
            Some(decimal) => return Ok(java::long_value(&decimal)),
            None => cause = Some(number_format(text)),
        },
        Value::Date(millis) => match from.and_then(|from| from.name.as_deref()) {
            Some(DATE) => return date_to_days(*millis).map(i64::from),
            Some(TIME) => return time_to_millis(*millis).map(i64::from),
            Some(TIMESTAMP) => return Ok(*millis),
            Some(_) | None => {}
        },
        Value::Null | Value::Boolean(_) | Value::Bytes(_) | Value::Array(_) | Value::Map(_) | Value::Struct(_) => {}
    }
    let target = from.map_or_else(|| "a number".to_owned(), schema_text);
    let error = unable(from, value, &target);
    Err(match cause {
        Some(cause) => error.because(cause),
        None => error,
    })
}

/// `Values.asDouble`
fn as_double(value: &Value, from: Option<&Schema>) -> Result<f64, ConvertError> {
    match value {
        Value::Float32(value) => Ok(f64::from(*value)),
        Value::Float64(value) => Ok(*value),
        Value::Decimal(decimal) => Ok(java::double_value(decimal)),
        Value::String(text) => match java::parse_decimal(text) {
            Some(decimal) => Ok(java::double_value(&decimal)),
            None => as_long(value, from).map(|long| long as f64),
        },
        other => as_long(other, from).map(|long| long as f64),
    }
}

/// `ConnectSchema.toString`
pub fn schema_text(schema: &Schema) -> String {
    let kind = &schema.kind;
    match &schema.name {
        Some(name) => format!("Schema{{{name}:{kind}}}"),
        None => format!("Schema{{{kind}}}"),
    }
}

fn null_value() -> ConvertError {
    ConvertError::data("Unable to convert a null value to a schema that requires a value")
}

fn unable(from: Option<&Schema>, value: &Value, target: &str) -> ConvertError {
    let (text, class) = (to_java_string(from, value), java::class_of(value));
    ConvertError::data(format!("Unable to convert {text} ({class}) to {target}"))
}

fn number_format(text: &str) -> ConvertError {
    ConvertError::new(
        Class::Foreign("java.lang.NumberFormatException"),
        format!("{text} is no number"),
    )
}

//! Single values as another type.

use caisson_sdk::api::logical;
use caisson_sdk::api::schema::{DATE, TIME, TIMESTAMP};
use caisson_sdk::api::value::{java, to_java_string};
use caisson_sdk::api::values;
use caisson_sdk::prelude::*;

use super::spec::{Target, unsupported_input};

const NUMBER_FORMAT: &str = "java.lang.NumberFormatException";

impl Target {
    /// A value as this type; null stays null.
    pub fn cast(self, schema: Option<&Schema>, value: Value) -> Result<Value, Error> {
        if value.is_null() {
            return Ok(value);
        }
        check_input(schema, &value)?;
        if self == Target::String {
            return Ok(Value::String(text(schema, value)));
        }
        let value = match schema.and_then(|schema| schema.name.as_deref()) {
            Some(name) => encoded(name, value)?,
            None => value,
        };
        let out_of_range = |value: &Value, text: &str| {
            let shown = to_java_string(None, value);
            Error::data(format!("Value ({shown}) was out of range for requested data type"))
                .caused_by(NUMBER_FORMAT, format!("For input string: \"{text}\""))
        };
        let cast = match Input::of(&value) {
            Some(Input::Text(text)) => self.parse(text).ok_or_else(|| out_of_range(&value, text))?,
            Some(Input::Whole(number)) => self.of_whole(number),
            Some(Input::Real(number)) => self.of_real(number),
            Some(Input::Decimal(number)) => self.of_decimal(number),
            None => {
                let class = java::class_of(&value);
                return Err(Error::data(format!("Unexpected type in Cast transformation: {class}")));
            }
        };
        Ok(cast)
    }

    fn parse(self, text: &str) -> Option<Value> {
        Some(match self {
            Target::Int8 => Value::Int8(text.parse().ok()?),
            Target::Int16 => Value::Int16(text.parse().ok()?),
            Target::Int32 => Value::Int32(text.parse().ok()?),
            Target::Int64 => Value::Int64(text.parse().ok()?),
            Target::Float32 => Value::Float32(java::parse_f32(text)?),
            Target::Float64 => Value::Float64(java::parse_f64(text)?),
            Target::Boolean => Value::Boolean(text.eq_ignore_ascii_case("true")),
            Target::String => Value::from(text),
        })
    }

    /// Java's narrowing cuts off the upper bits.
    fn of_whole(self, number: i64) -> Value {
        match self {
            Target::Int8 => Value::Int8(number as i8),
            Target::Int16 => Value::Int16(number as i16),
            Target::Int32 => Value::Int32(number as i32),
            Target::Int64 => Value::Int64(number),
            Target::Float32 => Value::Float32(number as f32),
            Target::Float64 => Value::Float64(number as f64),
            Target::Boolean => Value::Boolean(number != 0),
            Target::String => Value::String(number.to_string()),
        }
    }

    /// Small types are reached by way of int, which ends at its bounds.
    fn of_real(self, number: f64) -> Value {
        match self {
            Target::Int8 => Value::Int8(number as i32 as i8),
            Target::Int16 => Value::Int16(number as i32 as i16),
            Target::Int32 => Value::Int32(number as i32),
            Target::Int64 => Value::Int64(number as i64),
            Target::Float32 => Value::Float32(number as f32),
            Target::Float64 => Value::Float64(number),
            Target::Boolean => Value::Boolean(number as i64 != 0),
            Target::String => Value::String(java::double_text(number)),
        }
    }

    fn of_decimal(self, number: &caisson_sdk::api::Decimal) -> Value {
        match self {
            Target::Float32 => Value::Float32(java::float_value(number)),
            Target::Float64 => Value::Float64(java::double_value(number)),
            Target::Int8 | Target::Int16 | Target::Int32 | Target::Int64 | Target::Boolean | Target::String => {
                self.of_whole(java::long_value(number))
            }
        }
    }
}

/// What can become another type.
enum Input<'v> {
    Whole(i64),
    Real(f64),
    Decimal(&'v caisson_sdk::api::Decimal),
    Text(&'v str),
}

impl<'v> Input<'v> {
    fn of(value: &'v Value) -> Option<Self> {
        Some(match value {
            Value::Boolean(value) => Input::Whole((*value).into()),
            Value::Int8(value) => Input::Whole((*value).into()),
            Value::Int16(value) => Input::Whole((*value).into()),
            Value::Int32(value) => Input::Whole((*value).into()),
            Value::Int64(value) => Input::Whole(*value),
            // Exact: each float is a double.
            Value::Float32(value) => Input::Real((*value).into()),
            Value::Float64(value) => Input::Real(*value),
            Value::Decimal(value) => Input::Decimal(value),
            Value::String(text) => Input::Text(text),
            Value::Null | Value::Bytes(_) | Value::Date(_) | Value::Array(_) | Value::Map(_) | Value::Struct(_) => {
                return None;
            }
        })
    }
}

fn check_input(schema: Option<&Schema>, value: &Value) -> Result<(), Error> {
    match schema.map(|schema| &schema.kind) {
        Some(kind) if kind.is_primitive() => Ok(()),
        Some(kind) => Err(unsupported_input(kind.name())),
        None => match value {
            Value::Array(_) => Err(unsupported_input("ARRAY")),
            Value::Map(_) => Err(unsupported_input("MAP")),
            Value::Struct(_) => Err(unsupported_input("STRUCT")),
            Value::Date(_) | Value::Decimal(_) => {
                let class = java::class_of(value);
                Err(Error::data(format!(
                    "Cast transformation was passed a value of type {class} which is not supported by Connect's data API"
                )))
            }
            Value::Null
            | Value::Boolean(_)
            | Value::Int8(_)
            | Value::Int16(_)
            | Value::Int32(_)
            | Value::Int64(_)
            | Value::Float32(_)
            | Value::Float64(_)
            | Value::String(_)
            | Value::Bytes(_) => Ok(()),
        },
    }
}

/// The number that stands for a date or time.
fn encoded(name: &str, value: Value) -> Result<Value, Error> {
    match (name, value) {
        (DATE, Value::Date(millis)) => Ok(Value::Int32(logical::date_to_days(millis)?)),
        (TIME, Value::Date(millis)) => Ok(Value::Int32(logical::time_to_millis(millis)?)),
        (TIMESTAMP, Value::Date(millis)) => Ok(Value::Int64(millis)),
        (DATE | TIME | TIMESTAMP, other) => {
            let class = java::class_of(&other);
            Err(Error::data(format!("{class} cannot be cast to class java.util.Date"))
                .with_class("java.lang.ClassCastException"))
        }
        (_, other) => Ok(other),
    }
}

fn text(schema: Option<&Schema>, value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Date(_) | Value::Bytes(_) => {
            let mut out = Vec::new();
            values::write_text(&mut out, schema, &value);
            String::from_utf8_lossy(&out).into_owned()
        }
        other => to_java_string(schema, &other),
    }
}

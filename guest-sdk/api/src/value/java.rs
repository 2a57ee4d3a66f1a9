//! Values as Java prints them (`Object.toString`), which is what StringConverter and the file sink write.

mod date;
mod decimal;
mod digit;
mod number;

use std::fmt::Write;

use super::Value;
use crate::logical::DAY;
use crate::schema::{Kind, Schema};

pub use date::Moment;
pub use decimal::{double_value, exact_long, float_value, long_value, parse_decimal, write_decimal};
pub(crate) use digit::ascii_digits;
pub use digit::digit_value;
pub use number::{parse_f32, parse_f64, write_f32, write_f64, write_i64};

/// What `"" + value.getClass()` gives for the class that stands for a value in Kafka Connect.
pub fn class_of(value: &Value) -> String {
    format!("class {}", value.java_class())
}

/// What `String.valueOf` gives for a value: `Struct{a=1}`, `{a=1}`, `[1, 2]`. A struct needs its schema for the names of
/// its fields; without one they are numbered.
pub fn to_java_string(schema: Option<&Schema>, value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        _ => {
            let mut out = String::new();
            write_java_string(schema, value, &mut out);
            out
        }
    }
}

/// Appends what [`to_java_string`] returns.
pub fn write_java_string(schema: Option<&Schema>, value: &Value, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = match value {
        Value::Null => out.write_str("null"),
        Value::Boolean(value) => write!(out, "{value}"),
        Value::Int8(value) => write!(out, "{value}"),
        Value::Int16(value) => write!(out, "{value}"),
        Value::Int32(value) => write!(out, "{value}"),
        Value::Int64(value) => write!(out, "{value}"),
        Value::Float32(value) => out.write_str(&float_text(*value)),
        Value::Float64(value) => out.write_str(&double_text(*value)),
        Value::String(value) => out.write_str(value),
        Value::Bytes(bytes) => write!(out, "[B@{:x}", identity(bytes)),
        Value::Decimal(value) => write!(out, "{value}"),
        Value::Date(ms) => out.write_str(&date_text(*ms)),
        Value::Array(values) => {
            let element = match schema.map(|schema| &schema.kind) {
                Some(Kind::Array(element)) => Some(element.as_ref()),
                _ => None,
            };
            write_array(element, values, out);
            Ok(())
        }
        Value::Map(entries) => {
            let schemas = match schema.map(|schema| &schema.kind) {
                Some(Kind::Map(key, value)) => (Some(key.as_ref()), Some(value.as_ref())),
                _ => (None, None),
            };
            write_map(schemas, entries, out);
            Ok(())
        }
        Value::Struct(values) => {
            write_struct(schema, values, out);
            Ok(())
        }
    };
}

fn write_array(element: Option<&Schema>, values: &[Value], out: &mut String) {
    out.push('[');
    for (i, value) in values.iter().enumerate() {
        out.push_str(if i == 0 { "" } else { ", " });
        write_java_string(element, value, out);
    }
    out.push(']');
}

fn write_map((key, value): (Option<&Schema>, Option<&Schema>), entries: &[(Value, Value)], out: &mut String) {
    out.push('{');
    for (i, (k, v)) in entries.iter().enumerate() {
        out.push_str(if i == 0 { "" } else { ", " });
        write_java_string(key, k, out);
        out.push('=');
        write_java_string(value, v, out);
    }
    out.push('}');
}

/// `Struct.toString`: nulls are left out, and there is no space.
fn write_struct(schema: Option<&Schema>, values: &[Value], out: &mut String) {
    let fields = schema.map(Schema::fields).unwrap_or_default();
    out.push_str("Struct{");
    let mut separator = "";
    for (i, value) in values.iter().enumerate().filter(|(_, value)| !value.is_null()) {
        out.push_str(separator);
        separator = ",";
        match fields.get(i) {
            Some(field) => out.push_str(&field.name),
            None => out.push_str(&i.to_string()),
        }
        out.push('=');
        write_java_string(fields.get(i).map(|field| field.schema.as_ref()), value, out);
    }
    out.push('}');
}

/// Java prints where an array lies. That has no meaning here; equal bytes print alike.
fn identity(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

/// `Float.toString`.
pub fn float_text(value: f32) -> String {
    text(|out| write_f32(out, value))
}

/// `Double.toString`.
pub fn double_text(value: f64) -> String {
    text(|out| write_f64(out, value))
}

fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    // Digits are ASCII.
    String::from_utf8_lossy(&out).into_owned()
}

/// Puts things into the order in which a `java.util.HashMap` gives them back when they were put in as they come, by
/// different keys.
pub fn sort_as_in_hash_map<T>(all: &mut [T], key: impl Fn(&T) -> &str) {
    // The table doubles when it is three quarters full; what shares a place stays in its order.
    let mut size = 16;
    while all.len() > size / 4 * 3 {
        size *= 2;
    }
    all.sort_by_key(|one| {
        let hash = string_hash(key(one));
        (hash ^ (hash >> 16)) as usize & (size - 1)
    });
}

/// `String.hashCode`.
fn string_hash(text: &str) -> u32 {
    text.encode_utf16()
        .fold(0, |hash: u32, unit| hash.wrapping_mul(31).wrapping_add(unit.into()))
}

/// `java.util.Date.toString` in UTC: `Thu Jan 01 00:00:00 UTC 1970`.
pub fn date_text(ms: i64) -> String {
    const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let Moment { year, month, day, time } = Moment::of(ms);
    // Java prints the year of the era, and says nothing of the era.
    let year = if year > 0 { year } else { 1 - year };
    let weekday = WEEKDAYS[ms.div_euclid(DAY).rem_euclid(7) as usize];
    let month = MONTHS[month as usize - 1];
    let second = time / 1000;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{weekday} {month} {day:02} {hour:02}:{minute:02}:{second:02} UTC {year}")
}

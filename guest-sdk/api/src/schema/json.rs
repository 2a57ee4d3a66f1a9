//! The JSON text of a schema, as JsonConverter writes it, members in the same order.

use std::fmt::Write;

use super::{Kind, Logical, Schema};
use crate::value::{Value, base64, java};

impl Schema {
    /// The object that stands under `schema` in the envelope of JsonConverter.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        self.write_json(&mut out);
        out
    }

    /// Appends the JSON text to `out`.
    pub fn write_json(&self, out: &mut String) {
        write_schema(self, None, out);
    }
}

fn write_schema(schema: &Schema, field: Option<&str>, out: &mut String) {
    out.push_str("{\"type\":\"");
    out.push_str(schema.kind.json_name());
    out.push('"');
    write_parts(&schema.kind, out);
    out.push_str(if schema.optional {
        ",\"optional\":true"
    } else {
        ",\"optional\":false"
    });
    if let Some(name) = &schema.name {
        out.push_str(",\"name\":");
        write_string(name, out);
    }
    if let Some(version) = schema.version {
        let _ = write!(out, ",\"version\":{version}");
    }
    if let Some(doc) = &schema.doc {
        out.push_str(",\"doc\":");
        write_string(doc, out);
    }
    if let Some(parameters) = &schema.parameters {
        out.push_str(",\"parameters\":{");
        for (i, (name, value)) in parameters.iter().enumerate() {
            out.push_str(if i == 0 { "" } else { "," });
            write_string(name, out);
            out.push(':');
            write_string(value, out);
        }
        out.push('}');
    }
    if let Some(default) = &schema.default {
        out.push_str(",\"default\":");
        write_value(schema, default, out);
    }
    if let Some(field) = field {
        out.push_str(",\"field\":");
        write_string(field, out);
    }
    out.push('}');
}

fn write_parts(kind: &Kind, out: &mut String) {
    match kind {
        Kind::Array(element) => {
            out.push_str(",\"items\":");
            write_schema(element, None, out);
        }
        Kind::Map(key, value) => {
            out.push_str(",\"keys\":");
            write_schema(key, None, out);
            out.push_str(",\"values\":");
            write_schema(value, None, out);
        }
        Kind::Struct(fields) => {
            out.push_str(",\"fields\":[");
            for (i, field) in fields.iter().enumerate() {
                out.push_str(if i == 0 { "" } else { "," });
                write_schema(&field.schema, Some(&field.name), out);
            }
            out.push(']');
        }
        Kind::Int8
        | Kind::Int16
        | Kind::Int32
        | Kind::Int64
        | Kind::Float32
        | Kind::Float64
        | Kind::Boolean
        | Kind::String
        | Kind::Bytes => {}
    }
}

/// Appends a default. A value that does not fit its schema, which the builder does not let through, becomes null.
fn write_value(schema: &Schema, value: &Value, out: &mut String) {
    match (&schema.kind, value) {
        (_, Value::Null) => out.push_str("null"),
        (_, Value::Boolean(value)) => out.push_str(if *value { "true" } else { "false" }),
        (_, Value::Int8(n)) => write_number(i64::from(*n), out),
        (_, Value::Int16(n)) => write_number(i64::from(*n), out),
        (_, Value::Int32(n)) => write_number(i64::from(*n), out),
        (_, Value::Int64(n)) => write_number(*n, out),
        (_, Value::Float32(n)) => write_float(n.is_finite(), &java::float_text(*n), out),
        (_, Value::Float64(n)) => write_float(n.is_finite(), &java::double_text(*n), out),
        (_, Value::String(text)) => write_string(text, out),
        (_, Value::Bytes(bytes)) => write_string(&base64::encode(bytes), out),
        (_, Value::Decimal(decimal)) => write_string(&base64::encode(&decimal.unscaled), out),
        (_, Value::Date(ms)) => write_number(days_or_millis(schema, *ms), out),
        (Kind::Array(element), Value::Array(values)) => {
            write_list(values, out, |value, out| write_value(element, value, out));
        }
        (Kind::Map(key, value), Value::Map(entries)) => write_map(key, value, entries, out),
        (Kind::Struct(fields), Value::Struct(values)) => {
            out.push('{');
            for (i, (field, value)) in fields.iter().zip(values).enumerate() {
                out.push_str(if i == 0 { "" } else { "," });
                write_string(&field.name, out);
                out.push(':');
                write_value(&field.schema, value, out);
            }
            out.push('}');
        }
        (_, Value::Array(_) | Value::Map(_) | Value::Struct(_)) => out.push_str("null"),
    }
}

/// An object if the keys are strings, otherwise a list of pairs.
fn write_map(key: &Schema, value: &Schema, entries: &[(Value, Value)], out: &mut String) {
    if key.kind != Kind::String {
        return write_list(entries, out, |(k, v), out| {
            out.push('[');
            write_value(key, k, out);
            out.push(',');
            write_value(value, v, out);
            out.push(']');
        });
    }
    out.push('{');
    for (i, (k, v)) in entries.iter().enumerate() {
        out.push_str(if i == 0 { "" } else { "," });
        write_value(key, k, out);
        out.push(':');
        write_value(value, v, out);
    }
    out.push('}');
}

fn write_list<T>(items: &[T], out: &mut String, mut write: impl FnMut(&T, &mut String)) {
    out.push('[');
    for (i, item) in items.iter().enumerate() {
        out.push_str(if i == 0 { "" } else { "," });
        write(item, out);
    }
    out.push(']');
}

fn write_number(number: i64, out: &mut String) {
    let _ = write!(out, "{number}");
}

/// What is not a number is quoted, as Jackson does.
fn write_float(finite: bool, text: &str, out: &mut String) {
    let quote = if finite { "" } else { "\"" };
    let _ = write!(out, "{quote}{text}{quote}");
}

fn days_or_millis(schema: &Schema, ms: i64) -> i64 {
    match schema.logical_type() {
        Some(Logical::Date) => ms.div_euclid(86_400_000),
        Some(Logical::Decimal | Logical::Time | Logical::Timestamp) | None => ms,
    }
}

/// Appends a JSON string, escaped as Jackson escapes: nothing but quote, backslash and control characters.
pub(crate) fn write_string(text: &str, out: &mut String) {
    out.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&text[plain..at]);
        plain = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x08 => out.push_str("\\b"),
            0x0c => out.push_str("\\f"),
            _ => {
                let _ = write!(out, "\\u{byte:04X}");
            }
        }
    }
    out.push_str(&text[plain..]);
    out.push('"');
}

//! Values to text (`Values.convertToString`), as header values are written.

use crate::Value;
use crate::schema::{Field, Kind, Schema};
use crate::value::to_java_string;

use super::temporal;
use crate::value::base64;

/// Appends the text of a value: strings as they are, everything inside of lists, maps and structs quoted.
pub fn write_text(out: &mut Vec<u8>, schema: Option<&Schema>, value: &Value) {
    match value {
        Value::String(text) => out.extend_from_slice(text.as_bytes()),
        Value::Bytes(bytes) => out.extend_from_slice(base64::encode(bytes).as_bytes()),
        other => write_embedded(out, schema, other),
    }
}

fn write_embedded(out: &mut Vec<u8>, schema: Option<&Schema>, value: &Value) {
    let kind = schema.map(|schema| &schema.kind);
    match value {
        Value::String(text) => write_quoted(out, text),
        Value::Bytes(bytes) => {
            out.push(b'"');
            out.extend_from_slice(base64::encode(bytes).as_bytes());
            out.push(b'"');
        }
        Value::Date(millis) => temporal::write(out, *millis),
        Value::Array(elements) => {
            let element_schema = match kind {
                Some(Kind::Array(element)) => Some(element.as_ref()),
                Some(_) | None => None,
            };
            write_list(out, b"[]", elements, |out, element| {
                write_embedded(out, element_schema, element)
            });
        }
        Value::Map(entries) => {
            let (key_schema, value_schema) = match kind {
                Some(Kind::Map(key, value)) => (Some(key.as_ref()), Some(value.as_ref())),
                Some(_) | None => (None, None),
            };
            write_list(out, b"{}", entries, |out, (key, value)| {
                write_embedded(out, key_schema, key);
                out.push(b':');
                write_embedded(out, value_schema, value);
            });
        }
        Value::Struct(values) => {
            let fields: &[Field] = match kind {
                Some(Kind::Struct(fields)) => fields,
                Some(_) | None => &[],
            };
            let members: Vec<(&Field, &Value)> = fields.iter().zip(values).collect();
            write_list(out, b"{}", &members, |out, (field, value)| {
                write_quoted(out, &field.name);
                out.push(b':');
                // `Struct.get` gives the default for null.
                let value = if value.is_null() {
                    field.schema.default.as_ref().unwrap_or(value)
                } else {
                    value
                };
                write_embedded(out, Some(&field.schema), value);
            });
        }
        Value::Null
        | Value::Boolean(_)
        | Value::Int8(_)
        | Value::Int16(_)
        | Value::Int32(_)
        | Value::Int64(_)
        | Value::Float32(_)
        | Value::Float64(_)
        | Value::Decimal(_) => out.extend_from_slice(to_java_string(None, value).as_bytes()),
    }
}

fn write_list<T>(out: &mut Vec<u8>, brackets: &[u8; 2], items: &[T], mut write: impl FnMut(&mut Vec<u8>, &T)) {
    out.push(brackets[0]);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(brackets[1]);
}

fn write_quoted(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for byte in text.bytes() {
        if matches!(byte, b'\\' | b'"') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

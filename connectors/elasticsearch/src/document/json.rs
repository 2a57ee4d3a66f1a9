//! Documents as JSON on one line, as the original makes them of values: decimals are numbers, maps are objects or lists
//! of pairs, defaults are filled in.

use std::io::Write;

use caisson_sdk::api::schema::Logical;
use caisson_sdk::api::value::{Decimal, base64, java};
use caisson_sdk::prelude::*;
use caisson_sdk::serde_json::{self, Map};

const MILLIS_PER_DAY: i64 = 86_400_000;

/// Appends JSON text with its line breaks as spaces: outside of strings they mean nothing, inside they cannot stand.
pub(super) fn one_line(text: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(text);
    if memchr::memchr2(b'\n', b'\r', text).is_some() {
        for byte in &mut out[start..] {
            if matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
    }
}

/// Appends a string with its quotes.
pub(crate) fn string(text: &str, out: &mut Vec<u8>) {
    let plain = text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
    if plain {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        // Writing to memory cannot fail.
        let _ = serde_json::to_writer(out, text);
    }
}

/// Appends a value. `compact`: maps with text keys are objects.
pub(super) fn write(schema: Option<&Schema>, value: &Value, compact: bool, out: &mut Vec<u8>) -> Result<(), Error> {
    match value {
        Value::Null => null(schema, compact, out),
        Value::Boolean(value) => text(if *value { "true" } else { "false" }, out),
        Value::Int8(number) => text(itoa::Buffer::new().format(*number), out),
        Value::Int16(number) => text(itoa::Buffer::new().format(*number), out),
        Value::Int32(number) => text(itoa::Buffer::new().format(*number), out),
        Value::Int64(number) => text(itoa::Buffer::new().format(*number), out),
        Value::Float32(number) => float(number.is_finite(), &java::float_text(*number), out),
        Value::Float64(number) => float(number.is_finite(), &java::double_text(*number), out),
        Value::String(value) => {
            string(value, out);
            Ok(())
        }
        Value::Bytes(bytes) => quoted(&base64::encode(bytes), out),
        Value::Decimal(decimal) => double(decimal, out),
        Value::Date(millis) => {
            let number = match schema.and_then(Schema::logical_type) {
                Some(Logical::Date) => millis.div_euclid(MILLIS_PER_DAY),
                Some(Logical::Time | Logical::Timestamp | Logical::Decimal) | None => *millis,
            };
            text(itoa::Buffer::new().format(number), out)
        }
        Value::Array(items) => {
            let element = match schema.map(|schema| &schema.kind) {
                Some(Kind::Array(element)) => Some(&**element),
                _ => None,
            };
            list(items.iter(), out, |item, out| write(element, item, compact, out))
        }
        Value::Map(pairs) => map(schema, pairs, compact, out),
        Value::Struct(values) => object(schema, values, compact, out),
    }
}

fn text(text: &str, out: &mut Vec<u8>) -> Result<(), Error> {
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

fn quoted(text: &str, out: &mut Vec<u8>) -> Result<(), Error> {
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
    Ok(())
}

/// JSON has no infinities.
fn float(finite: bool, number: &str, out: &mut Vec<u8>) -> Result<(), Error> {
    if finite { text(number, out) } else { quoted(number, out) }
}

fn double(decimal: &Decimal, out: &mut Vec<u8>) -> Result<(), Error> {
    let number: f64 = decimal.to_string().parse().unwrap_or(f64::NAN);
    float(number.is_finite(), &java::double_text(number), out)
}

/// A default stands for null; a required field has to have a value.
fn null(schema: Option<&Schema>, compact: bool, out: &mut Vec<u8>) -> Result<(), Error> {
    match schema {
        Some(Schema {
            default: Some(default), ..
        }) if !default.is_null() => write(schema, default, compact, out),
        Some(Schema { optional: false, .. }) => Err(Error::data(
            "null value for field that is required and has no default value",
        )),
        Some(_) | None => text("null", out),
    }
}

fn list<T>(
    items: impl Iterator<Item = T>,
    out: &mut Vec<u8>,
    mut each: impl FnMut(T, &mut Vec<u8>) -> Result<(), Error>,
) -> Result<(), Error> {
    out.push(b'[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        each(item, out)?;
    }
    out.push(b']');
    Ok(())
}

fn map(schema: Option<&Schema>, pairs: &[(Value, Value)], compact: bool, out: &mut Vec<u8>) -> Result<(), Error> {
    let (key, value) = match schema.map(|schema| &schema.kind) {
        Some(Kind::Map(key, value)) => (Some(&**key), Some(&**value)),
        _ => (None, None),
    };
    let texts = match key {
        Some(key) => compact && key.kind == Kind::String,
        // Without a schema a map is what JSON has for one, whatever is said of typed ones.
        None => pairs.iter().all(|(key, _)| matches!(key, Value::String(_))),
    };
    if !texts {
        return list(pairs.iter(), out, |(k, v), out| {
            out.extend_from_slice(b"{\"key\":");
            write(key, k, compact, out)?;
            out.extend_from_slice(b",\"value\":");
            write(value, v, compact, out)?;
            out.push(b'}');
            Ok(())
        });
    }
    out.push(b'{');
    for (index, (k, v)) in pairs.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        match k {
            Value::String(name) => string(name, out),
            _ => return Err(Error::data("a map with text keys has a key that is none")),
        }
        out.push(b':');
        write(value, v, compact, out)?;
    }
    out.push(b'}');
    Ok(())
}

fn object(schema: Option<&Schema>, values: &[Value], compact: bool, out: &mut Vec<u8>) -> Result<(), Error> {
    let fields = schema.map(Schema::fields).unwrap_or_default();
    out.push(b'{');
    for (index, (field, value)) in fields.iter().zip(values).enumerate() {
        if index > 0 {
            out.push(b',');
        }
        string(&field.name, out);
        out.push(b':');
        write(Some(&field.schema), value, compact, out)
            .map_err(|error| Error::data(format!("field {}: {}", field.name, error.message)))?;
    }
    out.push(b'}');
    Ok(())
}

/// A document for a data stream, which has to have a `@timestamp`: the first of `fields` that it has or, without
/// fields, the record's time. `None`: it stays as it is.
pub(super) fn with_timestamp(document: &[u8], fields: &[String], time: Timestamp) -> Result<Option<Vec<u8>>, Error> {
    let parsed: Json =
        serde_json::from_slice(document).map_err(|error| Error::data(format!("the document is not JSON: {error}")))?;
    let Json::Object(mut members) = parsed else {
        return Err(Error::data("a document of a data stream has to be a JSON object"));
    };
    let timestamp = match fields {
        [] => time.millis().map(Json::from),
        fields => fields.iter().find_map(|field| members.get(field)).map(as_text),
    };
    let Some(timestamp) = timestamp else { return Ok(None) };
    members.insert("@timestamp".to_owned(), timestamp);
    Ok(Some(written(&members)))
}

fn written(members: &Map<String, Json>) -> Vec<u8> {
    let mut out = Vec::new();
    // Writing to memory cannot fail.
    let _ = write!(out, "{}", Json::Object(members.clone()));
    out
}

fn as_text(value: &Json) -> Json {
    match value {
        Json::String(_) => value.clone(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => value.to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use caisson_sdk::api::schema::Field;

    use super::*;

    fn field(name: &str, schema: Schema) -> Field {
        Field {
            name: name.into(),
            schema: Arc::new(schema),
        }
    }

    fn json(schema: &Schema, value: &Value, compact: bool) -> String {
        let mut out = Vec::new();
        write(Some(schema), value, compact, &mut out).expect("it can be written");
        String::from_utf8(out).expect("JSON is text")
    }

    #[test]
    fn decimals_are_doubles_and_times_are_numbers() {
        let schema = Schema::new(Kind::Struct(vec![
            field("price", Schema::decimal(2)),
            field("day", Schema::date()),
            field("time", Schema::time()),
            field("at", Schema::timestamp()),
            field("raw", Schema::new(Kind::Bytes)),
            field("f", Schema::new(Kind::Float64)),
        ]));
        let value = Value::Struct(vec![
            Value::Decimal(Decimal::new(&[0x30, 0x39], 2)),
            Value::Date(MILLIS_PER_DAY * 3),
            Value::Date(1500),
            Value::Date(1_700_000_000_123),
            Value::Bytes(vec![1, 2]),
            Value::Float64(f64::NAN),
        ]);
        let expected = r#"{"price":123.45,"day":3,"time":1500,"at":1700000000123,"raw":"AQI=","f":"NaN"}"#;
        assert_eq!(json(&schema, &value, true), expected);
    }

    #[test]
    fn maps_are_objects_or_lists_of_pairs() {
        let texts = Schema::new(Kind::Map(
            Arc::new(Schema::new(Kind::String)),
            Arc::new(Schema::new(Kind::Int32)),
        ));
        let pairs = Value::Map(vec![(Value::from("a\"b"), Value::Int32(1))]);
        assert_eq!(json(&texts, &pairs, true), r#"{"a\"b":1}"#);
        assert_eq!(json(&texts, &pairs, false), r#"[{"key":"a\"b","value":1}]"#);
        let numbers = Schema::new(Kind::Map(
            Arc::new(Schema::new(Kind::Int32)),
            Arc::new(Schema::new(Kind::Int32)),
        ));
        let pairs = Value::Map(vec![(Value::Int32(2), Value::Int32(1))]);
        assert_eq!(json(&numbers, &pairs, true), r#"[{"key":2,"value":1}]"#);
    }

    #[test]
    fn nulls_become_defaults_or_stay_or_are_refused() {
        let defaulted = Schema {
            default: Some(Value::Int32(5)),
            ..Schema::new(Kind::Int32)
        };
        assert_eq!(json(&defaulted, &Value::Null, true), "5");
        assert_eq!(json(&Schema::optional(Kind::Int32), &Value::Null, true), "null");
        let schema = Schema::new(Kind::Struct(vec![field("must", Schema::new(Kind::Int32))]));
        let error = write(Some(&schema), &Value::Struct(vec![Value::Null]), true, &mut Vec::new());
        let message = error.expect_err("it has no value").message;
        assert_eq!(
            message,
            "field must: null value for field that is required and has no default value"
        );
    }

    #[test]
    fn line_breaks_do_not_end_a_document() {
        let mut out = b"x".to_vec();
        one_line(b"{\r\n \"a\": \"b\\n\"\n}", &mut out);
        assert_eq!(out, b"x{   \"a\": \"b\\n\" }");
    }

    #[test]
    fn a_data_stream_has_times() {
        let check = |document: &str, fields: &[&str], expected: Option<&str>| {
            let fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
            let found = with_timestamp(document.as_bytes(), &fields, Timestamp::Create(7)).expect("an object");
            assert_eq!(
                found.map(|found| String::from_utf8(found).expect("text")).as_deref(),
                expected
            );
        };
        check(r#"{"a":1}"#, &[], Some(r#"{"a":1,"@timestamp":7}"#));
        check(
            r#"{"a":1,"b":2}"#,
            &["x", "b"],
            Some(r#"{"a":1,"b":2,"@timestamp":"2"}"#),
        );
        check(r#"{"a":1}"#, &["x"], None);
        assert!(with_timestamp(b"5", &[], Timestamp::None).is_err());
    }
}

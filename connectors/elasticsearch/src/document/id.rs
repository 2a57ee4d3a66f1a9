//! The id of a document, out of the record's key.
//!
//! As the original: an integer or a string. Beyond it: an object with one primitive field gives that field's value, any
//! other object its JSON with sorted members, so that the same key is the same id however it was written.

use std::borrow::Cow;

use caisson_sdk::api::schema::Logical;
use caisson_sdk::prelude::*;

use super::json;

/// Writes the id that a record's key stands for.
pub(super) fn of_key(record: &RecordView<'_>, encoding: Encoding, out: &mut String) -> Result<(), Error> {
    let Some(bytes) = record.key_bytes() else {
        return Err(Error::data("Key is used as document id and can not be null."));
    };
    match encoding {
        Encoding::Json | Encoding::Bytes => of_json(bytes, out)?,
        Encoding::Connect => of_value(record.key_schema().map(|schema| &**schema), &record.key()?, out)?,
    }
    if out.is_empty() {
        return Err(Error::data("Key is used as document id and can not be empty."));
    }
    Ok(())
}

fn unsupported(kind: &str) -> Error {
    Error::data(format!("{kind} is not supported as the document id."))
}

fn of_json(bytes: &[u8], out: &mut String) -> Result<(), Error> {
    let bytes = bytes.trim_ascii();
    let text = std::str::from_utf8(bytes).map_err(|_| Error::data("the key is not UTF-8"))?;
    match bytes {
        [b'"', inner @ .., b'"'] if !inner.contains(&b'\\') => out.push_str(&text[1..text.len() - 1]),
        [b'-' | b'0'..=b'9', ..] if !bytes.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')) => out.push_str(text),
        _ => {
            let value: Json = serde_json(text)?;
            return of_document(value, out);
        }
    }
    Ok(())
}

fn serde_json(text: &str) -> Result<Json, Error> {
    caisson_sdk::serde_json::from_str(text).map_err(|error| Error::data(format!("the key is not JSON: {error}")))
}

fn of_document(value: Json, out: &mut String) -> Result<(), Error> {
    match value {
        Json::Null => return Err(Error::data("Key is used as document id and can not be null.")),
        Json::String(text) => out.push_str(&text),
        Json::Number(number) if number.is_i64() || number.is_u64() => out.push_str(&number.to_string()),
        Json::Number(_) => return Err(unsupported("FLOAT64")),
        Json::Bool(_) => return Err(unsupported("BOOLEAN")),
        Json::Array(_) => return Err(unsupported("ARRAY")),
        Json::Object(members) => {
            let only = if members.len() == 1 {
                members.values().next()
            } else {
                None
            };
            match only.and_then(primitive) {
                Some(text) => out.push_str(&text),
                None => out.push_str(&canonical(Json::Object(members)).to_string()),
            }
        }
    }
    Ok(())
}

fn primitive(value: &Json) -> Option<Cow<'_, str>> {
    match value {
        Json::String(text) => Some(text.as_str().into()),
        Json::Number(number) => Some(number.to_string().into()),
        Json::Bool(value) => Some(value.to_string().into()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// The same value with the members of its objects in the order of their names.
fn canonical(value: Json) -> Json {
    match value {
        Json::Object(members) => {
            let mut members: Vec<_> = members.into_iter().collect();
            members.sort_by(|(one, _), (other, _)| one.cmp(other));
            Json::Object(
                members
                    .into_iter()
                    .map(|(name, value)| (name, canonical(value)))
                    .collect(),
            )
        }
        Json::Array(items) => Json::Array(items.into_iter().map(canonical).collect()),
        other => other,
    }
}

fn of_value(schema: Option<&Schema>, value: &Value, out: &mut String) -> Result<(), Error> {
    match value {
        Value::Null => return Err(Error::data("Key is used as document id and can not be null.")),
        Value::Int8(number) => out.push_str(itoa::Buffer::new().format(*number)),
        Value::Int16(number) => out.push_str(itoa::Buffer::new().format(*number)),
        Value::Int32(number) => out.push_str(itoa::Buffer::new().format(*number)),
        Value::Int64(number) => out.push_str(itoa::Buffer::new().format(*number)),
        Value::String(text) => out.push_str(text),
        Value::Date(_)
            if schema
                .and_then(Schema::logical_type)
                .is_some_and(|kind| kind != Logical::Decimal) =>
        {
            let mut text = Vec::new();
            json::write(schema, value, true, &mut text)?;
            out.push_str(&String::from_utf8_lossy(&text));
        }
        Value::Struct(_) | Value::Map(_) => {
            let mut text = Vec::new();
            json::write(schema, value, true, &mut text)?;
            return of_json(&text, out);
        }
        Value::Boolean(_) => return Err(unsupported("BOOLEAN")),
        Value::Float32(_) => return Err(unsupported("FLOAT32")),
        Value::Float64(_) => return Err(unsupported("FLOAT64")),
        Value::Array(_) => return Err(unsupported("ARRAY")),
        Value::Bytes(_) | Value::Decimal(_) | Value::Date(_) => return Err(unsupported("BYTES")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(key: &str, expected: Result<&str, &str>) {
        let mut id = String::new();
        let found = of_json(key.as_bytes(), &mut id).map(|()| id.as_str());
        assert_eq!(
            found.map_err(|error| error.message),
            expected.map_err(str::to_owned),
            "{key}"
        );
    }

    #[test]
    fn integers_and_strings_are_ids_as_they_are() {
        check("7", Ok("7"));
        check(" -7 ", Ok("-7"));
        check("\"a b\"", Ok("a b"));
        check(r#""a\"b\u00e9""#, Ok("a\"bé"));
        check("\"\"", Ok(""));
    }

    #[test]
    fn an_object_is_its_only_primitive_or_its_sorted_json() {
        check(r#"{"id":1}"#, Ok("1"));
        check(r#"{"id":"x"}"#, Ok("x"));
        check(r#"{"id":1.5}"#, Ok("1.5"));
        check(
            r#"{ "b": 2, "a": {"d": [1, 2], "c": null} }"#,
            Ok(r#"{"a":{"c":null,"d":[1,2]},"b":2}"#),
        );
        check(r#"{"id":null}"#, Ok(r#"{"id":null}"#));
        check("{}", Ok("{}"));
    }

    #[test]
    fn what_the_original_refuses_is_refused() {
        check("1.5", Err("FLOAT64 is not supported as the document id."));
        check("true", Err("BOOLEAN is not supported as the document id."));
        check("[1]", Err("ARRAY is not supported as the document id."));
        check("null", Err("Key is used as document id and can not be null."));
    }

    #[test]
    fn typed_keys_are_as_their_json() {
        let schema = Schema::new(Kind::Struct(vec![caisson_sdk::api::schema::Field {
            name: "id".into(),
            schema: std::sync::Arc::new(Schema::new(Kind::Int32)),
        }]));
        let mut id = String::new();
        of_value(Some(&schema), &Value::Struct(vec![Value::Int32(5)]), &mut id).expect("an id");
        assert_eq!(id, "5");
        let error = of_value(None, &Value::Boolean(true), &mut id).expect_err("no id");
        assert_eq!(error.message, "BOOLEAN is not supported as the document id.");
    }
}

//! JSON in, with Jackson's leniency and messages.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::Unreadable;

/// A flat map of texts; a value may be null.
pub type TextMap = BTreeMap<String, Option<String>>;

const MAP: &str = "java.util.LinkedHashMap<java.lang.String,java.lang.String>";
const MAPS: &str = "java.util.ArrayList<java.util.Map<java.lang.String,java.lang.String>>";
/// What some editors write before a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const STRING: &str = "java.lang.String";

/// Reads a flat map; none for an empty body and for null.
pub fn parse_map(body: &[u8]) -> Result<Option<TextMap>, Unreadable> {
    value(body)?.map_or(Ok(None), |raw| text_map(raw).map(Some))
}

/// Reads a list of flat maps; none for an empty body and for null.
pub fn parse_maps(body: &[u8]) -> Result<Option<Vec<TextMap>>, Unreadable> {
    let Some(raw) = value(body)? else { return Ok(None) };
    elements(raw, MAPS)?
        .into_iter()
        .map(text_map)
        .collect::<Result<_, _>>()
        .map(Some)
}

/// The one value of a body as it was written; none if there is none, or null.
pub fn value(body: &[u8]) -> Result<Option<&str>, Unreadable> {
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let raw: &RawValue = serde_json::from_slice(body).map_err(|error| syntax(&error))?;
    Ok(Some(raw.get()).filter(|raw| *raw != "null"))
}

/// The members of an object, in order, each as it was written.
pub fn members<'a>(raw: &'a str, wanted: &str) -> Result<Vec<(String, &'a str)>, Unreadable> {
    if !raw.starts_with('{') {
        return Err(mismatch(wanted, raw));
    }
    let members: Members = serde_json::from_str(raw).map_err(|error| syntax(&error))?;
    Ok(members.0)
}

/// The elements of an array, each as it was written.
pub fn elements<'a>(raw: &'a str, wanted: &str) -> Result<Vec<&'a str>, Unreadable> {
    if !raw.starts_with('[') {
        return Err(mismatch(wanted, raw));
    }
    let elements: Vec<&RawValue> = serde_json::from_str(raw).map_err(|error| syntax(&error))?;
    Ok(elements.into_iter().map(RawValue::get).collect())
}

/// A flat map of texts.
pub fn text_map(raw: &str) -> Result<TextMap, Unreadable> {
    let mut map = TextMap::new();
    for (name, raw) in members(raw, MAP)? {
        let value = text(raw).map_err(|Unreadable(problem)| {
            Unreadable(format!(
                "{problem} (through reference chain: java.util.LinkedHashMap[\"{name}\"])"
            ))
        })?;
        map.insert(name, value);
    }
    Ok(map)
}

/// A scalar as text: numbers and booleans as they were written.
pub fn text(raw: &str) -> Result<Option<String>, Unreadable> {
    match raw.as_bytes().first() {
        Some(b'"') => serde_json::from_str(raw).map(Some).map_err(|error| syntax(&error)),
        Some(b'{' | b'[') => Err(mismatch(STRING, raw)),
        Some(_) if raw == "null" => Ok(None),
        Some(_) | None => Ok(Some(raw.to_owned())),
    }
}

pub fn mismatch(wanted: &str, raw: &str) -> Unreadable {
    let (what, token) = match raw.as_bytes().first() {
        Some(b'{') => ("Object value", "START_OBJECT"),
        Some(b'[') => ("Array value", "START_ARRAY"),
        Some(b'"') => ("String value", "VALUE_STRING"),
        Some(b't') => ("Boolean value", "VALUE_TRUE"),
        Some(b'f') => ("Boolean value", "VALUE_FALSE"),
        Some(b'n') => ("Null value", "VALUE_NULL"),
        Some(_) if raw.contains(['.', 'e', 'E']) => ("Floating-point value", "VALUE_NUMBER_FLOAT"),
        Some(_) | None => ("Integer value", "VALUE_NUMBER_INT"),
    };
    Unreadable(format!(
        "Cannot deserialize value of type `{wanted}` from {what} (token `JsonToken.{token}`)"
    ))
}

fn syntax(error: &serde_json::Error) -> Unreadable {
    let (line, column) = (error.line(), error.column());
    let kind = match error.classify() {
        serde_json::error::Category::Eof => "Unexpected end-of-input",
        serde_json::error::Category::Syntax | serde_json::error::Category::Data | serde_json::error::Category::Io => {
            "Unexpected character"
        }
    };
    Unreadable(format!(
        "{kind}: {error}\n at [Source: REDACTED; line: {line}, column: {column}]"
    ))
}

/// The members of an object with their order and repeats.
struct Members<'a>(Vec<(String, &'a str)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Vec<(String, &'de str)>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((name, raw)) = map.next_entry::<String, &'de RawValue>()? {
                    members.push((name, raw.get()));
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Collect).map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(body: &str) -> Result<Option<TextMap>, String> {
        parse_map(body.as_bytes()).map_err(|Unreadable(problem)| problem)
    }

    fn texts(pairs: &[(&str, Option<&str>)]) -> TextMap {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned)))
            .collect()
    }

    #[test]
    fn scalars_become_texts_as_they_were_written() {
        let body = r#"{"a": 1.50, "b": 1e3, "c": true, "d": null, "e": "\u00e9", "f": 12345678901234567890123}"#;
        let expected = [
            ("a", Some("1.50")),
            ("b", Some("1e3")),
            ("c", Some("true")),
            ("d", None),
            ("e", Some("é")),
            ("f", Some("12345678901234567890123")),
        ];
        assert_eq!(map(body), Ok(Some(texts(&expected))));
    }

    #[test]
    fn last_of_two_members_counts_and_a_byte_order_mark_does_not() {
        let body = "\u{feff}{\"a\":\"1\",\"a\":\"2\"} ";
        assert_eq!(map(body), Ok(Some(texts(&[("a", Some("2"))]))));
    }

    #[test]
    fn nothing_and_null_are_no_map() {
        assert_eq!(map(""), Ok(None));
        assert_eq!(map(" null "), Ok(None));
    }

    #[test]
    fn nested_values_are_named() {
        let problem = map(r#"{"topics": {"a": 1}}"#).unwrap_err();
        assert!(problem.starts_with(
            "Cannot deserialize value of type `java.lang.String` from Object value (token `JsonToken.START_OBJECT`)"
        ));
        assert!(
            problem.ends_with("(through reference chain: java.util.LinkedHashMap[\"topics\"])"),
            "{problem}"
        );
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for body in [
            "{\"a\"",
            "name=a",
            "[]",
            "\"a\"",
            "5",
            "{\"a\": \"b\",}",
            "{\"a\": }",
            "\u{0}",
            "{\"a\": 01}",
            "{} x",
            "{}{}",
            "{}]",
        ] {
            assert!(map(body).is_err(), "{body}");
        }
        assert!(parse_map(b"{\"a\": \"\xff\"}").is_err());
    }

    #[test]
    fn deep_nesting_is_refused_without_a_crash() {
        assert!(map(&"[".repeat(1 << 20)).is_err());
        assert!(map(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))).is_err());
    }
}

//! Input that nobody means well with: every converter answers with a value or an error, soon and without a panic.

#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use caisson_api::Value;
use caisson_convert::registry::Bundled;
use caisson_convert::{ConvertError, Converter, JsonConverter, JsonOptions, values};

fn plain() -> JsonConverter {
    JsonConverter::new(JsonOptions {
        schemas_enable: false,
        ..JsonOptions::default()
    })
}

fn read(text: impl AsRef<[u8]>) -> Result<Value, ConvertError> {
    plain().to_connect("t", Some(text.as_ref())).map(|(_, value)| value)
}

/// What every converter makes of the bytes, and within which time.
fn check_all(bytes: &[u8]) {
    let started = Instant::now();
    for bundled in Bundled::all() {
        let converter = bundled.header_values(&[]).unwrap();
        let mut out = Vec::new();
        let _ = converter.to_connect("t", Some(bytes));
        let _ = converter.check("t", bytes);
        let _ = converter.to_json("t", bytes, &mut out);
        let _ = converter.to_typed("t", bytes, &mut out);
        let _ = converter.from_json("t", bytes, &mut out);
        let _ = converter.from_raw("t", bytes, &mut out);
        let _ = converter.from_typed("t", None, Some(bytes), &mut out);
    }
    assert!(
        started.elapsed() < Duration::from_secs(60),
        "{} bytes took {:?}",
        bytes.len(),
        started.elapsed()
    );
}

#[test]
fn nesting_ends_at_a_thousand_levels() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(read(nested(1000)).is_ok());
    assert!(read(nested(1001)).is_err());
    assert!(read("[".repeat(10_000_000)).is_err());
    assert!(read(r#"{"a":"#.repeat(1_000_000)).is_err());
    check_all("[".repeat(1_000_000).as_bytes());
    check_all("{\"a\":".repeat(100_000).as_bytes());
    check_all("{1:".repeat(100_000).as_bytes());
}

#[test]
fn a_text_of_brackets_is_read_in_linear_time() {
    let text = "[[".repeat(50_000) + "x";
    let (_, value) = values::parse_string(&text);
    assert_eq!(value, Value::String(text));
}

#[test]
fn numbers_have_at_most_a_thousand_digits() {
    assert!(read("9".repeat(1000)).is_ok());
    assert!(read("9".repeat(1001)).is_err());
    assert!(read(format!("0.{}", "1".repeat(2000))).is_err());
    assert!(read("9".repeat(10_000_000)).is_err());
    check_all("9".repeat(1_000_000).as_bytes());
}

#[test]
fn exponents_cost_nothing() {
    assert_eq!(read("1e999999999").unwrap(), Value::Float64(f64::INFINITY));
    assert_eq!(read("1e-999999999").unwrap(), Value::Float64(0.0));
    assert!(read("1e99999999999").is_err());
    for text in [
        "1e2147483647",
        "-1e-2147483647",
        "1e999999999",
        "0e2147483647",
        "1e-99999999999",
    ] {
        check_all(text.as_bytes());
    }
    let decimal = br#"{"schema":{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal",
        "parameters":{"scale":"0"}},"payload":1e1000000}"#;
    let (schema, value) = JsonConverter::default().to_connect("t", Some(decimal)).unwrap();
    let mut out = Vec::new();
    // The scale is not the schema's, which is an error and not a number of a million digits.
    assert!(
        JsonConverter::default()
            .from_connect("t", schema.as_ref(), &value, &mut out)
            .is_err()
    );
    check_all(decimal);
}

#[test]
fn an_object_of_many_names_is_read_in_linear_time() {
    let started = Instant::now();
    let names: Vec<String> = (0..200_000).map(|i| format!("\"n{}\":{i}", i % 100_000)).collect();
    let Value::Map(entries) = read(format!("{{{}}}", names.join(","))).unwrap() else {
        panic!("no map")
    };
    assert_eq!(entries.len(), 100_000);
    assert_eq!(entries[7], (Value::String("n7".into()), Value::Int64(100_007)));
    assert!(started.elapsed() < Duration::from_secs(60));
}

#[test]
fn malformed_utf8_is_an_error_in_json_and_replaced_in_text() {
    for bytes in [
        &b"\"\xff\""[..],
        b"\"a\xc3",
        b"{\"\x80\":1}",
        b"[1\xf0\x9f]",
        b"1\xff",
        b"\xed\xa0\x80",
    ] {
        assert!(read(bytes).is_err(), "{bytes:x?}");
        check_all(bytes);
    }
    // What follows the value is not looked at.
    assert_eq!(read(b"{} \xff").unwrap(), Value::Map(vec![]));
}

#[test]
fn a_hundred_megabytes_are_bounded() {
    let text = format!("\"{}\"", "a".repeat(100 << 20));
    let error = read(&text).unwrap_err();
    assert!(
        error
            .causes()
            .any(|cause| cause.message.contains("exceeds the maximum allowed")),
        "{error:?}"
    );
    drop(text);
    let array = format!("[{}1]", "1,".repeat(50 << 20));
    let started = Instant::now();
    assert!(plain().check("t", array.as_bytes()).is_ok());
    assert!(started.elapsed() < Duration::from_secs(60));
    let spaces = " ".repeat(100 << 20);
    assert_eq!(read(spaces).unwrap(), Value::Null);
}

#[test]
fn a_schema_of_thousands_of_fields_is_read_and_written() {
    let fields: Vec<String> = (0..20_000)
        .map(|i| format!(r#"{{"type":"string","optional":true,"field":"f{i}"}}"#))
        .collect();
    let text = format!(
        r#"{{"schema":{{"type":"struct","fields":[{}]}},"payload":{{"f19999":"x"}}}}"#,
        fields.join(",")
    );
    let converter = JsonConverter::default();
    let started = Instant::now();
    let (schema, value) = converter.to_connect("t", Some(text.as_bytes())).unwrap();
    let mut out = Vec::new();
    assert!(converter.from_connect("t", schema.as_ref(), &value, &mut out).unwrap());
    assert_eq!(converter.to_connect("t", Some(&out)).unwrap().1, value);
    assert!(started.elapsed() < Duration::from_secs(60));
}

#[test]
fn many_schemas_do_not_fill_the_memory() {
    let converter = JsonConverter::new(JsonOptions {
        cache_size: 10,
        ..JsonOptions::default()
    });
    for version in 0..1000 {
        let text = format!(r#"{{"schema":{{"type":"int32","version":{version}}},"payload":{version}}}"#);
        let (schema, value) = converter.to_connect("t", Some(text.as_bytes())).unwrap();
        assert_eq!(schema.as_ref().unwrap().version, Some(version));
        let mut out = Vec::new();
        converter.from_connect("t", schema.as_ref(), &value, &mut out).unwrap();
        assert_eq!(converter.to_connect("t", Some(&out)).unwrap().0, schema);
    }
}

#[test]
fn a_schema_that_begins_like_another_is_not_taken_for_it() {
    let converter = JsonConverter::default();
    let read = |text: &str| converter.to_connect("t", Some(text.as_bytes()));
    assert_eq!(read(r#"{"schema":null,"payload":1}"#).unwrap().1, Value::Int64(1));
    assert!(read(r#"{"schema":nullx,"payload":1}"#).is_err());
    assert_eq!(
        read(r#"{"schema":{"type":"int8"},"payload":1}"#).unwrap().1,
        Value::Int8(1)
    );
    assert!(read(r#"{"schema":{"type":"int8"}x,"payload":1}"#).is_err());
    assert!(read(r#"{"schema":{"type":"int8"},"payload":1,"more":2}"#).is_err());
    assert!(
        read(r#"{"schema":{"type":"int8"},"schema":{"type":"int16"},"payload":1}"#)
            .unwrap()
            .1
            == Value::Int16(1)
    );
}

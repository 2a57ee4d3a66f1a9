//! Schemas: their JSON text. Values: their text in Java.

#![allow(clippy::unwrap_used)]

use caisson_api::schema::{Kind, Schema, SchemaBuilder};
use caisson_api::value::{Decimal, Value, base64, java, to_java_string};

#[test]
fn the_json_text_has_the_order_of_json_converter() {
    let schema = SchemaBuilder::structure()
        .field("id", Schema::new(Kind::Int32))
        .field(
            "s",
            SchemaBuilder::new(Kind::String)
                .optional()
                .default("x".into())
                .build()
                .unwrap(),
        )
        .name("rec")
        .version(1)
        .doc("d")
        .parameter("k", "v")
        .build()
        .unwrap();
    let text = r#"{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},{"type":"string","optional":true,"default":"x","field":"s"}],"optional":false,"name":"rec","version":1,"doc":"d","parameters":{"k":"v"}}"#;
    assert_eq!(schema.to_json(), text);
    assert_eq!(Schema::from_json(text).unwrap(), schema);
}

#[test]
fn every_kind_of_schema_survives_its_text() {
    let with_default = |schema: Schema, value: Value| SchemaBuilder::from(schema).default(value).build().unwrap();
    let schema = SchemaBuilder::structure()
        .field("int8", with_default(Schema::new(Kind::Int8), Value::Int8(-1)))
        .field("float", with_default(Schema::new(Kind::Float32), Value::Float32(1e10)))
        .field(
            "double",
            with_default(Schema::optional(Kind::Float64), Value::Float64(f64::INFINITY)),
        )
        .field(
            "boolean",
            with_default(Schema::new(Kind::Boolean), Value::Boolean(true)),
        )
        .field(
            "bytes",
            with_default(Schema::new(Kind::Bytes), Value::Bytes(vec![1, 2])),
        )
        .field(
            "decimal",
            with_default(Schema::decimal(2), Value::Decimal(Decimal::parse("-1.05").unwrap())),
        )
        .field("date", with_default(Schema::date(), Value::Date(86_400_000)))
        .field("time", with_default(Schema::time(), Value::Date(5)))
        .field(
            "timestamp",
            with_default(Schema::timestamp(), Value::Date(1_762_000_000_123)),
        )
        .field(
            "map",
            SchemaBuilder::map(Schema::new(Kind::Int64), Schema::new(Kind::String))
                .build()
                .unwrap(),
        )
        .field(
            "array",
            SchemaBuilder::array(Schema::optional(Kind::Int16))
                .doc("quote \" and \u{1}")
                .build()
                .unwrap(),
        )
        .build()
        .unwrap();
    assert_eq!(Schema::from_json(&schema.to_json()).unwrap(), schema);
}

#[test]
fn parameters_keep_their_order() {
    let text = r#"{"type":"int8","optional":false,"parameters":{"z":"1","a":"2","m":"3"}}"#;
    assert_eq!(Schema::from_json(text).unwrap().to_json(), text);
}

#[test]
fn texts_that_are_no_schemas_are_refused_in_the_words_of_json_converter() {
    for (text, error) in [
        ("{}", "Schema must contain 'type' field"),
        (r#"{"type":"int"}"#, "Unknown schema type: int"),
        (r#"{"type":"array"}"#, "Array schema did not specify the element type"),
        (
            r#"{"type":"map","keys":{"type":"string"}}"#,
            "Map schema did not specify the value type",
        ),
        (
            r#"{"type":"struct"}"#,
            "Struct schema's \"fields\" argument is not an array.",
        ),
        (
            r#"{"type":"struct","fields":[{"type":"int8"}]}"#,
            "Struct schema's field name not specified properly",
        ),
        (
            r#"{"type":"int8","parameters":{"a":1}}"#,
            "Schema parameters must have string values.",
        ),
    ] {
        assert_eq!(Schema::from_json(text).unwrap_err().to_string(), error);
    }
    assert!(Schema::from_json(&"[".repeat(100_000)).is_err());
    let deep = r#"{"type":"array","items":"#.repeat(100_000);
    assert!(Schema::from_json(&deep).is_err());
}

#[test]
fn numbers_print_as_in_java() {
    for (number, text) in [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (100.0, "100.0"),
        (1234567.5, "1234567.5"),
        (1e7, "1.0E7"),
        (1.25e10, "1.25E10"),
        (0.001, "0.001"),
        (0.00012, "1.2E-4"),
        (-5e-324, "-4.9E-324"),
        (1e22, "1.0E22"),
        (1e23, "9.999999999999999E22"),
        (-2e23, "-1.9999999999999998E23"),
        (8.41e21, "8.409999999999999E21"),
        (2_f64.powi(128), "3.4028236692093846E38"),
        (2_f64.powi(-20), "9.5367431640625E-7"),
        (f64::MAX, "1.7976931348623157E308"),
        (f64::NAN, "NaN"),
        (f64::NEG_INFINITY, "-Infinity"),
    ] {
        assert_eq!(java::double_text(number), text);
    }
    assert_eq!(java::float_text(0.1), "0.1");
    assert_eq!(java::float_text(f32::MAX), "3.4028235E38");
}

#[test]
fn dates_print_as_in_java() {
    for (ms, text) in [
        (0, "Thu Jan 01 00:00:00 UTC 1970"),
        (1_762_000_000_123, "Sat Nov 01 12:26:40 UTC 2025"),
        (951_782_400_000, "Tue Feb 29 00:00:00 UTC 2000"),
        (-1, "Wed Dec 31 23:59:59 UTC 1969"),
        // The Gregorian calendar begins; the day before it is Julian.
        (-12_219_292_800_000, "Fri Oct 15 00:00:00 UTC 1582"),
        (-12_219_292_800_001, "Thu Oct 04 23:59:59 UTC 1582"),
        (-62_135_769_600_000, "Sat Jan 01 00:00:00 UTC 1"),
        (253_402_300_799_999, "Fri Dec 31 23:59:59 UTC 9999"),
    ] {
        assert_eq!(java::date_text(ms), text);
    }
}

#[test]
fn decimals_print_as_in_java() {
    for text in [
        "0",
        "1",
        "-1",
        "1.50",
        "-0.05",
        "0.000001",
        "1E-7",
        "1.2E-10",
        "1E+3",
        "0E+2",
        "0.00",
        "255",
        "-256",
        "340282366920938463463374607431768211456",
        "-99999999999999999999999999.9999",
    ] {
        assert_eq!(Decimal::parse(text).unwrap().to_string(), text);
    }
    let decimal = Decimal::parse("128").unwrap();
    assert_eq!((decimal.unscaled, decimal.scale), (vec![0, 0x80], 0));
    assert_eq!(Decimal::parse("-128").unwrap().unscaled, [0x80]);
    assert_eq!(Decimal::parse("1.5").unwrap().with_scale(0), None);
    assert_eq!(
        Decimal::parse("-1.50").unwrap().with_scale(1).unwrap().to_string(),
        "-1.5"
    );
    for wrong in ["", "-", "1.-5", "e5", "1e", "abc", "1.2.3"] {
        assert_eq!(Decimal::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn containers_print_as_in_java() {
    let value = Value::Map(vec![
        ("a".into(), Value::Int8(1)),
        ("b".into(), Value::Array(vec!["x".into(), Value::Null])),
    ]);
    assert_eq!(to_java_string(None, &value), "{a=1, b=[x, null]}");
}

#[test]
fn base64_is_that_of_the_standard() {
    for (bytes, text) in [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg=="),
    ] {
        assert_eq!(base64::encode(bytes.as_bytes()), text);
        assert_eq!(base64::decode(text).unwrap(), bytes.as_bytes());
    }
    assert_eq!(base64::decode("A"), None);
    assert_eq!(base64::decode("A!=="), None);
}

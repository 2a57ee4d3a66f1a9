//! JSON Schema: schemas and values both ways.

#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;

use caisson_api::schema::{Kind, Schema, SchemaBuilder};
use caisson_api::{Decimal, SchemaRef, Value};
use caisson_config::builtin::SchemaRegistryConverter::JsonSchema;
use caisson_convert::ConvertError;
use serde_json::{Value as Json, json};
use support::FakeRegistry;

fn read(schema: &Json, options: &[(&str, &str)], text: &str) -> Result<(SchemaRef, Value), ConvertError> {
    let registry = FakeRegistry::start();
    let id = registry.add(
        "t-value",
        &json!({ "schemaType": "JSON", "schema": schema.to_string() }),
    );
    let bytes = [&[0][..], &id.to_be_bytes(), text.as_bytes()].concat();
    let (schema, value) = registry.converter(JsonSchema, options).to_connect("t", Some(&bytes))?;
    Ok((schema.unwrap(), value))
}

/// The schema and the text that a value becomes, and what is read of them again.
fn write(schema: Schema, value: &Value, options: &[(&str, &str)]) -> (Json, String, SchemaRef, Value) {
    let registry = FakeRegistry::start();
    let converter = registry.converter(JsonSchema, options);
    let mut out = Vec::new();
    assert!(
        converter
            .from_connect("t", Some(&Arc::new(schema)), value, &mut out)
            .unwrap()
    );
    let (back_schema, back) = converter.to_connect("t", Some(&out)).unwrap();
    let text = String::from_utf8(out[5..].to_vec()).unwrap();
    (
        serde_json::from_str(&registry.latest("t-value")).unwrap(),
        text,
        back_schema.unwrap(),
        back,
    )
}

fn order() -> Schema {
    let text = Arc::new(Schema::new(Kind::String));
    let map = Schema::new(Kind::Map(text.clone(), Arc::new(Schema::optional(Kind::Int64))));
    let pairs = Schema::new(Kind::Map(Arc::new(Schema::new(Kind::Int32)), text));
    let inner = SchemaBuilder::structure()
        .name("Item")
        .field("sku", Schema::new(Kind::String))
        .build()
        .unwrap();
    SchemaBuilder::structure()
        .name("com.acme.Order")
        .version(3)
        .doc("an order")
        .field("z", Schema::new(Kind::Int8))
        .field("a", Schema::optional(Kind::String))
        .field(
            "n",
            SchemaBuilder::new(Kind::Int32)
                .default(Value::Int32(5))
                .build()
                .unwrap(),
        )
        .field("f", Schema::new(Kind::Float64))
        .field("map", map)
        .field("pairs", pairs)
        .field("items", Schema::new(Kind::Array(Arc::new(inner.clone()))))
        .field("first", inner.into_optional())
        .field("price", Schema::decimal(2))
        .field("at", Schema::timestamp())
        .field("raw", Schema::new(Kind::Bytes))
        .build()
        .unwrap()
}

fn an_order() -> Value {
    let item = Value::Struct(vec!["s".into()]);
    Value::Struct(vec![
        Value::Int8(7),
        Value::Null,
        Value::Int32(5),
        Value::Float64(1.5),
        Value::Map(vec![("k".into(), Value::Null)]),
        Value::Map(vec![(Value::Int32(1), "x".into())]),
        Value::Array(vec![item]),
        Value::Null,
        Value::Decimal(Decimal::new(&[0x30, 0x39], 2)),
        Value::Date(1500),
        Value::Bytes(vec![1, 2, 255]),
    ])
}

#[test]
fn a_struct_comes_back_as_it_was() {
    let (json, text, schema, back) = write(order(), &an_order(), &[]);
    assert_eq!(json["type"], "object");
    assert_eq!(json["title"], "com.acme.Order");
    assert_eq!(json["connect.version"], 3);
    assert_eq!(
        json["properties"]["z"],
        json!({ "type": "integer", "connect.type": "int8", "connect.index": 0 })
    );
    assert_eq!(
        json["properties"]["a"],
        json!({ "oneOf": [{ "type": "null" }, { "type": "string" }], "connect.index": 1 })
    );
    assert_eq!(
        text,
        r#"{"z":7,"a":null,"n":5,"f":1.5,"map":{"k":null},"pairs":[{"key":1,"value":"x"}],"items":[{"sku":"s"}],"first":null,"price":"MDk=","at":1500,"raw":"AQL/"}"#
    );
    assert_eq!(back, an_order());
    assert_eq!(*schema, order());
}

#[test]
fn decimals_may_be_numbers_and_objects_closed() {
    let options = [("decimal.format", "NUMERIC"), ("object.additional.properties", "false")];
    let (json, text, _, back) = write(order(), &an_order(), &options);
    assert!(text.contains(r#""price":123.45"#), "{text}");
    assert_eq!(json["additionalProperties"], false);
    assert_eq!(back, an_order());
}

#[test]
fn foreign_schemas_are_understood() {
    let schema = json!({
        "title": "P", "type": "object", "required": ["a"],
        "definitions": { "address": { "type": "object", "properties": { "zip": { "type": "string" } } } },
        "properties": {
            "a": { "type": "integer" }, "b": { "type": ["null", "number"] }, "c": { "$ref": "#/definitions/address" },
            "d": { "type": "string", "enum": ["X", "Y"] }, "e": { "oneOf": [{ "type": "string" }, { "type": "integer" }] },
            "f": { "allOf": [{ "$ref": "#/definitions/address" }, { "properties": { "street": { "type": "string" } } }] },
            "g": { "type": "boolean", "default": true },
        },
    });
    let text = r#"{"a":12345678901,"b":2,"c":{"zip":"1"},"d":"X","e":7,"f":{"zip":"2","street":"s"}}"#;
    let (schema, value) = read(&schema, &[("use.optional.for.nonrequired", "true")], text).unwrap();
    assert_eq!(
        value,
        Value::Struct(vec![
            Value::Int64(12_345_678_901),
            Value::Float64(2.0),
            Value::Struct(vec!["1".into()]),
            "X".into(),
            Value::Struct(vec![Value::Null, Value::Int64(7)]),
            Value::Struct(vec!["2".into(), "s".into()]),
            Value::Boolean(true),
        ])
    );
    let optional: Vec<bool> = schema.fields().iter().map(|field| field.schema.optional).collect();
    assert_eq!(optional, [false, true, true, true, true, true, true]);
    let marked = schema
        .field("d")
        .unwrap()
        .schema
        .parameter("io.confluent.connect.json.Enum.Y");
    assert_eq!(marked, Some("Y"));
}

#[test]
fn unions_are_written_as_what_they_hold() {
    let schema = json!({ "oneOf": [{ "type": "string" }, { "type": "object", "title": "O", "properties": { "i": { "type": "integer" } } }] });
    let (schema, value) = read(&schema, &[], r#"{"i":3}"#).unwrap();
    assert_eq!(
        value,
        Value::Struct(vec![Value::Null, Value::Struct(vec![Value::Int64(3)])])
    );
    let (_, text, _, back) = write(schema.as_ref().clone(), &value, &[]);
    assert_eq!((text.as_str(), back), (r#"{"i":3}"#, value));
}

#[test]
fn the_newest_schema_has_to_allow_the_value() {
    let registry = FakeRegistry::start();
    let latest = json!({ "type": "object", "properties": { "a": { "type": "string" } }, "required": ["a"] });
    let id = registry.add(
        "t-value",
        &json!({ "schemaType": "JSON", "schema": latest.to_string() }),
    );
    let options = [("auto.register.schemas", "false"), ("use.latest.version", "true")];
    let converter = registry.converter(JsonSchema, &options);
    let of = |name: &str, kind| {
        Arc::new(
            SchemaBuilder::structure()
                .field(name, Schema::new(kind))
                .build()
                .unwrap(),
        )
    };
    let mut out = Vec::new();
    let text = Value::Struct(vec!["x".into()]);
    assert!(
        converter
            .from_connect("t", Some(&of("a", Kind::String)), &text, &mut out)
            .unwrap()
    );
    assert_eq!(out[..5], [&[0][..], &id.to_be_bytes()].concat());
    for (schema, value) in [
        (of("a", Kind::Int32), Value::Int32(1)),
        (of("b", Kind::String), "x".into()),
    ] {
        let value = Value::Struct(vec![value]);
        assert!(converter.from_connect("t", Some(&schema), &value, &mut out).is_err());
    }
}

#[test]
fn hostile_schemas_and_texts_end_in_errors() {
    let recursive = json!({ "type": "object", "properties": { "r": { "$ref": "#" } } });
    let circle = json!({ "allOf": [{ "$ref": "#/definitions/a" }],
        "definitions": { "a": { "$ref": "#/definitions/b" }, "b": { "$ref": "#/definitions/a" } } });
    let mut bomb =
        json!({ "type": "object", "properties": { "x": { "$ref": "#/definitions/l39" } }, "definitions": {} });
    for level in 0..40 {
        let inner = match level {
            0 => json!({ "type": "string" }),
            _ => json!({ "$ref": format!("#/definitions/l{}", level - 1) }),
        };
        bomb["definitions"][format!("l{level}")] =
            json!({ "type": "object", "properties": { "a": inner, "b": inner } });
    }
    let object = json!({ "type": "object", "properties": { "a": { "type": "integer" } } });
    for (schema, text) in [
        (&recursive, "{}"),
        (&circle, "{}"),
        (&bomb, "{}"),
        (&json!({ "$ref": "nowhere.json" }), "{}"),
        (&json!({ "type": "array" }), "[]"),
        (&json!({ "type": "null" }), "null"),
        (&json!(true), "1"),
        (&object, "{"),
        (&object, "[]"),
        (&object, &"[".repeat(100_000)),
    ] {
        let error = read(schema, &[], text).unwrap_err();
        assert!(!error.message.is_empty(), "{schema}");
    }
}

#[test]
fn validation_is_refused_rather_than_left_out() {
    let registry = FakeRegistry::start();
    assert!(
        registry
            .try_converter(JsonSchema, &[("json.fail.invalid.schema", "true")])
            .is_err()
    );
}

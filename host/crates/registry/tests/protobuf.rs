//! Protobuf: schemas, messages, and their places in a file.

#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;

use caisson_api::schema::{Kind, Schema, SchemaBuilder};
use caisson_api::{Decimal, SchemaRef, Value};
use caisson_config::builtin::SchemaRegistryConverter::Protobuf;
use caisson_convert::ConvertError;
use serde_json::json;
use support::{FakeRegistry, hex};

/// What is read of a payload (with its indexes) under a schema.
fn read(text: &str, options: &[(&str, &str)], payload: &str) -> Result<(SchemaRef, Value), ConvertError> {
    let registry = FakeRegistry::start();
    let id = registry.add("t-value", &json!({ "schemaType": "PROTOBUF", "schema": text }));
    let bytes = [&[0][..], &id.to_be_bytes(), &hex(payload)].concat();
    let (schema, value) = registry.converter(Protobuf, options).to_connect("t", Some(&bytes))?;
    Ok((schema.unwrap(), value))
}

/// What is registered for a schema, what is written of a value, and what is read of that again.
fn write(schema: Schema, value: &Value, options: &[(&str, &str)]) -> (String, Vec<u8>, SchemaRef, Value) {
    let registry = FakeRegistry::start();
    let converter = registry.converter(Protobuf, options);
    let schema = Arc::new(schema);
    let mut out = Vec::new();
    assert!(converter.from_connect("t", Some(&schema), value, &mut out).unwrap());
    let (back_schema, back) = converter.to_connect("t", Some(&out)).unwrap();
    (
        registry.latest("t-value"),
        out[5..].to_vec(),
        back_schema.unwrap(),
        back,
    )
}

fn chain(error: &ConvertError) -> String {
    let all = std::iter::once(error).chain(error.causes());
    all.map(|error| error.message.as_str()).collect::<Vec<_>>().join("\n")
}

const NUMBERS: &str = r#"syntax = "proto3";
package a;
message N {
  int32 i = 1; sint32 s = 2; uint32 u = 3; fixed64 f = 4; float x = 5; double d = 6; bool b = 7; string t = 8; bytes y = 9;
  optional int32 o = 10;
  repeated int32 r = 11;
}"#;

#[test]
fn numbers_of_all_kinds_are_read() {
    let payload = concat!(
        "00",
        "08ffffffffffffffffff01",
        "1003",
        "18ffffffff0f",
        "210100000000000000",
        "2d0000c03f",
        "31000000000000f0bf",
        "3801",
        "420161",
        "4a02ff00",
        "5000",
        "5a020102"
    );
    let (schema, value) = read(NUMBERS, &[], payload).unwrap();
    assert_eq!(
        value,
        Value::Struct(vec![
            Value::Int32(-1),
            Value::Int32(-2),
            Value::Int64(4_294_967_295),
            Value::Int64(1),
            Value::Float32(1.5),
            Value::Float64(-1.0),
            Value::Boolean(true),
            "a".into(),
            Value::Bytes(vec![255, 0]),
            Value::Int32(0),
            Value::Array(vec![Value::Int32(1), Value::Int32(2)]),
        ])
    );
    assert_eq!((schema.name.as_deref(), schema.version), (Some("N"), Some(1)));
    let parameter = |field: &str, name| schema.field(field).unwrap().schema.parameter(name).map(str::to_owned);
    assert_eq!(
        parameter("s", "io.confluent.connect.protobuf.Type").as_deref(),
        Some("sint32")
    );
    assert_eq!(
        parameter("r", "io.confluent.connect.protobuf.Tag").as_deref(),
        Some("11")
    );
    assert!(schema.fields().iter().all(|field| field.schema.optional));
}

#[test]
fn what_is_absent_is_its_default_unless_it_is_labelled_optional() {
    let (_, value) = read(NUMBERS, &[], "00").unwrap();
    let Value::Struct(values) = value else {
        panic!("no struct")
    };
    assert_eq!(values[0], Value::Int32(0));
    assert_eq!(values[7], "".into());
    assert_eq!(values[9], Value::Null);
    assert_eq!(values[10], Value::Array(vec![]));
}

const NESTED: &str = r#"syntax = "proto3";
package a.b;
message First { string x = 1; map<string, int32> m = 2; message Inner { int32 i = 1; } Inner inner = 3; }
message Second {
  message A {}
  message B { oneof choice { int32 number = 1; string text = 2; } Color color = 3; enum Color { RED = 0; BLUE = 7; } }
}"#;

#[test]
fn indexes_choose_the_message() {
    let (schema, value) = read(
        NESTED,
        &[],
        "00 0a0178 12050a016b1005 1a020809".replace(' ', "").as_str(),
    )
    .unwrap();
    assert_eq!(schema.name.as_deref(), Some("First"));
    let map = Value::Map(vec![("k".into(), Value::Int32(5))]);
    assert_eq!(
        value,
        Value::Struct(vec!["x".into(), map, Value::Struct(vec![Value::Int32(9)])])
    );
    // The second message of the second message; the entry of the map of the first does not count.
    let (schema, value) = read(
        NESTED,
        &[("enhanced.protobuf.schema.support", "true")],
        "040202120161 1807".replace(' ', "").as_str(),
    )
    .unwrap();
    assert_eq!(schema.name.as_deref(), Some("a.b.Second.B"));
    assert_eq!(schema.fields()[0].name, "choice_0");
    let choice = Value::Struct(vec![Value::Null, "a".into()]);
    assert_eq!(value, Value::Struct(vec![choice, "BLUE".into()]));
    let (_, value) = read(NESTED, &[], "0400001805").unwrap();
    assert_eq!(value, Value::Struct(vec![Value::Int32(0)]));
    let (_, value) = read(NESTED, &[("int.for.enums", "true")], "0402021805").unwrap();
    assert_eq!(value, Value::Struct(vec![Value::Null, Value::Int32(5)]));
}

#[test]
fn messages_that_stand_for_logical_types_become_them() {
    let text = r#"syntax = "proto3";
import "google/protobuf/timestamp.proto"; import "google/type/date.proto"; import "google/type/timeofday.proto";
import "confluent/type/decimal.proto"; import "confluent/meta.proto"; import "google/protobuf/wrappers.proto";
message L {
  google.protobuf.Timestamp ts = 1; google.type.Date day = 2; google.type.TimeOfDay time = 3;
  confluent.type.Decimal d = 4 [(confluent.field_meta) = { params: [{ key: "scale", value: "2" }, { key: "precision", value: "9" }] }];
  int32 small = 5 [(confluent.field_meta) = { params: [{ key: "connect.type", value: "int8" }] }];
  google.protobuf.Int32Value w = 6;
}"#;
    let payload = "00 0a07 08011080c2d72f 1207 08d00f1002181d 1a04 08011002 2208 0a02303910051802 2805 3202 0807";
    let (schema, value) = read(text, &[("wrapper.for.nullables", "true")], &payload.replace(' ', "")).unwrap();
    assert_eq!(
        value,
        Value::Struct(vec![
            Value::Date(1100),
            Value::Date(11_016 * 86_400_000),
            Value::Date(3_720_000),
            Value::Decimal(Decimal::new(&[0x30, 0x39], 2)),
            Value::Int8(5),
            Value::Int32(7),
        ])
    );
    assert_eq!(
        schema.field("d").unwrap().schema.parameter("connect.decimal.precision"),
        Some("9")
    );
}

fn order() -> Schema {
    let inner = SchemaBuilder::structure()
        .name("com.acme.Item")
        .field("sku", Schema::new(Kind::String));
    let item = Arc::new(inner.build().unwrap());
    let text = Arc::new(Schema::new(Kind::String));
    let list = Schema::new(Kind::Array(item.clone()));
    let map = Schema::new(Kind::Map(text, Arc::new(Schema::new(Kind::Int64))));
    SchemaBuilder::structure()
        .name("com.acme.Order")
        .field("id", Schema::new(Kind::Int64))
        .field("small", Schema::new(Kind::Int8))
        .field("note", Schema::optional(Kind::String))
        .field("items", list)
        .field("counts", map)
        .field("first", item.as_ref().clone().into_optional())
        .field("price", Schema::decimal(2))
        .field("at", Schema::timestamp())
        .field("day", Schema::date())
        .field("time", Schema::time())
        .field("flags", Schema::new(Kind::Array(Arc::new(Schema::new(Kind::Boolean)))))
        .build()
        .unwrap()
}

fn an_order() -> Value {
    let item = |sku: &str| Value::Struct(vec![sku.into()]);
    Value::Struct(vec![
        Value::Int64(-3),
        Value::Int8(7),
        Value::Null,
        Value::Array(vec![item("a"), item("")]),
        Value::Map(vec![("k".into(), Value::Int64(0))]),
        item("first"),
        Value::Decimal(Decimal::new(&[0x30, 0x39], 2)),
        Value::Date(-1500),
        Value::Date(11_016 * 86_400_000),
        Value::Date(3_723_004),
        Value::Array(vec![Value::Boolean(true), Value::Boolean(false)]),
    ])
}

#[test]
fn a_struct_comes_back_as_it_was_but_for_nulls() {
    let (text, _, _, mut back) = write(order(), &an_order(), &[]);
    for part in [
        "package com.acme;",
        "message Order {",
        "  message Item {",
        "map<string, int64> counts = 5;",
        "import \"confluent/meta.proto\";",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let Value::Struct(values) = &mut back else {
        panic!("no struct")
    };
    assert_eq!(std::mem::take(&mut values[2]), "".into());
    assert_eq!(back, an_order());
}

#[test]
fn nulls_are_kept_by_labels_and_by_wrappers() {
    let (text, _, _, back) = write(order(), &an_order(), &[("optional.for.nullables", "true")]);
    assert!(text.contains("optional string note = 3;"), "{text}");
    assert_eq!(back, an_order());
    let (text, _, _, back) = write(order(), &an_order(), &[("wrapper.for.nullables", "true")]);
    assert!(text.contains("google.protobuf.StringValue note = 3;"), "{text}");
    assert_eq!(back, an_order());
}

#[test]
fn a_value_alone_stands_in_a_wrapper() {
    let (text, bytes, schema, back) = write(Schema::new(Kind::String), &"x".into(), &[]);
    assert!(text.contains("message StringValue {"), "{text}");
    // The eighth message of its file.
    assert_eq!(bytes, hex("020e0a0178"));
    assert_eq!((&schema.kind, back), (&Kind::String, "x".into()));
}

#[test]
fn what_was_read_is_written_with_its_numbers_and_types() {
    let text = r#"syntax = "proto3";
package a;
message M { sint32 s = 5; fixed32 f = 9; Color c = 2; oneof one { string t = 20; int32 i = 21; } enum Color { RED = 0; BLUE = 4; } }"#;
    let options = [("enhanced.protobuf.schema.support", "true")];
    let (schema, value) = read(text, &options, "0010042805").unwrap();
    let (written, _, _, back) = write(
        schema.as_ref().clone(),
        &value,
        &[("enhanced.protobuf.schema.support", "true")],
    );
    for part in [
        "sint32 s = 5;",
        "fixed32 f = 9;",
        "Color c = 2;",
        "oneof one {",
        "string t = 20;",
        "BLUE = 4;",
    ] {
        assert!(written.contains(part), "{part} in {written}");
    }
    assert_eq!(back, value);
}

#[test]
fn the_newest_schema_gives_the_place_of_the_message() {
    let registry = FakeRegistry::start();
    let text =
        "syntax = \"proto3\"; package com.acme; message Other {} message Small { int32 a = 1; string more = 2; }";
    let id = registry.add("t-value", &json!({ "schemaType": "PROTOBUF", "schema": text }));
    let options = [("auto.register.schemas", "false"), ("use.latest.version", "true")];
    let converter = registry.converter(Protobuf, &options);
    let small = |kind| {
        Arc::new(
            SchemaBuilder::structure()
                .name("com.acme.Small")
                .field("a", Schema::new(kind))
                .build()
                .unwrap(),
        )
    };
    let mut out = Vec::new();
    let one = Value::Struct(vec![Value::Int32(1)]);
    assert!(
        converter
            .from_connect("t", Some(&small(Kind::Int32)), &one, &mut out)
            .unwrap()
    );
    assert_eq!(out, [&[0][..], &id.to_be_bytes(), &hex("02020801")].concat());
    let text = Value::Struct(vec!["x".into()]);
    let error = converter
        .from_connect("t", Some(&small(Kind::String)), &text, &mut out)
        .unwrap_err();
    assert!(chain(&error).contains("latest.compatibility.strict=false"), "{error:?}");
}

#[test]
fn hostile_schemas_and_payloads_end_in_errors() {
    let deep = format!(
        "syntax = \"proto3\"; {}{}",
        "message A {".repeat(10_000),
        "}".repeat(10_000)
    );
    for (text, payload, part) in [
        ("message R { R r = 1; }", "00", ""),
        ("syntax = \"proto3\"; message R { R r = 1; }", "00", "contains itself"),
        (deep.as_str(), "00", "nested deeper"),
        (
            "syntax = \"proto3\"; import \"missing.proto\"; message M {}",
            "00",
            "missing.proto",
        ),
        ("no schema at all", "00", "Error deserializing Protobuf message"),
        ("syntax = \"proto3\"; message M {}", "0206", "no message at [3]"),
        (NUMBERS, "0008", "Error deserializing Protobuf message"),
        (NUMBERS, "0042ffffffff0f", "Error deserializing Protobuf message"),
        (NUMBERS, "004201ff", "Error deserializing Protobuf message"),
        (NUMBERS, "01", "which message"),
        (NUMBERS, "", "id of its schema"),
    ] {
        let error = read(text, &[], payload).unwrap_err();
        assert!(chain(&error).contains(part), "{part}: {error:?}");
    }
    // Each message twice the one before.
    let bomb: String = (0..40)
        .map(|level| match level {
            0 => "message L0 { int32 a = 1; }".to_owned(),
            _ => format!("message L{level} {{ L{0} a = 1; L{0} b = 2; }}", level - 1),
        })
        .collect();
    let error = read(
        &format!("syntax = \"proto3\"; message M {{ L39 a = 1; }} {bomb}"),
        &[],
        "00",
    )
    .unwrap_err();
    assert!(chain(&error).contains("stands for more than"), "{error:?}");
}

#[test]
fn what_protobuf_cannot_say_is_refused() {
    let list = Arc::new(Schema::new(Kind::Array(Arc::new(Schema::new(Kind::Int32)))));
    let key = Arc::new(Schema::new(Kind::Float64));
    let text = Arc::new(Schema::new(Kind::String));
    let of = |schema: Schema| SchemaBuilder::structure().field("f", schema).build().unwrap();
    for (schema, value) in [
        (of(Schema::new(Kind::Array(list))), Value::Array(vec![])),
        (of(Schema::new(Kind::Map(key, text))), Value::Map(vec![])),
        (
            SchemaBuilder::structure()
                .field("a-b", Schema::new(Kind::Int32))
                .build()
                .unwrap(),
            Value::Int32(1),
        ),
    ] {
        let registry = FakeRegistry::start();
        let value = Value::Struct(vec![value]);
        let mut out = Vec::new();
        let converter = registry.converter(Protobuf, &[]);
        assert!(
            converter
                .from_connect("t", Some(&Arc::new(schema)), &value, &mut out)
                .is_err()
        );
        assert!(registry.requests().is_empty());
    }
}

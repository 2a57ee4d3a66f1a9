//! Payloads and schemas that are almost right: whatever is changed in them, there is a value or an error, and no panic.

#![allow(clippy::unwrap_used)]

mod support;

use std::time::{Duration, Instant};

use caisson_config::builtin::SchemaRegistryConverter;
use serde_json::{Value as Json, json};
use support::{FakeRegistry, hex};

const PAYLOADS: usize = 20_000;
const SCHEMAS: usize = 1_500;

/// A sequence that is the same in every run.
struct Chance(u64);

impl Chance {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below.max(1) as u64) as usize
    }

    /// Changes a few bytes: other values, bytes more, bytes less, parts repeated.
    fn mutate(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = bytes.to_vec();
        for _ in 0..=self.next(4) {
            let at = self.next(out.len() + 1);
            match self.next(6) {
                0 if at < out.len() => out[at] ^= 1 << self.next(8),
                1 if at < out.len() => out[at] = [0, 1, 0x7f, 0x80, 0xff][self.next(5)],
                2 => out.insert(at.min(out.len()), self.next(256) as u8),
                3 if at < out.len() => drop(out.remove(at)),
                4 => out.truncate(at),
                _ => {
                    let end = at + self.next(out.len() - at + 1);
                    let part = out[at..end].to_vec();
                    let to = self.next(out.len() + 1);
                    out.splice(to..to, part);
                }
            }
        }
        out
    }
}

fn avro_schema() -> Json {
    json!({ "schema": json!({ "type": "record", "name": "R", "namespace": "n", "doc": "d", "fields": [
        { "name": "i", "type": { "type": "int", "connect.type": "int8" }, "default": 3 },
        { "name": "s", "type": ["null", "string"], "default": null },
        { "name": "d", "type": { "type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2 } },
        { "name": "t", "type": { "type": "int", "logicalType": "time-millis" } },
        { "name": "l", "type": { "type": "array", "items": ["int", "string", { "type": "fixed", "name": "F", "size": 2 }] } },
        { "name": "m", "type": { "type": "map", "values": { "type": "enum", "name": "E", "symbols": ["A", "B"] } } },
        { "name": "x", "type": { "type": "array", "items": { "type": "record", "name": "MapEntry",
            "namespace": "io.confluent.connect.avro", "fields": [{ "name": "key", "type": "long" }, { "name": "value", "type": "n.F" }] } } },
    ] }).to_string() })
}

const AVRO_PAYLOAD: &str = "06 020278 043039 c801 06 0002 020261 040102 00 02 026b 02 00 02 0a ff00 00";

fn protobuf_schema() -> Json {
    json!({ "schemaType": "PROTOBUF", "schema": r#"syntax = "proto3"; package a; import "google/protobuf/timestamp.proto";
import "google/type/date.proto"; import "confluent/meta.proto"; import "confluent/type/decimal.proto";
message M { int32 i = 1 [(confluent.field_meta) = { params: [{ key: "connect.type", value: "int8" }] }];
  optional string s = 2; repeated sint64 r = 3; map<string, E> m = 4; enum E { A = 0; B = 1; }
  oneof o { fixed32 f = 5; Inner inner = 6; } message Inner { bytes b = 1; repeated Inner2 l = 2; } message Inner2 { double d = 1; }
  google.protobuf.Timestamp ts = 7; google.type.Date day = 8; confluent.type.Decimal dec = 9; }"# })
}

const PROTOBUF_PAYLOAD: &str = "00080712017a1a0202042205 0a016b1001 32 0e 0a01ff 1209 09 000000000000f83f 3a02 0805 4207 08d00f1002181d 4a06 0a023039 1804";

fn json_schema_schema() -> Json {
    json!({ "schemaType": "JSON", "schema": json!({ "type": "object", "title": "T", "required": ["i"],
        "definitions": { "d": { "type": "object", "properties": { "a": { "type": "number" } } } },
        "properties": {
            "i": { "type": "integer", "connect.type": "int16", "connect.index": 1, "default": 4 },
            "s": { "oneOf": [{ "type": "null" }, { "type": "string", "enum": ["x", "y"] }] },
            "r": { "$ref": "#/definitions/d" },
            "u": { "anyOf": [{ "type": "integer" }, { "$ref": "#/definitions/d" }] },
            "p": { "type": "number", "connect.type": "bytes", "title": "org.apache.kafka.connect.data.Decimal",
                "connect.version": 1, "connect.parameters": { "scale": "2" } },
            "m": { "type": "array", "connect.type": "map", "items": { "type": "object", "properties": {
                "key": { "type": "integer" }, "value": { "type": ["string", "null"] } } } },
        } }).to_string() })
}

const JSON_PAYLOAD: &str =
    r#"{"i":1,"s":"x","r":{"a":1.5},"u":{"a":1},"p":"MDk=","m":[{"key":1,"value":"v"},{"key":2,"value":null}]}"#;

fn check(kind: SchemaRegistryConverter, schema: &Json, payload: &[u8], options: &[(&str, &str)]) {
    let registry = FakeRegistry::start();
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let started = Instant::now();
    let id = registry.add("t-value", schema);
    let converter = registry.converter(kind, options);
    let read = |id: i32, payload: &[u8]| {
        let bytes = [&[0][..], &id.to_be_bytes(), payload].concat();
        converter.to_connect("t", Some(&bytes))
    };
    let (connect, value) = read(id, payload).unwrap();
    let mut out = Vec::new();
    assert!(converter.from_connect("t", connect.as_ref(), &value, &mut out).unwrap());
    let mut values = 0;
    for _ in 0..PAYLOADS {
        let mutated = chance.mutate(payload);
        // What was read is a value under its schema, and can be written.
        if let Ok((Some(connect), value)) = read(id, &mutated) {
            values += 1;
            out.clear();
            let _ = converter.from_connect("t", Some(&connect), &value, &mut out);
            let _ = caisson_api::typed::encode(Some(&connect), &value, &mut out);
        }
    }
    assert!(values > 0);
    let text = schema["schema"].as_str().unwrap().as_bytes();
    for _ in 0..SCHEMAS {
        let mut other = schema.clone();
        other["schema"] = String::from_utf8_lossy(&chance.mutate(text)).into();
        let id = registry.add("t-value", &other);
        if let Ok((Some(connect), value)) = read(id, payload) {
            out.clear();
            let _ = converter.from_connect("t", Some(&connect), &value, &mut out);
        }
    }
    assert!(started.elapsed() < Duration::from_secs(240));
}

fn spaced(text: &str) -> Vec<u8> {
    hex(&text.replace(' ', ""))
}

#[test]
fn avro() {
    check(
        SchemaRegistryConverter::Avro,
        &avro_schema(),
        &spaced(AVRO_PAYLOAD),
        &[],
    );
    let options = [
        ("enhanced.avro.schema.support", "true"),
        ("generalized.sum.type.support", "true"),
    ];
    check(
        SchemaRegistryConverter::Avro,
        &avro_schema(),
        &spaced(AVRO_PAYLOAD),
        &options,
    );
}

#[test]
fn protobuf() {
    check(
        SchemaRegistryConverter::Protobuf,
        &protobuf_schema(),
        &spaced(PROTOBUF_PAYLOAD),
        &[],
    );
}

#[test]
fn json_schema() {
    check(
        SchemaRegistryConverter::JsonSchema,
        &json_schema_schema(),
        JSON_PAYLOAD.as_bytes(),
        &[],
    );
}

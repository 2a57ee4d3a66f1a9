//! Converters whose schemas stand in a registry. A first byte below 128 has the payload read by a schema that has
//! everything; otherwise a schema's text comes first, then a zero byte, then the payload.

use std::sync::{Arc, LazyLock};

use caisson_config::builtin::SchemaRegistryConverter;
use caisson_convert::Converter;
use serde_json::{Value as Json, json};

use crate::split;

#[path = "../../../host/crates/registry/tests/support/mod.rs"]
mod support;
use support::FakeRegistry;

struct Format {
    registry: FakeRegistry,
    converter: Arc<dyn Converter>,
    /// What the registry calls the format; Avro has no name there.
    name: Option<&'static str>,
    /// The id of the schema that has everything.
    id: i32,
}

impl Format {
    fn new(kind: SchemaRegistryConverter, name: Option<&'static str>, schema: &str) -> Format {
        let registry = FakeRegistry::start();
        let id = registry.add("t-value", &with_type(name, schema));
        Format {
            converter: registry.converter(kind, &[]),
            registry,
            name,
            id,
        }
    }

    fn read(&self, input: &[u8]) {
        let Some((choice, rest)) = input.split_first() else {
            return;
        };
        let (id, payload) = match choice {
            0..128 => (self.id, rest),
            128.. => {
                let (text, payload) = split(rest);
                let schema = with_type(self.name, &String::from_utf8_lossy(text));
                (self.registry.add("t-value", &schema), payload)
            }
        };
        let bytes = [&[0][..], &id.to_be_bytes(), payload].concat();
        // What was read is a value under its schema, and can be written.
        if let Ok((Some(connect), value)) = self.converter.to_connect("t", Some(&bytes)) {
            let mut out = Vec::new();
            let _ = self.converter.from_connect("t", Some(&connect), &value, &mut out);
            out.clear();
            let _ = caisson_api::typed::encode(Some(&connect), &value, &mut out);
        }
    }
}

fn with_type(name: Option<&str>, schema: &str) -> Json {
    match name {
        Some(name) => json!({ "schemaType": name, "schema": schema }),
        None => json!({ "schema": schema }),
    }
}

pub fn avro(input: &[u8]) {
    static FORMAT: LazyLock<Format> =
        LazyLock::new(|| Format::new(SchemaRegistryConverter::Avro, None, include_str!("registry/all.avsc")));
    FORMAT.read(input);
}

pub fn protobuf(input: &[u8]) {
    static FORMAT: LazyLock<Format> = LazyLock::new(|| {
        let schema = include_str!("registry/all.proto");
        Format::new(SchemaRegistryConverter::Protobuf, Some("PROTOBUF"), schema)
    });
    FORMAT.read(input);
}

pub fn json_schema(input: &[u8]) {
    static FORMAT: LazyLock<Format> = LazyLock::new(|| {
        let schema = include_str!("registry/all.json");
        Format::new(SchemaRegistryConverter::JsonSchema, Some("JSON"), schema)
    });
    FORMAT.read(input);
}

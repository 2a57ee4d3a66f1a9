//! Converters whose schemas stand in a schema registry: Avro, Protobuf and JSON Schema, under the names, keys and bytes
//! of Confluent's converters.
//!
//! [`client`] speaks HTTP, [`registry`] knows what a registry can be asked, [`converter`] finds the schema of a value
//! and remembers it, and each format turns schemas and values into Kafka Connect's and back.

mod avro;
mod cache;
mod client;
mod converter;
mod error;
mod fault;
mod json_schema;
mod names;
mod protobuf;
mod registry;
mod settings;
mod subject;
mod wire;

use std::sync::Arc;

use caisson_config::builtin::SchemaRegistryConverter;
use caisson_convert::registry::Options;
use caisson_convert::{Class, ConvertError, Converter};

use client::Client;
pub use client::Gate;
use converter::{Format, RegistryConverter};
use error::Error;
use registry::Registry;
use settings::{Common, Read};
pub use subject::Part;

/// The converter that a class name means: the full name, the simple one, or that without `Converter` at its end.
pub fn find(name: &str) -> Option<SchemaRegistryConverter> {
    SchemaRegistryConverter::ALL.into_iter().find(|converter| {
        let class = converter.class();
        let simple = class.rsplit('.').next().unwrap_or_default();
        class == name || simple == name || simple.strip_suffix("Converter") == Some(name)
    })
}

/// The configured converter; none of them converts headers. Nothing is asked of the registry before there is something to
/// convert, and then only at addresses that the gate admits, if there is one.
pub fn converter(
    kind: SchemaRegistryConverter,
    part: Part,
    options: &Options,
    gate: Option<Gate>,
) -> Result<Arc<dyn Converter>, ConvertError> {
    build(kind, part, options, gate).map_err(|error| ConvertError::new(Class::Config, error.to_string()))
}

fn build(
    kind: SchemaRegistryConverter,
    part: Part,
    options: &Options,
    gate: Option<Gate>,
) -> Result<Arc<dyn Converter>, Error> {
    let read = Read::new(kind, options)?;
    let common = Common::new(part, &read)?;
    let registry = Registry::new(Client::new(&read, gate)?);
    match kind {
        SchemaRegistryConverter::Avro => {
            let options = avro::AvroOptions::new(&read);
            Ok(around(avro::Avro::new(options), common, registry))
        }
        SchemaRegistryConverter::Protobuf => {
            let options = protobuf::ProtobufOptions::new(&read);
            Ok(around(protobuf::Protobuf::new(options), common, registry))
        }
        SchemaRegistryConverter::JsonSchema => {
            let options = json_schema::JsonSchemaOptions::new(&read)?;
            Ok(around(json_schema::JsonSchema::new(options), common, registry))
        }
    }
}

fn around(format: impl Format, common: Common, registry: Registry) -> Arc<dyn Converter> {
    Arc::new(RegistryConverter::new(format, common, registry))
}

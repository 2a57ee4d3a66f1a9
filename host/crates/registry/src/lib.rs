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

/// The configured converter; none of them converts headers. Nothing is asked of the registry before there is something to convert.
pub fn converter(
    kind: SchemaRegistryConverter,
    part: Part,
    options: &Options,
) -> Result<Arc<dyn Converter>, ConvertError> {
    build(kind, part, options).map_err(|error| ConvertError::new(Class::Config, error.to_string()))
}

fn build(kind: SchemaRegistryConverter, part: Part, options: &Options) -> Result<Arc<dyn Converter>, Error> {
    let read = Read::new(kind, options)?;
    match kind {
        SchemaRegistryConverter::Avro => around(avro::Avro::new(avro::AvroOptions::new(&read)), part, &read),
        SchemaRegistryConverter::Protobuf => {
            let options = protobuf::ProtobufOptions::new(&read);
            around(protobuf::Protobuf::new(options), part, &read)
        }
        SchemaRegistryConverter::JsonSchema => {
            let options = json_schema::JsonSchemaOptions::new(&read)?;
            around(json_schema::JsonSchema::new(options), part, &read)
        }
    }
}

fn around(format: impl Format, part: Part, read: &Read) -> Result<Arc<dyn Converter>, Error> {
    let common = Common::new(part, read)?;
    let registry = Registry::new(Client::new(read)?);
    Ok(Arc::new(RegistryConverter::new(format, common, registry)))
}

//! `io.confluent.connect.protobuf.ProtobufConverter`.

mod calendar;
mod compatible;
mod decode;
mod encode;
mod files;
mod model;
mod options;
mod text;
mod to_connect;

use std::sync::Arc;

use caisson_api::schema::Kind as ConnectKind;
use caisson_api::{SchemaRef, Value};
use caisson_convert::{Class, ConvertError};
use prost_reflect::{FileDescriptor, MessageDescriptor};

use crate::converter::Format;
use crate::fault::{Fault, Words};
use crate::registry::{Resolved, SchemaText, SchemaType};
use crate::wire::{self, WireError};
pub use options::ProtobufOptions;

/// The format; all that it knows by itself are the options.
pub struct Protobuf {
    options: ProtobufOptions,
}

pub struct Reader {
    schema: SchemaRef,
    message: MessageDescriptor,
    plan: decode::Plan,
}

/// A file that was made of a schema of Kafka Connect.
pub struct Own {
    text: SchemaText,
    /// Of the message that is written.
    full_name: String,
    place: usize,
    plan: encode::Plan,
}

pub struct Writer {
    indexes: Vec<u8>,
    plan: encode::Plan,
}

impl Protobuf {
    pub fn new(options: ProtobufOptions) -> Self {
        Protobuf { options }
    }

    /// Values that are no structs stand in a message that wraps them.
    fn wrapped(kind: &ConnectKind) -> Result<(usize, encode::Plan), Fault> {
        let (word, plan) = match kind {
            ConnectKind::Int8 | ConnectKind::Int16 | ConnectKind::Int32 => ("int32", encode::Plan::Int32),
            ConnectKind::Int64 => ("int64", encode::Plan::Int64),
            ConnectKind::Float32 => ("float", encode::Plan::Float),
            ConnectKind::Float64 => ("double", encode::Plan::Double),
            ConnectKind::Boolean => ("bool", encode::Plan::Boolean),
            ConnectKind::String => ("string", encode::Plan::String),
            ConnectKind::Bytes => ("bytes", encode::Plan::Bytes),
            ConnectKind::Array(_) | ConnectKind::Map(..) | ConnectKind::Struct(_) => {
                let message = format!("Unsupported root schema of type {kind}");
                let class = Class::Foreign("java.lang.IllegalArgumentException");
                return Err(ConvertError::new(class, message).into());
            }
        };
        let place = options::WRAPPERS.iter().position(|(_, wrapped)| *wrapped == word);
        Ok((place.unwrap_or_default(), encode::Plan::Wrapped(plan.into())))
    }
}

impl Format for Protobuf {
    type Reader = Reader;
    type Own = Own;
    type Writer = Writer;

    const WORDS: Words = Words {
        format: "Protobuf",
        read: ("Failed to deserialize data for topic ", " to Protobuf: "),
        written: ("Failed to serialize Protobuf data from topic ", " :"),
        accessed: "Protobuf",
        colon: ": ",
    };

    fn front(rest: &[u8]) -> Result<usize, WireError> {
        let (_, payload) = wire::split_indexes(rest)?;
        Ok(rest.len() - payload.len())
    }

    fn name(schema: &Resolved, front: &[u8]) -> Result<Option<String>, Fault> {
        Ok(Some(message(&parse(schema)?, front)?.full_name().to_owned()))
    }

    fn reader(&self, schema: &Resolved, front: &[u8], version: Option<i32>) -> Result<Reader, Fault> {
        let message = message(&parse(schema)?, front)?;
        let (schema, plan) = to_connect::convert(&self.options, &message, version)?;
        Ok(Reader {
            schema: Arc::new(schema),
            message,
            plan,
        })
    }

    fn read(&self, reader: &Reader, payload: &[u8]) -> Result<(Option<SchemaRef>, Value), Fault> {
        let value = decode::decode(&reader.message, &reader.plan, payload)?;
        Ok((Some(reader.schema.clone()), value))
    }

    fn writes_null(&self, _schema: Option<&SchemaRef>) -> Result<bool, Fault> {
        Ok(false)
    }

    fn own(&self, schema: Option<&SchemaRef>) -> Result<Own, Fault> {
        let Some(schema) = schema else {
            return Err(ConvertError::data("Values without a schema cannot be written in Protobuf").into());
        };
        let text = |text| SchemaText {
            kind: SchemaType::Protobuf,
            text,
            references: Vec::new(),
        };
        if !matches!(schema.kind, ConnectKind::Struct(_)) {
            let (place, plan) = Self::wrapped(&schema.kind)?;
            return Ok(Own {
                text: text(text::wrappers()),
                full_name: options::WRAPPERS[place].0.to_owned(),
                place,
                plan,
            });
        }
        let (file, plan) = model::convert(&self.options, schema)?;
        let full_name = match &file.package {
            Some(package) => format!("{package}.{}", file.message.name),
            None => file.message.name.clone(),
        };
        Ok(Own {
            text: text(text::write(&file)),
            full_name,
            place: 0,
            plan,
        })
    }

    fn text(own: &Own) -> &SchemaText {
        &own.text
    }

    fn own_name(own: &Own) -> Option<String> {
        Some(own.full_name.clone())
    }

    /// The message is written as its own schema says; of the other one only its place there is needed.
    fn writer(&self, _schema: Option<&SchemaRef>, own: Own, other: Option<&Resolved>) -> Result<Writer, Fault> {
        let place = match other {
            None => vec![own.place],
            Some(other) => files::place_of(&parse(other)?, &own.full_name).ok_or_else(|| {
                let message = format!("Invalid message name: {}", own.full_name);
                Fault::format("java.lang.IllegalArgumentException", message)
            })?,
        };
        let mut indexes = Vec::new();
        wire::put_indexes(&place, &mut indexes);
        Ok(Writer {
            indexes,
            plan: own.plan,
        })
    }

    fn reads(reader: &Resolved, own: &Own) -> Result<(), String> {
        let reader = files::parse(&reader.references, &reader.schema.text)?;
        let writer = files::parse(&[], &own.text.text)?;
        compatible::check(&reader, &writer, &own.full_name)
    }

    fn write(&self, writer: &Writer, value: &Value, out: &mut Vec<u8>) -> Result<(), Fault> {
        out.extend_from_slice(&writer.indexes);
        Ok(encode::encode(&writer.plan, value, out)?)
    }
}

fn parse(schema: &Resolved) -> Result<FileDescriptor, Fault> {
    if schema.schema.kind != SchemaType::Protobuf {
        let message = format!("the schema is of type {:?}, not PROTOBUF", schema.schema.kind);
        return Err(Fault::format("java.lang.ClassCastException", message));
    }
    files::parse(&schema.references, &schema.schema.text)
        .map_err(|message| Fault::format("java.io.IOException", message))
}

/// The message that the indexes in front of a payload mean.
fn message(file: &FileDescriptor, front: &[u8]) -> Result<MessageDescriptor, Fault> {
    let place = wire::split_indexes(front).ok().map(|(place, _)| place);
    place
        .as_deref()
        .and_then(|place| files::message_at(file, place))
        .ok_or_else(|| {
            let message = format!("the schema has no message at {:?}", place.unwrap_or_default());
            Fault::format("java.lang.IndexOutOfBoundsException", message)
        })
}

//! Converters: the bytes of Kafka's records to values with schemas, and back.
//!
//! Every converter does what the class of the same name does in Kafka Connect, down to the text of its errors.
//! Records are many and small, so converters write into the caller's buffer, and whole columns that need no value at
//! all have shortcuts in [`column`].

mod base64;
mod byte_array;
mod charset;
pub mod column;
mod json;
mod primitive;
pub mod project;
pub mod registry;
mod simple_header;
mod string;

use caisson_api::value::{java, unique_keys};
use caisson_api::{SchemaRef, Value};

pub use byte_array::ByteArrayConverter;
pub use caisson_api::conversion::{Class, ConvertError};
pub use caisson_api::{logical, values};
pub use column::Converted;
pub use json::{DecimalFormat, JsonConverter, JsonObject, JsonOptions, ObjectParts, tree};
pub use primitive::{BooleanConverter, NumberConverter};
pub use simple_header::SimpleHeaderConverter;
pub use string::StringConverter;

/// What a converter is for (`converter.type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    Key,
    Value,
    Header,
}

/// Keys and values (`org.apache.kafka.connect.storage.Converter`).
///
/// The first two methods are Kafka Connect's. The others are shortcuts between the forms that a column of payloads can
/// have: serialized as in Kafka, JSON text, typed block (`wit/frame.md`), and the raw bytes that a source gives as
/// values. After an error, what was appended to `out` is worthless.
#[allow(
    clippy::wrong_self_convention,
    reason = "the names are those of Kafka Connect's interface"
)]
pub trait Converter: Send + Sync {
    /// Appends the serialized form to `out`. False means null bytes, a tombstone; then nothing was appended.
    /// After an error `out` may hold the beginning of a record; the caller truncates it.
    fn from_connect(
        &self,
        topic: &str,
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<bool, ConvertError>;

    /// The schema and the value in `bytes`; `None` is null bytes.
    fn to_connect(&self, topic: &str, bytes: Option<&[u8]>) -> Result<(Option<SchemaRef>, Value), ConvertError>;

    /// Whether serialized values are JSON texts and have no schemas, so that a plugin may have the texts themselves.
    fn gives_plain_json(&self) -> bool {
        false
    }

    /// Whether all serialized bytes are good, so that nobody needs to [check](Converter::check) them.
    fn accepts_all(&self) -> bool {
        false
    }

    /// Fails where reading the bytes would. For a plugin that wants Kafka's own bytes.
    fn check(&self, topic: &str, bytes: &[u8]) -> Result<(), ConvertError> {
        self.to_connect(topic, Some(bytes)).map(drop)
    }

    /// Serialized to JSON text; false is null.
    fn to_json(&self, topic: &str, bytes: &[u8], out: &mut Vec<u8>) -> Result<bool, ConvertError> {
        column::to_json(self, topic, bytes, out)
    }

    /// JSON text to serialized; false is null.
    fn from_json(&self, topic: &str, json: &[u8], out: &mut Vec<u8>) -> Result<bool, ConvertError> {
        let value = column::read_json(json)?;
        self.from_connect(topic, None, &value, out)
    }

    /// Serialized to a typed block.
    fn to_typed(&self, topic: &str, bytes: &[u8], out: &mut Vec<u8>) -> Result<Converted, ConvertError> {
        column::to_typed(self, topic, bytes, out)
    }

    /// A typed block to serialized; false is null. No block is a null under its schema.
    fn from_typed(
        &self,
        topic: &str,
        schema: Option<&SchemaRef>,
        block: Option<&[u8]>,
        out: &mut Vec<u8>,
    ) -> Result<bool, ConvertError> {
        column::from_typed(self, topic, schema, block, out)
    }

    /// Bytes that a source gave as its value, to serialized.
    fn from_raw(&self, topic: &str, bytes: &[u8], out: &mut Vec<u8>) -> Result<bool, ConvertError> {
        self.from_connect(topic, Some(&column::OPTIONAL_BYTES), &Value::Bytes(bytes.to_vec()), out)
    }
}

/// Values of headers (`org.apache.kafka.connect.storage.HeaderConverter`).
#[allow(
    clippy::wrong_self_convention,
    reason = "the names are those of Kafka Connect's interface"
)]
pub trait HeaderConverter: Send + Sync {
    /// As [`Converter::from_connect`], for the header `name`.
    fn from_connect_header(
        &self,
        topic: &str,
        name: &str,
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<bool, ConvertError>;

    /// As [`Converter::to_connect`], for the header `name`.
    fn to_connect_header(
        &self,
        topic: &str,
        name: &str,
        bytes: Option<&[u8]>,
    ) -> Result<(Option<SchemaRef>, Value), ConvertError>;
}

/// Kafka Connect's bundled converters treat a header as a value without a name.
macro_rules! header_converter_by_converter {
    ($($converter:ty),+ $(,)?) => {$(
        impl HeaderConverter for $converter {
            fn from_connect_header(
                &self,
                topic: &str,
                _name: &str,
                schema: Option<&SchemaRef>,
                value: &Value,
                out: &mut Vec<u8>,
            ) -> Result<bool, ConvertError> {
                self.from_connect(topic, schema, value, out)
            }

            fn to_connect_header(
                &self,
                topic: &str,
                _name: &str,
                bytes: Option<&[u8]>,
            ) -> Result<(Option<SchemaRef>, Value), ConvertError> {
                self.to_connect(topic, bytes)
            }
        }
    )+};
}

header_converter_by_converter!(
    BooleanConverter,
    ByteArrayConverter,
    JsonConverter,
    NumberConverter,
    SimpleHeaderConverter,
    StringConverter,
);

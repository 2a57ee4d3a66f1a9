//! Shortcuts for whole columns of payloads, which is where the speed is: between Kafka's bytes and the form that a
//! plugin takes or gives, most converters need no [`Value`] at all.
//!
//! [`Converter`] has a slow way for each step, which is here, and converters override what they can do faster. Results
//! are the same either way.

use std::sync::{Arc, LazyLock};

use caisson_api::schema::{Kind, Schema};
use caisson_api::{SchemaRef, Value, typed};

use crate::{ConvertError, Converter, JsonConverter, JsonOptions};

/// What a step has appended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Converted {
    /// False: the value is null, and nothing was appended.
    pub present: bool,
    /// The schema of a typed value.
    pub schema: Option<SchemaRef>,
}

/// JSON without envelopes, the form of columns whose encoding is `json`.
static PLAIN_JSON: LazyLock<JsonConverter> = LazyLock::new(|| {
    JsonConverter::new(JsonOptions {
        schemas_enable: false,
        ..JsonOptions::default()
    })
});

/// `Schema.OPTIONAL_BYTES_SCHEMA`: the schema of what a source gives as bytes.
pub(crate) static OPTIONAL_BYTES: LazyLock<SchemaRef> = LazyLock::new(|| Arc::new(Schema::optional(Kind::Bytes)));

/// The slow way of [`Converter::from_typed`].
pub(crate) fn from_typed<C: Converter + ?Sized>(
    converter: &C,
    topic: &str,
    schema: Option<&SchemaRef>,
    block: Option<&[u8]>,
    out: &mut Vec<u8>,
) -> Result<bool, ConvertError> {
    let value = match block {
        Some(block) => typed::decode(schema.map(AsRef::as_ref), block)?,
        None => Value::Null,
    };
    converter.from_connect(topic, schema, &value, out)
}

/// The slow way of [`Converter::to_json`].
pub(crate) fn to_json<C: Converter + ?Sized>(
    converter: &C,
    topic: &str,
    bytes: &[u8],
    out: &mut Vec<u8>,
) -> Result<bool, ConvertError> {
    let (schema, value) = converter.to_connect(topic, Some(bytes))?;
    write_json(schema.as_ref(), &value, topic, out)
}

/// The slow way of [`Converter::to_typed`].
pub(crate) fn to_typed<C: Converter + ?Sized>(
    converter: &C,
    topic: &str,
    bytes: &[u8],
    out: &mut Vec<u8>,
) -> Result<Converted, ConvertError> {
    let (schema, value) = converter.to_connect(topic, Some(bytes))?;
    let present = typed::encode(schema.as_deref(), &value, out)?;
    Ok(Converted { present, schema })
}

/// Appends a value as the JSON text that a plugin takes; false is null.
pub fn write_json(
    schema: Option<&SchemaRef>,
    value: &Value,
    topic: &str,
    out: &mut Vec<u8>,
) -> Result<bool, ConvertError> {
    if value.is_null() {
        return Ok(false);
    }
    PLAIN_JSON.from_connect(topic, schema, value, out)
}

/// The value of the JSON text that a plugin gave.
pub fn read_json(json: &[u8]) -> Result<Value, ConvertError> {
    PLAIN_JSON.to_connect("", Some(json)).map(|(_, value)| value)
}

/// Text or bytes to their typed block: null bits, one slot that says where they are, and they themselves.
pub(crate) fn write_slice_block(bytes: &[u8], out: &mut Vec<u8>) {
    const BYTES_AT: u32 = 16;
    let mut head = [0; BYTES_AT as usize];
    head[8..12].copy_from_slice(&BYTES_AT.to_le_bytes());
    head[12..].copy_from_slice(&(bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(bytes);
}

/// The bytes of a string or bytes in a typed block of one slot; `None` if it is null.
pub(crate) fn slice_of_block(block: &[u8]) -> Result<Option<&[u8]>, ConvertError> {
    let mut reader = typed::Reader::whole(block);
    let root = reader.block(0, 0, 1)?;
    match root.word(block, 0) {
        Some(word) => Ok(Some(reader.slice(word, root.end())?)),
        None => Ok(None),
    }
}

//! Payloads as they stand in the columns of a frame, after the column's encoding.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use caisson_api::frame::{Encoding, Encodings, FrameBuilder, FrameError, RecordHead, SourceCoordinates};
use caisson_api::schema::{Kind, Schema};
use caisson_api::typed;
use caisson_api::{Error, Record, SchemaRef, Value};

/// A frame that cannot be built is the plugin's own mistake, or too large.
pub(crate) fn refused(error: FrameError) -> Error {
    Error::fatal(format!("batch cannot be built: {error}"))
}

/// Schemas that have come in, parsed once: their ids keep their meaning as long as the instance lives.
#[derive(Debug, Default)]
pub(crate) struct SchemaCache {
    known: HashMap<u64, SchemaRef>,
}

impl SchemaCache {
    pub fn get(&mut self, id: u64, text: &str) -> Result<SchemaRef, Error> {
        if let Some(schema) = self.known.get(&id) {
            return Ok(schema.clone());
        }
        let schema = parse_schema(text)?;
        // Id 0 is that of schemas which a guest made: it names nothing.
        if id != 0 {
            self.known.insert(id, schema.clone());
        }
        Ok(schema)
    }
}

/// The schemas of the frame that is being built: looked up by identity first, which is what nearly all records need.
#[derive(Debug, Default)]
pub(crate) struct SchemaIndexes {
    indexes: Vec<(SchemaRef, u16)>,
    /// Texts of schemas used before, so that a frame costs no serialization; dropped when there are many.
    texts: HashMap<usize, (SchemaRef, String)>,
}

/// A plugin that makes new schemas without end must not fill its memory with their texts.
const MOST_TEXTS: usize = 256;

impl SchemaIndexes {
    pub fn clear(&mut self) {
        self.indexes.clear();
    }

    /// The schema of plain texts.
    pub fn text(&mut self, builder: &mut FrameBuilder) -> Result<u16, Error> {
        static TEXT: OnceLock<SchemaRef> = OnceLock::new();
        self.index(TEXT.get_or_init(|| Arc::new(Schema::new(Kind::String))), builder)
    }

    pub fn index(&mut self, schema: &SchemaRef, builder: &mut FrameBuilder) -> Result<u16, Error> {
        if let Some((_, index)) = self.indexes.iter().rev().find(|(known, _)| Arc::ptr_eq(known, schema)) {
            return Ok(*index);
        }
        if self.texts.len() > MOST_TEXTS {
            self.texts.clear();
        }
        let address = Arc::as_ptr(schema) as usize;
        // The table holds the schema itself, so that its address cannot come to mean another one.
        let (_, text) = self
            .texts
            .entry(address)
            .or_insert_with(|| (schema.clone(), schema.to_json()));
        let index = builder.schema(0, text).map_err(refused)?;
        self.indexes.push((schema.clone(), index));
        Ok(index)
    }

    fn of(
        &mut self,
        encoding: Encoding,
        schema: Option<&SchemaRef>,
        builder: &mut FrameBuilder,
    ) -> Result<Option<u16>, Error> {
        match (encoding, schema) {
            (Encoding::Connect, Some(schema)) => self.index(schema, builder).map(Some),
            (Encoding::Connect, None) | (Encoding::Bytes | Encoding::Json, _) => Ok(None),
        }
    }
}

fn parse_schema(text: &str) -> Result<SchemaRef, Error> {
    let wrong = |error| Error::data(format!("schema {text} cannot be read: {error}"));
    Schema::from_json(text).map(Arc::new).map_err(wrong)
}

/// Appends a value that is not null.
pub(crate) fn write(
    encoding: Encoding,
    value: &Value,
    schema: Option<&SchemaRef>,
    to: &mut Vec<u8>,
) -> Result<(), Error> {
    match encoding {
        Encoding::Bytes => match value {
            Value::Bytes(bytes) => to.extend_from_slice(bytes),
            Value::String(text) => to.extend_from_slice(text.as_bytes()),
            other => {
                let what = "a column with the encoding bytes takes bytes and strings";
                return Err(Error::data(format!("{what}, not {other:?}")));
            }
        },
        Encoding::Json => {
            let json = crate::json::from_value(value, schema.map(|schema| &**schema));
            serde_json::to_writer(to, &json).map_err(|error| Error::data(error.to_string()))?;
        }
        Encoding::Connect => {
            typed::encode(schema.map(|schema| &**schema), value, to)
                .map_err(|error| Error::data(format!("value does not fit its schema: {error}")))?;
        }
    }
    Ok(())
}

/// Appends a text.
#[inline]
pub(crate) fn write_text(encoding: Encoding, text: &str, to: &mut Vec<u8>) {
    match encoding {
        Encoding::Bytes => to.extend_from_slice(text.as_bytes()),
        Encoding::Json => to.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes()),
        Encoding::Connect => write_utf8(encoding, text.as_bytes(), to),
    }
}

/// Appends a text that is known to be UTF-8.
#[inline]
pub(crate) fn write_utf8(encoding: Encoding, text: &[u8], to: &mut Vec<u8>) {
    match encoding {
        Encoding::Bytes => to.extend_from_slice(text),
        Encoding::Json => write_text(encoding, &String::from_utf8_lossy(text), to),
        Encoding::Connect => {
            // The block of a string: no null, position and length of what follows.
            let mut head = [0; 16];
            head[8] = 16;
            head[12..].copy_from_slice(&(text.len() as u32).to_le_bytes());
            to.extend_from_slice(&head);
            to.extend_from_slice(text);
        }
    }
}

pub(crate) fn read(encoding: Encoding, bytes: &[u8], schema: Option<&Schema>) -> Result<Value, Error> {
    match encoding {
        Encoding::Bytes => Ok(Value::Bytes(bytes.to_vec())),
        Encoding::Json => serde_json::from_slice(bytes)
            .map(crate::json::to_value)
            .map_err(|error| Error::data(format!("payload is not JSON: {error}"))),
        Encoding::Connect => {
            typed::decode(schema, bytes).map_err(|error| Error::data(format!("payload cannot be read: {error}")))
        }
    }
}

/// A payload that is a text, without copying it.
#[inline]
pub(crate) fn read_text<'a>(encoding: Encoding, bytes: &'a [u8], schema: Option<&Schema>) -> Option<&'a str> {
    match encoding {
        Encoding::Bytes | Encoding::Json => std::str::from_utf8(bytes).ok(),
        Encoding::Connect => match &schema?.kind {
            Kind::String => string_block(bytes),
            Kind::Int8
            | Kind::Int16
            | Kind::Int32
            | Kind::Int64
            | Kind::Float32
            | Kind::Float64
            | Kind::Boolean
            | Kind::Bytes
            | Kind::Array(_)
            | Kind::Map(_, _)
            | Kind::Struct(_) => None,
        },
    }
}

/// The text of a value under the schema STRING, that is, of a block with one slot.
#[inline]
fn string_block(bytes: &[u8]) -> Option<&str> {
    let head = bytes.first_chunk::<16>()?;
    let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]) as usize;
    if head[0] & 1 == 1 {
        return None;
    }
    let text = bytes.get(word(8)..word(8).checked_add(word(12))?)?;
    std::str::from_utf8(text).ok()
}

/// Whether two schemas say the same.
pub(crate) fn is_same_schema(one: Option<&SchemaRef>, other: Option<&SchemaRef>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => Arc::ptr_eq(one, other) || one == other,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// Whether a payload is the encoding of a value.
pub(crate) fn is_same(
    encoding: Encoding,
    payload: Option<&[u8]>,
    schema: Option<&SchemaRef>,
    value: &Value,
    scratch: &mut Vec<u8>,
) -> bool {
    let Some(payload) = payload else { return value.is_null() };
    match (encoding, value) {
        (_, Value::Null) => false,
        (Encoding::Bytes, Value::Bytes(bytes)) => equal(bytes, payload),
        (Encoding::Connect, Value::String(text)) if schema.is_some() => {
            read_text(encoding, payload, schema.map(|schema| &**schema))
                .is_some_and(|was| equal(was.as_bytes(), text.as_bytes()))
        }
        // One JSON value can be written in many ways.
        (Encoding::Json, value) => read(encoding, payload, None).is_ok_and(|read| read == *value),
        (Encoding::Bytes | Encoding::Connect, value) => {
            scratch.clear();
            write(encoding, value, schema, scratch).is_ok() && equal(scratch, payload)
        }
    }
}

/// As `==`, which inside a component goes byte by byte.
fn equal(one: &[u8], other: &[u8]) -> bool {
    let ((words, rest), (other_words, other_rest)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    let differs = |(a, b): (&[u8; 8], &[u8; 8])| u64::from_le_bytes(*a) != u64::from_le_bytes(*b);
    one.len() == other.len() && !words.iter().zip(other_words).any(differs) && rest == other_rest
}

/// Adds a whole record to a frame.
pub(crate) fn write_record(
    builder: &mut FrameBuilder,
    schemas: &mut SchemaIndexes,
    encodings: Encodings,
    head: RecordHead,
    record: &Record,
    source: Option<SourceCoordinates<'_>>,
) -> Result<(), Error> {
    let head = RecordHead {
        key_schema: schemas.of(encodings.key, record.key_schema.as_ref(), builder)?,
        value_schema: schemas.of(encodings.value, record.value_schema.as_ref(), builder)?,
        ..head
    };
    let mut headers = Vec::with_capacity(record.headers.len());
    for header in &record.headers {
        let name = builder.header_name(&header.name).map_err(refused)?;
        headers.push((name, schemas.of(encodings.headers, header.schema.as_ref(), builder)?));
    }
    let put = |encoding, value: &Value, schema: &Option<SchemaRef>, to: &mut Vec<u8>| match value {
        Value::Null => Ok(false),
        value => write(encoding, value, schema.as_ref(), to).map(|()| true),
    };
    let mut writer = builder.record();
    writer.key_with(|to| put(encodings.key, &record.key, &record.key_schema, to))?;
    writer.value_with(|to| put(encodings.value, &record.value, &record.value_schema, to))?;
    for (header, (name, schema)) in record.headers.iter().zip(headers) {
        let mut bytes = Vec::new();
        let written = put(encodings.headers, &header.value, &header.schema, &mut bytes)?;
        writer
            .header(name, schema, written.then_some(&*bytes))
            .map_err(refused)?;
    }
    writer.finish(head, source).map_err(refused)
}

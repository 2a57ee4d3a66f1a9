//! One payload column (keys, values or header values) on its way between Kafka's bytes and a plugin.
//!
//! A column is converted only if somebody looks at it: what arrives in the form in which it is wanted is copied.

use std::collections::HashMap;
use std::sync::Arc;

use caisson_api::frame::{Encoding, Encodings, Frame};
use caisson_api::schema::{Kind, Schema};
use caisson_api::typed;
use caisson_api::{SchemaRef, Value};
use caisson_convert::{ConvertError, Converter, JsonConverter, JsonOptions};

use crate::settings::{ConverterKind, ConverterRef};

/// What the bytes of a column mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As in Kafka: the converter's own format.
    Serialized,
    /// Bytes that a source gave as its value: to the converter they are a value of type bytes.
    Raw,
    /// The text of one JSON value.
    Json,
    /// A typed value.
    Typed,
}

impl Form {
    /// What a plugin's frame holds where its encoding is this; `raw` for frames that come from a source.
    pub fn of_source(encoding: Encoding) -> Form {
        match encoding {
            Encoding::Bytes => Form::Raw,
            Encoding::Json => Form::Json,
            Encoding::Connect => Form::Typed,
        }
    }

    /// The form in which a plugin with this encoding takes what is in this form now.
    pub fn towards(self, encoding: Encoding) -> Form {
        match (self, encoding) {
            (Form::Raw, Encoding::Bytes) => Form::Raw,
            (_, Encoding::Bytes) => Form::Serialized,
            (_, Encoding::Json) => Form::Json,
            (_, Encoding::Connect) => Form::Typed,
        }
    }

    pub fn encoding(self) -> Encoding {
        match self {
            Form::Serialized | Form::Raw => Encoding::Bytes,
            Form::Json => Encoding::Json,
            Form::Typed => Encoding::Connect,
        }
    }
}

/// The forms of all three columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forms {
    pub key: Form,
    pub value: Form,
    pub headers: Form,
}

impl Forms {
    pub const SERIALIZED: Forms = Forms {
        key: Form::Serialized,
        value: Form::Serialized,
        headers: Form::Serialized,
    };

    pub fn of_source(encodings: Encodings) -> Forms {
        Forms {
            key: Form::of_source(encodings.key),
            value: Form::of_source(encodings.value),
            headers: Form::of_source(encodings.headers),
        }
    }

    pub fn towards(self, encodings: Encodings) -> Forms {
        Forms {
            key: self.key.towards(encodings.key),
            value: self.value.towards(encodings.value),
            headers: self.headers.towards(encodings.headers),
        }
    }

    pub fn encodings(self) -> Encodings {
        Encodings {
            key: self.key.encoding(),
            value: self.value.encoding(),
            headers: self.headers.encoding(),
        }
    }
}

/// What a conversion has appended.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// False: the value is null and nothing was appended.
    pub present: bool,
    pub schema: Option<SchemaRef>,
}

/// Converts one column, with the converter that the connector has for it.
pub struct Column {
    converter: ConverterRef,
    /// For `Form::Json`: JSON without schemas.
    json: JsonConverter,
    text: SchemaRef,
    bytes: SchemaRef,
}

impl Column {
    pub fn new(converter: ConverterRef) -> Self {
        Column {
            converter,
            json: JsonConverter::new(JsonOptions {
                schemas_enable: false,
                ..JsonOptions::default()
            }),
            text: Arc::new(Schema::optional(Kind::String)),
            bytes: Arc::new(Schema::optional(Kind::Bytes)),
        }
    }

    /// The class of the converter, as a configuration names it.
    pub fn class(&self) -> &str {
        &self.converter.class
    }

    /// Whether a column of this form stays as it is on the way to that form.
    pub fn passes(&self, from: Form, to: Form) -> bool {
        match (from, to) {
            (Form::Serialized, Form::Serialized) => match self.converter.kind {
                ConverterKind::Bytes | ConverterKind::Text => true,
                ConverterKind::Other => false,
            },
            (Form::Raw, Form::Serialized) => self.converter.kind == ConverterKind::Bytes,
            (from, to) => from == to,
        }
    }

    /// Appends one value in another form. `topic` is the record's; `schema` that of a typed `input`.
    pub fn convert(
        &self,
        (from, to): (Form, Form),
        topic: &str,
        schema: Option<&SchemaRef>,
        input: Option<&[u8]>,
        out: &mut Vec<u8>,
    ) -> Result<Cell, ConvertError> {
        if self.passes(from, to) {
            out.extend_from_slice(input.unwrap_or_default());
            return Ok(Cell {
                present: input.is_some(),
                schema: schema.cloned(),
            });
        }
        if self.converter.kind == ConverterKind::Text
            && let Some(cell) = self.convert_text((from, to), schema, input, out)
        {
            return Ok(cell);
        }
        let (schema, value) = self.read(from, topic, schema, input)?;
        match to {
            Form::Serialized if from == Form::Serialized => {
                // The plugin wants Kafka's own bytes, and now they are known to be what the converter takes.
                out.extend_from_slice(input.unwrap_or_default());
                Ok(Cell {
                    present: input.is_some(),
                    schema: None,
                })
            }
            _ => self.write(to, topic, schema, &value, out),
        }
    }

    /// Text needs no value in between. `None`: it is not text after all.
    fn convert_text(
        &self,
        forms: (Form, Form),
        schema: Option<&SchemaRef>,
        input: Option<&[u8]>,
        out: &mut Vec<u8>,
    ) -> Option<Cell> {
        match forms {
            (Form::Serialized, Form::Typed) => {
                let text = std::str::from_utf8(input?).ok()?;
                write_text(text, out);
                Some(Cell {
                    present: true,
                    schema: Some(self.text.clone()),
                })
            }
            (Form::Typed, Form::Serialized) if matches!(schema?.kind, Kind::String) => {
                let text = read_text(input?)?;
                out.extend_from_slice(text.as_bytes());
                Some(Cell {
                    present: true,
                    schema: None,
                })
            }
            _ => None,
        }
    }

    fn read(
        &self,
        from: Form,
        topic: &str,
        schema: Option<&SchemaRef>,
        input: Option<&[u8]>,
    ) -> Result<(Option<SchemaRef>, Value), ConvertError> {
        match (from, input) {
            (Form::Serialized, input) => self.converter.converter.to_connect(topic, input),
            (Form::Raw, None) => Ok((Some(self.bytes.clone()), Value::Null)),
            (Form::Raw, Some(bytes)) => Ok((Some(self.bytes.clone()), Value::Bytes(bytes.to_vec()))),
            (Form::Json, input) => self.json.to_connect(topic, input),
            (Form::Typed, None) => Ok((schema.cloned(), Value::Null)),
            (Form::Typed, Some(bytes)) => {
                let value = typed::decode(schema.map(|schema| &**schema), bytes)
                    .map_err(|error| ConvertError::data(error.to_string()))?;
                Ok((schema.cloned(), value))
            }
        }
    }

    fn write(
        &self,
        to: Form,
        topic: &str,
        schema: Option<SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<Cell, ConvertError> {
        match to {
            Form::Serialized => {
                let present = self
                    .converter
                    .converter
                    .from_connect(topic, schema.as_ref(), value, out)?;
                Ok(Cell { present, schema: None })
            }
            Form::Json => {
                let present = self.json.from_connect(topic, schema.as_ref(), value, out)?;
                Ok(Cell { present, schema: None })
            }
            Form::Typed if value.is_null() => Ok(Cell { present: false, schema }),
            Form::Typed => {
                let present = typed::encode(schema.as_deref(), value, out)
                    .map_err(|error| ConvertError::data(error.to_string()))?;
                Ok(Cell { present, schema })
            }
            Form::Raw => match value {
                Value::Bytes(bytes) => {
                    out.extend_from_slice(bytes);
                    Ok(Cell {
                        present: true,
                        schema: None,
                    })
                }
                Value::Null => Ok(Cell::default()),
                _ => Err(ConvertError::data(
                    "a transform that takes bytes was given a value of another type",
                )),
            },
        }
    }
}

/// The typed form of a string (`wit/frame.md`): null bits, then a slot that says where the text is and how long.
const TEXT_AT: usize = 16;

fn write_text(text: &str, out: &mut Vec<u8>) {
    let mut head = [0u8; TEXT_AT];
    head[8..12].copy_from_slice(&(TEXT_AT as u32).to_le_bytes());
    head[12..].copy_from_slice(&(text.len() as u32).to_le_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(text.as_bytes());
}

/// `None` if it is null, or no string.
fn read_text(bytes: &[u8]) -> Option<&str> {
    let head = bytes.first_chunk::<TEXT_AT>()?;
    let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]) as usize;
    let text = bytes.get(word(8)..word(8).checked_add(word(12))?)?;
    (head[0] & 1 == 0).then(|| std::str::from_utf8(text).ok())?
}

/// Schemas by their JSON text, parsed once, and their texts, written once.
#[derive(Default)]
pub struct Schemas {
    by_text: HashMap<Box<str>, SchemaRef>,
    /// By address: the schema is kept beside its text, so that the address stays its own.
    texts: HashMap<usize, (SchemaRef, u64, Arc<str>)>,
    next_id: u64,
}

/// More than this many schemas in use at once are a schema per record: then nothing is won by keeping them.
const KEPT_SCHEMAS: usize = 1000;

impl Schemas {
    /// The schemas of a frame, by their index in it.
    pub fn of_frame(&mut self, frame: &Frame<'_>) -> Result<Vec<SchemaRef>, ConvertError> {
        frame.schemas().iter().map(|(_, text)| self.parse(text)).collect()
    }

    fn parse(&mut self, text: &str) -> Result<SchemaRef, ConvertError> {
        if let Some(schema) = self.by_text.get(text) {
            return Ok(schema.clone());
        }
        let schema = Schema::from_json(text).map_err(|error| ConvertError::data(error.to_string()))?;
        let schema = Arc::new(schema);
        if self.by_text.len() >= KEPT_SCHEMAS {
            self.by_text.clear();
        }
        self.by_text.insert(text.into(), schema.clone());
        Ok(schema)
    }

    /// Id and JSON text of a schema. An id keeps its meaning for good.
    pub fn text(&mut self, schema: &SchemaRef) -> (u64, Arc<str>) {
        let address = Arc::as_ptr(schema) as usize;
        if let Some((_, id, text)) = self.texts.get(&address) {
            return (*id, text.clone());
        }
        if self.texts.len() >= KEPT_SCHEMAS {
            self.texts.clear();
        }
        self.next_id += 1;
        let text: Arc<str> = schema.to_json().into();
        self.texts.insert(address, (schema.clone(), self.next_id, text.clone()));
        (self.next_id, text)
    }
}

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

use crate::settings::{ConverterKind, ConverterPlugin, ConverterRef};

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
            bytes: Arc::new(Schema::optional(Kind::Bytes)),
        }
    }

    /// The class of the converter, as a configuration names it.
    pub fn class(&self) -> &str {
        &self.converter.class
    }

    /// The worker's own converter. A component converts in links of the chain, of which all others know nothing.
    fn native(&self) -> Result<&dyn Converter, ConvertError> {
        match &self.converter.converter {
            ConverterPlugin::Native(converter) => Ok(&**converter),
            ConverterPlugin::Guest { .. } => Err(ConvertError::data(format!(
                "the worker has a bug: {} was to convert a single value, and converts whole batches",
                self.converter.class
            ))),
        }
    }

    /// The form in which a plugin with this encoding gets what is in this form now. What a component converts stays
    /// serialized until its link has been passed, and is a value from there on, even for those who do not look at it.
    pub fn towards(&self, form: Form, encoding: Encoding) -> Form {
        match (&self.converter.converter, form, encoding) {
            (ConverterPlugin::Guest { .. }, Form::Serialized, _) => Form::Serialized,
            (ConverterPlugin::Guest { .. }, Form::Json | Form::Typed, Encoding::Bytes) => Form::Typed,
            (ConverterPlugin::Guest { .. } | ConverterPlugin::Native(_), form, encoding) => form.towards(encoding),
        }
    }

    /// Whether a column of this form stays as it is on the way to that form.
    pub fn passes(&self, from: Form, to: Form) -> bool {
        match (from, to) {
            (Form::Serialized, Form::Serialized) => match &self.converter.converter {
                ConverterPlugin::Native(converter) => converter.accepts_all(),
                ConverterPlugin::Guest { .. } => true,
            },
            (Form::Raw, Form::Serialized) => self.converter.kind == ConverterKind::Bytes,
            (from, to) => from == to,
        }
    }

    /// Whether payloads of this form are JSON texts without schemas.
    pub fn is_json_text(&self, form: Form) -> bool {
        match form {
            Form::Serialized => self.converter.gives_plain_json(),
            Form::Json => true,
            Form::Raw | Form::Typed => false,
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
        let plain = |present: bool| Cell { present, schema: None };
        match (from, to, input) {
            (from, to, _) if self.passes(from, to) => {
                out.extend_from_slice(input.unwrap_or_default());
                Ok(Cell {
                    present: input.is_some(),
                    schema: schema.cloned(),
                })
            }
            // The plugin wants Kafka's own bytes, once they are known to be what the converter takes.
            (Form::Serialized, Form::Serialized, Some(bytes)) => {
                self.native()?.check(topic, bytes)?;
                out.extend_from_slice(bytes);
                Ok(plain(true))
            }
            (Form::Serialized, Form::Json, Some(bytes)) => self.native()?.to_json(topic, bytes, out).map(plain),
            (Form::Serialized, Form::Typed, Some(bytes)) => {
                let converted = self.native()?.to_typed(topic, bytes, out)?;
                Ok(Cell {
                    present: converted.present,
                    schema: converted.schema,
                })
            }
            (Form::Json, Form::Serialized, Some(json)) => self.native()?.from_json(topic, json, out).map(plain),
            (Form::Typed, Form::Serialized, block) => self.native()?.from_typed(topic, schema, block, out).map(plain),
            (Form::Raw, Form::Serialized, Some(bytes)) => self.native()?.from_raw(topic, bytes, out).map(plain),
            (from, to, input) => {
                let (schema, value) = self.read(from, topic, schema, input)?;
                self.write(to, topic, schema, &value, out)
            }
        }
    }

    /// The value of a payload; `schema` is that of a typed one.
    pub fn read(
        &self,
        from: Form,
        topic: &str,
        schema: Option<&SchemaRef>,
        input: Option<&[u8]>,
    ) -> Result<(Option<SchemaRef>, Value), ConvertError> {
        match (from, input) {
            (Form::Serialized, input) => self.native()?.to_connect(topic, input),
            // As a source that sets no key: neither schema nor value.
            (Form::Raw, None) => Ok((None, Value::Null)),
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

    /// Appends a value in the form `to`.
    pub fn write(
        &self,
        to: Form,
        topic: &str,
        schema: Option<SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<Cell, ConvertError> {
        let plain = |present: bool| Cell { present, schema: None };
        match to {
            Form::Serialized => {
                let present = self.native()?.from_connect(topic, schema.as_ref(), value, out)?;
                Ok(plain(present))
            }
            Form::Json => self.json.from_connect(topic, schema.as_ref(), value, out).map(plain),
            Form::Typed => {
                let present = typed::encode(schema.as_deref(), value, out)
                    .map_err(|error| ConvertError::data(error.to_string()))?;
                Ok(Cell { present, schema })
            }
            Form::Raw => match value {
                Value::Bytes(bytes) => {
                    out.extend_from_slice(bytes);
                    Ok(plain(true))
                }
                Value::Null => Ok(plain(false)),
                _ => Err(ConvertError::data(
                    "a transform that takes bytes was given a value of another type",
                )),
            },
        }
    }
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

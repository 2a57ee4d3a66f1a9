//! `org.apache.kafka.connect.json.JsonConverter`.

mod cache;
mod decode;
mod encode;
mod envelope;
mod fault;
mod node;
mod number;
mod options;
mod parse;
mod plain;
mod schema;
mod source;
mod text;
mod validate;

use caisson_api::{SchemaRef, Value};

pub use options::{DecimalFormat, JsonOptions};

use crate::{ConvertError, Converter};
use cache::SchemaCache;

/// JSON, with or without the envelope that carries a schema.
#[derive(Debug)]
pub struct JsonConverter {
    options: JsonOptions,
    cache: SchemaCache,
}

impl JsonConverter {
    pub fn new(options: JsonOptions) -> Self {
        JsonConverter {
            cache: SchemaCache::new(options.cache_size),
            options,
        }
    }

    /// Appends the schema as it stands in the envelope.
    fn write_schema(&self, schema: Option<&SchemaRef>, out: &mut Vec<u8>) -> Result<(), ConvertError> {
        let Some(schema) = schema else {
            out.extend_from_slice(b"null");
            return Ok(());
        };
        let text = self.cache.written(schema, || {
            let mut text = Vec::new();
            schema::write_schema(&mut text, schema, &self.options).map(|()| text)
        })?;
        out.extend_from_slice(&text);
        Ok(())
    }
}

impl Default for JsonConverter {
    fn default() -> Self {
        Self::new(JsonOptions::default())
    }
}

impl Converter for JsonConverter {
    fn from_connect(
        &self,
        _topic: &str,
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<bool, ConvertError> {
        if schema.is_none() && value.is_null() {
            return Ok(false);
        }
        if self.options.schemas_enable {
            out.extend_from_slice(b"{\"schema\":");
            self.write_schema(schema, out)?;
            out.extend_from_slice(b",\"payload\":");
        }
        encode::write_value(out, schema.map(AsRef::as_ref), value, &self.options)?;
        if self.options.schemas_enable {
            out.push(b'}');
        }
        Ok(true)
    }

    fn to_connect(&self, _topic: &str, bytes: Option<&[u8]>) -> Result<(Option<SchemaRef>, Value), ConvertError> {
        let Some(bytes) = bytes else {
            return Ok((None, Value::Null));
        };
        let defaults = self.options.replace_null_with_default;
        if !self.options.schemas_enable {
            let value = source::with_text(bytes, |text| {
                parse::Parser::new(text).document(&mut plain::PlainBuilder)
            })?;
            return Ok((None, value.unwrap_or_default()));
        }
        let Some(schema) = &self.options.schema_content else {
            return source::with_text(bytes, |text| envelope::read(text, &self.cache, defaults))?;
        };
        let value = source::with_text(bytes, |text| {
            let node = parse::Parser::new(text).document(&mut node::NodeBuilder)?;
            Ok(match node {
                Some(node) => decode::to_value(schema, Some(&node), defaults),
                None => decode::missing(schema),
            })
        })??;
        Ok((Some(schema.clone()), value))
    }
}

/// The schema in `schema.content`.
pub(crate) fn read_schema_content(content: &str, defaults: bool) -> Result<Option<SchemaRef>, ConvertError> {
    let node = source::with_text(content.as_bytes(), |text| {
        let node = parse::Parser::new(text).document(&mut node::NodeBuilder)?;
        Ok(schema::read_schema(
            node.as_ref().unwrap_or(&node::Node::Boolean(false)),
            defaults,
        ))
    });
    node.map_err(|error| ConvertError {
        message: "Failed to parse schema in converter config due to serialization error: ".to_owned(),
        ..error
    })?
}

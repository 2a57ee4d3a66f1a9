//! `org.apache.kafka.connect.json.JsonConverter`.

mod cache;
mod decode;
mod encode;
mod envelope;
mod exact;
mod fault;
mod layout;
mod node;
mod number;
mod object;
mod options;
mod parse;
mod plain;
mod schema;
mod source;
mod text;
mod typed_block;
mod typed_text;
mod validate;

use caisson_api::{SchemaRef, Value};

pub use object::{JsonObject, ObjectParts};
pub use options::{DecimalFormat, JsonOptions};

use crate::{ConvertError, Converted, Converter, column};
use cache::SchemaCache;
use node::{Node, NodeBuilder};
use parse::Parser;
use plain::PlainBuilder;
use typed_text::Plan;
use validate::Checker;

/// JSON as a tree, and its parts as text, for converters of other formats that are JSON.
pub mod tree {
    pub use super::encode::{write_base64, write_f32, write_f64};
    pub use super::node::Node;
    pub use super::parse::Number;
    pub use super::text::{Text, write_string};

    use super::{NodeBuilder, Parser};
    use crate::ConvertError;

    /// Reads the bytes and hands the tree on; `None` is a text without a value.
    pub fn with_tree<R>(bytes: &[u8], read: impl FnOnce(Option<&Node<'_>>) -> R) -> Result<R, ConvertError> {
        super::source::with_text(bytes, |text| {
            let tree = Parser::new(text).document(&mut NodeBuilder)?;
            Ok(read(tree.as_ref()))
        })
    }
}

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

    fn open_envelope(&self, schema: Option<&SchemaRef>, out: &mut Vec<u8>) -> Result<(), ConvertError> {
        if self.options.schemas_enable {
            out.extend_from_slice(b"{\"schema\":");
            self.write_schema(schema, out)?;
            out.extend_from_slice(b",\"payload\":");
        }
        Ok(())
    }

    fn close_envelope(&self, out: &mut Vec<u8>) {
        if self.options.schemas_enable {
            out.push(b'}');
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
    fn gives_plain_json(&self) -> bool {
        !self.options.schemas_enable
    }

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
        self.open_envelope(schema, out)?;
        encode::write_value(out, schema.map(AsRef::as_ref), value, &self.options)?;
        self.close_envelope(out);
        Ok(true)
    }

    fn to_connect(&self, _topic: &str, bytes: Option<&[u8]>) -> Result<(Option<SchemaRef>, Value), ConvertError> {
        let Some(bytes) = bytes else {
            return Ok((None, Value::Null));
        };
        let defaults = self.options.replace_null_with_default;
        if !self.options.schemas_enable {
            let value = source::with_text(bytes, |text| Parser::new(text).document(&mut PlainBuilder))?;
            return Ok((None, value.unwrap_or_default()));
        }
        let Some(schema) = &self.options.schema_content else {
            return source::with_text(bytes, |text| envelope::read(text, &self.cache, defaults))?;
        };
        let value = source::with_text(bytes, |text| {
            let node = Parser::new(text).document(&mut NodeBuilder)?;
            Ok(match node {
                Some(node) => decode::to_value(schema, Some(&node), defaults),
                None => decode::missing(schema),
            })
        })??;
        Ok((Some(schema.clone()), value))
    }

    fn check(&self, topic: &str, bytes: &[u8]) -> Result<(), ConvertError> {
        match source::plain_text(bytes) {
            Some(text) if !self.options.schemas_enable && Parser::new(text).document(&mut Checker).is_ok() => Ok(()),
            _ => self.to_connect(topic, Some(bytes)).map(drop),
        }
    }

    /// Without schemas, text that any reader of JSON understands is passed on as it is.
    fn to_json(&self, topic: &str, bytes: &[u8], out: &mut Vec<u8>) -> Result<bool, ConvertError> {
        if !self.options.schemas_enable
            && let Some(text) = source::plain_text(bytes)
            && let Some(value) = strict_value(text)
        {
            if value == "null" {
                return Ok(false);
            }
            out.extend_from_slice(value.as_bytes());
            return Ok(true);
        }
        column::to_json(self, topic, bytes, out)
    }

    /// Text of a plugin is strict JSON already; only its grammar is checked.
    fn from_json(&self, topic: &str, json: &[u8], out: &mut Vec<u8>) -> Result<bool, ConvertError> {
        match source::plain_text(json).and_then(strict_value) {
            Some("null") => Ok(false),
            Some(value) => {
                self.open_envelope(None, out)?;
                out.extend_from_slice(value.as_bytes());
                self.close_envelope(out);
                Ok(true)
            }
            None => self.from_connect(topic, None, &column::read_json(json)?, out),
        }
    }

    fn to_typed(&self, topic: &str, bytes: &[u8], out: &mut Vec<u8>) -> Result<Converted, ConvertError> {
        if self.options.schemas_enable {
            return column::to_typed(self, topic, bytes, out);
        }
        let present = source::with_text(bytes, |text| {
            let node = Parser::new(text).document(&mut NodeBuilder)?;
            Ok(match node {
                None | Some(Node::Null) => Ok(false),
                Some(node) => typed_block::write_block(out, &node).map(|()| true),
            })
        })??;
        Ok(Converted { present, schema: None })
    }

    fn from_typed(
        &self,
        topic: &str,
        schema: Option<&SchemaRef>,
        block: Option<&[u8]>,
        out: &mut Vec<u8>,
    ) -> Result<bool, ConvertError> {
        let (Some(schema), Some(block)) = (schema, block) else {
            return column::from_typed(self, topic, schema, block, out);
        };
        let Some(plan) = self.cache.plan(schema, || Plan::new(schema, &self.options)) else {
            return column::from_typed(self, topic, Some(schema), Some(block), out);
        };
        self.open_envelope(Some(schema), out)?;
        plan.write(block, &self.options, out)?;
        self.close_envelope(out);
        Ok(true)
    }
}

/// The one value in a text that is strict JSON, without the white space around it.
fn strict_value(text: &str) -> Option<&str> {
    let mut parser = Parser::new(text);
    parser.document(&mut Checker).ok()??;
    let (value, rest) = text.split_at(parser.position());
    (!parser.lenient && rest.bytes().all(is_space)).then(|| value.trim_start_matches([' ', '\n', '\r', '\t']))
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// The schema in `schema.content`.
pub(crate) fn read_schema_content(content: &str, defaults: bool) -> Result<Option<SchemaRef>, ConvertError> {
    let node = source::with_text(content.as_bytes(), |text| {
        let node = Parser::new(text).document(&mut NodeBuilder)?;
        Ok(schema::read_schema(
            node.as_ref().unwrap_or(&Node::Boolean(false)),
            defaults,
        ))
    });
    node.map_err(|error| ConvertError {
        message: "Failed to parse schema in converter config due to serialization error: ".to_owned(),
        ..error
    })?
}

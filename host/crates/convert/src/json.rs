//! `org.apache.kafka.connect.json.JsonConverter`.

mod encode;
mod fault;
mod number;
mod options;
mod parse;
mod plain;
mod source;
mod text;

use caisson_api::{SchemaRef, Value};

pub use options::{DecimalFormat, JsonOptions};

use crate::{ConvertError, Converter};

/// JSON, with or without the envelope that carries a schema.
#[derive(Debug, Default)]
pub struct JsonConverter {
    options: JsonOptions,
}

impl JsonConverter {
    pub fn new(options: JsonOptions) -> Self {
        JsonConverter { options }
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
        encode::write_value(out, schema.map(AsRef::as_ref), value, &self.options)?;
        Ok(true)
    }

    fn to_connect(
        &self,
        _topic: &str,
        bytes: Option<&[u8]>,
    ) -> Result<(Option<SchemaRef>, Value), ConvertError> {
        let Some(bytes) = bytes else {
            return Ok((None, Value::Null));
        };
        let value = source::with_text(bytes, |text| {
            parse::Parser::new(text).document(&mut plain::PlainBuilder)
        })?;
        Ok((None, value.unwrap_or_default()))
    }
}

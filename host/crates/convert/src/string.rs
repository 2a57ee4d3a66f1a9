//! `org.apache.kafka.connect.storage.StringConverter`: text, in UTF-8 unless said otherwise.

use std::sync::{Arc, LazyLock};

use caisson_api::schema::{Kind, Schema};
use caisson_api::typed::TypedError;
use caisson_api::value::to_java_string;
use caisson_api::{SchemaRef, Value};

use crate::charset::Charset;
use crate::{Class, ConvertError, Converted, Converter, column};

/// `Schema.OPTIONAL_STRING_SCHEMA`.
static OPTIONAL_STRING: LazyLock<SchemaRef> = LazyLock::new(|| Arc::new(Schema::optional(Kind::String)));

/// Writes what Java's `toString` gives, reads text.
#[derive(Clone, Debug)]
pub struct StringConverter {
    charset: Charset,
}

impl Default for StringConverter {
    fn default() -> Self {
        StringConverter { charset: Charset::Utf8 }
    }
}

impl StringConverter {
    /// Text in the charset of a name that Java knows (`converter.encoding`).
    pub fn with_encoding(name: &str) -> Result<Self, ConvertError> {
        let charset = Charset::for_name(name).ok_or_else(|| {
            let class = match Charset::is_legal_name(name) {
                true => "java.nio.charset.UnsupportedCharsetException",
                false => "java.nio.charset.IllegalCharsetNameException",
            };
            ConvertError::new(Class::Serialization, format!("Unsupported encoding {name}"))
                .because(ConvertError::new(Class::Foreign(class), name))
        })?;
        Ok(StringConverter { charset })
    }
}

impl Converter for StringConverter {
    fn from_connect(
        &self,
        _topic: &str,
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<bool, ConvertError> {
        match value {
            Value::Null => return Ok(false),
            Value::String(text) => self.charset.encode(text, out),
            other => self
                .charset
                .encode(&to_java_string(schema.map(AsRef::as_ref), other), out),
        }
        Ok(true)
    }

    fn to_connect(&self, _topic: &str, bytes: Option<&[u8]>) -> Result<(Option<SchemaRef>, Value), ConvertError> {
        let value = bytes.map_or(Value::Null, |bytes| {
            Value::String(self.charset.decode(bytes).into_owned())
        });
        Ok((Some(OPTIONAL_STRING.clone()), value))
    }

    fn accepts_all(&self) -> bool {
        true
    }

    fn check(&self, _topic: &str, _bytes: &[u8]) -> Result<(), ConvertError> {
        Ok(())
    }

    fn to_typed(&self, _topic: &str, bytes: &[u8], out: &mut Vec<u8>) -> Result<Converted, ConvertError> {
        column::write_slice_block(self.charset.decode(bytes).as_bytes(), out);
        Ok(Converted {
            present: true,
            schema: Some(OPTIONAL_STRING.clone()),
        })
    }

    fn from_typed(
        &self,
        topic: &str,
        schema: Option<&SchemaRef>,
        block: Option<&[u8]>,
        out: &mut Vec<u8>,
    ) -> Result<bool, ConvertError> {
        match (schema, block) {
            (Some(schema), Some(block)) if matches!(schema.kind, Kind::String) && schema.logical_type().is_none() => {
                let Some(bytes) = column::slice_of_block(block)? else {
                    return Ok(false);
                };
                let text = std::str::from_utf8(bytes).map_err(|_| TypedError::Text)?;
                self.charset.encode(text, out);
                Ok(true)
            }
            _ => column::from_typed(self, topic, schema, block, out),
        }
    }
}

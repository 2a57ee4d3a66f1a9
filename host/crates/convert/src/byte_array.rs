//! `org.apache.kafka.connect.converters.ByteArrayConverter`: bytes as they are.

use std::sync::{Arc, LazyLock};

use caisson_api::schema::{Kind, Schema};
use caisson_api::{SchemaRef, Value};

use crate::{ConvertError, Converter, java};

/// `Schema.OPTIONAL_BYTES_SCHEMA`.
static OPTIONAL_BYTES: LazyLock<SchemaRef> = LazyLock::new(|| Arc::new(Schema::optional(Kind::Bytes)));

/// Passes bytes through and takes nothing else.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByteArrayConverter;

impl Converter for ByteArrayConverter {
    fn from_connect(
        &self,
        _topic: &str,
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<bool, ConvertError> {
        if let Some(schema) = schema
            && !matches!(schema.kind, Kind::Bytes)
        {
            let kind = &schema.kind;
            return Err(ConvertError::data(format!(
                "Invalid schema type for ByteArrayConverter: {kind}"
            )));
        }
        match value {
            Value::Null => Ok(false),
            Value::Bytes(bytes) => {
                out.extend_from_slice(bytes);
                Ok(true)
            }
            other => {
                let class = java::class_of(other);
                Err(ConvertError::data(format!(
                    "ByteArrayConverter is not compatible with objects of type {class}"
                )))
            }
        }
    }

    fn to_connect(&self, _topic: &str, bytes: Option<&[u8]>) -> Result<(Option<SchemaRef>, Value), ConvertError> {
        let value = bytes.map_or(Value::Null, |bytes| Value::Bytes(bytes.to_vec()));
        Ok((Some(OPTIONAL_BYTES.clone()), value))
    }
}

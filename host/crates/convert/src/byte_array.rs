//! `org.apache.kafka.connect.converters.ByteArrayConverter`: bytes as they are.

use caisson_api::schema::Kind;
use caisson_api::{SchemaRef, Value};

use crate::column::{self, OPTIONAL_BYTES};
use crate::{ConvertError, Converted, Converter, java};

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

    fn accepts_all(&self) -> bool {
        true
    }

    fn check(&self, _topic: &str, _bytes: &[u8]) -> Result<(), ConvertError> {
        Ok(())
    }

    fn to_typed(&self, _topic: &str, bytes: &[u8], out: &mut Vec<u8>) -> Result<Converted, ConvertError> {
        column::write_slice_block(bytes, out);
        Ok(Converted {
            present: true,
            schema: Some(OPTIONAL_BYTES.clone()),
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
            (Some(schema), Some(block)) if matches!(schema.kind, Kind::Bytes) && schema.logical_type().is_none() => {
                let bytes = column::slice_of_block(block)?;
                out.extend_from_slice(bytes.unwrap_or_default());
                Ok(bytes.is_some())
            }
            _ => column::from_typed(self, topic, schema, block, out),
        }
    }

    fn from_raw(&self, _topic: &str, bytes: &[u8], out: &mut Vec<u8>) -> Result<bool, ConvertError> {
        out.extend_from_slice(bytes);
        Ok(true)
    }
}

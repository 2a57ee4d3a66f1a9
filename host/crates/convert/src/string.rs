//! `org.apache.kafka.connect.storage.StringConverter`: text, in UTF-8 unless said otherwise.

use std::sync::{Arc, LazyLock};

use caisson_api::schema::{Kind, Schema};
use caisson_api::{SchemaRef, Value};

use crate::{ConvertError, Converter, java};

/// `Schema.OPTIONAL_STRING_SCHEMA`.
static OPTIONAL_STRING: LazyLock<SchemaRef> =
    LazyLock::new(|| Arc::new(Schema::optional(Kind::String)));

/// Writes what Java's `toString` gives, reads text.
#[derive(Clone, Copy, Debug, Default)]
pub struct StringConverter;

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
            Value::String(text) => out.extend_from_slice(text.as_bytes()),
            other => java::write_text(out, schema.map(AsRef::as_ref), other),
        }
        Ok(true)
    }

    fn to_connect(
        &self,
        _topic: &str,
        bytes: Option<&[u8]>,
    ) -> Result<(Option<SchemaRef>, Value), ConvertError> {
        let value = bytes.map_or(Value::Null, |bytes| {
            Value::String(String::from_utf8_lossy(bytes).into_owned())
        });
        Ok((Some(OPTIONAL_STRING.clone()), value))
    }
}

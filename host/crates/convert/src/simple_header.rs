//! `org.apache.kafka.connect.storage.SimpleHeaderConverter`: text that tells its type by its looks.

use caisson_api::{SchemaRef, Value};

use crate::charset::decode_utf8;
use crate::{ConvertError, Converter, values};

/// Writes values as text and guesses, when reading, what the text stood for.
#[derive(Clone, Copy, Debug, Default)]
pub struct SimpleHeaderConverter;

/// In Kafka Connect it converts headers only, and [`crate::registry`] sees to that; a header's name means nothing to it.
impl Converter for SimpleHeaderConverter {
    /// What cannot be parsed is text or bytes: nothing is refused.
    fn accepts_all(&self) -> bool {
        true
    }

    fn from_connect(
        &self,
        _topic: &str,
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<bool, ConvertError> {
        if value.is_null() {
            return Ok(false);
        }
        values::write_text(out, schema.map(AsRef::as_ref), value);
        Ok(true)
    }

    fn to_connect(&self, _topic: &str, bytes: Option<&[u8]>) -> Result<(Option<SchemaRef>, Value), ConvertError> {
        Ok(bytes.map_or((None, Value::Null), |bytes| values::parse_string(&decode_utf8(bytes))))
    }
}

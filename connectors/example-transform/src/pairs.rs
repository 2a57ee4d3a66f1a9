//! A converter for texts such as `user=ada&id=7`, to show how one is written.

use caisson_sdk::prelude::*;

/// Texts of pairs to maps of texts without a schema, and back. Structs are written as their fields.
#[derive(Debug)]
pub struct PairsConverter {
    separator: String,
}

impl Converter for PairsConverter {
    fn plugin() -> Plugin {
        Plugin::new("caisson.example.PairsConverter", env!("CARGO_PKG_VERSION"))
            .alias("PairsConverter")
            .documentation("Reads and writes texts such as user=ada&id=7.")
            .key(
                Key::new("separator", Type::String)
                    .default("&")
                    .validator(Validator::NonEmpty)
                    .importance(Importance::Low)
                    .documentation("What stands between two pairs."),
            )
    }

    fn start(settings: &Settings, _: Column) -> Result<Self, Error> {
        Ok(PairsConverter {
            separator: settings.text("separator")?.to_string(),
        })
    }

    fn serialize(&mut self, _: &str, schema: Option<&SchemaRef>, value: &Value) -> Result<Option<Vec<u8>>, Error> {
        let text = |value: &Value| match value {
            Value::String(text) => Ok(text.clone()),
            Value::Boolean(value) => Ok(value.to_string()),
            Value::Int32(value) => Ok(value.to_string()),
            Value::Int64(value) => Ok(value.to_string()),
            other => Err(Error::data(format!("a pair holds a text or a number, not {other:?}"))),
        };
        let pairs: Result<Vec<String>, Error> = match value {
            Value::Null => return Ok(None),
            Value::Map(entries) => entries
                .iter()
                .map(|(name, value)| Ok(format!("{}={}", text(name)?, text(value)?)))
                .collect(),
            Value::Struct(values) => {
                let fields = schema.map(|schema| schema.fields()).unwrap_or_default();
                let given = fields.iter().zip(values).filter(|(_, value)| !value.is_null());
                given
                    .map(|(field, value)| Ok(format!("{}={}", field.name, text(value)?)))
                    .collect()
            }
            other => Err(Error::data(format!(
                "pairs are written of maps and structs, not of {other:?}"
            ))),
        };
        Ok(Some(pairs?.join(&self.separator).into_bytes()))
    }

    fn deserialize(&mut self, _: &str, bytes: Option<&[u8]>) -> Result<(Option<SchemaRef>, Value), Error> {
        let Some(bytes) = bytes else {
            return Ok((None, Value::Null));
        };
        let text = std::str::from_utf8(bytes).map_err(|error| Error::data(format!("pairs are UTF-8: {error}")))?;
        let pair = |pair: &str| {
            let (name, value) = pair
                .split_once('=')
                .ok_or_else(|| Error::data(format!("a pair has a name and a value with = between, not {pair:?}")))?;
            Ok((Value::from(name), Value::from(value)))
        };
        let pairs: Result<Vec<_>, Error> = text.split(&*self.separator).map(pair).collect();
        Ok((None, Value::Map(pairs?)))
    }
}

//! `io.confluent.connect.json.JsonSchemaConverter`.

mod compatible;
mod decode;
mod encode;
mod from_connect;
mod options;
mod to_connect;

use std::sync::Arc;

use caisson_api::{SchemaRef, Value};
use caisson_convert::{ConvertError, tree};
use serde_json::Value as Json;

use crate::converter::Format;
use crate::fault::{Fault, Words};
use crate::registry::{Resolved, SchemaText, SchemaType};
use crate::wire::WireError;
pub use options::JsonSchemaOptions;
use to_connect::Documents;

/// The format; all that it knows by itself are the options.
pub struct JsonSchema {
    options: JsonSchemaOptions,
}

/// A schema that was made of one of Kafka Connect.
pub struct Own {
    json: Json,
    text: SchemaText,
}

impl JsonSchema {
    pub fn new(options: JsonSchemaOptions) -> Self {
        JsonSchema { options }
    }
}

impl Format for JsonSchema {
    type Reader = SchemaRef;
    type Own = Own;
    type Writer = Option<SchemaRef>;

    const WORDS: Words = Words {
        format: "JSON",
        read: (
            "Converting byte[] to Kafka Connect data failed due to serialization error of topic ",
            ": ",
        ),
        written: (
            "Converting Kafka Connect data to byte[] failed due to serialization error of topic ",
            ": ",
        ),
        accessed: "JSON Schema",
        colon: ": ",
    };

    fn front(_rest: &[u8]) -> Result<usize, WireError> {
        Ok(0)
    }

    fn name(schema: &Resolved, _front: &[u8]) -> Result<Option<String>, Fault> {
        Ok(title(&parse(schema)?.main))
    }

    fn reader(&self, schema: &Resolved, _front: &[u8], version: Option<i32>) -> Result<SchemaRef, Fault> {
        let schema = to_connect::convert(&self.options, &parse(schema)?, version)?;
        Ok(Arc::new(schema))
    }

    fn read(&self, reader: &SchemaRef, payload: &[u8]) -> Result<(Option<SchemaRef>, Value), Fault> {
        let value = tree::with_tree(payload, |node| decode::read(reader, node)).map_err(Fault::Format)??;
        Ok((Some(reader.clone()), value))
    }

    fn writes_null(&self, schema: Option<&SchemaRef>) -> Result<bool, Fault> {
        // With a schema, null is a value like others.
        Ok(schema.is_some_and(|schema| schema.optional || schema.default.is_some()))
    }

    fn own(&self, schema: Option<&SchemaRef>) -> Result<Own, Fault> {
        let Some(schema) = schema else {
            return Err(ConvertError::data("Values without a schema cannot be written with a JSON Schema").into());
        };
        let json = from_connect::convert(&self.options, schema)?;
        Ok(Own {
            text: SchemaText {
                kind: SchemaType::Json,
                text: json.to_string(),
                references: Vec::new(),
            },
            json,
        })
    }

    fn text(own: &Own) -> &SchemaText {
        &own.text
    }

    fn own_name(own: &Own) -> Option<String> {
        title(&own.json)
    }

    /// Values are written as they are, whatever schema stands for them.
    fn writer(
        &self,
        schema: Option<&SchemaRef>,
        _own: Own,
        _other: Option<&Resolved>,
    ) -> Result<Option<SchemaRef>, Fault> {
        Ok(schema.cloned())
    }

    fn reads(reader: &Resolved, own: &Own) -> Result<(), String> {
        let reader: Json = serde_json::from_str(&reader.schema.text).map_err(|error| error.to_string())?;
        compatible::check(&reader, &own.json)
    }

    fn write(&self, writer: &Option<SchemaRef>, value: &Value, out: &mut Vec<u8>) -> Result<(), Fault> {
        encode::write(&self.options, writer.as_deref(), value, out)?;
        Ok(())
    }
}

fn title(json: &Json) -> Option<String> {
    json.get("title").and_then(Json::as_str).map(str::to_owned)
}

fn parse(schema: &Resolved) -> Result<Documents, Fault> {
    if schema.schema.kind != SchemaType::Json {
        let message = format!("the schema is of type {:?}, not JSON", schema.schema.kind);
        return Err(Fault::format("java.lang.ClassCastException", message));
    }
    let read = |text: &str| {
        serde_json::from_str(text)
            .map_err(|error| Fault::format("com.fasterxml.jackson.core.JsonParseException", error.to_string()))
    };
    let others = schema.references.iter();
    Ok(Documents {
        main: read(&schema.schema.text)?,
        others: others
            .map(|(name, text)| Ok((name.clone(), read(text)?)))
            .collect::<Result<_, Fault>>()?,
    })
}

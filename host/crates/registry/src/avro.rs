//! `io.confluent.connect.avro.AvroConverter`.

mod anything;
mod decode;
mod default;
mod encode;
mod from_connect;
mod names;
mod options;
mod parse;
mod plan;
mod schema;
mod text;
mod to_connect;

use std::sync::Arc;

use apache_avro::Schema as ApacheSchema;
use apache_avro::schema_compatibility::SchemaCompatibility;
use caisson_api::{SchemaRef, Value};
use caisson_convert::{Class, ConvertError};

use crate::converter::Format;
use crate::fault::{Fault, Words};
use crate::registry::{Resolved, SchemaText, SchemaType};
use crate::wire::WireError;
pub use options::AvroOptions;
use schema::{AvroSchema, SchemaParseError};

/// The format; all that it knows by itself are the options.
pub struct Avro {
    options: AvroOptions,
}

pub struct Reader {
    schema: Option<SchemaRef>,
    plan: decode::Plan,
}

/// A schema that was made of one of Kafka Connect.
pub struct Own {
    avro: AvroSchema,
    text: SchemaText,
}

impl Avro {
    pub fn new(options: AvroOptions) -> Self {
        Avro { options }
    }
}

impl Format for Avro {
    type Reader = Reader;
    type Own = Own;
    type Writer = plan::Plan;

    const WORDS: Words = Words {
        format: "Avro",
        read: ("Failed to deserialize data for topic ", " to Avro: "),
        written: ("Failed to serialize Avro data from topic ", " :"),
        accessed: "Avro",
        colon: "",
    };

    fn front(_rest: &[u8]) -> Result<usize, WireError> {
        Ok(0)
    }

    fn name(schema: &Resolved, _front: &[u8]) -> Result<Option<String>, Fault> {
        Ok(Some(parse(schema)?.name()))
    }

    fn reader(&self, schema: &Resolved, _front: &[u8], version: Option<i32>) -> Result<Reader, Fault> {
        let (schema, plan) = to_connect::convert(&self.options, &parse(schema)?, version)?;
        Ok(Reader {
            schema: schema.map(Arc::new),
            plan,
        })
    }

    fn read(&self, reader: &Reader, payload: &[u8]) -> Result<(Option<SchemaRef>, Value), Fault> {
        let value = decode::decode(&reader.plan, payload)?;
        Ok((reader.schema.clone(), value))
    }

    fn writes_null(&self, schema: Option<&SchemaRef>) -> Result<bool, Fault> {
        match schema {
            Some(schema) if !schema.optional => {
                Err(ConvertError::data("Found null value for non-optional schema").into())
            }
            Some(_) | None => Ok(false),
        }
    }

    fn own(&self, schema: Option<&SchemaRef>) -> Result<Own, Fault> {
        let (avro, text) = match schema {
            Some(schema) => {
                let avro = from_connect::convert(&self.options, schema)?;
                let text = text::write(&avro).map_err(invalid)?;
                (avro, text)
            }
            None => {
                let avro = parse::parse([], anything::TEXT).map_err(invalid)?;
                (avro, anything::TEXT.to_owned())
            }
        };
        Ok(Own {
            avro,
            text: SchemaText {
                kind: SchemaType::Avro,
                text,
                references: Vec::new(),
            },
        })
    }

    fn text(own: &Own) -> &SchemaText {
        &own.text
    }

    fn own_name(own: &Own) -> Option<String> {
        Some(own.avro.name())
    }

    fn writer(&self, schema: Option<&SchemaRef>, own: Own, other: Option<&Resolved>) -> Result<plan::Plan, Fault> {
        let avro = match other {
            Some(other) => parse(other)?,
            None => own.avro,
        };
        plan::plan(&self.options, schema.map(AsRef::as_ref), &avro)
    }

    fn reads(reader: &Resolved, own: &Own) -> Result<(), String> {
        let references = reader.references.iter().map(|(_, text)| text.as_str());
        let mut all: Vec<&str> = references.collect();
        all.push(&reader.schema.text);
        let parsed = |texts: &[&str]| {
            let parsed = ApacheSchema::parse_list(texts).map_err(|error| error.to_string())?;
            parsed.into_iter().last().ok_or_else(|| "there is no schema".to_owned())
        };
        let (reader, writer) = (parsed(&all)?, parsed(&[&own.text.text])?);
        SchemaCompatibility::can_read(&writer, &reader)
            .map(drop)
            .map_err(|error| error.to_string())
    }

    fn write(&self, writer: &plan::Plan, value: &Value, out: &mut Vec<u8>) -> Result<(), Fault> {
        encode::encode(writer, value, out)
    }
}

fn parse(schema: &Resolved) -> Result<AvroSchema, Fault> {
    if schema.schema.kind != SchemaType::Avro {
        let message = format!("the schema is of type {:?}, not AVRO", schema.schema.kind);
        return Err(Fault::format("java.lang.ClassCastException", message));
    }
    let references = schema.references.iter().map(|(_, text)| text.as_str());
    parse::parse(references, &schema.schema.text)
        .map_err(|SchemaParseError(message)| Fault::format("org.apache.avro.SchemaParseException", message))
}

/// A schema of Kafka Connect that Avro has no words for: Java's library throws it without any wrapping.
fn invalid(SchemaParseError(message): SchemaParseError) -> Fault {
    ConvertError::new(Class::Foreign("org.apache.avro.SchemaParseException"), message).into()
}

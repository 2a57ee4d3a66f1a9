//! Samples as the records that a task would meet.

use std::borrow::Cow;

use caisson_api::frame::{Boundary, Encoding, Encodings, Timestamp};
use caisson_api::schema::{Kind, Schema};
use caisson_api::{SchemaRef, Value, typed};
use caisson_convert::column::read_json;
use caisson_convert::{Converter, JsonConverter, JsonOptions};
use caisson_model::Failure;
use caisson_model::preview::{Payload, Sample};

use super::Error;
use crate::columns::{Form, Forms};
use crate::errors::{Consumed, Errors};
use crate::recode::{HeaderInput, Input, Recoder, Refusal, Trust};
use crate::settings::Direction;

/// The topic of a sample that names none.
const TOPIC: &str = "preview";

/// What samples of sources are laid down as.
pub const TYPED: Forms = Forms {
    key: Form::Typed,
    value: Form::Typed,
    headers: Form::Typed,
};

/// A record at the beginning of its way.
pub struct Given {
    pub topic: String,
    pub partition: Option<i32>,
    pub offset: Option<i64>,
    pub timestamp: Option<i64>,
    key: Cell,
    value: Cell,
    headers: Vec<(String, Cell)>,
}

/// A payload: Kafka's bytes, or a typed block and its schema.
#[derive(Default)]
struct Cell {
    schema: Option<SchemaRef>,
    bytes: Option<Vec<u8>>,
}

/// Reads the samples. `encodings` are the plugin's: where a source gives bytes, a sample is bytes.
pub fn given(direction: Direction, encodings: Encodings, samples: &[Sample]) -> Result<Vec<Given>, Error> {
    let read = |(index, sample): (usize, &Sample)| {
        let problem = |problem| Error::Sample { index, problem };
        match direction {
            Direction::FromKafka => Given::consumed_of(index, sample).map_err(problem),
            Direction::ToKafka => Given::polled_of(encodings, sample).map_err(problem),
        }
    };
    samples.iter().enumerate().map(read).collect()
}

impl Given {
    fn new(sample: &Sample, cell: impl Fn(Column, &Payload) -> Result<Cell, String>) -> Result<Self, String> {
        let named = |what: &str, error: String| format!("{what}: {error}");
        let header = |(name, value): &(String, Payload)| -> Result<_, String> {
            let value = cell(Column::Headers, value).map_err(|error| named(&format!("header {name}"), error))?;
            Ok((name.clone(), value))
        };
        Ok(Given {
            topic: sample.topic.clone().unwrap_or_else(|| TOPIC.to_owned()),
            partition: sample.partition,
            offset: sample.offset,
            timestamp: sample.timestamp,
            key: cell(Column::Key, &sample.key).map_err(|error| named("key", error))?,
            value: cell(Column::Value, &sample.value).map_err(|error| named("value", error))?,
            headers: sample.headers.iter().map(header).collect::<Result<_, String>>()?,
        })
    }

    fn consumed_of(index: usize, sample: &Sample) -> Result<Self, String> {
        let cell = |_, payload: &Payload| -> Result<Cell, String> {
            Ok(Cell {
                schema: None,
                bytes: bytes(payload)?,
            })
        };
        Ok(Given {
            partition: Some(sample.partition.unwrap_or_default()),
            offset: Some(sample.offset.unwrap_or(index as i64)),
            ..Self::new(sample, cell)?
        })
    }

    fn polled_of(encodings: Encodings, sample: &Sample) -> Result<Self, String> {
        let cell = |column: Column, payload: &Payload| -> Result<Cell, String> {
            let encoding = match column {
                Column::Key => encodings.key,
                Column::Value => encodings.value,
                Column::Headers => encodings.headers,
            };
            let (schema, value) = value(encoding, payload)?;
            let mut block = Vec::new();
            let present = typed::encode(schema.as_deref(), &value, &mut block).map_err(|error| error.to_string())?;
            Ok(Cell {
                schema,
                bytes: present.then_some(block),
            })
        };
        Ok(Given {
            offset: None,
            ..Self::new(sample, cell)?
        })
    }

    /// As it would come from Kafka.
    pub fn consumed(&self) -> Consumed<'_> {
        Consumed {
            topic: &self.topic,
            partition: self.partition.unwrap_or_default(),
            offset: self.offset.unwrap_or_default(),
            timestamp: self
                .timestamp
                .map_or(caisson_kafka::Timestamp::None, caisson_kafka::Timestamp::Create),
            key: self.key.bytes.as_deref(),
            value: self.value.bytes.as_deref(),
            headers: self
                .headers
                .iter()
                .map(|(name, cell)| (Cow::Borrowed(name.as_str()), cell.bytes.as_deref()))
                .collect(),
        }
    }

    /// As a source would have given it: a frame of one record, of values.
    pub fn polled(&self, recoder: &mut Recoder, errors: &mut Errors) -> Result<Vec<u8>, Failure> {
        let headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, cell)| HeaderInput {
                name,
                schema: cell.schema.clone(),
                value: cell.bytes.as_deref(),
            })
            .collect();
        let input = Input {
            topic: &self.topic,
            partition: self.partition,
            offset: None,
            timestamp: self.timestamp.map_or(Timestamp::None, Timestamp::Create),
            origin: 0,
            boundary: Boundary::None,
            key: (self.key.schema.as_ref(), self.key.bytes.as_deref()),
            value: (self.value.schema.as_ref(), self.value.bytes.as_deref()),
            headers: &headers,
            source: None,
        };
        recoder.begin(TYPED.encodings(), 1);
        match recoder.push((TYPED, TYPED), Trust::Full, &input, errors) {
            Ok(()) => Ok(recoder.builder.take()),
            Err(Refusal::Record { error, .. }) => Err(Failure::host(format!("a sample cannot be read: {error}"))),
            Err(Refusal::Frame(error)) => Err(crate::recode::does_not_fit(&self.topic, &error)),
        }
    }
}

#[derive(Clone, Copy)]
enum Column {
    Key,
    Value,
    Headers,
}

/// What Kafka would have: of a JSON string the text in it, of any other JSON its own text.
fn bytes(payload: &Payload) -> Result<Option<Vec<u8>>, String> {
    match payload {
        Payload::Null => Ok(None),
        Payload::Bytes(bytes) => Ok(Some(bytes.clone())),
        Payload::Value { schema: Some(_), .. } => {
            Err("records from Kafka are bytes and have no schema; give the bytes that the converter reads".to_owned())
        }
        Payload::Value { json, schema: None } => match read_json(json.as_bytes()) {
            Ok(Value::Null) => Ok(None),
            Ok(Value::String(text)) => Ok(Some(text.into_bytes())),
            Ok(_) => Ok(Some(json.clone().into_bytes())),
            Err(error) => Err(error.to_string()),
        },
    }
}

/// What a source would have made: the payload of JsonConverter's envelope.
fn value(encoding: Encoding, payload: &Payload) -> Result<(Option<SchemaRef>, Value), String> {
    let raw = |bytes: Option<Vec<u8>>| match bytes {
        Some(bytes) => (Some(SchemaRef::new(Schema::optional(Kind::Bytes))), Value::Bytes(bytes)),
        None => (None, Value::Null),
    };
    match payload {
        Payload::Null => Ok((None, Value::Null)),
        Payload::Bytes(bytes) => Ok(raw(Some(bytes.clone()))),
        payload if encoding == Encoding::Bytes => bytes(payload).map(raw),
        Payload::Value { json, schema } => {
            let schema = schema.as_deref().unwrap_or("null");
            let envelope = format!(r#"{{"schema":{schema},"payload":{json}}}"#);
            let envelopes = JsonConverter::new(JsonOptions {
                schemas_enable: true,
                ..JsonOptions::default()
            });
            let read = envelopes.to_connect(TOPIC, Some(envelope.as_bytes()));
            read.map_err(|error| error.to_string())
        }
    }
}

//! What goes to the dead letter queue for a record (`DeadLetterQueueReporter`): the record as Kafka had it, and headers
//! that say what happened.

use caisson_api::value::to_java_string;
use caisson_api::{Header, SchemaRef, Value};
use caisson_convert::column::write_json;
use caisson_kafka::Timestamp;
use caisson_model::TaskId;

use super::stage::Stage;
use super::subject::{Consumed, Polled, Subject};
use super::throwable::Throwable;

const TOPIC: &str = "__connect.errors.topic";
const PARTITION: &str = "__connect.errors.partition";
const OFFSET: &str = "__connect.errors.offset";
const CONNECTOR: &str = "__connect.errors.connector.name";
const TASK: &str = "__connect.errors.task.id";
const STAGE: &str = "__connect.errors.stage";
const CLASS: &str = "__connect.errors.class.name";
const EXCEPTION_CLASS: &str = "__connect.errors.exception.class.name";
const EXCEPTION_MESSAGE: &str = "__connect.errors.exception.message";
const STACK_TRACE: &str = "__connect.errors.exception.stacktrace";
/// Beyond Kafka Connect: a word of [`super::ErrorClass`].
const ERROR_CLASS: &str = "__caisson.errors.class";
/// Beyond Kafka Connect: JSON, for records of sources.
const SOURCE_PARTITION: &str = "__caisson.errors.source.partition";
const SOURCE_OFFSET: &str = "__caisson.errors.source.offset";

/// Which headers letters get, beside those of their record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LetterHeaders {
    /// `errors.deadletterqueue.context.headers.enable`
    pub context: bool,
    /// The machine-readable class of the error.
    pub class: bool,
}

/// A dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Milliseconds since the epoch.
    pub timestamp: Option<i64>,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

/// Where a record failed.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub task: &'a TaskId,
    pub stage: Stage,
    /// The class that was at work.
    pub class: &'a str,
}

impl Letter {
    /// The letter for a record; none if the record is not known any more.
    pub fn new(
        subject: &Subject<'_>,
        place: Place<'_>,
        error: Option<&Throwable>,
        headers: LetterHeaders,
    ) -> Option<Letter> {
        let mut letter = match subject {
            Subject::Consumed(consumed) => Letter::from(consumed),
            Subject::Polled(polled) => Letter::from(&**polled),
            Subject::Unknown => return None,
        };
        if headers.context {
            letter.add_origin(subject);
            letter.add_place(place);
            if let Some(error) = error {
                letter.add_error(error);
            }
        }
        if let (true, Some(error)) = (headers.class, error) {
            letter.add(ERROR_CLASS, error.kind.as_str());
        }
        Some(letter)
    }

    fn add(&mut self, name: &str, value: impl Into<String>) {
        self.headers.push((name.to_owned(), Some(value.into().into_bytes())));
    }

    fn add_origin(&mut self, subject: &Subject<'_>) {
        match subject {
            Subject::Consumed(consumed) => {
                self.add(TOPIC, consumed.topic);
                self.add(PARTITION, consumed.partition.to_string());
                self.add(OFFSET, consumed.offset.to_string());
            }
            Subject::Polled(polled) => {
                self.add(TOPIC, &*polled.record.topic);
                if let Some((partition, offset)) = &polled.source {
                    self.add(SOURCE_PARTITION, &**partition);
                    self.add(SOURCE_OFFSET, &**offset);
                }
            }
            Subject::Unknown => {}
        }
    }

    fn add_place(&mut self, place: Place<'_>) {
        self.add(CONNECTOR, &*place.task.connector);
        self.add(TASK, place.task.task.to_string());
        self.add(STAGE, place.stage.as_str());
        self.add(CLASS, place.class);
    }

    fn add_error(&mut self, error: &Throwable) {
        self.add(EXCEPTION_CLASS, &*error.class);
        let message = error.message.clone().map(String::into_bytes);
        self.headers.push((EXCEPTION_MESSAGE.to_owned(), message));
        self.add(STACK_TRACE, error.stack_trace());
    }
}

impl From<&Consumed<'_>> for Letter {
    fn from(consumed: &Consumed<'_>) -> Self {
        let header = |(name, value): &(std::borrow::Cow<'_, str>, Option<&[u8]>)| {
            (name.clone().into_owned(), value.map(<[u8]>::to_vec))
        };
        Letter {
            timestamp: match consumed.timestamp {
                Timestamp::None => None,
                // Kafka's number for none.
                Timestamp::Create(at) | Timestamp::LogAppend(at) => Some(at).filter(|at| *at != -1),
            },
            key: consumed.key.map(<[u8]>::to_vec),
            value: consumed.value.map(<[u8]>::to_vec),
            headers: consumed.headers.iter().map(header).collect(),
        }
    }
}

/// Sources give values and not bytes: bytes stay bytes, everything else becomes JSON.
impl From<&Polled> for Letter {
    fn from(polled: &Polled) -> Self {
        let record = &polled.record;
        let header = |header: &Header| {
            let value = plain(header.schema.as_ref(), &header.value, &record.topic);
            (header.name.to_string(), value)
        };
        Letter {
            timestamp: record.timestamp,
            key: plain(record.key_schema.as_ref(), &record.key, &record.topic),
            value: plain(record.value_schema.as_ref(), &record.value, &record.topic),
            headers: record.headers.iter().map(header).collect(),
        }
    }
}

fn plain(schema: Option<&SchemaRef>, value: &Value, topic: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    match value {
        Value::Null => return None,
        Value::Bytes(bytes) => return Some(bytes.clone()),
        value => match write_json(schema, value, topic, &mut bytes) {
            Ok(true) => {}
            Ok(false) => return None,
            // What has no JSON has at least a text.
            Err(_) => bytes = to_java_string(schema.map(|schema| &**schema), value).into_bytes(),
        },
    }
    Some(bytes)
}

//! `TimestampRouter`: puts the time of records into their topics.

use std::fmt::Write;
use std::sync::Arc;

use caisson_sdk::api::frame::Timestamp;
use caisson_sdk::api::value::to_java_string;
use caisson_sdk::api::values::schema_text;
use caisson_sdk::prelude::*;

use crate::date_format::{DateFormat, PatternError};
use crate::standard;

#[derive(Debug)]
pub struct TimestampRouter {
    topic_format: Option<String>,
    /// A pattern that is none is a mistake that the original notices with the first record.
    time_format: Option<Result<DateFormat, PatternError>>,
    /// What was made last, and of what: most records of a batch go to one topic.
    last: Option<Routed>,
    time: String,
}

#[derive(Debug)]
struct Routed {
    from: Arc<str>,
    time: String,
    to: Arc<str>,
}

impl Transform for TimestampRouter {
    fn plugin() -> Plugin {
        let text = |name: &str, default: &str, documentation: &str| {
            Key::new(name, Type::String)
                .default(default)
                .importance(Importance::High)
                .documentation(documentation)
        };
        standard::transform("TimestampRouter", "Puts the time of records into their topics.")
            .key(text(
                "topic.format",
                "${topic}-${timestamp}",
                "New topic, with ${topic} for the old one and ${timestamp} for the time.",
            ))
            .key(text(
                "timestamp.format",
                "yyyyMMdd",
                "Pattern of Java's SimpleDateFormat for the time.",
            ))
    }

    fn start(settings: &Settings) -> Result<Self, Error> {
        Ok(TimestampRouter {
            topic_format: settings.optional_text("topic.format").map(str::to_owned),
            time_format: settings.optional_text("timestamp.format").map(DateFormat::new),
            last: None,
            time: String::new(),
        })
    }

    fn apply_from(&mut self, mut record: Record, origin: Origin) -> Result<Option<Record>, Error> {
        let Some(timestamp) = record.timestamp else {
            let text = record_text(&record, origin);
            return Err(Error::data(format!("Timestamp missing on record: {text}")));
        };
        let nothing = |what: &str| Error::data(what).with_class("java.lang.NullPointerException");
        let format = match &self.time_format {
            Some(Ok(format)) => format,
            Some(Err(error)) => {
                return Err(Error::data(error.to_string()).with_class("java.lang.IllegalArgumentException"));
            }
            None => return Err(nothing("timestamp.format is null")),
        };
        let topic_format = self
            .topic_format
            .as_deref()
            .ok_or_else(|| nothing("topic.format is null"))?;
        self.time.clear();
        format.write(timestamp, &mut self.time);
        let known = match &self.last {
            Some(last) if last.time == self.time && same(&last.from, &record.topic) => Some(last.to.clone()),
            Some(_) | None => None,
        };
        record.topic = known.unwrap_or_else(|| {
            let to: Arc<str> = topic_format
                .replace("${topic}", &record.topic)
                .replace("${timestamp}", &self.time)
                .into();
            self.last = Some(Routed {
                from: record.topic.clone(),
                time: self.time.clone(),
                to: to.clone(),
            });
            to
        });
        Ok(Some(record))
    }
}

/// Records of a batch share their topics' names.
fn same(one: &Arc<str>, other: &Arc<str>) -> bool {
    Arc::ptr_eq(one, other) || one == other
}

/// `SinkRecord.toString` and `SourceRecord.toString`, as far as a transform knows records: not before earlier transforms
/// changed them, and without the source's partition and offset.
fn record_text(record: &Record, origin: Origin) -> String {
    let partition = record
        .partition
        .map_or("null".to_owned(), |partition| partition.to_string());
    let topic = &record.topic;
    let head = match origin {
        Origin::Source => "SourceRecord{sourcePartition=null, sourceOffset=null}".to_owned(),
        Origin::Sink { offset, timestamp } => {
            let kind = match timestamp {
                Timestamp::None => "NoTimestampType",
                Timestamp::Create(_) | Timestamp::Arrival => "CreateTime",
                Timestamp::LogAppend(_) => "LogAppendTime",
            };
            format!(
                "SinkRecord{{kafkaOffset={offset}, timestampType={kind}, originalTopic={topic}, originalKafkaPartition={partition}, originalKafkaOffset={offset}}}"
            )
        }
    };
    let data = |schema: &Option<SchemaRef>, value: &Value| {
        let schema_text = schema.as_deref().map_or("null".to_owned(), schema_text);
        (to_java_string(schema.as_deref(), value), schema_text)
    };
    let (key, key_schema) = data(&record.key_schema, &record.key);
    let (value, value_schema) = data(&record.value_schema, &record.value);
    let mut headers = String::new();
    for (index, header) in record.headers.iter().enumerate() {
        let (value, schema) = data(&header.schema, &header.value);
        let separator = if index == 0 { "" } else { ", " };
        let _ = write!(
            headers,
            "{separator}ConnectHeader(key={}, value={value}, schema={schema})",
            header.name
        );
    }
    format!(
        "{head} ConnectRecord{{topic='{topic}', kafkaPartition={partition}, key={key}, keySchema={key_schema}, value={value}, valueSchema={value_schema}, timestamp=null, headers=ConnectHeaders(headers={})}}",
        if record.headers.is_empty() {
            String::new()
        } else {
            format!("[{headers}]")
        }
    )
}

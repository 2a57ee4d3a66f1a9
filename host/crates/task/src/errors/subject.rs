//! The record that failed, as it was before anything was done to it, and the words for it in the log.

use std::borrow::Cow;
use std::fmt::Write;

use caisson_api::schema::Schema;
use caisson_api::value::java::write_java_string;
use caisson_api::{Header, Record, Value};
use caisson_convert::column::read_json;
use caisson_kafka::{Message, Timestamp};
use caisson_model::TaskId;

use super::stage::Stage;

/// A record that failed.
#[derive(Clone, Debug)]
pub enum Subject<'a> {
    /// One that a sink read.
    Consumed(Consumed<'a>),
    /// One that a source gave.
    Polled(Box<Polled>),
    /// It is not known any more which one.
    Unknown,
}

/// A record as Kafka has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumed<'a> {
    pub topic: &'a str,
    pub partition: i32,
    pub offset: i64,
    pub timestamp: Timestamp,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub headers: Vec<(Cow<'a, str>, Option<&'a [u8]>)>,
}

impl<'a> From<&Message<'a>> for Consumed<'a> {
    fn from(message: &Message<'a>) -> Self {
        Consumed {
            topic: message.topic(),
            partition: message.partition(),
            offset: message.offset(),
            timestamp: message.timestamp(),
            key: message.key(),
            value: message.value(),
            headers: message.headers().map(|header| (header.name, header.value)).collect(),
        }
    }
}

/// A record as its source gave it.
#[derive(Clone, Debug, PartialEq)]
pub struct Polled {
    pub record: Record,
    /// Source partition and offset as JSON texts, if the source set them.
    pub source: Option<(String, String)>,
}

impl Polled {
    /// Source partition and offset as values.
    fn source_values(&self) -> (Value, Value) {
        // What is no JSON never got into a frame.
        let value = |text: &str| read_json(text.as_bytes()).unwrap_or_default();
        match &self.source {
            Some((partition, offset)) => (value(partition), value(offset)),
            None => (Value::Null, Value::Null),
        }
    }
}

/// What the log says of a failure (`ProcessingContext.toString`).
pub fn sentence(task: &TaskId, stage: Stage, class: Option<&str>, subject: Option<&Subject<'_>>) -> String {
    let mut text = format!(
        "Error encountered in task {task}. Executing stage '{}' with class '{}'",
        stage.as_str(),
        class.unwrap_or("null")
    );
    match subject {
        Some(Subject::Consumed(consumed)) => {
            text.push_str(", where consumed record is {");
            write_consumed(&mut text, consumed);
            text.push('}');
        }
        Some(Subject::Polled(polled)) => {
            text.push_str(", where source record is = ");
            write_polled(&mut text, polled);
        }
        Some(Subject::Unknown) | None => {}
    }
    text.push('.');
    text
}

fn write_consumed(out: &mut String, consumed: &Consumed<'_>) {
    let Consumed {
        topic,
        partition,
        offset,
        ..
    } = consumed;
    // Writing to a string cannot fail.
    let _ = write!(out, "topic='{topic}', partition={partition}, offset={offset}");
    let _ = match consumed.timestamp {
        Timestamp::None => Ok(()),
        Timestamp::Create(at) => write!(out, ", timestamp={at}, timestampType=CreateTime"),
        Timestamp::LogAppend(at) => write!(out, ", timestamp={at}, timestampType=LogAppendTime"),
    };
}

/// `SourceRecord.toString`.
fn write_polled(out: &mut String, polled: &Polled) {
    let (partition, offset) = polled.source_values();
    out.push_str("SourceRecord{sourcePartition=");
    write_java_string(None, &partition, out);
    out.push_str(", sourceOffset=");
    write_java_string(None, &offset, out);
    out.push_str("} ");
    let record = &polled.record;
    let _ = write!(out, "ConnectRecord{{topic='{}', kafkaPartition=", record.topic);
    write_optional(out, record.partition);
    out.push_str(", key=");
    write_java_string(record.key_schema.as_deref(), &record.key, out);
    out.push_str(", keySchema=");
    write_schema(out, record.key_schema.as_deref());
    out.push_str(", value=");
    write_java_string(record.value_schema.as_deref(), &record.value, out);
    out.push_str(", valueSchema=");
    write_schema(out, record.value_schema.as_deref());
    out.push_str(", timestamp=");
    write_optional(out, record.timestamp);
    out.push_str(", headers=ConnectHeaders(headers=");
    write_headers(out, &record.headers);
    out.push_str(")}");
}

/// Kafka Connect makes the list of headers when the first one comes.
fn write_headers(out: &mut String, headers: &[Header]) {
    if headers.is_empty() {
        return;
    }
    out.push('[');
    for (index, header) in headers.iter().enumerate() {
        let _ = write!(
            out,
            "{}ConnectHeader(key={}, value=",
            if index == 0 { "" } else { ", " },
            header.name
        );
        write_java_string(header.schema.as_deref(), &header.value, out);
        out.push_str(", schema=");
        write_schema(out, header.schema.as_deref());
        out.push(')');
    }
    out.push(']');
}

fn write_optional(out: &mut String, number: Option<impl std::fmt::Display>) {
    let _ = match number {
        Some(number) => write!(out, "{number}"),
        None => out.write_str("null"),
    };
}

/// `ConnectSchema.toString`.
fn write_schema(out: &mut String, schema: Option<&Schema>) {
    let _ = match schema {
        None => out.write_str("null"),
        Some(Schema {
            name: Some(name), kind, ..
        }) => write!(out, "Schema{{{name}:{kind}}}"),
        Some(Schema { kind, .. }) => write!(out, "Schema{{{kind}}}"),
    };
}

//! A record of a source, for plugins that do not count nanoseconds.

use std::sync::Arc;

use caisson_api::frame::{Boundary, Timestamp};
use caisson_api::{Header, Record, SchemaRef, Value};
use serde_json::Value as Json;

/// A record and where it comes from (`org.apache.kafka.connect.source.SourceRecord`).
#[derive(Clone, Debug, PartialEq)]
pub struct SourceRecord {
    pub record: Record,
    /// As [`Record::timestamp`], with the forms that a record of a source may have besides.
    pub timestamp: Timestamp,
    /// Partition and offset in the source; `None`: nothing is stored for this record.
    pub source: Option<(Json, Json)>,
    /// Where the source's transaction ends, for plugins with the ability `transaction-boundaries`.
    pub boundary: Boundary,
}

impl SourceRecord {
    /// A record with a value and nothing else. The worker gives it the time at which it arrives.
    pub fn new(topic: impl Into<Arc<str>>, value: impl Into<Value>) -> Self {
        SourceRecord {
            record: Record {
                topic: topic.into(),
                partition: None,
                key_schema: None,
                key: Value::Null,
                value_schema: None,
                value: value.into(),
                timestamp: None,
                headers: Vec::new(),
            },
            timestamp: Timestamp::Arrival,
            source: None,
            boundary: Boundary::None,
        }
    }

    pub fn key(mut self, key: impl Into<Value>) -> Self {
        self.record.key = key.into();
        self
    }

    /// For columns with the encoding `connect`: the schema of the key.
    pub fn key_schema(mut self, schema: SchemaRef) -> Self {
        self.record.key_schema = Some(schema);
        self
    }

    /// For columns with the encoding `connect`: the schema of the value.
    pub fn value_schema(mut self, schema: SchemaRef) -> Self {
        self.record.value_schema = Some(schema);
        self
    }

    pub fn header(mut self, name: impl Into<Arc<str>>, value: impl Into<Value>) -> Self {
        self.record.headers.push(Header {
            name: name.into(),
            schema: None,
            value: value.into(),
        });
        self
    }

    /// The partition in Kafka; without it the partitioner chooses.
    pub fn partition(mut self, partition: i32) -> Self {
        self.record.partition = Some(partition);
        self
    }

    /// The record's own time, in milliseconds since the epoch.
    pub fn timestamp(mut self, milliseconds: i64) -> Self {
        self.timestamp = Timestamp::Create(milliseconds);
        self.record.timestamp = Some(milliseconds);
        self
    }

    /// Which part of the source the record comes from, and from where to go on after it: two JSON objects.
    pub fn source(mut self, partition: &Json, offset: Json) -> Self {
        self.source = Some((partition.clone(), offset));
        self
    }

    /// Ends the transaction after this record.
    pub fn boundary(mut self, boundary: Boundary) -> Self {
        self.boundary = boundary;
        self
    }

    /// The value as a text: a string, or bytes as UTF-8; else the form that the log would show.
    pub fn text(&self) -> String {
        value_text(&self.record.value)
    }
}

pub(crate) fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => format!("{other:?}"),
    }
}

//! A record on its way through a connector (`org.apache.kafka.connect.connector.ConnectRecord`).

use std::sync::Arc;

use crate::schema::SchemaRef;
use crate::value::Value;

/// What transforms see; sources and sinks add their coordinates in the SDK.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub topic: Arc<str>,
    /// The partition in Kafka; `None` leaves the choice to the partitioner.
    pub partition: Option<i32>,
    pub key_schema: Option<SchemaRef>,
    pub key: Value,
    pub value_schema: Option<SchemaRef>,
    pub value: Value,
    /// Milliseconds since the epoch.
    pub timestamp: Option<i64>,
    /// In order; names may repeat.
    pub headers: Vec<Header>,
}

/// A header of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    pub name: Arc<str>,
    pub schema: Option<SchemaRef>,
    pub value: Value,
}

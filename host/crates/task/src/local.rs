//! One source and one sink without Kafka: what the source polls goes through its chain and its converters, and what comes
//! of that through the sink's. The plugins have what their configurations grant them, and errors end or spare a record as in
//! a worker. There is no topic between them, and so no partitioner, no consumer group, and nothing to read again.

mod sink;
mod source;

pub use sink::LocalSink;
pub use source::{LocalSource, Polled};

/// A record as Kafka would have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalRecord {
    pub topic: String,
    pub partition: i32,
    /// Counted by whoever passes it on.
    pub offset: i64,
    /// Milliseconds since the epoch.
    pub timestamp: Option<i64>,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

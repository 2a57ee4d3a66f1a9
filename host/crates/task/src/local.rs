//! One source and one sink without Kafka: what the source polls goes through its chain and its converters, and what comes
//! of that through the sink's. The plugins have what their configurations grant them, and errors end or spare a record as in
//! a worker. There is no topic between them, and so no partitioner, no consumer group, and nothing to read again.

mod sink;
mod source;

pub use sink::LocalSink;
pub use source::{End, LocalSource, Part, Polled};

use crate::errors::{Letter, LetterHeaders};

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

/// The dead letter queue of a connector that runs without Kafka: its letters are kept for whoever runs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterBox {
    pub topic: String,
    pub headers: LetterHeaders,
}

impl LetterBox {
    /// A letter as the record that Kafka would have.
    fn record(&self, letter: Letter) -> LocalRecord {
        LocalRecord {
            topic: self.topic.clone(),
            partition: 0,
            offset: 0,
            timestamp: letter.timestamp,
            key: letter.key,
            value: letter.value,
            headers: letter.headers,
        }
    }
}

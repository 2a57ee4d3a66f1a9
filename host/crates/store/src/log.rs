//! A topic as a store uses it: written to record by record, and read whole from its beginning.
//!
//! The broker's side of it is behind [`Log`]; the fake in [`fake`] passes the same tests.

#[cfg(any(test, feature = "fake"))]
pub mod fake;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{BoxFuture, Error};

/// A key and its value; no value is a tombstone.
pub type Pair = (Vec<u8>, Option<Vec<u8>>);

/// A record as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    pub partition: i32,
    pub offset: i64,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
}

/// Takes what is read, in the order of each partition. It must not wait.
pub trait LogReader: Send + Sync {
    fn read(&self, records: Vec<LogRecord>);

    /// The topic was deleted and made anew. What was read of it stays in effect; what is read from now on begins again at
    /// its first record.
    fn made_anew(&self) {}
}

/// Says which records of a topic are of no use, with an end: another program may write to it all the time.
#[derive(Debug)]
pub(crate) struct Discarded {
    /// As messages call the topic.
    topic: &'static str,
    records: AtomicU64,
}

/// Records of which each gets a line of its own.
const NAMED: u64 = 5;

impl Discarded {
    pub(crate) fn of(topic: &'static str) -> Discarded {
        Discarded {
            topic,
            records: AtomicU64::new(0),
        }
    }

    /// The value may hold secrets, so only the key is shown.
    pub(crate) fn note(&self, record: &LogRecord, error: &dyn fmt::Display) {
        let before = self.records.fetch_add(1, Ordering::Relaxed);
        let topic = self.topic;
        if before < NAMED {
            let key = String::from_utf8_lossy(record.key.as_deref().unwrap_or_default()).into_owned();
            let (partition, offset) = (record.partition, record.offset);
            tracing::error!(partition, offset, key, %error, "discarding a record of the {topic} topic");
        } else if before == NAMED {
            tracing::error!(
                "discarding more records of the {topic} topic, which get no lines of their own: is something else kept in it? \
                 Each Connect cluster needs topics of its own"
            );
        }
    }
}

/// A topic. Its reader was named when it was opened, and is told of everything from the beginning on, whoever wrote it.
pub trait Log: Send + Sync {
    /// Appends records, each to the partition of its key; done means that all of them are kept for good. Some may have
    /// been appended when it fails.
    fn append(&self, pairs: Vec<Pair>) -> BoxFuture<'_, Result<(), Error>>;

    /// Returns once the reader was told of everything that was in the topic at the time of the call.
    fn read_to_end(&self) -> BoxFuture<'_, Result<(), Error>>;
}

/// A topic that one worker at a time may write to, where the cluster asks for that.
pub trait LeaderLog: Log {
    /// Appends records, all or none; fails with [`Error::Fenced`] if another worker has claimed the topic since.
    fn append_as_leader(&self, pairs: Vec<Pair>) -> BoxFuture<'_, Result<(), Error>>;

    /// Claims the topic: what earlier claimants have begun is undone, and what they begin from now on fails.
    fn claim(&self) -> BoxFuture<'_, Result<(), Error>>;
}

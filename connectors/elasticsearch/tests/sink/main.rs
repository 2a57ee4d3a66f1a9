//! The sink natively, against a server in memory.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod faults;
mod server;
mod settings;
mod writing;

use caisson_elasticsearch::ElasticsearchSink;
use caisson_sdk::prelude::*;
use caisson_sdk::sink::SinkRecord;
use caisson_sdk::testing::SinkHarness;

use server::{Server, until};

pub const TOPIC: &str = "orders";

/// A task with one partition, and its server.
pub struct Bench {
    pub server: Server,
    pub sink: SinkHarness<ElasticsearchSink>,
    next: i64,
}

impl Bench {
    /// A started task. Later settings replace earlier ones.
    pub fn new(settings: &[(&str, &str)]) -> Self {
        let server = Server::start();
        let mut sink = harness(&server.url, settings);
        sink.start().unwrap();
        sink.open(&[TopicPartition::new(TOPIC, 0)]).unwrap();
        Bench { server, sink, next: 0 }
    }

    /// One call of `put` with records of the one partition, numbered as they come.
    pub fn put(&mut self, records: Vec<SinkRecord>) -> Result<(), Error> {
        let mut next = self.next;
        let numbered: Vec<SinkRecord> = records
            .into_iter()
            .map(|mut record| {
                record.offset = Some(next);
                next += 1;
                record
            })
            .collect();
        let failures = self.sink.put(&numbered)?;
        assert_eq!(failures, []);
        self.next = next;
        Ok(())
    }

    /// What may be committed now.
    pub fn committable(&mut self) -> i64 {
        let current = [PartitionOffset::new(TOPIC, 0, self.next)];
        match self.sink.pre_commit(&current).unwrap() {
            None => self.next,
            Some(offsets) => offsets[0].offset,
        }
    }

    /// Calls as the worker does until everything is acknowledged.
    pub fn settle(&mut self) {
        until("everything is acknowledged", || {
            self.sink.put(&[]).unwrap();
            (self.committable() == self.next).then_some(())
        });
    }

    /// Calls as the worker does until the task fails.
    pub fn failure(&mut self) -> Error {
        until("the task fails", || {
            self.sink
                .put(&[])
                .err()
                .filter(|error| error.kind != ErrorKind::Retriable)
        })
    }
}

pub fn harness(url: &str, settings: &[(&str, &str)]) -> SinkHarness<ElasticsearchSink> {
    let mut all = vec![
        ("connection.url", url),
        ("topics", TOPIC),
        ("retry.backoff.ms", "2"),
        ("linger.ms", "0"),
    ];
    all.retain(|(key, _)| !settings.iter().any(|(other, _)| other == key));
    all.extend_from_slice(settings);
    SinkHarness::new(all)
}

/// A schemaless document with a number, under a text as its key.
pub fn record(key: &str, number: i64) -> SinkRecord {
    SinkRecord::new(TOPIC, 0, 0, document(number)).key(key)
}

pub fn document(number: i64) -> Value {
    Value::Map(vec![(Value::from("n"), Value::from(number))])
}

pub fn tombstone(key: &str) -> SinkRecord {
    SinkRecord::new(TOPIC, 0, 0, Value::Null).key(key)
}

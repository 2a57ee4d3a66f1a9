//! Compacted logs: read whole, followed, appended to, and kept from former writers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use caisson_kafka::{
    ClientSettings, CompactedLog, ErrorCode, Isolation, Layer, LogEntry, LogEvent, LogWriter, NewTopic, OffsetAt,
    TransactionalLogWriter,
};
use caisson_model::TopicPartition;

use crate::harness::*;

/// What a log says: the last value of each key, and how many records there were.
#[derive(Default)]
struct Table {
    values: BTreeMap<String, Option<String>>,
    records: usize,
    times_anew: usize,
}

struct Opened {
    log: CompactedLog,
    table: Arc<Mutex<Table>>,
}

impl Opened {
    async fn at(bootstrap: &str, topic: &str, isolation: &str) -> Opened {
        let base = properties(&[
            ("bootstrap.servers", bootstrap),
            ("isolation.level", isolation),
            // Part of a worker's own properties, and no business of a reader.
            ("group.id", "connect-cluster"),
        ]);
        let settings = ClientSettings::reader(&[Layer::Mixed(&base)]).unwrap();
        let admin = admin(bootstrap);
        let table = Arc::new(Mutex::new(Table::default()));
        let applied = table.clone();
        let log = CompactedLog::open(&settings, &admin, topic, LONG, move |event| {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            let mut table = applied.lock().unwrap();
            let LogEvent::Record(message) = event else {
                table.times_anew += 1;
                return;
            };
            table.records += 1;
            table
                .values
                .insert(text(message.key().unwrap()), message.value().map(text));
        });
        Opened {
            log: log.await.unwrap(),
            table,
        }
    }

    async fn value(&self, key: &str) -> Option<Option<String>> {
        self.log.read_to_end(LONG).await.unwrap();
        self.table.lock().unwrap().values.get(key).cloned()
    }

    fn records(&self) -> usize {
        self.table.lock().unwrap().records
    }
}

fn compacted(bootstrap: &str, partitions: i32) -> String {
    let topic = fresh("log");
    let new = NewTopic::new(topic.as_str(), partitions, 1).with("cleanup.policy", "compact");
    admin(bootstrap).create_topics(&[new], LONG).unwrap()[0]
        .1
        .as_ref()
        .unwrap();
    topic
}

fn writer(bootstrap: &str) -> LogWriter {
    let base = properties(&[("bootstrap.servers", bootstrap), ("linger.ms", "0")]);
    LogWriter::start(&ClientSettings::producer(&[Layer::Client(&base)]).unwrap()).unwrap()
}

fn transactional(bootstrap: &str, id: &str) -> TransactionalLogWriter {
    let base = properties(&[
        ("bootstrap.servers", bootstrap),
        ("transactional.id", id),
        ("linger.ms", "0"),
    ]);
    TransactionalLogWriter::new(&ClientSettings::producer(&[Layer::Client(&base)]).unwrap()).unwrap()
}

fn entry(key: &str, value: Option<&str>) -> LogEntry {
    LogEntry::new(key, value.map(|value| value.as_bytes().to_vec()))
}

fn some(value: &str) -> Option<Option<String>> {
    Some(Some(value.to_owned()))
}

#[test]
fn what_was_appended_before_is_there_after_reading_to_the_end() {
    let Some(bootstrap) = bootstrap("what_was_appended_before_is_there_after_reading_to_the_end") else {
        return;
    };
    let topic = compacted(&bootstrap, 5);
    block_on(async {
        let writer = writer(&bootstrap);
        let entries: Vec<_> = (0..5000)
            .map(|number| entry(&format!("key-{number}"), Some("first")))
            .collect();
        writer.append(&topic, &entries).await.unwrap();
        let opened = Opened::at(&bootstrap, &topic, "read_committed").await;
        assert_eq!(opened.log.partitions(), 5);
        assert_eq!(opened.value("key-4999").await, some("first"));
        assert_eq!(opened.records(), 5000);
        assert_eq!(opened.log.positions().iter().sum::<i64>(), 5000);
        // From here on it follows.
        for round in 0..50 {
            let value = format!("round {round}");
            writer.append(&topic, &[entry("key-7", Some(&value))]).await.unwrap();
            assert_eq!(opened.value("key-7").await, some(&value));
        }
        writer.append(&topic, &[entry("key-7", None)]).await.unwrap();
        assert_eq!(opened.value("key-7").await, Some(None));
    });
}

#[test]
fn an_empty_log_is_at_its_end_at_once() {
    let Some(bootstrap) = bootstrap("an_empty_log_is_at_its_end_at_once") else {
        return;
    };
    let topic = compacted(&bootstrap, 25);
    block_on(async {
        let opened = Opened::at(&bootstrap, &topic, "read_committed").await;
        opened.log.read_to_end(LONG).await.unwrap();
        assert_eq!((opened.log.partitions(), opened.records()), (25, 0));
    });
}

#[test]
fn a_topic_that_is_not_there_is_an_error_with_its_name() {
    let Some(bootstrap) = bootstrap("a_topic_that_is_not_there_is_an_error_with_its_name") else {
        return;
    };
    block_on(async {
        let topic = fresh("missing");
        let base = properties(&[("bootstrap.servers", bootstrap.as_str())]);
        let settings = ClientSettings::reader(&[Layer::Client(&base)]).unwrap();
        let opened = CompactedLog::open(&settings, &admin(&bootstrap), &topic, Duration::from_secs(1), |_| {}).await;
        let error = opened.err().unwrap();
        assert_eq!(error.code(), Some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
        assert!(error.to_string().contains(&topic), "{error}");
    });
}

/// Deletes the topic, makes one of the same name, and waits until its broker has it: one that has yet to hear of it appends
/// to the old one.
fn make_anew(bootstrap: &str, topic: &str) {
    let admin = admin(bootstrap);
    let deleted = admin.delete_topics(&[topic], LONG).unwrap();
    deleted[0].1.as_ref().unwrap();
    let new = NewTopic::new(topic, 1, 1).with("cleanup.policy", "compact");
    let made = admin.create_topics(&[new], LONG).unwrap();
    made[0].1.as_ref().unwrap();
    let partition = [TopicPartition::new(topic, 0)];
    await_that("the broker has the new topic", || {
        let ends = admin.list_offsets(&partition, OffsetAt::End, LONG);
        ends.is_ok_and(|ends| ends[0].offset == 0)
    });
}

#[test]
fn a_topic_that_is_made_anew_and_is_as_long_as_before_is_told_by_its_id() {
    let Some(bootstrap) = bootstrap("a_topic_that_is_made_anew_and_is_as_long_as_before_is_told_by_its_id") else {
        return;
    };
    let topic = compacted(&bootstrap, 1);
    block_on(async {
        let writer = writer(&bootstrap);
        writer.append(&topic, &[entry("key", Some("old"))]).await.unwrap();
        let opened = Opened::at(&bootstrap, &topic, "read_committed").await;
        for round in 1..4 {
            opened.log.read_to_end(LONG).await.unwrap();
            make_anew(&bootstrap, &topic);
            let value = format!("round {round}");
            writer.append(&topic, &[entry("key", Some(&value))]).await.unwrap();
            await_that("the new record is read", || {
                let table = opened.table.lock().unwrap();
                table.values.get("key") == some(&value).as_ref()
            });
            assert_eq!(opened.table.lock().unwrap().times_anew, round);
            assert_eq!(opened.log.positions(), [1]);
        }
    });
}

#[test]
fn a_topic_that_is_made_anew_is_read_from_its_beginning_and_said_to_be() {
    let Some(bootstrap) = bootstrap("a_topic_that_is_made_anew_is_read_from_its_beginning_and_said_to_be") else {
        return;
    };
    let topic = compacted(&bootstrap, 1);
    block_on(async {
        let writer = writer(&bootstrap);
        let old: Vec<_> = (0..100)
            .map(|number| entry(&format!("key-{number}"), Some("old")))
            .collect();
        writer.append(&topic, &old).await.unwrap();
        let opened = Opened::at(&bootstrap, &topic, "read_committed").await;
        assert_eq!(opened.value("key-99").await, some("old"));
        make_anew(&bootstrap, &topic);
        // Of what comes now nothing lies behind where reading has been.
        writer.append(&topic, &[entry("key-7", Some("new"))]).await.unwrap();
        assert_eq!(opened.value("key-7").await, some("new"));
        assert_eq!(opened.value("key-99").await, some("old"));
        assert_eq!(opened.log.positions(), [1]);
        assert_eq!(opened.table.lock().unwrap().times_anew, 1);
    });
}

#[test]
fn transactions_are_seen_whole_and_markers_do_not_hold_up_the_end() {
    let Some(bootstrap) = bootstrap("transactions_are_seen_whole_and_markers_do_not_hold_up_the_end") else {
        return;
    };
    let topic = compacted(&bootstrap, 1);
    block_on(async {
        let opened = Opened::at(&bootstrap, &topic, "read_committed").await;
        let careless = Opened::at(&bootstrap, &topic, "read_uncommitted").await;
        let leader = transactional(&bootstrap, &fresh("leader"));
        let early = leader
            .append(&topic, &[entry("early", Some("1"))], LONG)
            .await
            .unwrap_err();
        assert_eq!(early.code(), Some(ErrorCode::STATE));
        leader.claim(LONG).await.unwrap();
        assert!(leader.is_claimed().await);
        for round in 0..5 {
            let value = round.to_string();
            let entries = [entry("a", Some(&value)), entry("b", Some(&value))];
            leader.append(&topic, &entries, LONG).await.unwrap();
            assert_eq!(opened.value("a").await, some(&value));
            assert_eq!(careless.value("b").await, some(&value));
        }
        assert_eq!((opened.records(), careless.records()), (10, 10));
        // Two records and a marker in each.
        assert_eq!(opened.log.positions(), [15]);
    });
}

#[test]
fn only_the_last_who_claimed_an_id_can_write() {
    let Some(bootstrap) = bootstrap("only_the_last_who_claimed_an_id_can_write") else {
        return;
    };
    let (topic, id) = (compacted(&bootstrap, 1), fresh("leader"));
    block_on(async {
        let (former, present) = (transactional(&bootstrap, &id), transactional(&bootstrap, &id));
        former.claim(LONG).await.unwrap();
        former
            .append(&topic, &[entry("leader", Some("former"))], LONG)
            .await
            .unwrap();
        present.claim(LONG).await.unwrap();
        let error = former
            .append(&topic, &[entry("leader", Some("zombie"))], LONG)
            .await
            .unwrap_err();
        assert!(error.code().is_some_and(ErrorCode::is_fenced), "{error}");
        assert!(!former.is_claimed().await);
        present
            .append(&topic, &[entry("other", Some("present"))], LONG)
            .await
            .unwrap();
        let opened = Opened::at(&bootstrap, &topic, "read_committed").await;
        assert_eq!(opened.value("leader").await, some("former"));
        assert_eq!(opened.value("other").await, some("present"));
        // Who is elected again may claim again.
        former.claim(LONG).await.unwrap();
        former
            .append(&topic, &[entry("leader", Some("again"))], LONG)
            .await
            .unwrap();
        assert_eq!(opened.value("leader").await, some("again"));
    });
}

#[test]
fn the_end_of_a_reader_of_committed_records_lies_before_an_open_transaction() {
    let Some(bootstrap) = bootstrap("the_end_of_a_reader_of_committed_records_lies_before_an_open_transaction") else {
        return;
    };
    let topic = fresh("log");
    admin(&bootstrap)
        .create_topics(&[NewTopic::new(topic.as_str(), 1, 1)], LONG)
        .unwrap();
    let base = properties(&[("bootstrap.servers", &bootstrap), ("transactional.id", &fresh("open"))]);
    let settings = ClientSettings::producer(&[Layer::Client(&base)]).unwrap();
    let producer = caisson_kafka::TransactionalProducer::start(&settings).unwrap();
    producer.init(LONG).unwrap();
    block_on(async {
        writer(&bootstrap)
            .append(&topic, &[entry("a", Some("closed"))])
            .await
            .unwrap()
    });
    producer.begin().unwrap();
    send_numbers(&producer, &topic, Some(0), 0..1);
    let partition = [TopicPartition::new(topic.as_str(), 0)];
    let end = |isolation| {
        admin(&bootstrap)
            .list_offsets_at(&partition, OffsetAt::End, isolation, LONG)
            .unwrap()[0]
            .offset
    };
    assert_eq!((end(Isolation::ReadCommitted), end(Isolation::ReadUncommitted)), (1, 2));
    block_on(async {
        let opened = Opened::at(&bootstrap, &topic, "read_committed").await;
        assert_eq!(opened.value("a").await, some("closed"));
        assert_eq!(opened.records(), 1);
    });
    producer.abort(LONG).unwrap();
}

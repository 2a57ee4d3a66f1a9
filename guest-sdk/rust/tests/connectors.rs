//! What the SDK does for sources and sinks.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

use std::sync::Arc;

use caisson_sdk::api::schema::Field;
use caisson_sdk::log::Level;
use caisson_sdk::metrics;
use caisson_sdk::prelude::*;
use caisson_sdk::sink::{LateFailure, SinkRecord};
use caisson_sdk::testing::{self, SinkHarness, SourceHarness};

/// Gives one record of everything.
struct Everything;

impl SourceConnector for Everything {
    type Task = EverythingTask;

    fn plugin() -> Plugin {
        Plugin::new("test.Everything", "1")
            .key_encoding(Encoding::Json)
            .value_encoding(Encoding::Connect)
            .header_encoding(Encoding::Bytes)
            .ability(Ability::DeliveryReports)
    }

    fn start(_: &Settings, context: &ConnectorContext) -> Result<Self, Error> {
        context.request_task_reconfiguration();
        Ok(Everything)
    }

    fn validate(config: &Config) -> Result<Vec<ConfigValue>, Error> {
        Ok(config
            .get("bad")
            .map(|value| ConfigValue::error("bad", format!("{value} is bad")))
            .into_iter()
            .collect())
    }
}

struct EverythingTask {
    written: u64,
}

fn schema() -> SchemaRef {
    let field = |name: &str, kind| Field {
        name: name.into(),
        schema: Arc::new(Schema::optional(kind)),
    };
    Arc::new(Schema::new(Kind::Struct(vec![
        field("a", Kind::Int64),
        field("b", Kind::String),
    ])))
}

impl SourceTask for EverythingTask {
    fn start(_: &Settings, _: &SourceContext) -> Result<Self, Error> {
        Ok(EverythingTask { written: 0 })
    }

    fn poll(&mut self, batch: &mut Batch) -> Result<(), Error> {
        let value = Value::Struct(vec![Value::Int64(1), Value::Null]);
        batch.push(
            SourceRecord::new("one", value)
                .value_schema(schema())
                .key(Value::Map(vec![(Value::from("id"), Value::Int64(7))]))
                .header("h", "x")
                .header("h", Value::Null)
                .partition(4)
                .timestamp(1_762_000_000_123)
                .source(&json!({"p": 1}), json!({"o": 2}))
                .boundary(Boundary::Commit),
        )?;
        batch.push(SourceRecord::new("two", Value::Null).value_schema(schema()))?;
        let topic = batch.topic("three")?;
        let text = batch.text_schema()?;
        let mut unfinished = batch.record(topic);
        unfinished.value_text(text, "left out");
        drop(unfinished);
        let partition = batch.source_partition(r#"{"p":2}"#)?;
        let mut record = batch.record(topic);
        record.value_text(text, "a text");
        record.finish(partition, r#"{"o":3}"#)?;
        batch.abort_transaction();
        Ok(())
    }

    fn delivered(&mut self, deliveries: &[Delivery]) -> Result<(), Error> {
        let written = deliveries
            .iter()
            .filter(|delivery| delivery.outcome == Outcome::Written);
        self.written += written.map(|delivery| u64::from(delivery.count)).sum::<u64>();
        metrics::gauge_with("written", &[("by", "task")], self.written as f64);
        Ok(())
    }
}

#[test]
fn records_of_every_kind_reach_the_worker() {
    let mut source = SourceHarness::<Everything>::new([("a", "b")]);
    source.start().unwrap();
    let batch = source.poll().unwrap();
    let [one, two, three] = &batch.records[..] else {
        panic!("{batch:?}")
    };
    assert_eq!(batch.boundary, Boundary::Abort);
    assert_eq!(one.record.key, Value::Map(vec![(Value::from("id"), Value::Int64(7))]));
    assert_eq!(one.record.value, Value::Struct(vec![Value::Int64(1), Value::Null]));
    assert_eq!(one.record.value_schema.as_deref(), Some(&*schema()));
    assert_eq!(one.record.headers.len(), 2);
    assert_eq!(one.record.headers[0].value, Value::Bytes(b"x".to_vec()));
    assert_eq!(one.record.headers[1].value, Value::Null);
    assert_eq!(
        (one.record.partition, one.timestamp),
        (Some(4), Timestamp::Create(1_762_000_000_123))
    );
    assert_eq!(one.source, Some((json!({"p": 1}), json!({"o": 2}))));
    assert_eq!((one.boundary, two.boundary), (Boundary::Commit, Boundary::None));
    assert_eq!((&two.record.value, &two.source), (&Value::Null, &None));
    assert_eq!(two.record.value_schema.as_deref(), Some(&*schema()));
    assert_eq!((three.text(), &*three.record.topic), ("a text".to_string(), "three"));
    assert_eq!(three.source, Some((json!({"p": 2}), json!({"o": 3}))));
}

#[test]
fn a_source_hears_what_became_of_its_records() {
    let mut source = SourceHarness::<Everything>::new([("a", "b")]);
    source.start().unwrap();
    let delivery = |count, outcome| Delivery {
        first: 0,
        count,
        outcome,
    };
    source
        .delivered(&[delivery(2, Outcome::Written), delivery(1, Outcome::Dropped)])
        .unwrap();
    source.committed().unwrap();
    assert_eq!(testing::gauge("written{by=task}"), Some(2.0));
}

#[test]
fn a_source_speaks_of_single_keys() {
    let source = SourceHarness::<Everything>::new([("bad", "worse")]);
    assert_eq!(source.validate().unwrap(), [ConfigValue::error("bad", "worse is bad")]);
}

/// Says what it is told to say.
struct Talkative;

impl SinkConnector for Talkative {
    type Task = TalkativeTask;

    fn plugin() -> Plugin {
        Plugin::new("test.Talkative", "1").value_encoding(Encoding::Json)
    }

    fn start(_: &Settings, _: &ConnectorContext) -> Result<Self, Error> {
        Ok(Talkative)
    }
}

struct TalkativeTask {
    context: SinkContext,
}

impl SinkTask for TalkativeTask {
    fn start(_: &Settings, context: &SinkContext) -> Result<Self, Error> {
        Ok(TalkativeTask { context: *context })
    }

    fn put(&mut self, records: &Records<'_>) -> Result<(), Error> {
        for record in records {
            let place = PartitionOffset::new(
                record.topic(),
                record.partition().unwrap_or(0),
                record.offset().unwrap_or(0),
            );
            let partition = TopicPartition::new(record.topic(), place.partition);
            match record.value()? {
                Value::String(word) if word == "rewind" => self.context.rewind(&[place]),
                Value::String(word) if word == "pause" => self.context.pause(&[partition]),
                Value::String(word) if word == "resume" => self.context.resume(&[partition]),
                Value::String(word) if word == "commit" => self.context.request_commit(),
                Value::String(word) if word == "report" => self.context.report(&[LateFailure {
                    topic: place.topic,
                    partition: place.partition,
                    offset: place.offset,
                    message: "late".to_string(),
                }]),
                Value::String(word) if word == "retry" => return Err(Error::retriable("later").with_retry_after_ms(5)),
                other => record.fail(Error::data(format!("no such word: {other:?}"))),
            }
        }
        caisson_sdk::info!("put {}", records.len(); open = self.context.assignment().len());
        metrics::count("puts", 1);
        Ok(())
    }

    fn pre_commit(&mut self, current: &[PartitionOffset]) -> Result<Option<Vec<PartitionOffset>>, Error> {
        Ok(Some(current[..1].to_vec()))
    }
}

#[test]
fn what_a_sink_asks_for_reaches_the_worker() {
    let mut sink = SinkHarness::<Talkative>::new([("topics", "t")]);
    sink.start().unwrap();
    sink.open(&[TopicPartition::new("t", 0)]).unwrap();
    let words = ["rewind", "pause", "commit", "report", "sing"];
    let records: Vec<_> = words
        .iter()
        .zip(10..)
        .map(|(word, offset)| SinkRecord::new("t", 0, offset, *word))
        .collect();
    let failures = sink.put(&records).unwrap();
    assert_eq!(
        (failures.len(), failures[0].index, failures[0].kind),
        (1, 4, ErrorKind::Data)
    );
    assert_eq!(sink.rewound(), [PartitionOffset::new("t", 0, 10)]);
    assert_eq!(sink.paused(), [TopicPartition::new("t", 0)]);
    assert_eq!(sink.commits_requested(), 1);
    assert_eq!(sink.reported()[0].offset, 13);
    let lines = testing::logged();
    assert_eq!((lines[0].level, &*lines[0].message), (Level::Info, "put 5"));
    assert_eq!(lines[0].fields, [("open".to_string(), "1".to_string())]);
    assert_eq!(testing::counter("puts"), 1);
    let error = sink.put(&[SinkRecord::new("t", 0, 20, "retry")]).unwrap_err();
    assert_eq!((error.kind, error.retry_after_ms), (ErrorKind::Retriable, Some(5)));
    let current = [PartitionOffset::new("t", 0, 15), PartitionOffset::new("t", 1, 3)];
    assert_eq!(sink.pre_commit(&current).unwrap(), Some(vec![current[0].clone()]));
}

#[test]
fn bytes_that_are_no_frame_are_refused() {
    let mut sink = SinkHarness::<Talkative>::new([("topics", "t")]);
    sink.start().unwrap();
    for frame in [&b"CSN\x02"[..], b"x", &[0; 200]] {
        assert_eq!(sink.put_frame(frame).unwrap_err().kind, ErrorKind::Fatal);
    }
    assert_eq!(sink.put_frame(b"").unwrap(), []);
}

//! The generator.

#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use caisson_datagen::DatagenSource;
use caisson_sdk::prelude::*;
use caisson_sdk::testing::SourceHarness;
use caisson_sequence::{Sequenced, Stream, read};

fn source(config: &[(&str, &str)]) -> SourceHarness<DatagenSource> {
    SourceHarness::new([("topic", "t")].into_iter().chain(config.iter().copied()))
}

fn poll(config: &[(&str, &str)]) -> Vec<SourceRecord> {
    let mut source = source(config);
    source.start().unwrap();
    source.poll().unwrap().records
}

#[test]
fn bytes_are_the_same_bytes_again_and_again() {
    let records = poll(&[("record.bytes", "30"), ("batch.records", "3")]);
    assert_eq!(records.len(), 3);
    for (index, record) in records.iter().enumerate() {
        assert_eq!(record.record.value, Value::Bytes(vec![b'x'; 30]));
        assert_eq!(
            (&*record.record.topic, record.record.partition, &record.record.key),
            ("t", None, &Value::Null)
        );
        assert_eq!(record.source, Some((json!({"task": "0"}), json!({"count": index + 1}))));
    }
}

#[test]
fn a_struct_has_the_fields_of_the_benchmarks_records() {
    let records = poll(&[("format", "struct"), ("record.bytes", "200"), ("batch.records", "2")]);
    let schema = records[1].record.value_schema.clone().unwrap();
    assert_eq!(schema.name.as_deref(), Some("bench.Record"));
    let names: Vec<_> = schema.fields().iter().map(|field| &*field.name).collect();
    assert_eq!(names, ["id", "user", "ts", "amount", "card", "ok", "f00", "f01"]);
    let filler = || Value::from("abcdefghijklmnopqrstuvwxyz01234567890123");
    let expected = vec![
        Value::Int64(100_000_002),
        Value::from("u-000001"),
        Value::Int64(1_700_000_000_002),
        Value::Float64(19.75),
        Value::from("4111111111111111"),
        Value::Boolean(true),
        filler(),
        filler(),
    ];
    assert_eq!(records[1].record.value, Value::Struct(expected));
}

#[test]
fn a_struct_of_1_kilobyte_has_19_fillers() {
    let records = poll(&[("format", "struct"), ("record.bytes", "1024"), ("batch.records", "1")]);
    assert_eq!(records[0].record.value_schema.as_ref().unwrap().fields().len(), 6 + 19);
}

#[test]
fn a_timestamp_is_filled_up_with_spaces() {
    let records = poll(&[("format", "timestamp"), ("record.bytes", "24"), ("batch.records", "1")]);
    let text = records[0].text();
    assert_eq!(text.len(), 24);
    assert!(text.trim_end().parse::<u64>().unwrap() > 1_700_000_000_000_000);
}

#[test]
fn sequences_count_in_each_partition() {
    let records = poll(&[
        ("format", "sequence"),
        ("partitions", "3"),
        ("batch.records", "7"),
        ("seed", "5"),
    ]);
    let numbers: Vec<_> = records
        .iter()
        .map(|record| {
            let Value::Bytes(bytes) = &record.record.value else {
                panic!("{record:?}")
            };
            let Sequenced { stream, sequence } = read(bytes).unwrap();
            assert_eq!(
                stream,
                Stream {
                    seed: 5,
                    task: 0,
                    partition: record.record.partition.unwrap()
                }
            );
            (stream.partition, sequence)
        })
        .collect();
    assert_eq!(numbers, [(0, 1), (1, 1), (2, 1), (0, 2), (1, 2), (2, 2), (0, 3)]);
}

#[test]
fn a_source_goes_on_after_its_offset_up_to_its_most() {
    let config = [("format", "sequence"), ("max.records", "12"), ("batch.records", "5")];
    let mut source = source(&config).offset(json!({"task": "0"}), json!({"count": 9}));
    source.start().unwrap();
    let records = source.poll().unwrap().records;
    let numbers: Vec<_> = records
        .iter()
        .map(|record| read(record.text().as_bytes()).unwrap().sequence)
        .collect();
    assert_eq!(numbers, [10, 11, 12]);
    assert!(source.poll().unwrap().records.is_empty());
}

#[test]
fn each_task_has_its_number() {
    let configs = source(&[]).task_configs(3).unwrap();
    let numbers: Vec<_> = configs.iter().map(|config| config.get("task").unwrap()).collect();
    assert_eq!(numbers, ["0", "1", "2"]);
}

#[test]
fn a_rate_is_kept() {
    let mut source = source(&[("rate", "1000")]).max_wait(Duration::from_millis(50));
    source.start().unwrap();
    let begin = Instant::now();
    let mut count = 0;
    while begin.elapsed() < Duration::from_millis(200) {
        count += source.poll().unwrap().records.len();
    }
    let owed = begin.elapsed().as_millis() as usize;
    assert!(count <= owed && count + 100 >= owed, "{count} of {owed}");
}

#[test]
fn a_rate_of_none_waits_without_records() {
    let mut source = source(&[("rate", "0")]);
    source.start().unwrap();
    let begin = Instant::now();
    assert!(source.poll().unwrap().records.is_empty());
    assert!(begin.elapsed() >= Duration::from_millis(10));
}

#[test]
fn a_batch_ends_when_it_has_its_bytes() {
    let mut source = source(&[("record.bytes", "1000")]).max_bytes(10_000);
    source.start().unwrap();
    let first = source.poll().unwrap().records;
    assert!((9..=11).contains(&first.len()), "{}", first.len());
    let second = source.poll().unwrap().records;
    assert_eq!(second[0].source.as_ref().unwrap().1, json!({"count": first.len() + 1}));
}

#[test]
fn settings_out_of_range_are_refused() {
    for (key, value) in [
        ("record.bytes", "19"),
        ("batch.records", "0"),
        ("format", "avro"),
        ("rate", "fast"),
    ] {
        let error = source(&[(key, value)]).start().unwrap_err();
        assert_eq!(error.kind, ErrorKind::Config);
        assert!(error.message.contains(key) && error.message.contains(value), "{error}");
    }
}

#[test]
fn an_offset_that_is_no_count_is_refused() {
    let mut source = source(&[]).offset(json!({"task": "0"}), json!({"count": "many"}));
    assert!(source.start().unwrap_err().message.contains("is not a count"));
}

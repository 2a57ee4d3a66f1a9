//! The file source against what Kafka Connect's does.

#![allow(clippy::unwrap_used)]

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use caisson_file::{CaissonModule, FileStreamSource};
use caisson_sdk::prelude::*;
use caisson_sdk::testing::{self, SourceHarness};
use tempfile::TempDir;

struct Fixture {
    _directory: TempDir,
    path: PathBuf,
}

impl Fixture {
    fn new(text: impl AsRef<[u8]>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("in.txt");
        fs::write(&path, text).unwrap();
        Fixture {
            _directory: directory,
            path,
        }
    }

    fn append(&self, text: &str) {
        OpenOptions::new()
            .append(true)
            .open(&self.path)
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
    }

    fn name(&self) -> &str {
        self.path.to_str().unwrap()
    }

    fn partition(&self) -> Json {
        json!({"filename": self.name()})
    }

    fn source(&self) -> SourceHarness<FileStreamSource> {
        source(&self.path, &[])
    }
}

fn source(path: &Path, more: &[(&str, &str)]) -> SourceHarness<FileStreamSource> {
    let config = [("file", path.to_str().unwrap()), ("topic", "lines")];
    SourceHarness::new(config.into_iter().chain(more.iter().copied()))
}

/// Texts and positions of records.
fn read(records: Vec<SourceRecord>) -> Vec<(String, u64)> {
    let one = |record: SourceRecord| (record.text(), record.source.unwrap().1["position"].as_u64().unwrap());
    records.into_iter().map(one).collect()
}

fn warnings() -> usize {
    testing::logged()
        .iter()
        .filter(|line| line.level == caisson_sdk::log::Level::Warn)
        .count()
}

#[test]
fn each_line_becomes_a_record_with_its_position() {
    let file = Fixture::new("one\ntwo\r\nzwei äöü\n");
    let mut source = file.source();
    source.start().unwrap();
    let records = source.poll().unwrap().records;
    let first = &records[0];
    assert_eq!(&*first.record.topic, "lines");
    assert_eq!(first.record.value, Value::from("one"));
    assert_eq!(first.record.value_schema.as_deref(), Some(&Schema::new(Kind::String)));
    assert_eq!((&first.record.key, &first.record.key_schema), (&Value::Null, &None));
    assert_eq!((first.timestamp, first.record.partition), (Timestamp::Arrival, None));
    assert_eq!(first.source.as_ref().unwrap().0, file.partition());
    assert_eq!(
        read(records),
        [("one".into(), 4), ("two".into(), 9), ("zwei äöü".into(), 18)]
    );
}

#[test]
fn lines_arrive_as_they_are_completed() {
    let file = Fixture::new("one\ntw");
    let mut source = file.source();
    source.start().unwrap();
    assert_eq!(source.poll().unwrap().texts(), ["one"]);
    assert!(source.poll().unwrap().records.is_empty());
    file.append("o\nthree\r\nfo");
    assert_eq!(source.poll().unwrap().texts(), ["two", "three"]);
    file.append("ur\n");
    assert_eq!(source.poll().unwrap().texts(), ["four"]);
}

#[test]
fn a_source_goes_on_after_its_offset() {
    let file = Fixture::new("ä\n\u{1f600}\nc\n");
    for (position, expected) in [
        (0, vec!["ä", "\u{1f600}", "c"]),
        (2, vec!["\u{1f600}", "c"]),
        (5, vec!["c"]),
        (7, vec![]),
    ] {
        let mut source = file.source().offset(file.partition(), json!({"position": position}));
        source.start().unwrap();
        assert_eq!(source.poll().unwrap().texts(), expected, "from {position}");
    }
}

#[test]
fn a_batch_has_as_many_lines_as_its_size() {
    let file = Fixture::new("1\n2\n3\n4\n5\n");
    let mut source = source(&file.path, &[("batch.size", "2")]);
    source.start().unwrap();
    assert_eq!(source.poll().unwrap().texts(), ["1", "2"]);
    assert_eq!(source.poll().unwrap().texts(), ["3", "4"]);
    assert_eq!(source.poll().unwrap().texts(), ["5"]);
}

#[test]
fn a_batch_ends_when_it_has_its_bytes() {
    let file = Fixture::new("x".repeat(999).add_line().repeat(100));
    let mut source = file.source().max_bytes(10_000);
    source.start().unwrap();
    let batch = source.poll().unwrap();
    assert!((8..=11).contains(&batch.records.len()), "{}", batch.records.len());
    let rest = source.poll_until(100 - batch.records.len()).unwrap();
    assert_eq!(
        rest.last().unwrap().source.as_ref().unwrap().1,
        json!({"position": 100_000})
    );
}

trait AddLine {
    fn add_line(self) -> String;
}

impl AddLine for String {
    fn add_line(mut self) -> String {
        self.push('\n');
        self
    }
}

#[test]
fn many_lines_come_complete_and_in_order() {
    let lines: Vec<String> = (0..50_000)
        .map(|number| format!("line {number} {}", "ö".repeat(number % 50)))
        .collect();
    let file = Fixture::new(lines.join("\r\n").add_line());
    let mut source = file.source();
    source.start().unwrap();
    let records = source.poll_until(lines.len()).unwrap();
    assert!(records.iter().map(SourceRecord::text).eq(lines));
}

#[test]
fn a_line_of_20_megabytes_is_a_record() {
    let file = Fixture::new(format!("first\n{}\nlast\n", "x".repeat(20 << 20)));
    let mut source = file.source();
    source.start().unwrap();
    let records = source.poll_until(3).unwrap();
    assert_eq!(records[1].text().len(), 20 << 20);
    assert_eq!(records[2].text(), "last");
    assert_eq!(
        records[2].source.as_ref().unwrap().1,
        json!({"position": 6 + (20 << 20) + 1 + 5})
    );
}

#[test]
fn a_missing_file_is_waited_for_and_said_once() {
    let file = Fixture::new("");
    fs::remove_file(&file.path).unwrap();
    let mut source = file.source();
    source.start().unwrap();
    for _ in 0..3 {
        assert!(source.poll().unwrap().records.is_empty());
    }
    assert_eq!(warnings(), 1);
    assert!(testing::logged().iter().any(|line| line.message.contains(file.name())));
    File::create(&file.path).unwrap().write_all(b"here\n").unwrap();
    assert_eq!(source.poll().unwrap().texts(), ["here"]);
}

#[test]
fn a_truncated_file_is_waited_for_and_said_once() {
    let file = Fixture::new("one\ntwo\n");
    let mut source = file.source();
    source.start().unwrap();
    assert_eq!(source.poll().unwrap().texts(), ["one", "two"]);
    OpenOptions::new().write(true).truncate(true).open(&file.path).unwrap();
    file.append("1\n");
    for _ in 0..3 {
        assert!(source.poll().unwrap().records.is_empty());
    }
    assert_eq!(warnings(), 1);
    file.append("2345678\nnew\n");
    // Position 8 lies inside the second line now, as it does for Kafka Connect.
    assert_eq!(source.poll().unwrap().texts(), ["8", "new"]);
}

#[test]
fn an_offset_behind_the_end_is_waited_for() {
    let file = Fixture::new("one\n");
    let mut source = file.source().offset(file.partition(), json!({"position": 8}));
    source.start().unwrap();
    assert!(source.poll().unwrap().records.is_empty());
    assert_eq!(warnings(), 1);
    file.append("two\nthree\n");
    assert_eq!(read(source.poll().unwrap().records), [("three".into(), 14)]);
}

#[test]
fn a_directory_is_refused_with_its_name_and_the_remedy() {
    let directory = tempfile::tempdir().unwrap();
    let mut source = source(directory.path(), &[]);
    source.start().unwrap();
    let error = source.poll().unwrap_err();
    assert_eq!(error.kind, ErrorKind::Fatal);
    assert!(error.message.contains(directory.path().to_str().unwrap()), "{error}");
    assert!(
        error.message.contains("is a directory: set the configuration 'file'"),
        "{error}"
    );
}

#[test]
fn bytes_that_are_not_utf_8_are_replaced() {
    let file = Fixture::new(b"a\xffb\nok\n");
    let mut source = file.source();
    source.start().unwrap();
    assert_eq!(source.poll().unwrap().texts(), ["a\u{fffd}b", "ok"]);
}

#[test]
fn an_offset_of_the_wrong_type_is_refused() {
    let file = Fixture::new("one\n");
    let mut source = file.source().offset(file.partition(), json!({"position": "4"}));
    assert_eq!(
        source.start().unwrap_err().message,
        "Offset position is the incorrect type"
    );
}

#[test]
fn a_missing_topic_and_a_bad_size_are_refused() {
    let start = |config: &[(&str, &str)]| {
        SourceHarness::<FileStreamSource>::new(config.iter().copied())
            .start()
            .unwrap_err()
    };
    assert_eq!(
        start(&[("file", "f")]).message,
        "Missing required configuration \"topic\" which has no default value."
    );
    assert_eq!(
        start(&[("topic", "t"), ("batch.size", "x")]).message,
        "Invalid value x for configuration batch.size: Not a number of type INT"
    );
}

#[test]
fn there_is_one_task_with_the_connectors_configuration() {
    let file = Fixture::new("");
    let configs = file.source().task_configs(4).unwrap();
    assert_eq!(configs.len(), 1);
    assert_eq!(configs[0].get("file"), Some(file.name()));
}

#[test]
fn exactly_once_needs_a_file() {
    let support = |file: &str| {
        SourceHarness::<FileStreamSource>::new([("file", file), ("topic", "t")])
            .exactly_once()
            .unwrap()
    };
    assert_eq!(support("a"), ExactlyOnce::Supported);
    assert_eq!(support(""), ExactlyOnce::Unsupported);
}

#[test]
fn new_offsets_are_checked() {
    let alter = |file: &str, partition: Json, offset: Option<Json>| {
        let source = SourceHarness::<FileStreamSource>::new([("file", file), ("topic", "t")]);
        source
            .alter_offsets(&[SourceOffsetChange { partition, offset }])
            .map_err(|error| error.message)
    };
    let name = || json!({"filename": "a"});
    let refused = |text: &str| Err(text.to_string());
    assert_eq!(alter("a", name(), Some(json!({"position": 1}))), Ok(true));
    assert_eq!(
        alter("a", json!({"filename": 5}), Some(json!({"position": 1}))),
        Ok(true)
    );
    assert_eq!(alter("a", json!({"x": "a"}), None), Ok(true));
    let no_position = "Offset objects should either be null or contain the key 'position'";
    assert_eq!(alter("a", name(), Some(json!({}))), refused(no_position));
    let not_long = "The value for the 'position' key in the offset is expected to be a Long value";
    assert_eq!(alter("a", name(), Some(json!({"position": "1"}))), refused(not_long));
    let negative = "The value for the 'position' key in the offset should be a non-negative value";
    assert_eq!(alter("a", name(), Some(json!({"position": -1}))), refused(negative));
    let no_name = "Partition objects should contain the key 'filename'";
    assert_eq!(alter("a", json!({}), Some(json!({"position": 1}))), refused(no_name));
    assert!(
        alter("", name(), None)
            .unwrap_err()
            .starts_with("Offsets cannot be modified if the 'file'")
    );
}

#[test]
fn the_manifest_has_kafka_connects_names_and_keys() {
    let manifest = testing::manifest::<CaissonModule>();
    let source = manifest.plugin("FileStreamSource").unwrap();
    assert_eq!(source.class, "org.apache.kafka.connect.file.FileStreamSourceConnector");
    assert_eq!(
        source.keys.iter().map(|key| &*key.name).collect::<Vec<_>>(),
        ["file", "topic", "batch.size"]
    );
    assert_eq!(source.grants.read, ["${file}", "-"]);
    let sink = manifest.plugin("FileStreamSinkConnector").unwrap();
    assert_eq!(sink.class, "org.apache.kafka.connect.file.FileStreamSinkConnector");
    assert_eq!(sink.grants.write, ["${file}", "-"]);
}

//! The file sink against what Kafka Connect's does.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use caisson_file::FileStreamSink;
use caisson_sdk::api::schema::Field;
use caisson_sdk::prelude::*;
use caisson_sdk::sink::SinkRecord;
use caisson_sdk::testing::SinkHarness;

fn sink(path: &Path) -> SinkHarness<FileStreamSink> {
    SinkHarness::new([("file", path.to_str().unwrap()), ("topics", "t"), ("tasks.max", "1")])
}

fn record(offset: i64, value: impl Into<Value>) -> SinkRecord {
    SinkRecord::new("t", 0, offset, value)
}

/// The lines that values become.
fn check(records: Vec<SinkRecord>, expected: &str) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out.txt");
    let mut sink = sink(&path);
    sink.start().unwrap();
    assert_eq!(sink.put(&records).unwrap(), []);
    assert_eq!(sink.pre_commit(&[]).unwrap(), None);
    assert_eq!(fs::read_to_string(path).unwrap(), expected);
}

#[test]
fn values_become_lines() {
    let text = Arc::new(Schema::new(Kind::String));
    check(
        vec![
            record(0, "one").value_schema(text.clone()),
            record(1, "zwei äöü").value_schema(text.clone()),
            record(2, "with\nbreak").value_schema(text),
            record(3, Value::Null),
        ],
        "one\nzwei äöü\nwith\nbreak\nnull\n",
    );
}

#[test]
fn values_without_a_schema_look_as_java_prints_them() {
    let list = Value::Array(vec![Value::Int64(1), Value::Int64(2)]);
    let map = Value::Map(vec![(
        Value::from("a"),
        Value::Map(vec![(Value::from("b"), Value::Null)]),
    )]);
    check(
        vec![
            record(0, "text"),
            record(1, 1i64),
            record(2, -2.5),
            record(3, true),
            record(4, list),
            record(5, map),
            record(6, 1e21),
        ],
        "text\n1\n-2.5\ntrue\n[1, 2]\n{a={b=null}}\n1.0E21\n",
    );
}

#[test]
fn structs_look_as_java_prints_them() {
    let field = |name: &str, kind| Field {
        name: name.into(),
        schema: Arc::new(Schema::optional(kind)),
    };
    let schema = Arc::new(Schema::new(Kind::Struct(vec![
        field("a", Kind::Int64),
        field("b", Kind::String),
    ])));
    let row = |a: Value, b: &str| Value::Struct(vec![a, Value::from(b)]);
    check(
        vec![
            record(0, row(Value::Int64(1), "x")).value_schema(schema.clone()),
            record(1, row(Value::Null, "y")).value_schema(schema),
        ],
        "Struct{a=1,b=x}\nStruct{b=y}\n",
    );
}

#[test]
fn a_sink_appends_to_what_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out.txt");
    fs::write(&path, "there\n").unwrap();
    for value in ["a", "b"] {
        let mut sink = sink(&path);
        sink.start().unwrap();
        sink.put(&[record(0, value)]).unwrap();
        sink.stop();
    }
    assert_eq!(fs::read_to_string(path).unwrap(), "there\na\nb\n");
}

#[test]
fn as_many_tasks_as_are_wanted_get_the_configuration() {
    let configs = sink(Path::new("out.txt")).task_configs(3).unwrap();
    assert_eq!(configs.len(), 3);
    assert_eq!(configs[2].get("file"), Some("out.txt"));
}

#[test]
fn a_directory_and_a_missing_parent_are_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let error = sink(directory.path()).start().unwrap_err();
    assert_eq!(error.kind, ErrorKind::Fatal);
    assert!(
        error.message.contains("is a directory: set the configuration 'file'"),
        "{error}"
    );
    let missing = directory.path().join("no/such/out.txt");
    let error = sink(&missing).start().unwrap_err();
    let expected = format!(
        "Couldn't find or create file '{}' for FileStreamSinkTask",
        missing.display()
    );
    assert!(error.message.starts_with(&expected), "{error}");
}

/// `/dev/full` takes nothing, as a full disk does.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_a_retriable_error_and_nothing_is_committed() {
    let mut sink = sink(Path::new("/dev/full"));
    sink.start().unwrap();
    for _ in 0..2 {
        let error = sink.put(&[record(0, "a")]).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Retriable);
        assert!(
            error.message.contains("/dev/full") && error.message.contains("2 bytes wait"),
            "{error}"
        );
    }
    let current = [PartitionOffset::new("t", 0, 1)];
    assert_eq!(sink.pre_commit(&current).unwrap(), Some(vec![]));
}

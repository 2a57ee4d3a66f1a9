//! The converter of pairs in each column, among what it has to leave alone.

#![allow(clippy::unwrap_used)]

use caisson_example_transform::PairsConverter;
use caisson_sdk::prelude::*;
use caisson_sdk::sink::SinkRecord;
use caisson_sdk::testing::ConverterHarness;

fn record(offset: i64, value: &[u8]) -> SinkRecord {
    let mut record = SinkRecord::new("t", 0, offset, Value::Bytes(value.to_vec())).key(Value::Bytes(b"key".to_vec()));
    record.record.headers.push(Header {
        name: "h".into(),
        schema: None,
        value: Value::Bytes(b"x=1".to_vec()),
    });
    record
}

fn map(pairs: &[(&str, &str)]) -> Value {
    let pair = |(name, value): &(&str, &str)| (Value::from(*name), Value::from(*value));
    Value::Map(pairs.iter().map(pair).collect())
}

#[test]
fn values_become_maps_and_what_is_no_pair_fails_alone() {
    let mut converter = ConverterHarness::<PairsConverter>::start(Column::Value, [("separator", "&")]).unwrap();
    let given = [record(1, b"a=1&b=2"), record(2, b"none"), record(3, b"c=")];
    let (records, failures) = converter.deserialize(&given).unwrap();
    assert_eq!(failures.len(), 1);
    assert_eq!((failures[0].index, failures[0].kind), (1, ErrorKind::Data));
    assert_eq!(records[0].record.value, map(&[("a", "1"), ("b", "2")]));
    assert_eq!(records[1].record.value, map(&[("c", "")]));
    assert_eq!(records[1].offset, Some(3));
    assert_eq!(records[0].record.key, given[0].record.key);
    assert_eq!(records[0].record.headers, given[0].record.headers);
}

#[test]
fn maps_and_structs_become_texts() {
    let none: [(&str, &str); 0] = [];
    let mut converter = ConverterHarness::<PairsConverter>::start(Column::Value, none).unwrap();
    let mut given = record(1, b"");
    given.record.value = map(&[("a", "1"), ("b", "2")]);
    let (records, failures) = converter.serialize(&[given]).unwrap();
    assert!(failures.is_empty());
    assert_eq!(records[0].record.value, Value::Bytes(b"a=1&b=2".to_vec()));
}

#[test]
fn headers_are_converted_one_by_one() {
    let none: [(&str, &str); 0] = [];
    let mut converter = ConverterHarness::<PairsConverter>::start(Column::Headers, none).unwrap();
    let (records, _) = converter.deserialize(&[record(1, b"left")]).unwrap();
    assert_eq!(records[0].record.headers[0].value, map(&[("x", "1")]));
    assert_eq!(records[0].record.value, Value::Bytes(b"left".to_vec()));
}

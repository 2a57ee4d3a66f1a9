//! What the verifying sink finds.

#![allow(clippy::unwrap_used)]

use caisson_discard::{CaissonModule, DiscardSink};
use caisson_sdk::prelude::*;
use caisson_sdk::sink::SinkRecord;
use caisson_sdk::testing::{self, SinkHarness};
use caisson_sequence::{Sequenced, Stream, write};

fn value(partition: i32, sequence: u64) -> Vec<u8> {
    let mut value = Vec::new();
    write(
        Sequenced {
            stream: Stream {
                seed: 1,
                task: 0,
                partition,
            },
            sequence,
        },
        120,
        &mut value,
    );
    value
}

/// Sums and missing numbers after records of one partition whose stream has these numbers.
fn check(first_offset: i64, numbers: &[u64], [missing, repeated, reordered]: [u64; 3]) {
    let records: Vec<_> = numbers
        .iter()
        .enumerate()
        .map(|(index, number)| SinkRecord::new("t", 0, first_offset + index as i64, value(0, *number)))
        .collect();
    let mut sink = SinkHarness::<DiscardSink>::new([("verify", "sequence")]);
    sink.start().unwrap();
    assert_eq!(sink.put(&records).unwrap(), []);
    assert_eq!(sink.pre_commit(&[]).unwrap(), None);
    assert_eq!(
        testing::gauge("discard.missing"),
        Some(missing as f64),
        "missing of {numbers:?}"
    );
    assert_eq!(
        testing::counter("discard.repeated"),
        repeated,
        "repeated of {numbers:?}"
    );
    assert_eq!(
        testing::counter("discard.reordered"),
        reordered,
        "reordered of {numbers:?}"
    );
    assert_eq!(testing::counter("discard.records"), numbers.len() as u64);
    assert_eq!(testing::counter("discard.corrupt"), 0);
}

#[test]
fn a_whole_stream_is_good() {
    check(0, &[1, 2, 3, 4], [0, 0, 0]);
}

#[test]
fn a_gap_is_found() {
    check(0, &[1, 2, 5, 6], [2, 0, 0]);
    check(0, &[3], [2, 0, 0]);
}

#[test]
fn a_stream_may_begin_anywhere_if_the_partition_is_not_read_from_its_start() {
    check(77, &[3, 4, 5], [0, 0, 0]);
    check(77, &[3, 5], [1, 0, 0]);
}

#[test]
fn repeats_and_order_are_told_apart() {
    check(0, &[1, 2, 3, 2, 3, 4], [0, 2, 0]);
    check(0, &[1, 3, 2, 4], [0, 0, 1]);
    check(0, &[1, 5, 3, 2, 4, 3], [0, 1, 3]);
}

#[test]
fn records_of_others_and_changed_ones_are_corrupt() {
    let mut changed = value(0, 2);
    changed[90] ^= 4;
    let mut sink = SinkHarness::<DiscardSink>::new([("verify", "sequence")]);
    sink.start().unwrap();
    let records = [
        SinkRecord::new("t", 0, 0, changed),
        SinkRecord::new("t", 0, 1, "x"),
        SinkRecord::new("t", 0, 2, Value::Null),
    ];
    sink.put(&records).unwrap();
    sink.stop();
    assert_eq!(testing::counter("discard.corrupt"), 3);
}

#[test]
fn streams_without_a_partition_are_followed_across_partitions() {
    let mut sink = SinkHarness::<DiscardSink>::new([("verify", "sequence")]);
    sink.start().unwrap();
    sink.put(&[
        SinkRecord::new("t", 0, 0, value(-1, 2)),
        SinkRecord::new("t", 0, 1, value(-1, 4)),
    ])
    .unwrap();
    sink.pre_commit(&[]).unwrap();
    assert_eq!(testing::gauge("discard.missing"), Some(2.0));
    sink.put(&[
        SinkRecord::new("t", 1, 0, value(-1, 1)),
        SinkRecord::new("t", 1, 1, value(-1, 3)),
    ])
    .unwrap();
    sink.pre_commit(&[]).unwrap();
    assert_eq!(testing::gauge("discard.missing"), Some(0.0));
    assert_eq!(testing::counter("discard.reordered"), 0);
}

#[test]
fn without_verify_anything_goes() {
    let mut sink = SinkHarness::<DiscardSink>::new([("topics", "t")]);
    sink.start().unwrap();
    sink.put(&[SinkRecord::new("t", 0, 0, "x")]).unwrap();
    sink.put(&[]).unwrap();
    sink.stop();
    assert_eq!(testing::counter("discard.records"), 1);
    assert!(testing::logged().is_empty());
}

#[test]
fn an_unknown_mode_is_refused() {
    let error = SinkHarness::<DiscardSink>::new([("verify", "all")])
        .start()
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Config);
    assert!(error.message.contains("verify"), "{error}");
}

#[test]
fn the_manifest_has_the_names_of_the_benchmark() {
    let manifest = testing::manifest::<CaissonModule>();
    assert_eq!(manifest.plugins.len(), 1);
    assert!(manifest.plugin("DiscardSink").is_some());
}

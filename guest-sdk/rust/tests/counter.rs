//! The example that the README shows, run by the harness.

#![allow(clippy::unwrap_used, dead_code, unreachable_pub, missing_docs)]

use caisson_sdk::testing::{self, SourceHarness};

include!("../examples/counter.rs");

#[test]
fn the_example_counts_and_goes_on_where_it_stopped() {
    let config = [("topic", "numbers"), ("interval.ms", "0")];
    let mut source = SourceHarness::<CounterSource>::new(config);
    source.start().unwrap();
    assert_eq!(source.poll().unwrap().texts(), ["number 1"]);
    let stored = json!({"count": 41});
    let mut source = SourceHarness::<CounterSource>::new(config).offset(json!({"counter": "main"}), stored);
    source.start().unwrap();
    let records = source.poll().unwrap().records;
    assert_eq!(records[0].text(), "number 42");
    assert_eq!(
        records[0].source,
        Some((json!({"counter": "main"}), json!({"count": 42})))
    );
}

#[test]
fn the_example_offers_one_source() {
    let manifest = testing::manifest::<CaissonModule>();
    assert_eq!(manifest.plugins.len(), 1);
    assert_eq!(manifest.plugins[0].class, "example.CounterSource");
}

#[test]
fn the_example_is_about_40_lines() {
    let lines = include_str!("../examples/counter.rs")
        .lines()
        .filter(|line| !line.trim().is_empty())
        .count();
    assert!(lines <= 45, "{lines} lines");
}

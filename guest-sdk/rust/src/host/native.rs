//! The worker's side as the harness plays it: one state per thread, so that tests running at once do not meet.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use caisson_api::Error;

use crate::log::Level;
mod keystore;
mod net;
pub(crate) use keystore::{certificates, identity};
pub(crate) use net::{Connection, keep_idle, use_tls};

use crate::sink::{LateFailure, PartitionOffset, TopicPartition};

/// A line that a plugin wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    pub level: Level,
    pub message: String,
    pub fields: Vec<(String, String)>,
}

/// What the plugins of this thread have said, and what they are told.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub lines: Vec<LogLine>,
    /// By name and labels in the form `name{label=value,...}`.
    pub counters: BTreeMap<String, u64>,
    pub gauges: BTreeMap<String, f64>,
    pub reconfigurations: u32,
    pub raised: Vec<String>,
    /// Offsets by source partition, both as JSON text in the form that serde_json gives them.
    pub offsets: BTreeMap<String, String>,
    pub assignment: Vec<TopicPartition>,
    pub rewound: Vec<PartitionOffset>,
    pub paused: Vec<TopicPartition>,
    pub commits_requested: u32,
    pub timeout: Option<Duration>,
    pub late_failures: Vec<LateFailure>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::new(State::default());
}

pub(crate) fn with<R>(run: impl FnOnce(&mut State) -> R) -> R {
    STATE.with(|state| run(&mut state.borrow_mut()))
}

/// The text under which an offset is kept: members in the order of their names, no spaces.
pub(crate) fn canonical(json: &str) -> String {
    fn sort(value: serde_json::Value) -> serde_json::Value {
        match value {
            serde_json::Value::Object(members) => {
                let sorted: BTreeMap<_, _> = members.into_iter().map(|(name, value)| (name, sort(value))).collect();
                serde_json::Value::Object(sorted.into_iter().collect())
            }
            serde_json::Value::Array(items) => serde_json::Value::Array(items.into_iter().map(sort).collect()),
            other => other,
        }
    }
    serde_json::from_str(json)
        .map(|value| sort(value).to_string())
        .unwrap_or_else(|_| json.to_string())
}

fn series(name: &str, labels: &[(&str, &str)]) -> String {
    if labels.is_empty() {
        return name.to_string();
    }
    let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{name}{{{}}}", labels.join(","))
}

pub(crate) fn log_enabled(_: Level) -> bool {
    true
}

pub(crate) fn log_write(level: Level, message: String, fields: Vec<(String, String)>) {
    // On standard error too: a failing test then shows what the plugin said.
    eprintln!("{level:?} {message} {fields:?}");
    with(|state| state.lines.push(LogLine { level, message, fields }));
}

pub(crate) fn metrics_add(name: &str, labels: &[(&str, &str)], by: u64) {
    with(|state| *state.counters.entry(series(name, labels)).or_default() += by);
}

pub(crate) fn metrics_set(name: &str, labels: &[(&str, &str)], value: f64) {
    with(|state| state.gauges.insert(series(name, labels), value));
}

pub(crate) fn request_task_reconfiguration() {
    with(|state| state.reconfigurations += 1);
}

pub(crate) fn raise_error(message: &str, _detail: Option<&str>) {
    with(|state| state.raised.push(message.to_string()));
}

pub(crate) fn offsets_get(partitions: &[String]) -> Result<Vec<Option<String>>, Error> {
    Ok(with(|state| {
        partitions
            .iter()
            .map(|each| state.offsets.get(&canonical(each)).cloned())
            .collect()
    }))
}

pub(crate) fn assignment() -> Vec<TopicPartition> {
    with(|state| state.assignment.clone())
}

pub(crate) fn rewind(to: &[PartitionOffset]) {
    with(|state| state.rewound.extend_from_slice(to));
}

pub(crate) fn pause(partitions: &[TopicPartition]) {
    with(|state| state.paused.extend_from_slice(partitions));
}

pub(crate) fn resume(partitions: &[TopicPartition]) {
    with(|state| state.paused.retain(|paused| !partitions.contains(paused)));
}

pub(crate) fn request_commit() {
    with(|state| state.commits_requested += 1);
}

pub(crate) fn timeout(within: Duration) {
    with(|state| state.timeout = Some(state.timeout.map_or(within, |known| known.min(within))));
}

pub(crate) fn report(failures: &[LateFailure]) {
    with(|state| state.late_failures.extend_from_slice(failures));
}

//! The imports of the component.

use std::time::Duration;

use caisson_api::{Error, ErrorKind};

use crate::glue::bindings::connect::{connector_context, log, metrics, offsets, sink_context, types};
use crate::log::Level;
mod keystore;
mod net;
pub(crate) use keystore::{certificates, identity};
pub(crate) use net::{Connection, keep_idle, use_tls};

use crate::sink::{LateFailure, PartitionOffset, TopicPartition};

fn level(level: Level) -> log::Level {
    match level {
        Level::Trace => log::Level::Trace,
        Level::Debug => log::Level::Debug,
        Level::Info => log::Level::Info,
        Level::Warn => log::Level::Warn,
        Level::Error => log::Level::Error,
    }
}

fn labels(labels: &[(&str, &str)]) -> Vec<(String, String)> {
    labels
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect()
}

pub(crate) fn log_enabled(of: Level) -> bool {
    log::enabled(level(of))
}

pub(crate) fn log_write(of: Level, message: String, fields: Vec<(String, String)>) {
    log::write(level(of), &message, &fields);
}

pub(crate) fn metrics_add(name: &str, with: &[(&str, &str)], by: u64) {
    metrics::add(name, &labels(with), by);
}

pub(crate) fn metrics_set(name: &str, with: &[(&str, &str)], value: f64) {
    metrics::set(name, &labels(with), value);
}

pub(crate) fn request_task_reconfiguration() {
    connector_context::request_task_reconfiguration();
}

pub(crate) fn raise_error(message: &str, detail: Option<&str>) {
    connector_context::raise_error(message, detail);
}

pub(crate) fn offsets_get(partitions: &[String]) -> Result<Vec<Option<String>>, Error> {
    offsets::get(partitions).map_err(error)
}

fn error(error: types::Error) -> Error {
    Error {
        kind: match error.kind {
            types::ErrorKind::Retriable => ErrorKind::Retriable,
            types::ErrorKind::Fatal => ErrorKind::Fatal,
            types::ErrorKind::Data => ErrorKind::Data,
            types::ErrorKind::Config => ErrorKind::Config,
            types::ErrorKind::Unsupported => ErrorKind::Unsupported,
        },
        message: error.message,
        detail: error.detail,
        retry_after_ms: error.retry_after_ms,
        exception: None,
    }
}

fn partitions(partitions: &[TopicPartition]) -> Vec<types::TopicPartition> {
    partitions
        .iter()
        .map(|each| types::TopicPartition {
            topic: each.topic.to_string(),
            partition: each.partition,
        })
        .collect()
}

pub(crate) fn assignment() -> Vec<TopicPartition> {
    sink_context::assignment()
        .into_iter()
        .map(|each| TopicPartition::new(each.topic, each.partition))
        .collect()
}

pub(crate) fn rewind(to: &[PartitionOffset]) {
    let to: Vec<_> = to
        .iter()
        .map(|each| types::PartitionOffset {
            topic: each.topic.to_string(),
            partition: each.partition,
            offset: each.offset,
        })
        .collect();
    sink_context::rewind(&to);
}

pub(crate) fn pause(what: &[TopicPartition]) {
    sink_context::pause(&partitions(what));
}

pub(crate) fn resume(what: &[TopicPartition]) {
    sink_context::resume(&partitions(what));
}

pub(crate) fn request_commit() {
    sink_context::request_commit();
}

pub(crate) fn timeout(within: Duration) {
    sink_context::timeout(u32::try_from(within.as_millis()).unwrap_or(u32::MAX));
}

pub(crate) fn report(failures: &[LateFailure]) {
    let failures: Vec<_> = failures
        .iter()
        .map(|each| sink_context::LateFailure {
            topic: each.topic.to_string(),
            partition: each.partition,
            offset: each.offset,
            message: each.message.clone(),
        })
        .collect();
    sink_context::report(&failures);
}

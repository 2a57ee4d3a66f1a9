//! Types of the contract and those of the SDK.

use caisson_api::config::Config;
use caisson_api::{Cause, Error, ErrorKind, Exception, Failure};

use super::bindings::connect::{exceptions, types};
use crate::settings::ConfigValue;
use crate::sink::{PartitionOffset, TopicPartition};

fn kind(kind: ErrorKind) -> types::ErrorKind {
    match kind {
        ErrorKind::Retriable => types::ErrorKind::Retriable,
        ErrorKind::Fatal => types::ErrorKind::Fatal,
        ErrorKind::Data => types::ErrorKind::Data,
        ErrorKind::Config => types::ErrorKind::Config,
        ErrorKind::Unsupported => types::ErrorKind::Unsupported,
    }
}

/// An error; the worker is told which exception it stands for, if it is not the one of its kind.
pub(super) fn error(error: Error) -> types::Error {
    if let Some(named) = &error.exception {
        exceptions::name(&[exception(None, named)]);
    }
    types::Error {
        kind: kind(error.kind),
        message: error.message,
        detail: error.detail,
        retry_after_ms: error.retry_after_ms,
    }
}

fn exception(failure: Option<u32>, named: &Exception) -> exceptions::Exception {
    let cause = |cause: &Cause| exceptions::Cause {
        class_name: cause.class.to_string(),
        message: cause.message.clone(),
    };
    exceptions::Exception {
        failure,
        class_name: named.class.to_string(),
        causes: named.causes.iter().map(cause).collect(),
    }
}

/// Failures; as with [`error`], the worker is told of their exceptions.
pub(super) fn failures(failures: Vec<Failure>) -> Vec<types::Failure> {
    let named = |failure: &Failure| Some(exception(Some(failure.index), failure.exception.as_deref()?));
    let named: Vec<_> = failures.iter().filter_map(named).collect();
    if !named.is_empty() {
        exceptions::name(&named);
    }
    let one = |failure: Failure| types::Failure {
        index: failure.index,
        kind: kind(failure.kind),
        message: failure.message,
    };
    failures.into_iter().map(one).collect()
}

pub(super) fn config(entries: Vec<(String, String)>) -> Config {
    Config { entries }
}

pub(super) fn configs(configs: Vec<Config>) -> Vec<Vec<(String, String)>> {
    configs.into_iter().map(|config| config.entries).collect()
}

pub(super) fn config_values(values: Vec<ConfigValue>) -> Vec<types::ConfigValue> {
    let one = |value: ConfigValue| types::ConfigValue {
        name: value.name,
        recommended_values: value.recommended_values,
        errors: value.errors,
        visible: value.visible,
    };
    values.into_iter().map(one).collect()
}

pub(super) fn partitions(partitions: Vec<types::TopicPartition>) -> Vec<TopicPartition> {
    partitions
        .into_iter()
        .map(|each| TopicPartition::new(each.topic, each.partition))
        .collect()
}

pub(super) fn offsets(offsets: Vec<types::PartitionOffset>) -> Vec<PartitionOffset> {
    offsets
        .into_iter()
        .map(|each| PartitionOffset::new(each.topic, each.partition, each.offset))
        .collect()
}

pub(super) fn offsets_out(offsets: Vec<PartitionOffset>) -> Vec<types::PartitionOffset> {
    let one = |each: PartitionOffset| types::PartitionOffset {
        topic: each.topic.to_string(),
        partition: each.partition,
        offset: each.offset,
    };
    offsets.into_iter().map(one).collect()
}

//! What only sources have.

use std::time::Duration;

use caisson_api::config::ConfigError;

use crate::connector::sink::DeadLetters;
use crate::connector::topics::TopicCreation;
use crate::given::Given;
use crate::typed::Typed;

/// Keys of a source.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceConfig {
    /// `None`: topics come into being as the broker likes.
    pub topic_creation: Option<TopicCreation>,
    pub exactly_once: Requirement,
    pub boundary: Boundary,
    /// `offsets.storage.topic`; `None`: the worker's.
    pub offsets_topic: Option<String>,
    /// `None`: failed records go nowhere, as in Kafka Connect.
    pub dead_letters: Option<DeadLetters>,
}

/// `exactly.once.support`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    Requested,
    Required,
}

/// `transaction.boundary`: where transactions end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// With each batch.
    Poll,
    /// After this time; `None`: the worker's interval of commits.
    Interval(Option<Duration>),
    /// Where the connector says.
    Connector,
}

impl SourceConfig {
    pub(super) fn read(typed: &Typed, extras: &Typed, given: &Given) -> Result<SourceConfig, ConfigError> {
        // The table has let no other words pass.
        Ok(SourceConfig {
            topic_creation: TopicCreation::read(&typed.list("topic.creation.groups"), given)?,
            exactly_once: match typed.text("exactly.once.support").to_ascii_lowercase().as_str() {
                "required" => Requirement::Required,
                _ => Requirement::Requested,
            },
            boundary: match typed.text("transaction.boundary").to_ascii_lowercase().as_str() {
                "interval" => Boundary::Interval(typed.optional_milliseconds("transaction.boundary.interval.ms")),
                "connector" => Boundary::Connector,
                _ => Boundary::Poll,
            },
            offsets_topic: typed.filled("offsets.storage.topic"),
            dead_letters: DeadLetters::read(extras, "caisson.errors.deadletterqueue"),
        })
    }
}

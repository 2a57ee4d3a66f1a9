//! The configuration of a connector, typed.

mod chain;
mod restart;
mod sink;
mod source;
mod topics;

use std::fmt;
use std::time::Duration;

use caisson_api::config::ConfigError;
use caisson_model::{ErrorLog, Tolerance};

use crate::given::{Entries, Given, Names};
use crate::tables;
use crate::tables::client::Client;
use crate::typed::Typed;
use crate::worker::{ConverterConfig, WorkerConfig};

pub use chain::{Condition, PredicateConfig, Runtime, TransformConfig};
pub use restart::RESTART_ATTEMPTS;
pub use sink::{DeadLetterHeaders, DeadLetters, SinkConfig, Topics};
pub use source::{Boundary, Requirement, SourceConfig};
pub use topics::{TopicCreation, TopicGroup};

pub(crate) use chain::negated_nothing;
pub(crate) use sink::{BOTH, NEITHER, dead_letter_conflict};

/// What a connector does; its plugin says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectorKind {
    Source,
    Sink,
}

/// A connector's configuration.
#[derive(Clone, PartialEq)]
pub struct ConnectorConfig {
    pub name: String,
    /// As it was written: a class or an alias.
    pub class: String,
    pub version: Option<String>,
    pub tasks_max: u32,
    pub tasks_max_enforce: bool,
    /// `None`: the worker's.
    pub key_converter: Option<ConverterConfig>,
    /// `None`: the worker's.
    pub value_converter: Option<ConverterConfig>,
    /// `None`: the worker's.
    pub header_converter: Option<ConverterConfig>,
    /// In order.
    pub transforms: Vec<TransformConfig>,
    /// All of them, used or not.
    pub predicates: Vec<PredicateConfig>,
    pub reload: ReloadAction,
    pub errors: ErrorHandling,
    /// `producer.override.*` without the prefix.
    pub producer: Entries,
    /// `consumer.override.*` without the prefix.
    pub consumer: Entries,
    /// `admin.override.*` without the prefix.
    pub admin: Entries,
    pub flow: Flow,
}

/// What only sources or only sinks have.
#[derive(Clone, Debug, PartialEq)]
pub enum Flow {
    Source(SourceConfig),
    Sink(SinkConfig),
}

/// `config.action.reload`: what the end of a value's life does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReloadAction {
    None,
    Restart,
}

/// `errors.*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorHandling {
    pub tolerance: Tolerance,
    /// `None`: for ever. Zero: not at all.
    pub retry_timeout: Option<Duration>,
    pub retry_delay_max: Duration,
    pub log: ErrorLog,
    /// `caisson.errors.deadletterqueue.class.header.enable`
    pub letter_class: bool,
}

impl ConnectorConfig {
    /// Reads a configuration in which variables are looked up already. The error is what Kafka Connect says first.
    pub fn new(given: &Given, kind: ConnectorKind) -> Result<ConnectorConfig, ConfigError> {
        let table = match kind {
            ConnectorKind::Source => tables::source(),
            ConnectorKind::Sink => tables::sink(),
        };
        let typed = Typed::parse(&table, given)?;
        let extras = Typed::parse(&tables::connector_extras(), given)?;
        let converter = |name: &str| {
            typed.optional(name).map(|class| ConverterConfig {
                class,
                version: typed.filled(&format!("{name}.plugin.version")),
                options: ConverterConfig::options(given, name),
            })
        };
        let predicates = chain::predicates(&typed.list("predicates"), given)?;
        Ok(ConnectorConfig {
            name: typed.text("name"),
            class: typed.text("connector.class"),
            version: typed.filled("connector.plugin.version"),
            tasks_max: typed.int("tasks.max").unsigned_abs(),
            tasks_max_enforce: typed.boolean("tasks.max.enforce"),
            key_converter: converter("key.converter"),
            value_converter: converter("value.converter"),
            header_converter: converter("header.converter"),
            transforms: chain::transforms(&typed.list("transforms"), given)?,
            predicates,
            reload: match typed.text("config.action.reload").as_str() {
                "none" => ReloadAction::None,
                _ => ReloadAction::Restart,
            },
            errors: ErrorHandling::read(&typed, &extras),
            producer: given.entries_below(Client::Producer.override_prefix()),
            consumer: given.entries_below(Client::Consumer.override_prefix()),
            admin: given.entries_below(Client::Admin.override_prefix()),
            flow: match kind {
                ConnectorKind::Source => Flow::Source(SourceConfig::read(&typed, &extras, given)?),
                ConnectorKind::Sink => Flow::Sink(SinkConfig::read(&typed)?),
            },
        })
    }

    /// The predicate of an alias. Kafka Connect learns that there is none when it looks for its version.
    pub fn predicate(&self, alias: &str) -> Result<&PredicateConfig, ConfigError> {
        let known = self.predicates.iter().find(|predicate| predicate.alias == alias);
        known.ok_or_else(|| ConfigError::new(format!("Unknown configuration 'predicates.{alias}.plugin.version'")))
    }

    /// The connector's converter of keys, or the worker's.
    pub fn key_converter<'a>(&'a self, worker: &'a WorkerConfig) -> &'a ConverterConfig {
        self.key_converter.as_ref().unwrap_or(&worker.key_converter)
    }

    /// The connector's converter of values, or the worker's.
    pub fn value_converter<'a>(&'a self, worker: &'a WorkerConfig) -> &'a ConverterConfig {
        self.value_converter.as_ref().unwrap_or(&worker.value_converter)
    }

    /// The connector's converter of headers, or the worker's.
    pub fn header_converter<'a>(&'a self, worker: &'a WorkerConfig) -> &'a ConverterConfig {
        self.header_converter.as_ref().unwrap_or(&worker.header_converter)
    }
}

impl ErrorHandling {
    fn read(typed: &Typed, extras: &Typed) -> ErrorHandling {
        let log = match (
            typed.boolean("errors.log.enable"),
            typed.boolean("errors.log.include.messages"),
        ) {
            (false, _) => ErrorLog::Off,
            (true, false) => ErrorLog::WithoutRecord,
            (true, true) => ErrorLog::WithRecord,
        };
        ErrorHandling {
            tolerance: match typed.text("errors.tolerance").as_str() {
                "all" => Tolerance::All,
                _ => Tolerance::None,
            },
            // Every negative number is without end, as it is for Kafka Connect.
            retry_timeout: u64::try_from(typed.long("errors.retry.timeout"))
                .ok()
                .map(Duration::from_millis),
            retry_delay_max: typed.milliseconds("errors.retry.delay.max.ms"),
            log,
            letter_class: extras.boolean("caisson.errors.deadletterqueue.class.header.enable"),
        }
    }
}

impl fmt::Debug for ConnectorConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ConnectorConfig")
            .field("name", &self.name)
            .field("class", &self.class)
            .field("tasks_max", &self.tasks_max)
            .field("transforms", &self.transforms)
            .field("producer", &Names(&self.producer))
            .field("consumer", &Names(&self.consumer))
            .field("admin", &Names(&self.admin))
            .field("flow", &self.flow)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

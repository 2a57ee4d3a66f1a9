//! Sources: plugins that bring records into Kafka.
//!
//! A [`SourceConnector`] is the configured job, its [`SourceTask`]s are the data flows. Each runs in an instance of its
//! own, so they share no memory: what a task has to know is in the configuration that the connector gives it.

mod batch;
mod record;

pub use batch::{Batch, RecordWriter, TextSchema};
pub use record::SourceRecord;
pub(crate) use record::value_text;

use caisson_api::Error;
use caisson_api::config::Config;
use serde_json::Value as Json;

use crate::plugin::Plugin;
use crate::settings::{ConfigValue, Settings};

/// Whether a source keeps what exactly-once needs: with each record, the offset from which reading again would repeat
/// nothing and miss nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExactlyOnce {
    Unknown,
    Supported,
    Unsupported,
}

/// The configured job (`org.apache.kafka.connect.source.SourceConnector`).
pub trait SourceConnector: Sized + 'static {
    type Task: SourceTask;

    /// Class, version, keys and what else the manifest says. Called without a configuration.
    fn plugin() -> Plugin;

    /// Begins the job. The settings have passed the checks of [`SourceConnector::plugin`].
    fn start(settings: &Settings, context: &ConnectorContext) -> Result<Self, Error>;

    /// The configurations of at most `max_tasks` tasks: as it stands, one task with that of the connector.
    fn task_configs(&mut self, settings: &Settings, max_tasks: usize) -> Result<Vec<Config>, Error> {
        let _ = max_tasks;
        Ok(vec![settings.config().clone()])
    }

    /// What there is to say about single keys beyond their declared checks; needs the ability `validates`.
    fn validate(config: &Config) -> Result<Vec<ConfigValue>, Error> {
        let _ = config;
        Ok(Vec::new())
    }

    fn exactly_once(settings: &Settings) -> ExactlyOnce {
        let _ = settings;
        ExactlyOnce::Unknown
    }

    /// Checks new offsets before they are stored, or looks after them elsewhere and answers true; needs the ability
    /// `alters-offsets`.
    fn alter_offsets(settings: &Settings, changes: &[SourceOffsetChange]) -> Result<bool, Error> {
        let _ = (settings, changes);
        Ok(false)
    }

    fn stop(&mut self) {}
}

/// One data flow (`org.apache.kafka.connect.source.SourceTask`).
pub trait SourceTask: Sized + 'static {
    /// Begins the flow, usually where [`SourceContext::offset`] says that it ended.
    fn start(settings: &Settings, context: &SourceContext) -> Result<Self, Error>;

    /// Adds the next records to the batch. Has to return after [`Batch::max_wait`] even with none, and should stop
    /// when the batch [is full](Batch::is_full). An error discards what was added.
    fn poll(&mut self, batch: &mut Batch) -> Result<(), Error>;

    /// What became of records that `poll` gave; needs the ability `delivery-reports`.
    fn delivered(&mut self, deliveries: &[Delivery]) -> Result<(), Error> {
        let _ = deliveries;
        Ok(())
    }

    /// The offsets of all records reported as [written](Outcome::Written) are stored; dropped ones have none. Needs the
    /// ability `delivery-reports`. While the task is paused it is called every few seconds, so that what the plugin holds
    /// open can be kept alive.
    fn committed(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// State for the version that takes this one's place while the task runs, if the module is `stateful` (see
    /// [`plugins!`](crate::plugins)); its last call, after the offsets of everything polled were stored.
    fn suspend(&mut self) -> Result<Vec<u8>, Error> {
        Ok(Vec::new())
    }

    /// Takes the state of the version before, right after `start`. An error keeps that one in its place.
    fn resume(&mut self, from_version: &str, state: &[u8]) -> Result<(), Error> {
        let _ = (from_version, state);
        Ok(())
    }

    fn stop(&mut self) {}
}

/// A change of a stored offset that an operator asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceOffsetChange {
    pub partition: Json,
    /// `None`: the offset is to be forgotten.
    pub offset: Option<Json>,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    Written,
    Dropped,
    Failed,
}

/// A run of records with the same outcome. Records are counted from the start of the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Delivery {
    pub first: u64,
    pub count: u32,
    pub outcome: Outcome,
}

/// What a connector, source or sink, can ask of the worker. May be kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConnectorContext {
    _private: (),
}

impl ConnectorContext {
    pub(crate) fn new() -> Self {
        ConnectorContext { _private: () }
    }

    /// Have `task_configs` called again, and the tasks restarted if the answer differs.
    pub fn request_task_reconfiguration(&self) {
        crate::host::request_task_reconfiguration();
    }

    /// Fail the connector outside a call of its own.
    pub fn raise_error(&self, message: &str, detail: Option<&str>) {
        crate::host::raise_error(message, detail);
    }
}

/// What a source task can ask of the worker. May be kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct SourceContext {
    _private: (),
}

impl SourceContext {
    pub(crate) fn new() -> Self {
        SourceContext { _private: () }
    }

    /// The stored offset of a source partition.
    pub fn offset(&self, partition: &Json) -> Result<Option<Json>, Error> {
        Ok(self.offsets(std::slice::from_ref(partition))?.pop().flatten())
    }

    /// The stored offset of each source partition, in the order asked; one call to the worker.
    pub fn offsets(&self, partitions: &[Json]) -> Result<Vec<Option<Json>>, Error> {
        let texts: Vec<String> = partitions.iter().map(Json::to_string).collect();
        let stored = crate::host::offsets_get(&texts)?;
        let parse = |text: String| {
            serde_json::from_str(&text)
                .map_err(|error| Error::fatal(format!("stored offset {text} is not JSON: {error}")))
        };
        stored.into_iter().map(|offset| offset.map(parse).transpose()).collect()
    }
}

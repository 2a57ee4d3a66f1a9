//! Sinks: plugins that take records out of Kafka.

mod context;
mod records;

pub use context::{LateFailure, PartitionOffset, SinkContext, TopicPartition};
pub use records::{RecordView, Records, SinkRecord};

use caisson_api::Error;
use caisson_api::config::Config;

use crate::plugin::Plugin;
use crate::settings::{ConfigValue, Settings};
use crate::source::ConnectorContext;

/// The configured job (`org.apache.kafka.connect.sink.SinkConnector`).
pub trait SinkConnector: Sized + 'static {
    type Task: SinkTask;

    /// Class, version, keys and what else the manifest says. Called without a configuration.
    fn plugin() -> Plugin;

    /// Begins the job. The settings have passed the checks of [`SinkConnector::plugin`].
    fn start(settings: &Settings, context: &ConnectorContext) -> Result<Self, Error>;

    /// The configurations of at most `max_tasks` tasks: as it stands, that many with that of the connector.
    fn task_configs(&mut self, settings: &Settings, max_tasks: usize) -> Result<Vec<Config>, Error> {
        Ok(vec![settings.config().clone(); max_tasks])
    }

    /// What there is to say about single keys beyond their declared checks; needs the ability `validates`.
    fn validate(config: &Config) -> Result<Vec<ConfigValue>, Error> {
        let _ = config;
        Ok(Vec::new())
    }

    /// Checks new offsets before they are stored, or looks after them elsewhere and answers true; needs the ability
    /// `alters-offsets`.
    fn alter_offsets(settings: &Settings, changes: &[SinkOffsetChange]) -> Result<bool, Error> {
        let _ = (settings, changes);
        Ok(false)
    }

    fn stop(&mut self) {}
}

/// One data flow (`org.apache.kafka.connect.sink.SinkTask`).
pub trait SinkTask: Sized + 'static {
    fn start(settings: &Settings, context: &SinkContext) -> Result<Self, Error>;

    /// Partitions newly given to this task.
    fn open(&mut self, partitions: &[TopicPartition]) -> Result<(), Error> {
        let _ = partitions;
        Ok(())
    }

    /// Takes a batch. After a [retriable](Error::retriable) error the same batch comes again; a record that is beyond
    /// help is reported with [`RecordView::fail`].
    fn put(&mut self, records: &Records<'_>) -> Result<(), Error>;

    /// Makes durable what was put. The answer is what may be committed: `None` means all of `current`.
    fn pre_commit(&mut self, current: &[PartitionOffset]) -> Result<Option<Vec<PartitionOffset>>, Error> {
        let _ = current;
        Ok(None)
    }

    /// Partitions taken from this task.
    fn close(&mut self, partitions: &[TopicPartition]) -> Result<(), Error> {
        let _ = partitions;
        Ok(())
    }

    /// State for the version that takes this one's place while the task runs, if the module is `stateful` (see
    /// [`plugins!`](crate::plugins)); its last call, after everything put has been made durable and the partitions were closed.
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

/// A change of a committed offset that an operator asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkOffsetChange {
    pub topic: String,
    pub partition: i32,
    /// `None`: the offset is to be forgotten.
    pub offset: Option<i64>,
}

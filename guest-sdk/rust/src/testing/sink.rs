//! The worker's side of a sink.

use std::marker::PhantomData;
use std::time::Duration;

use caisson_api::config::Config;
use caisson_api::frame::{FrameBuilder, RecordHead, Role};
use caisson_api::{Error, Failure};

use crate::column::{self, SchemaIndexes};
use crate::host::native;
use crate::instance;
use crate::registry::SinkEntry;
use crate::settings::{ConfigValue, Settings};
use crate::sink::{LateFailure, PartitionOffset, SinkConnector, SinkOffsetChange, SinkRecord, TopicPartition};

/// Runs a sink connector and one of its tasks.
pub struct SinkHarness<C> {
    entry: SinkEntry,
    config: Config,
    task: Option<Box<dyn instance::SinkTask>>,
    connector: PhantomData<C>,
}

impl<C: SinkConnector> SinkHarness<C> {
    /// A sink with the configuration of its connector.
    pub fn new<K: Into<String>, V: Into<String>>(config: impl IntoIterator<Item = (K, V)>) -> Self {
        SinkHarness {
            entry: SinkEntry::of::<C>(),
            config: super::config(config),
            task: None,
            connector: PhantomData,
        }
    }

    fn settings(&self, config: Config) -> Result<Settings, Error> {
        Settings::parse((self.entry.plugin)().config(), config)
    }

    /// The configurations of the tasks.
    pub fn task_configs(&self, max_tasks: usize) -> Result<Vec<Config>, Error> {
        let mut connector = (self.entry.connector)(self.settings(self.config.clone())?)?;
        let configs = connector.task_configs(max_tasks);
        connector.stop();
        configs
    }

    /// Starts the connector, and the first of its tasks.
    pub fn start(&mut self) -> Result<(), Error> {
        let config = self.task_configs(1)?.into_iter().next();
        let config = config.ok_or_else(|| Error::fatal("the connector gave no configuration for a task"))?;
        self.stop();
        self.task = Some((self.entry.task)(&self.settings(config)?)?);
        Ok(())
    }

    fn running(&mut self) -> Result<&mut Box<dyn instance::SinkTask>, Error> {
        self.task
            .as_mut()
            .ok_or_else(|| Error::fatal("the task is not started"))
    }

    /// Gives the task partitions.
    pub fn open(&mut self, partitions: &[TopicPartition]) -> Result<(), Error> {
        native::with(|state| state.assignment.extend_from_slice(partitions));
        self.running()?.open(partitions)
    }

    /// One call of `put`, in the encodings of the plugin.
    pub fn put(&mut self, records: &[SinkRecord]) -> Result<Vec<Failure>, Error> {
        let frame = self.frame(records)?;
        self.put_frame(&frame)
    }

    /// One call of `put`, with a frame as it is.
    pub fn put_frame(&mut self, frame: &[u8]) -> Result<Vec<Failure>, Error> {
        self.running()?.put(frame)
    }

    /// The frame that `put` makes of records.
    pub fn frame(&self, records: &[SinkRecord]) -> Result<Vec<u8>, Error> {
        frame(Role::Sink, (self.entry.plugin)().encodings(), records)
    }

    /// One call of `pre_commit`.
    pub fn pre_commit(&mut self, current: &[PartitionOffset]) -> Result<Option<Vec<PartitionOffset>>, Error> {
        self.running()?.pre_commit(current)
    }

    /// Takes partitions from the task.
    pub fn close(&mut self, partitions: &[TopicPartition]) -> Result<(), Error> {
        native::with(|state| state.assignment.retain(|each| !partitions.contains(each)));
        self.running()?.close(partitions)
    }

    /// Has the task give its state, as before another version takes its place.
    pub fn suspend(&mut self) -> Result<Vec<u8>, Error> {
        self.running()?.suspend()
    }

    /// Gives the task the state of the version before.
    pub fn resume(&mut self, from_version: &str, state: &[u8]) -> Result<(), Error> {
        self.running()?.resume(from_version, state)
    }

    /// What the connector says about single keys.
    pub fn validate(&self) -> Result<Vec<ConfigValue>, Error> {
        (self.entry.validate)(&self.config)
    }

    /// Has the connector look at new offsets.
    pub fn alter_offsets(&self, changes: &[SinkOffsetChange]) -> Result<bool, Error> {
        (self.entry.alter_offsets)(&self.settings(self.config.clone())?, changes)
    }

    /// The offsets that the task wants to go on from.
    pub fn rewound(&self) -> Vec<PartitionOffset> {
        native::with(|state| std::mem::take(&mut state.rewound))
    }

    /// The partitions that the task has paused.
    pub fn paused(&self) -> Vec<TopicPartition> {
        native::with(|state| state.paused.clone())
    }

    /// How often the task has asked for a commit.
    pub fn commits_requested(&self) -> u32 {
        native::with(|state| state.commits_requested)
    }

    /// Within what time the task wants to be called again, since this was last asked.
    pub fn timeout(&self) -> Option<Duration> {
        native::with(|state| state.timeout.take())
    }

    /// The records of earlier calls that the task has reported.
    pub fn reported(&self) -> Vec<LateFailure> {
        native::with(|state| std::mem::take(&mut state.late_failures))
    }

    /// Stops the task.
    pub fn stop(&mut self) {
        if let Some(mut task) = self.task.take() {
            task.stop();
        }
    }
}

/// A frame of whole records.
pub(super) fn frame(
    role: Role,
    encodings: caisson_api::frame::Encodings,
    records: &[SinkRecord],
) -> Result<Vec<u8>, Error> {
    let mut builder = FrameBuilder::new(role);
    let mut schemas = SchemaIndexes::default();
    builder.begin(encodings, records.len());
    for SinkRecord {
        record,
        offset,
        timestamp,
    } in records
    {
        let head = RecordHead {
            topic: builder.topic(&record.topic).map_err(column::refused)?,
            partition: record.partition,
            offset: *offset,
            timestamp: *timestamp,
            ..RecordHead::default()
        };
        column::write_record(&mut builder, &mut schemas, encodings, head, record, None)?;
    }
    Ok(builder.take())
}

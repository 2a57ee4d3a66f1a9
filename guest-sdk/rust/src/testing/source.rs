//! The worker's side of a source.

use std::marker::PhantomData;
use std::time::Duration;

use caisson_api::Error;
use caisson_api::config::Config;
use caisson_api::frame::{Boundary, Frame};
use serde_json::Value as Json;

use crate::column::SchemaCache;
use crate::host::native;
use crate::instance;
use crate::registry::SourceEntry;
use crate::settings::{ConfigValue, Settings};
use crate::sink::Records;
use crate::source::{Delivery, ExactlyOnce, SourceConnector, SourceOffsetChange, SourceRecord};

/// Runs a source connector and one of its tasks.
pub struct SourceHarness<C> {
    entry: SourceEntry,
    config: Config,
    task: Option<Box<dyn instance::SourceTask>>,
    max_wait: Duration,
    max_bytes: usize,
    connector: PhantomData<C>,
}

/// What one call of `poll` gave.
#[derive(Clone, Debug, PartialEq)]
pub struct PolledBatch {
    /// The records, decoded.
    pub records: Vec<SourceRecord>,
    /// What becomes of the transaction after the batch.
    pub boundary: Boundary,
    /// The frame itself.
    pub frame: Vec<u8>,
}

impl PolledBatch {
    /// The values as texts: strings, and bytes that are UTF-8.
    pub fn texts(&self) -> Vec<String> {
        self.records.iter().map(SourceRecord::text).collect()
    }
}

impl<C: SourceConnector> SourceHarness<C> {
    /// A source with the configuration of its connector.
    pub fn new<K: Into<String>, V: Into<String>>(config: impl IntoIterator<Item = (K, V)>) -> Self {
        SourceHarness {
            entry: SourceEntry::of::<C>(),
            config: super::config(config),
            task: None,
            max_wait: Duration::from_millis(10),
            max_bytes: 1 << 20,
            connector: PhantomData,
        }
    }

    /// Sets a stored offset.
    pub fn offset(self, partition: Json, offset: Json) -> Self {
        native::with(|state| {
            state
                .offsets
                .insert(native::canonical(&partition.to_string()), offset.to_string())
        });
        self
    }

    /// How long `poll` may wait; 10 ms unless said.
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.max_wait = max_wait;
        self
    }

    /// Bytes after which a batch is full; 1 MiB unless said.
    pub fn max_bytes(mut self, max_bytes: usize) -> Self {
        self.max_bytes = max_bytes;
        self
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
        self.start_task(config.ok_or_else(|| Error::fatal("the connector gave no configuration for a task"))?)
    }

    /// Starts a task with a configuration of its own; a running one is stopped.
    pub fn start_task(&mut self, config: Config) -> Result<(), Error> {
        self.stop();
        let settings = self.settings(config)?;
        self.task = Some((self.entry.task)(&(self.entry.plugin)(), &settings)?);
        Ok(())
    }

    fn running(&mut self) -> Result<&mut Box<dyn instance::SourceTask>, Error> {
        self.task
            .as_mut()
            .ok_or_else(|| Error::fatal("the task is not started"))
    }

    /// One call of `poll`.
    pub fn poll(&mut self) -> Result<PolledBatch, Error> {
        let (max_wait, max_bytes) = (self.max_wait, self.max_bytes);
        let frame = self.running()?.poll(max_wait, max_bytes)?;
        let records = Records::parse(&frame, &mut SchemaCache::default())?;
        let boundary = records.frame().boundary();
        let mut decoded = Vec::with_capacity(records.len());
        for view in &records {
            let entry = records.frame().record(view.index());
            decoded.push(SourceRecord {
                record: view.to_record()?.record,
                timestamp: entry.timestamp,
                source: entry
                    .source
                    .map(|source| coordinates(records.frame(), source))
                    .transpose()?,
                boundary: entry.boundary,
            });
        }
        Ok(PolledBatch {
            records: decoded,
            boundary,
            frame,
        })
    }

    /// Polls until so many records have come, at most a thousand times.
    pub fn poll_until(&mut self, records: usize) -> Result<Vec<SourceRecord>, Error> {
        let mut all = Vec::new();
        for _ in 0..1000 {
            if all.len() >= records {
                return Ok(all);
            }
            all.extend(self.poll()?.records);
        }
        Err(Error::fatal(format!("only {} of {records} records came", all.len())))
    }

    /// Tells the task what became of records.
    pub fn delivered(&mut self, deliveries: &[Delivery]) -> Result<(), Error> {
        self.running()?.delivered(deliveries)
    }

    /// Tells the task that offsets are stored.
    pub fn committed(&mut self) -> Result<(), Error> {
        self.running()?.committed()
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

    /// What the connector says about exactly-once.
    pub fn exactly_once(&self) -> Result<ExactlyOnce, Error> {
        Ok((self.entry.exactly_once)(&self.settings(self.config.clone())?))
    }

    /// Has the connector look at new offsets.
    pub fn alter_offsets(&self, changes: &[SourceOffsetChange]) -> Result<bool, Error> {
        (self.entry.alter_offsets)(&self.settings(self.config.clone())?, changes)
    }

    /// Stops the task.
    pub fn stop(&mut self) {
        if let Some(mut task) = self.task.take() {
            task.stop();
        }
    }
}

fn coordinates(frame: &Frame<'_>, source: caisson_api::frame::SourceCoordinates<'_>) -> Result<(Json, Json), Error> {
    let parse =
        |text: &str| serde_json::from_str(text).map_err(|error| Error::fatal(format!("{text} is not JSON: {error}")));
    Ok((parse(frame.source_partition(source.partition))?, parse(source.offset)?))
}

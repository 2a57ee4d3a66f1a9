//! A started plugin behind an interface without its type: what the glue of the component and the harness both drive.

use std::time::Duration;

use caisson_api::config::Config;
use caisson_api::{Error, ErrorKind, Failure};

use crate::column::SchemaCache;
use crate::converter::Column;
use crate::plugin::Plugin;
use crate::settings::Settings;
use crate::sink::{PartitionOffset, Records, SinkContext, TopicPartition};
use crate::source::{Batch, ConnectorContext, Delivery, SourceContext};
use crate::transform::{Answer, Bitmap, Output};
use crate::{converter as converters, sink, source, transform as transforms};

pub(crate) trait SourceConnector {
    fn task_configs(&mut self, max_tasks: usize) -> Result<Vec<Config>, Error>;
    fn stop(&mut self);
}

struct Connector<C> {
    connector: C,
    settings: Settings,
}

impl<C: source::SourceConnector> SourceConnector for Connector<C> {
    fn task_configs(&mut self, max_tasks: usize) -> Result<Vec<Config>, Error> {
        self.connector.task_configs(&self.settings, max_tasks)
    }

    fn stop(&mut self) {
        self.connector.stop();
    }
}

pub(crate) fn source_connector<C: source::SourceConnector>(
    settings: Settings,
) -> Result<Box<dyn SourceConnector>, Error> {
    let connector = C::start(&settings, &ConnectorContext::new())?;
    Ok(Box::new(Connector { connector, settings }))
}

pub(crate) trait SourceTask {
    fn poll(&mut self, max_wait: Duration, max_bytes: usize) -> Result<Vec<u8>, Error>;
    fn delivered(&mut self, deliveries: &[Delivery]) -> Result<(), Error>;
    fn committed(&mut self) -> Result<(), Error>;
    fn suspend(&mut self) -> Result<Vec<u8>, Error>;
    fn resume(&mut self, from_version: &str, state: &[u8]) -> Result<(), Error>;
    fn stop(&mut self);
}

struct RunningSource<T> {
    task: T,
    batch: Batch,
}

impl<T: source::SourceTask> SourceTask for RunningSource<T> {
    fn poll(&mut self, max_wait: Duration, max_bytes: usize) -> Result<Vec<u8>, Error> {
        self.batch.begin(max_wait, max_bytes);
        self.task.poll(&mut self.batch)?;
        Ok(self.batch.take())
    }

    fn delivered(&mut self, deliveries: &[Delivery]) -> Result<(), Error> {
        self.task.delivered(deliveries)
    }

    fn committed(&mut self) -> Result<(), Error> {
        self.task.committed()
    }

    fn suspend(&mut self) -> Result<Vec<u8>, Error> {
        self.task.suspend()
    }

    fn resume(&mut self, from_version: &str, state: &[u8]) -> Result<(), Error> {
        self.task.resume(from_version, state)
    }

    fn stop(&mut self) {
        self.task.stop();
    }
}

pub(crate) fn source_task<T: source::SourceTask>(
    plugin: &Plugin,
    settings: &Settings,
) -> Result<Box<dyn SourceTask>, Error> {
    let task = T::start(settings, &SourceContext::new())?;
    Ok(Box::new(RunningSource {
        task,
        batch: Batch::new(plugin.encodings()),
    }))
}

pub(crate) trait SinkConnector {
    fn task_configs(&mut self, max_tasks: usize) -> Result<Vec<Config>, Error>;
    fn stop(&mut self);
}

impl<C: sink::SinkConnector> SinkConnector for Connector<C> {
    fn task_configs(&mut self, max_tasks: usize) -> Result<Vec<Config>, Error> {
        self.connector.task_configs(&self.settings, max_tasks)
    }

    fn stop(&mut self) {
        self.connector.stop();
    }
}

pub(crate) fn sink_connector<C: sink::SinkConnector>(settings: Settings) -> Result<Box<dyn SinkConnector>, Error> {
    let connector = C::start(&settings, &ConnectorContext::new())?;
    Ok(Box::new(Connector { connector, settings }))
}

pub(crate) trait SinkTask {
    fn open(&mut self, partitions: &[TopicPartition]) -> Result<(), Error>;
    fn put(&mut self, batch: &[u8]) -> Result<Vec<Failure>, Error>;
    fn pre_commit(&mut self, current: &[PartitionOffset]) -> Result<Option<Vec<PartitionOffset>>, Error>;
    fn close(&mut self, partitions: &[TopicPartition]) -> Result<(), Error>;
    fn suspend(&mut self) -> Result<Vec<u8>, Error>;
    fn resume(&mut self, from_version: &str, state: &[u8]) -> Result<(), Error>;
    fn stop(&mut self);
}

struct RunningSink<T> {
    task: T,
    schemas: SchemaCache,
}

impl<T: sink::SinkTask> SinkTask for RunningSink<T> {
    fn open(&mut self, partitions: &[TopicPartition]) -> Result<(), Error> {
        self.task.open(partitions)
    }

    fn put(&mut self, batch: &[u8]) -> Result<Vec<Failure>, Error> {
        let records = Records::parse(batch, &mut self.schemas)?;
        self.task.put(&records)?;
        Ok(records.into_failures())
    }

    fn pre_commit(&mut self, current: &[PartitionOffset]) -> Result<Option<Vec<PartitionOffset>>, Error> {
        self.task.pre_commit(current)
    }

    fn close(&mut self, partitions: &[TopicPartition]) -> Result<(), Error> {
        self.task.close(partitions)
    }

    fn suspend(&mut self) -> Result<Vec<u8>, Error> {
        self.task.suspend()
    }

    fn resume(&mut self, from_version: &str, state: &[u8]) -> Result<(), Error> {
        self.task.resume(from_version, state)
    }

    fn stop(&mut self) {
        self.task.stop();
    }
}

pub(crate) fn sink_task<T: sink::SinkTask>(settings: &Settings) -> Result<Box<dyn SinkTask>, Error> {
    let task = T::start(settings, &SinkContext::new())?;
    Ok(Box::new(RunningSink {
        task,
        schemas: SchemaCache::default(),
    }))
}

/// What a transform made of a batch, in the form of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    Unchanged,
    /// Bit i of byte i/8, lowest first.
    Kept(Vec<u8>),
    /// A frame.
    Replaced(Vec<u8>),
}

pub(crate) trait Transform {
    fn apply(&mut self, batch: &[u8]) -> Result<(Applied, Vec<Failure>), Error>;
    fn suspend(&mut self) -> Result<Vec<u8>, Error>;
    fn resume(&mut self, from_version: &str, state: &[u8]) -> Result<(), Error>;
    fn stop(&mut self);
}

struct RunningTransform<T> {
    transform: T,
    schemas: SchemaCache,
    output: Output,
}

impl<T: transforms::Transform> Transform for RunningTransform<T> {
    fn apply(&mut self, batch: &[u8]) -> Result<(Applied, Vec<Failure>), Error> {
        let records = Records::parse(batch, &mut self.schemas)?;
        self.output.begin(&records);
        let applied = match self.transform.apply_batch(&records, &mut self.output)? {
            Answer::Unchanged => Applied::Unchanged,
            Answer::Kept(bitmap) => Applied::Kept(bitmap.into_bytes()),
            Answer::Replaced => Applied::Replaced(self.output.take()),
        };
        Ok((applied, records.into_failures()))
    }

    fn suspend(&mut self) -> Result<Vec<u8>, Error> {
        self.transform.suspend()
    }

    fn resume(&mut self, from_version: &str, state: &[u8]) -> Result<(), Error> {
        self.transform.resume(from_version, state)
    }

    fn stop(&mut self) {
        self.transform.stop();
    }
}

pub(crate) fn transform<T: transforms::Transform>(settings: &Settings) -> Result<Box<dyn Transform>, Error> {
    let transform = T::start(settings)?;
    Ok(Box::new(RunningTransform {
        transform,
        schemas: SchemaCache::default(),
        output: Output::new(),
    }))
}

pub(crate) trait Converter {
    fn serialize(&mut self, batch: &[u8]) -> Result<(Vec<u8>, Vec<Failure>), Error>;
    fn deserialize(&mut self, batch: &[u8]) -> Result<(Vec<u8>, Vec<Failure>), Error>;
    fn stop(&mut self);
}

impl<C: converters::Converter> Converter for converters::Running<C> {
    fn serialize(&mut self, batch: &[u8]) -> Result<(Vec<u8>, Vec<Failure>), Error> {
        self.serialize(batch)
    }

    fn deserialize(&mut self, batch: &[u8]) -> Result<(Vec<u8>, Vec<Failure>), Error> {
        self.deserialize(batch)
    }

    fn stop(&mut self) {
        self.stop();
    }
}

pub(crate) fn converter<C: converters::Converter>(
    settings: &Settings,
    column: Column,
) -> Result<Box<dyn Converter>, Error> {
    Ok(Box::new(converters::Running::<C>::start(settings, column)?))
}

pub(crate) trait Predicate {
    fn test(&mut self, batch: &[u8]) -> Result<(Bitmap, Vec<Failure>), Error>;
    fn stop(&mut self);
}

struct RunningPredicate<P> {
    predicate: P,
    schemas: SchemaCache,
}

impl<P: transforms::Predicate> Predicate for RunningPredicate<P> {
    fn test(&mut self, batch: &[u8]) -> Result<(Bitmap, Vec<Failure>), Error> {
        let records = Records::parse(batch, &mut self.schemas)?;
        let mut matches = Bitmap::new(records.len());
        for record in &records {
            match self.predicate.test(&record) {
                Ok(true) => matches.set(record.index()),
                Ok(false) => {}
                Err(error) if error.kind == ErrorKind::Data => record.fail(error),
                Err(error) => return Err(error),
            }
        }
        Ok((matches, records.into_failures()))
    }

    fn stop(&mut self) {
        self.predicate.stop();
    }
}

pub(crate) fn predicate<P: transforms::Predicate>(settings: &Settings) -> Result<Box<dyn Predicate>, Error> {
    Ok(Box::new(RunningPredicate {
        predicate: P::start(settings)?,
        schemas: SchemaCache::default(),
    }))
}

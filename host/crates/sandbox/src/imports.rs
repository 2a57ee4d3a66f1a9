//! What the worker offers to guests (`wit/host.wit`). Nothing here reaches Kafka: what a guest says lands in the state
//! of its own instance, and the task drains it between calls.

use std::collections::HashMap;
use std::time::Duration;

use caisson_api::Exception;
use caisson_model::{PartitionOffset, TopicPartition};
use wasmtime::Result;

use crate::bindings::{connector_context, exceptions, log, metrics, offsets, sink_context, types};
use crate::instance::{LimitReached, State};
use crate::output::{GuestLog, Level};

/// Requests of each kind that an instance may leave between two drains.
const MAX_REQUESTS: usize = 100_000;
/// Bytes in the name of a topic, as in Kafka.
const MAX_TOPIC: usize = 249;
/// Bytes in the text of one report.
const MAX_MESSAGE: usize = 4 << 10;

/// Bytes in the name of a class.
const MAX_CLASS: usize = 1 << 10;
/// Causes that are kept of an exception.
const MAX_CAUSES: usize = 32;
/// Bytes in all exceptions of a call. Those beyond are not kept: what they are for has the exception of its kind.
const MAX_EXCEPTIONS: usize = 16 << 20;

/// The exceptions that failures of the current call stand for.
#[derive(Default)]
pub(crate) struct Exceptions {
    /// By index; `None` is the error of the call.
    named: HashMap<Option<u32>, Exception>,
    bytes: usize,
}

impl Exceptions {
    pub(crate) fn take(&mut self, failure: Option<u32>) -> Option<Box<Exception>> {
        self.named.remove(&failure).map(Box::new)
    }

    pub(crate) fn clear(&mut self) {
        self.named.clear();
        self.bytes = 0;
    }

    fn add(&mut self, mut exception: exceptions::Exception) {
        cut(&mut exception.class_name, MAX_CLASS);
        exception.causes.truncate(MAX_CAUSES);
        let mut bytes = size_of::<Exception>() + exception.class_name.len();
        for cause in &mut exception.causes {
            cut(&mut cause.class_name, MAX_CLASS);
            if let Some(message) = &mut cause.message {
                cut(message, MAX_MESSAGE);
            }
            let message = cause.message.as_ref().map_or(0, String::len);
            bytes += size_of::<exceptions::Cause>() + cause.class_name.len() + message;
        }
        self.bytes += bytes;
        if self.bytes <= MAX_EXCEPTIONS {
            self.named.insert(exception.failure, exception.into());
        }
    }
}

/// What a connector said by `connector-context` since the last drain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// `task-configs` should be asked again.
    pub reconfigure: bool,
    /// The connector has failed: message and detail. The first one counts.
    pub error: Option<(String, Option<String>)>,
}

/// A record of an earlier `put` that the sink reports as failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LateFailure {
    pub partition: TopicPartition,
    pub offset: i64,
    pub message: String,
}

/// What a sink task said by `sink-context` since the last drain, to be performed in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SinkRequests {
    pub reports: Vec<LateFailure>,
    pub rewind: Vec<PartitionOffset>,
    /// Pauses and resumes in the order in which they were asked for.
    pub flow: Vec<Flow>,
    pub commit: bool,
    /// `put` is to be called within this time, with nothing if no records come.
    pub timeout: Option<Duration>,
}

/// One change of what a sink task wants to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flow {
    Pause(TopicPartition),
    Resume(TopicPartition),
}

impl SinkRequests {
    pub fn is_empty(&self) -> bool {
        let Self {
            reports,
            rewind,
            flow,
            commit,
            timeout,
        } = self;
        reports.is_empty() && rewind.is_empty() && flow.is_empty() && !commit && timeout.is_none()
    }
}

/// A sink task's side of its imports.
#[derive(Default)]
pub(crate) struct SinkState {
    pub(crate) assignment: Vec<TopicPartition>,
    pub(crate) requests: SinkRequests,
}

impl<'a> From<&'a TopicPartition> for types::TopicPartitionParam<'a> {
    fn from(partition: &'a TopicPartition) -> Self {
        types::TopicPartitionParam {
            topic: &partition.topic,
            partition: partition.partition,
        }
    }
}

impl From<&TopicPartition> for types::TopicPartitionResult {
    fn from(partition: &TopicPartition) -> Self {
        types::TopicPartitionResult {
            topic: partition.topic.to_string(),
            partition: partition.partition,
        }
    }
}

impl From<types::PartitionOffsetResult> for PartitionOffset {
    fn from(at: types::PartitionOffsetResult) -> Self {
        PartitionOffset {
            partition: TopicPartition::new(at.topic, at.partition),
            offset: at.offset,
        }
    }
}

impl<'a> From<&'a PartitionOffset> for types::PartitionOffsetParam<'a> {
    fn from(at: &'a PartitionOffset) -> Self {
        types::PartitionOffsetParam {
            topic: &at.partition.topic,
            partition: at.partition.partition,
            offset: at.offset,
        }
    }
}

/// Stops a guest that leaves more requests than any honest one would: they are memory of the worker.
fn bounded<T>(kept: &[T], more: usize, what: &str) -> Result<()> {
    if kept.len().saturating_add(more) > MAX_REQUESTS {
        return Err(LimitReached {
            which: "requests",
            message: format!("the guest left more than {MAX_REQUESTS} {what} in one call"),
        }
        .into());
    }
    Ok(())
}

/// A partition that the guest named. A name that no topic can have is not worth the worker's memory.
fn named(topic: String, partition: i32) -> Result<TopicPartition> {
    if topic.len() > MAX_TOPIC {
        let message = format!(
            "the guest named a topic of {} bytes, Kafka allows {MAX_TOPIC}",
            topic.len()
        );
        return Err(LimitReached {
            which: "requests",
            message,
        }
        .into());
    }
    Ok(TopicPartition::new(topic, partition))
}

impl types::Host for State {}

impl log::Host for State {
    fn enabled(&mut self, level: log::Level) -> Result<bool> {
        Ok(GuestLog::enabled(level.into()))
    }

    fn write(&mut self, level: log::Level, message: String, fields: Vec<(String, String)>) -> Result<()> {
        self.log.write(level.into(), &message, &fields);
        Ok(())
    }
}

impl From<log::Level> for Level {
    fn from(level: log::Level) -> Self {
        match level {
            log::Level::Trace => Level::Trace,
            log::Level::Debug => Level::Debug,
            log::Level::Info => Level::Info,
            log::Level::Warn => Level::Warn,
            log::Level::Error => Level::Error,
        }
    }
}

impl metrics::Host for State {
    fn add(&mut self, name: String, labels: Vec<(String, String)>, by: u64) -> Result<()> {
        self.metrics.add(&name, labels, by);
        Ok(())
    }

    fn set(&mut self, name: String, labels: Vec<(String, String)>, value: f64) -> Result<()> {
        self.metrics.set(&name, labels, value);
        Ok(())
    }
}

impl exceptions::Host for State {
    fn name(&mut self, exceptions: Vec<exceptions::Exception>) -> Result<()> {
        for exception in exceptions {
            self.exceptions.add(exception);
        }
        Ok(())
    }
}

fn cut(text: &mut String, bytes: usize) {
    text.truncate(text.floor_char_boundary(bytes));
}

impl connector_context::Host for State {
    fn request_task_reconfiguration(&mut self) -> Result<()> {
        self.requests.reconfigure = true;
        Ok(())
    }

    fn raise_error(&mut self, message: String, detail: Option<String>) -> Result<()> {
        if self.requests.error.is_none() {
            self.requests.error = Some((message, detail));
        }
        Ok(())
    }
}

impl offsets::Host for State {
    async fn get(&mut self, partitions: Vec<String>) -> Result<Result<Vec<Option<String>>, types::Error>> {
        let refuse = |kind, message: String| types::Error {
            kind,
            message,
            detail: None,
            retry_after_ms: None,
        };
        let Some(reader) = self.offsets.clone() else {
            let message = "this instance has no offsets to read".to_owned();
            return Ok(Err(refuse(types::ErrorKind::Unsupported, message)));
        };
        let asked = partitions.len();
        match reader.get(partitions).await {
            Ok(offsets) if offsets.len() == asked => Ok(Ok(offsets)),
            Ok(offsets) => {
                let message = format!("the offset store gave {} answers to {asked} questions", offsets.len());
                Ok(Err(refuse(types::ErrorKind::Fatal, message)))
            }
            Err(message) => Ok(Err(refuse(types::ErrorKind::Retriable, message))),
        }
    }
}

impl sink_context::Host for State {
    fn assignment(&mut self) -> Result<Vec<sink_context::TopicPartition>> {
        Ok(self.sink.assignment.iter().map(Into::into).collect())
    }

    fn rewind(&mut self, to: Vec<sink_context::PartitionOffset>) -> Result<()> {
        let requests = &mut self.sink.requests;
        bounded(&requests.rewind, to.len(), "rewinds")?;
        for at in to {
            requests.rewind.push(PartitionOffset {
                partition: named(at.topic, at.partition)?,
                offset: at.offset,
            });
        }
        Ok(())
    }

    fn pause(&mut self, partitions: Vec<sink_context::TopicPartition>) -> Result<()> {
        let flow = &mut self.sink.requests.flow;
        bounded(flow, partitions.len(), "pauses")?;
        for partition in partitions {
            flow.push(Flow::Pause(named(partition.topic, partition.partition)?));
        }
        Ok(())
    }

    fn resume(&mut self, partitions: Vec<sink_context::TopicPartition>) -> Result<()> {
        let flow = &mut self.sink.requests.flow;
        bounded(flow, partitions.len(), "resumes")?;
        for partition in partitions {
            flow.push(Flow::Resume(named(partition.topic, partition.partition)?));
        }
        Ok(())
    }

    fn request_commit(&mut self) -> Result<()> {
        self.sink.requests.commit = true;
        Ok(())
    }

    fn timeout(&mut self, ms: u32) -> Result<()> {
        let within = Duration::from_millis(ms.into());
        let timeout = &mut self.sink.requests.timeout;
        *timeout = Some(timeout.map_or(within, |known| known.min(within)));
        Ok(())
    }

    fn report(&mut self, failures: Vec<sink_context::LateFailure>) -> Result<()> {
        let reports = &mut self.sink.requests.reports;
        bounded(reports, failures.len(), "reports")?;
        for mut failure in failures {
            cut(&mut failure.message, MAX_MESSAGE);
            let partition = named(failure.topic, failure.partition)?;
            reports.push(LateFailure {
                partition,
                offset: failure.offset,
                message: failure.message,
            });
        }
        Ok(())
    }
}

//! A configuration tried on sample records (`POST /preview`): what is asked, and what came of it. The layers between REST
//! and the chain of a task pass it on as it is.

use std::collections::BTreeMap;

/// Samples of one preview. Each is tried alone, in all steps, so that they cost more than records of a task.
pub const MOST_SAMPLES: usize = 100;
/// Bytes of a sample: key, value and headers together.
pub const LARGEST_SAMPLE: usize = 1 << 20;

/// What is to be tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewRequest {
    /// A connector's configuration, or without `connector.class` that of a chain: transforms, predicates, converters.
    pub config: BTreeMap<String, Option<String>>,
    /// Which way the records of a chain without a connector go.
    pub flow: Flow,
    pub samples: Samples,
}

/// Which way records go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// To Kafka.
    Source,
    /// From Kafka.
    Sink,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Samples {
    Given(Vec<Sample>),
    /// The last records of a topic.
    Last {
        topic: String,
        records: usize,
    },
}

/// A record to be tried: as Kafka has it, for sinks; as the plugin makes it, for sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Absent: the first that the connector reads.
    pub topic: Option<String>,
    pub partition: Option<i32>,
    /// Absent: its place among the samples.
    pub offset: Option<i64>,
    /// Milliseconds since the epoch.
    pub timestamp: Option<i64>,
    pub key: Payload,
    pub value: Payload,
    pub headers: Vec<(String, Payload)>,
}

/// A key, a value, or the value of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    Null,
    /// As Kafka has it.
    Bytes(Vec<u8>),
    Value {
        /// Its JSON text.
        json: String,
        /// In the form that JsonConverter gives it.
        schema: Option<String>,
    },
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    pub flow: Flow,
    /// The connector's.
    pub class: Option<String>,
    /// Whether `errors.tolerance` lets a task go on after a record that failed.
    pub tolerant: bool,
    /// What the connector gives its first task; none of a chain alone, and if the connector could not tell.
    pub task_config: Option<BTreeMap<String, Option<String>>>,
    /// What the plugin failed with other than records.
    pub plugin: Vec<Fault>,
    pub records: Vec<Tried>,
    /// Why the samples behind these were not tried.
    pub stopped: Option<Stopped>,
}

/// What ended a preview early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    Time,
    Output,
    /// A task would have failed, whatever it tolerates.
    Failure,
}

/// The way of one sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    pub topic: String,
    pub partition: Option<i32>,
    pub offset: Option<i64>,
    pub steps: Vec<Step>,
}

/// What became of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It came through to the end.
    Passed,
    /// It came through the chain, and the plugin could not be given it.
    NotPut,
    /// A transform has left it out.
    Dropped,
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub name: StepName,
    pub result: StepResult,
    /// The record as it is behind the step, where that tells something new. A transform may make several of one.
    pub records: Vec<Shown>,
    pub faults: Vec<Fault>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepName {
    /// From Kafka's bytes to values, or the other way round.
    Converters,
    Transform {
        alias: String,
        class: String,
    },
    /// The sink's plugin takes the record.
    Put,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepResult {
    Done,
    Changed,
    Unchanged,
    Dropped,
    Failed,
    /// The plugin had failed before.
    NotCalled,
}

/// A record for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub topic: String,
    pub partition: Option<i32>,
    pub timestamp: Option<i64>,
    pub key: Payload,
    pub value: Payload,
    pub headers: Vec<(String, Payload)>,
}

/// What the headers of a dead letter would say of a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Kafka Connect's word; for what is no record's failure, the call to the plugin.
    pub stage: &'static str,
    /// The class that was at work.
    pub class: String,
    pub exception_class: String,
    pub message: Option<String>,
    pub stack_trace: String,
    /// The machine-readable class of the error.
    pub kind: &'static str,
}

impl Tried {
    pub fn outcome(&self) -> Outcome {
        let has = |result| self.steps.iter().any(|step| step.result == result);
        if has(StepResult::Failed) {
            Outcome::Failed
        } else if has(StepResult::Dropped) {
            Outcome::Dropped
        } else if has(StepResult::NotCalled) {
            Outcome::NotPut
        } else {
            Outcome::Passed
        }
    }

    /// About the bytes that an answer needs for it.
    pub fn size(&self) -> usize {
        let records = self.steps.iter().flat_map(|step| &step.records).map(Shown::size);
        let faults = self.steps.iter().flat_map(|step| &step.faults).map(Fault::size);
        records.chain(faults).sum()
    }
}

impl Sample {
    /// Bytes of its payloads.
    pub fn size(&self) -> usize {
        payloads(&self.key, &self.value, &self.headers)
    }
}

impl Shown {
    fn size(&self) -> usize {
        payloads(&self.key, &self.value, &self.headers)
    }
}

impl Fault {
    fn size(&self) -> usize {
        self.message.as_ref().map_or(0, String::len) + self.stack_trace.len()
    }
}

impl Payload {
    fn size(&self) -> usize {
        match self {
            Payload::Null => 0,
            Payload::Bytes(bytes) => bytes.len(),
            Payload::Value { json, schema } => json.len() + schema.as_ref().map_or(0, String::len),
        }
    }
}

fn payloads(key: &Payload, value: &Payload, headers: &[(String, Payload)]) -> usize {
    let headers = headers.iter().map(|(name, value)| name.len() + value.size());
    key.size() + value.size() + headers.sum::<usize>()
}

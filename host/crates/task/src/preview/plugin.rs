//! The plugin of a sink, called as its task would call it.

use caisson_model::preview::{Fault, Preview, StepName, StepResult};
use caisson_model::{Failure, PartitionOffset, TopicPartition};
use caisson_sandbox::{CallError, InstanceSpec, LateFailure, SinkTask};

use super::steps::{Steps, told};
use crate::errors::{CONNECT_EXCEPTION, DATA_EXCEPTION, ErrorClass, Stage, Throwable};
use crate::settings::TaskSettings;
use crate::sink::SINK_TASK;

pub struct Plugin {
    spec: InstanceSpec,
    partitions: Vec<TopicPartition>,
    /// Absent if it could not be started.
    task: Option<SinkTask>,
    faults: Vec<Fault>,
    /// What it reported after the call that the record was in.
    late: Vec<LateFailure>,
}

impl Plugin {
    pub async fn start(task: &TaskSettings, partitions: Vec<TopicPartition>) -> Self {
        let mut plugin = Plugin {
            spec: task.instance(&task.plugin, &task.config),
            partitions,
            task: None,
            faults: Vec::new(),
            late: Vec::new(),
        };
        plugin.begin().await;
        plugin
    }

    async fn begin(&mut self) {
        match SinkTask::start(self.spec.clone()).await {
            Ok(mut task) => match task.open(&self.partitions).await {
                Ok(()) => self.task = Some(task),
                Err(error) => self.failed("open", &error),
            },
            Err(error) => self.failed("start", &error),
        }
    }

    fn failed(&mut self, call: &'static str, error: &CallError) {
        self.faults.push(fault(call, &self.spec.class, error));
    }

    /// Gives it one record.
    pub async fn put(&mut self, frame: &[u8], steps: &mut Steps) {
        let Some(task) = &mut self.task else {
            return steps.put(StepResult::NotCalled, Vec::new());
        };
        let stage = Stage::Put.as_str();
        let faults: Vec<Fault> = match task.put(frame).await {
            Ok(failures) => failures
                .iter()
                .map(|failure| told(stage, SINK_TASK, &Throwable::from(failure)))
                .collect(),
            Err(error) => vec![fault(stage, &self.spec.class, &error)],
        };
        self.late.append(&mut task.drain().reports);
        let is_alive = task.is_alive();
        steps.put(
            if faults.is_empty() {
                StepResult::Done
            } else {
                StepResult::Failed
            },
            faults,
        );
        if !is_alive {
            // The next record is not to suffer for this one.
            self.task = None;
            self.begin().await;
        }
    }

    /// Has it make durable what it was given, as at a commit, and stops it.
    pub async fn end(&mut self, preview: &mut Preview) {
        if let Some(mut task) = self.task.take() {
            let outcome = finish(&mut task, &self.partitions, preview).await;
            self.late.append(&mut task.drain().reports);
            if let Err((call, error)) = outcome {
                self.failed(call, &error);
            }
        }
        for late in self.late.drain(..) {
            reported(preview, &late);
        }
        preview.plugin.append(&mut self.faults);
    }
}

async fn finish(
    task: &mut SinkTask,
    partitions: &[TopicPartition],
    preview: &Preview,
) -> Result<(), (&'static str, CallError)> {
    let position = |partition: &TopicPartition| {
        let offsets = preview.records.iter().filter(|record| is_of(record, partition));
        let last = offsets.filter_map(|record| record.offset).max()?;
        Some(PartitionOffset {
            partition: partition.clone(),
            offset: last.saturating_add(1),
        })
    };
    let positions: Vec<_> = partitions.iter().filter_map(position).collect();
    task.pre_commit(&positions)
        .await
        .map_err(|error| ("pre-commit", error))?;
    task.close(partitions).await.map_err(|error| ("close", error))?;
    task.stop().await.map_err(|error| ("stop", error))
}

fn is_of(record: &caisson_model::preview::Tried, partition: &TopicPartition) -> bool {
    *record.topic == *partition.topic && record.partition == Some(partition.partition)
}

/// Notes what the plugin reported of a record that it had taken.
fn reported(preview: &mut Preview, late: &LateFailure) {
    let mut records = preview.records.iter_mut();
    let found = records.find(|record| is_of(record, &late.partition) && record.offset == Some(late.offset));
    let error = Throwable::new(DATA_EXCEPTION, &*late.message);
    let fault = told(Stage::Put.as_str(), SINK_TASK, &error);
    let step = found.and_then(|record| record.steps.iter_mut().find(|step| step.name == StepName::Put));
    match step {
        Some(step) => {
            step.result = StepResult::Failed;
            step.faults.push(fault);
        }
        None => preview.plugin.push(fault),
    }
}

/// What is told of a failed call into a plugin, or into the connector that it is a task of.
pub fn fault(call: &'static str, class: &str, error: &CallError) -> Fault {
    told(call, class, &thrown(error))
}

/// A failed call as the exception that a status would show.
fn thrown(error: &CallError) -> Throwable {
    let kind = match error {
        CallError::Guest(error) => return Throwable::from(error),
        CallError::Trap { .. } => ErrorClass::Trap,
        CallError::Limit { .. } => ErrorClass::Limit,
        CallError::Host(_) => ErrorClass::Fatal,
    };
    let failure = Failure::from(error.clone());
    Throwable::new(CONNECT_EXCEPTION, failure.message).of_kind(kind)
}

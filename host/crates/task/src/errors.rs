//! What happens to records that fail on their own (`errors.*`): the task fails, or they are counted, logged if that was
//! asked for, and left out.

use caisson_model::{Failure, FailureKind, TaskId};

use crate::settings::{ErrorLog, ErrorPolicy, Tolerance};

/// Where a record failed; the words are Kafka Connect's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Put,
    Transformation,
    KeyConverter,
    ValueConverter,
    HeaderConverter,
    Produce,
}

impl Stage {
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Put => "TASK_PUT",
            Stage::Transformation => "TRANSFORMATION",
            Stage::KeyConverter => "KEY_CONVERTER",
            Stage::ValueConverter => "VALUE_CONVERTER",
            Stage::HeaderConverter => "HEADER_CONVERTER",
            Stage::Produce => "KAFKA_PRODUCE",
        }
    }
}

/// Where in Kafka a failed record came from, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    pub topic: &'a str,
    pub partition: Option<i32>,
    pub offset: Option<i64>,
}

/// Applies the error policy of a connector to the records of one task.
#[derive(Debug)]
pub struct Errors {
    task: TaskId,
    policy: ErrorPolicy,
    skipped: u64,
}

impl Errors {
    pub fn new(task: TaskId, policy: ErrorPolicy) -> Self {
        Errors {
            task,
            policy,
            skipped: 0,
        }
    }

    /// A record failed. `Ok`: it is left out. `Err`: the task has failed.
    pub fn record(
        &mut self,
        stage: Stage,
        class: &str,
        place: Option<Place<'_>>,
        message: &str,
    ) -> Result<(), Failure> {
        self.log(stage, class, place, message);
        match self.policy.tolerance {
            Tolerance::All => {
                self.skipped += 1;
                Ok(())
            }
            Tolerance::None => Err(Failure::new(FailureKind::Guest, "Tolerance exceeded in error handler")
                .with_detail(format!("Caused by: {message}\n{}", self.sentence(stage, class, place)))),
        }
    }

    /// A record was not delivered. Kafka's own refusals say what is wrong; the remedy is added where it is known.
    pub fn delivery(
        &mut self,
        stage: Stage,
        place: Place<'_>,
        error: &caisson_kafka::DeliveryError,
    ) -> Result<(), Failure> {
        let message = error.to_string();
        self.log(
            stage,
            "org.apache.kafka.clients.producer.KafkaProducer",
            Some(place),
            &message,
        );
        match self.policy.tolerance {
            Tolerance::All => {
                self.skipped += 1;
                Ok(())
            }
            Tolerance::None => {
                let message = format!("task {} could not write to topic {}: {message}", self.task, place.topic);
                let remedy = if error.error.code == caisson_kafka::ErrorCode::MESSAGE_TOO_LARGE {
                    "The record is larger than the max.request.size of the producer (producer.override.max.request.size \
                     of the connector, producer.max.request.size of the worker) or the max.message.bytes of the topic: \
                     raise what is too small, then restart the task."
                } else {
                    "If the topic does not exist, create it or let the broker or topic.creation.default.* create it, \
                     then restart the task."
                };
                let detail = format!("Unrecoverable exception from producer send callback. {remedy}");
                Err(Failure::host(message).with_detail(detail))
            }
        }
    }

    /// What `put` or a late report of a sink says of single records.
    pub fn put(&mut self, class: &str, failures: &[caisson_api::Failure]) -> Result<(), Failure> {
        for failure in failures {
            self.record(Stage::Put, class, None, &failure.message)?;
        }
        Ok(())
    }

    /// Failures that a sink reports after the call in which it was given the records.
    pub fn reported(&mut self, class: &str, reports: &[caisson_sandbox::LateFailure]) -> Result<(), Failure> {
        for report in reports {
            let place = Place {
                topic: &report.partition.topic,
                partition: Some(report.partition.partition),
                offset: Some(report.offset),
            };
            self.record(Stage::Put, class, Some(place), &report.message)?;
        }
        Ok(())
    }

    /// Says at the end of the task how many records were left out, if any were.
    pub fn summary(&self) {
        if self.skipped > 0 {
            tracing::warn!(
                records = self.skipped,
                "records were left out, as errors.tolerance allows"
            );
        }
    }

    fn log(&self, stage: Stage, class: &str, place: Option<Place<'_>>, message: &str) {
        let place = match self.policy.log {
            ErrorLog::Off => return,
            ErrorLog::WithoutRecord => None,
            ErrorLog::WithRecord => place,
        };
        tracing::error!(error = message, "{}", self.sentence(stage, class, place));
    }

    fn sentence(&self, stage: Stage, class: &str, place: Option<Place<'_>>) -> String {
        let mut text = format!(
            "Error encountered in task {}. Executing stage '{}' with class '{class}'",
            self.task,
            stage.as_str()
        );
        if let Some(place) = place {
            text.push_str(&format!(", where the record is {{topic='{}'", place.topic));
            if let Some(partition) = place.partition {
                text.push_str(&format!(", partition={partition}"));
            }
            if let Some(offset) = place.offset {
                text.push_str(&format!(", offset={offset}"));
            }
            text.push('}');
        }
        text.push('.');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(tolerance: Tolerance) -> Errors {
        Errors::new(
            TaskId::new("c", 0),
            ErrorPolicy {
                tolerance,
                log: ErrorLog::WithRecord,
            },
        )
    }

    #[test]
    fn without_tolerance_the_task_fails_and_names_stage_class_and_place() {
        let place = Place {
            topic: "t",
            partition: Some(1),
            offset: Some(7),
        };
        let failure = errors(Tolerance::None)
            .record(Stage::ValueConverter, "JsonConverter", Some(place), "bad JSON")
            .expect_err("it must fail");
        let trace = failure.trace();
        for part in [
            "Tolerance exceeded",
            "bad JSON",
            "VALUE_CONVERTER",
            "JsonConverter",
            "offset=7",
        ] {
            assert!(trace.contains(part), "{part} in {trace}");
        }
    }

    #[test]
    fn with_tolerance_the_record_is_counted_and_left_out() {
        let mut errors = errors(Tolerance::All);
        assert!(errors.record(Stage::Put, "Sink", None, "no").is_ok());
        assert_eq!(errors.skipped, 1);
    }
}

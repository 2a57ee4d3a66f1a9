//! Offsets of connectors as REST shows and changes them: those of sources in the worker's store, those of sinks in Kafka.

use caisson_herder::{Config, ConnectorOffset, Error, OffsetChanges, OffsetOutcome};
use caisson_worker::{OffsetsError, Worker};
use serde_json::Value;

pub async fn list(worker: &Worker, name: &str, config: &Config) -> Result<Vec<ConnectorOffset>, Error> {
    if let Some(group) = worker.sink_group(name, config) {
        let offsets = worker.sink_offsets(&group).await.map_err(failed)?;
        let shown =
            |offset: caisson_model::PartitionOffset| caisson_herder::offsets::of_sink(&offset.partition, offset.offset);
        return Ok(offsets.into_iter().map(shown).collect());
    }
    let offsets = worker.source_offsets(name, config).await.map_err(failed)?;
    let object = |value: Value| match value {
        Value::Object(members) => Some(members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    };
    Ok(offsets
        .into_iter()
        .map(|entry| ConnectorOffset {
            partition: object(entry.partition),
            offset: object(entry.offset),
        })
        .collect())
}

pub async fn alter(
    worker: &Worker,
    name: &str,
    config: &Config,
    changes: OffsetChanges,
) -> Result<OffsetOutcome, Error> {
    match changes {
        OffsetChanges::Source(changes) => {
            let changes = changes.into_iter().map(|change| {
                let partition = change.partition.map_or(Value::Null, Value::Object);
                (partition, change.offset.map(Value::Object))
            });
            outcome(worker.alter_source_offsets(name, config, changes.collect()).await)
        }
        OffsetChanges::Sink(changes) => match worker.alter_sink_offsets(name, config, &changes).await {
            Err(OffsetsError::Kafka(error)) => {
                tracing::warn!(connector = name, %error, "offsets of the consumer group could not be changed");
                Err(Error::Other(format!(
                    "Failed to alter consumer group offsets for connector {name}"
                )))
            }
            result => outcome(result),
        },
    }
}

pub async fn reset(worker: &Worker, name: &str, config: &Config) -> Result<OffsetOutcome, Error> {
    if worker.sink_group(name, config).is_some() {
        return outcome(worker.reset_sink_offsets(name, config).await);
    }
    let stored = worker.source_offsets(name, config).await.map_err(failed)?;
    let changes = stored.into_iter().map(|entry| (entry.partition, None)).collect();
    outcome(worker.alter_source_offsets(name, config, changes).await)
}

/// True: the plugin has agreed by name.
fn outcome(result: Result<bool, OffsetsError>) -> Result<OffsetOutcome, Error> {
    match result {
        Ok(true) => Ok(OffsetOutcome::Complete),
        Ok(false) => Ok(OffsetOutcome::FrameworkOnly),
        Err(error) => Err(failed(error)),
    }
}

fn failed(error: OffsetsError) -> Error {
    Error::Other(error.to_string())
}

//! Tasks that run here and now, without Kafka (`caisson run`): assembled as any task is, from a connector's configuration.

use std::sync::Arc;

use caisson_config::ConnectorConfig;
use caisson_config::connector::{DeadLetterHeaders, Flow};
use caisson_config::validate::check_links;
use caisson_model::{Failure, TargetState, TaskId};
use caisson_store::{Config, OffsetKey};
use caisson_task::TaskSettings;
use caisson_task::errors::LetterHeaders;
use caisson_task::local::{LetterBox, LocalSink, LocalSource};

use crate::Worker;
use crate::assemble::{config_error, kind_of};
use crate::connectors::hidden;
use crate::offsets::StoredOffsets;

impl Worker {
    /// The first task of a source connector, started.
    pub async fn local_source(&self, name: &str, config: &Config) -> Result<LocalSource, Failure> {
        let LocalTask { task, letters, flow } = self.local_task(name, config).await?;
        let boundary = match &flow {
            Flow::Source(source) => self.boundary(source),
            Flow::Sink(_) => return Err(Failure::host(format!("connector {name} is a sink"))),
        };
        let reader = Arc::new(StoredOffsets::new(&task.id.connector, self.offsets.clone()));
        LocalSource::start(task, letters, boundary, reader).await
    }

    /// The first task of a sink connector, started.
    pub async fn local_sink(&self, name: &str, config: &Config) -> Result<LocalSink, Failure> {
        let LocalTask { task, letters, .. } = self.local_task(name, config).await?;
        LocalSink::start(task, letters).await
    }

    /// Stores what a source has come to: partitions and offsets as JSON.
    pub async fn store_offsets(&self, name: &str, offsets: &[(String, String)]) -> Result<(), Failure> {
        let pair = |(partition, offset): &(String, String)| {
            let key = OffsetKey::new(name, partition)?;
            Ok((key.to_bytes(), Some(offset.as_bytes().to_vec())))
        };
        let pairs: Result<Vec<_>, caisson_store::Error> = offsets.iter().map(pair).collect();
        let stored = match pairs {
            Ok(pairs) => self.offsets.put(pairs).await,
            Err(error) => Err(error),
        };
        stored.map_err(|error| Failure::host(format!("offsets of {name} cannot be stored: {error}")))
    }

    /// Starts the connector and puts its first task together. There is no dead letter queue to send to: letters are kept.
    async fn local_task(&self, name: &str, connector: &Config) -> Result<LocalTask, Failure> {
        self.start_connector(name, connector, TargetState::Started).await?;
        let own = self.task_configs(name, 1).await?.into_iter().next();
        let own = own.ok_or_else(|| Failure::host(format!("connector {name} has no work for a task")))?;
        let (given, secrets) = self.resolve_with_secrets(connector);
        let installed = self.installed_connector(&given)?;
        let config = ConnectorConfig::new(&given, kind_of(installed.plugin().kind));
        let mut config = config.map_err(|error| hidden(&secrets, config_error(&error)))?;
        check_links(&given, self.plugins().catalogue()).map_err(|error| hidden(&secrets, config_error(&error)))?;
        let letters = match &mut config.flow {
            Flow::Source(source) => source.dead_letters.take(),
            Flow::Sink(sink) => sink.dead_letters.take(),
        };
        let letters = letters.map(|letters| LetterBox {
            topic: letters.topic,
            headers: LetterHeaders {
                context: letters.headers == DeadLetterHeaders::On,
                class: config.errors.letter_class,
            },
        });
        let own = self.resolve(&own).to_config();
        let task = self.task_settings(&TaskId::new(name, 0), &installed, (&given, &config), own)?;
        Ok(LocalTask {
            task,
            letters,
            flow: config.flow,
        })
    }
}

/// A task that is put together.
struct LocalTask {
    task: TaskSettings,
    letters: Option<LetterBox>,
    flow: Flow,
}

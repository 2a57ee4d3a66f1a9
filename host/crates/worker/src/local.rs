//! Tasks that run here and now, without Kafka (`caisson run`): assembled as any task is, from a connector's configuration.

use std::sync::Arc;

use caisson_config::ConnectorConfig;
use caisson_config::connector::Flow;
use caisson_config::validate::check_links;
use caisson_model::{Failure, TargetState, TaskId};
use caisson_store::{Config, OffsetKey};
use caisson_task::TaskSettings;
use caisson_task::local::{LocalSink, LocalSource};

use crate::Worker;
use crate::assemble::{config_error, kind_of};
use crate::connectors::hidden;
use crate::offsets::StoredOffsets;

impl Worker {
    /// The first task of a source connector, started.
    pub async fn local_source(&self, name: &str, config: &Config) -> Result<LocalSource, Failure> {
        let task = self.local_task(name, config).await?;
        let reader = Arc::new(StoredOffsets::new(&task.id.connector, self.offsets.clone()));
        LocalSource::start(task, reader).await
    }

    /// The first task of a sink connector, started.
    pub async fn local_sink(&self, name: &str, config: &Config) -> Result<LocalSink, Failure> {
        LocalSink::start(self.local_task(name, config).await?).await
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

    /// Starts the connector and puts its first task together. What failed goes to no dead letter queue: there is none.
    async fn local_task(&self, name: &str, connector: &Config) -> Result<TaskSettings, Failure> {
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
        if let Some(letters) = letters {
            tracing::warn!(
                topic = letters.topic,
                "without Kafka there is no dead letter queue: what fails is in the log alone"
            );
        }
        let own = self.resolve(&own).to_config();
        self.task_settings(&TaskId::new(name, 0), &installed, (&given, &config), own)
    }
}

//! How records and offsets of sources reach Kafka: at least once, or exactly once where the cluster has that enabled
//! (KIP-618).

use std::sync::Arc;
use std::time::Duration;

use caisson_config::ConnectorConfig;
use caisson_config::connector::{Boundary, SourceConfig};
use caisson_config::worker::{Cluster, ExactlyOnce as Support, Mode};
use caisson_kafka::{ClientSettings, Layer, LogEntry, Properties, TransactionalLogWriter};
use caisson_model::{Failure, TaskId};
use caisson_store::log::Pair;
use caisson_task::{ExactlyOnce, Guarantee, Preflight};

use crate::Worker;
use crate::offsets::OffsetsError;
use crate::source_stores::{SourceStores, put_to_both};

/// For each step of writing offsets that an operator has changed.
const PATIENCE: Duration = Duration::from_secs(30);

impl Worker {
    /// Whether source tasks write in transactions, and in which cluster.
    pub(crate) fn exactly_once(&self) -> Option<&Cluster> {
        match &self.config.mode {
            Mode::Distributed(cluster) if cluster.exactly_once == Support::Enabled => Some(cluster),
            Mode::Distributed(_) | Mode::Standalone { .. } => None,
        }
    }

    pub(crate) fn guarantee(
        &self,
        id: &TaskId,
        (config, source): (&ConnectorConfig, &SourceConfig),
        stores: &SourceStores,
        preflight: Option<Arc<dyn Preflight>>,
    ) -> Result<Guarantee, Failure> {
        let (Some(cluster), Some(topic)) = (self.exactly_once(), &stores.topic) else {
            return Ok(Guarantee::AtLeastOnce {
                producer: self.producer(id, config)?,
                offsets: stores.all.clone(),
            });
        };
        Ok(Guarantee::ExactlyOnce(ExactlyOnce {
            producer: self.transactional_settings(&cluster.group_id, id, config)?,
            offsets_topic: topic.clone(),
            others: stores.others.clone(),
            boundary: self.boundary(source),
            preflight,
        }))
    }

    /// Where transactions of a source end.
    pub(crate) fn boundary(&self, source: &SourceConfig) -> caisson_task::Boundary {
        match source.boundary {
            Boundary::Poll => caisson_task::Boundary::Poll,
            Boundary::Interval(interval) => {
                caisson_task::Boundary::Interval(interval.unwrap_or(self.config.commit_interval))
            }
            Boundary::Connector => caisson_task::Boundary::Connector,
        }
    }

    /// The producer of one task of an exactly-once source. Its transactional id is not the user's to choose: by it a later
    /// task fences this one.
    fn transactional_settings(
        &self,
        group: &str,
        id: &TaskId,
        config: &ConnectorConfig,
    ) -> Result<ClientSettings, Failure> {
        let base = self.base(&[("client.id", format!("connector-producer-{id}"))]);
        let own = Properties::from([
            ("enable.idempotence".to_owned(), "true".to_owned()),
            ("transactional.id".to_owned(), format!("{group}-{id}")),
        ]);
        for (name, value) in &own {
            let given = config.producer.get(name).or_else(|| self.config.producer.get(name));
            if given.is_some_and(|given| given != value) {
                tracing::warn!(setting = name, connector = %id.connector,
                    "producer setting has no effect: with exactly-once support the worker decides it");
            }
        }
        let layers = [
            Layer::Client(&base),
            Layer::Client(&self.config.producer),
            Layer::Client(&config.producer),
            Layer::Client(&own),
        ];
        ClientSettings::producer(&layers)
            .map_err(|error| Failure::host(format!("producer settings of task {id} cannot be used: {error}")))
    }

    /// Writes offsets of a connector that does not run. With exactly-once support by the transactional id of its first
    /// task, which fences a zombie of that one off; of the others the leader has taken care.
    pub(crate) async fn write_offsets(
        &self,
        connector: &Arc<str>,
        config: &ConnectorConfig,
        stores: &SourceStores,
        pairs: Vec<Pair>,
    ) -> Result<(), OffsetsError> {
        let (Some(cluster), Some(topic)) = (self.exactly_once(), &stores.topic) else {
            return Ok(stores.all.put(pairs).await?);
        };
        let first = TaskId::new(connector.clone(), 0);
        let settings = self.transactional_settings(&cluster.group_id, &first, config);
        let writer = TransactionalLogWriter::new(&settings.map_err(OffsetsError::Guest)?)?;
        writer.claim(PATIENCE).await?;
        let put = put_to_both(stores.others.as_ref(), pairs, |pairs| {
            let writer = &writer;
            Box::pin(async move {
                let entry = |(key, value): Pair| LogEntry::new(key, value);
                let entries: Vec<LogEntry> = pairs.into_iter().map(entry).collect();
                let written = writer.append(topic, &entries, PATIENCE).await;
                written.map_err(|error| caisson_store::Error::Unavailable(error.to_string()))
            })
        });
        Ok(put.await?)
    }
}

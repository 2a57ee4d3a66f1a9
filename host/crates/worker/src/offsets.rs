//! Source offsets of one connector: for its guests to read, and for REST to show and change.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use caisson_api::manifest::{PluginKind, ability};
use caisson_config::connector::Flow;
use caisson_config::{ConnectorConfig, ConnectorKind};
use caisson_model::{Failure, PartitionOffset, TopicPartition};
use caisson_sandbox::{
    InstanceSpec, Label, OffsetAnswer, OffsetReader, SinkConnector, SinkOffsetChange, SourceConnector,
    SourceOffsetChange,
};
use caisson_store::{Config, OffsetKey, OffsetStore};

use crate::Worker;
use crate::assemble::config_error;
use crate::clients::ADMIN_TIMEOUT;
use crate::connectors::on_thread;
use crate::source_stores::SourceStores;

/// One source partition and its offset, both JSON.
pub type SourceOffset = caisson_store::OffsetEntry;

/// Why offsets could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum OffsetsError {
    #[error(transparent)]
    Store(#[from] caisson_store::Error),
    #[error(transparent)]
    Kafka(#[from] caisson_kafka::Error),
    #[error("{}", .0.message)]
    Guest(caisson_model::Failure),
}

/// What a guest may read: the offsets of its own connector.
pub(crate) struct StoredOffsets {
    connector: Arc<str>,
    store: Arc<dyn OffsetStore>,
    away: AtomicBool,
}

impl StoredOffsets {
    pub fn new(connector: &Arc<str>, store: Arc<dyn OffsetStore>) -> Self {
        StoredOffsets {
            connector: connector.clone(),
            store,
            away: AtomicBool::new(false),
        }
    }
}

impl OffsetReader for StoredOffsets {
    fn get(&self, partitions: Vec<String>) -> OffsetAnswer<'_> {
        Box::pin(async move {
            let key = |partition: &String| OffsetKey::new(&self.connector, partition).map(|key| key.to_bytes());
            let keys = partitions
                .iter()
                .map(key)
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| error.to_string())?;
            let answer = self.store.get(keys).await;
            let is_away = matches!(answer, Err(caisson_store::Error::Unavailable(_)));
            self.away.store(is_away, Ordering::Relaxed);
            let values = answer.map_err(|error| error.to_string())?;
            Ok(values
                .into_iter()
                .map(|value| value.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
                .collect())
        })
    }

    fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }
}

impl Worker {
    /// The stored offsets of a source connector.
    pub async fn source_offsets(&self, name: &str, config: &Config) -> Result<Vec<SourceOffset>, OffsetsError> {
        let (name, config) = (Arc::from(name), self.typed(config)?);
        Ok(self.stores_of(&name, &config).await?.all.entries(&name).await?)
    }

    /// Writes or removes (no value) offsets of a source connector.
    async fn put_source_offsets(
        &self,
        name: &str,
        config: &Config,
        changes: Vec<(serde_json::Value, Option<serde_json::Value>)>,
    ) -> Result<(), OffsetsError> {
        let pair = |(partition, offset): (serde_json::Value, Option<serde_json::Value>)| {
            let key = OffsetKey {
                connector: name.to_owned(),
                partition,
            }
            .to_bytes();
            (key, offset.map(|offset| offset.to_string().into_bytes()))
        };
        let pairs = changes.into_iter().map(pair).collect();
        let (name, config) = (Arc::from(name), self.typed(config)?);
        let stores = self.stores_of(&name, &config).await?;
        self.write_offsets(&name, &config, &stores, pairs).await
    }

    fn typed(&self, config: &Config) -> Result<ConnectorConfig, OffsetsError> {
        let config = ConnectorConfig::new(&self.resolve(config), ConnectorKind::Source);
        config.map_err(|error| OffsetsError::Guest(config_error(&error)))
    }

    async fn stores_of(&self, name: &Arc<str>, config: &ConnectorConfig) -> Result<SourceStores, OffsetsError> {
        let Flow::Source(source) = &config.flow else {
            let text = format!("connector {name} is not a source");
            return Err(OffsetsError::Guest(Failure::host(text)));
        };
        let stores = self.source_stores(name, config, source).await;
        stores.map_err(OffsetsError::Guest)
    }
}

/// The offsets of source and sink connectors that REST changes.
impl Worker {
    /// The consumer group of a sink connector; none for a source.
    pub fn sink_group(&self, name: &str, config: &Config) -> Option<String> {
        let given = self.resolve(config);
        let class = given.get("connector.class").unwrap_or_default();
        match self.connector_kind(class)? {
            PluginKind::Sink => {
                let own = given.get("consumer.override.group.id");
                Some(own.map_or_else(|| format!("connect-{name}"), str::to_owned))
            }
            PluginKind::Source
            | PluginKind::Transform
            | PluginKind::Predicate
            | PluginKind::Converter
            | PluginKind::HeaderConverter => None,
        }
    }

    /// What a consumer group has committed.
    pub async fn sink_offsets(&self, group: &str) -> Result<Vec<PartitionOffset>, OffsetsError> {
        let (admin, group) = (self.admin()?, group.to_owned());
        blocking(move || Ok(admin.group_offsets(&group, None, ADMIN_TIMEOUT)?)).await
    }

    /// Asks the plugin and then changes stored offsets. True: the plugin says that it has looked after the change.
    pub async fn alter_source_offsets(
        &self,
        name: &str,
        config: &Config,
        changes: Vec<(serde_json::Value, Option<serde_json::Value>)>,
    ) -> Result<bool, OffsetsError> {
        let asked: Vec<SourceOffsetChange> = changes
            .iter()
            .map(|(partition, offset)| SourceOffsetChange {
                partition: partition.to_string(),
                offset: offset.as_ref().map(ToString::to_string),
            })
            .collect();
        let spec = self.spec(name, config)?;
        let agreed = match spec.able(ability::ALTERS_OFFSETS) {
            false => false,
            true => {
                let made = on_thread(async move {
                    SourceConnector::create(spec.instance, None)
                        .await?
                        .alter_offsets(&asked)
                        .await
                });
                made.await
                    .map_err(OffsetsError::Guest)?
                    .map_err(|error| OffsetsError::Guest(error.into()))?
            }
        };
        self.put_source_offsets(name, config, changes).await?;
        Ok(agreed)
    }

    /// Asks the plugin and then changes what its group has committed.
    pub async fn alter_sink_offsets(
        &self,
        name: &str,
        config: &Config,
        changes: &[(TopicPartition, Option<i64>)],
    ) -> Result<bool, OffsetsError> {
        let asked: Vec<SinkOffsetChange> = changes
            .iter()
            .map(|(partition, offset)| SinkOffsetChange {
                partition: partition.clone(),
                offset: *offset,
            })
            .collect();
        let spec = self.spec(name, config)?;
        let agreed = match spec.able(ability::ALTERS_OFFSETS) {
            false => false,
            true => {
                let made =
                    on_thread(async move { SinkConnector::create(spec.instance).await?.alter_offsets(&asked).await });
                made.await
                    .map_err(OffsetsError::Guest)?
                    .map_err(|error| OffsetsError::Guest(error.into()))?
            }
        };
        let group = self.sink_group(name, config).unwrap_or_default();
        let set: Vec<PartitionOffset> = changes
            .iter()
            .filter_map(|(partition, offset)| {
                Some(PartitionOffset {
                    partition: partition.clone(),
                    offset: (*offset)?,
                })
            })
            .collect();
        let removed: Vec<TopicPartition> = changes
            .iter()
            .filter(|(_, offset)| offset.is_none())
            .map(|(partition, _)| partition.clone())
            .collect();
        let admin = self.admin()?;
        blocking(move || {
            admin.alter_group_offsets(&group, &set, ADMIN_TIMEOUT)?;
            Ok(admin.delete_group_offsets(&group, &removed, ADMIN_TIMEOUT)?)
        })
        .await?;
        Ok(agreed)
    }

    /// Forgets what the group of a sink has committed.
    pub async fn reset_sink_offsets(&self, name: &str, config: &Config) -> Result<bool, OffsetsError> {
        let group = self.sink_group(name, config).unwrap_or_default();
        let changes: Vec<_> = self
            .sink_offsets(&group)
            .await?
            .into_iter()
            .map(|offset| (offset.partition, None))
            .collect();
        self.alter_sink_offsets(name, config, &changes).await
    }

    fn spec(&self, name: &str, config: &Config) -> Result<Asked, OffsetsError> {
        let given = self.resolve(config);
        let installed = self.installed_connector(&given).map_err(OffsetsError::Guest)?;
        Ok(Asked {
            abilities: installed.plugin().abilities.clone(),
            instance: InstanceSpec {
                module: installed.module.clone(),
                class: installed.plugin().class.clone(),
                config: given.to_config(),
                label: Label {
                    connector: name.into(),
                    task: None,
                },
                limits: None,
            },
        })
    }
}

/// A plugin that is asked something in an instance of its own.
struct Asked {
    abilities: Vec<String>,
    instance: InstanceSpec,
}

impl Asked {
    fn able(&self, ability: &str) -> bool {
        self.abilities.iter().any(|own| own == ability)
    }
}

async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, OffsetsError> + Send + 'static,
) -> Result<T, OffsetsError> {
    match tokio::task::spawn_blocking(call).await {
        Ok(result) => result,
        Err(error) => Err(OffsetsError::Guest(Failure::host(format!(
            "the worker has a bug: {error}"
        )))),
    }
}

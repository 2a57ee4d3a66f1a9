//! Where the offsets of a source connector are: in the worker's store, or in a topic of its own (`offsets.storage.topic`)
//! that the worker's store is told of. Kafka Connect's `ConnectorOffsetBackingStore`.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use caisson_config::ConnectorConfig;
use caisson_config::connector::SourceConfig;
use caisson_config::worker::{InternalTopic, Mode};
use caisson_kafka::{ClientSettings, Layer, Properties};
use caisson_model::Failure;
use caisson_store::log::Pair;
use caisson_store::{BoxFuture, Error, OffsetEntry, OffsetStore};

use crate::Worker;

/// Makes stores of topics, which is for whoever knows both.
pub trait OffsetTopics: Send + Sync {
    /// A store behind this topic, which is made if it is not there. Its thread ends when the store is dropped.
    fn open<'a>(
        &'a self,
        topic: &'a InternalTopic,
        clients: OffsetClients,
    ) -> BoxFuture<'a, Result<Arc<dyn OffsetStore>, Error>>;
}

/// The clients of an offsets topic, which may be in another Kafka cluster than the worker's.
pub struct OffsetClients {
    pub admin: ClientSettings,
    pub reader: ClientSettings,
    pub producer: ClientSettings,
}

/// Topics of connectors that are read, for all who need them at the moment.
pub(crate) type OpenTopics = HashMap<(Arc<str>, String), Weak<dyn OffsetStore>>;

/// The stores of one source connector's offsets.
pub(crate) struct SourceStores {
    /// The topic that has the last word; none without a cluster.
    pub topic: Option<String>,
    /// Another store, which is told of what is written to that topic.
    pub others: Option<Arc<dyn OffsetStore>>,
    /// To read from and to write to.
    pub all: Arc<dyn OffsetStore>,
}

impl Worker {
    pub(crate) async fn source_stores(
        &self,
        connector: &Arc<str>,
        config: &ConnectorConfig,
        source: &SourceConfig,
    ) -> Result<SourceStores, Failure> {
        let Mode::Distributed(cluster) = &self.config.mode else {
            return Ok(SourceStores {
                topic: None,
                others: None,
                all: self.offsets.clone(),
            });
        };
        let worker = &cluster.offsets;
        let own = source.offsets_topic.as_ref().filter(|topic| **topic != worker.name);
        let (Some(topic), Some(_)) = (own, &self.offset_topics) else {
            return Ok(SourceStores {
                topic: Some(worker.name.clone()),
                others: None,
                all: self.offsets.clone(),
            });
        };
        let topic = InternalTopic {
            name: topic.clone(),
            ..worker.clone()
        };
        let own = self.open_topic(connector, config, &topic).await?;
        let worker = self.offsets.clone();
        Ok(SourceStores {
            topic: Some(topic.name),
            others: Some(worker.clone()),
            all: Arc::new(TwoStores { own, worker }),
        })
    }

    /// One reader serves all tasks of a connector. Whoever comes while it is made waits for it.
    async fn open_topic(
        &self,
        connector: &Arc<str>,
        config: &ConnectorConfig,
        topic: &InternalTopic,
    ) -> Result<Arc<dyn OffsetStore>, Failure> {
        let Some(topics) = &self.offset_topics else {
            return Ok(self.offsets.clone());
        };
        let mut open = self.open_topics.lock().await;
        open.retain(|_, store| store.strong_count() > 0);
        let key = (connector.clone(), topic.name.clone());
        if let Some(store) = open.get(&key).and_then(Weak::upgrade) {
            return Ok(store);
        }
        let unusable = |error: String| {
            let name = &topic.name;
            Failure::host(format!(
                "offsets topic {name} of connector {connector} cannot be used: {error}"
            ))
        };
        let clients = self.offset_clients(connector, config);
        let clients = clients.map_err(|error| unusable(error.to_string()))?;
        let store = topics
            .open(topic, clients)
            .await
            .map_err(|error| unusable(error.to_string()))?;
        open.insert(key, Arc::downgrade(&store));
        Ok(store)
    }

    fn offset_clients(
        &self,
        connector: &Arc<str>,
        config: &ConnectorConfig,
    ) -> Result<OffsetClients, caisson_kafka::Error> {
        let base = self.base(&[("client.id", format!("connector-offsets-{connector}"))]);
        let all = self.config.all.to_entries();
        let mut own = Properties::new();
        if self.exactly_once().is_some() {
            own.insert("isolation.level".to_owned(), "read_committed".to_owned());
        }
        Ok(OffsetClients {
            admin: ClientSettings::admin(&[
                Layer::Mixed(&all),
                Layer::Client(&base),
                Layer::Client(&self.config.admin),
                Layer::Client(&config.admin),
            ])?,
            reader: ClientSettings::reader(&[
                Layer::Client(&base),
                Layer::Client(&self.config.consumer),
                Layer::Client(&config.consumer),
                Layer::Client(&own),
            ])?,
            producer: ClientSettings::producer(&[
                Layer::Client(&base),
                Layer::Client(&self.config.producer),
                Layer::Client(&config.producer),
            ])?,
        })
    }
}

/// A connector's own topic counts, and the worker's store has what was written before there was one.
struct TwoStores {
    own: Arc<dyn OffsetStore>,
    worker: Arc<dyn OffsetStore>,
}

impl OffsetStore for TwoStores {
    fn get(&self, keys: Vec<Vec<u8>>) -> BoxFuture<'_, Result<Vec<Option<Vec<u8>>>, Error>> {
        Box::pin(async move {
            let own = self.own.get(keys.clone()).await?;
            let worker = self.worker.get(keys).await?;
            Ok(own
                .into_iter()
                .zip(worker)
                .map(|(own, worker)| own.or(worker))
                .collect())
        })
    }

    fn put(&self, pairs: Vec<Pair>) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(put_to_both(Some(&self.worker), pairs, |pairs| self.own.put(pairs)))
    }

    fn entries(&self, connector: &str) -> BoxFuture<'_, Result<Vec<OffsetEntry>, Error>> {
        let connector = connector.to_owned();
        Box::pin(async move {
            let mut entries = self.own.entries(&connector).await?;
            for entry in self.worker.entries(&connector).await? {
                if !entries.iter().any(|own| own.partition == entry.partition) {
                    entries.push(entry);
                }
            }
            Ok(entries)
        })
    }
}

/// What is removed must be gone from both, or the other store's would show through: first there, then in the one that
/// counts. Of what is set the other one is told, if it can be.
pub(crate) async fn put_to_both<'a>(
    other: Option<&Arc<dyn OffsetStore>>,
    pairs: Vec<Pair>,
    put: impl FnOnce(Vec<Pair>) -> BoxFuture<'a, Result<(), Error>>,
) -> Result<(), Error> {
    let Some(other) = other else { return put(pairs).await };
    let (set, removed): (Vec<Pair>, Vec<Pair>) = pairs.iter().cloned().partition(|(_, offset)| offset.is_some());
    if !removed.is_empty() {
        other.put(removed).await?;
    }
    put(pairs).await?;
    if let Err(error) = other.put(set).await {
        tracing::warn!(%error, "could not write source offsets to the worker's topic; the connector's own has them");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use caisson_store::MemoryOffsetStore;

    use super::*;

    fn pair(key: &str, offset: Option<&str>) -> (Vec<u8>, Option<Vec<u8>>) {
        (key.as_bytes().to_vec(), offset.map(|offset| offset.as_bytes().to_vec()))
    }

    fn read(values: Vec<Option<Vec<u8>>>) -> Vec<String> {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        values
            .into_iter()
            .map(|value| value.map_or("none".to_owned(), text))
            .collect()
    }

    #[tokio::test]
    async fn a_connectors_own_offsets_win_and_what_is_removed_is_gone() {
        let (own, worker) = (Arc::new(MemoryOffsetStore::new()), Arc::new(MemoryOffsetStore::new()));
        let stores = TwoStores {
            own,
            worker: worker.clone(),
        };
        let (first, second) = (r#"["c",{"p":1}]"#, r#"["c",{"p":2}]"#);
        let keys = vec![first.as_bytes().to_vec(), second.as_bytes().to_vec()];
        let old = vec![pair(first, Some("{\"o\":1}")), pair(second, Some("{\"o\":1}"))];
        worker.put(old).await.unwrap();
        stores.put(vec![pair(first, Some("{\"o\":2}"))]).await.unwrap();
        let found = read(stores.get(keys.clone()).await.unwrap());
        assert_eq!(found, ["{\"o\":2}", "{\"o\":1}"]);
        // The worker's store has heard of it as well.
        assert_eq!(read(worker.get(keys.clone()).await.unwrap())[0], "{\"o\":2}");
        assert_eq!(stores.entries("c").await.unwrap().len(), 2);
        stores.put(vec![pair(first, None), pair(second, None)]).await.unwrap();
        assert_eq!(read(stores.get(keys).await.unwrap()), ["none", "none"]);
    }
}

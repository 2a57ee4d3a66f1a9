//! The Kafka clients of connectors: Kafka Connect's own settings, then the worker's `producer.*` and its like, then the
//! connector's overrides.

use std::sync::Arc;
use std::time::Duration;

use caisson_config::connector::Topics;
use caisson_config::tables::client::Client;
use caisson_config::{ConnectorConfig, Entries};
use caisson_kafka::{Admin, ClientSettings, Layer, Properties, SourceProducer, Subscription};
use caisson_model::{Failure, TaskId};

use crate::Worker;

/// How long a request of an admin client may take.
pub(crate) const ADMIN_TIMEOUT: Duration = Duration::from_secs(30);

impl Worker {
    /// Kafka Connect's own settings of a client.
    pub(crate) fn base(&self, own: &[(&str, String)]) -> Properties {
        let mut base = Properties::new();
        base.insert("bootstrap.servers".to_owned(), self.config.bootstrap_servers.clone());
        base.extend(own.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        base
    }

    pub(crate) fn consumer_settings(&self, id: &TaskId, config: &ConnectorConfig) -> Result<ClientSettings, Failure> {
        let base = self.base(&[
            ("group.id", format!("connect-{}", id.connector)),
            ("client.id", format!("connector-consumer-{id}")),
        ]);
        let layers = [
            Layer::Client(&base),
            Layer::Client(&self.config.consumer),
            Layer::Client(&config.consumer),
        ];
        check(Client::Consumer, &[&self.config.consumer, &config.consumer])?;
        ClientSettings::consumer(&layers)
            .map_err(|error| Failure::host(format!("consumer settings of task {id} cannot be used: {error}")))
    }

    /// Producers with equal settings are one producer.
    pub(crate) fn producer(&self, id: &TaskId, config: &ConnectorConfig) -> Result<Arc<SourceProducer>, Failure> {
        self.producer_of("connector-producer", id, config)
    }

    /// The producer of dead letters.
    pub(crate) fn letter_producer(
        &self,
        id: &TaskId,
        config: &ConnectorConfig,
    ) -> Result<Arc<SourceProducer>, Failure> {
        self.producer_of("connector-dlq-producer", id, config)
    }

    fn producer_of(&self, client: &str, id: &TaskId, config: &ConnectorConfig) -> Result<Arc<SourceProducer>, Failure> {
        let base = self.base(&[("client.id", format!("{client}-{id}"))]);
        let layers = [
            Layer::Client(&base),
            Layer::Client(&self.config.producer),
            Layer::Client(&config.producer),
        ];
        let unusable = |error: caisson_kafka::Error| {
            Failure::host(format!("producer settings of task {id} cannot be used: {error}"))
        };
        check(Client::Producer, &[&self.config.producer, &config.producer])?;
        let settings = ClientSettings::producer(&layers).map_err(unusable)?;
        self.producers.get(&settings).map_err(unusable)
    }

    /// The worker's own admin client, which takes its settings from all of the worker's properties.
    pub(crate) fn admin(&self) -> Result<Arc<Admin>, caisson_kafka::Error> {
        let mut admin = self.admin.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(admin) = &*admin {
            return Ok(admin.clone());
        }
        let base = self.base(&[("client.id", "connect-worker-adminclient".to_owned())]);
        let all = self.config.all.to_entries();
        let layers = [
            Layer::Mixed(&all),
            Layer::Client(&base),
            Layer::Client(&self.config.admin),
        ];
        let made = Arc::new(Admin::start(&ClientSettings::admin(&layers)?)?);
        *admin = Some(made.clone());
        Ok(made)
    }

    /// Lets go of the admin client until somebody needs one again: it has a thread for each broker.
    pub fn forget_admin(&self) {
        self.admin
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take();
    }

    /// The id of the Kafka cluster; waits up to `timeout` for a broker to tell it.
    pub async fn kafka_cluster_id(&self, timeout: Duration) -> Option<String> {
        let admin = self.admin().ok()?;
        tokio::task::spawn_blocking(move || admin.cluster_id(timeout))
            .await
            .ok()?
    }
}

/// Refuses what Kafka's own clients refuse: a setting that validation let pass fails the task.
fn check(client: Client, layers: &[&Entries]) -> Result<(), Failure> {
    let merged: Entries = layers.iter().flat_map(|layer| (*layer).clone()).collect();
    client.check(&merged).map_err(|error| Failure::host(error.0))
}

pub(crate) fn subscription(topics: &Topics) -> Subscription {
    match topics {
        Topics::Names(topics) => Subscription::Topics(topics.clone()),
        Topics::Pattern(pattern) => Subscription::Pattern(pattern.as_str().to_owned()),
    }
}

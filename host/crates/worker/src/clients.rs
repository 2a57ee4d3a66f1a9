//! The Kafka clients of connectors: Kafka Connect's own settings, then the worker's `producer.*` and its like, then the
//! connector's overrides.

use std::sync::Arc;
use std::time::Duration;

use caisson_config::connector::{Flow, Topics};
use caisson_config::tables::client::Client;
use caisson_config::{ConnectorConfig, Entries};
use caisson_kafka::{Admin, ClientSettings, Layer, Properties, SourceProducer, Subscription};
use caisson_model::{Failure, TaskId};

use crate::Worker;

/// How long a request of an admin client may take.
pub(crate) const ADMIN_TIMEOUT: Duration = Duration::from_secs(30);

/// The producer's setting of how large a record may be, and the least of it for letters of sources: what is larger still
/// than the topic of the queue takes, the broker refuses.
const REQUEST_SIZE: &str = "max.request.size";
const LETTER_BYTES: u64 = 16 << 20;

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
        self.producer_of("connector-producer", id, config, &Properties::new())
    }

    /// The producer of dead letters. A record that was too large for a source's own producer has to fit into its letter.
    pub(crate) fn letter_producer(
        &self,
        id: &TaskId,
        config: &ConnectorConfig,
    ) -> Result<Arc<SourceProducer>, Failure> {
        let roomy = match config.flow {
            Flow::Source(_) => self.letter_room(config),
            Flow::Sink(_) => Properties::new(),
        };
        self.producer_of("connector-dlq-producer", id, config, &roomy)
    }

    fn letter_room(&self, config: &ConnectorConfig) -> Properties {
        let mut layers = [&config.producer, &self.config.producer].into_iter();
        let given = layers.find_map(|layer| layer.get(REQUEST_SIZE)?.parse().ok());
        let room = given.unwrap_or(LETTER_BYTES).max(LETTER_BYTES);
        Properties::from([(REQUEST_SIZE.to_owned(), room.to_string())])
    }

    fn producer_of(
        &self,
        client: &str,
        id: &TaskId,
        config: &ConnectorConfig,
        over: &Properties,
    ) -> Result<Arc<SourceProducer>, Failure> {
        let base = self.base(&[("client.id", format!("{client}-{id}"))]);
        let layers = [
            Layer::Client(&base),
            Layer::Client(&self.config.producer),
            Layer::Client(&config.producer),
            Layer::Client(over),
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

//! What a distributed worker has that a standalone one has not, over Kafka: the internal topics, the membership in the
//! group, and the fencing of producers. The herder and the stores know the traits alone.

mod fencer;
mod log;
mod membership;
mod topics;

use caisson_config::WorkerConfig;
use caisson_kafka::{ClientSettings, Error, Layer, Properties};

pub use fencer::ProducerFencer;
pub use log::{ConnectorTopics, open_configs, open_modules, open_offsets, open_statuses};
pub use membership::GroupMembership;
pub use topics::prepare;

/// Settings of the worker's own clients, which come from all of its properties.
pub struct Clients<'a> {
    config: &'a WorkerConfig,
    group_id: &'a str,
    client_id: String,
}

impl<'a> Clients<'a> {
    pub fn new(config: &'a WorkerConfig, group_id: &'a str, client_id: &str, worker_id: &str) -> Clients<'a> {
        let client_id = match client_id {
            "" => format!("connect-{worker_id}"),
            given => given.to_owned(),
        };
        Clients {
            config,
            group_id,
            client_id,
        }
    }

    /// The group's client goes by the worker's own name.
    pub fn group(&self) -> Result<ClientSettings, Error> {
        self.layered(&[("client.id", self.client_id.clone())], ClientSettings::admin)
    }

    pub fn admin(&self) -> Result<ClientSettings, Error> {
        let client_id = format!("{}-shared-admin", self.client_id);
        self.layered(&[("client.id", client_id)], ClientSettings::admin)
    }

    /// For what is written to an internal topic. A worker that waits for ever is of no use, so a write has an end.
    pub fn producer(&self, purpose: &str) -> Result<ClientSettings, Error> {
        let own = [
            ("client.id", format!("{}-{purpose}", self.client_id)),
            ("delivery.timeout.ms", "30000".to_owned()),
            ("request.timeout.ms", "10000".to_owned()),
            ("linger.ms", "0".to_owned()),
        ];
        self.layered(&own, ClientSettings::producer)
    }

    /// For what only the leader writes.
    pub fn leader_producer(&self) -> Result<ClientSettings, Error> {
        let own = [
            ("client.id", format!("{}-leader", self.client_id)),
            ("transactional.id", format!("connect-cluster-{}", self.group_id)),
            ("transaction.timeout.ms", "10000".to_owned()),
            ("linger.ms", "0".to_owned()),
        ];
        self.layered(&own, ClientSettings::producer)
    }

    /// `committed`: what a transaction has left open or undone is not seen.
    pub fn reader(&self, purpose: &str, committed: bool) -> Result<ClientSettings, Error> {
        let isolation = if committed {
            "read_committed"
        } else {
            "read_uncommitted"
        };
        let own = [
            ("client.id", format!("{}-{purpose}", self.client_id)),
            ("isolation.level", isolation.to_owned()),
        ];
        self.layered(&own, ClientSettings::reader)
    }

    fn layered(
        &self,
        own: &[(&str, String)],
        make: impl FnOnce(&[Layer<'_>]) -> Result<ClientSettings, Error>,
    ) -> Result<ClientSettings, Error> {
        let mut base = Properties::new();
        base.insert("bootstrap.servers".to_owned(), self.config.bootstrap_servers.clone());
        base.extend(own.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let all = self.config.all.to_entries();
        make(&[Layer::Mixed(&all), Layer::Client(&base)])
    }
}

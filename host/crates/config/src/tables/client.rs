//! Settings of Kafka's clients, as overrides of a connector are checked against them.

mod admin;
mod connection;
mod consumer;
mod producer;

use caisson_api::config::{ConfigError, NoChecks, Setting};

use crate::definition::{Definition, definitions};
use crate::given::Entries;
use crate::tables::security;

/// A kind of client that a connector may change settings of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Client {
    Producer,
    Consumer,
    Admin,
}

impl Client {
    pub const ALL: [Client; 3] = [Client::Producer, Client::Consumer, Client::Admin];

    /// Of keys in a worker's configuration.
    pub fn prefix(self) -> &'static str {
        match self {
            Client::Producer => "producer.",
            Client::Consumer => "consumer.",
            Client::Admin => "admin.",
        }
    }

    /// Of keys in a connector's configuration.
    pub fn override_prefix(self) -> &'static str {
        match self {
            Client::Producer => "producer.override.",
            Client::Consumer => "consumer.override.",
            Client::Admin => "admin.override.",
        }
    }

    /// What the client of that kind can be told.
    pub fn definitions(self) -> Vec<Definition> {
        let (own, connection) = match self {
            Client::Producer => (producer::PRODUCER, &producer::CONNECTION),
            Client::Consumer => (consumer::CONSUMER, &consumer::CONNECTION),
            Client::Admin => (admin::ADMIN, &admin::CONNECTION),
        };
        [own, &connection.lines(), security::SSL, security::SASL]
            .into_iter()
            .flat_map(definitions)
            .collect()
    }

    /// The first of these settings with which Kafka's own client of that kind would not start, in its words.
    pub fn check(self, settings: &Entries) -> Result<(), ConfigError> {
        for definition in self.definitions() {
            let name = definition.name();
            if let Some(text) = settings.get(name) {
                let value = Setting::parse(name, text, definition.key.kind)?;
                definition.check(name, &value, &NoChecks)?;
            }
        }
        Ok(())
    }
}

//! The connector: its keys, its checks, its one task.

use caisson_sdk::api;
use caisson_sdk::prelude::*;

use crate::config::{Options, keys, out_of_range, refused};
use crate::table::envelope::VERSION;
use crate::task::PostgresTask;
use crate::validation;

/// `io.debezium.connector.postgresql.PostgresConnector`.
pub struct PostgresConnector;

/// The class that configurations name.
pub const CLASS: &str = "io.debezium.connector.postgresql.PostgresConnector";

impl SourceConnector for PostgresConnector {
    type Task = PostgresTask;

    fn plugin() -> Plugin {
        let plugin = Plugin::new(CLASS, VERSION)
            .alias("PostgresConnector")
            .documentation("Changes of PostgreSQL tables, in Debezium's format, by logical replication with pgoutput.")
            .key_encoding(Encoding::Connect)
            .value_encoding(Encoding::Connect)
            .header_encoding(Encoding::Connect)
            .ability(Ability::Validates)
            .ability(Ability::DeliveryReports)
            .ability(Ability::ExactlyOnce)
            .ability(Ability::Exclusive)
            .network("${database.hostname}:${database.port}")
            .read("${database.sslrootcert}")
            .read("${database.sslcert}")
            .read("${database.sslkey}");
        keys::definitions().fold(plugin, Plugin::key)
    }

    fn start(settings: &Settings, _: &ConnectorContext) -> Result<Self, api::Error> {
        let config = settings.config();
        if let Some((_, reason)) = refused(config).into_iter().chain(out_of_range(config)).next() {
            return Err(api::Error::config(reason));
        }
        Options::read(settings)?;
        Ok(PostgresConnector)
    }

    fn validate(config: &Config) -> Result<Vec<ConfigValue>, api::Error> {
        Ok(validation::validate(config))
    }

    fn exactly_once(_: &Settings) -> ExactlyOnce {
        ExactlyOnce::Supported
    }
}

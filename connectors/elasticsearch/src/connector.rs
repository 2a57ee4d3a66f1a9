//! The configured job: what it is called, what it wants to reach, and whether a configuration will do.

use caisson_sdk::api::config::ConfigDef;
use caisson_sdk::prelude::*;
use caisson_sdk::{info, warn};

use crate::keys;
use crate::options::Options;
use crate::task::ElasticsearchSinkTask;
use crate::validation;

/// The Elasticsearch sink (`io.confluent.connect.elasticsearch.ElasticsearchSinkConnector`).
#[derive(Debug)]
pub struct ElasticsearchSink;

impl SinkConnector for ElasticsearchSink {
    type Task = ElasticsearchSinkTask;

    fn plugin() -> Plugin {
        let plugin = Plugin::new(
            "io.confluent.connect.elasticsearch.ElasticsearchSinkConnector",
            env!("CARGO_PKG_VERSION"),
        )
        .alias("ElasticsearchSinkConnector")
        .alias("ElasticsearchSink")
        .documentation("Writes records as documents to Elasticsearch (7 and later) or OpenSearch.")
        .key_encoding(Encoding::Connect)
        .value_encoding(Encoding::Connect)
        .ability(Ability::JsonWhenSchemaless)
        .ability(Ability::Validates)
        .ability(Ability::AltersOffsets)
        .network("${connection.url}")
        .read("${elastic.https.ssl.truststore.location}")
        .read("${elastic.https.ssl.keystore.location}");
        keys::all().into_iter().fold(plugin, Plugin::key)
    }

    fn start(settings: &Settings, _: &ConnectorContext) -> Result<Self, Error> {
        let options = Options::new(settings)?;
        for (key, instead) in keys::RELICS {
            if settings.given(key).is_some() {
                warn!("configuration {key} has no effect: {instead}");
            }
        }
        info!(
            "starting Elasticsearch sink connector writing to {}",
            options.connection.urls.join(", ")
        );
        Ok(ElasticsearchSink)
    }

    fn validate(config: &Config) -> Result<Vec<ConfigValue>, Error> {
        let definitions = ConfigDef { keys: keys::all() };
        // What the definitions refuse, the worker says by itself.
        match Settings::parse(&definitions, config.clone()) {
            Ok(settings) => Ok(validation::validate(&settings)),
            Err(_) => Ok(Vec::new()),
        }
    }

    fn alter_offsets(_: &Settings, _: &[SinkOffsetChange]) -> Result<bool, Error> {
        // Offsets are kept in Kafka alone, and any of them will do.
        Ok(true)
    }
}

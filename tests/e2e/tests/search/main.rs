//! The Elasticsearch sink and the PostgreSQL source in a worker, on real servers.

#![allow(clippy::unwrap_used)]

mod database;
mod documents;
mod errors;
mod faults;
mod pipeline;
mod proxy;

use std::collections::BTreeMap;

use caisson_e2e::{Search, System};
use serde_json::{Value, json};

/// What everybody's configuration of this sink looks like, old keys included.
pub fn config(topic: &str, url: &str) -> Value {
    json!({
        "connector.class": "io.confluent.connect.elasticsearch.ElasticsearchSinkConnector", "tasks.max": "1",
        "topics": topic, "connection.url": url, "type.name": "customer_event", "schema.enable": "false",
        "key.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "key.converter.schemas.enable": "false", "value.converter.schemas.enable": "false",
        // Servers that have just begun, on a machine that runs all of this, may take more than the usual three seconds.
        "read.timeout.ms": "30000",
        // A worker that was killed leaves its group soon.
        "consumer.override.session.timeout.ms": "6000", "consumer.override.heartbeat.interval.ms": "500",
    })
}

/// Records for a topic, and the documents that they add up to.
#[derive(Default)]
pub struct Changes {
    pub lines: String,
    pub documents: BTreeMap<String, Value>,
}

impl Changes {
    /// Writes a document under a key as a database has one.
    pub fn put(&mut self, id: u64, document: Value) {
        self.lines.push_str(&format!("{{\"id\":{id}}}\t{document}\n"));
        self.documents.insert(id.to_string(), document);
    }

    /// Writes many: each id several times, the last one counts.
    pub fn many(ids: u64, rounds: u64) -> Self {
        let mut changes = Self::default();
        for round in 0..rounds {
            for id in 0..ids {
                let text = "the quick brown fox jumps over the lazy dog";
                changes.put(
                    id,
                    json!({"id": id, "round": round, "name": format!("name {id}"), "text": text}),
                );
            }
        }
        changes
    }

    pub fn produce(&self, system: &System, topic: &str) {
        system.produce(topic, Some("\t"), &self.lines);
    }
}

/// A name for a topic and its index that no other run has, and a server.
pub fn index_of(search: &Search, topic: &str) -> String {
    let index = topic.to_lowercase();
    assert_eq!(search.documents(&index).len(), 0);
    index
}

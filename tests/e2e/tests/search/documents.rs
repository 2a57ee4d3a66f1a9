//! Records become documents.

use std::collections::BTreeMap;

use caisson_e2e::{Flavor, Search, System, Worker, until};
use serde_json::json;

use crate::{Changes, config, index_of};

/// Documents are written, written over and deleted, with the configuration that everybody has.
fn check_changes(flavor: Flavor) {
    let Some(system) = System::with_search() else { return };
    let search = Search::shared(&system, flavor);
    let topic = system.topic("Changes", 2, &[]);
    let index = index_of(&search, &topic);
    let worker = system.worker("changes").start();
    worker.rest.create_running(&topic, &config(&topic, &search.url()));

    let mut changes = Changes::many(500, 3);
    changes.put(
        7,
        json!({"id": 7, "nested": {"list": [1.5, 2.5, null], "deep": {"text": "x"}}}),
    );
    changes.produce(&system, &topic);
    search.await_documents(&index, &changes.documents);

    // The console producer has its own word for null.
    let tombstones: String = (0..100).map(|id| format!("{{\"id\":{id}}}\tNULL\n")).collect();
    let arguments = [
        "--topic",
        &topic,
        "--reader-property",
        "parse.key=true",
        "--reader-property",
        "key.separator=\t",
        "--reader-property",
        "null.marker=NULL",
    ];
    system.tool("org.apache.kafka.tools.ConsoleProducer", &arguments, &tombstones);
    let rest: BTreeMap<_, _> = changes
        .documents
        .into_iter()
        .filter(|(id, _)| id.parse::<u64>().unwrap() >= 100)
        .collect();
    search.await_documents(&index, &rest);

    // Everything is acknowledged, so everything gets committed.
    let end = system.end_offset(&topic);
    until("all offsets are committed", || {
        let committed: u64 = system
            .committed(&format!("connect-{topic}"))
            .iter()
            .map(|(_, _, offset)| offset)
            .sum();
        (committed == end).then_some(())
    });
    assert_eq!(worker.rest.status(&topic)["tasks"][0]["state"], "RUNNING");
    worker.await_log(&["configuration type.name has no effect"]);
}

#[test]
fn inserts_updates_and_deletions_arrive_in_elasticsearch() {
    check_changes(Flavor::Elasticsearch);
}

#[test]
fn inserts_updates_and_deletions_arrive_in_opensearch() {
    check_changes(Flavor::OpenSearch);
}

#[test]
fn a_schema_becomes_a_mapping() {
    let Some(system) = System::with_search() else { return };
    let worker = system.worker("mapping").start();
    for flavor in Flavor::ALL {
        check_mapping(&system, &worker, &Search::shared(&system, flavor));
    }
}

fn check_mapping(system: &System, worker: &Worker, search: &Search) {
    let topic = system.topic("mapping", 1, &[]);
    let index = index_of(search, &topic);
    let mut config = config(&topic, &search.url());
    config["value.converter.schemas.enable"] = json!("true");
    worker.rest.create_running(&topic, &config);
    let field = |name: &str, kind: &str| json!({"field": name, "type": kind, "optional": true});
    let schema = json!({"type": "struct", "optional": false, "fields": [
        field("small", "int16"), field("text", "string"), field("price", "double"),
        {"field": "at", "type": "int64", "optional": true, "name": "org.apache.kafka.connect.data.Timestamp", "version": 1},
    ]});
    let payload = json!({"small": 3, "text": "x", "price": 1.5, "at": 1_700_000_000_000_i64});
    system.produce(
        &topic,
        Some("\t"),
        &format!("\"a\"\t{}\n", json!({"schema": schema, "payload": payload})),
    );
    search.await_documents(&index, &BTreeMap::from([("a".to_owned(), payload)]));
    let answer = search.call("GET", &format!("/{index}/_mapping"), None).expect(200);
    let properties = &answer[&index]["mappings"]["properties"];
    assert_eq!(properties["small"], json!({"type": "short"}));
    assert_eq!(properties["at"], json!({"type": "date"}));
    assert_eq!(properties["text"]["fields"]["keyword"]["ignore_above"], 256);
}

#[test]
fn upserts_merge_fields() {
    let Some(system) = System::with_search() else { return };
    let worker = system.worker("upsert").start();
    for flavor in Flavor::ALL {
        check_upserts(&system, &worker, &Search::shared(&system, flavor));
    }
}

fn check_upserts(system: &System, worker: &Worker, search: &Search) {
    let topic = system.topic("upsert", 1, &[]);
    let index = index_of(search, &topic);
    let mut config = config(&topic, &search.url());
    config["write.method"] = json!("UPSERT");
    worker.rest.create_running(&topic, &config);
    system.produce(&topic, Some("\t"), "1\t{\"a\":1}\n1\t{\"b\":2}\n1\t{\"a\":3}\n");
    let expected = json!({"a": 3, "b": 2});
    search.await_documents(&index, &BTreeMap::from([("1".to_owned(), expected)]));
}

#[test]
fn a_data_stream_takes_records_with_their_times() {
    let Some(system) = System::with_search() else { return };
    // The other server's node has no data streams without its plugins.
    let search = Search::shared(&system, Flavor::OpenSearch);
    let template = json!({"index_patterns": ["logs-e2e-*"], "data_stream": {}});
    search.call("PUT", "/_index_template/e2e", Some(&template)).expect(200);
    let topic = system.topic("stream", 1, &[]);
    let worker = system.worker("stream").start();
    let mut config = config(&topic, &search.url());
    config["data.stream.type"] = json!("LOGS");
    config["data.stream.dataset"] = json!("e2e");
    config["key.ignore"] = json!("true");
    worker.rest.create_running(&topic, &config);
    system.produce(&topic, None, "{\"a\":1}\n{\"a\":2}\n");
    let stream = format!("logs-e2e-{topic}");
    let found = until("both documents are there", || {
        Some(search.documents(&stream)).filter(|found| found.len() == 2)
    });
    assert!(
        found.values().all(|document| document["@timestamp"].is_number()),
        "{found:?}"
    );
}

//! Records whose schemas stand in a schema registry: from a source over a topic to a sink.

use caisson_e2e::System;
use serde_json::json;

const AVRO: &str = "io.confluent.connect.avro.AvroConverter";

/// The registry's address, or `None` when this is no end-to-end run.
fn registry() -> Option<(System, String)> {
    let system = System::get()?;
    let url = std::env::var("CAISSON_TEST_REGISTRY").expect("the end-to-end stage starts a registry");
    Some((system, url))
}

#[test]
fn text_where_avro_is_expected_fails_the_task_and_says_what_it_saw() {
    let Some((system, url)) = registry() else { return };
    let worker = system.worker("no-avro").start();
    let topic = system.topic("no-avro", 1, &[]);
    system.produce(&topic, None, "plain text\n");
    let config = json!({
        "connector.class": "FileStreamSink", "topics": topic, "file": worker.path("out.txt"),
        "value.converter": AVRO, "value.converter.schema.registry.url": url,
    });
    worker.rest.create("sink", &config);
    let trace = worker.rest.await_failed_task("sink");
    for part in ["to Avro", "Unknown magic byte!", "70 6c 61 69 6e", "VALUE_CONVERTER"] {
        assert!(trace.contains(part), "{part} in {trace}");
    }
}

#[test]
fn a_registry_that_does_not_answer_fails_the_task_with_its_address() {
    let Some((system, _)) = registry() else { return };
    let worker = system.worker("no-registry").start();
    let topic = system.topic("no-registry", 1, &[]);
    let config = json!({
        "connector.class": "DatagenSource", "topic": topic, "format": "struct",
        "value.converter": AVRO, "value.converter.schema.registry.url": "http://user:secret@127.0.0.1:9",
        "value.converter.retries.wait.ms": "10",
    });
    worker.rest.create("generator", &config);
    let trace = worker.rest.await_failed_task("generator");
    assert!(
        trace.contains("127.0.0.1:9") && trace.contains("RetriableException"),
        "{trace}"
    );
    assert!(!trace.contains("secret") && !worker.log().contains("secret"));
}

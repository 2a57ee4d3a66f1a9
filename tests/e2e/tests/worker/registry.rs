//! Records whose schemas stand in a schema registry: from a source over a topic to a sink.

use caisson_e2e::{System, Worker};
use serde_json::json;

const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";
const AVRO: &str = "io.confluent.connect.avro.AvroConverter";
const RECORDS: usize = 20;

/// The registry's address, or `None` when this is no end-to-end run.
fn registry() -> Option<(System, String)> {
    let system = System::get()?;
    let url = std::env::var("CAISSON_TEST_REGISTRY").expect("the end-to-end stage starts a registry");
    Some((system, url))
}

/// Sends the generator's structs through a topic into a file of this name, with a converter between.
fn send(system: &System, worker: &Worker, url: &str, converter: &str, file: &str) {
    let topic = system.topic("registry", 1, &[]);
    let settings = json!({ "value.converter": converter, "value.converter.schema.registry.url": url });
    let with = |own: serde_json::Value| {
        let mut config = settings.clone();
        for (key, value) in own.as_object().expect("an object") {
            config[key] = value.clone();
        }
        config
    };
    let source = with(json!({
        "connector.class": "DatagenSource", "topic": topic, "format": "struct", "record.bytes": "100",
        "max.records": RECORDS.to_string(),
    }));
    worker.rest.create_running(&format!("from-{file}"), &source);
    let sink = with(json!({
        "connector.class": "FileStreamSink", "topics": topic, "file": worker.path(file),
    }));
    worker.rest.create_running(&format!("to-{file}"), &sink);
}

#[test]
fn structs_arrive_the_same_with_every_format() {
    let Some((system, url)) = registry() else { return };
    let worker = system.worker("registry").start();
    // Aliases count as the classes that they stand for.
    let converters = [JSON, AVRO, "ProtobufConverter", "JsonSchema"];
    for (number, converter) in converters.iter().enumerate() {
        send(&system, &worker, &url, converter, &format!("{number}.txt"));
    }
    let expected = worker.await_lines("0.txt", RECORDS);
    assert!(expected.iter().all(|line| line.starts_with("Struct{")), "{expected:?}");
    for (number, converter) in converters.iter().enumerate() {
        let lines = worker.await_lines(&format!("{number}.txt"), RECORDS);
        assert_eq!(lines, expected, "{converter}");
    }
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

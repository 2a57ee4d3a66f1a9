//! Bytes to values and back: what a console producer wrote arrives in a file as Kafka Connect's converters say.

use caisson_e2e::System;
use serde_json::json;

const STRING: &str = "org.apache.kafka.connect.storage.StringConverter";
const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";
const BYTES: &str = "org.apache.kafka.connect.converters.ByteArrayConverter";

/// What a file sink writes for one record's value.
fn check(system: &System, converter: &[(&str, &str)], record: &str, line: &str) {
    let worker = system.worker("converter").start();
    let topic = system.topic("converter", 1, &[]);
    system.produce(&topic, None, &format!("{record}\n"));
    let mut config = json!({ "connector.class": "FileStreamSink", "topics": topic, "file": worker.path("out.txt") });
    for (key, value) in converter {
        config[key] = json!(value);
    }
    worker.rest.create_running("sink", &config);
    assert_eq!(worker.await_lines("out.txt", 1), [line], "{converter:?}");
}

#[test]
fn a_string_stays_as_it_is() {
    let Some(system) = System::get() else { return };
    check(
        &system,
        &[("value.converter", STRING)],
        "grüße {\"a\": 1}",
        "grüße {\"a\": 1}",
    );
}

#[test]
fn schemaless_json_becomes_a_map_and_prints_as_java_prints_it() {
    let Some(system) = System::get() else { return };
    let converter = [("value.converter", JSON), ("value.converter.schemas.enable", "false")];
    check(
        &system,
        &converter,
        r#"{"a":1,"b":[true,null,"x"]}"#,
        "{a=1, b=[true, null, x]}",
    );
}

#[test]
fn json_with_a_schema_becomes_a_struct() {
    let Some(system) = System::get() else { return };
    let record = r#"{"schema":{"type":"struct","optional":false,"fields":[{"field":"id","type":"int32","optional":false},{"field":"name","type":"string","optional":true}]},"payload":{"id":7,"name":"seven"}}"#;
    let converter = [("value.converter", JSON), ("value.converter.schemas.enable", "true")];
    check(&system, &converter, record, "Struct{id=7,name=seven}");
}

#[test]
fn bytes_pass_from_a_source_to_a_topic_and_on_untouched() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("bytes").start();
    let topic = system.topic("bytes", 1, &[]);
    worker.rest.create_running(
        "generator",
        &json!({
            "connector.class": "DatagenSource", "topic": topic, "format": "bytes", "record.bytes": "20", "rate": "50",
            "key.converter": BYTES, "value.converter": BYTES,
        }),
    );
    for record in system.consume(&topic, 20) {
        assert_eq!(record, format!("null\t{}", "x".repeat(20)));
    }
}

#[test]
fn text_that_is_no_json_fails_the_task_and_says_where() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("no-json").start();
    let topic = system.topic("no-json", 1, &[]);
    system.produce(&topic, None, "{\"fine\": 1}\nthis is no json\n");
    let config = json!({
        "connector.class": "FileStreamSink", "topics": topic, "file": worker.path("out.txt"),
        "value.converter": JSON, "value.converter.schemas.enable": "false",
    });
    worker.rest.create("sink", &config);
    let trace = worker.rest.await_failed_task("sink");
    assert!(
        trace.contains("Converting byte[] to Kafka Connect data failed due to serialization error"),
        "{trace}"
    );
}

//! Mistakes in files and on the command line: each is named, with what to do about it.

use caisson_e2e::{System, until};
use serde_json::json;

#[test]
fn a_worker_property_that_makes_no_sense_ends_the_start_with_status_2_and_is_named() {
    let Some(system) = System::get() else { return };
    for (key, value) in [
        ("offset.flush.interval.ms", "often"),
        ("value.converter", "no.such.Converter"),
        ("listeners", "ftp://x"),
    ] {
        let mut worker = system.worker("bad-property").property(key, value).start_unawaited();
        let status = worker.await_end();
        assert_eq!(status.code(), Some(2), "{key}={value}: {}", worker.log());
        assert!(
            worker.log().contains(key) && worker.log().contains(value),
            "{key}={value}: {}",
            worker.log()
        );
    }
}

#[test]
fn a_missing_worker_property_is_named() {
    let Some(system) = System::get() else { return };
    let mut worker = system
        .worker("typo")
        .properties_text("bootstrap.server=localhost:9092\n")
        .start_unawaited();
    let status = worker.await_end();
    assert_eq!(status.code(), Some(2), "{}", worker.log());
    assert!(
        worker.log().contains("Missing required configuration"),
        "{}",
        worker.log()
    );
}

#[test]
fn a_property_that_nobody_knows_is_a_warning() {
    let Some(system) = System::get() else { return };
    let worker = system
        .worker("unknown-property")
        .property("offset.flush.intervall.ms", "1")
        .start();
    worker.await_log(&["WARN", "offset.flush.intervall.ms"]);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let Some(system) = System::get() else { return };
    let mut worker = system
        .worker("no-file")
        .argument("elsewhere.properties")
        .start_unawaited();
    let status = worker.await_end();
    assert!(!status.success());
    assert!(worker.log().contains("elsewhere.properties"), "{}", worker.log());
}

#[test]
fn a_connector_file_with_an_unknown_class_ends_the_worker_with_status_3() {
    let Some(system) = System::get() else { return };
    let file = "name=misspelt\nconnector.class=FileStreamSorce\ntopic=t\n";
    let mut worker = system
        .worker("bad-connector")
        .connector("misspelt.properties", file)
        .start_unawaited();
    let status = worker.await_end();
    assert_eq!(status.code(), Some(3), "{}", worker.log());
    assert!(worker.log().contains("FileStreamSorce"), "{}", worker.log());
}

#[test]
fn a_connector_file_may_be_json_too() {
    let Some(system) = System::get() else { return };
    let topic = system.topic("json-file", 1, &[]);
    let wrapped = json!({ "name": "wrapped", "config": { "connector.class": "DiscardSink", "topics": topic } });
    let flat = json!({ "name": "flat", "connector.class": "DiscardSink", "topics": topic });
    let setup = system
        .worker("json-file")
        .connector("wrapped.json", &wrapped.to_string());
    let worker = setup.connector("flat.json", &flat.to_string()).start();
    worker.rest.await_states("wrapped", "RUNNING", "RUNNING");
    worker.rest.await_states("flat", "RUNNING", "RUNNING");
}

#[test]
fn a_topic_that_is_missing_is_named_in_the_log_and_read_once_it_is_there() {
    let Some(system) = System::get() else { return };
    let worker = system
        .worker("missing-topic")
        .property("consumer.metadata.max.age.ms", "1000")
        .start();
    let topic = system.name("not-yet");
    let config = json!({
        "connector.class": "FileStreamSink", "topics": topic, "file": worker.path("out.txt"),
        "consumer.override.allow.auto.create.topics": "false",
    });
    worker.rest.create_running("early", &config);
    worker.await_log(&["WARN", &topic]);
    let arguments = ["--create", "--topic", &topic, "--partitions", "1"];
    system.tool("org.apache.kafka.tools.TopicCommand", &arguments, "");
    system.produce(&topic, None, "at last\n");
    until("the line has arrived", || {
        (worker.read("out.txt") == "at last\n").then_some(())
    });
    worker.rest.await_states("early", "RUNNING", "RUNNING");
}

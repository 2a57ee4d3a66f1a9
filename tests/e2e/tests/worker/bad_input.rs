//! Records that nobody means well with: each fails at the stage that it is for, with an error that says what is wrong, and
//! what is good around it arrives.

use std::fmt::Write;

use caisson_e2e::{System, measured, until};
use serde_json::{Value, json};

const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";
const STRING: &str = "org.apache.kafka.connect.storage.StringConverter";

/// Writes records with headers, `name:value` separated by commas.
fn produce(system: &System, topic: &str, records: &[(String, String)]) {
    let mut lines = String::new();
    for (headers, value) in records {
        writeln!(lines, "{headers}\t{value}").unwrap();
    }
    let arguments = ["--topic", topic, "--reader-property", "parse.headers=true"];
    system.tool("org.apache.kafka.tools.ConsoleProducer", &arguments, &lines);
}

fn headers(from: usize, count: usize) -> String {
    let each: Vec<String> = (from..from + count).map(|number| format!("h{number}:1")).collect();
    each.join(",")
}

/// The letters of a queue, each with its headers.
fn letters(system: &System, topic: &str, records: usize) -> Vec<String> {
    let count = records.to_string();
    let mut arguments = vec!["--topic", topic, "--from-beginning", "--max-messages", &count];
    arguments.extend(["--timeout-ms", "60000", "--formatter-property", "print.headers=true"]);
    arguments.extend(["--formatter-property", "print.timestamp=true"]);
    let output = system.tool("org.apache.kafka.tools.consumer.ConsoleConsumer", &arguments, "");
    output.split("CreateTime:").skip(1).map(str::to_owned).collect()
}

/// What is wrong, the record, and what its letter says.
type Bad = (&'static str, (String, String), &'static [&'static str]);

/// A sink that tolerates errors gets good records before, between and behind the bad ones.
fn check(system: &System, options: &Value, good: &str, line: &str, bad: &[Bad]) {
    let worker = system.worker("bad-input").start();
    let topic = system.topic("bad-input", 1, &[]);
    let queue = system.name("bad-input-queue");
    let plain = || ("a:1".to_owned(), good.to_owned());
    let mut records = vec![plain()];
    for (_, record, _) in bad {
        records.extend([record.clone(), plain()]);
    }
    produce(system, &topic, &records);
    let mut config = json!({
        "connector.class": "FileStreamSink", "topics": topic, "file": worker.path("out.txt"), "errors.tolerance": "all",
        "errors.deadletterqueue.topic.name": queue, "errors.deadletterqueue.topic.replication.factor": "1",
        "errors.deadletterqueue.context.headers.enable": "true",
        "caisson.errors.deadletterqueue.class.header.enable": "true", "value.converter": JSON,
    });
    for (key, value) in options.as_object().unwrap() {
        config[key] = value.clone();
    }
    worker.rest.create_running("sink", &config);
    let lines = worker.await_lines("out.txt", bad.len() + 1);
    assert!(lines.iter().all(|found| found == line), "{lines:?}");
    let letters = letters(system, &queue, bad.len());
    assert_eq!(letters.len(), bad.len());
    for (letter, (what, _, parts)) in letters.iter().zip(bad) {
        for part in *parts {
            assert!(letter.contains(part), "{what}: {part} in {letter:.2000}");
        }
    }
}

const VALUE: &str = "__connect.errors.stage:VALUE_CONVERTER,";
const DATA: &str = "exception.class.name:org.apache.kafka.connect.errors.DataException,";

#[test]
fn bad_json_and_too_many_headers_are_left_out_one_by_one() {
    let Some(system) = System::get() else { return };
    let value = |text: &str| ("a:1".to_owned(), text.to_owned());
    let bad: [Bad; 6] = [
        ("cut short", value("{\"n\": 1"), &[VALUE, DATA, "serialization error"]),
        ("no JSON", value("nonsense"), &[VALUE, DATA, "Unrecognized token"]),
        (
            "nested too deep",
            value(&format!("{}{}", "[".repeat(1001), "]".repeat(1001))),
            &[VALUE, DATA, "exceeds the maximum allowed"],
        ),
        (
            "a number of too many digits",
            value(&"9".repeat(1001)),
            &[VALUE, DATA, "exceeds the maximum allowed"],
        ),
        (
            "an exponent of too many digits",
            value("1e99999999999"),
            &[VALUE, DATA, "serialization error"],
        ),
        (
            "more headers than there are names for",
            (headers(0, 66_000), "{\"n\":1}".to_owned()),
            &[
                "__connect.errors.stage:HEADER_CONVERTER,",
                DATA,
                "more headers than fit",
                ":limit",
            ],
        ),
    ];
    let options = json!({ "value.converter.schemas.enable": "false" });
    check(&system, &options, "{\"n\":1}", "{n=1}", &bad);
}

#[test]
fn wrong_envelopes_are_left_out_one_by_one() {
    let Some(system) = System::get() else { return };
    let value = |text: &str| ("a:1".to_owned(), text.to_owned());
    let bad: [Bad; 3] = [
        (
            "no envelope",
            value("{\"n\":1}"),
            &[VALUE, DATA, "requires \"schema\" and \"payload\" fields"],
        ),
        (
            "no such type",
            value("{\"schema\":{\"type\":\"int128\"},\"payload\":1}"),
            &[VALUE, DATA, "Unknown schema type: int128"],
        ),
        (
            "nothing where something is required",
            value("{\"schema\":{\"type\":\"int32\",\"optional\":false},\"payload\":null}"),
            &[VALUE, DATA, "Invalid null value for required INT32 field"],
        ),
    ];
    let good = "{\"schema\":{\"type\":\"int32\"},\"payload\":7}";
    check(&system, &json!({}), good, "7", &bad);
}

#[test]
fn thousands_of_headers_are_as_many_batches_as_it_takes() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("headers").start();
    let topic = system.topic("headers", 1, &[]);
    let records: Vec<_> = (0..40)
        .map(|number| (headers(number * 2000, 2000), number.to_string()))
        .collect();
    produce(&system, &topic, &records);
    let config = json!({ "connector.class": "FileStreamSink", "topics": topic, "file": worker.path("out.txt") });
    worker.rest.create_running("sink", &config);
    let expected: Vec<String> = (0..40).map(|number| number.to_string()).collect();
    assert_eq!(worker.await_lines("out.txt", 40), expected);
}

#[test]
fn bytes_that_are_no_utf8_fail_the_task_and_are_named() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("no-utf8").start();
    let topic = system.topic("no-utf8", 1, &[]);
    std::fs::write(worker.path("in.txt"), "\"é\"\n").unwrap();
    // One byte for each letter, which no UTF-8 has.
    let source = json!({
        "connector.class": "FileStreamSource", "topic": topic, "file": worker.path("in.txt"),
        "value.converter": STRING, "value.converter.converter.encoding": "ISO-8859-1",
    });
    worker.rest.create_running("source", &source);
    let sink = json!({
        "connector.class": "FileStreamSink", "topics": topic, "file": worker.path("out.txt"),
        "value.converter": JSON, "value.converter.schemas.enable": "false",
    });
    worker.rest.create("sink", &sink);
    let trace = worker.rest.await_failed_task("sink");
    assert!(trace.contains("Executing stage 'VALUE_CONVERTER'"), "{trace}");
    assert!(trace.contains("Invalid UTF-8"), "{trace}");
}

#[test]
fn a_value_of_many_megabytes_passes_as_bytes_and_is_a_short_error_as_json() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("huge").start();
    let topic = system.topic("huge", 1, &[("max.message.bytes", "30000000")]);
    let source = json!({
        "connector.class": "DatagenSource", "topic": topic, "record.bytes": "25000000", "batch.records": "1",
        "max.records": "1", "value.converter": "org.apache.kafka.connect.converters.ByteArrayConverter",
        "producer.override.max.request.size": "30000000", "producer.override.buffer.memory": "60000000",
    });
    worker.rest.create_running("source", &source);
    let sink =
        |converter: &str| json!({ "connector.class": "DiscardSink", "topics": topic, "value.converter": converter });
    let name = system.name("huge");
    let bytes = "org.apache.kafka.connect.converters.ByteArrayConverter";
    worker.rest.create_running(&name, &sink(bytes));
    until("it has passed", || {
        let committed = system.committed(&format!("connect-{name}"));
        committed.iter().any(|(_, _, at)| *at == 1).then_some(())
    });
    worker.rest.create("json", &sink(JSON));
    let trace = worker.rest.await_failed_task("json");
    assert!(trace.contains("Executing stage 'VALUE_CONVERTER'"), "{trace:.5000}");
    assert!(trace.len() < 10_000, "{} bytes of trace", trace.len());
    let (_, peak) = worker.memory();
    measured(&format!("a record of 25 MB: peak memory {peak} MiB"));
}

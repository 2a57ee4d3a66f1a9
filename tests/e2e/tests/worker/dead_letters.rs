//! Records that fail: what becomes of them, of their offsets, and of the task.

use caisson_e2e::{System, Worker, until};
use serde_json::{Value, json};

const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";

/// Reads so many records with their headers and time.
fn letters(system: &System, topic: &str, records: usize) -> Vec<String> {
    let count = records.to_string();
    let mut arguments = vec![
        "--topic",
        topic,
        "--from-beginning",
        "--max-messages",
        &count,
        "--timeout-ms",
        "60000",
    ];
    for property in [
        "print.key=true",
        "print.headers=true",
        "print.timestamp=true",
        "print.partition=true",
    ] {
        arguments.extend(["--formatter-property", property]);
    }
    let output = system.tool("org.apache.kafka.tools.consumer.ConsoleConsumer", &arguments, "");
    let letters: Vec<String> = output.split("CreateTime:").skip(1).map(str::to_owned).collect();
    assert_eq!(letters.len(), records, "{output}");
    letters
}

fn await_committed(system: &System, connector: &str, offset: u64) {
    until(&format!("{connector} has committed {offset}"), || {
        let committed = system.committed(&format!("connect-{connector}"));
        committed.iter().any(|(_, _, at)| *at == offset).then_some(())
    });
}

/// A worker that has the modules made for tests too.
fn worker(system: &System, test: &str) -> Worker {
    let path = format!("{},{}", system.components.display(), system.guests.display());
    system.worker(test).property("plugin.path", &path).start()
}

/// What every sink here has in common.
fn sink(system: &System, topic: &str, letters: &str, more: Value) -> Value {
    let mut config = json!({
        "topics": topic, "errors.tolerance": "all",
        "errors.deadletterqueue.topic.name": letters, "errors.deadletterqueue.topic.replication.factor": "1",
        "errors.deadletterqueue.context.headers.enable": "true",
        "caisson.errors.deadletterqueue.class.header.enable": "true",
    });
    for (key, value) in more.as_object().unwrap() {
        config[key] = value.clone();
    }
    let _ = system;
    config
}

fn assert_has(letter: &str, parts: &[&str]) {
    for part in parts {
        assert!(letter.contains(part), "{part} in {letter}");
    }
}

#[test]
fn what_a_converter_refuses_goes_to_the_queue_as_it_was() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("letters").start();
    let topic = system.topic("letters", 1, &[]);
    let queue = system.name("queue");
    system.produce(&topic, Some("|"), "a|{\"n\": 1}\nb|this is no json\nc|{\"n\": 3}\n");
    let own = json!({
        "connector.class": "FileStreamSink", "file": worker.path("out.txt"),
        "value.converter": JSON, "value.converter.schemas.enable": "false",
    });
    let name = system.name("letters");
    worker.rest.create_running(&name, &sink(&system, &topic, &queue, own));
    assert_eq!(worker.await_lines("out.txt", 2), ["{n=1}", "{n=3}"]);
    let letter = letters(&system, &queue, 1).remove(0);
    assert_has(
        &letter,
        &[
            "this is no json",
            "Partition:0",
            &format!("__connect.errors.topic:{topic},__connect.errors.partition:0,__connect.errors.offset:1,"),
            &format!("__connect.errors.connector.name:{name},__connect.errors.task.id:0,"),
            "__connect.errors.stage:VALUE_CONVERTER,",
            &format!("__connect.errors.class.name:{JSON},"),
            "__connect.errors.exception.class.name:org.apache.kafka.connect.errors.DataException,",
            "__connect.errors.exception.message:Converting byte[] to Kafka Connect data failed due to serialization error: ,",
            "Caused by: org.apache.kafka.common.errors.SerializationException",
            "__caisson.errors.class:data",
            "\tb\t",
        ],
    );
    await_committed(&system, &name, 3);
}

#[test]
fn without_tolerance_the_task_fails_with_the_cause_and_nothing_is_committed() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("intolerant").start();
    let topic = system.topic("intolerant", 1, &[]);
    let queue = system.name("queue");
    system.produce(&topic, None, "{\"n\": 1}\nthis is no json\n");
    let own = json!({
        "connector.class": "FileStreamSink", "file": worker.path("out.txt"), "errors.tolerance": "none",
        "value.converter": JSON, "value.converter.schemas.enable": "false",
    });
    let name = system.name("intolerant");
    worker.rest.create(&name, &sink(&system, &topic, &queue, own));
    let trace = worker.rest.await_failed_task(&name);
    let first = "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler";
    assert!(trace.starts_with(first), "{trace}");
    assert_has(
        &trace,
        &[
            "Caused by: org.apache.kafka.connect.errors.DataException: Converting byte[]",
            "Executing stage 'VALUE_CONVERTER'",
            "offset=1",
        ],
    );
    assert_eq!(worker.read("out.txt"), "", "the batch is not put");
    assert_has(&letters(&system, &queue, 1)[0], &["this is no json"]);
}

#[test]
fn what_a_sink_reports_goes_to_the_queue_before_its_offset_is_committed() {
    let Some(system) = System::get() else { return };
    let worker = worker(&system, "reporter");
    let topic = system.topic("reporter", 1, &[]);
    let queue = system.name("queue");
    system.produce(&topic, None, "one\ntwo bad\nthree\nfour late\n");
    let own = json!({ "connector.class": "probe.Sink", "reject": "bad", "late": "late" });
    let name = system.name("reporter");
    worker.rest.create_running(&name, &sink(&system, &topic, &queue, own));
    let letters = letters(&system, &queue, 2);
    let common = [
        "__connect.errors.stage:TASK_PUT,",
        "__connect.errors.class.name:org.apache.kafka.connect.sink.SinkTask,",
        "__connect.errors.exception.class.name:org.apache.kafka.connect.errors.DataException,",
    ];
    assert_has(&letters[0], &common);
    assert_has(
        &letters[0],
        &["two bad", "__connect.errors.offset:1,", "the probe rejects bad"],
    );
    assert_has(&letters[1], &common);
    assert_has(
        &letters[1],
        &["four late", "__connect.errors.offset:3,", "the probe rejects late late"],
    );
    await_committed(&system, &name, 4);
}

#[test]
fn a_record_on_which_a_transform_crashes_is_left_out_alone() {
    let Some(system) = System::get() else { return };
    let worker = worker(&system, "crash");
    let topic = system.topic("crash", 1, &[]);
    let queue = system.name("queue");
    let lines: String = (0..20)
        .map(|n| format!("{}{n}\n", if n == 13 { "poison " } else { "" }))
        .collect();
    system.produce(&topic, None, &lines);
    let own = json!({
        "connector.class": "FileStreamSink", "file": worker.path("out.txt"),
        "transforms": "probe", "transforms.probe.type": "probe.Transform", "transforms.probe.apply": "crash:poison",
    });
    let name = system.name("crash");
    worker.rest.create_running(&name, &sink(&system, &topic, &queue, own));
    let expected: Vec<String> = (0..20).filter(|n| *n != 13).map(|n| n.to_string()).collect();
    assert_eq!(worker.await_lines("out.txt", 19), expected);
    assert_has(
        &letters(&system, &queue, 1)[0],
        &[
            "poison 13",
            "__connect.errors.stage:TRANSFORMATION,",
            "__caisson.errors.class:guest-trap",
        ],
    );
}

#[test]
fn an_operation_that_may_pass_is_tried_again() {
    let Some(system) = System::get() else { return };
    let worker = worker(&system, "retry");
    let topic = system.topic("retry", 1, &[]);
    system.produce(&topic, None, "one\n");
    let config = json!({
        "connector.class": "FileStreamSink", "topics": topic, "file": worker.path("out.txt"),
        "errors.retry.timeout": "60000", "errors.retry.delay.max.ms": "100",
        "transforms": "probe", "transforms.probe.type": "probe.Transform", "transforms.probe.apply": "patience:3",
    });
    worker.rest.create_running("retry", &config);
    assert_eq!(worker.await_lines("out.txt", 1), ["one"]);
}

#[test]
fn a_source_writes_its_own_letters_if_it_is_told_to() {
    let Some(system) = System::get() else { return };
    let worker = worker(&system, "source-letters");
    let topic = system.topic("source-letters", 1, &[]);
    let queue = system.name("queue");
    std::fs::write(worker.path("in.txt"), "one\ntwo bad\nthree\n").unwrap();
    let config = json!({
        "connector.class": "FileStreamSource", "topic": topic, "file": worker.path("in.txt"), "errors.tolerance": "all",
        "caisson.errors.deadletterqueue.topic.name": queue,
        "caisson.errors.deadletterqueue.topic.replication.factor": "1",
        "caisson.errors.deadletterqueue.context.headers.enable": "true",
        "transforms": "probe", "transforms.probe.type": "probe.Transform", "transforms.probe.apply": "reject:bad",
    });
    worker.rest.create_running("source-letters", &config);
    assert_eq!(system.consume(&topic, 2), ["null\tone", "null\tthree"]);
    assert_has(
        &letters(&system, &queue, 1)[0],
        &[
            "two bad",
            "__connect.errors.stage:TRANSFORMATION",
            "__caisson.errors.source.partition:{\"filename\":",
        ],
    );
}

#[test]
fn what_comes_before_a_record_that_fails_a_source_arrives() {
    let Some(system) = System::get() else { return };
    let worker = worker(&system, "source-fails");
    let topic = system.topic("source-fails", 1, &[]);
    std::fs::write(worker.path("in.txt"), "one\ntwo\nthree bad\nfour\n").unwrap();
    let config = json!({
        "connector.class": "FileStreamSource", "topic": topic, "file": worker.path("in.txt"),
        "transforms": "probe", "transforms.probe.type": "probe.Transform", "transforms.probe.apply": "reject:bad",
    });
    worker.rest.create("source-fails", &config);
    let trace = worker.rest.await_failed_task("source-fails");
    assert_has(
        &trace,
        &["Tolerance exceeded in error handler", "the probe rejects bad"],
    );
    assert_eq!(system.consume(&topic, 2), ["null\tone", "null\ttwo"]);
    assert_eq!(system.end_offset(&topic), 2);
}

#[test]
fn what_kafka_refuses_of_a_source_goes_to_its_queue_alone() {
    let Some(system) = System::get() else { return };
    let worker = worker(&system, "source-refused");
    // The broker takes no batch beyond this, and the producer no record beyond the other.
    let topic = system.topic("source-refused", 1, &[("max.message.bytes", "2000")]);
    let queue = system.name("queue");
    let (large, huge) = ("x".repeat(4_000), "y".repeat(9_000));
    std::fs::write(
        worker.path("in.txt"),
        format!("one\n{large}\ntwo\n{huge}\nthree\n{large}\n"),
    )
    .unwrap();
    let config = json!({
        "connector.class": "FileStreamSource", "topic": topic, "file": worker.path("in.txt"), "errors.tolerance": "all",
        "producer.override.max.request.size": "8000",
        "caisson.errors.deadletterqueue.topic.name": queue,
        "caisson.errors.deadletterqueue.topic.replication.factor": "1",
        "caisson.errors.deadletterqueue.context.headers.enable": "true",
        "caisson.errors.deadletterqueue.class.header.enable": "true",
    });
    let name = system.name("source-refused");
    worker.rest.create_running(&name, &config);
    assert_eq!(system.consume(&topic, 3), ["null\tone", "null\ttwo", "null\tthree"]);
    let letters = letters(&system, &queue, 3);
    for line in [&large, &huge] {
        let letter = letters.iter().find(|letter| letter.contains(line.as_str())).unwrap();
        assert_has(
            letter,
            &[
                &format!("__connect.errors.topic:{topic},"),
                "__caisson.errors.source.partition:{\"filename\":",
                "__caisson.errors.source.offset:{\"position\":",
                &format!("__connect.errors.connector.name:{name},__connect.errors.task.id:0,"),
                "__connect.errors.stage:KAFKA_PRODUCE,",
                "__connect.errors.class.name:org.apache.kafka.connect.runtime.WorkerSourceTask,",
                "__connect.errors.exception.class.name:org.apache.kafka.common.errors.RecordTooLargeException,",
                "__caisson.errors.class:fatal",
            ],
        );
    }
    // What is left out counts as done: a restarted task does not read it again.
    let end = 4 + 4_001 + 4 + 9_001 + 6 + 4_001;
    let offsets = format!("/connectors/{name}/offsets");
    until("the offset behind all lines is written", || {
        let answer = worker.rest.get(&offsets).expect(200);
        (answer["offsets"][0]["offset"]["position"] == end).then_some(())
    });
    worker.rest.await_states(&name, "RUNNING", "RUNNING");
}

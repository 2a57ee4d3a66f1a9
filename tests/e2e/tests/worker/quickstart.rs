//! Kafka Connect's own quickstart: the settings of its stock files, with nothing changed but addresses, the path of the
//! offsets, and a topic that no other run has used.

use caisson_e2e::{System, measured, until};

/// What `connect-standalone.properties` of Kafka 4 sets, with the line that the quickstart has its reader append.
const WORKER: &str = "\
bootstrap.servers=localhost:9092
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
key.converter.schemas.enable=true
value.converter.schemas.enable=true
offset.storage.file.filename=/tmp/connect.offsets
offset.flush.interval.ms=10000
plugin.path=libs/connect-file-4.3.1.jar
";

/// `connect-file-source.properties`.
const SOURCE: &str = "\
name=local-file-source
connector.class=FileStreamSource
tasks.max=1
file=test.txt
topic=connect-test
";

/// `connect-file-sink.properties`.
const SINK: &str = "\
name=local-file-sink
connector.class=FileStreamSink
tasks.max=1
file=test.sink.txt
topics=connect-test
";

#[test]
fn the_quickstart_of_kafka_connect_runs_unchanged() {
    let Some(system) = System::get() else { return };
    let setup = system.worker("quickstart");
    let offsets = setup.path("connect.offsets").display().to_string();
    let stock = WORKER
        .replace("localhost:9092", &system.bootstrap)
        .replace("/tmp/connect.offsets", &offsets);
    std::fs::write(setup.path("test.txt"), "foo\nbar\n").unwrap();
    let topic = system.name("connect-test");
    let mut worker = setup
        .properties_text(&format!("{stock}listeners=http://127.0.0.1:{{port}}\n"))
        .connector(
            "connect-file-source.properties",
            &SOURCE.replace("connect-test", &topic),
        )
        .connector("connect-file-sink.properties", &SINK.replace("connect-test", &topic))
        .start();

    assert_eq!(worker.await_lines("test.sink.txt", 2), ["foo", "bar"]);
    let envelope = |text: &str| format!(r#"null	{{"schema":{{"type":"string","optional":false}},"payload":"{text}"}}"#);
    assert_eq!(system.consume(&topic, 2), [envelope("foo"), envelope("bar")]);

    append(&worker.path("test.txt"), "Another line\n");
    assert_eq!(worker.await_lines("test.sink.txt", 3)[2], "Another line");

    // A worker that was asked to stop has written where it was, and goes on there.
    worker.terminate();
    let ended = worker.await_end();
    assert!(ended.success(), "{ended}");
    append(&worker.path("test.txt"), "and one more\n");
    worker.start_again();
    let lines = worker.await_lines("test.sink.txt", 4);
    assert_eq!(lines, ["foo", "bar", "Another line", "and one more"]);
    assert_eq!(system.end_offset(&topic), 4);
}

#[test]
fn a_worker_without_connectors_is_up_quickly_and_small() {
    let Some(system) = System::get() else { return };
    let mut worker = system.worker("idle").start_unawaited();
    let up = worker.await_rest();
    let (resident, peak) = until("memory can be read", || {
        Some(worker.memory()).filter(|(resident, _)| *resident > 0)
    });
    measured(&format!(
        "idle worker: REST after {} ms, {resident} MiB resident, {peak} MiB at most",
        up.as_millis()
    ));
}

/// Adds text to a file, as `echo … >> file` does.
pub fn append(path: &std::path::Path, text: &str) {
    use std::io::Write;
    let mut file = std::fs::File::options().append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

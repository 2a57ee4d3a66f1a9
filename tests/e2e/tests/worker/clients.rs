//! Kafka client settings by worker and by connector, under the names that Kafka Connect's users know.

use caisson_e2e::{System, until};
use serde_json::json;

#[test]
fn a_connector_overrides_what_the_worker_says_of_its_consumer() {
    let Some(system) = System::get() else { return };
    let worker = system
        .worker("overrides")
        .property("consumer.auto.offset.reset", "latest")
        .start();
    let topic = system.topic("overrides", 1, &[]);
    system.produce(&topic, None, "before\n");
    let sink = |file: &str| json!({ "connector.class": "FileStreamSink", "topics": topic, "file": worker.path(file) });
    let mut from_start = sink("all.txt");
    from_start["consumer.override.auto.offset.reset"] = json!("earliest");
    let group = system.name("group-of-its-own");
    from_start["consumer.override.group.id"] = json!(group);
    worker.rest.create_running(&system.name("late"), &sink("late.txt"));
    worker.rest.create_running(&system.name("all"), &from_start);
    worker.await_lines("all.txt", 1);
    // The late sink begins at the end, wherever that is when it gets its partition.
    let mut written = 0;
    until("the late sink has a line", || {
        written += 1;
        system.produce(&topic, None, &format!("after {written}\n"));
        (!worker.read("late.txt").is_empty()).then_some(())
    });
    assert!(
        !worker.read("late.txt").contains("before"),
        "{}",
        worker.read("late.txt")
    );
    until("the group of its own has committed", || {
        let committed = system.committed(&group);
        committed
            .first()
            .is_some_and(|(name, _, offset)| *name == topic && *offset > 0)
            .then_some(())
    });
}

#[test]
fn a_producer_setting_reaches_the_broker() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("compressed").start();
    let topic = system.topic("compressed", 1, &[]);
    let generator = |codec: &str| {
        json!({
            "connector.class": "DatagenSource", "topic": topic, "record.bytes": "1000", "batch.records": "100", "rate": "2000",
            "producer.override.compression.type": codec, "producer.override.linger.ms": "50",
        })
    };
    worker.rest.create_running("generator", &generator("gzip"));
    until("there are 2000 records", || {
        (system.end_offset(&topic) >= 2000).then_some(())
    });
    let output = system.tool(
        "org.apache.kafka.tools.LogDirsCommand",
        &["--describe", "--topic-list", &topic],
        "",
    );
    let size = output
        .split("\"size\":")
        .nth(1)
        .and_then(|rest| rest.split(',').next()?.parse::<u64>().ok())
        .unwrap();
    assert!(
        size < 500_000,
        "2 MB of the same letter were not compressed: {size} bytes"
    );
}

#[test]
fn a_setting_without_an_equal_is_reported_once_and_harms_nothing() {
    let Some(system) = System::get() else { return };
    let worker = system
        .worker("no-equal")
        .property("consumer.metrics.num.samples", "5")
        .start();
    let topic = system.topic("no-equal", 1, &[]);
    system.produce(&topic, None, "one\n");
    let config = json!({ "connector.class": "FileStreamSink", "topics": topic, "file": worker.path("out.txt") });
    worker.rest.create_running("first", &config);
    worker.rest.create_running("second", &config);
    worker.await_lines("out.txt", 2);
    worker.await_log(&["metrics.num.samples"]);
    let reports = worker
        .log()
        .lines()
        .filter(|line| line.contains("metrics.num.samples"))
        .count();
    assert_eq!(reports, 1, "{}", worker.log());
}

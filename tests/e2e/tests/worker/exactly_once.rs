//! Sources that write exactly once (KIP-618), in clusters whose workers come and go.

use caisson_e2e::cluster::{Cluster, create};
use caisson_e2e::{Rest, System, measured, until};
use serde_json::json;

use crate::cluster::Numbers;
use crate::crash::{BYTES, verified};
use crate::quickstart::append;

const ENABLED: (&str, &str) = ("exactly.once.source.support", "enabled");

#[test]
fn workers_that_are_killed_or_frozen_lose_no_record_and_repeat_none() {
    let Some(system) = System::get() else { return };
    let cluster = Cluster::start(&system, "once", 3, &[ENABLED]);
    let mut three = Numbers::start(system, cluster, &[("exactly.once.support", "required")]);
    three.await_work(&[0, 1, 2]);

    let leader = three.cluster.leader(&[0, 1, 2]);
    let others = three.but(leader);
    three.kill_and_return(leader);

    // A zombie: it goes on in the middle of a transaction, and others do its work by then.
    let leader = three.cluster.leader(&others);
    let follower = three.but(leader)[0];
    three.freeze_and_thaw(follower);

    let made = three.stop(leader);
    assert_eq!(three.verify(leader, made), 0, "records were written twice");
    measured(&format!(
        "exactly once: a leader killed, a follower frozen: {made} records, none lost, none twice"
    ));
}

#[test]
fn a_source_says_itself_where_its_transactions_end() {
    let Some(system) = System::get() else { return };
    let name = system.name("ends");
    let mut worker = system
        .worker("ends")
        .distributed(&name)
        .property(ENABLED.0, ENABLED.1)
        .start();
    let topic = system.topic("ends", 1, &[]);
    let source = json!({
        "connector.class": "DatagenSource", "topic": topic, "format": "sequence", "partitions": "1", "max.records": "2500",
        "transaction.boundary": "connector", "transaction.records": "1000", "value.converter": BYTES,
    });
    create(&worker.rest, "in", &source);
    let stored = |rest: &Rest| rest.get("/connectors/in/offsets").expect(200)["offsets"][0]["offset"]["count"].clone();
    until("two transactions are committed", || {
        (stored(&worker.rest) == 2000).then_some(())
    });
    // With the ends of those two.
    until("the third is written", || {
        (system.end_offset(&topic) >= 2502).then_some(())
    });
    worker.kill();
    worker.start_again();
    // The third was never ended: its records are made again, and what a plain reader sees of them is not committed.
    until("more was written than committed", || {
        (system.end_offset(&topic) > 3000).then_some(())
    });
    stop(&worker.rest);
    assert_eq!(stored(&worker.rest), 2000);
    let sink = json!({
        "connector.class": "DiscardSink", "topics": topic, "verify": "sequence", "value.converter": BYTES,
        "consumer.override.isolation.level": "read_committed",
    });
    create(&worker.rest, &name, &sink);
    let found = until("the sink has seen what is committed", || {
        verified(&worker.log(), &name).filter(|found| found.records >= 2000)
    });
    assert!(
        found
            .rest
            .contains("verified 2000 records of 1 streams missing=0 repeated=0"),
        "{}",
        found.rest
    );
}

#[test]
fn offsets_stay_with_the_connector_and_operators_change_them() {
    let Some(system) = System::get() else { return };
    let name = system.name("own");
    let setup = system.worker("own").distributed(&name).property(ENABLED.0, ENABLED.1);
    let (input, offsets) = (setup.path("in.txt"), format!("{name}-offsets"));
    std::fs::write(&input, "one\ntwo\n").unwrap();
    let mut worker = setup.start();
    let topic = system.topic("own", 1, &[]);
    let source = json!({
        "connector.class": "FileStreamSource", "topic": topic, "file": input, "offsets.storage.topic": offsets,
        "transaction.boundary": "interval", "transaction.boundary.interval.ms": "100",
        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
    });
    create(&worker.rest, "in", &source);
    assert_eq!(system.consume(&topic, 2), ["null\tone", "null\ttwo"]);
    until("the transaction is committed", || {
        let stored = worker.rest.get("/connectors/in/offsets").expect(200);
        (stored["offsets"][0]["offset"]["position"] == 8).then_some(())
    });
    assert!(system.end_offset(&offsets) > 0, "the connector has a topic of its own");

    stop(&worker.rest);
    let again = json!({"offsets": [{"partition": {"filename": input}, "offset": {"position": 4}}]});
    let changed = worker.rest.call("PATCH", "/connectors/in/offsets", Some(&again));
    changed.expect(200);
    append(&input, "three\n");
    worker.kill();
    worker.start_again();
    until("the connector goes on", || {
        let answer = worker.rest.try_call("PUT", "/connectors/in/resume", None)?;
        (answer.status == 202).then_some(())
    });
    assert_eq!(system.consume(&topic, 4)[2..], ["null\ttwo", "null\tthree"]);

    stop(&worker.rest);
    worker.rest.delete("/connectors/in/offsets").expect(200);
    let stored = worker.rest.get("/connectors/in/offsets").expect(200);
    assert_eq!(stored, json!({"offsets": []}), "gone from both topics");
}

fn stop(rest: &Rest) {
    rest.put("/connectors/in/stop").expect(204);
    until("the connector has stopped", || {
        let status = rest.status("in");
        (status["connector"]["state"] == "STOPPED" && status["tasks"] == json!([])).then_some(())
    });
}

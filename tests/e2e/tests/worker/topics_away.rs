//! Internal topics whose only leader is away for a while, in a cluster whose other brokers are there.

use caisson_e2e::{Broker, System};
use serde_json::{Value, json};

use crate::coordinators::{OF_GROUPS, ONE_COORDINATOR};
use crate::topics_lost::Lines;

/// The broker that goes: it has the internal topics, and coordinates no group.
const AWAY: u16 = 3;

/// The coordinator answers nobody until the broker that goes is no replica in sync of its topic any more, which takes
/// longer than members are given otherwise.
const MEMBER: [(&str, &str); 3] = [
    ("session.timeout.ms", "60000"),
    ("heartbeat.interval.ms", "20000"),
    ("rebalance.timeout.ms", "15000"),
];

/// Makes a compacted topic with these replicas of each of its partitions.
fn make(system: &System, topic: &str, replicas: &str, partitions: usize) {
    let assignment = vec![replicas; partitions].join(",");
    let compacted = ["--config", "cleanup.policy=compact"];
    let arguments = ["--create", "--topic", topic, "--replica-assignment", &assignment];
    system.tool(
        "org.apache.kafka.tools.TopicCommand",
        &[&arguments[..], &compacted].concat(),
        "",
    );
}

#[test]
fn internal_topics_whose_leader_is_away_hold_up_what_is_to_be_written_and_nothing_else() {
    let Some(system) = System::get() else { return };
    let brokers = Broker::start_several(&system, "away", 3, ONE_COORDINATOR);
    let system = system.on(&brokers.bootstrap());
    let name = system.name("away");
    make(&system, OF_GROUPS, "1:2:3", 1);
    for (store, partitions) in [("config", 1), ("offset", 5), ("status", 5)] {
        make(&system, &format!("{name}-{store}"), &AWAY.to_string(), partitions);
    }
    let mut lines = Lines::start_with(&system, &name, &MEMBER);
    lines.await_offset();
    let sink = lines.sink_name();

    brokers.kill_node(AWAY);
    lines.pass();
    let changed = json!({"connector.class": "FileStreamSource", "topic": "other", "file": "other.txt"});
    let refused = lines.rest().call("PUT", "/connectors/in/config", Some(&changed));
    assert_eq!(refused.status, 500, "{}", refused.body);
    assert_eq!(
        refused.body["message"],
        "Error writing connector configuration to Kafka"
    );
    let config = lines.rest().get("/connectors/in/config").expect(200);
    assert_eq!(config["topic"], lines.source["topic"]);
    lines.worker.await_log(&["ERROR", "commit of source offsets"]);
    lines.pass();
    brokers.start_node_again(AWAY);
    lines.pass();
    lines.await_offset();
    lines.pause_and_resume();

    // A task that starts meanwhile waits for its offsets.
    brokers.kill_node(AWAY);
    lines
        .rest()
        .post("/connectors/in/tasks/0/restart", &Value::Null)
        .expect(204);
    lines
        .worker
        .await_log(&["WARN", "the stored offsets cannot be read yet"]);
    brokers.start_node_again(AWAY);
    lines.pass();
    lines.await_offset();

    // A worker that starts meanwhile does not take the cluster for an empty one.
    brokers.kill_node(AWAY);
    lines.worker.kill();
    lines.worker.start_again_unawaited();
    lines
        .worker
        .await_log(&["WARN", "cannot be read to its end yet", &format!("{name}-")]);
    brokers.start_node_again(AWAY);
    lines.worker.await_rest();
    assert_eq!(lines.rest().get("/connectors").expect(200), json!(["in", sink]));
    lines.pass();
    lines.await_offset();
}

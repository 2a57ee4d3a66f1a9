//! A cluster of several brokers, of which the one that matters goes: whoever coordinates the group of the workers.

use caisson_e2e::cluster::{Cluster, owners};
use caisson_e2e::{Broker, Rest, System, measured, until};
use serde_json::json;

use crate::cluster::Numbers;

/// All groups have one coordinator: whoever leads the only partition of their topic.
pub const ONE_COORDINATOR: &str = "offsets.topic.num.partitions=1\n";
pub const OF_GROUPS: &str = "__consumer_offsets";
/// A silence of the coordinator for a heartbeat interval stops the work, as in Kafka Connect. No broker that goes takes as
/// long as this to be replaced.
const PATIENT: [(&str, &str); 5] = [
    ("session.timeout.ms", "180000"),
    ("heartbeat.interval.ms", "60000"),
    ("config.storage.replication.factor", "3"),
    ("offset.storage.replication.factor", "3"),
    ("status.storage.replication.factor", "3"),
];
/// A round for the new connector, one for its tasks, and one for what the fault may cost.
const ROUNDS: u32 = 3;

/// What is said of the partition of groups behind this word.
fn of_groups(system: &System, word: &str) -> Option<String> {
    let arguments = ["--describe", "--topic", OF_GROUPS];
    let told = system.tool("org.apache.kafka.tools.TopicCommand", &arguments, "");
    let line = told.lines().find(|line| line.contains("Leader:"))?;
    let behind = line.split(word).nth(1)?;
    Some(behind.split_whitespace().next()?.to_owned())
}

fn coordinator(system: &System) -> Option<u16> {
    of_groups(system, "Leader:")?.parse().ok()
}

/// The newest generation that the worker was in, and as whom.
fn generation(log: &str) -> (u32, String) {
    let field = |line: &str, name: &str| {
        let behind = line.split(name).nth(1).unwrap_or_default();
        behind.split_whitespace().next().unwrap_or_default().to_owned()
    };
    let line = log.lines().rfind(|line| line.contains("Joined group")).unwrap();
    (field(line, "generation=").parse().unwrap(), field(line, "member_id="))
}

/// Creates a connector, however often it takes, and waits until it runs: for that the group has to come together, and what
/// it decided has to be written.
fn create(rest: &Rest, name: &str, topic: &str) {
    let config = json!({"connector.class": "DatagenSource", "topic": topic, "rate": "0"});
    let body = json!({"name": name, "config": config});
    until(&format!("{name} is created"), || {
        let answer = rest.try_call("POST", "/connectors", Some(&body))?;
        let exists = answer.body["message"]
            .as_str()
            .is_some_and(|message| message.contains("already exists"));
        (answer.status == 201 || exists).then_some(())
    });
    owners(rest, name, 1);
}

#[test]
fn a_coordinator_that_moves_or_dies_costs_no_membership_and_stops_no_task() {
    let Some(system) = System::get() else { return };
    let brokers = Broker::start_several(&system, "coordinator", 3, ONE_COORDINATOR);
    let system = system.on(&brokers.bootstrap());
    let cluster = Cluster::start(&system, "coordinator", 1, &PATIENT);
    let mut numbers = Numbers::start(system.clone(), cluster, &[]);
    numbers.await_work(&[0]);
    let idle = system.topic("idle", 1, &[]);
    let first = until("the preferred replica coordinates", || {
        let replicas = of_groups(&system, "Replicas:")?;
        let preferred: u16 = replicas.split(',').next()?.parse().ok()?;
        coordinator(&system).filter(|now| *now == preferred)
    });
    let mut prove = |what: &str, is_moved: &dyn Fn(u16) -> bool| {
        let before = generation(&numbers.cluster.workers[0].log());
        until(&format!("{what}: another broker coordinates"), || {
            coordinator(&system).filter(|now| is_moved(*now))
        });
        create(&numbers.cluster.workers[0].rest, what, &idle);
        numbers.await_work(&[0]);
        let after = generation(&numbers.cluster.workers[0].log());
        assert_eq!(before.1, after.1, "{what}: it is the member that it was");
        assert!(
            after.0 > before.0 && after.0 <= before.0 + ROUNDS,
            "{what}: {before:?} to {after:?}"
        );
    };
    brokers.stop_node(first);
    prove("stopped", &|now| now != first);
    brokers.start_node_again(first);
    until("the broker is in step again", || {
        let in_step = of_groups(&system, "Isr:")?;
        in_step.split(',').any(|node| node == first.to_string()).then_some(())
    });
    let elect = ["--election-type", "preferred", "--topic", OF_GROUPS, "--partition", "0"];
    system.tool("org.apache.kafka.tools.LeaderElectionCommand", &elect, "");
    prove("moved", &|now| now == first);
    brokers.kill_node(first);
    prove("killed", &|now| now != first);
    let log = numbers.cluster.workers[0].log();
    assert!(!log.contains("stopping all work"), "the work was stopped");
    let made = numbers.stop(0);
    let repeated = numbers.verify(0, made);
    measured(&format!(
        "a coordinator stopped, moved and killed: {made} records and none lost, {repeated} of them twice"
    ));
}

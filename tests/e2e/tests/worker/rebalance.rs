//! Sink tasks are members of one consumer group: they share the partitions, and take over from each other.

use std::collections::BTreeMap;

use caisson_e2e::{System, until};
use serde_json::json;

use crate::modules::upload;

#[test]
fn two_sink_tasks_share_the_partitions_and_another_workers_tasks_take_their_part() {
    let Some(system) = System::get() else { return };
    let topic = system.topic("shared", 4, &[]);
    let name = system.name("sharing");
    let config = |file: &std::path::Path| {
        json!({
            "connector.class": "FileStreamSink", "tasks.max": "2", "topics": topic, "file": file,
            "consumer.override.session.timeout.ms": "6000", "consumer.override.heartbeat.interval.ms": "500",
        })
    };
    let first = system.worker("sharing-first").start();
    first.rest.create_running(&name, &config(&first.path("out.txt")));
    await_shares(&system, &name, &[2, 2]);
    produce(&system, &topic, 0..200);
    first.await_lines("out.txt", 200);

    let mut second = system.worker("sharing-second").start();
    second.rest.create_running(&name, &config(&second.path("out.txt")));
    await_shares(&system, &name, &[1, 1, 1, 1]);
    produce(&system, &topic, 200..400);
    let (mine, theirs) = (first.path("out.txt"), second.path("out.txt"));
    let both = || {
        [&mine, &theirs]
            .map(|file| std::fs::read_to_string(file).unwrap_or_default())
            .concat()
    };
    until("all lines are in one of the files", || {
        has_all(&both(), 400).then_some(())
    });
    assert!(
        second.read("out.txt").lines().count() > 0,
        "the second worker got nothing"
    );

    second.kill();
    await_shares(&system, &name, &[2, 2]);
    produce(&system, &topic, 400..600);
    until("all lines are in one of the files", || {
        has_all(&both(), 600).then_some(())
    });
    first.rest.await_states(&name, "RUNNING", "RUNNING");
}

#[test]
fn a_sink_that_asks_for_a_partition_again_gets_it_from_there_and_of_others_everything_once() {
    let Some(system) = System::get() else { return };
    let [again, once] = ["again", "once"].map(|name| system.topic(name, 1, &[]));
    for topic in [&again, &once] {
        let lines: String = (0..300).map(|number| format!("{topic}:{number}\n")).collect();
        system.produce(topic, None, &lines);
    }
    let worker = system.worker("rewind").start();
    upload(&system, &worker.rest, "ok", 1);
    let config = json!({
        "connector.class": "changeling.Sink", "topics": format!("{again},{once}"), "file": worker.path("out.txt"),
        "rewind": again, "consumer.override.max.poll.records": "40",
        "value.converter": "org.apache.kafka.connect.converters.ByteArrayConverter",
    });
    worker.rest.create_running(&system.name("rewind"), &config);
    let of = |topic: &str| -> Vec<u32> {
        let text = worker.read("out.txt");
        let numbers = text
            .lines()
            .filter_map(|line| line.strip_prefix(topic)?.strip_prefix(':'));
        numbers.map(|number| number.parse().expect("a number")).collect()
    };
    until("everything has arrived", || {
        (of(&again).ends_with(&[298, 299]) && of(&once).len() >= 300).then_some(())
    });
    assert_eq!(of(&once), (0..300).collect::<Vec<_>>());
    let twice = of(&again).len() - 300;
    assert!((100..300).contains(&twice), "{twice} records came twice");
    let expected = (0..u32::try_from(twice).unwrap()).chain(0..300);
    assert_eq!(of(&again), expected.collect::<Vec<_>>());
}

/// Waits until the members of the connector's group have so many partitions each.
fn await_shares(system: &System, connector: &str, shares: &[usize]) {
    let group = format!("connect-{connector}");
    until(&format!("the members of {group} have {shares:?} partitions"), || {
        let class = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand";
        let output = system.tool(class, &["--describe", "--group", &group], "");
        let mut members: BTreeMap<&str, usize> = BTreeMap::new();
        // GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG CONSUMER-ID HOST CLIENT-ID
        for member in output
            .lines()
            .filter(|line| line.contains(&group))
            .filter_map(|line| line.split_whitespace().nth(6))
        {
            *members.entry(member).or_default() += usize::from(member != "-");
        }
        let mut found: Vec<usize> = members.into_values().collect();
        found.sort_unstable();
        (found == shares).then_some(())
    });
}

/// Writes numbered records, with keys so that they spread over the partitions.
fn produce(system: &System, topic: &str, numbers: std::ops::Range<u32>) {
    let lines: String = numbers.map(|number| format!("k{number}:n{number}\n")).collect();
    system.produce(topic, Some(":"), &lines);
}

fn has_all(text: &str, count: u32) -> bool {
    let lines: std::collections::BTreeSet<&str> = text.lines().collect();
    (0..count).all(|number| lines.contains(format!("n{number}").as_str()))
}

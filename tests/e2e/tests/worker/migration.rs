//! A cluster of Kafka Connect's own workers is replaced worker by worker, and put back.

use std::collections::BTreeSet;
use std::path::PathBuf;

use caisson_e2e::cluster::{create, owners, worker_id};
use caisson_e2e::{JavaWorker, Rest, System, Worker, until};
use serde_json::json;

use crate::quickstart::append;

const PAIRS: usize = 2;

/// For workers of both kinds: nobody waits for a worker that has left.
const TIMES: [(&str, &str); 4] = [
    ("scheduled.rebalance.max.delay.ms", "0"),
    ("session.timeout.ms", "6000"),
    ("heartbeat.interval.ms", "1000"),
    ("offset.flush.interval.ms", "500"),
];

/// Pairs of a file source and a file sink, with a topic between them.
struct Files {
    directory: PathBuf,
    topics: Vec<String>,
    /// Lines that every input has by now.
    lines: usize,
}

impl Files {
    fn new(system: &System) -> Self {
        Self {
            directory: system.directory(&system.name("files")),
            topics: (0..PAIRS).map(|_| system.topic("lines", 1, &[])).collect(),
            lines: 0,
        }
    }

    fn connectors() -> impl Iterator<Item = String> {
        (0..PAIRS).flat_map(|pair| [format!("in-{pair}"), format!("out-{pair}")])
    }

    fn create(&self, rest: &Rest) {
        let text = "org.apache.kafka.connect.storage.StringConverter";
        for (pair, topic) in self.topics.iter().enumerate() {
            let [input, output] = ["in", "out"].map(|name| self.directory.join(format!("{name}-{pair}.txt")));
            std::fs::write(&input, "").unwrap();
            let source = json!({
                "connector.class": "FileStreamSource", "topic": topic, "file": input, "value.converter": text,
            });
            let sink = json!({
                "connector.class": "FileStreamSink", "topics": topic, "file": output, "value.converter": text,
                "consumer.override.isolation.level": "read_committed",
            });
            create(rest, &format!("in-{pair}"), &source);
            create(rest, &format!("out-{pair}"), &sink);
        }
    }

    /// Adds lines to every input, and waits until every output has them, once and in order.
    fn pass_lines(&mut self) {
        let range = self.lines..self.lines + 10;
        self.lines = range.end;
        let text: String = range.map(|number| format!("line {number}\n")).collect();
        for pair in 0..PAIRS {
            append(&self.directory.join(format!("in-{pair}.txt")), &text);
        }
        let all: String = (0..self.lines).map(|number| format!("line {number}\n")).collect();
        for pair in 0..PAIRS {
            let output = self.directory.join(format!("out-{pair}.txt"));
            until(&format!("{} lines are in {}", self.lines, output.display()), || {
                let text = std::fs::read_to_string(&output).unwrap_or_default();
                (text.len() >= all.len()).then_some(())
            });
            assert_eq!(std::fs::read_to_string(&output).unwrap(), all);
        }
    }
}

/// Waits until tasks run on exactly these workers.
fn await_owners(asked: &Rest, of: &[&Rest]) {
    let ids: BTreeSet<String> = of.iter().map(|rest| worker_id(rest)).collect();
    until(&format!("tasks run on {ids:?}"), || {
        let found: BTreeSet<String> = Files::connectors().flat_map(|name| owners(asked, &name, 1)).collect();
        (found == ids).then_some(())
    });
}

/// Creates two connectors by way of a worker: one for each, so that both make task configurations for whoever leads.
fn create_for_each(files: &Files, asked: &Rest, of: &[&Rest]) {
    let ids: BTreeSet<String> = of.iter().map(|rest| worker_id(rest)).collect();
    let connectors = ["first", "second"].map(|name| {
        let input = files.directory.join(format!("{name}.txt"));
        std::fs::write(&input, "").unwrap();
        let config = json!({"connector.class": "FileStreamSource", "topic": files.topics[0], "file": input});
        create(asked, name, &config);
        owners(asked, name, 1);
        let status = asked.get(&format!("/connectors/{name}/status")).expect(200);
        status["connector"]["worker_id"].as_str().unwrap_or_default().to_owned()
    });
    assert_eq!(BTreeSet::from(connectors), ids);
    for name in ["first", "second"] {
        until(&format!("{name} is deleted"), || {
            let answer = asked.try_call("DELETE", &format!("/connectors/{name}"), None)?;
            matches!(answer.status, 204 | 404).then_some(())
        });
    }
}

fn properties(more: &[(&str, &str)]) -> String {
    let all = TIMES.iter().chain(more);
    all.map(|(key, value)| format!("{key}={value}\n")).collect()
}

fn caisson(system: &System, group: &str, more: &[(&str, &str)]) -> Worker {
    let base = group.trim_end_matches("-cluster");
    let mut setup = system.worker("migration").distributed(group);
    for (store, topic) in [("config", "configs"), ("offset", "offsets"), ("status", "status")] {
        setup = setup.property(&format!("{store}.storage.topic"), &format!("{base}-{topic}"));
    }
    let json = "org.apache.kafka.connect.json.JsonConverter";
    setup = setup.property("key.converter", json).property("value.converter", json);
    for (key, value) in TIMES.iter().chain(more) {
        setup = setup.property(key, value);
    }
    setup.start()
}

#[test]
fn a_cluster_of_kafka_connect_is_taken_over_in_place_and_handed_back() {
    let Some(system) = System::get() else { return };
    let group = format!("{}-cluster", system.name("migration"));
    let java = JavaWorker::prepare(&system, &group, &properties(&[]));
    java.begin();
    let mut files = Files::new(&system);
    files.create(&java.rest);
    await_owners(&java.rest, &[&java.rest]);
    files.pass_lines();
    // The commands for workers speak to one of Kafka Connect's as well.
    let list = system.caisson(&["get"]).on(&java.rest).run("").expect(0);
    assert!(list.contains("in-0    source   RUNNING   1/1"), "{list}");
    let same = json!({"name": "in-0", "config": java.rest.get("/connectors/in-0/config").expect(200)}).to_string();
    let told = system
        .caisson(&["apply", "-f", "-"])
        .on(&java.rest)
        .run(&same)
        .expect(0);
    assert_eq!(told, "connector in-0 is as it should be\n");

    let mut worker = caisson(&system, &group, &[]);
    await_owners(&java.rest, &[&java.rest, &worker.rest]);
    await_owners(&worker.rest, &[&java.rest, &worker.rest]);
    files.pass_lines();
    create_for_each(&files, &worker.rest, &[&java.rest, &worker.rest]);

    java.stop();
    await_owners(&worker.rest, &[&worker.rest]);
    files.pass_lines();

    java.begin();
    await_owners(&java.rest, &[&java.rest, &worker.rest]);
    files.pass_lines();
    create_for_each(&files, &java.rest, &[&java.rest, &worker.rest]);

    worker.terminate();
    assert!(worker.await_end().success());
    await_owners(&java.rest, &[&java.rest]);
    files.pass_lines();
}

#[test]
fn tasks_of_exactly_once_sources_are_fenced_through_leaders_of_either_kind() {
    let Some(system) = System::get() else { return };
    let group = format!("{}-cluster", system.name("fencing"));
    let enabled = [("exactly.once.source.support", "enabled")];
    let java = JavaWorker::prepare(&system, &group, &properties(&enabled));
    java.begin();
    let mut files = Files::new(&system);
    files.create(&java.rest);
    await_owners(&java.rest, &[&java.rest]);
    files.pass_lines();
    // A follower of Kafka Connect's own leader, which it asks to fence before it starts the sources that it gets.
    let worker = caisson(&system, &group, &enabled);
    await_owners(&java.rest, &[&java.rest, &worker.rest]);
    files.pass_lines();
    java.stop();
    await_owners(&worker.rest, &[&worker.rest]);
    files.pass_lines();
    // The other way round.
    java.begin();
    await_owners(&worker.rest, &[&java.rest, &worker.rest]);
    files.pass_lines();
    create_for_each(&files, &java.rest, &[&java.rest, &worker.rest]);
}

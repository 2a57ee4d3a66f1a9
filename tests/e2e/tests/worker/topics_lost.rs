//! Internal topics of a cluster that are deleted, made anew, or used by others, while its workers run.

use caisson_e2e::cluster::{create, owners};
use caisson_e2e::{Rest, System, Worker, WorkerSetup, until};
use serde_json::{Value, json};

use crate::quickstart::append;

const TOPICS: &str = "org.apache.kafka.tools.TopicCommand";

fn delete(system: &System, topic: &str) {
    system.tool(TOPICS, &["--delete", "--topic", topic], "");
}

/// Fails if the topic is there, whoever has made it.
fn make_anew(system: &System, topic: &str, partitions: &str) {
    let arguments = ["--create", "--topic", topic, "--partitions", partitions];
    let compacted = ["--config", "cleanup.policy=compact"];
    system.tool(TOPICS, &[&arguments[..], &compacted].concat(), "");
}

fn idle(topic: &str) -> Value {
    json!({"connector.class": "DatagenSource", "topic": topic, "rate": "0"})
}

/// A worker whose connector `in` reads lines that its connector `out` writes; the first one has passed, and its offset is
/// written.
pub struct Lines {
    pub worker: Worker,
    pub source: Value,
    sink: Value,
    passed: Vec<String>,
}

impl Lines {
    pub fn start(system: &System, cluster: &str) -> Lines {
        Self::start_with(system, cluster, &[])
    }

    /// With further properties of the worker.
    pub fn start_with(system: &System, cluster: &str, properties: &[(&str, &str)]) -> Lines {
        let setup = system.worker("lines").distributed(cluster);
        let setup = setup.property("offset.flush.interval.ms", "50");
        let further = |setup: WorkerSetup, (name, value): &(&str, &str)| setup.property(name, value);
        let worker = properties.iter().fold(setup, further).start();
        let topic = system.topic("lines", 1, &[]);
        std::fs::write(worker.path("in.txt"), "").unwrap();
        let source = json!({"connector.class": "FileStreamSource", "topic": topic, "file": worker.path("in.txt")});
        let sink = json!({"connector.class": "FileStreamSink", "topics": topic, "file": worker.path("out.txt")});
        let mut lines = Lines {
            worker,
            source,
            sink,
            passed: Vec::new(),
        };
        lines.create();
        lines.pass();
        lines
    }

    pub fn rest(&self) -> &Rest {
        &self.worker.rest
    }

    /// The sink under a name of this cluster's, for the offsets of its group are not.
    fn create(&self) {
        create(self.rest(), "in", &self.source);
        create(self.rest(), &self.sink_name(), &self.sink);
    }

    pub fn sink_name(&self) -> String {
        format!("out-{}", self.sink["topics"].as_str().unwrap())
    }

    /// One line more goes all the way, and none comes twice.
    pub fn pass(&mut self) {
        let line = format!("line {}", self.passed.len());
        append(&self.worker.path("in.txt"), &format!("{line}\n"));
        self.passed.push(line);
        assert_eq!(self.worker.await_lines("out.txt", self.passed.len()), self.passed);
    }

    pub fn await_offset(&self) {
        let end = std::fs::metadata(self.worker.path("in.txt")).unwrap().len();
        until("the offset is written", || {
            let offsets = self.rest().try_call("GET", "/connectors/in/offsets", None)?.body;
            (offsets["offsets"][0]["offset"]["position"] == end).then_some(())
        });
    }

    /// The sink pauses and goes on, which is written and read in the status topic.
    pub fn pause_and_resume(&self) {
        let sink = self.sink_name();
        self.rest().put(&format!("/connectors/{sink}/pause")).expect(202);
        self.rest().await_states(&sink, "PAUSED", "PAUSED");
        self.rest().put(&format!("/connectors/{sink}/resume")).expect(202);
        self.rest().await_states(&sink, "RUNNING", "RUNNING");
    }

    fn restart(&mut self) {
        self.worker.terminate();
        assert!(self.worker.await_end().success());
        self.worker.start_again();
    }
}

#[test]
fn a_config_topic_that_is_deleted_stops_nothing_and_the_cluster_begins_anew_when_its_workers_do() {
    let Some(system) = System::get() else { return };
    let name = system.name("config-lost");
    let configs = format!("{name}-config");
    let mut lines = Lines::start(&system, &name);
    lines.await_offset();
    delete(&system, &configs);
    lines.worker.await_log(&["ERROR", "not there any more", &configs]);
    let changed = json!({"connector.class": "FileStreamSource", "topic": "other", "file": "other.txt"});
    let refused = std::thread::scope(|scope| {
        let rest = lines.rest();
        let asked = scope.spawn(|| rest.call("PUT", "/connectors/in/config", Some(&changed)));
        until("the stage is named", || {
            let health = rest.try_call("GET", "/health", None)?;
            let message = health.body["message"].as_str()?.to_owned();
            message
                .contains("currently writing a config for connector in to the config topic")
                .then_some(())
        });
        asked.join().unwrap()
    });
    assert_eq!(refused.status, 500, "{}", refused.body);
    assert_eq!(
        refused.body["message"],
        "Error writing connector configuration to Kafka"
    );
    lines.pass();

    // Nobody has made it meanwhile: it would not be compacted.
    make_anew(&system, &configs, "1");
    lines
        .worker
        .await_log(&["ERROR", "was deleted and made anew", &configs]);
    let refused = lines.rest().call("PUT", "/connectors/in/config", Some(&changed));
    assert_eq!(refused.status, 500, "{}", refused.body);
    lines.worker.await_log(&[
        "ERROR",
        "failed to write connector configuration to Kafka",
        "start all workers again",
    ]);
    assert_eq!(system.end_offset(&configs), 0, "a part of what is known was written");
    let config = lines.rest().get("/connectors/in/config").expect(200);
    assert_eq!(config["topic"], lines.source["topic"]);
    lines.pass();
    lines.await_offset();

    lines.restart();
    assert_eq!(lines.rest().get("/connectors").expect(200), json!([]));
    lines.create();
    lines.pass();
}

#[test]
fn offset_and_status_topics_that_are_deleted_and_made_anew_are_written_again() {
    let Some(system) = System::get() else { return };
    let name = system.name("states-lost");
    let [offsets, statuses] = ["offset", "status"].map(|store| format!("{name}-{store}"));
    let mut lines = Lines::start(&system, &name);
    lines.await_offset();
    for topic in [&offsets, &statuses] {
        delete(&system, topic);
        lines.worker.await_log(&["ERROR", "not there any more", topic]);
    }
    lines.pass();
    let sink = lines.sink_name();
    // What was known before is not forgotten.
    let status = lines.rest().status(&sink);
    assert_eq!(status["connector"]["state"], "RUNNING", "{status}");
    make_anew(&system, &offsets, "25");
    make_anew(&system, &statuses, "5");
    for topic in [&offsets, &statuses] {
        lines.worker.await_log(&["ERROR", "was deleted and made anew", topic]);
    }
    lines.pass();
    // Both are told from what the topics have now.
    lines.await_offset();
    lines.pause_and_resume();
    lines.pass();
    lines.restart();
    lines.pass();
    assert!(system.end_offset(&offsets) > 0 && system.end_offset(&statuses) > 0);
}

#[test]
fn a_cluster_whose_topics_another_one_writes_to_by_mistake_passes_over_what_is_not_its_own() {
    let Some(system) = System::get() else { return };
    let (mine, theirs) = (system.name("mine"), system.name("theirs"));
    let group = format!("connect-{mine}");
    let mut first = system.worker("mine").distributed(&group).start();
    let topic = system.topic("foreign", 1, &[]);
    create(&first.rest, "kept", &idle(&topic));
    owners(&first.rest, "kept", 1);
    let second = system
        .worker("theirs")
        .distributed(&theirs)
        .property("status.storage.topic", &format!("{group}-config"))
        .property("offset.storage.topic", &format!("{group}-status"))
        .start();
    std::fs::write(second.path("in.txt"), "one\n").unwrap();
    let source = json!({"connector.class": "FileStreamSource", "topic": topic, "file": second.path("in.txt")});
    for number in 0..4 {
        create(&second.rest, &format!("other-{number}"), &source);
        owners(&second.rest, &format!("other-{number}"), 1);
    }
    first.await_log(&[
        "ERROR",
        "discarding a record of the config topic",
        "status-connector-other-0",
    ]);
    first.await_log(&["ERROR", "discarding a record of the status topic", "other-"]);
    second.await_log(&["ERROR", "discarding a record of the status topic", "connector-kept"]);
    let more = "discarding more records of the config topic";
    first.await_log(&["ERROR", more, "Each Connect cluster needs topics of its own"]);
    assert_eq!(second.rest.get("/connectors").expect(200).as_array().unwrap().len(), 4);

    create(&first.rest, "new", &idle(&topic));
    owners(&first.rest, "new", 1);
    first.kill();
    first.start_again();
    assert_eq!(first.rest.get("/connectors").expect(200), json!(["kept", "new"]));
    create(&first.rest, "newer", &idle(&topic));
    owners(&first.rest, "newer", 1);
    assert!(
        first.log().matches(more).count() <= 2,
        "one line for each time that it was started"
    );

    let clash = json!({"name": mine, "config": {"connector.class": "DiscardSink", "topics": topic}});
    let refused = first.rest.post("/connectors", &clash);
    assert_eq!(refused.status, 400, "{}", refused.body);
    let message = refused.body["message"].as_str().unwrap();
    let clash = format!("Consumer group for sink connector named {mine} conflicts with Connect worker group {group}");
    assert!(message.contains(&clash), "{message}");
}

#[test]
fn a_leader_says_that_another_cluster_writes_to_its_config_topic() {
    let Some(system) = System::get() else { return };
    let (mine, theirs) = (system.name("leads"), system.name("strangers"));
    let first = system.worker("leads").distributed(&mine).start();
    let topic = system.topic("shared", 1, &[]);
    create(&first.rest, "one", &idle(&topic));
    owners(&first.rest, "one", 1);
    let second = system
        .worker("strangers")
        .distributed(&mine)
        .property("group.id", &theirs)
        .start();
    create(&second.rest, "two", &idle(&topic));
    first.await_log(&["WARN", "has not made", "group.id"]);
}

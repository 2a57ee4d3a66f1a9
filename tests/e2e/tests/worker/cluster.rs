//! Workers of a cluster: one alone, and three that survive each other.

use std::collections::{BTreeMap, BTreeSet};

use caisson_e2e::cluster::{Cluster, create, owners, worker_id};
use caisson_e2e::{Rest, System, measured, until};
use serde_json::{Value, json};

use crate::crash::{BYTES, verified};
use crate::quickstart::append;

/// What `connect-distributed.properties` of Kafka 4 sets.
const WORKER: &str = "\
bootstrap.servers=localhost:9092
group.id=connect-cluster
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
key.converter.schemas.enable=true
value.converter.schemas.enable=true
offset.storage.topic=connect-offsets
offset.storage.replication.factor=1
config.storage.topic=connect-configs
config.storage.replication.factor=1
status.storage.topic=connect-status
status.storage.replication.factor=1
offset.flush.interval.ms=10000
";

#[test]
fn a_worker_with_kafkas_own_distributed_properties_remembers_everything() {
    let Some(system) = System::get() else { return };
    let cluster = system.name("alone");
    let stock = WORKER
        .replace("localhost:9092", &system.bootstrap)
        .replace("=connect-", &format!("={cluster}-"));
    let setup = system.worker("alone").command_distributed();
    let (input, output) = (setup.path("in.txt"), setup.path("out.txt"));
    std::fs::write(&input, "one\ntwo\n").unwrap();
    let mut worker = setup
        .properties_text(&format!("{stock}listeners=http://127.0.0.1:{{port}}\n"))
        .start();
    let topic = system.topic("alone", 1, &[]);
    let source = json!({ "connector.class": "FileStreamSource", "topic": topic, "file": input });
    let sink = json!({ "connector.class": "FileStreamSink", "topics": topic, "file": output });
    create(&worker.rest, "in", &source);
    create(&worker.rest, "out", &sink);
    assert_eq!(worker.await_lines("out.txt", 2), ["one", "two"]);

    worker.terminate();
    assert!(worker.await_end().success());
    append(&input, "three\n");
    worker.start_again();
    assert_eq!(worker.await_lines("out.txt", 3), ["one", "two", "three"]);
    assert_eq!(system.end_offset(&topic), 3);
    assert_eq!(worker.rest.get("/connectors").expect(200), json!(["in", "out"]));

    // As in Kafka Connect: a task that there was, and that nobody runs, is somebody else's.
    worker.rest.put("/connectors/in/stop").expect(204);
    let restart = |task: u32| {
        let path = format!("/connectors/in/tasks/{task}/restart");
        worker.rest.call("POST", &path, None)
    };
    until("the stopped connector's task belongs to nobody", || {
        (restart(0).status == 409).then_some(())
    });
    assert_eq!(restart(1).expect(404)["message"], "Unknown task: in-1");

    worker.rest.delete("/connectors/in").expect(204);
    until("its status is gone", || {
        let answer = worker.rest.try_call("GET", "/connectors/in/status", None)?;
        (answer.status == 404).then_some(())
    });
}

#[test]
fn a_cluster_whose_workers_are_all_killed_at_once_comes_back_as_it_was() {
    let Some(system) = System::get() else { return };
    let mut cluster = Cluster::start(&system, "all-killed", 2, &[]);
    let topic = system.topic("all-killed", 1, &[]);
    let (input, output) = (cluster.workers[0].path("in.txt"), cluster.workers[0].path("out.txt"));
    std::fs::write(&input, "one\n").unwrap();
    let source = json!({ "connector.class": "FileStreamSource", "topic": topic, "file": input });
    let sink = json!({ "connector.class": "FileStreamSink", "topics": topic, "file": output });
    for (name, config) in [("in", &source), ("out", &sink), ("idle", &sink)] {
        create(&cluster.workers[0].rest, name, config);
        owners(&cluster.workers[0].rest, name, 1);
    }
    let rest = &cluster.workers[1].rest;
    rest.put("/connectors/idle/stop").expect(204);
    rest.put("/connectors/out/pause").expect(202);
    rest.await_states("out", "PAUSED", "PAUSED");
    for worker in &mut cluster.workers {
        worker.kill();
    }
    append(&input, "two\n");
    for worker in &mut cluster.workers {
        worker.start_again();
    }
    let rest = &cluster.workers[0].rest;
    owners(rest, "in", 1);
    rest.await_states("out", "PAUSED", "PAUSED");
    let status = rest.status("idle");
    assert_eq!(status["connector"]["state"], "STOPPED", "{status}");
    assert_eq!(status["tasks"], json!([]), "{status}");
    rest.put("/connectors/out/resume").expect(202);
    until("both lines have arrived", || {
        let text = cluster.workers[0].read("out.txt");
        ["one", "two"].iter().all(|line| text.contains(line)).then_some(())
    });
}

#[test]
fn a_worker_whose_group_is_a_sinks_says_so_and_ends() {
    let Some(system) = System::get() else { return };
    let name = system.name("taken");
    let topic = system.topic("taken", 1, &[]);
    let sink = system.worker("taken-sink").start();
    let config = json!({ "connector.class": "DiscardSink", "topics": topic });
    sink.rest.create_running(&name, &config);
    sink.await_log(&["partitions assigned"]);
    let group = format!("connect-{name}");
    let mut worker = system.worker("taken").distributed(&group).start_unawaited();
    let ended = worker.await_end();
    assert_eq!(ended.code(), Some(1), "{}", worker.log());
    worker.await_log(&["caisson: cannot be a member of the group", &group]);
}

/// A cluster that runs a generator of three tasks, and what is known of it.
pub struct Numbers {
    system: System,
    pub cluster: Cluster,
    topic: String,
    /// What the topic had at the last look.
    pub seen: u64,
}

impl Numbers {
    /// The generator's configuration has this beyond the usual.
    pub fn start(system: System, cluster: Cluster, more: &[(&str, &str)]) -> Self {
        let topic = system.topic("numbers", 3, &[]);
        let mut config = json!({
            "connector.class": "DatagenSource", "topic": topic, "format": "sequence", "seed": "42",
            "partitions": "3", "tasks.max": "3", "rate": "2000", "value.converter": BYTES,
        });
        for (key, value) in more {
            config[*key] = json!(value);
        }
        create(&cluster.workers[0].rest, "numbers", &config);
        let seen = 0;
        Self {
            system,
            cluster,
            topic,
            seen,
        }
    }

    /// Waits until exactly these workers have tasks, by what one of them says, and until records have come of that.
    pub fn await_work(&mut self, of: &[usize]) {
        let workers = &self.cluster.workers;
        let ids: BTreeSet<String> = of.iter().map(|index| worker_id(&workers[*index].rest)).collect();
        until(&format!("the tasks are spread over {ids:?}"), || {
            (owners(&workers[of[0]].rest, "numbers", 3) == ids).then_some(())
        });
        self.seen = until("the topic grows", || {
            Some(self.system.end_offset(&self.topic)).filter(|end| *end > self.seen)
        });
    }

    pub fn but(&self, lost: usize) -> Vec<usize> {
        (0..self.cluster.workers.len()).filter(|index| *index != lost).collect()
    }

    /// Kills a worker, and starts it again once the others have its work.
    pub fn kill_and_return(&mut self, lost: usize) {
        self.cluster.workers[lost].kill();
        self.await_work(&self.but(lost));
        self.cluster.workers[lost].start_again();
        self.await_work(&self.all());
    }

    /// Freezes a worker longer than its session, and lets it go on once the others have its work.
    pub fn freeze_and_thaw(&mut self, lost: usize) {
        self.cluster.workers[lost].freeze();
        self.await_work(&self.but(lost));
        self.cluster.workers[lost].thaw();
        self.await_work(&self.all());
    }

    fn all(&self) -> Vec<usize> {
        (0..self.cluster.workers.len()).collect()
    }

    /// Stops the generator and returns how many records it has made, by its offsets.
    pub fn stop(&self, by: usize) -> u64 {
        let rest = &self.cluster.workers[by].rest;
        // A task that lost its place in a fault has no more offsets, but may have written on: whoever has its work now
        // must have come further, or there are more records than offsets. Each may have written all that nobody has an
        // offset of; and what was on its way has arrived once all have gone on, which is why this is asked twice.
        for _ in 0..2 {
            let before = until("every task has offsets", || {
                committed(rest).filter(|counts| counts.len() == 3)
            });
            let written = self.system.end_offset(&self.topic);
            let unclaimed = written.saturating_sub(before.values().sum());
            until("every task's work goes on beyond all that it may have written", || {
                let counts = committed(rest)?;
                let is_beyond =
                    |(task, count): (&String, &u64)| counts.get(task).is_some_and(|now| *now > count + unclaimed);
                before.iter().all(is_beyond).then_some(())
            });
        }
        rest.put("/connectors/numbers/stop").expect(204);
        until("the generator has stopped", || {
            (rest.status("numbers")["tasks"] == json!([])).then_some(())
        });
        // Its tasks may still write their last offsets. They have ended before the round that follows the one by which they
        // were revoked, and before that the leader takes up nothing else.
        rest.put("/connectors/numbers/stop").expect(204);
        until("the offsets are told", || committed(rest)).values().sum()
    }

    /// Has all that can be read verified, once that is so many different records. Returns how many were written twice.
    pub fn verify(&self, by: usize, made: u64) -> u64 {
        let rest = &self.cluster.workers[by].rest;
        let name = self.system.name("verify");
        let config = json!({
            "connector.class": "DiscardSink", "topics": self.topic, "verify": "sequence", "value.converter": BYTES,
            "consumer.override.isolation.level": "read_committed",
        });
        create(rest, &name, &config);
        let found = until("the sink has seen every record", || {
            let mut logs = self.cluster.workers.iter().map(|worker| worker.log());
            logs.find_map(|log| verified(&log, &name).filter(|found| found.records >= made + found.repeated))
        });
        let right = ["of 9 streams missing=0", "corrupt=0"];
        assert!(right.iter().all(|part| found.rest.contains(part)), "{}", found.rest);
        assert_eq!(found.records, made + found.repeated, "{}", found.rest);
        found.repeated
    }
}

/// How many records each task of the generator has made, by its offsets; none while nobody can tell.
fn committed(rest: &Rest) -> Option<BTreeMap<String, u64>> {
    let answer = rest.try_call("GET", "/connectors/numbers/offsets", None)?;
    let entries = answer.body["offsets"].as_array()?.iter();
    let of_task = |entry: &Value| Some((entry["partition"].to_string(), entry["offset"]["count"].as_u64()?));
    entries.map(of_task).collect()
}

#[test]
fn three_workers_lose_nothing_with_their_leader_or_a_follower() {
    let Some(system) = System::get() else { return };
    let cluster = Cluster::start(&system, "three", 3, &[]);
    let mut three = Numbers::start(system, cluster, &[]);
    three.await_work(&[0, 1, 2]);

    let leader = three.cluster.leader(&[0, 1, 2]);
    three.kill_and_return(leader);

    // When it goes on, others have its work and one of them leads.
    let leader = three.cluster.leader(&[0, 1, 2]);
    three.freeze_and_thaw(leader);

    let leader = three.cluster.leader(&[0, 1, 2]);
    let follower = three.but(leader)[0];
    three.freeze_and_thaw(follower);
    three.cluster.workers[follower].kill();
    three.await_work(&three.but(follower));

    let made = three.stop(leader);
    let repeated = three.verify(leader, made);
    measured(&format!(
        "a leader and a follower killed, and each frozen: {made} records and none lost, {repeated} of them twice"
    ));
}

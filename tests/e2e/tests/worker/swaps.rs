//! The ledger of swaps under load: records run from a generator through a topic, a transform and a sink, while one after
//! the other is replaced by good and by bad versions. Nothing may be lost, and a swap that goes well repeats nothing.

use std::collections::BTreeMap;

use caisson_e2e::cluster::{create, owners};
use caisson_e2e::{Rest, System, Worker, WorkerSetup, measured, until};
use serde_json::{Value, json};

use crate::ledger::swaps;
use crate::metrics::await_sample;
use crate::modules::{PASS, upload};

pub const BYTES: &str = "org.apache.kafka.connect.converters.ByteArrayConverter";
/// Swaps to good versions in one test.
const SWAPS: u32 = 30;

/// The answer to a change of a binding.
pub fn bind(rest: &Rest, class: &str, digest: &str) -> (u16, Value) {
    let answer = rest.call("PUT", &format!("/bindings/{class}"), Some(&json!({ "module": digest })));
    (answer.status, answer.body)
}

/// Waits until a decision about a class was taken back, and returns the one that did it.
#[track_caller]
pub fn await_rollback(rest: &Rest, class: &str, to: &str) -> Value {
    until(&format!("{class} goes back by itself"), || {
        let binding = rest.get(&format!("/bindings/{class}")).body;
        (binding["by"] == "rollback" && binding["module"] == to).then_some(binding)
    })
}

/// Median and 99th percentile of the pauses that the log tells of a class.
fn pauses(log: &str, class: &str) -> (usize, f64, f64) {
    let milliseconds = |text: &str| -> Option<f64> {
        let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let number: f64 = text[..end].parse().ok()?;
        let unit = &text[end..];
        let factor = [("ns", 1e-6), ("µs", 1e-3), ("ms", 1.0), ("s", 1e3)];
        factor
            .iter()
            .find(|(name, _)| unit.starts_with(name))
            .map(|(_, factor)| number * factor)
    };
    let lines = log
        .lines()
        .filter(|line| line.contains("was replaced") && line.contains(class));
    let mut all: Vec<f64> = lines
        .filter_map(|line| milliseconds(line.split("pause=").nth(1)?))
        .collect();
    all.sort_by(f64::total_cmp);
    let at = |share: f64| {
        all.get(((all.len() as f64 * share) as usize).min(all.len().saturating_sub(1)))
            .copied()
    };
    (all.len(), at(0.5).unwrap_or_default(), at(0.99).unwrap_or_default())
}

fn measured_pauses(worker: &Worker, what: &str, class: &str) {
    let (swaps, median, worst) = pauses(&worker.log(), class);
    measured(&format!(
        "{what}: {swaps} swaps under load, pause p50 {median:.2} ms, p99 {worst:.2} ms"
    ));
}

/// What the verifying sink said last, by figure.
fn verified(log: &str, connector: &str) -> Option<BTreeMap<String, u64>> {
    let line = log
        .lines()
        .rfind(|line| line.contains("verified ") && line.contains(connector))?;
    let figures = line.split_whitespace().filter_map(|word| word.split_once('='));
    let mut found: BTreeMap<String, u64> = figures
        .filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
        .collect();
    let records = line.split("verified ").nth(1)?.split(' ').next()?;
    found.insert("records".to_owned(), records.parse().ok()?);
    Some(found)
}

/// Starts a generator that is busy, at a rate that a shared machine keeps up with.
fn generator(rest: &Rest, name: &str, topic: &str) {
    let config = json!({
        "connector.class": "DatagenSource", "topic": topic, "format": "sequence", "seed": "1", "value.converter": BYTES,
        "rate": "50000",
    });
    rest.create_running(name, &config);
}

/// Stops the generator and returns how many records there are in its topic.
pub fn stopped(system: &System, rest: &Rest, generator: &str, topic: &str) -> u64 {
    rest.put(&format!("/connectors/{generator}/stop")).expect(204);
    until("the generator has stopped", || {
        (rest.status(generator)["tasks"] == json!([])).then_some(())
    });
    system.end_offset(topic)
}

#[test]
fn transforms_are_replaced_under_load_and_bad_ones_go_back_without_a_trace_in_the_ledger() {
    let Some(system) = System::get() else { return };
    let topic = system.topic("swaps", 1, &[]);
    let setup = system.worker("swaps").property("sandbox.call.timeout.ms", "1000");
    let worker = setup.property("module.probation.records", "5000").start();
    let rest = &worker.rest;
    let good: Vec<String> = (1..=4).map(|version| upload(&system, rest, "ok", version)).collect();
    generator(rest, "numbers", &topic);
    let name = system.name("ledger");
    let sink = json!({
        "connector.class": "DiscardSink", "topics": topic, "verify": "sequence", "value.converter": BYTES,
        "transforms": "pass", "transforms.pass.type": PASS,
    });
    rest.create_running(&name, &sink);
    let swaps = swaps(SWAPS) as usize;
    for swap in 1..=swaps {
        let next = &good[swap % good.len()];
        let (status, answer) = bind(rest, PASS, next);
        assert_eq!(
            (status, &answer["swapped"]),
            (200, &json!([format!("{name}-0")])),
            "{answer}"
        );
    }
    let serving = good[swaps % good.len()].clone();
    for (number, behaviour) in (10..).zip(["fail-start", "trap-start"]) {
        let bad = upload(&system, rest, behaviour, number);
        let (status, answer) = bind(rest, PASS, &bad);
        assert_eq!(status, 409, "{behaviour}: {answer}");
        await_rollback(rest, PASS, &serving);
    }
    for (number, behaviour) in (20..).zip(["trap", "hang", "leak", "fail", "reject"]) {
        let bad = upload(&system, rest, behaviour, number);
        let (status, answer) = bind(rest, PASS, &bad);
        assert_eq!(status, 200, "{behaviour}: {answer}");
        let binding = await_rollback(rest, PASS, &serving);
        assert!(
            binding["reason"].as_str().is_some_and(|reason| reason.contains(PASS)),
            "{behaviour}: {binding}"
        );
    }
    let status = until("the status says why", || {
        let status = rest.status(&name);
        status["tasks"][0]["trace"].as_str().is_some().then_some(status)
    });
    assert_eq!(status["tasks"][0]["state"], "RUNNING", "{status}");
    let labels = format!("connector=\"{name}\",task=\"0\"");
    await_sample(rest, "caisson_module_rollbacks_total", &labels, 5.0);
    let end = stopped(&system, rest, "numbers", &topic);
    let found = until("the sink has seen every record", || {
        verified(&worker.log(), &name).filter(|found| found["records"] >= end)
    });
    for (figure, expected) in [
        ("records", end),
        ("missing", 0),
        ("repeated", 0),
        ("reordered", 0),
        ("corrupt", 0),
    ] {
        assert_eq!(found[figure], expected, "{figure} of {found:?}");
    }
    measured_pauses(
        &worker,
        &format!("transform, {end} records, none lost, none twice"),
        PASS,
    );
}

#[test]
fn sources_and_sinks_are_replaced_under_load_and_no_record_is_lost_or_comes_twice() {
    let Some(system) = System::get() else { return };
    let topic = system.topic("swapped", 1, &[]);
    let setup = system.worker("swapped").property("module.probation.ms", "60000");
    let worker = setup.property("module.probation.records", "1000000000").start();
    let rest = &worker.rest;
    let sources: Vec<String> = (0..2)
        .map(|number| rebuilt(rest, &system.components.join("caisson-datagen.wasm"), number))
        .collect();
    let sinks: Vec<String> = (1..=2).map(|version| upload(&system, rest, "ok", version)).collect();
    generator(rest, "numbers", &topic);
    let output = worker.path("out.txt");
    let sink = json!({
        "connector.class": "changeling.Sink", "topics": topic, "file": output, "value.converter": BYTES,
    });
    rest.create_running("lines", &sink);
    let swaps = swaps(SWAPS) as usize;
    for swap in 1..=swaps {
        for (class, digest, task) in [
            ("changeling.Sink", &sinks[swap % 2], "lines-0"),
            ("caisson.DatagenSource", &sources[swap % 2], "numbers-0"),
        ] {
            let (status, answer) = bind(rest, class, digest);
            let swapped = answer["swapped"]
                .as_array()
                .is_some_and(|all| all.contains(&json!(task)));
            assert!(status == 200 && swapped, "{class}: {status} {answer}");
        }
    }
    let before = lines(&output);
    until("records go on", || (lines(&output) > before).then_some(()));
    let end = stopped(&system, rest, "numbers", &topic);
    until("all lines are there", || (lines(&output) >= end).then_some(()));
    assert_eq!(lines(&output), end, "lines of {}", output.display());
    let sequences = sequences(&output);
    let gap = (1..).zip(&sequences).find(|(expected, found)| expected != *found);
    assert_eq!(gap, None, "the first number that is not where it belongs, of {end}");
    measured_pauses(
        &worker,
        &format!("sink, {end} records, none lost, none twice"),
        "changeling.Sink",
    );
    measured_pauses(&worker, "source", "caisson.DatagenSource");

    // One that fails on probation gives way, and what it had not made durable comes again.
    rest.put("/connectors/numbers/resume").expect(202);
    let serving = sinks[swaps % 2].clone();
    let bad = upload(&system, rest, "trap", 30);
    assert_eq!(bind(rest, "changeling.Sink", &bad).0, 200);
    await_rollback(rest, "changeling.Sink", &serving);
    let end = stopped(&system, rest, "numbers", &topic);
    until("all records are there", || {
        let mut all = self::sequences(&output);
        all.sort_unstable();
        all.dedup();
        (all.len() as u64 == end).then_some(())
    });
}

#[test]
fn a_stateful_plugin_goes_on_with_what_the_one_before_it_knew() {
    let Some(system) = System::get() else { return };
    let topic = system.topic("stateful", 1, &[]);
    let worker = system.worker("stateful").start();
    let rest = &worker.rest;
    let keeper = system.guests.join("keeper.wasm");
    rest.upload("/modules", &std::fs::read(&keeper).unwrap()).expect(201);
    let sink = json!({
        "connector.class": "FileStreamSink", "topics": topic, "file": worker.path("out.txt"),
        "transforms": "count", "transforms.count.type": "keeper.Count",
    });
    let name = system.name("counted");
    rest.create_running(&name, &sink);
    system.produce(&topic, None, "one\ntwo\n");
    assert_eq!(worker.await_lines("out.txt", 2), ["1 one", "2 two"]);
    let (status, answer) = bind(rest, "keeper.Count", &rebuilt(rest, &keeper, 1));
    assert_eq!(
        (status, &answer["swapped"]),
        (200, &json!([format!("{name}-0")])),
        "{answer}"
    );
    system.produce(&topic, None, "three\n");
    assert_eq!(worker.await_lines("out.txt", 3)[2], "3 three");
}

/// A component as if built anew: the same code with another digest.
pub fn rebuilt(rest: &Rest, file: &std::path::Path, number: u8) -> String {
    let mut bytes = std::fs::read(file).unwrap();
    // A custom section: its kind, its length, the length of its name, the name, and one byte.
    bytes.extend([0, 7, 5]);
    bytes.extend(b"build");
    bytes.push(number);
    let answer = rest.upload("/modules", &bytes).expect(201);
    assert_eq!(
        answer["serves"],
        json!([]),
        "an upload takes no class from anybody: {answer}"
    );
    answer["digest"].as_str().unwrap().to_owned()
}

fn lines(file: &std::path::Path) -> u64 {
    let bytes = std::fs::read(file).unwrap_or_default();
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// The numbers of the generator's records in a file, in its order.
fn sequences(file: &std::path::Path) -> Vec<u64> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let number = |line: &str| {
        let value: Value = serde_json::from_str(line).ok()?;
        value["sequence"].as_u64()
    };
    text.lines().filter_map(number).collect()
}

/// A worker of a cluster that has a topic for modules, and whose probations are short.
pub fn sharing_modules(system: &System, worker: &str, cluster: &str) -> WorkerSetup {
    let setup = system.worker(worker).distributed(cluster);
    let directory = setup.path("modules").display().to_string();
    setup
        .property("module.storage.topic", &format!("{cluster}-modules"))
        .property("module.storage.replication.factor", "1")
        .property("module.storage.directory", &directory)
        .property("module.probation.records", "1000")
        .property("module.probation.ms", "2000")
}

#[test]
fn a_cluster_moves_to_what_one_of_its_workers_was_given_and_back_from_what_fails() {
    let Some(system) = System::get() else { return };
    let topic = system.topic("moved", 3, &[]);
    let name = system.name("moving");
    let start = |index: usize| {
        // More than three batches, with the last of which a bad one fails, however slow the machine.
        sharing_modules(&system, &format!("moving-{index}"), &name)
            .property("module.probation.records", "20000")
            .property("module.probation.ms", "15000")
            .start()
    };
    let mut workers: Vec<Worker> = (0..3).map(start).collect();
    let rests: Vec<Rest> = workers.iter().map(|worker| worker.rest.clone()).collect();
    let first = upload(&system, &rests[0], "ok", 1);
    let output = workers[0].path("out.txt");
    let sink = json!({
        "connector.class": "changeling.Sink", "topics": topic, "file": output, "value.converter": BYTES, "tasks.max": "3",
        "consumer.override.session.timeout.ms": "6000", "consumer.override.heartbeat.interval.ms": "500",
    });
    // By another worker than the one that has the module first.
    create(&rests[1], "lines", &sink);
    // Before there is a fourth task, which would let two of these three stay with one worker.
    until("each worker has a task", || {
        (owners(&rests[0], "lines", 3).len() == 3).then_some(())
    });
    let numbers = json!({
        "connector.class": "DatagenSource", "topic": topic, "format": "sequence", "partitions": "3", "rate": "5000",
        "value.converter": BYTES,
    });
    create(&rests[2], "numbers", &numbers);
    let mut digests = vec![first];
    let mut slowest = std::time::Duration::ZERO;
    for version in 2..=9 {
        let began = std::time::Instant::now();
        let by = &rests[version as usize % 3];
        let digest = upload(&system, by, "ok", version);
        assert_eq!(bind(by, "changeling.Sink", &digest).0, 200);
        await_version(by, "lines", version);
        slowest = slowest.max(began.elapsed());
        digests.push(digest);
    }
    let end = stopped(&system, &rests[0], "numbers", &topic);
    until("all lines are there", || (lines(&output) >= end).then_some(()));
    assert_eq!((lines(&output), distinct(&output)), (end, end), "none lost, none twice");
    measured(&format!(
        "cluster of three: {end} records, 8 versions, none lost, none twice; upload to last task {slowest:?} at most"
    ));

    rests[0].put("/connectors/numbers/resume").expect(202);
    let bad = upload(&system, &rests[2], "trap", 30);
    bind(&rests[2], "changeling.Sink", &bad);
    for rest in &rests {
        await_rollback(rest, "changeling.Sink", &digests[8]);
    }
    await_version(&rests[1], "lines", 9);
    // A worker that was away while things changed has all of it when it is back.
    workers[1].kill();
    let latest = upload(&system, &rests[0], "ok", 10);
    assert_eq!(bind(&rests[0], "changeling.Sink", &latest).0, 200);
    workers[1].start_again();
    await_version(&rests[1], "lines", 10);
    assert_eq!(rests[1].get("/bindings/changeling.Sink").expect(200)["module"], latest);
    let end = stopped(&system, &rests[0], "numbers", &topic);
    // The worker that was killed may have run the generator, which then repeats what it had not noted.
    let made: std::collections::HashSet<String> = system.consume(&topic, end as usize).into_iter().collect();
    until("every record is there", || {
        (distinct(&output) == made.len() as u64).then_some(())
    });
}

/// Waits until all three tasks of a connector run with a version of the changeling.
#[track_caller]
fn await_version(rest: &Rest, name: &str, version: u32) {
    until(&format!("{name} runs with version {version}"), || {
        let status = rest.try_call("GET", &format!("/connectors/{name}/status"), None)?.body;
        let tasks = status["tasks"].as_array()?;
        let runs = |task: &Value| task["state"] == "RUNNING" && task["version"] == format!("1.0.{version:04}");
        (tasks.len() == 3 && tasks.iter().all(runs)).then_some(())
    });
}

/// How many different lines a file has.
pub fn distinct(file: &std::path::Path) -> u64 {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().collect::<std::collections::HashSet<_>>().len() as u64
}

//! Modules that one task tries before the others: alone, and in a cluster.

use std::collections::BTreeSet;

use caisson_e2e::cluster::{create, owners, worker_id};
use caisson_e2e::{Rest, System, Worker, until};
use serde_json::{Value, json};

use crate::modules::upload;
use crate::swaps::{BYTES, distinct, sharing_modules, stopped};

const CLASS: &str = "changeling.Sink";
const BINDING: &str = "/bindings/changeling.Sink";

#[test]
fn a_canary_is_followed_when_it_has_proved_itself_and_goes_back_alone_when_it_fails() {
    let Some(system) = System::get() else { return };
    let topic = system.topic("canary", 2, &[]);
    let setup = system.worker("canary").property("module.probation.ms", "600000");
    // More than the records of three batches, with the last of which a bad one fails.
    let worker = setup.property("module.probation.records", "80000").start();
    let rest = &worker.rest;
    let (name, numbers) = (system.name("canary"), system.name("numbers"));
    let good: Vec<String> = (1..=2).map(|version| upload(&system, rest, "ok", version)).collect();
    let output = worker.path("out.txt");
    let sink = json!({
        "connector.class": CLASS, "topics": topic, "file": output, "value.converter": BYTES, "tasks.max": "2",
    });
    rest.create_running(&name, &sink);
    let await_versions = |versions: [u32; 2]| {
        let expected = versions.map(|version| format!("1.0.{version:04}"));
        until(&format!("tasks run with {expected:?}"), || {
            let status = rest.status(&name);
            let runs = |(task, version): (&Value, &String)| task["state"] == "RUNNING" && task["version"] == **version;
            let tasks = status["tasks"].as_array()?;
            (tasks.len() == 2 && tasks.iter().zip(&expected).all(runs)).then_some(status)
        })
    };
    await_versions([1, 1]);
    let canary = |digest: &str| {
        let body = json!({ "module": digest, "canary": true });
        let answer = rest.call("PUT", BINDING, Some(&body)).expect(200);
        assert_eq!(
            (&answer["swapped"], &answer["canary"]["task"]),
            (&json!([format!("{name}-0")]), &json!(format!("{name}-0")))
        );
        assert_eq!(
            (&answer["canary"]["module"], &answer["canary"]["state"]),
            (&json!(digest), &json!("probation"))
        );
        answer
    };
    // While no records come, its probation goes on; it is ended by whoever goes back.
    assert_eq!(canary(&good[1])["module"], good[0]);
    await_versions([2, 1]);
    let back = rest
        .call("POST", "/bindings/changeling.Sink/rollback", None)
        .expect(200);
    assert_eq!((&back["module"], &back["canary"]), (&json!(good[0]), &Value::Null));
    await_versions([1, 1]);

    canary(&good[1]);
    let source = json!({
        "connector.class": "DatagenSource", "topic": topic, "format": "sequence", "partitions": "2", "rate": "50000",
        "value.converter": BYTES,
    });
    rest.create_running(&numbers, &source);
    await_versions([2, 2]);
    let binding = rest.get(BINDING).expect(200);
    assert_eq!(
        (&binding["module"], &binding["canary"]),
        (&json!(good[1]), &Value::Null)
    );

    canary(&upload(&system, rest, "trap", 30));
    let failed = until("the canary has failed", || {
        let binding = rest.get(BINDING).body;
        (binding["canary"]["state"] == "failed").then_some(binding)
    });
    assert_eq!(
        (&failed["module"], &failed["generation"]),
        (&json!(good[1]), &binding["generation"])
    );
    assert!(
        failed["canary"]["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains(CLASS)),
        "{failed}"
    );
    let status = until("its status says why", || {
        let status = await_versions([2, 2]);
        status["tasks"][0]["trace"].is_string().then_some(status)
    });
    assert_eq!(status["tasks"][1]["trace"], Value::Null, "{status}");
    let end = stopped(&system, rest, &numbers, &topic);
    until("every record is there", || (distinct(&output) == end).then_some(()));
}

/// Asks a worker to have one task try a module.
fn try_out(rest: &Rest, digest: &str) -> caisson_e2e::Answer {
    rest.call("PUT", BINDING, Some(&json!({ "module": digest, "canary": true })))
}

/// The versions that the two tasks of the connector run with, once both run.
fn versions(rest: &Rest, name: &str) -> Option<Vec<String>> {
    let status = rest.try_call("GET", &format!("/connectors/{name}/status"), None)?.body;
    let tasks = status["tasks"].as_array()?;
    let runs = tasks.len() == 2 && tasks.iter().all(|task| task["state"] == "RUNNING");
    let version = |task: &Value| task["version"].as_str().unwrap_or_default().to_owned();
    runs.then(|| tasks.iter().map(version).collect())
}

#[test]
fn a_cluster_has_one_task_try_a_module_wherever_it_runs_and_follows_or_goes_back() {
    let Some(system) = System::get() else { return };
    let topic = system.topic("canaries", 2, &[]);
    let name = system.name("canaries");
    let start = |index: usize| -> Worker {
        let setup = sharing_modules(&system, &format!("canaries-{index}"), &name);
        let setup = setup.property("module.probation.ms", "600000");
        setup.property("module.probation.records", "80000").start()
    };
    let mut workers: Vec<Worker> = (0..3).map(start).collect();
    let rests: Vec<Rest> = workers.iter().map(|worker| worker.rest.clone()).collect();
    let good: Vec<String> = (1..=3)
        .map(|version| upload(&system, &rests[0], "ok", version))
        .collect();
    let output = workers[0].path("out.txt");
    let sink = json!({
        "connector.class": CLASS, "topics": topic, "file": output, "value.converter": BYTES, "tasks.max": "2",
        "consumer.override.session.timeout.ms": "6000", "consumer.override.heartbeat.interval.ms": "500",
    });
    create(&rests[1], "lines", &sink);
    let running = owners(&rests[0], "lines", 2);
    let asked = |running: &BTreeSet<String>| (0..3).rev().find(|index| !running.contains(&worker_id(&rests[*index])));
    // Two tasks on three workers: one has none, and is asked.
    let idle = asked(&running).expect("a worker without a task");
    owners(&rests[idle], "lines", 2);
    let refused = rests[idle].delete(&format!("/modules/{}", good[0])).expect(409);
    let users = refused["message"].as_str().unwrap();
    assert!(users.ends_with("in use by lines, lines-0, lines-1"), "{users}");
    let tried = try_out(&rests[idle], &good[1]).expect(200);
    assert_eq!(tried["swapped"], json!(["lines-0"]), "{tried}");
    for rest in &rests {
        let shown = until("every worker shows it", || {
            Some(rest.get(BINDING).body).filter(|binding| binding["canary"]["state"] == "probation")
        });
        assert_eq!(
            (&shown["module"], &shown["canary"]["module"]),
            (&json!(good[0]), &json!(good[1]))
        );
        assert_eq!(
            rest.get(&format!("/modules/{}", good[1])).expect(200)["used_by"],
            json!(["lines-0"])
        );
    }
    until("one task runs with it", || {
        (versions(&rests[idle], "lines")? == ["1.0.0002", "1.0.0001"]).then_some(())
    });
    // Records come, and it proves itself: all follow.
    let numbers = json!({
        "connector.class": "DatagenSource", "topic": topic, "format": "sequence", "partitions": "2", "rate": "50000",
        "value.converter": BYTES,
    });
    create(&rests[idle], "numbers", &numbers);
    until("the cluster follows", || {
        (versions(&rests[idle], "lines")? == ["1.0.0002", "1.0.0002"]).then_some(())
    });
    for rest in &rests {
        until("every worker says so", || {
            let binding = rest.get(BINDING).body;
            (binding["module"] == good[1] && binding["canary"].is_null()).then_some(())
        });
    }
    // One that fails goes back alone, and every worker knows why.
    let bad = upload(&system, &rests[idle], "trap", 30);
    // It may have failed before it is said to be on probation.
    assert!(matches!(try_out(&rests[idle], &bad).status, 200 | 409));
    for rest in &rests {
        let failed = until("it has failed", || {
            Some(rest.get(BINDING).body).filter(|binding| binding["canary"]["state"] == "failed")
        });
        assert_eq!(failed["module"], good[1], "{failed}");
        let reason = failed["canary"]["reason"].as_str();
        assert!(reason.is_some_and(|reason| reason.contains(CLASS)), "{failed}");
    }
    let end = stopped(&system, &rests[idle], "numbers", &topic);
    until("every record is there", || (distinct(&output) == end).then_some(()));
    // One whose worker is killed is given up by whoever gets its task.
    try_out(&rests[idle], &good[2]).expect(200);
    let status = rests[idle].status("lines");
    let owner = status["tasks"][0]["worker_id"].clone();
    let killed = (0..3)
        .find(|index| owner == worker_id(&rests[*index]))
        .expect("one of the three");
    workers[killed].kill();
    for index in (0..3).filter(|index| *index != killed) {
        let failed = until("it is given up", || {
            Some(rests[index].get(BINDING).body).filter(|binding| binding["canary"]["state"] == "failed")
        });
        assert_eq!(failed["module"], good[1], "{failed}");
    }
    until("all runs as before", || {
        let index = (0..3).find(|index| *index != killed)?;
        (versions(&rests[index], "lines")? == ["1.0.0002", "1.0.0002"]).then_some(())
    });
}

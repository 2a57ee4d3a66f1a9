//! The commands that operators steer workers with.

use std::path::Path;

use caisson_e2e::System;
use serde_json::json;

fn file(path: &Path, text: &str) -> String {
    std::fs::write(path, text).unwrap();
    path.display().to_string()
}

#[test]
fn connectors_are_applied_after_a_look_at_what_that_changes() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("apply").start();
    let rest = &worker.rest;
    let run = |arguments: &[&str], input: &str| system.caisson(arguments).on(rest).run(input);
    let name = &*system.name("lines");
    let topic = system.topic("apply", 1, &[]);
    assert_eq!(run(&["get"], "").expect(0), "NAME   TYPE   STATE   TASKS   WORKER\n");

    let properties = format!(
        "connector.class=FileStreamSink\ntopics={topic}\nfile={}\n",
        worker.path("out.txt").display()
    );
    let sink = file(&worker.path("sink.properties"), &properties);
    let several = json!([
        {"name": "numbers", "config": {"connector.class": "DatagenSource", "topic": topic, "rate": "1000"}, "initial_state": "STOPPED"},
        {"name": "wrong", "connector.class": "DiscardSink", "topics": topic, "tasks.max": "many"},
    ]);
    let several = file(&worker.path("several.json"), &several.to_string());
    // The error of one keeps all from being written.
    let refused = run(&["apply", "-f", &several, "--yes"], "");
    assert!(
        refused.out.contains("! tasks.max: ") && refused.error.contains("nothing is written"),
        "{}",
        refused.out
    );
    assert_eq!(refused.code, 1);
    let shown = run(&["apply", "-f", &sink, "--name", name, "--dry-run"], "").expect(5);
    assert!(shown.contains(&format!("  + topics: {topic}\n")), "{shown}");
    let asked = run(&["apply", "-f", &sink, "--name", name], "");
    assert!(asked.error.contains("nobody to ask"), "{}", asked.error);
    assert_eq!((asked.code, rest.get("/connectors").expect(200)), (1, json!([])));

    let made = run(&["apply", "-f", &sink, "--name", name, "--yes"], "").expect(0);
    assert!(made.ends_with(&format!("created {name}\n")), "{made}");
    rest.await_states(name, "RUNNING", "RUNNING");
    let again = run(&["apply", "-f", &sink, "--name", name], "").expect(0);
    assert_eq!(again, format!("connector {name} is as it should be\n"));
    let mut shown = run(&["get", name, "-o", "json"], "").json();
    assert_eq!(shown["status"]["tasks"][0]["state"], "RUNNING", "{shown}");
    shown["config"]["tasks.max"] = json!("2");
    shown["config"]["file"] = json!(worker.path("other.txt"));
    let changed = run(&["apply", "-f", "-", "--yes"], &shown.to_string()).expect(0);
    assert!(
        changed.contains("  + tasks.max: 2\n") && changed.contains("  ~ file: /"),
        "{changed}"
    );
    assert_eq!(
        rest.get(&format!("/connectors/{name}/config")).expect(200)["tasks.max"],
        "2"
    );

    // Passwords are shown nowhere, whatever the worker thinks of the rest.
    let secret = json!({
        "name": "search", "connector.class": "io.confluent.connect.elasticsearch.ElasticsearchSinkConnector", "topics": topic,
        "connection.url": "http://localhost:1", "connection.username": "ann", "connection.password": "hunter2",
        "consumer.override.sasl.jaas.config": "hunter2",
    });
    for form in ["table", "json"] {
        let shown = run(&["apply", "-f", "-", "--dry-run", "-o", form], &secret.to_string());
        assert!(
            shown.out.contains("connection.password"),
            "{}{}",
            shown.out,
            shown.error
        );
        assert!(
            !format!("{}{}", shown.out, shown.error).contains("hunter2"),
            "{}{}",
            shown.out,
            shown.error
        );
    }
}

#[test]
fn connectors_are_steered_and_looked_at() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("steer").start();
    let rest = &worker.rest;
    let run = |arguments: &[&str]| system.caisson(arguments).on(rest).run("");
    let name = &*system.name("lines");
    let topic = system.topic("steer", 1, &[]);
    system.produce(&topic, None, "one\ntwo\n");
    let config = json!({ "connector.class": "FileStreamSink", "topics": topic, "file": worker.path("out.txt") });
    rest.create_running(name, &config);
    worker.await_lines("out.txt", 2);
    let list = run(&["get"]).expect(0);
    assert!(
        list.contains(&format!("{name}   sink   RUNNING   1/1     127.0.0.1:")),
        "{list}"
    );
    let top = caisson_e2e::until("both records are counted", || {
        let top = run(&["top", "-n", "1", "-o", "json"]).json();
        (top[0]["total"] == json!(2.0)).then_some(top)
    });
    assert_eq!(
        (&top[0]["connector"], &top[0]["state"]),
        (&json!(name), &json!("RUNNING"))
    );

    run(&["pause", name]).expect(0);
    rest.await_states(name, "PAUSED", "PAUSED");
    run(&["resume", name]).expect(0);
    rest.await_states(name, "RUNNING", "RUNNING");
    let restarted = run(&["restart", name]).expect(0);
    assert_eq!(restarted, format!("restarting {name}: connector, task 0\n"));
    rest.await_states(name, "RUNNING", "RUNNING");
    assert_eq!(
        run(&["restart", name, "--task", "0"]).expect(0),
        format!("restarting {name}: task 0\n")
    );
    rest.await_states(name, "RUNNING", "RUNNING");
    assert_eq!(
        run(&["restart", name, "--failed"]).expect(0),
        format!("restarting {name}: nothing has to be\n")
    );

    let running = run(&["offsets", name, "reset"]);
    assert!(
        running.code == 1 && running.error.contains("STOPPED"),
        "{}",
        running.error
    );
    run(&["stop", name]).expect(0);
    caisson_e2e::until("it is stopped", || {
        (rest.status(name)["tasks"] == json!([])).then_some(())
    });
    let offsets = json!({"offsets": [{"partition": {"kafka_topic": topic, "kafka_partition": 0}, "offset": {"kafka_offset": 1}}]});
    let set = file(&worker.path("offsets.json"), &offsets.to_string());
    // A consumer may still be on its way out of the group.
    let told = caisson_e2e::until("the offsets are set", || {
        let set = run(&["offsets", name, "set", "-f", &set]);
        (set.code == 0).then_some(set.out)
    });
    assert!(told.contains("altered successfully"), "{told}");
    assert_eq!(run(&["offsets", name, "-o", "json"]).json(), offsets);
    let table = run(&["offsets", name]).expect(0);
    assert!(table.ends_with(&format!("{topic}   0           1\n")), "{table}");
    run(&["offsets", name, "reset"]).expect(0);
    assert_eq!(
        run(&["offsets", name, "get", "-o", "json"]).json(),
        json!({"offsets": []})
    );

    let told = run(&["logs", "org.example", "debug"]).expect(0);
    assert_eq!(told, "org.example: DEBUG on all workers\n");
    let loggers = run(&["logs"]).expect(0);
    assert!(loggers.contains("org.example   DEBUG"), "{loggers}");
    let plugins = run(&["plugins"]).expect(0);
    assert!(plugins.contains("caisson.DatagenSource"), "{plugins}");
    let keys = run(&["plugins", "caisson.DatagenSource"]).expect(0);
    assert!(keys.lines().any(|line| line.starts_with("rate ")), "{keys}");

    run(&["delete", name]).expect(0);
    for arguments in [&["get", name][..], &["delete", name], &["offsets", name]] {
        let missing = run(arguments);
        assert!(
            missing.code == 4 && missing.error.contains(name) && missing.error.contains("(404)"),
            "{}",
            missing.error
        );
    }
    let nowhere = run(&["get", "--url", "http://127.0.0.1:1"]);
    assert!(
        nowhere.code == 3 && nowhere.error.contains("no answer from http://127.0.0.1:1"),
        "{}",
        nowhere.error
    );
}

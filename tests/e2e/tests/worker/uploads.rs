//! Uploads at bad moments: two of one digest at once, during a rebalance, while the leader is lost, with no room on the
//! disk, with a topic that forgets. Each succeeds or is refused with a reason, and what runs goes on.

use caisson_e2e::cluster::{Cluster, create};
use caisson_e2e::{Rest, System, Worker, until};
use serde_json::{Value, json};

use crate::cluster::Numbers;
use crate::modules::{changeling, upload};
use crate::swaps::{bind, sharing_modules};

/// A component as if built anew, and larger: with so many bytes that mean nothing.
fn padded(mut component: Vec<u8>, bytes: usize) -> Vec<u8> {
    component.push(0);
    let mut length = bytes + 4;
    while length >= 0x80 {
        component.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    component.push(length as u8);
    component.extend(b"\x03pad");
    component.extend(std::iter::repeat_n(0, bytes));
    component
}

/// The digests of the modules that a worker has by upload.
fn uploaded(rest: &Rest) -> Vec<String> {
    let modules = rest.get("/modules").expect(200);
    let uploaded = modules
        .as_array()
        .unwrap()
        .iter()
        .filter(|module| module["origin"] == "upload");
    uploaded
        .map(|module| module["digest"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn one_module_that_comes_several_times_at_once_is_there_once() {
    let Some(system) = System::get() else { return };
    let name = system.name("at-once");
    let start = |index: usize| sharing_modules(&system, &format!("at-once-{index}"), &name).start();
    let workers: Vec<Worker> = (0..2).map(start).collect();
    let bytes = changeling(&system, "ok", 1);
    // Two requests to each of two workers.
    let answers: Vec<(u16, Value)> = std::thread::scope(|scope| {
        let send = |index: usize| {
            let (rest, bytes) = (&workers[index % 2].rest, &bytes);
            scope.spawn(move || {
                let answer = rest.upload("/modules", bytes);
                (answer.status, answer.body)
            })
        };
        let sent: Vec<_> = (0..4).map(send).collect();
        sent.into_iter().map(|sent| sent.join().unwrap()).collect()
    });
    let digest = answers[0].1["digest"].clone();
    for (status, body) in &answers {
        assert!(
            matches!(status, 200 | 201) && body["digest"] == digest,
            "{status} {body}"
        );
    }
    assert!(answers.iter().any(|(status, _)| *status == 201), "{answers:?}");
    for worker in &workers {
        let all = until("both workers have it", || {
            Some(uploaded(&worker.rest)).filter(|all| !all.is_empty())
        });
        assert_eq!(json!(all), json!([digest]));
        assert_eq!(worker.rest.bytes(&format!("/modules/{}/bytes", all[0])), bytes);
        let binding = until("it serves its classes", || {
            Some(worker.rest.get("/bindings/changeling.Pass").body).filter(|binding| binding["module"] == digest)
        });
        assert_eq!(binding["generation"], 1);
    }
}

#[test]
fn uploads_go_on_while_workers_come_and_go_and_the_leader_is_lost() {
    let Some(system) = System::get() else { return };
    let name = system.name("moments");
    let start = |index: usize| sharing_modules(&system, &format!("moments-{index}"), &name).start();
    let cluster = Cluster {
        workers: (0..3).map(start).collect(),
    };
    let mut numbers = Numbers::start(system.clone(), cluster, &[]);
    numbers.await_work(&[0, 1, 2]);
    let leader = numbers.cluster.leader(&[0, 1, 2]);
    let others = numbers.but(leader);
    let rest = |numbers: &Numbers, index: usize| numbers.cluster.workers[index].rest.clone();
    let mut digests = vec![upload(&system, &rest(&numbers, leader), "ok", 1)];

    // There is no leader for as long as its session lasts.
    numbers.cluster.workers[leader].kill();
    digests.push(upload(&system, &rest(&numbers, others[0]), "ok", 2));
    assert_eq!(bind(&rest(&numbers, others[1]), "changeling.Sink", &digests[0]).0, 200);
    numbers.await_work(&others);
    // The group forms anew while these come.
    std::thread::scope(|scope| {
        let follower = rest(&numbers, others[0]);
        let system = &system;
        let sent = scope
            .spawn(move || -> Vec<String> { (3..6).map(|version| upload(system, &follower, "ok", version)).collect() });
        numbers.cluster.workers[leader].start_again();
        digests.extend(sent.join().unwrap());
    });
    numbers.await_work(&[0, 1, 2]);
    digests.sort();
    for index in 0..3 {
        let rest = rest(&numbers, index);
        until("every worker has every module", || {
            let mut all = uploaded(&rest);
            all.sort();
            (all == digests).then_some(())
        });
        assert_eq!(rest.get("/bindings/changeling.Sink").expect(200)["generation"], 1);
    }
    let made = numbers.stop(others[0]);
    numbers.verify(others[0], made);
}

#[test]
fn an_upload_for_which_there_is_no_room_leaves_nothing_and_disturbs_nobody() {
    let Some(system) = System::get() else { return };
    let topic = system.topic("no-room", 1, &[]);
    let setup = system.worker("no-room");
    let directory = setup.path("modules");
    let worker = setup
        .property("module.storage.directory", &directory.display().to_string())
        .start();
    let rest = &worker.rest;
    let input = worker.path("in.txt");
    std::fs::write(&input, "one\n").unwrap();
    let source = json!({ "connector.class": "FileStreamSource", "topic": topic, "file": input });
    rest.create_running("lines", &source);
    assert_eq!(system.consume(&topic, 1), ["null\tone"]);
    // As on a full disk: no file may become larger than this.
    let small = changeling(&system, "ok", 1);
    let room = 4 << 20;
    worker.limit_files(room as u64);
    let large = padded(small.clone(), room - small.len() + 4096);
    let refused = rest.upload("/modules", &large);
    assert_eq!(refused.status, 500, "{}", refused.body);
    let message = refused.body["message"].as_str().unwrap();
    assert!(
        message.contains("cannot write") && message.contains("large"),
        "{message}"
    );
    assert_eq!(uploaded(rest), Vec::<String>::new());
    until("nothing is left", || {
        let left = std::fs::read_dir(&directory).unwrap().count();
        (left <= 1).then_some(())
    });
    crate::quickstart::append(&input, "two\n");
    assert_eq!(system.consume(&topic, 2)[1], "null\ttwo");
    rest.await_states("lines", "RUNNING", "RUNNING");
    // Once there is room, the same upload is taken.
    worker.limit_files(u64::MAX);
    rest.upload("/modules", &large).expect(201);
}

#[test]
fn a_topic_that_would_forget_modules_ends_the_start_and_is_named() {
    let Some(system) = System::get() else { return };
    let name = system.name("forgetful");
    let topic = system.topic(
        "forgetful-modules",
        1,
        &[("cleanup.policy", "delete"), ("retention.ms", "1000")],
    );
    let mut worker = sharing_modules(&system, "forgetful", &name)
        .property("module.storage.topic", &topic)
        .start_unawaited();
    assert!(!worker.await_end().success());
    let log = worker.log();
    for part in [
        &topic,
        "module.storage.topic",
        "cleanup.policy=compact",
        "cleanup.policy=delete",
    ] {
        assert!(log.contains(part), "{part}: {log}");
    }
}

#[test]
fn a_topic_that_has_forgotten_a_part_of_a_module_leaves_the_worker_without_it_and_the_next_upload_mends_it() {
    let Some(system) = System::get() else { return };
    let name = system.name("partly");
    let start = |worker: &str| sharing_modules(&system, worker, &name).start();
    let first = start("partly-0");
    let bytes = changeling(&system, "ok", 1);
    let digest = first.rest.upload("/modules", &bytes).expect(201)["digest"].clone();
    // As by a retention that somebody has set for a while: the beginning of the topic is gone.
    let modules = format!("{name}-modules");
    let set = |policy: &str| {
        let config = format!("cleanup.policy={policy}");
        let of = ["--alter", "--entity-type", "topics", "--entity-name", &modules];
        system.tool(
            "kafka.admin.ConfigCommand",
            &[&of[..], &["--add-config", &config]].concat(),
            "",
        );
    };
    set("delete");
    let cut = json!({ "version": 1, "partitions": [{ "topic": modules, "partition": 0, "offset": 1 }] });
    let file = first.path("cut.json");
    std::fs::write(&file, cut.to_string()).unwrap();
    let arguments = ["--offset-json-file", &file.display().to_string()];
    system.tool("org.apache.kafka.tools.DeleteRecordsCommand", &arguments, "");
    set("compact");
    let second = start("partly-1");
    second.await_log(&[
        "ERROR",
        "discarding a record of the module topic",
        digest.as_str().unwrap(),
    ]);
    assert_eq!(uploaded(&second.rest), Vec::<String>::new());
    let topic = system.topic("partly", 1, &[]);
    let sink = json!({ "connector.class": "DiscardSink", "topics": topic });
    create(&second.rest, "sink", &sink);
    second.rest.await_states("sink", "RUNNING", "RUNNING");
    assert_eq!(second.rest.upload("/modules", &bytes).expect(201)["digest"], digest);
    assert_eq!(
        start("partly-2")
            .rest
            .bytes(&format!("/modules/{}/bytes", digest.as_str().unwrap())),
        bytes
    );
}

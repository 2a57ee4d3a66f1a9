//! Clusters whose broker, network, leader or members come and go.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use caisson_e2e::cluster::{Cluster, create, owners};
use caisson_e2e::{Broker, Network, Rest, System, measured, until};
use serde_json::{Value, json};

use crate::cluster::Numbers;

/// What exactly-once sources need.
const ENABLED: (&str, &str) = ("exactly.once.source.support", "enabled");
/// Times that something breaks.
const ROUNDS: usize = 12;
/// Connectors that are created while the leader dies.
const CREATIONS: usize = 8;
/// Times that a worker joins and leaves.
const VISITS: usize = 3;

fn idle(topic: &str) -> Value {
    json!({"connector.class": "DatagenSource", "topic": topic, "rate": "0"})
}

#[test]
fn transactions_whose_requests_and_answers_are_cut_off_and_late_lose_no_record_and_repeat_none() {
    let Some(system) = System::get() else { return };
    let (_broker, proxy) = Broker::start_with_proxy(&system, "torn");
    let system = system.on(&proxy.address());
    // Where the transaction ends is where its answer is most often under way.
    let cluster = Cluster::start(&system, "torn", 1, &[ENABLED]);
    let more = [("exactly.once.support", "required"), ("transaction.boundary", "poll")];
    let mut one = Numbers::start(system, cluster, &more);
    one.await_work(&[0]);
    let mut place = 7;
    for round in 0..ROUNDS {
        proxy.set(match round % 3 {
            0 => Network::Slow(Duration::from_millis(30)),
            _ => Network::Well,
        });
        for _ in 0..4 {
            place = (place * 31 + 11) % 997;
            proxy.reset_one(place);
        }
        if round % 4 == 3 {
            proxy.reset();
        }
        one.await_work(&[0]);
    }
    proxy.set(Network::Well);
    let made = one.stop(0);
    assert_eq!(one.verify(0, made), 0, "records were written twice");
    measured(&format!(
        "exactly once, with connections that break one by one: {made} records, none lost, none twice"
    ));
}

#[test]
fn a_broker_that_is_away_for_longer_than_a_session_finds_the_work_taken_up_again() {
    let Some(system) = System::get() else { return };
    let broker = Broker::start(&system, "away");
    let system = system.on(&broker.bootstrap());
    let cluster = Cluster::start(&system, "away", 2, &[]);
    let mut two = Numbers::start(system, cluster, &[]);
    two.await_work(&[0, 1]);
    broker.kill();
    for worker in &two.cluster.workers {
        worker.await_log(&["WARN", "stopping all work"]);
    }
    broker.start_again();
    two.await_work(&[0, 1]);
    let made = two.stop(0);
    let repeated = two.verify(0, made);
    measured(&format!(
        "a broker away for longer than a session: {} records and none lost, {repeated} of them twice",
        two.seen
    ));
}

#[test]
fn requests_that_are_under_way_when_the_leader_dies_are_done_or_not_and_can_be_asked_again() {
    let Some(system) = System::get() else { return };
    let mut cluster = Cluster::start(&system, "requests", 2, &[]);
    let topic = system.topic("requests", 1, &[]);
    let leader = cluster.leader(&[0, 1]);
    let names: Vec<String> = (0..CREATIONS).map(|number| format!("asked-{number}")).collect();
    create(&cluster.workers[leader].rest, "before", &idle(&topic));
    let (first, second) = cluster.workers.split_at_mut(1);
    let (dying, kept) = match leader {
        0 => (&mut first[0], &second[0]),
        _ => (&mut second[0], &first[0]),
    };
    let answers: BTreeMap<&String, Option<u16>> = std::thread::scope(|scope| {
        let ask = |name: &String| {
            let body = json!({"name": name, "config": idle(&topic)});
            let answer = kept.rest.try_call("POST", "/connectors", Some(&body));
            answer.map(|answer| answer.status)
        };
        let asking: Vec<_> = names
            .iter()
            .map(|name| (name, scope.spawn(move || ask(name))))
            .collect();
        dying.kill();
        let answered = asking.into_iter().map(|(name, asked)| (name, asked.join().unwrap()));
        answered.collect()
    });
    // Whoever can do this leads, and has read all that the other has written. Until the other is missed, it is asked.
    let after = json!({"name": "after", "config": idle(&topic)});
    until("the survivor leads", || {
        let answer = kept.rest.try_call("POST", "/connectors", Some(&after))?;
        (answer.status == 201).then_some(())
    });
    for name in &names {
        let path = format!("/connectors/{name}/config");
        let config = until("the survivor answers", || {
            let answer = kept.rest.try_call("GET", &path, None)?;
            matches!(answer.status, 200 | 404).then_some(answer)
        });
        // All or nothing; and what was promised is there.
        if config.status == 200 {
            assert_eq!(config.body["rate"], "0", "{}", config.body);
        } else {
            assert_ne!(answers[name], Some(201), "{name} was promised");
            create(&kept.rest, name, &idle(&topic));
        }
    }
    for name in names.iter().map(String::as_str).chain(["before", "after"]) {
        assert_eq!(owners(&kept.rest, name, 1).len(), 1, "{name}");
    }
}

#[test]
fn workers_that_cannot_reach_each_other_say_so_and_catch_up_when_they_can() {
    let Some(system) = System::get() else { return };
    let name = system.name("apart");
    let (workers, proxies): (Vec<_>, Vec<_>) = (0..2)
        .map(|index| {
            let setup = system.worker(&format!("apart-{index}")).distributed(&name);
            let (setup, proxy) = setup.behind_proxy();
            (setup.start(), proxy)
        })
        .unzip();
    let cluster = Cluster { workers };
    let leader = cluster.leader(&[0, 1]);
    let (leading, following) = (&cluster.workers[leader], &cluster.workers[1 - leader]);
    let topic = system.topic("apart", 1, &[]);
    until("both are in the group", || {
        (following.rest.try_call("GET", "/connectors/none/status", None)?.status == 404).then_some(())
    });
    create(&following.rest, "near", &idle(&topic));
    owners(&following.rest, "near", 1);
    proxies[leader].set(Network::Closed);
    let body = json!({"name": "far", "config": idle(&topic)});
    let refused = following.rest.post("/connectors", &body);
    assert_eq!(refused.status, 500, "{}", refused.body);
    let message = refused.body["message"].as_str().unwrap();
    assert!(
        message.starts_with("IO Error trying to forward REST request"),
        "{message}"
    );
    // Of two more connectors one is the follower's, which cannot give its task configurations to the leader.
    for name in ["second", "third"] {
        create(&leading.rest, name, &idle(&topic));
    }
    following.await_log(&["ERROR", "cannot make task configurations"]);
    proxies[leader].set(Network::Well);
    let of: BTreeSet<String> = ["near", "second", "third"]
        .iter()
        .flat_map(|name| owners(&leading.rest, name, 1))
        .collect();
    assert_eq!(of, proxies.iter().map(caisson_e2e::Proxy::address).collect());
    for worker in &cluster.workers {
        assert!(
            !worker.log().contains("stopping all work"),
            "the group was well all the time"
        );
    }
}

/// Waits until the tasks of these connectors, so many of each, run on so many workers and none has two more than another.
fn await_balance(rest: &Rest, connectors: &[(&str, usize)], workers: usize) {
    until(&format!("{workers} workers share the tasks"), || {
        let mut tasks: BTreeMap<String, usize> = BTreeMap::new();
        for (name, count) in connectors {
            let status = rest.try_call("GET", &format!("/connectors/{name}/status"), None)?;
            let all = status.body["tasks"].as_array()?.clone();
            let runs = all.len() == *count && all.iter().all(|task| task["state"] == "RUNNING");
            runs.then_some(())?;
            for task in all {
                *tasks.entry(task["worker_id"].as_str()?.to_owned()).or_default() += 1;
            }
        }
        let (least, most) = (tasks.values().min()?, tasks.values().max()?);
        (tasks.len() == workers && most - least <= 1).then_some(())
    });
}

#[test]
fn workers_that_join_and_leave_again_and_again_leave_the_work_balanced_and_lose_nothing() {
    let Some(system) = System::get() else { return };
    let cluster = Cluster::start(&system, "visits", 3, &[]);
    let topic = system.topic("visits", 1, &[]);
    let mut three = Numbers::start(system, cluster, &[]);
    let names: Vec<String> = (0..6).map(|number| format!("idle-{number}")).collect();
    for name in &names {
        create(&three.cluster.workers[0].rest, name, &idle(&topic));
    }
    let connectors: Vec<(&str, usize)> = names
        .iter()
        .map(|name| (name.as_str(), 1))
        .chain([("numbers", 3)])
        .collect();
    await_balance(&three.cluster.workers[0].rest, &connectors, 3);
    for _ in 0..VISITS {
        three.cluster.workers[2].terminate();
        assert!(three.cluster.workers[2].await_end().success());
        await_balance(&three.cluster.workers[0].rest, &connectors, 2);
        three.cluster.workers[2].start_again();
        await_balance(&three.cluster.workers[0].rest, &connectors, 3);
    }
    let made = three.stop(0);
    let repeated = three.verify(0, made);
    measured(&format!(
        "a worker that left and came {VISITS} times: {made} records and none lost, {repeated} of them twice"
    ));
}

#[test]
fn a_worker_whose_address_is_taken_says_so_and_ends() {
    let Some(system) = System::get() else { return };
    let name = system.name("twice");
    let first = system.worker("twice-0").distributed(&name).start();
    let again = system
        .worker("twice-1")
        .distributed(&name)
        .property("listeners", &first.rest.address);
    let mut second = again.start_unawaited();
    assert_eq!(second.await_end().code(), Some(2));
    let address = first.rest.address.trim_start_matches("http://");
    second.await_log(&["caisson: cannot start", address]);
}

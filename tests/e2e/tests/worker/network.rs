//! A network that is bad, between workers and their broker.

use std::time::Duration;

use caisson_e2e::cluster::Cluster;
use caisson_e2e::{Broker, Load, Network, Received, System, measured, until};
use serde_json::json;

use crate::cluster::Numbers;

/// Times that all connections break.
const RESETS: usize = 5;
/// Bytes of lines that come while nothing passes: a few seconds of them, more than a request may take.
const SILENCE: u64 = 1 << 20;

#[test]
fn a_network_that_is_slow_breaks_connections_and_falls_silent_costs_no_line_and_fails_no_task() {
    let Some(system) = System::get() else { return };
    let (_broker, proxy) = Broker::start_with_proxy(&system, "network");
    let system = system.on(&proxy.address());
    let worker = system
        .worker("network")
        .property("producer.request.timeout.ms", "2000")
        .start();
    let (input, output) = (worker.path("in.txt"), worker.path("out.txt"));
    let load = Load::begin(&input);
    let source = json!({ "connector.class": "FileStreamSource", "topic": "t", "file": input });
    worker.rest.create_running("in", &source);
    let sink = json!({ "connector.class": "FileStreamSink", "topics": "t", "file": output });
    worker.rest.create_running("out", &sink);
    let grows = || {
        let before = Received::read(&output).distinct;
        until("the sink writes", || {
            (Received::read(&output).distinct > before).then_some(())
        });
    };
    grows();
    proxy.set(Network::Slow(Duration::from_millis(50)));
    let mut broken = 0;
    for _ in 0..RESETS {
        broken += proxy.reset();
        grows();
    }
    proxy.set(Network::Silent);
    let length = || std::fs::metadata(&input).unwrap().len();
    let before = length();
    until("lines have come meanwhile", || {
        (length() > before + SILENCE).then_some(())
    });
    assert_eq!(worker.rest.get("/connectors").status, 200);
    proxy.set(Network::Well);
    let lines = load.finish();
    let received = until("all lines have arrived", || {
        Some(Received::read(&output)).filter(|received| received.distinct == lines)
    });
    assert_eq!(received.foreign, Vec::<String>::new());
    worker.rest.await_states("in", "RUNNING", "RUNNING");
    worker.rest.await_states("out", "RUNNING", "RUNNING");
    assert!(!worker.log().contains("task failed"), "no task has to be restarted");
    measured(&format!(
        "{broken} broken connections and a silence in {lines} lines: none lost, {} repeated",
        received.repeated
    ));
}

#[test]
fn a_worker_that_is_cut_off_stops_by_itself_and_the_others_have_its_work_until_it_is_back() {
    let Some(system) = System::get() else { return };
    let (broker, proxy) = Broker::start_with_proxy(&system, "cut-off");
    let near = system.on(&broker.bootstrap());
    let name = near.name("cut-off");
    let start = |system: &System, test| system.worker(test).distributed(&name).start();
    let workers = vec![
        start(&near, "cut-off-near"),
        start(&system.on(&proxy.address()), "cut-off-far"),
    ];
    let mut numbers = Numbers::start(near, Cluster { workers }, &[]);
    numbers.await_work(&[0, 1]);
    proxy.set(Network::Silent);
    numbers.await_work(&[0]);
    numbers.cluster.workers[1].await_log(&["WARN", "stopping all work"]);
    proxy.set(Network::Well);
    numbers.await_work(&[0, 1]);
    let made = numbers.stop(0);
    let repeated = numbers.verify(0, made);
    measured(&format!(
        "a worker cut off for longer than its session: {} records and none lost, {repeated} of them twice",
        numbers.seen
    ));
}

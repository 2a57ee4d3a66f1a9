//! How a worker ends when it is asked to.

use std::time::Instant;

use caisson_e2e::{System, measured, until};
use serde_json::json;

#[test]
fn sigterm_drains_commits_and_ends_with_success() {
    let Some(system) = System::get() else { return };
    let topic = system.topic("drained", 1, &[]);
    // Nothing is committed by the clock within this test: what is committed, the end has committed.
    let mut worker = system
        .worker("drained")
        .property("offset.flush.interval.ms", "3600000")
        .start();
    system.produce(&topic, None, "one\ntwo\nthree\n");
    let name = system.name("drained");
    let config = json!({ "connector.class": "FileStreamSink", "topics": topic, "file": worker.path("out.txt") });
    worker.rest.create_running(&name, &config);
    worker.await_lines("out.txt", 3);
    let began = Instant::now();
    worker.terminate();
    let ended = worker.await_end();
    measured(&format!("orderly end after {} ms", began.elapsed().as_millis()));
    assert!(ended.success(), "{ended}");
    assert_eq!(system.committed(&format!("connect-{name}")), [(topic, 0, 3)]);
    assert_eq!(worker.read("out.txt"), "one\ntwo\nthree\n");
}

#[test]
fn a_second_sigterm_ends_a_worker_that_is_still_draining() {
    let Some(system) = System::get() else { return };
    // A producer that cannot reach its broker has something to wait for.
    let broker = caisson_e2e::Broker::start(&system, "gone");
    let system = system.on(&broker.bootstrap());
    let mut worker = system
        .worker("impatient")
        .property("task.shutdown.graceful.timeout.ms", "600000")
        .start();
    let config = json!({ "connector.class": "DatagenSource", "topic": "t", "rate": "1000", "record.bytes": "100" });
    worker.rest.create_running("generator", &config);
    until("records arrive", || (system.end_offset("t") > 0).then_some(()));
    broker.kill();
    worker.terminate();
    worker.await_log(&["SIGTERM"]);
    assert!(worker.is_running(), "there is something to drain");
    let began = Instant::now();
    worker.terminate();
    let ended = worker.await_end();
    assert!(began.elapsed().as_secs() < 60, "a second signal does not wait");
    assert_eq!(ended.code(), Some(143), "{ended}");
}

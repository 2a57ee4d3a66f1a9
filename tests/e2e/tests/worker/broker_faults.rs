//! A broker that is not there, or goes away for a while.

use caisson_e2e::{Broker, Load, Received, System, measured, until};
use serde_json::json;

#[test]
fn a_worker_whose_broker_is_unreachable_answers_says_so_and_works_once_it_is_there() {
    let Some(system) = System::get() else { return };
    let broker = Broker::reserve(&system, "unreachable");
    let system = system.on(&broker.bootstrap());
    let worker = system.worker("unreachable").start();
    worker.await_log(&["WARN", &broker.bootstrap()]);
    std::fs::write(worker.path("in.txt"), "patience\n").unwrap();
    let source = json!({ "connector.class": "FileStreamSource", "topic": "patient", "file": worker.path("in.txt") });
    let sink = json!({ "connector.class": "FileStreamSink", "topics": "patient", "file": worker.path("out.txt") });
    worker.rest.create("in", &source);
    worker.rest.create("out", &sink);
    assert_eq!(worker.rest.get("/connectors").status, 200);
    broker.begin();
    assert_eq!(worker.await_lines("out.txt", 1), ["patience"]);
    worker.rest.await_states("in", "RUNNING", "RUNNING");
    worker.rest.await_states("out", "RUNNING", "RUNNING");
}

#[test]
fn a_broker_that_restarts_and_crashes_under_load_costs_no_line() {
    let Some(system) = System::get() else { return };
    let broker = Broker::start(&system, "restarts");
    let system = system.on(&broker.bootstrap());
    let worker = system.worker("restarts").start();
    let (input, output) = (worker.path("in.txt"), worker.path("out.txt"));
    let load = Load::begin(&input);
    worker.rest.create_running(
        "in",
        &json!({ "connector.class": "FileStreamSource", "topic": "t", "file": input }),
    );
    worker.rest.create_running(
        "out",
        &json!({ "connector.class": "FileStreamSink", "topics": "t", "file": output }),
    );
    for outage in [Broker::stop, Broker::kill] {
        let before = Received::read(&output).distinct;
        until("the sink writes", || {
            (Received::read(&output).distinct > before).then_some(())
        });
        outage(&broker);
        assert_eq!(worker.rest.get("/connectors").status, 200);
        broker.start_again();
    }
    let lines = load.finish();
    let received = until("all lines have arrived", || {
        Some(Received::read(&output)).filter(|received| received.distinct == lines)
    });
    assert_eq!(received.foreign, Vec::<String>::new());
    measured(&format!(
        "a stop and a crash of the broker in {lines} lines: none lost, {} repeated",
        received.repeated
    ));
    worker.rest.await_states("in", "RUNNING", "RUNNING");
    worker.rest.await_states("out", "RUNNING", "RUNNING");
}

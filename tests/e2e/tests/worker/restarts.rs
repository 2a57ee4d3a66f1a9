//! What has failed and restarts by itself.

use caisson_e2e::{System, until};
use serde_json::json;

use crate::metrics::sample;

#[test]
fn a_task_that_has_failed_comes_back_by_itself_once_it_can_and_is_given_up_when_it_cannot() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("restarts").start();
    let rest = &worker.rest;
    let (name, topic) = (system.name("restarts"), system.topic("restarts", 1, &[]));
    let file = worker.path("out.txt");
    std::fs::create_dir(&file).unwrap();
    let mut config = json!({
        "connector.class": "FileStreamSink", "topics": topic, "file": file,
        "errors.restart.attempts": "-1", "errors.restart.backoff.ms": "50", "errors.restart.backoff.max.ms": "200",
    });
    rest.create(&name, &config);
    let trace = rest.await_failed_task(&name);
    assert!(trace.contains("directory") && trace.contains("(attempt "), "{trace}");
    let of = format!("connector=\"{name}\",task=\"0\"");
    until("it was restarted three times", || {
        sample(rest, "caisson_restart_attempts_total", &of).filter(|attempts| *attempts >= 3.0)
    });
    std::fs::remove_dir(&file).unwrap();
    rest.await_states(&name, "RUNNING", "RUNNING");
    system.produce(&topic, None, "back\n");
    assert_eq!(worker.await_lines("out.txt", 1), ["back"]);

    let directory = worker.path("directory");
    std::fs::create_dir(&directory).unwrap();
    config["file"] = json!(directory);
    config["errors.restart.attempts"] = json!("1");
    rest.call("PUT", &format!("/connectors/{name}/config"), Some(&config))
        .expect(200);
    until("it is given up", || {
        let trace = rest.await_failed_task(&name);
        trace.contains("(attempts in a row: 1)").then_some(())
    });
    assert_eq!(sample(rest, "caisson_restart_given_up", &of), Some(1.0));
    worker.await_log(&["ERROR", "Not restarted automatically any more"]);
}

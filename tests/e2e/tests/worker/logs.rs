//! Log lines: JSON on request, with connector and task on what concerns one.

use caisson_e2e::{System, until};
use serde_json::{Value, json};

#[test]
fn json_logs_are_json_line_by_line_and_name_the_connector_and_the_task() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("json-logs").argument("--log-format=json").start();
    let topic = system.topic("json-logs", 1, &[]);
    let config = json!({ "connector.class": "FileStreamSource", "topic": topic, "file": worker.path("not-there.txt") });
    worker.rest.create_running("told", &config);
    until("a line names connector and task", || {
        let log = worker.log();
        let lines = log.lines().filter(|line| !line.is_empty());
        let parsed =
            lines.map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}")));
        let parsed: Vec<Value> = parsed.collect();
        assert!(
            parsed
                .iter()
                .all(|line| line["timestamp"].is_string() && line["level"].is_string()),
            "{log}"
        );
        let named = |line: &&Value| {
            let text = line.to_string();
            text.contains(r#""connector":"told""#) && text.contains(r#""task":"#)
        };
        parsed.iter().find(named).map(|_| ())
    });
}

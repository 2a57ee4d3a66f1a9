//! A transform that is a component of its own, between the topic and the sink.

use caisson_e2e::System;
use serde_json::json;

#[test]
fn a_transform_component_changes_what_passes_and_leaves_the_rest() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("chain").start();
    let topic = system.topic("chain", 1, &[]);
    system.produce(&topic, None, "by ada@example.org\nby nobody\n");
    let config = json!({
        "connector.class": "FileStreamSink", "topics": topic, "file": worker.path("out.txt"),
        "transforms": "mask", "transforms.mask.type": "caisson.example.MaskEmail",
    });
    worker.rest.create_running("chain", &config);
    let lines = worker.await_lines("out.txt", 2);
    assert_eq!(lines, ["by a***@example.org", "by nobody"]);
}

#[test]
fn a_transform_that_nobody_has_is_named_in_the_refusal() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("chain-unknown").start();
    let config = json!({
        "connector.class": "DiscardSink", "topics": "t", "transforms": "x", "transforms.x.type": "no.such.Transform",
    });
    let refused = worker
        .rest
        .post("/connectors", &json!({ "name": "unknown", "config": config }))
        .expect(400);
    assert!(
        refused["message"].as_str().unwrap().contains("no.such.Transform"),
        "{refused}"
    );
}

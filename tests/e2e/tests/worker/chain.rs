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
fn components_and_the_workers_own_take_turns() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("mixed").start();
    let topic = system.topic("mixed", 1, &[]);
    system.produce(&topic, None, "by ada@example.org\nby nobody\n");
    let config = json!({
        "connector.class": "FileStreamSink", "topics": topic, "file": worker.path("out.txt"),
        "transforms": "mask,hoist,name,take",
        "transforms.mask.type": "caisson.example.MaskEmail",
        "transforms.hoist.type": "org.apache.kafka.connect.transforms.HoistField$Value", "transforms.hoist.field": "line",
        "transforms.name.type": "org.apache.kafka.connect.transforms.ReplaceField$Value",
        "transforms.name.renames": "line:text", "transforms.name.caisson.runtime": "component",
        "transforms.name.predicate": "masked", "predicates": "masked",
        "predicates.masked.type": "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
        "predicates.masked.pattern": "mixed.*", "predicates.masked.caisson.runtime": "component",
        "transforms.take.type": "org.apache.kafka.connect.transforms.ExtractField$Value",
        "transforms.take.field": "text",
    });
    worker.rest.create_running("mixed", &config);
    let lines = worker.await_lines("out.txt", 2);
    assert_eq!(lines, ["by a***@example.org", "by nobody"]);
}

#[test]
fn an_error_of_the_component_has_the_exception_of_the_workers_own() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("exceptions").start();
    let topic = system.topic("exceptions", 1, &[]);
    system.produce(&topic, None, "no struct\n");
    let traces: Vec<String> = ["native", "component"]
        .iter()
        .map(|runtime| {
            let config = json!({
                "connector.class": "FileStreamSink", "topics": topic, "file": worker.path("out.txt"),
                "transforms": "take", "transforms.take.caisson.runtime": runtime,
                "transforms.take.type": "org.apache.kafka.connect.transforms.Flatten$Value",
            });
            let name = format!("{topic}-{runtime}");
            worker.rest.create(&name, &config);
            worker.rest.await_failed_task(&name).replace(&name, "")
        })
        .collect();
    assert!(
        traces[0].contains("org.apache.kafka.connect.errors.DataException"),
        "{}",
        traces[0]
    );
    assert_eq!(traces[0], traces[1]);
}

#[test]
fn a_converter_that_is_a_component_reads_what_it_wrote() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("pairs").start();
    let topic = system.topic("pairs", 1, &[]);
    std::fs::write(worker.path("in.txt"), "first\nsecond\n").unwrap();
    let converter = "caisson.example.PairsConverter";
    let source = json!({
        "connector.class": "FileStreamSource", "topic": topic, "file": worker.path("in.txt"),
        "value.converter": converter, "transforms": "hoist,add",
        "transforms.hoist.type": "org.apache.kafka.connect.transforms.HoistField$Value", "transforms.hoist.field": "line",
        "transforms.add.type": "org.apache.kafka.connect.transforms.InsertField$Value",
        "transforms.add.static.field": "by", "transforms.add.static.value": "ada",
    });
    worker.rest.create_running("writer", &source);
    assert_eq!(
        system.consume(&topic, 2),
        ["null\tline=first&by=ada", "null\tline=second&by=ada"]
    );
    system.produce(&topic, None, "no pair\n");
    let sink = json!({
        "connector.class": "FileStreamSink", "topics": topic, "file": worker.path("out.txt"),
        "value.converter": converter, "errors.tolerance": "all", "transforms": "leave",
        "transforms.leave.type": "org.apache.kafka.connect.transforms.ReplaceField$Value",
        "transforms.leave.exclude": "by",
    });
    worker.rest.create_running("reader", &sink);
    system.produce(&topic, None, "line=third&by=ada\n");
    let lines = worker.await_lines("out.txt", 3);
    assert_eq!(lines, ["{line=first}", "{line=second}", "{line=third}"]);
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

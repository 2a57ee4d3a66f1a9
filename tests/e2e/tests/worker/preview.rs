//! Trying a configuration before it runs.

use caisson_e2e::System;
use serde_json::{Value, json};

/// The step of a record with this name, or this alias of a transform.
fn step<'a>(record: &'a Value, name: &str) -> &'a Value {
    let steps = record["steps"].as_array().unwrap();
    let found = steps.iter().find(|step| step["step"] == name || step["alias"] == name);
    found.unwrap_or_else(|| panic!("no step {name} in {record}"))
}

#[test]
fn a_preview_shows_what_a_sink_would_do_with_the_last_records_of_a_topic_and_does_nothing() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("preview").start();
    let topic = system.topic("preview", 1, &[]);
    system.produce(&topic, None, "long ago\nby ada@example.org\nby nobody\n");
    let chain = json!({
        "topics": topic, "file": worker.path("out.txt"), "transforms": "mask,hoist,cast",
        "transforms.mask.type": "caisson.example.MaskEmail",
        "transforms.hoist.type": "org.apache.kafka.connect.transforms.HoistField$Value", "transforms.hoist.field": "line",
        "transforms.cast.type": "org.apache.kafka.connect.transforms.Cast$Value", "transforms.cast.spec": "line:int32",
        "transforms.cast.predicate": "elsewhere", "predicates": "elsewhere",
        "predicates.elsewhere.type": "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
        "predicates.elsewhere.pattern": "elsewhere",
    });
    let preview = |class: &str, samples: Value| {
        let mut config = chain.clone();
        config["connector.class"] = class.into();
        let mut request = samples;
        request["config"] = config;
        worker.rest.post("/preview", &request).expect(200)
    };

    let answer = preview("DiscardSink", json!({"topic": topic, "last": 2}));
    assert_eq!((&answer["type"], &answer["stopped"]), (&json!("sink"), &Value::Null));
    assert_eq!(answer["plugin_errors"], json!([]), "{answer}");
    let task = &answer["task_config"];
    assert_eq!(
        (&task["task.class"], &task["topics"]),
        (&json!("caisson.DiscardSinkTask"), &json!(topic))
    );
    let records = answer["records"].as_array().unwrap();
    assert_eq!(records.len(), 2, "{answer}");
    let first = &records[0];
    assert_eq!((&first["offset"], &first["outcome"]), (&json!(1), &json!("passed")));
    assert_eq!(step(first, "converters")["records"][0]["value"], "by ada@example.org");
    assert_eq!(step(first, "mask")["records"][0]["value"], "by a***@example.org");
    assert_eq!(
        step(first, "hoist")["records"][0]["value"],
        json!({"line": "by a***@example.org"})
    );
    assert_eq!(step(first, "cast")["result"], "unchanged");
    assert_eq!(step(first, "put")["result"], "done");
    assert_eq!(step(&records[1], "mask")["result"], "unchanged");

    // A record that a transform fails on, and a plugin that may open no file.
    let given = json!([{"topic": "elsewhere", "value": "no number"}, {"value": "mail bob@example.org"}]);
    let answer = preview("FileStreamSink", json!({"records": given}));
    let records = answer["records"].as_array().unwrap();
    assert_eq!(records[0]["outcome"], "failed", "{answer}");
    let error = &step(&records[0], "cast")["errors"][0];
    assert_eq!(error["stage"], "TRANSFORMATION");
    assert_eq!(
        error["exception.class.name"],
        "org.apache.kafka.connect.errors.DataException"
    );
    assert_eq!(records[1]["topic"], topic.as_str());
    assert_ne!(step(&records[1], "put")["result"], "done", "{answer}");
    assert!(!std::path::Path::new(&worker.path("out.txt")).exists());

    // Task configurations are the connector's own affair.
    let source = json!({"connector.class": "DatagenSource", "topic": topic});
    let answer = worker
        .rest
        .post("/preview", &json!({"config": source, "records": [{"value": 1}]}));
    assert_eq!(answer.expect(200)["task_config"]["task"], "0");

    assert_eq!(worker.rest.get("/connectors").expect(200), json!([]));
}

#[test]
fn a_preview_of_a_chain_alone_ends_at_its_converters_and_mistakes_are_400() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("preview-chain").start();
    let config = json!({
        "value.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": "false",
        "transforms": "mask", "transforms.mask.type": "caisson.example.MaskEmail",
    });
    let records =
        json!([{"value": "by ada@example.org", "value_schema": {"type": "string"}}, {"value_base64": "/w=="}]);
    let request = json!({"config": config, "type": "source", "records": records});
    let answer = worker.rest.post("/preview", &request).expect(200);
    let first = &answer["records"][0];
    assert_eq!(first["outcome"], "passed", "{answer}");
    assert_eq!(step(first, "mask")["records"][0]["value"], "by a***@example.org");
    assert_eq!(
        step(first, "converters")["records"][0]["value"],
        "\"by a***@example.org\""
    );
    let mistakes = [
        (
            json!({"config": {"connector.class": "no.such.Sink", "topics": "t"}, "records": [{}]}),
            "no.such.Sink",
        ),
        (
            json!({"config": {"connector.class": "DiscardSink"}, "records": [{}]}),
            "topics",
        ),
        (
            json!({"config": {"transforms": "x", "transforms.x.type": "no.such.Transform"}, "records": [{}]}),
            "no.such.Transform",
        ),
        (json!({"config": {}, "records": [{"vaule": 1}]}), "vaule"),
        (
            json!({"config": {}, "topic": "no-such-topic", "last": 1}),
            "no-such-topic",
        ),
    ];
    for (request, word) in mistakes {
        let refused = worker.rest.post("/preview", &request).expect(400);
        assert_eq!(refused["error_code"], 400);
        assert!(refused["message"].as_str().unwrap().contains(word), "{refused}");
    }
}

//! A connector's life as REST shows and steers it.

use caisson_e2e::{System, until};
use serde_json::{Value, json};

#[test]
fn a_connector_is_created_paused_resumed_stopped_restarted_and_deleted() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("lifecycle").start();
    let rest = &worker.rest;
    let topic = system.topic("lifecycle", 1, &[]);
    let config = json!({
        "connector.class": "FileStreamSink", "tasks.max": "1", "topics": topic, "file": worker.path("out.txt"),
    });
    let created = rest.create("lines", &config);
    assert_eq!(created["name"], "lines");
    assert_eq!(created["type"], "sink");
    assert_eq!(created["config"]["name"], "lines");
    let status = rest.await_states("lines", "RUNNING", "RUNNING");
    assert_eq!(status["type"], "sink");
    assert_eq!(rest.get("/connectors").expect(200), json!(["lines"]));
    assert_eq!(rest.get("/connectors/lines/config").expect(200), created["config"]);
    assert_eq!(
        rest.get("/connectors/lines/tasks").expect(200)[0]["id"],
        json!({ "connector": "lines", "task": 0 })
    );
    system.produce(&topic, None, "one\n");
    worker.await_lines("out.txt", 1);

    rest.put("/connectors/lines/pause").expect(202);
    rest.await_states("lines", "PAUSED", "PAUSED");
    system.produce(&topic, None, "two\n");
    assert_eq!(worker.read("out.txt"), "one\n", "a paused sink has written");
    rest.put("/connectors/lines/resume").expect(202);
    rest.await_states("lines", "RUNNING", "RUNNING");
    worker.await_lines("out.txt", 2);

    let restarted = rest
        .call("POST", "/connectors/lines/restart?includeTasks=true", None)
        .expect(202);
    assert_eq!(restarted["connector"]["state"], "RESTARTING");
    rest.await_states("lines", "RUNNING", "RUNNING");
    rest.call("POST", "/connectors/lines/tasks/0/restart", None).expect(204);
    rest.await_states("lines", "RUNNING", "RUNNING");

    rest.put("/connectors/lines/stop").expect(204);
    until("the connector is STOPPED without tasks", || {
        let status = rest.status("lines");
        (status["connector"]["state"] == "STOPPED" && status["tasks"] == json!([])).then_some(())
    });
    system.produce(&topic, None, "three\n");
    rest.put("/connectors/lines/resume").expect(202);
    rest.await_states("lines", "RUNNING", "RUNNING");
    assert_eq!(worker.await_lines("out.txt", 3), ["one", "two", "three"]);

    rest.delete("/connectors/lines").expect(204);
    let gone = rest.get("/connectors/lines").expect(404);
    assert_eq!(
        gone,
        json!({ "error_code": 404, "message": "Connector lines not found" })
    );
    assert_eq!(rest.get("/connectors").expect(200), json!([]));
}

#[test]
fn the_root_health_and_the_plugins_say_what_they_should() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("root").start();
    let root = worker.rest.get("/").expect(200);
    assert!(root["version"].is_string() && root["commit"].is_string(), "{root}");
    until("the root names the cluster", || {
        worker.rest.get("/").body["kafka_cluster_id"]
            .as_str()
            .filter(|id| id.len() == 22)
            .map(str::to_owned)
    });
    until("the worker is healthy", || {
        (worker.rest.get("/health").body["status"] == "healthy").then_some(())
    });
    let plugins = worker.rest.get("/connector-plugins").expect(200);
    for (class, kind) in [
        ("org.apache.kafka.connect.file.FileStreamSourceConnector", "source"),
        ("org.apache.kafka.connect.file.FileStreamSinkConnector", "sink"),
        ("caisson.DatagenSource", "source"),
        ("caisson.DiscardSink", "sink"),
    ] {
        let found = plugins
            .as_array()
            .unwrap()
            .iter()
            .any(|plugin| plugin["class"] == class && plugin["type"] == kind);
        assert!(found, "{class} in {plugins}");
    }
}

#[test]
fn a_second_connector_of_the_same_name_and_a_bad_config_are_refused() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("refused").start();
    let rest = &worker.rest;
    let config = json!({ "connector.class": "DiscardSink", "topics": "nothing" });
    rest.create("twice", &config);
    let conflict = rest
        .post("/connectors", &json!({ "name": "twice", "config": config }))
        .expect(409);
    assert_eq!(conflict["message"], "Connector twice already exists");

    let without_topics = json!({ "name": "bad", "config": { "connector.class": "DiscardSink" } });
    let refused = rest.post("/connectors", &without_topics).expect(400);
    assert!(
        message(&refused).starts_with("Connector configuration is invalid and contains the following"),
        "{refused}"
    );
    let unknown = json!({ "name": "bad", "config": { "connector.class": "no.such.Thing", "topics": "t" } });
    let answer = rest.post("/connectors", &unknown).expect(400);
    assert!(message(&answer).contains("no.such.Thing"), "{answer}");

    let path = "/connector-plugins/FileStreamSource/config/validate";
    let given = json!({ "connector.class": "FileStreamSource", "name": "v", "tasks.max": "none" });
    let result = rest.call("PUT", path, Some(&given)).expect(200);
    let errors = |name: &str| {
        let configs = result["configs"].as_array().unwrap();
        let found = configs
            .iter()
            .find(|config| config["value"]["name"] == name)
            .unwrap_or(&Value::Null);
        found["value"]["errors"].to_string()
    };
    assert!(
        errors("tasks.max").contains("Invalid value none for configuration tasks.max"),
        "{}",
        errors("tasks.max")
    );
    assert!(
        errors("topic").contains(r#"Missing required configuration \"topic\""#),
        "{}",
        errors("topic")
    );
    assert_eq!(rest.get("/connectors").expect(200), json!(["twice"]));
}

fn message(body: &Value) -> &str {
    body["message"].as_str().unwrap_or_default()
}

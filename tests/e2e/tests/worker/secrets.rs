//! Values from configuration providers: used where they belong, and seen nowhere else.

use caisson_e2e::System;
use serde_json::json;

const PASSWORD: &str = "correct-horse-battery";

#[test]
fn looked_up_values_are_used_and_never_shown() {
    let Some(system) = System::get() else { return };
    let topic = system.topic("secrets", 1, &[]);
    let setup = system.worker("secrets");
    let file = setup.path("secrets.properties");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(
        &file,
        format!("topic={topic}\npassword={PASSWORD}\nnonsense={PASSWORD}\n"),
    )
    .unwrap();
    let variable = |key: &str| format!("${{file:{}:{key}}}", file.display());
    let worker = setup
        .property("config.providers", "file")
        .property(
            "config.providers.file.class",
            "org.apache.kafka.common.config.provider.FileConfigProvider",
        )
        .start();
    std::fs::write(worker.path("in.txt"), "one\n").unwrap();
    let rest = &worker.rest;
    let config = json!({
        "connector.class": "FileStreamSource", "tasks.max": "1", "file": worker.path("in.txt"),
        "topic": variable("topic"), "password": variable("password"),
    });
    rest.create("lines", &config);
    rest.await_states("lines", "RUNNING", "RUNNING");
    assert_eq!(system.consume(&topic, 1), ["null\tone"]);

    let kept = rest.get("/connectors/lines/config").expect(200);
    assert_eq!(kept["topic"], variable("topic"));
    let tasks = rest.get("/connectors/lines/tasks").expect(200);
    assert_eq!(tasks[0]["config"]["topic"], variable("topic"), "{tasks}");
    assert_eq!(tasks[0]["config"]["password"], variable("password"), "{tasks}");

    // An error that quotes a value quotes the variable instead, wherever it comes up.
    let mut wrong = config.clone();
    wrong["name"] = "other".into();
    wrong["tasks.max"] = variable("nonsense").into();
    let path = "/connector-plugins/FileStreamSource/config/validate";
    let validated = rest.call("PUT", path, Some(&wrong)).expect(200);
    // It is no number, and so there is none.
    assert_eq!(validated["error_count"], 2, "{validated}");
    let refused = rest.call("PUT", "/connectors/other/config", Some(&wrong)).expect(400);
    for shown in [kept, tasks, validated, refused, rest.status("lines")] {
        assert!(!shown.to_string().contains(PASSWORD), "{shown}");
    }
    assert!(!worker.log().contains(PASSWORD), "{}", worker.log());
}

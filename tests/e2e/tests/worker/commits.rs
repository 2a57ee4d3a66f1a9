//! What a source is told of its commits is so: a plugin looks for itself, again and again at full speed.

use caisson_e2e::cluster::create;
use caisson_e2e::{System, until};
use serde_json::json;

use crate::swaps::sharing_modules;

/// How many commits the plugin has to have looked at.
const COMMITS: u64 = 500;

#[test]
fn a_source_hears_of_a_commit_only_when_all_that_it_was_told_to_be_written_is_stored() {
    let Some(system) = System::get() else { return };
    let worker = sharing_modules(&system, "commits", &system.name("commits"))
        .property("offset.flush.interval.ms", "5")
        .start();
    let module = std::fs::read(system.guests.join("keeper.wasm")).unwrap();
    worker.rest.upload("/modules", &module).expect(201);
    let name = system.name("audited");
    let config = json!({
        "connector.class": "keeper.Auditor", "topic": system.topic("commits", 1, &[]),
        "value.converter": "org.apache.kafka.connect.converters.ByteArrayConverter",
        "transforms": "filter", "transforms.filter.type": "org.apache.kafka.connect.transforms.Filter",
        "transforms.filter.predicate": "empty", "predicates": "empty",
        "predicates.empty.type": "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone",
    });
    create(&worker.rest, &name, &config);
    let last = format!("commits={COMMITS}");
    until("so many commits are looked at", || {
        let status = worker.rest.status(&name);
        let failed = status["tasks"]
            .as_array()?
            .iter()
            .find(|task| task["state"] == "FAILED");
        assert_eq!(failed, None);
        let log = worker.log();
        log.lines()
            .any(|line| line.contains("audited") && line.contains(&last))
            .then_some(())
    });
}

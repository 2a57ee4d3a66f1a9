//! The source that the README shows, as a module beside the bundled ones.

use caisson_e2e::System;
use serde_json::json;

#[test]
fn the_first_connector_of_the_readme_counts_and_goes_on_after_a_restart() {
    let Some(system) = System::get() else { return };
    let setup = system.worker("counter");
    let modules = setup.path("modules");
    std::fs::create_dir(&modules).unwrap();
    std::fs::copy(system.guests.join("counter.wasm"), modules.join("counter.wasm")).unwrap();
    let path = format!("{},{}", modules.display(), system.components.display());
    let topic = system.topic("counter", 1, &[]);
    let config =
        json!({ "name": "count", "connector.class": "example.CounterSource", "topic": topic, "interval.ms": "10" });
    let mut worker = setup
        .property("plugin.path", &path)
        .connector("count.json", &config.to_string())
        .start();
    assert_eq!(
        system.consume(&topic, 3),
        ["null\tnumber 1", "null\tnumber 2", "null\tnumber 3"]
    );
    worker.terminate();
    assert!(worker.await_end().success());
    let before = usize::try_from(system.end_offset(&topic)).unwrap();
    worker.start_again();
    let records = system.consume(&topic, before + 1);
    assert_eq!(records[before], format!("null\tnumber {}", before + 1));
}

//! Figures that are printed, for the eye: what they should be is the benchmark's business.

use caisson_e2e::{System, measured, until};
use serde_json::json;

#[test]
fn a_generator_and_a_discarding_sink_at_full_speed() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("footprint").start();
    let topic = system.topic("footprint", 1, &[]);
    worker
        .rest
        .create_running("sink", &json!({ "connector.class": "DiscardSink", "topics": topic }));
    let (idle, _) = worker.memory();
    worker.rest.create_running(
        "generator",
        &json!({ "connector.class": "DatagenSource", "topic": topic, "record.bytes": "100" }),
    );
    let before = std::time::Instant::now();
    let records = until("a million records have passed", || {
        Some(system.end_offset(&topic)).filter(|count| *count > 1_000_000)
    });
    let rate = records as f64 / before.elapsed().as_secs_f64();
    let (resident, peak) = worker.memory();
    measured(&format!(
        "source and sink on a busy machine: {rate:.0} records/s; {idle} MiB with one idle sink, {resident} MiB at work, {peak} MiB at most"
    ));
    worker.rest.await_states("sink", "RUNNING", "RUNNING");
}

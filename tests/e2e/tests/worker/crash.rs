//! At-least-once: a worker that is killed in the middle of its work has lost nothing when it is back.

use caisson_e2e::{Load, Received, System, measured, until};
use serde_json::json;

/// How often the worker is killed.
const KILLS: u64 = 4;

#[test]
fn kill_minus_nine_under_load_loses_no_line_between_file_topic_and_file() {
    let Some(system) = System::get() else { return };
    let topic = system.topic("crash", 1, &[]);
    let name = system.name("crash");
    let setup = system.worker("crash");
    let (input, output) = (setup.path("in.txt"), setup.path("out.txt"));
    let source =
        json!({ "name": format!("{name}-in"), "connector.class": "FileStreamSource", "topic": topic, "file": input });
    let sink = json!({
        "name": format!("{name}-out"), "connector.class": "FileStreamSink", "topics": topic, "file": output,
        "consumer.override.session.timeout.ms": "6000", "consumer.override.heartbeat.interval.ms": "500",
    });
    let load = Load::begin(&input);
    let setup = setup
        .connector("source.json", &source.to_string())
        .connector("sink.json", &sink.to_string());
    let mut worker = setup.start();
    for kill in 1..=KILLS {
        // Each time something new has to arrive first: a kill of a worker that does nothing proves nothing. Sometimes
        // that is before the first commit, sometimes after some.
        let before = Received::read(&output).distinct + (kill - 1) * 10_000;
        until("the sink writes", || {
            (Received::read(&output).distinct > before).then_some(())
        });
        worker.kill();
        println!("kill {kill} after {before} lines");
        worker.start_again();
    }
    let lines = load.finish();
    let received = until("all lines have arrived", || {
        Some(Received::read(&output)).filter(|received| received.distinct == lines)
    });
    // The last line before a kill may be cut; the next begins behind it.
    assert!(
        received.foreign.len() <= usize::try_from(KILLS).unwrap(),
        "{:?}",
        received.foreign
    );
    measured(&format!(
        "{KILLS} kills in {lines} lines: none lost, {} repeated",
        received.repeated
    ));
}

pub const BYTES: &str = "org.apache.kafka.connect.converters.ByteArrayConverter";

#[test]
fn kill_minus_nine_of_a_generator_leaves_no_gap_that_the_verifying_sink_would_see() {
    let Some(system) = System::get() else { return };
    let topic = system.topic("sequence", 2, &[]);
    let source = json!({
        "name": "numbers", "connector.class": "DatagenSource", "topic": topic, "format": "sequence", "seed": "42",
        "partitions": "2", "rate": "20000", "value.converter": BYTES,
    });
    let setup = system.worker("sequence").connector("source.json", &source.to_string());
    let mut worker = setup.start();
    let mut before = 0;
    let mut grow = || {
        before = until("the topic grows", || {
            Some(system.end_offset(&topic)).filter(|end| *end > before)
        })
    };
    for _ in 0..KILLS {
        grow();
        worker.kill();
        worker.start_again();
    }
    grow();
    worker.rest.put("/connectors/numbers/stop").expect(204);
    until("the generator has stopped", || {
        (worker.rest.status("numbers")["tasks"] == json!([])).then_some(())
    });
    let end = system.end_offset(&topic);
    let name = system.name("verify");
    let sink = json!({
        "connector.class": "DiscardSink", "topics": topic, "verify": "sequence", "value.converter": BYTES,
    });
    worker.rest.create_running(&name, &sink);
    let found = until("the sink has seen every record", || {
        verified(&worker.log(), &name).filter(|found| found.records == end)
    });
    let right = ["of 2 streams missing=0", "reordered=0 corrupt=0"];
    assert!(right.iter().all(|part| found.rest.contains(part)), "{}", found.rest);
    measured(&format!(
        "{KILLS} kills of a generator: {end} records, {} of them twice, no gap",
        found.repeated
    ));
}

/// What the verifying sink said last.
pub struct Verified {
    pub records: u64,
    pub repeated: u64,
    pub rest: String,
}

/// Reads the sink's last line such as `verified 7 records of 2 streams missing=0 repeated=1 reordered=0 corrupt=0`.
pub fn verified(log: &str, connector: &str) -> Option<Verified> {
    let line = log
        .lines()
        .rfind(|line| line.contains("verified ") && line.contains(connector))?;
    let number = |before: &str| {
        let digits: String = line
            .split(before)
            .nth(1)?
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        digits.parse().ok()
    };
    Some(Verified {
        records: number("verified ")?,
        repeated: number("repeated=")?,
        rest: line.to_owned(),
    })
}

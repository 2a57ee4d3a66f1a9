//! Replays what Kafka Connect 4.3.1 answered to validations and to questions for the keys of plugins
//! (`tests/conformance/rest`), without HTTP.

#![allow(clippy::unwrap_used)]

#[path = "recorded/compare.rs"]
mod compare;
#[path = "recorded/worker.rs"]
mod worker;

use std::path::{Path, PathBuf};

use serde_json::Value;

use worker::Worker;

fn scenarios() -> Vec<(String, Value)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/conformance/rest/scenarios");
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|file| {
            let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap())
        })
        .collect()
}

/// Plays the steps that `answer` has an answer for, and fails with all that differ.
fn replay(answer: impl Fn(&Worker, &Value) -> Option<(u64, Value)>, least: usize) {
    let worker = Worker::new();
    let mut passed = 0;
    let mut failed = Vec::new();
    for (scenario, content) in &scenarios() {
        for step in content["steps"].as_array().unwrap() {
            let Some((status, body)) = answer(&worker, step) else {
                continue;
            };
            let expect = &step["expect"];
            let found = compare::difference(&expect["status"], &status.into(), "status")
                .or_else(|| compare::difference(&expect["body"], &compare::shown(step, body), "body"));
            match found {
                None => passed += 1,
                Some(found) => failed.push(format!("{scenario}/{}: {found}", step["name"].as_str().unwrap())),
            }
        }
    }
    assert!(
        failed.is_empty(),
        "{passed} passed, {} failed:\n{}",
        failed.len(),
        failed.join("\n")
    );
    assert!(passed >= least, "only {passed} steps were played");
    println!("{passed} passed, 0 failed");
}

#[test]
fn validations_are_answered_as_recorded() {
    replay(Worker::validation, 192);
}

#[test]
fn keys_of_plugins_are_listed_as_recorded() {
    replay(Worker::plugin_keys, 34);
}

#[test]
fn creations_are_refused_as_recorded() {
    replay(Worker::creation, 17);
}

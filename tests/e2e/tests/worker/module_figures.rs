//! Figures about modules that are printed, for the eye. `CAISSON_TEST_MODULES` asks for as many modules as a real cluster may
//! have; what they are worth stands on a release build (`CAISSON_TEST_WORKER`).

use std::time::{Duration, Instant};

use caisson_e2e::cluster::{create, owners};
use caisson_e2e::{Rest, System, Worker, measured, until};
use serde_json::json;

use crate::swaps::{bind, rebuilt, sharing_modules};

/// Modules in one test, unless more are asked for.
const MODULES: u8 = 3;
const TRANSFORM: &str = "org.apache.kafka.connect.transforms.HoistField$Value";

fn modules() -> u8 {
    let asked = std::env::var("CAISSON_TEST_MODULES").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(MODULES)
}

/// Restarts a worker; how long REST took, and the memory that is resident then, in MiB.
fn restarted(worker: &mut Worker) -> (Duration, u64) {
    worker.kill();
    let took = worker.start_again();
    (took, worker.memory().0)
}

#[test]
fn a_worker_starts_at_once_however_many_modules_it_has() {
    let Some(system) = System::get() else { return };
    let setup = system.worker("many-modules");
    let (cache, modules) = (setup.path("compiled"), modules());
    let mut worker = setup
        .property("module.storage.directory", &setup_path(&cache, "modules"))
        .property("sandbox.cache.dir", &cache.display().to_string())
        .start();
    let file = system.components.join("caisson-datagen.wasm");
    let digests: Vec<String> = (0..modules)
        .map(|number| rebuilt(&worker.rest, &file, number))
        .collect();
    // What is in plugin.path is compiled when it is first used; of uploads every one is.
    let compiled = |digest: &str| {
        let names = std::fs::read_dir(&cache)
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        names
            .map(|name| name.into_string().unwrap())
            .any(|name| name.starts_with(digest) && name.ends_with(".cwasm"))
    };
    assert!(digests.iter().all(|digest| compiled(digest)));
    let (took, full) = restarted(&mut worker);
    let listed = worker.rest.get("/modules").expect(200);
    let has = |digest: &String| {
        listed
            .as_array()
            .unwrap()
            .iter()
            .any(|module| module["digest"] == **digest)
    };
    assert!(digests.iter().all(has), "{listed}");
    for digest in &digests {
        worker.rest.delete(&format!("/modules/{digest}")).expect(204);
    }
    let (without, empty) = restarted(&mut worker);
    let each = full.saturating_sub(empty) as f64 * 1024.0 / f64::from(modules);
    measured(&format!(
        "start with {modules} cached modules: REST after {took:?} ({without:?} with none); {full} MiB ({empty} MiB with none), {each:.0} KiB each"
    ));
}

fn setup_path(beside: &std::path::Path, name: &str) -> String {
    beside.with_file_name(name).display().to_string()
}

#[test]
fn an_upload_reaches_all_tasks_of_a_cluster_at_once() {
    let Some(system) = System::get() else { return };
    let topic = system.topic("reached", 3, &[]);
    let name = system.name("reached");
    let start = |index: usize| sharing_modules(&system, &format!("reached-{index}"), &name).start();
    let workers: Vec<Worker> = (0..3).map(start).collect();
    let rests: Vec<Rest> = workers.iter().map(|worker| worker.rest.clone()).collect();
    let sink = json!({
        "connector.class": "DiscardSink", "topics": topic, "tasks.max": "3", "transforms": "hoist",
        "transforms.hoist.type": TRANSFORM, "transforms.hoist.field": "line",
        "transforms.hoist.caisson.runtime": "component",
        "consumer.override.session.timeout.ms": "6000", "consumer.override.heartbeat.interval.ms": "500",
    });
    create(&rests[0], "sink", &sink);
    until("each worker has a task", || {
        (owners(&rests[0], "sink", 3).len() == 3).then_some(())
    });
    let file = system.components.join("caisson-transforms.wasm");
    let size = std::fs::metadata(&file).unwrap().len();
    // The compiler takes most of the time, and its time from other tests.
    let rounds = if modules() > MODULES { 3 } else { 1 };
    let mut times = Vec::new();
    for number in 0..rounds {
        let began = Instant::now();
        let digest = rebuilt(&rests[usize::from(number % 3)], &file, number);
        let uploaded = began.elapsed();
        let (status, answer) = bind(&rests[usize::from(number % 3)], TRANSFORM, &digest);
        assert_eq!(status, 200, "{answer}");
        for worker in &workers {
            worker.await_log(&["was replaced", &digest]);
        }
        times.push((began.elapsed(), uploaded));
    }
    times.sort();
    let (median, uploaded) = times[times.len() / 2];
    measured(&format!(
        "from POST /modules of {size} bytes to all tasks of three workers: {median:?} in the median of {rounds}, of which {uploaded:?} until the answer"
    ));
}

//! Instances come and go, and leave nothing behind. A program of its own, so that its memory is its own.
#![allow(clippy::unwrap_used)]

#[path = "sandbox/common.rs"]
#[allow(dead_code)]
mod common;

use caisson_sandbox::{InstanceSpec, SinkTask};

use common::*;

fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

async fn cycles(count: usize, command: &str) {
    for _ in 0..count {
        let spec = InstanceSpec {
            limits: Some(tight()),
            ..spec("probe.Sink", &[("put", command)]).await
        };
        let mut task = SinkTask::start(spec).await.unwrap();
        let _ = task.put(&batch(10, 100)).await;
    }
}

/// Loads of a module that is forgotten each time, unless `CAISSON_TEST_CYCLES` asks for more.
const LOADS: usize = 1_000;

/// A module is loaded, runs once, and is unloaded with its instance.
async fn loads(count: usize) {
    for _ in 0..count {
        let module = sandbox().load("probe.wasm", probe()).await.unwrap();
        let spec = InstanceSpec {
            limits: Some(tight()),
            ..spec_of(module, "probe.Sink", &[("put", "ok")])
        };
        let mut task = SinkTask::start(spec).await.unwrap();
        task.put(&batch(10, 100)).await.unwrap();
    }
}

#[tokio::test]
async fn thousands_of_modules_and_instances_leave_nothing_behind() {
    let asked = std::env::var("CAISSON_TEST_CYCLES").ok();
    let count = asked.and_then(|text| text.parse().ok()).unwrap_or(LOADS);
    loads(200).await;
    let before = resident();
    loads(count).await;
    let after = resident();
    println!(
        "{count} modules loaded and unloaded: {} KiB more than before",
        after.saturating_sub(before) >> 10
    );
    assert!(after.saturating_sub(before) < 4 << 20, "{before} bytes became {after}");
    cycles(200, "ok").await;
    let before = resident();
    cycles(2_000, "ok").await;
    let calm = resident();
    assert!(calm.saturating_sub(before) < 4 << 20, "{before} bytes became {calm}");
    cycles(100, "panic").await;
    let before = resident();
    cycles(400, "panic").await;
    let trapped = resident();
    assert!(
        trapped.saturating_sub(before) < 4 << 20,
        "{before} bytes became {trapped} after traps"
    );
    println!("resident: {} MiB, of which {} MiB before", trapped >> 20, before >> 20);
}

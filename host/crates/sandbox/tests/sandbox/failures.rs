//! The four failures, and what stops a guest.

use std::time::{Duration, Instant};

use caisson_api::ErrorKind;
use caisson_model::{Failure, FailureKind};
use caisson_sandbox::{CallError, InstanceSpec, SinkTask, Transform};

use crate::common::*;

async fn put(command: &str) -> (SinkTask, CallError) {
    let mut task = sink(&[("put", command)]).await;
    let error = task.put(&batch(1, 1)).await.unwrap_err();
    (task, error)
}

fn which(error: &CallError) -> &'static str {
    match error {
        CallError::Limit { which, .. } => which,
        other => panic!("no limit: {other:?}"),
    }
}

#[tokio::test]
async fn an_error_of_the_guest_leaves_the_instance_alive() {
    let (mut task, error) = put("error:retriable").await;
    let CallError::Guest(error) = error else {
        panic!("{error:?}")
    };
    assert_eq!((error.kind, error.retry_after_ms), (ErrorKind::Retriable, Some(5)));
    assert!(task.is_alive());
    assert!(matches!(task.put(&batch(1, 1)).await, Err(CallError::Guest(_))));
}

#[tokio::test]
async fn a_panic_is_a_trap_with_its_message_and_the_wasm_stack() {
    let (mut task, error) = put("panic").await;
    let CallError::Trap { message, backtrace } = &error else {
        panic!("{error:?}")
    };
    assert!(message.starts_with("put: the guest trapped"), "{message}");
    let backtrace = backtrace.as_ref().unwrap();
    assert!(
        backtrace.contains("the probe panics") && backtrace.contains("wasm backtrace"),
        "{backtrace}"
    );
    assert_eq!(Failure::from(error).kind, FailureKind::Trap);

    assert!(!task.is_alive());
    let refused = task.put(&batch(1, 1)).await.unwrap_err();
    assert!(
        matches!(&refused, CallError::Host(text) if text.contains("put cannot be called: the instance has ended")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn an_exit_is_a_trap() {
    let (_, error) = put("exit:3").await;
    assert!(
        matches!(&error, CallError::Trap { message, .. } if message.contains("exit")),
        "{error:?}"
    );
}

#[tokio::test]
async fn deep_recursion_is_a_trap() {
    // Rust keeps a stack of its own in linear memory, which ends first.
    let (_, error) = put("recurse").await;
    assert!(
        matches!(&error, CallError::Trap { message, .. } if message.contains("out of bounds")),
        "{error:?}"
    );
    let endless = |text: String| {
        text.replace(
            "(;more;)",
            "(func $deep (result i32) (i32.add (call $deep) (i32.const 1)))",
        )
        .replace("(;apply;)", "(drop (call $deep))")
    };
    let error = core_apply("plain.wat", endless).await;
    assert!(
        matches!(&error, CallError::Trap { message, .. } if message.contains("call stack exhausted")),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_call_that_does_not_end_is_stopped_by_name() {
    let started = Instant::now();
    let (task, error) = put("spin").await;
    assert_eq!(which(&error), "call.timeout.ms");
    assert_eq!(
        error.to_string(),
        "put did not return within 300ms (sandbox.call.timeout.ms)"
    );
    assert!(started.elapsed() < Duration::from_secs(60));
    assert!(!task.is_alive());
}

#[tokio::test]
async fn a_start_that_does_not_end_is_stopped() {
    let Err(error) = source(&[("start", "spin")]).await else {
        panic!("it started")
    };
    assert_eq!(which(&error), "lifecycle.timeout.ms");
}

#[tokio::test]
async fn a_sleeping_guest_is_stopped_too() {
    let (_, error) = put("sleep:60000").await;
    assert_eq!(which(&error), "call.timeout.ms");
}

#[tokio::test]
async fn bulk_copies_are_interrupted_between_them() {
    let (_, error) = put("fill:8000000").await;
    assert_eq!(which(&error), "call.timeout.ms");
}

#[test]
fn a_spinning_guest_does_not_delay_another() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let mut limits = tight();
    limits.call = Duration::from_secs(2);
    let handle = runtime.handle().clone();
    let drive = |command: &'static str| {
        let (handle, limits) = (handle.clone(), limits.clone());
        std::thread::spawn(move || {
            handle.block_on(async {
                let spec = InstanceSpec {
                    limits: Some(limits),
                    ..spec("probe.Sink", &[("put", command)]).await
                };
                let mut task = SinkTask::start(spec).await.unwrap();
                let full = batch(100, 100);
                let started = Instant::now();
                let mut longest = Duration::ZERO;
                while started.elapsed() < Duration::from_secs(1) {
                    let one = Instant::now();
                    if task.put(&full).await.is_err() {
                        return None;
                    }
                    longest = longest.max(one.elapsed());
                }
                Some(longest)
            })
        })
    };
    let (spinning, working) = (drive("spin"), drive("ok"));
    // The machine shares its cores with other tests, so this is no measurement; without yielding it would never end.
    let longest = working.join().unwrap().unwrap();
    assert!(longest < Duration::from_millis(800), "{longest:?}");
    assert_eq!(spinning.join().unwrap(), None);
}

#[tokio::test]
async fn a_call_that_is_given_up_ends_the_instance() {
    let mut task = sink(&[("put", "sleep:200")]).await;
    let full = batch(1, 1);
    assert!(
        tokio::time::timeout(Duration::from_millis(20), task.put(&full))
            .await
            .is_err()
    );
    assert!(!task.is_alive());
    let error = task.put(&full).await.unwrap_err();
    assert!(error.to_string().contains("its call of put was given up"), "{error}");
}

#[tokio::test]
async fn memory_beyond_the_limit_is_a_limit() {
    let (_, error) = put("memory:100000000").await;
    assert_eq!(which(&error), "memory.bytes");
    assert!(
        error.to_string().contains("sandbox.memory.bytes allows 16777216"),
        "{error}"
    );
}

#[tokio::test]
async fn memory_below_the_limit_is_given() {
    let (task, error) = put("memory:8000000").await;
    assert!(matches!(error, CallError::Guest(_)), "{error:?}");
    assert!((8 << 20..=16 << 20).contains(&task.memory()), "{}", task.memory());
}

#[tokio::test]
async fn output_beyond_the_limit_is_a_limit() {
    for size in ["1100000", "9000000"] {
        let mut task = source(&[("poll", &format!("output:{size}"))]).await.unwrap();
        let error = task.poll(Duration::ZERO, 1000).await.unwrap_err();
        assert_eq!(which(&error), "output.bytes", "{size}");
        assert!(!task.is_alive());
    }
    assert_eq!(asked(&[("poll", "output:1048576")]).await, "1048576 bytes");
}

#[tokio::test]
async fn the_text_of_an_error_is_cut() {
    let (_, error) = put("long-error:100000").await;
    assert_eq!(error.to_string().len(), 16 << 10);
}

#[tokio::test]
async fn handles_are_limited() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let file = file.to_str().unwrap();
    let mut limits = tight();
    limits.call = Duration::from_secs(20);
    let entries = [("file", file), ("put", &format!("handles:{file}"))];
    let spec = InstanceSpec {
        limits: Some(limits),
        ..spec("probe.Sink", &entries).await
    };
    let mut task = SinkTask::start(spec).await.unwrap();
    let error = task.put(&batch(1, 1)).await.unwrap_err();
    // The worker may have fewer file descriptors than the guest may have handles; then the guest is told.
    match &error {
        CallError::Limit { which, .. } => assert_eq!(*which, "handles"),
        CallError::Guest(told) => assert!(told.message.contains("after "), "{told}"),
        CallError::Trap { .. } | CallError::Host(_) => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn requests_without_end_are_a_limit() {
    let (mut task, error) = put("pauses").await;
    assert_eq!(which(&error), "requests");
    assert_eq!(task.drain().flow.len(), 100_000);
}

async fn core_apply(file: &str, edit: impl Fn(String) -> String) -> CallError {
    let module = sandbox().load(file, core(file, TRANSFORM, edit)).await.unwrap();
    let spec = InstanceSpec {
        limits: Some(tight()),
        ..spec_of(module, "core.Transform", &[])
    };
    Transform::start(spec)
        .await
        .unwrap()
        .apply(&batch(1, 1))
        .await
        .unwrap_err()
}

#[tokio::test]
async fn tables_are_limited() {
    let error = core_apply("tables.wat", |text| text).await;
    assert_eq!(which(&error), "table.elements");
}

#[tokio::test]
async fn lists_that_lie_about_their_place_are_traps() {
    // Out of memory, beyond 4 GiB together, as large as can be, not UTF-8.
    for (pointer, length) in [
        ("0x7fff0000", "16"),
        ("0xfffffff0", "0x20"),
        ("0", "0xffffffff"),
        ("0x10000000", "0x10000000"),
    ] {
        let edit = |text: String| text.replace("(;pointer;) 0", pointer).replace("(;length;) 0", length);
        let error = core_apply("lies.wat", edit).await;
        assert!(
            matches!(
                error,
                CallError::Trap { .. }
                    | CallError::Limit {
                        which: "output.bytes",
                        ..
                    }
            ),
            "{pointer} {length}: {error:?}"
        );
    }
}

#[tokio::test]
async fn text_that_is_not_utf8_is_a_trap() {
    let error = core_apply("lies.wat", |text| text.replace("(;discriminant;) 0", "1")).await;
    assert!(
        matches!(&error, CallError::Trap { message, .. } if message.contains("utf-8")),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_result_that_is_neither_right_nor_wrong_is_a_trap() {
    let error = core_apply("lies.wat", |text| text.replace("(;discriminant;) 0", "7")).await;
    assert!(matches!(&error, CallError::Trap { .. }), "{error:?}");
}

#[tokio::test]
async fn an_allocator_that_lies_is_a_trap() {
    let edit = |text: String| text.replace("(;realloc;) global.get $next", "i32.const 0x7ffffff0");
    let module = sandbox()
        .load("lies.wat", core("lies.wat", TRANSFORM, edit))
        .await
        .unwrap();
    let Err(error) = Transform::start(spec_of(module, "core.Transform", &[])).await else {
        panic!("it started")
    };
    assert!(matches!(&error, CallError::Trap { .. }), "{error:?}");
}

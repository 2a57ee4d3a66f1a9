//! A guest that says too much, or says it badly.

use caisson_sandbox::{InstanceSpec, SinkTask};

use crate::common::*;

/// What reaches the log when a sink does `command` once and ends.
async fn logged(command: &str) -> (SinkTask, Vec<String>) {
    let captured = Captured::begin();
    let mut task = sink(&[("put", command)]).await;
    let _ = task.put(&batch(1, 1)).await;
    let _ = task.stop().await;
    let lines = captured.guest();
    (task, lines)
}

#[tokio::test]
async fn lines_carry_their_connector_task_and_stream() {
    let (_, lines) = logged("stdout:1").await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    for part in [
        "INFO",
        "connector=\"test\"",
        "task=0",
        "stream=\"stdout\"",
        "line 0 of the probe",
    ] {
        assert!(lines[0].contains(part), "{lines:?}");
    }
    let (_, lines) = logged("stderr:help").await;
    assert!(
        lines[0].contains("WARN") && lines[0].contains("stream=\"stderr\"") && lines[0].contains("help"),
        "{lines:?}"
    );
    let (_, lines) = logged("log:1").await;
    assert!(lines[0].contains("entry 0 i=0"), "{lines:?}");
}

#[tokio::test]
async fn lines_beyond_the_rate_are_counted_and_dropped() {
    for command in ["stdout:5000", "log:5000"] {
        let captured = Captured::begin();
        let mut task = sink(&[("put", command)]).await;
        let _ = task.put(&batch(1, 1)).await;
        let dropped = task.dropped_lines();
        drop(task);
        let lines = captured.guest();
        // Twenty at once, and twenty more for every second that it takes.
        assert!((20..100).contains(&lines.len()), "{command}: {} lines", lines.len());
        assert!(dropped > 4800, "{command}: {dropped}");
        assert!(
            lines
                .iter()
                .any(|line| line.contains("were dropped (sandbox.log.lines)")),
            "{command}: {lines:?}"
        );
    }
}

#[tokio::test]
async fn a_line_without_end_is_cut() {
    let (_, lines) = logged("long-line:1000000").await;
    assert_eq!(lines.len(), 1);
    assert!(lines[0].len() < 400, "{}", lines[0].len());
    assert!(lines[0].contains("yyy…"), "{lines:?}");
}

#[tokio::test]
async fn control_characters_do_not_reach_the_log() {
    let (_, lines) = logged("control:\u{202e}txt").await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(!lines[0].chars().any(char::is_control), "{lines:?}");
    assert!(
        lines[0].contains(r"\u{1b}[31m") && lines[0].contains(r"\u{202e}"),
        "{lines:?}"
    );
}

#[tokio::test]
async fn series_of_metrics_are_bounded() {
    let (task, _) = logged("series:5000").await;
    assert_eq!(task.metrics().snapshot().len(), 10);
    // `bytes` came first.
    assert_eq!(task.metrics().refused(), 4991);
}

#[tokio::test]
async fn metrics_outlive_the_instance() {
    let mut task = sink(&[("put", "panic")]).await;
    let metrics = task.metrics();
    let full = batch(1, 1);
    let _ = task.put(&full).await;
    drop(task);
    assert_eq!(metrics.counter("bytes"), full.len() as u64);
}

#[tokio::test]
async fn a_flood_is_stopped_by_the_clock_in_the_end() {
    let spec = InstanceSpec {
        limits: Some(tight()),
        ..spec("probe.Sink", &[("put", "stdout:100000000")]).await
    };
    let mut task = SinkTask::start(spec).await.unwrap();
    let error = task.put(&batch(1, 1)).await.unwrap_err();
    assert!(error.to_string().contains("did not return within"), "{error}");
}

//! `GET /metrics` of workers that move records.

use caisson_e2e::cluster::create;
use caisson_e2e::{Rest, System, until};
use serde_json::json;

/// The value of a sample with just these labels; none if it is not there.
pub fn sample(rest: &Rest, name: &str, labels: &str) -> Option<f64> {
    let text = String::from_utf8(rest.bytes("/metrics")).unwrap();
    let start = if labels.is_empty() {
        format!("{name} ")
    } else {
        format!("{name}{{{labels}}} ")
    };
    let line = text.lines().find_map(|line| line.strip_prefix(&start))?;
    line.parse().ok()
}

#[track_caller]
pub fn await_sample(rest: &Rest, name: &str, labels: &str, value: f64) {
    until(&format!("{name}{{{labels}}} is {value}"), || {
        (sample(rest, name, labels) == Some(value)).then_some(())
    });
}

#[test]
fn records_of_sources_and_sinks_commits_and_failures_are_counted() {
    let Some(system) = System::get() else { return };
    let worker = system
        .worker("metrics")
        .property("offset.flush.interval.ms", "200")
        .start();
    let rest = &worker.rest;
    let (topic, queue) = (system.topic("metrics", 1, &[]), system.name("metrics-queue"));
    let (source, sink) = (system.name("metrics-in"), system.name("metrics-out"));
    std::fs::write(worker.path("in.txt"), "{\"n\":1}\nthis is no json\n{\"n\":3}\n").unwrap();
    let config = json!({
        "connector.class": "FileStreamSource", "topic": topic, "file": worker.path("in.txt"),
        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
    });
    rest.create_running(&source, &config);
    let config = json!({
        "connector.class": "FileStreamSink", "topics": topic, "file": worker.path("out.txt"),
        "value.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": "false",
        "errors.tolerance": "all", "errors.deadletterqueue.topic.name": queue,
        "errors.deadletterqueue.topic.replication.factor": "1",
    });
    rest.create_running(&sink, &config);
    worker.await_lines("out.txt", 2);

    let of_source = format!("connector=\"{source}\",task=\"0\"");
    await_sample(
        rest,
        "kafka_connect_source_task_source_record_write_total",
        &of_source,
        3.0,
    );
    await_sample(
        rest,
        "kafka_connect_source_task_source_record_poll_total",
        &of_source,
        3.0,
    );
    await_sample(
        rest,
        "kafka_connect_source_task_source_record_active_count",
        &of_source,
        0.0,
    );
    let of_sink = format!("connector=\"{sink}\",task=\"0\"");
    await_sample(rest, "kafka_connect_sink_task_sink_record_read_total", &of_sink, 3.0);
    await_sample(rest, "kafka_connect_sink_task_sink_record_send_total", &of_sink, 2.0);
    await_sample(rest, "kafka_connect_sink_task_partition_count", &of_sink, 1.0);
    await_sample(rest, "kafka_connect_sink_task_sink_record_active_count", &of_sink, 0.0);
    await_sample(rest, "kafka_connect_task_error_total_record_failures", &of_sink, 1.0);
    await_sample(rest, "kafka_connect_task_error_total_records_skipped", &of_sink, 1.0);
    let letters = "kafka_connect_task_error_deadletterqueue_produce_requests";
    await_sample(rest, letters, &of_sink, 1.0);
    await_sample(rest, "kafka_connect_sink_task_sink_record_lag_max", &of_sink, 0.0);
    for name in ["skip_total", "skip_rate"].map(|name| format!("kafka_connect_sink_task_offset_commit_{name}")) {
        assert_eq!(sample(rest, &name, &of_sink), Some(0.0), "{name}");
    }
    let completed = "kafka_connect_sink_task_offset_commit_completion_total";
    until("a commit of the sink is completed", || {
        sample(rest, completed, &of_sink).filter(|commits| *commits >= 1.0)
    });
    for (of, class) in [(&of_source, "FileStreamSource"), (&of_sink, "FileStreamSink")] {
        for name in ["caisson_module_swaps_total", "caisson_module_rollbacks_total"] {
            assert_eq!(sample(rest, name, of), Some(0.0), "{name}");
        }
        let kind = class.trim_start_matches("FileStream").to_lowercase();
        let kind = format!("{of},connector_type=\"{kind}\"");
        let name = "kafka_connect_connector_task_connector_type";
        assert_eq!(sample(rest, name, &kind), Some(1.0), "{kind}");
    }
    for of in [&of_source, &of_sink] {
        let commits = "kafka_connect_connector_task_offset_commit_success_percentage";
        await_sample(rest, commits, of, 1.0);
        await_sample(
            rest,
            "kafka_connect_connector_task_status",
            &format!("{of},status=\"running\""),
            1.0,
        );
        let ratio = sample(rest, "kafka_connect_connector_task_running_ratio", of).unwrap();
        assert!(ratio > 0.0 && ratio <= 1.0, "{ratio}");
    }
    for (of, stages) in [(&of_source, ["poll", "send"]), (&of_sink, ["read", "put"])] {
        for stage in stages {
            until(&format!("{stage} has taken its time"), || {
                let labels = format!("{of},stage=\"{stage}\"");
                sample(rest, "caisson_task_stage_seconds_count", &labels).filter(|count| *count >= 1.0)
            });
        }
    }
    assert_eq!(sample(rest, "kafka_connect_worker_task_count", ""), Some(2.0));
    assert_eq!(
        sample(rest, "kafka_connect_worker_connector_startup_success_total", ""),
        Some(2.0)
    );
    await_sample(rest, "kafka_connect_worker_task_startup_success_total", "", 2.0);
    let running = "kafka_connect_worker_connector_running_task_count";
    await_sample(rest, running, &format!("connector=\"{sink}\""), 1.0);

    rest.put(&format!("/connectors/{sink}/pause")).expect(202);
    let paused = "kafka_connect_worker_connector_paused_task_count";
    await_sample(rest, paused, &format!("connector=\"{sink}\""), 1.0);
    let status = format!("connector=\"{sink}\",status=\"paused\"");
    await_sample(rest, "kafka_connect_connector_status", &status, 1.0);
}

#[test]
fn what_a_plugin_counts_is_shown_with_its_connector_and_task() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("metrics-plugin").start();
    let topic = system.topic("metrics-plugin", 1, &[]);
    system.produce(&topic, None, "one\ntwo\n");
    let name = system.name("metrics-plugin");
    let sink = json!({
        "connector.class": "DiscardSink", "topics": topic,
        "consumer.override.auto.offset.reset": "earliest",
        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
    });
    worker.rest.create_running(&name, &sink);
    let status = worker.rest.get(&format!("/connectors/{name}/config")).body;
    let class = status["connector.class"].as_str().unwrap().to_owned();
    let text = until("its records are counted", || {
        let text = String::from_utf8(worker.rest.bytes("/metrics")).unwrap();
        let line = text
            .lines()
            .find(|line| line.starts_with("caisson_plugin_discard_records{"))?;
        line.ends_with(" 2").then(|| line.to_owned())
    });
    let labels = format!("{{connector=\"{name}\",task=\"0\",class=\"");
    assert!(text.contains(&labels) && text.contains(&class), "{text}");
}

#[test]
fn a_worker_of_a_cluster_tells_of_its_rebalances() {
    let Some(system) = System::get() else { return };
    let cluster = system.name("metrics-cluster");
    let worker = system
        .worker("metrics-cluster")
        .distributed(&cluster)
        .property("exactly.once.source.support", "enabled")
        .start();
    let rest = &worker.rest;
    until("a rebalance is completed", || {
        let completed = sample(rest, "kafka_connect_worker_rebalance_completed_rebalances_total", "")?;
        (completed >= 1.0).then_some(())
    });
    await_sample(rest, "kafka_connect_worker_rebalance_rebalancing", "", 0.0);
    assert_eq!(sample(rest, "kafka_connect_coordinator_assigned_tasks", ""), Some(0.0));
    let epoch = sample(rest, "kafka_connect_worker_rebalance_epoch", "").unwrap();
    assert!(epoch >= 1.0, "{epoch}");
    let protocol = "kafka_connect_worker_rebalance_connect_protocol";
    let sessioned = sample(rest, protocol, "connect_protocol=\"SESSIONED\"");
    assert_eq!(sessioned, Some(1.0));
    let took = sample(rest, "kafka_connect_worker_rebalance_rebalance_max_time_ms", "").unwrap();
    assert!(took < 60_000.0, "{took}");
    for name in ["heartbeat_total", "join_total", "sync_total", "rebalance_total"] {
        let name = format!("kafka_connect_coordinator_{name}");
        until(&format!("{name} is more than nothing"), || {
            sample(rest, &name, "").filter(|total| *total >= 1.0)
        });
    }
    for name in [
        "last_heartbeat_seconds_ago",
        "last_rebalance_seconds_ago",
        "heartbeat_rate",
        "sync_time_max",
    ] {
        let value = sample(rest, &format!("kafka_connect_coordinator_{name}"), "").unwrap();
        assert!(value >= 0.0, "{name}: {value}");
    }

    let topic = system.topic("metrics-cluster", 1, &[]);
    let source = json!({
        "connector.class": "DatagenSource", "topic": topic, "max.records": "5", "batch.records": "5",
        "exactly.once.support": "required",
    });
    create(rest, "numbers", &source);
    let of = "connector=\"numbers\",task=\"0\"";
    for name in ["transaction_size_max", "transaction_size_avg", "transaction_size_min"] {
        until(&format!("{name} is more than nothing"), || {
            sample(rest, &format!("kafka_connect_source_task_{name}"), of).filter(|size| *size >= 1.0)
        });
    }
}

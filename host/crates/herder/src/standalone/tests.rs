use std::time::Duration;

use caisson_model::{ConnectorState, Failure, TargetState, TaskId, TaskState};
use caisson_store::{Config, MemoryConfigStore, MemoryStatusStore};
use tokio::time::timeout;

use super::*;
use crate::fake::FakeWorker;
use crate::herder::{Herder, Replace, RestartRequest};
use crate::info::Created;
use crate::loggers::{Level, NoSink};
use crate::offsets::ConnectorOffset;
use std::collections::BTreeMap;

struct Bench {
    worker: Arc<FakeWorker>,
    herder: StandaloneHerder,
}

fn bench() -> Bench {
    let (worker, events) = FakeWorker::new();
    let parts = Parts {
        worker: worker.clone(),
        events,
        configs: Arc::new(MemoryConfigStore::new()),
        statuses: Arc::new(MemoryStatusStore::new()),
        loggers: Loggers::new(Arc::new(NoSink), Level::Info, BTreeMap::new()),
        modules: None,
    };
    let options = Options {
        worker_id: "here:8083".to_owned(),
        version: "4.3.1".to_owned(),
        commit: "unknown".to_owned(),
        topic_tracking: true,
        topic_tracking_reset: true,
    };
    Bench {
        worker,
        herder: StandaloneHerder::new(parts, options),
    }
}

fn config(pairs: &[(&str, &str)]) -> Config {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), Some((*value).to_owned())))
        .collect()
}

fn source() -> Config {
    config(&[("name", "c"), ("connector.class", "FileStreamSource"), ("topic", "t")])
}

fn sink(tasks: &str) -> Config {
    config(&[
        ("name", "c"),
        ("connector.class", "FileStreamSink"),
        ("topics", "t"),
        ("tasks.max", tasks),
    ])
}

impl Bench {
    async fn create(&self, config: Config, target: Option<TargetState>) {
        self.herder
            .put_connector("c", config, target, Replace::Refused)
            .await
            .unwrap();
        self.settle().await;
    }

    async fn settle(&self) {
        timeout(Duration::from_secs(5), self.herder.node.settle("c"))
            .await
            .unwrap();
        self.herder.node.drain_events();
    }

    /// The state of the connector and those of its tasks.
    fn states(&self) -> (ConnectorState, Vec<TaskState>) {
        let status = self.herder.connector_status("c").unwrap();
        (
            status.connector.state,
            status.tasks.iter().map(|task| task.status.state).collect(),
        )
    }
}

#[tokio::test]
async fn created_connector_runs_with_its_tasks() {
    let bench = bench();
    bench.create(sink(" 2 "), None).await;
    assert_eq!(
        bench.worker.commands(),
        ["start c", "configure c", "start c-0", "start c-1"]
    );
    assert_eq!(bench.states(), (ConnectorState::Running, vec![TaskState::Running; 2]));
    assert_eq!(bench.herder.task_infos("c").await.unwrap().len(), 2);
}

#[tokio::test]
async fn second_connector_of_a_name_is_refused() {
    let bench = bench();
    bench.create(source(), None).await;
    let error = bench
        .herder
        .put_connector("c", source(), None, Replace::Refused)
        .await
        .unwrap_err();
    assert_eq!(error, Error::AlreadyExists("Connector c already exists".to_owned()));
}

#[tokio::test]
async fn invalid_configuration_is_refused_with_all_errors() {
    let bench = bench();
    let invalid = config(&[
        ("name", "c"),
        ("connector.class", "FileStreamSource"),
        ("tasks.max", "x"),
    ]);
    let error = bench
        .herder
        .put_connector("c", invalid, None, Replace::Refused)
        .await
        .unwrap_err();
    let text = "Connector configuration is invalid and contains the following 2 error(s):\n\
        Missing required configuration \"topic\" which has no default value.\n\
        Invalid value x for configuration tasks.max: Not a number of type INT\n\
        You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`";
    assert_eq!(error, Error::BadRequest(text.to_owned()));
    assert!(bench.herder.connectors().await.unwrap().is_empty());
}

#[tokio::test]
async fn created_connector_has_a_status_once_answered() {
    let bench = bench();
    bench
        .herder
        .put_connector("c", source(), None, Replace::Refused)
        .await
        .unwrap();
    assert_eq!(bench.states(), (ConnectorState::Running, vec![TaskState::Running]));
}

#[tokio::test(start_paused = true)]
async fn request_is_answered_while_the_start_hangs() {
    let bench = bench();
    bench.worker.hold(true);
    bench
        .herder
        .put_connector("c", source(), None, Replace::Refused)
        .await
        .unwrap();
    assert!(bench.herder.connector_info("c").await.is_ok());
    assert!(bench.herder.connector_status("c").is_err());
    bench.herder.pause_connector("c").await.unwrap();
    bench.worker.hold(false);
    bench.settle().await;
    assert_eq!(bench.states().0, ConnectorState::Paused);
}

#[tokio::test]
async fn failed_start_is_reported_and_restarted_on_request() {
    let bench = bench();
    bench.worker.set_failing("c", true);
    bench.create(source(), None).await;
    assert_eq!(bench.states(), (ConnectorState::Failed, vec![]));
    let status = bench.herder.connector_status("c").unwrap();
    assert_eq!(status.connector.trace.unwrap(), "connector c does not start [host]");
    assert_eq!(status.connector.worker_id, "here:8083");

    let error = bench.herder.restart_connector("c").await.unwrap_err();
    assert_eq!(error, Error::Other("Failed to start connector: c".to_owned()));
    bench.worker.set_failing("c", false);
    bench.herder.restart_connector("c").await.unwrap();
    bench.settle().await;
    assert_eq!(bench.states(), (ConnectorState::Running, vec![TaskState::Running]));
}

#[tokio::test]
async fn restart_of_what_failed_leaves_the_rest_alone() {
    let bench = bench();
    bench.worker.set_failing("c-1", true);
    bench.create(sink("2"), None).await;
    assert_eq!(
        bench.states(),
        (ConnectorState::Running, vec![TaskState::Running, TaskState::Failed])
    );
    bench.worker.set_failing("c-1", false);
    bench.worker.commands();
    let request = RestartRequest {
        connector: "c".to_owned(),
        only_failed: true,
        include_tasks: true,
    };
    let status = bench.herder.restart_connector_and_tasks(request).await.unwrap();
    assert_eq!(status.connector.state, ConnectorState::Running);
    assert_eq!(status.tasks[0].status.state, TaskState::Running);
    assert_eq!(status.tasks[1].status.state, TaskState::Restarting);
    bench.settle().await;
    assert_eq!(bench.worker.commands(), ["stop c-1", "start c-1"]);
    assert_eq!(bench.states(), (ConnectorState::Running, vec![TaskState::Running; 2]));
}

#[tokio::test]
async fn task_that_fails_to_start_fails_its_restart() {
    let bench = bench();
    bench.create(source(), None).await;
    bench.worker.set_failing("c-0", true);
    let error = bench.herder.restart_task("c", 0).await.unwrap_err();
    assert_eq!(error, Error::Other("Failed to start task: c-0".to_owned()));
    assert_eq!(bench.states(), (ConnectorState::Running, vec![TaskState::Failed]));
    let error = bench.herder.restart_task("c", -1).await.unwrap_err();
    assert_eq!(error, Error::NotFound("Unknown task: c--1".to_owned()));
}

#[tokio::test]
async fn stopped_connector_has_no_tasks_and_no_task_statuses() {
    let bench = bench();
    bench.create(source(), None).await;
    bench.herder.stop_connector("c").await.unwrap();
    bench.settle().await;
    assert_eq!(bench.states(), (ConnectorState::Stopped, vec![]));
    assert!(bench.herder.task_infos("c").await.unwrap().is_empty());
    bench.herder.pause_connector("c").await.unwrap();
    bench.settle().await;
    assert_eq!(bench.states(), (ConnectorState::Paused, vec![]));
    bench.herder.resume_connector("c").await.unwrap();
    bench.settle().await;
    assert_eq!(bench.states(), (ConnectorState::Running, vec![TaskState::Running]));
}

#[tokio::test]
async fn deleted_connector_leaves_no_trace_and_can_come_back() {
    let bench = bench();
    bench.create(source(), None).await;
    let used = WorkerEvent::TopicUsed {
        id: TaskId::new("c", 0),
        topic: "t".into(),
    };
    bench.worker.tell(used.clone()).await;
    bench.settle().await;
    assert_eq!(bench.herder.topics("c").unwrap(), ["t"]);
    bench.herder.delete_connector("c").await.unwrap();
    assert!(bench.herder.connector_status("c").is_err());
    assert!(bench.herder.topics("c").unwrap().is_empty());
    bench.worker.tell(used).await;
    bench.herder.node.drain_events();
    assert!(
        bench.herder.topics("c").unwrap().is_empty(),
        "late news bring nothing back"
    );
    assert!(bench.herder.node.is_idle(), "its driver has ended");

    bench.create(source(), Some(TargetState::Paused)).await;
    assert_eq!(bench.states(), (ConnectorState::Paused, vec![]));
}

#[tokio::test]
async fn patch_merges_and_removes() {
    let bench = bench();
    bench.create(sink("3"), None).await;
    let changes = BTreeMap::from([("tasks.max".to_owned(), None), ("x".to_owned(), Some("y".to_owned()))]);
    let info = bench.herder.patch_connector("c", changes).await.unwrap();
    assert_eq!(info.tasks.len(), 3, "the tasks are still those of before");
    assert_eq!(info.config.get("x"), Some(&Some("y".to_owned())));
    bench.settle().await;
    assert_eq!(bench.states(), (ConnectorState::Running, vec![TaskState::Running]));
}

#[tokio::test]
async fn new_configuration_is_in_effect_once_answered() {
    let bench = bench();
    bench.create(source(), None).await;
    bench.worker.commands();
    let other = config(&[("name", "c"), ("connector.class", "FileStreamSource"), ("topic", "u")]);
    let created = bench
        .herder
        .put_connector("c", other, None, Replace::Allowed)
        .await
        .unwrap();
    assert_eq!(
        bench.worker.commands(),
        ["stop c", "start c", "configure c", "stop c-0", "start c-0"]
    );
    let Created::Replaced(info) = created else {
        panic!("it was there before")
    };
    assert_eq!(info.tasks.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn new_configuration_that_hangs_is_answered_nevertheless() {
    let bench = bench();
    bench.create(source(), None).await;
    bench.worker.hold(true);
    bench
        .herder
        .put_connector("c", source(), None, Replace::Allowed)
        .await
        .unwrap();
}

#[tokio::test]
async fn offsets_change_only_while_stopped() {
    let bench = bench();
    bench.create(source(), None).await;
    let offset = ConnectorOffset {
        partition: serde_json::json!({"filename": "a"}).as_object().cloned(),
        offset: serde_json::json!({"position": 1}).as_object().cloned(),
    };
    let refused = bench.herder.alter_offsets("c", vec![offset.clone()]).await.unwrap_err();
    assert_eq!(refused, Error::not_stopped("c"));
    bench.herder.stop_connector("c").await.unwrap();
    bench.herder.alter_offsets("c", vec![offset.clone()]).await.unwrap();
    assert_eq!(bench.herder.offsets("c").await.unwrap(), [offset]);
    bench.herder.reset_offsets("c").await.unwrap();
    assert!(bench.herder.offsets("c").await.unwrap().is_empty());
}

#[tokio::test]
async fn connector_may_ask_for_new_task_configurations() {
    let bench = bench();
    bench.create(source(), None).await;
    bench.worker.commands();
    bench
        .worker
        .tell(WorkerEvent::Reconfigure { connector: "c".into() })
        .await;
    bench.settle().await;
    bench.settle().await;
    assert_eq!(
        bench.worker.commands(),
        ["configure c"],
        "nothing changed, so no task restarts"
    );
}

#[tokio::test]
async fn failure_later_on_is_told_by_events() {
    let bench = bench();
    bench.create(source(), None).await;
    let failure = Some(Failure::host("disk full"));
    let id = TaskId::new("c", 0);
    bench
        .worker
        .tell(WorkerEvent::TaskStatus {
            id,
            state: TaskState::Failed,
            failure,
            version: None,
        })
        .await;
    bench.settle().await;
    assert_eq!(bench.states().1, [TaskState::Failed]);
}

#[tokio::test]
async fn shutting_down_stops_everything_and_keeps_the_configurations() {
    let bench = bench();
    bench.create(sink("2"), None).await;
    bench.worker.commands();
    bench.herder.shut_down().await;
    assert_eq!(bench.worker.commands(), ["stop c-0", "stop c-1", "stop c"]);
    assert_eq!(
        bench.states(),
        (ConnectorState::Unassigned, vec![TaskState::Unassigned; 2])
    );
    assert!(bench.herder.connector_info("c").await.is_ok());
}

#[tokio::test]
async fn unknown_connectors_are_named_as_kafka_connect_does() {
    let herder = bench().herder;
    let text = |outcome: Result<(), Error>| outcome.unwrap_err().to_string();
    assert_eq!(text(herder.pause_connector("c").await), "Unknown connector c");
    assert_eq!(text(herder.stop_connector("c").await), "Unknown connector c");
    assert_eq!(text(herder.delete_connector("c").await), "Connector c not found");
    assert_eq!(text(herder.restart_connector("c").await), "Unknown connector: c");
    assert_eq!(text(herder.restart_task("c", 0).await), "Unknown connector: c");
    assert_eq!(
        text(herder.connector_status("c").map(drop)),
        "No status found for connector c"
    );
    assert_eq!(
        text(herder.task_status("c", 0).map(drop)),
        "No status found for task c-0"
    );
}

//! Every call of every role, with a guest that behaves.

use std::time::Duration;

use caisson_model::{PartitionOffset, TopicPartition};
use caisson_sandbox::{
    CallError, Column, Converter, Delivery, ExactlyOnce, Flow, Outcome, Predicate, Records, SinkConnector,
    SinkOffsetChange, SinkTask, SourceConnector, SourceOffsetChange, Transform,
};

use crate::common::*;

fn partition(number: i32) -> TopicPartition {
    TopicPartition::new("t", number)
}

#[tokio::test]
async fn a_source_connector_answers_all_its_calls() {
    let mut connector = SourceConnector::start(spec("probe.Source", &[("task-configs", "reconfigure")]).await, None)
        .await
        .unwrap();
    assert_eq!(connector.task_configs(3).await.unwrap().len(), 3);
    assert!(connector.drain().reconfigure);
    assert!(!connector.drain().reconfigure);
    assert_eq!(connector.exactly_once_support().await.unwrap(), ExactlyOnce::Supported);
    let forget = SourceOffsetChange {
        partition: "{}".into(),
        offset: None,
    };
    assert!(connector.alter_offsets(&[forget]).await.unwrap());
    let values = connector.validate().await.unwrap();
    assert_eq!(values[0].recommended_values, ["ok"]);
    connector.stop().await.unwrap();
}

#[tokio::test]
async fn a_connector_that_gives_too_many_tasks_has_failed() {
    let mut connector = SinkConnector::start(spec("probe.Sink", &[("one-too-many", "")]).await)
        .await
        .unwrap();
    let error = connector.task_configs(2).await.unwrap_err();
    assert!(error.to_string().contains("gave 3 task configurations"), "{error}");
}

#[tokio::test]
async fn a_connector_fails_outside_of_its_calls() {
    let mut connector = SinkConnector::start(spec("ProbeSink", &[("task-configs", "raise:gone")]).await)
        .await
        .unwrap();
    connector.task_configs(1).await.unwrap();
    assert_eq!(connector.drain().error.unwrap().0, "gone");
    let keep = SinkOffsetChange {
        partition: partition(0),
        offset: Some(3),
    };
    assert!(!connector.alter_offsets(&[keep]).await.unwrap());
}

#[tokio::test]
async fn a_source_task_polls_reads_offsets_and_hears_of_deliveries() {
    let mut task = source(&[("poll", "output:100")]).await.unwrap();
    assert_eq!(task.poll(Duration::from_millis(10), 1000).await.unwrap().len(), 100);
    let written = Delivery {
        first: 0,
        count: 5,
        outcome: Outcome::Written,
    };
    let dropped = Delivery {
        first: 5,
        count: 2,
        outcome: Outcome::Dropped,
    };
    task.delivered(&[written, dropped]).await.unwrap();
    assert_eq!(task.metrics().counter("delivered"), 7);
    task.committed().await.unwrap();
    task.stop().await.unwrap();
    assert_eq!(asked(&[("poll", "offsets:{}")]).await, r#"[Some("{\"at\":1}")]"#);
    assert_eq!(asked(&[("poll", "offsets:broken")]).await, "refused: the store is away");
}

#[tokio::test]
async fn a_sink_task_takes_records_and_leaves_requests() {
    let mut task = sink(&[("put", "requests"), ("open", "assignment")]).await;
    let opened = task.open(&[partition(1), partition(2)]).await.unwrap_err();
    assert_eq!(opened.to_string(), "t-1,t-2");
    let full = batch(3, 10);
    assert!(task.put(&full).await.unwrap().is_empty());
    assert_eq!(task.metrics().counter("bytes"), full.len() as u64);
    let requests = task.drain();
    assert_eq!(requests.flow, [Flow::Pause(partition(1)), Flow::Resume(partition(1))]);
    assert_eq!(
        requests.rewind,
        [PartitionOffset {
            partition: partition(1),
            offset: 7
        }]
    );
    assert_eq!(requests.reports[0].message, "late");
    assert!(requests.commit);
    assert!(task.drain().is_empty());
    let at = |number| PartitionOffset {
        partition: partition(number),
        offset: 9,
    };
    assert_eq!(task.pre_commit(&[at(1)]).await.unwrap(), None);
    assert_eq!(task.pre_commit(&[at(1), at(2)]).await.unwrap(), Some(vec![at(1)]));
    task.close(&[partition(1)]).await.unwrap();
    task.stop().await.unwrap();
}

#[tokio::test]
async fn a_sink_may_fail_records_of_the_batch_only() {
    let mut task = sink(&[("fail-index", "2")]).await;
    assert_eq!(task.put(&batch(3, 1)).await.unwrap()[0].index, 2);
    let error = task.put(&batch(2, 1)).await.unwrap_err();
    assert!(
        error.to_string().contains("failure of record 2, the batch has 2"),
        "{error}"
    );
}

#[tokio::test]
async fn a_transform_answers_in_its_three_ways() {
    let full = batch(3, 10);
    for (command, expected) in [
        ("unchanged", Records::Unchanged),
        ("walk", Records::Unchanged),
        ("keep", Records::Kept(vec![1])),
        ("same", Records::Replaced(full.clone())),
    ] {
        let mut transform = Transform::start(spec("probe.Transform", &[("apply", command)]).await)
            .await
            .unwrap();
        assert_eq!(transform.apply(&full).await.unwrap().records, expected, "{command}");
        transform.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_bitmap_of_the_wrong_size_is_an_error_of_the_guest() {
    let mut transform = Transform::start(spec("probe.Transform", &[("apply", "short")]).await)
        .await
        .unwrap();
    assert!(matches!(transform.apply(&batch(3, 1)).await, Err(CallError::Guest(_))));
    let mut predicate = Predicate::start(spec("probe.Predicate", &[("test", "output:1")]).await)
        .await
        .unwrap();
    // The probe says 00000111.
    assert_eq!(predicate.test(&batch(3, 1)).await.unwrap().matches, [7]);
    assert!(matches!(predicate.test(&batch(2, 1)).await, Err(CallError::Guest(_))));
}

#[tokio::test]
async fn a_converter_answers_with_a_batch() {
    let mut converter = Converter::start(spec("probe.Converter", &[]).await, Column::Value)
        .await
        .unwrap();
    let full = batch(2, 5);
    assert_eq!(converter.serialize(&full).await.unwrap().batch, full);
    assert_eq!(converter.deserialize(&full).await.unwrap().batch, full);
    converter.stop().await.unwrap();
}

#[tokio::test]
async fn a_class_of_another_kind_is_refused_with_what_there_is() {
    let Err(error) = SinkTask::start(spec("probe.Source", &[]).await).await else {
        panic!("a source is no sink")
    };
    let text = error.to_string();
    assert!(
        text.contains("no plugin probe.Source of kind sink") && text.contains("probe.Sink"),
        "{text}"
    );
}

/// The futures of calls may move between threads, so that connectors can be driven by a pool.
#[test]
fn calls_can_be_awaited_on_any_thread() {
    fn is_send<T: Send + 'static>(_: impl FnOnce(&'static mut T)) {}
    fn future<T: Send>(value: T) -> T {
        value
    }
    is_send::<SinkTask>(|task| drop(future(task.put(&[]))));
    is_send::<SourceConnector>(|connector| drop(future(connector.task_configs(1))));
}

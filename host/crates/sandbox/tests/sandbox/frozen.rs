//! A guest that was built against the first version of the contract keeps working (`wit/VERSIONING.md`).

use std::sync::Arc;
use std::time::Duration;

use caisson_api::frame::Frame;
use caisson_model::{PartitionOffset, TopicPartition};
use caisson_sandbox::{InstanceSpec, OffsetAnswer, OffsetReader, Predicate, Records, SinkTask, SourceTask, Transform};

use crate::common::*;

/// A store in which nothing was ever written.
struct Empty;

impl OffsetReader for Empty {
    fn get(&self, partitions: Vec<String>) -> OffsetAnswer<'_> {
        Box::pin(async move { Ok(vec![None; partitions.len()]) })
    }
}

async fn frozen_spec(class: &str, entries: &[(&str, &str)]) -> InstanceSpec {
    let module = sandbox().load("frozen_guest.wasm", frozen()).await.unwrap();
    spec_of(module, class, entries)
}

#[tokio::test]
async fn the_frozen_source_gives_its_three_records() {
    let spec = frozen_spec("frozen.Source", &[("topic", "numbers")]).await;
    let mut task = SourceTask::start(spec, Arc::new(Empty)).await.unwrap();
    let mut values = Vec::new();
    for _ in 0..5 {
        let batch = task.poll(Duration::from_millis(1), 1000).await.unwrap();
        let frame = Frame::parse(&batch).unwrap();
        for record in frame.records() {
            assert_eq!(record.topic, "numbers");
            assert!(record.source.is_some());
            values.push(String::from_utf8(record.value.unwrap().to_vec()).unwrap());
        }
    }
    assert_eq!(values.len(), 3, "{values:?}");
    assert!(values.iter().all(|value| value.parse::<u64>().is_ok()), "{values:?}");
    task.stop().await.unwrap();
}

#[tokio::test]
async fn the_frozen_sink_takes_records_and_commits_them() {
    let mut task = SinkTask::start(frozen_spec("frozen.Sink", &[]).await).await.unwrap();
    let at = PartitionOffset {
        partition: TopicPartition::new("topic", 0),
        offset: 3,
    };
    task.open(std::slice::from_ref(&at.partition)).await.unwrap();
    assert!(task.put(&batch(3, 10)).await.unwrap().is_empty());
    assert_eq!(task.metrics().counter("frozen.records"), 3);
    let answer = task.pre_commit(std::slice::from_ref(&at)).await.unwrap();
    assert!(answer.is_none_or(|offsets| offsets == [at.clone()]));
    task.close(&[at.partition]).await.unwrap();
    task.stop().await.unwrap();
}

#[tokio::test]
async fn the_frozen_transform_and_predicate_answer_as_they_did() {
    let mut transform = Transform::start(frozen_spec("frozen.Transform", &[]).await)
        .await
        .unwrap();
    assert_eq!(
        transform.apply(&batch(3, 10)).await.unwrap().records,
        Records::Unchanged
    );
    assert_eq!(
        transform.apply(&batch(3, 0)).await.unwrap().records,
        Records::Kept(vec![0])
    );
    let mut predicate = Predicate::start(frozen_spec("frozen.Predicate", &[]).await)
        .await
        .unwrap();
    assert_eq!(predicate.test(&batch(3, 10)).await.unwrap().matches, [0]);
    assert_eq!(predicate.test(&batch(3, 0)).await.unwrap().matches, [0b111]);
}

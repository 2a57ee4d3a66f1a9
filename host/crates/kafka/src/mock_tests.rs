//! What brokers do rarely, tried on pretended ones.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use caisson_model::{PartitionOffset, TopicPartition};

use crate::ffi::mock::{HEARTBEAT, MockCluster, OFFSET_COMMIT, OFFSET_FETCH, PRODUCE};
use crate::{
    AckGroup, AckListener, ClientSettings, ConsumerEvent, ConsumerEvents, ConsumerOptions, DeliveryError, ErrorCode,
    Layer, OutRecord, Properties, SinkConsumer, SourceProducer, Subscription,
};

const LONG: Duration = Duration::from_secs(30);

fn cluster() -> MockCluster {
    let layer = Properties::from([("test.mock.num.brokers".to_owned(), "2".to_owned())]);
    let settings = ClientSettings::producer(&[Layer::Client(&layer)]).unwrap();
    MockCluster::of(settings.client().unwrap())
}

fn layer(cluster: &MockCluster, more: &[(&str, &str)]) -> Properties {
    let bootstrap = [("bootstrap.servers".to_owned(), cluster.bootstrap())];
    let more = more
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    bootstrap.into_iter().chain(more).collect()
}

#[derive(Default)]
struct Acks {
    done: AtomicUsize,
    failed: Mutex<Vec<DeliveryError>>,
}

impl AckListener for Acks {
    fn failed(&self, _tag: u64, error: &DeliveryError) {
        self.failed.lock().unwrap().push(error.clone());
    }

    fn done(&self, _tag: u64, _failed: usize) {
        self.done.fetch_add(1, Ordering::SeqCst);
    }
}

/// Sends records with the offsets' numbers as values, and what failed of them.
fn send(cluster: &MockCluster, topic: &str, count: u8) -> Vec<DeliveryError> {
    let settings = ClientSettings::producer(&[Layer::Client(&layer(cluster, &[("retry.backoff.ms", "10")]))]).unwrap();
    let producer = SourceProducer::start(&settings).unwrap();
    let handle = producer.topic(topic).unwrap();
    let acks = Arc::new(Acks::default());
    let group = AckGroup::open(acks.clone(), 0);
    let values: Vec<[u8; 1]> = (0..count).map(|number| [number]).collect();
    let records = values.iter().map(|value| OutRecord {
        partition: Some(0),
        timestamp: None,
        key: None,
        value: Some(value),
        headers: &[],
        ack: &group,
    });
    assert_eq!(producer.send_batch(&handle, records), usize::from(count));
    drop(group);
    let until = Instant::now() + LONG;
    while acks.done.load(Ordering::SeqCst) == 0 {
        assert!(Instant::now() < until, "not acknowledged");
        std::thread::sleep(Duration::from_millis(1));
    }
    std::mem::take(&mut *acks.failed.lock().unwrap())
}

fn consume(cluster: &MockCluster, topic: &str, more: &[(&str, &str)]) -> (SinkConsumer, ConsumerEvents) {
    let mut layer = layer(cluster, more);
    layer.insert("group.id".to_owned(), "group".to_owned());
    let settings = ClientSettings::consumer(&[Layer::Client(&layer)]).unwrap();
    let topics = Subscription::Topics(vec![topic.to_owned()]);
    SinkConsumer::start("mock", &settings, &topics, ConsumerOptions::default()).unwrap()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        tokio::time::timeout(LONG, future)
            .await
            .expect("within the time of a test")
    })
}

async fn next(events: &mut ConsumerEvents) -> ConsumerEvent {
    loop {
        match events.recv().await.expect("the consumer is open") {
            ConsumerEvent::Error(error) if !error.fatal => println!("consumer says: {error}"),
            event => return event,
        }
    }
}

/// Takes records until there are so many of them.
async fn take(events: &mut ConsumerEvents, count: usize) -> Vec<u8> {
    let mut seen = Vec::new();
    while seen.len() < count {
        match next(events).await {
            ConsumerEvent::Records(batch) => seen.extend(batch.messages().map(|message| message.value().unwrap()[0])),
            ConsumerEvent::Assigned(_) => {}
            event => panic!("unexpected {event:?}"),
        }
    }
    seen
}

#[test]
fn records_pass_and_a_refusal_that_may_end_is_tried_again() {
    let cluster = cluster();
    cluster.create("topic", 1);
    // Not leader, coordinator not available, not enough replicas.
    cluster.fail(PRODUCE, &[6, 19]);
    assert_eq!(send(&cluster, "topic", 100), []);
    let (consumer, mut events) = consume(&cluster, "topic", &[]);
    assert_eq!(block_on(take(&mut events, 100)), (0..100).collect::<Vec<_>>());
    assert!(consumer.close(LONG));
}

#[test]
fn a_refusal_for_good_fails_the_records_by_its_name() {
    let cluster = cluster();
    cluster.create("topic", 1);
    cluster.fail(PRODUCE, &[29]);
    let failed = send(&cluster, "topic", 3);
    assert_eq!(failed.len(), 3);
    assert_eq!(
        (failed[0].error.code, failed[0].partition),
        (ErrorCode::TOPIC_AUTHORIZATION_FAILED, Some(0))
    );
    let shown = failed[0].to_string();
    assert!(
        shown.contains("topic") && shown.contains("TOPIC_AUTHORIZATION_FAILED"),
        "{shown}"
    );
}

#[test]
fn a_code_that_nobody_knows_is_only_a_number() {
    let cluster = cluster();
    cluster.create("topic", 1);
    cluster.fail(PRODUCE, &[3210]);
    let failed = send(&cluster, "topic", 1);
    assert_eq!(failed[0].error.code, ErrorCode(3210));
    assert!(failed[0].to_string().contains("3210"), "{}", failed[0]);
}

#[test]
fn a_commit_that_is_refused_says_so() {
    let cluster = cluster();
    cluster.create("topic", 1);
    send(&cluster, "topic", 10);
    let (consumer, mut events) = consume(&cluster, "topic", &[]);
    let at = [PartitionOffset {
        partition: TopicPartition::new("topic", 0),
        offset: 5,
    }];
    block_on(async {
        take(&mut events, 10).await;
        cluster.fail(OFFSET_COMMIT, &[30]);
        consumer.commit(&at, 9);
        let event = next(&mut events).await;
        let ConsumerEvent::Committed {
            sequence: 9,
            result: Err(error),
        } = event
        else {
            panic!("{event:?}")
        };
        assert_eq!(error.code, ErrorCode::GROUP_AUTHORIZATION_FAILED);
    });
    cluster.fail(OFFSET_COMMIT, &[30]);
    assert_eq!(
        consumer.commit_sync(&at, LONG).unwrap_err().code,
        ErrorCode::GROUP_AUTHORIZATION_FAILED
    );
    consumer.commit_sync(&at, LONG).unwrap();
    assert!(consumer.close(LONG));
}

#[test]
fn a_member_that_the_group_forgot_loses_its_partitions_and_comes_back() {
    let cluster = cluster();
    cluster.create("topic", 1);
    send(&cluster, "topic", 10);
    let settings = [("heartbeat.interval.ms", "200"), ("session.timeout.ms", "6000")];
    let (consumer, mut events) = consume(&cluster, "topic", &settings);
    block_on(async {
        take(&mut events, 10).await;
        cluster.fail(HEARTBEAT, &[25]);
        let event = next(&mut events).await;
        let ConsumerEvent::Revoked {
            lost: true,
            partitions,
            done,
        } = event
        else {
            panic!("{event:?}")
        };
        assert_eq!(partitions, [TopicPartition::new("topic", 0)]);
        done.complete();
        let event = next(&mut events).await;
        let ConsumerEvent::Assigned(positions) = event else {
            panic!("{event:?}")
        };
        assert_eq!(positions.len(), 1);
        take(&mut events, 10).await;
    });
    assert!(consumer.close(LONG));
}

#[test]
fn a_coordinator_that_is_not_ready_is_asked_again_for_positions() {
    let cluster = cluster();
    cluster.create("topic", 1);
    send(&cluster, "topic", 10);
    cluster.fail(OFFSET_FETCH, &[14, 14, 29, 14]);
    let (consumer, mut events) = consume(&cluster, "topic", &[]);
    assert_eq!(block_on(take(&mut events, 10)), (0..10).collect::<Vec<_>>());
    assert!(consumer.close(LONG));
}

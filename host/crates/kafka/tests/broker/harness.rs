//! What the tests share.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use caisson_kafka::{
    AckGroup, AckListener, Admin, ClientSettings, ConsumerEvent, ConsumerEvents, ConsumerOptions, DeliveryError, Layer,
    NewTopic, OutRecord, Properties, SinkConsumer, SourceProducer, Subscription,
};

pub const LONG: Duration = Duration::from_secs(60);

/// The broker's address, or a line that says why the test does nothing.
pub fn bootstrap(test: &str) -> Option<String> {
    let address = std::env::var("CAISSON_TEST_BOOTSTRAP").ok();
    if address.is_none() {
        println!("{test}: skipped, CAISSON_TEST_BOOTSTRAP is not set");
    }
    address
}

/// A name that no other test and no earlier run has used.
pub fn fresh(name: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_millis();
    format!("{name}-{now}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

pub fn properties(pairs: &[(&str, &str)]) -> Properties {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

pub fn producer(bootstrap: &str, extra: &[(&str, &str)]) -> SourceProducer {
    let base = properties(&[("bootstrap.servers", bootstrap), ("client.id", "test-producer")]);
    let settings = ClientSettings::producer(&[Layer::Client(&base), Layer::Client(&properties(extra))]).unwrap();
    SourceProducer::start(&settings).unwrap()
}

pub fn consumer(
    bootstrap: &str,
    group: &str,
    topics: &[&str],
    extra: &[(&str, &str)],
) -> (SinkConsumer, ConsumerEvents) {
    let topics = Subscription::Topics(topics.iter().map(|topic| (*topic).to_owned()).collect());
    subscribe(bootstrap, group, &topics, extra)
}

pub fn subscribe(
    bootstrap: &str,
    group: &str,
    subscription: &Subscription,
    extra: &[(&str, &str)],
) -> (SinkConsumer, ConsumerEvents) {
    let base = properties(&[
        ("bootstrap.servers", bootstrap),
        ("client.id", "test-consumer"),
        ("group.id", group),
    ]);
    let settings = ClientSettings::consumer(&[Layer::Client(&base), Layer::Client(&properties(extra))]).unwrap();
    SinkConsumer::start("test-consumer", &settings, subscription, ConsumerOptions::default()).unwrap()
}

/// Counts acknowledgements.
#[derive(Default)]
pub struct Acks {
    pub done: AtomicUsize,
    pub failed: Mutex<Vec<DeliveryError>>,
}

impl AckListener for Acks {
    fn failed(&self, _tag: u64, error: &DeliveryError) {
        self.failed.lock().unwrap().push(error.clone());
    }

    fn done(&self, _tag: u64, _failed: usize) {
        self.done.fetch_add(1, Ordering::SeqCst);
    }
}

/// Sends numbered values `from..to` to a partition, in batches, and waits until all are acknowledged.
pub fn send_numbers(producer: &SourceProducer, topic: &str, partition: Option<i32>, numbers: std::ops::Range<u64>) {
    let acks = Arc::new(Acks::default());
    let topic = producer.topic(topic).unwrap();
    let mut groups = 0;
    let mut next = numbers.start;
    while next < numbers.end {
        let end = (next + 1000).min(numbers.end);
        let group = AckGroup::open(acks.clone(), next);
        groups += 1;
        let values: Vec<[u8; 8]> = (next..end).map(u64::to_be_bytes).collect();
        let mut sent = 0;
        while sent < values.len() {
            let records = values[sent..].iter().map(|value| OutRecord {
                partition,
                timestamp: None,
                key: None,
                value: Some(value),
                headers: &[],
                ack: &group,
            });
            sent += producer.send_batch(&topic, records);
            if sent < values.len() {
                producer.wait_for_room(Duration::from_millis(100));
            }
        }
        next = end;
    }
    await_that("all records are acknowledged", || {
        acks.done.load(Ordering::SeqCst) == groups
    });
    assert!(
        acks.failed.lock().unwrap().is_empty(),
        "{:?}",
        acks.failed.lock().unwrap()
    );
}

/// Waits for a condition.
#[track_caller]
pub fn await_that(what: &str, mut condition: impl FnMut() -> bool) {
    let until = Instant::now() + LONG;
    while !condition() {
        assert!(Instant::now() < until, "not within {LONG:?}: {what}");
        std::thread::yield_now();
        std::thread::sleep(Duration::from_millis(1));
    }
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
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

/// The next event but errors that are only informative.
pub async fn next(events: &mut ConsumerEvents) -> ConsumerEvent {
    loop {
        match events.recv().await.expect("the consumer is open") {
            ConsumerEvent::Error(error) if !error.fatal => println!("consumer says: {error}"),
            event => return event,
        }
    }
}

pub fn number(value: Option<&[u8]>) -> u64 {
    u64::from_be_bytes(value.unwrap().try_into().unwrap())
}

/// What was seen of each partition: the numbers in their order.
#[derive(Default)]
pub struct Seen(pub BTreeMap<i32, Vec<u64>>);

impl Seen {
    pub fn take(&mut self, batch: &caisson_kafka::Batch) {
        for run in batch.runs() {
            let seen = self.0.entry(run.topic_partition().partition).or_default();
            seen.extend(run.messages().map(|message| number(message.value())));
        }
    }

    pub fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }
}

pub fn admin(bootstrap: &str) -> Admin {
    let base = properties(&[("bootstrap.servers", bootstrap), ("client.id", "test-admin")]);
    Admin::start(&ClientSettings::admin(&[Layer::Client(&base)]).unwrap()).unwrap()
}

pub fn create(bootstrap: &str, topic: &str, partitions: i32) {
    let created = admin(bootstrap)
        .create_topics(&[NewTopic::new(topic, partitions, 1)], LONG)
        .unwrap();
    created[0].1.as_ref().unwrap();
}

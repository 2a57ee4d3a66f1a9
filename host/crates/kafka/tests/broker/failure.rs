//! Brokers that are not there, or go away.

use std::time::{Duration, Instant};

use caisson_kafka::{ConsumerEvent, ProducerPool};

use crate::harness::*;

/// Nobody listens there.
const NOWHERE: &str = "127.0.0.1:1";

#[test]
fn an_unreachable_broker_is_reported_and_does_not_hold_up_the_end() {
    let (consumer, mut events) = consumer(NOWHERE, "group", &["topic"], &[]);
    let error = block_on(async {
        loop {
            if let Some(ConsumerEvent::Error(error)) = events.recv().await {
                break error;
            }
        }
    });
    assert!(
        error.error.code.is_unreachable() && !error.fatal && error.to_string().contains(NOWHERE),
        "{error}"
    );
    let started = Instant::now();
    consumer.close(Duration::from_secs(5));
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
}

#[test]
fn an_unreachable_broker_does_not_hold_up_a_producer_that_is_dropped() {
    let acks = std::sync::Arc::new(Acks::default());
    let producer = producer(NOWHERE, &[]);
    let handle = producer.topic("topic").unwrap();
    let group = caisson_kafka::AckGroup::open(acks.clone(), 0);
    let record = caisson_kafka::OutRecord {
        partition: None,
        timestamp: None,
        key: None,
        value: Some(b"x"),
        headers: &[],
        ack: &group,
    };
    assert_eq!(producer.send_batch(&handle, [record, record]), 2);
    drop(group);
    assert!(!producer.flush(Duration::from_millis(50)));
    let started = Instant::now();
    drop((handle, producer));
    assert!(started.elapsed() < Duration::from_secs(30));
    await_that("the records have failed", || {
        acks.done.load(std::sync::atomic::Ordering::SeqCst) == 1
    });
    assert_eq!(acks.failed.lock().unwrap().len(), 2);
}

#[test]
fn producers_are_shared_by_settings() {
    let base = properties(&[("bootstrap.servers", NOWHERE)]);
    let settings = |extra: &[(&str, &str)]| {
        let extra = properties(extra);
        caisson_kafka::ClientSettings::producer(&[
            caisson_kafka::Layer::Client(&base),
            caisson_kafka::Layer::Client(&extra),
        ])
        .unwrap()
    };
    let pool = ProducerPool::new();
    let one = pool.get(&settings(&[("client.id", "a")])).unwrap();
    let same = pool.get(&settings(&[("client.id", "b")])).unwrap();
    let other = pool.get(&settings(&[("linger.ms", "7")])).unwrap();
    assert!(std::sync::Arc::ptr_eq(&one, &same) && !std::sync::Arc::ptr_eq(&one, &other));
}

//! A task that is slower than Kafka.

use std::time::{Duration, Instant};

use caisson_kafka::ConsumerEvent;
use caisson_model::TopicPartition;

use crate::harness::*;

fn resident_megabytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() / 1024
}

#[test]
fn a_task_that_does_not_take_records_keeps_its_partitions_and_bounds_its_memory() {
    let Some(bootstrap) = bootstrap("a_task_that_does_not_take_records_keeps_its_partitions_and_bounds_its_memory")
    else {
        return;
    };
    let topic = fresh("pressure");
    let producer = producer(&bootstrap, &[]);
    send_large(&producer, &topic, 200_000);
    let before = resident_megabytes();
    // Polls that come later than this would cost the consumer its partitions.
    let settings = [("max.poll.interval.ms", "6000"), ("session.timeout.ms", "6000")];
    let (consumer, mut events) = consumer(&bootstrap, &fresh("group"), &[&topic], &settings);
    let first = block_on(next(&mut events));
    assert!(matches!(first, ConsumerEvent::Assigned(_)));
    let until = Instant::now() + Duration::from_secs(8);
    let mut peak = 0;
    while Instant::now() < until {
        peak = peak.max(resident_megabytes().saturating_sub(before));
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut seen = 0;
    block_on(async {
        while seen < 200_000 {
            match next(&mut events).await {
                ConsumerEvent::Records(batch) => seen += batch.len(),
                event => panic!("unexpected {event:?}"),
            }
        }
    });
    assert!(peak < 60, "{peak} MB for a task that takes nothing");
    assert!(consumer.close(LONG));
}

/// A kilobyte each.
fn send_large(producer: &caisson_kafka::SourceProducer, topic: &str, records: usize) {
    let acks = std::sync::Arc::new(Acks::default());
    let handle = producer.topic(topic).unwrap();
    let group = caisson_kafka::AckGroup::open(acks.clone(), 0);
    let value = [7; 1000];
    let mut sent = 0;
    while sent < records {
        let record = caisson_kafka::OutRecord {
            partition: Some(0),
            timestamp: None,
            key: None,
            value: Some(&value),
            headers: &[],
            ack: &group,
        };
        sent += producer.send_batch(&handle, std::iter::repeat_n(record, records - sent));
        producer.wait_for_room(Duration::from_millis(50));
    }
    drop(group);
    await_that("all are acknowledged", || {
        acks.done.load(std::sync::atomic::Ordering::SeqCst) == 1
    });
}

#[test]
fn paused_partitions_hand_out_nothing_and_go_on_where_they_were() {
    let Some(bootstrap) = bootstrap("paused_partitions_hand_out_nothing_and_go_on_where_they_were") else {
        return;
    };
    let topic = fresh("pause");
    let producer = producer(&bootstrap, &[]);
    send_numbers(&producer, &topic, Some(0), 0..20_000);
    let (consumer, mut events) = consumer(&bootstrap, &fresh("group"), &[&topic], &[("max.poll.records", "100")]);
    let partition = vec![TopicPartition::new(topic.as_str(), 0)];
    let mut seen = Seen::default();
    for round in 0..10 {
        block_on(async {
            let wanted = seen.len() + 700;
            while seen.len() < wanted {
                if let ConsumerEvent::Records(batch) = next(&mut events).await {
                    seen.take(&batch);
                }
            }
            if round % 2 == 0 {
                consumer.pause(partition.clone()).unwrap()
            } else {
                consumer.pause_all().unwrap()
            }
            let silence = tokio::time::timeout(Duration::from_millis(150), next(&mut events)).await;
            assert!(silence.is_err(), "{silence:?}");
        });
        if round % 2 == 0 {
            consumer.resume(partition.clone()).unwrap()
        } else {
            consumer.resume_all().unwrap()
        }
    }
    block_on(async {
        while seen.len() < 20_000 {
            if let ConsumerEvent::Records(batch) = next(&mut events).await {
                seen.take(&batch);
            }
        }
    });
    assert_eq!(seen.0[&0], (0..20_000).collect::<Vec<_>>());
    assert!(consumer.close(LONG));
}

#[test]
fn what_is_held_for_a_paused_partition_does_not_starve_the_others() {
    let Some(bootstrap) = bootstrap("what_is_held_for_a_paused_partition_does_not_starve_the_others") else {
        return;
    };
    let topic = fresh("starve");
    create(&bootstrap, &topic, 2);
    let producer = producer(&bootstrap, &[]);
    send_numbers(&producer, &topic, Some(0), 0..20_000);
    // All that may be held fits into what one answer brings of the first partition.
    let settings = [("max.poll.records", "100"), ("queued.max.messages.kbytes", "64")];
    let (consumer, mut events) = consumer(&bootstrap, &fresh("group"), &[&topic], &settings);
    let mut seen = Seen::default();
    block_on(async {
        while seen.len() == 0 {
            if let ConsumerEvent::Records(batch) = next(&mut events).await {
                seen.take(&batch);
            }
        }
        let first = TopicPartition::new(topic.as_str(), 0);
        consumer.pause(vec![first.clone()]).unwrap();
        send_numbers(&producer, &topic, Some(1), 0..5_000);
        while seen.0.get(&1).is_none_or(|numbers| numbers.len() < 5_000) {
            if let ConsumerEvent::Records(batch) = next(&mut events).await {
                seen.take(&batch);
            }
        }
        consumer.resume(vec![first]).unwrap();
        while seen.len() < 25_000 {
            if let ConsumerEvent::Records(batch) = next(&mut events).await {
                seen.take(&batch);
            }
        }
    });
    assert_eq!(seen.0[&0], (0..20_000).collect::<Vec<_>>());
    assert_eq!(seen.0[&1], (0..5_000).collect::<Vec<_>>());
    assert!(consumer.close(LONG));
}

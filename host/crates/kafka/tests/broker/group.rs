//! Groups, subscriptions, topics that are not there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use caisson_kafka::{ConsumerEvent, ConsumerEvents, ErrorCode, SinkConsumer, Subscription};
use caisson_model::{PartitionOffset, TopicPartition};

use crate::harness::*;

/// A task as a sink would be: it knows what it owns, counts records, and commits before it lets go.
struct Member {
    consumer: SinkConsumer,
    events: ConsumerEvents,
    owned: BTreeMap<TopicPartition, i64>,
}

impl Member {
    fn join(bootstrap: &str, group: &str, topic: &str, strategy: &str) -> Member {
        let settings = [("partition.assignment.strategy", strategy), ("max.poll.records", "50")];
        let (consumer, events) = consumer(bootstrap, group, &[topic], &settings);
        Member {
            consumer,
            events,
            owned: BTreeMap::new(),
        }
    }

    /// Handles events for a while; what it saw goes to `seen`.
    fn run(&mut self, seen: &Mutex<Vec<(TopicPartition, i64)>>, time: Duration) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let _ = runtime.block_on(async {
            let run = async {
                loop {
                    let event = next(&mut self.events).await;
                    self.handle(event, seen);
                }
            };
            tokio::time::timeout(time, run).await
        });
    }

    fn handle(&mut self, event: ConsumerEvent, seen: &Mutex<Vec<(TopicPartition, i64)>>) {
        match event {
            ConsumerEvent::Assigned(positions) => {
                for position in positions {
                    assert!(!self.owned.contains_key(&position.partition), "given twice");
                    self.owned.insert(position.partition, position.offset);
                }
            }
            ConsumerEvent::Revoked { partitions, lost, done } => {
                let offsets: Vec<_> = partitions
                    .iter()
                    .map(|partition| (partition, self.owned.remove(partition).expect("owned")))
                    .map(|(partition, offset)| PartitionOffset {
                        partition: partition.clone(),
                        offset,
                    })
                    .collect();
                assert!(!lost);
                self.consumer.commit_sync(&offsets, LONG).unwrap();
                done.complete();
            }
            ConsumerEvent::Records(batch) => {
                let mut seen = seen.lock().unwrap();
                for message in batch.messages() {
                    let position = self
                        .owned
                        .get_mut(message.topic_partition())
                        .expect("a record of what is owned");
                    assert_eq!(*position, message.offset(), "in order and without gaps");
                    *position += 1;
                    seen.push((message.topic_partition().clone(), message.offset()));
                }
            }
            event @ (ConsumerEvent::Committed { .. } | ConsumerEvent::Error(_)) => panic!("unexpected {event:?}"),
        }
    }
}

fn members_come_and_go_without_loss(bootstrap: &str, strategy: &str) {
    let (topic, group) = (fresh("rebalance"), fresh("group"));
    create(bootstrap, &topic, 6);
    let producer = producer(bootstrap, &[]);
    for partition in 0..6 {
        send_numbers(&producer, &topic, Some(partition), 0..3000);
    }
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut first = Member::join(bootstrap, &group, &topic, strategy);
    first.run(&seen, Duration::from_millis(1500));
    std::thread::scope(|scope| {
        let mut second = Member::join(bootstrap, &group, &topic, strategy);
        let seen = &seen;
        scope.spawn(move || {
            second.run(seen, Duration::from_secs(8));
            assert_eq!(second.owned.len(), 3, "a fair share");
            let offsets: Vec<_> = second
                .owned
                .iter()
                .map(|(partition, offset)| PartitionOffset {
                    partition: partition.clone(),
                    offset: *offset,
                })
                .collect();
            second.consumer.commit_sync(&offsets, LONG).unwrap();
            assert!(second.consumer.close(LONG));
        });
        for partition in 0..6 {
            send_numbers(&producer, &topic, Some(partition), 3000..6000);
            first.run(seen, Duration::from_millis(200));
        }
        first.run(seen, Duration::from_secs(8));
    });
    for partition in 0..6 {
        send_numbers(&producer, &topic, Some(partition), 6000..7000);
    }
    await_that("all records are seen", || {
        first.run(&seen, Duration::from_millis(200));
        seen.lock().unwrap().len() >= 42_000
    });
    assert_eq!(first.owned.len(), 6, "alone again");
    let seen = seen.lock().unwrap();
    let distinct: BTreeSet<_> = seen.iter().collect();
    assert_eq!(
        (distinct.len(), seen.len()),
        (42_000, 42_000),
        "nothing lost, nothing twice"
    );
    assert!(first.consumer.close(LONG));
}

#[test]
fn members_come_and_go_without_loss_eagerly() {
    let Some(bootstrap) = bootstrap("members_come_and_go_without_loss_eagerly") else {
        return;
    };
    members_come_and_go_without_loss(&bootstrap, "org.apache.kafka.clients.consumer.RangeAssignor");
}

#[test]
fn members_come_and_go_without_loss_cooperatively() {
    let Some(bootstrap) = bootstrap("members_come_and_go_without_loss_cooperatively") else {
        return;
    };
    members_come_and_go_without_loss(
        &bootstrap,
        "org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
    );
}

#[test]
fn a_pattern_finds_topics_that_are_there_and_those_that_come() {
    let Some(bootstrap) = bootstrap("a_pattern_finds_topics_that_are_there_and_those_that_come") else {
        return;
    };
    let stem = fresh("pattern");
    for name in [format!("{stem}-7"), format!("{stem}-7x"), format!("x{stem}-7")] {
        create(&bootstrap, &name, 1);
    }
    let pattern = Subscription::Pattern(format!(r"{stem}-\d+"));
    let (consumer, mut events) = subscribe(
        &bootstrap,
        &fresh("group"),
        &pattern,
        &[("metadata.max.age.ms", "1000")],
    );
    let owned = |expected: &[String], events: &mut ConsumerEvents| {
        block_on(async {
            let mut owned = Vec::new();
            while owned != expected {
                match next(events).await {
                    ConsumerEvent::Assigned(positions) => {
                        owned = positions
                            .iter()
                            .map(|position| position.partition.topic.to_string())
                            .collect();
                        owned.sort();
                    }
                    ConsumerEvent::Revoked { done, .. } => done.complete(),
                    event => panic!("unexpected {event:?}"),
                }
            }
        });
    };
    owned(&[format!("{stem}-7")], &mut events);
    create(&bootstrap, &format!("{stem}-8"), 1);
    owned(&[format!("{stem}-7"), format!("{stem}-8")], &mut events);
    assert!(consumer.close(LONG));
}

#[test]
fn a_missing_topic_is_named() {
    let Some(bootstrap) = bootstrap("a_missing_topic_is_named") else {
        return;
    };
    let topic = fresh("missing");
    let (consumer, mut events) = consumer(
        &bootstrap,
        &fresh("group"),
        &[&topic],
        &[("allow.auto.create.topics", "false")],
    );
    let error = block_on(async {
        loop {
            match events.recv().await.unwrap() {
                ConsumerEvent::Error(error) => break error,
                ConsumerEvent::Assigned(positions) => assert!(positions.is_empty()),
                event => panic!("unexpected {event:?}"),
            }
        }
    });
    assert_eq!(error.error.code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    assert!(!error.fatal && error.to_string().contains(&topic), "{error}");
    assert!(consumer.close(LONG));
}

#[test]
fn a_static_member_that_comes_back_disturbs_nobody() {
    let Some(bootstrap) = bootstrap("a_static_member_that_comes_back_disturbs_nobody") else {
        return;
    };
    let (topic, group) = (fresh("static"), fresh("group"));
    create(&bootstrap, &topic, 4);
    let join = |name: &str| consumer(&bootstrap, &group, &[&topic], &[("group.instance.id", name)]);
    let assigned = |events: &mut ConsumerEvents, count: usize| {
        block_on(async {
            loop {
                match next(events).await {
                    ConsumerEvent::Assigned(positions) if positions.len() == count => {
                        let partitions = positions.into_iter().map(|position| position.partition);
                        return partitions.collect::<BTreeSet<_>>();
                    }
                    ConsumerEvent::Assigned(_) => {}
                    ConsumerEvent::Revoked { done, .. } => done.complete(),
                    event => panic!("unexpected {event:?}"),
                }
            }
        })
    };
    let (first, mut first_events) = join("first");
    assigned(&mut first_events, 4);
    let (second, mut second_events) = join("second");
    let before = std::thread::scope(|scope| {
        let second = scope.spawn(|| assigned(&mut second_events, 2));
        assigned(&mut first_events, 2);
        second.join().unwrap()
    });
    assert!(second.close(LONG), "nothing has to be told");
    let (again, mut again_events) = join("second");
    assert_eq!(assigned(&mut again_events, 2), before);
    // Whoever stayed has heard of none of it: a commit of its generation is taken.
    let kept = first
        .assignment()
        .into_iter()
        .map(|partition| PartitionOffset { partition, offset: 0 });
    first.commit_sync(&kept.collect::<Vec<_>>(), LONG).unwrap();
    assert!(first_events.try_recv().is_none());
    assert!(again.close(LONG) && first.close(LONG));
}

//! The admin client, and transactions.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use caisson_kafka::{
    AckGroup, Admin, ClientSettings, ConsumerEvent, Creation, ErrorCode, Layer, NewTopic, OffsetAt, OutRecord,
    TransactionalProducer,
};
use caisson_model::{PartitionOffset, TopicPartition};

use crate::harness::*;

#[test]
fn topics_are_created_described_and_deleted() {
    let Some(bootstrap) = bootstrap("topics_are_created_described_and_deleted") else {
        return;
    };
    let admin = admin(&bootstrap);
    let (topic, missing) = (fresh("admin"), fresh("missing"));
    assert!(admin.cluster_id(LONG).is_some_and(|id| !id.is_empty()));
    let new = NewTopic::new(topic.as_str(), 3, 1).with("cleanup.policy", "compact");
    let bad = NewTopic::new("not a name", 1, 1);
    let created = admin.create_topics(&[new.clone(), bad], LONG).unwrap();
    assert_eq!(created[0], (topic.clone(), Ok(Creation::Created)));
    let error = created[1].1.as_ref().unwrap_err();
    assert_eq!(error.code, ErrorCode(17), "{error}");
    assert_eq!(admin.create_topics(&[new], LONG).unwrap()[0].1, Ok(Creation::Existed));
    await_that("the topic is known everywhere", || {
        let described = admin.describe_topics(&[&topic, &missing], LONG).unwrap();
        let of = |name: &str| described.iter().find(|(known, _)| known == name).unwrap().1.clone();
        assert_eq!(of(&missing).unwrap_err().code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
        of(&topic) == Ok(3)
    });
    assert!(admin.list_topics(LONG).unwrap().contains(&(topic.clone(), 3)));
    assert_eq!(
        admin.topic_config(&topic, LONG).unwrap()["cleanup.policy"].as_deref(),
        Some("compact")
    );
    admin.delete_topics(&[&topic], LONG).unwrap()[0].1.as_ref().unwrap();
    await_that("the topic is gone", || {
        admin.describe_topics(&[&topic], LONG).unwrap()[0].1.is_err()
    });
}

#[test]
fn offsets_of_groups_are_listed_altered_and_deleted() {
    let Some(bootstrap) = bootstrap("offsets_of_groups_are_listed_altered_and_deleted") else {
        return;
    };
    let admin = admin(&bootstrap);
    let (topic, group) = (fresh("offsets"), fresh("group"));
    admin
        .create_topics(&[NewTopic::new(topic.as_str(), 2, 1)], LONG)
        .unwrap()[0]
        .1
        .as_ref()
        .unwrap();
    send_numbers(&producer(&bootstrap, &[]), &topic, Some(1), 0..50);
    let partitions = [
        TopicPartition::new(topic.as_str(), 0),
        TopicPartition::new(topic.as_str(), 1),
    ];
    let at = |partition: usize, offset| PartitionOffset {
        partition: partitions[partition].clone(),
        offset,
    };
    assert_eq!(
        admin.list_offsets(&partitions, OffsetAt::End, LONG).unwrap(),
        [at(0, 0), at(1, 50)]
    );
    assert_eq!(
        admin.list_offsets(&partitions, OffsetAt::Beginning, LONG).unwrap(),
        [at(0, 0), at(1, 0)]
    );
    assert_eq!(
        admin.list_offsets(&partitions[1..], OffsetAt::Time(1), LONG).unwrap(),
        [at(1, 0)]
    );
    assert_eq!(admin.group_offsets(&group, None, LONG).unwrap(), []);
    admin.alter_group_offsets(&group, &[at(0, 0), at(1, 20)], LONG).unwrap();
    assert_eq!(admin.group_offsets(&group, None, LONG).unwrap(), [at(0, 0), at(1, 20)]);
    assert_eq!(
        admin.group_offsets(&group, Some(&partitions[1..]), LONG).unwrap(),
        [at(1, 20)]
    );
    let described = admin.describe_groups(&[&group], LONG).unwrap();
    let state = described[0].1.as_ref().unwrap();
    assert_eq!((state.state.as_str(), state.members), ("Empty", 0));
    admin.delete_group_offsets(&group, &partitions[..1], LONG).unwrap();
    assert_eq!(admin.group_offsets(&group, None, LONG).unwrap(), [at(1, 20)]);
    admin.delete_groups(&[&group], LONG).unwrap()[0].1.as_ref().unwrap();
    let again = admin.delete_groups(&[&group], LONG).unwrap();
    assert_eq!(again[0].1.as_ref().unwrap_err().code, ErrorCode(69), "not found");
}

#[test]
fn a_group_with_members_keeps_its_offsets() {
    let Some(bootstrap) = bootstrap("a_group_with_members_keeps_its_offsets") else {
        return;
    };
    let (topic, group) = (fresh("members"), fresh("group"));
    send_numbers(&producer(&bootstrap, &[]), &topic, Some(0), 0..10);
    let (consumer, mut events) = consumer(&bootstrap, &group, &[&topic], &[]);
    block_on(async { while !matches!(next(&mut events).await, ConsumerEvent::Records(_)) {} });
    let offset = PartitionOffset {
        partition: TopicPartition::new(topic.as_str(), 0),
        offset: 3,
    };
    let error = admin(&bootstrap)
        .alter_group_offsets(&group, &[offset], LONG)
        .unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode(25)), "{error}");
    assert!(consumer.close(LONG));
}

#[test]
fn an_unreachable_cluster_is_an_error_in_time() {
    let admin = admin("127.0.0.1:1");
    assert_eq!(admin.cluster_id(Duration::from_millis(100)), None);
    let error = admin.describe_topics(&["x"], Duration::from_millis(500)).unwrap_err();
    assert!(error.code().is_some_and(|code| code.is_unreachable()), "{error}");
}

fn admin(bootstrap: &str) -> Admin {
    let base = properties(&[("bootstrap.servers", bootstrap), ("client.id", "test-admin")]);
    Admin::start(&ClientSettings::admin(&[Layer::Client(&base)]).unwrap()).unwrap()
}

#[test]
fn only_committed_transactions_are_read() {
    let Some(bootstrap) = bootstrap("only_committed_transactions_are_read") else {
        return;
    };
    let topic = fresh("transactions");
    admin(&bootstrap)
        .create_topics(&[NewTopic::new(topic.as_str(), 1, 1)], LONG)
        .unwrap()[0]
        .1
        .as_ref()
        .unwrap();
    let base = properties(&[("bootstrap.servers", &bootstrap), ("transactional.id", &fresh("id"))]);
    let start = || {
        let producer =
            TransactionalProducer::start(&ClientSettings::producer(&[Layer::Client(&base)]).unwrap()).unwrap();
        producer.init(LONG).unwrap();
        producer
    };
    let producer = start();
    for (numbers, commit) in [(0_u64..10, true), (10..20, false), (20..30, true)] {
        producer.begin().unwrap();
        send_in_transaction(&producer, &topic, numbers);
        if commit {
            producer.commit(LONG).unwrap()
        } else {
            producer.abort(LONG).unwrap()
        }
    }
    let (consumer, mut events) = consumer(
        &bootstrap,
        &fresh("group"),
        &[&topic],
        &[("isolation.level", "read_committed")],
    );
    let mut seen = Seen::default();
    block_on(async {
        while seen.len() < 20 {
            if let ConsumerEvent::Records(batch) = next(&mut events).await {
                seen.take(&batch);
            }
        }
    });
    assert_eq!(seen.0[&0], (0..10).chain(20..30).collect::<Vec<_>>());
    assert!(consumer.close(LONG));
    // A later producer of the same id ends the rights of this one.
    let _later = start();
    producer.begin().unwrap();
    send_in_transaction(&producer, &topic, 30..40);
    let error = producer.commit(LONG).unwrap_err();
    assert!(error.fatal, "{error}");
    assert!(producer.fatal_error().is_some());
}

#[test]
fn a_fenced_producer_commits_nothing_and_its_open_transaction_is_aborted() {
    let Some(bootstrap) = bootstrap("a_fenced_producer_commits_nothing_and_its_open_transaction_is_aborted") else {
        return;
    };
    let (topic, id) = (fresh("fenced"), fresh("id"));
    let admin = admin(&bootstrap);
    admin
        .create_topics(&[NewTopic::new(topic.as_str(), 1, 1)], LONG)
        .unwrap();
    let base = properties(&[("bootstrap.servers", &bootstrap), ("transactional.id", &id)]);
    let producer = TransactionalProducer::start(&ClientSettings::producer(&[Layer::Client(&base)]).unwrap()).unwrap();
    producer.init(LONG).unwrap();
    producer.begin().unwrap();
    send_in_transaction(&producer, &topic, 0..10);
    // An id that nobody has used is fenced as well.
    let unused = fresh("unused");
    let fenced = admin.fence_producers(&[&id, &unused], LONG).unwrap();
    assert!(fenced.iter().all(|(_, result)| result.is_ok()), "{fenced:?}");
    let error = producer.commit(LONG).unwrap_err();
    assert!(error.fatal, "{error}");
    let committed = [("isolation.level", "read_committed")];
    let (consumer, mut events) = consumer(&bootstrap, &fresh("group"), &[&topic], &committed);
    let plain = crate::harness::producer(&bootstrap, &[]);
    send_numbers(&plain, &topic, Some(0), 10..11);
    block_on(async {
        loop {
            if let ConsumerEvent::Records(batch) = next(&mut events).await {
                assert_eq!(number(batch.messages().next().unwrap().value()), 10);
                return;
            }
        }
    });
    assert!(consumer.close(LONG));
}

#[track_caller]
fn send_in_transaction(producer: &TransactionalProducer, topic: &str, numbers: std::ops::Range<u64>) {
    let acks = Arc::new(Acks::default());
    let handle = producer.topic(topic).unwrap();
    let group = AckGroup::open(acks.clone(), 0);
    let values: Vec<[u8; 8]> = numbers.map(u64::to_be_bytes).collect();
    let records = values.iter().map(|value| OutRecord {
        partition: Some(0),
        timestamp: None,
        key: None,
        value: Some(value),
        headers: &[],
        ack: &group,
    });
    assert_eq!(producer.send_batch(&handle, records), values.len());
    drop(group);
    await_that("the records are acknowledged or given up", || {
        producer.wait_for_room(Duration::from_millis(1));
        acks.done.load(Ordering::SeqCst) == 1
    });
}

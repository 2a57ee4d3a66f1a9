//! Records from one end to the other.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use caisson_kafka::{AckGroup, ConsumerEvent, ErrorCode, Message, OutRecord, Timestamp};
use caisson_model::{PartitionOffset, TopicPartition};

use crate::harness::*;

#[test]
fn two_hundred_thousand_records_arrive_in_order() {
    let Some(bootstrap) = bootstrap("two_hundred_thousand_records_arrive_in_order") else {
        return;
    };
    let topic = fresh("order");
    let producer = producer(&bootstrap, &[]);
    send_numbers(&producer, &topic, Some(0), 0..200_000);
    let (consumer, mut events) = consumer(&bootstrap, &fresh("group"), &[&topic], &[]);
    let mut seen = Seen::default();
    block_on(async {
        let ConsumerEvent::Assigned(positions) = next(&mut events).await else {
            panic!("assigned first")
        };
        assert_eq!((positions.len(), positions[0].offset), (1, 0));
        while seen.len() < 200_000 {
            match next(&mut events).await {
                ConsumerEvent::Records(batch) => seen.take(&batch),
                event => panic!("unexpected {event:?}"),
            }
        }
    });
    assert_eq!(seen.0[&0], (0..200_000).collect::<Vec<_>>());
    assert!(consumer.close(LONG));
}

/// What a record is made of, owned.
#[derive(Debug, PartialEq, Eq)]
struct Form {
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    timestamp: Timestamp,
    headers: Vec<(String, Option<Vec<u8>>)>,
}

#[test]
fn nulls_empty_bytes_headers_and_timestamps_stay_what_they_are() {
    let Some(bootstrap) = bootstrap("nulls_empty_bytes_headers_and_timestamps_stay_what_they_are") else {
        return;
    };
    let topic = fresh("forms");
    let producer = producer(&bootstrap, &[]);
    let handle = producer.topic(&topic).unwrap();
    let acks = Arc::new(Acks::default());
    let headers: &[(&str, Option<&[u8]>)] = &[
        ("a", Some(b"1")),
        ("a", None),
        ("", Some(b"")),
        ("käse", Some(&[0, 159, 146, 150])),
    ];
    let group = AckGroup::open(acks.clone(), 7);
    let record = OutRecord {
        partition: Some(0),
        timestamp: Some(1_700_000_000_000),
        key: None,
        value: None,
        headers: &[],
        ack: &group,
    };
    let records = [
        OutRecord { headers, ..record },
        OutRecord {
            key: Some(b""),
            value: Some(b""),
            ..record
        },
        OutRecord {
            key: Some(b"k"),
            value: Some(b"v"),
            timestamp: Some(1),
            ..record
        },
        OutRecord {
            key: Some(b"k"),
            timestamp: Some(1),
            ..record
        },
    ];
    assert_eq!(producer.send_batch(&handle, records), 4);
    drop(group);
    await_that("the group is acknowledged", || acks.done.load(Ordering::SeqCst) == 1);
    let (consumer, mut events) = consumer(&bootstrap, &fresh("group"), &[&topic], &[]);
    let forms = block_on(async {
        let mut forms = Vec::new();
        while forms.len() < 4 {
            if let ConsumerEvent::Records(batch) = next(&mut events).await {
                forms.extend(batch.messages().map(|message| form(&message)));
            }
        }
        forms
    });
    let expected_headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.map(<[u8]>::to_vec)))
        .collect();
    let plain = |key: Option<&[u8]>, value: Option<&[u8]>, time| Form {
        key: key.map(<[u8]>::to_vec),
        value: value.map(<[u8]>::to_vec),
        timestamp: Timestamp::Create(time),
        headers: Vec::new(),
    };
    assert_eq!(
        forms[0],
        Form {
            headers: expected_headers,
            ..plain(None, None, 1_700_000_000_000)
        }
    );
    assert_eq!(forms[1], plain(Some(b""), Some(b""), 1_700_000_000_000));
    assert_eq!(forms[2], plain(Some(b"k"), Some(b"v"), 1));
    assert_eq!(forms[3], plain(Some(b"k"), None, 1));
    assert!(consumer.close(LONG));
}

fn form(message: &Message<'_>) -> Form {
    Form {
        key: message.key().map(<[u8]>::to_vec),
        value: message.value().map(<[u8]>::to_vec),
        timestamp: message.timestamp(),
        headers: message
            .headers()
            .map(|header| (header.name.into_owned(), header.value.map(<[u8]>::to_vec)))
            .collect(),
    }
}

#[test]
fn a_group_goes_on_where_it_committed() {
    let Some(bootstrap) = bootstrap("a_group_goes_on_where_it_committed") else {
        return;
    };
    let (topic, group) = (fresh("resume"), fresh("group"));
    let producer = producer(&bootstrap, &[]);
    send_numbers(&producer, &topic, Some(0), 0..1000);
    let at = |offset| {
        vec![PartitionOffset {
            partition: TopicPartition::new(topic.as_str(), 0),
            offset,
        }]
    };
    {
        let (consumer, mut events) = consumer(&bootstrap, &group, &[&topic], &[]);
        block_on(async {
            while !matches!(next(&mut events).await, ConsumerEvent::Records(_)) {}
            consumer.commit(&at(300), 42);
            loop {
                if let ConsumerEvent::Committed { sequence, result } = next(&mut events).await {
                    assert_eq!((sequence, result), (42, Ok(())));
                    break;
                }
            }
        });
        consumer.commit_sync(&at(500), LONG).unwrap();
        assert_eq!(
            consumer
                .committed(&[TopicPartition::new(topic.as_str(), 0)], LONG)
                .unwrap(),
            at(500)
        );
        assert!(consumer.close(LONG));
        assert!(block_on(async {
            while events.recv().await.is_some() {}
            true
        }));
    }
    let (consumer, mut events) = consumer(&bootstrap, &group, &[&topic], &[]);
    let mut seen = Seen::default();
    block_on(async {
        let ConsumerEvent::Assigned(positions) = next(&mut events).await else {
            panic!("assigned first")
        };
        assert_eq!(positions, at(500));
        while seen.len() < 500 {
            if let ConsumerEvent::Records(batch) = next(&mut events).await {
                seen.take(&batch);
            }
        }
    });
    assert_eq!(seen.0[&0], (500..1000).collect::<Vec<_>>());
    assert!(consumer.close(LONG));
}

#[test]
fn a_seek_takes_back_what_is_on_its_way() {
    let Some(bootstrap) = bootstrap("a_seek_takes_back_what_is_on_its_way") else {
        return;
    };
    let topic = fresh("seek");
    let producer = producer(&bootstrap, &[]);
    send_numbers(&producer, &topic, Some(0), 0..50_000);
    let (consumer, mut events) = consumer(&bootstrap, &fresh("group"), &[&topic], &[("max.poll.records", "100")]);
    block_on(async {
        for round in 0_u64..20 {
            // The channel is full of later records by now.
            let target = round * 7;
            while !matches!(next(&mut events).await, ConsumerEvent::Records(_)) {}
            let partition = TopicPartition::new(topic.as_str(), 0);
            consumer
                .seek(vec![PartitionOffset {
                    partition,
                    offset: i64::try_from(target).unwrap(),
                }])
                .unwrap();
            let ConsumerEvent::Records(batch) = next(&mut events).await else {
                panic!("records")
            };
            assert_eq!(number(batch.messages().next().unwrap().value()), target);
        }
    });
    assert!(consumer.close(LONG));
}

#[test]
fn a_record_that_is_too_large_fails_its_group_by_name() {
    let Some(bootstrap) = bootstrap("a_record_that_is_too_large_fails_its_group_by_name") else {
        return;
    };
    let topic = fresh("large");
    let producer = producer(&bootstrap, &[]);
    let handle = producer.topic(&topic).unwrap();
    let acks = Arc::new(Acks::default());
    let group = AckGroup::open(acks.clone(), 1);
    let large = vec![0; 2_000_000];
    let record = OutRecord {
        partition: Some(0),
        timestamp: None,
        key: None,
        value: Some(&large),
        headers: &[],
        ack: &group,
    };
    assert_eq!(
        producer.send_batch(
            &handle,
            [
                record,
                OutRecord {
                    value: Some(b"x"),
                    ..record
                }
            ]
        ),
        2
    );
    drop(group);
    await_that("the group is done", || acks.done.load(Ordering::SeqCst) == 1);
    let failed = acks.failed.lock().unwrap();
    assert_eq!(failed.len(), 1);
    assert_eq!(
        (failed[0].topic.as_str(), failed[0].error.code),
        (topic.as_str(), ErrorCode::MESSAGE_TOO_LARGE)
    );
}

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::compression::Compression;
use crate::producer::record_batch::{BatchBuilder, Identity, Parts};

const ALL: Reading<'_> = Reading {
    wanted: 0,
    check_crcs: true,
    aborted: &[],
};

/// A batch as a producer sends it, and as the broker keeps it from that offset on.
fn batch(base: i64, values: &[&[u8]], compression: Compression, producer: Option<i64>) -> Vec<u8> {
    let mut builder = BatchBuilder::new(Vec::new());
    for (number, value) in (0..).zip(values) {
        builder.push(&Parts {
            timestamp: 1000 + number,
            key: (number % 2 == 0).then_some(b"key"),
            value: Some(value),
            headers: &[("name", Some(b"value")), ("none", None)],
        });
    }
    let mut sealed = builder.seal(compression);
    let identity = Identity {
        id: producer.unwrap_or(-1),
        epoch: 0,
    };
    sealed.stamp(identity, 0, producer.is_some());
    let mut bytes = sealed.bytes().to_vec();
    bytes[..8].copy_from_slice(&base.to_be_bytes());
    bytes
}

/// What ends a transaction: a batch with one record, whose key says how.
fn marker(base: i64, producer: i64, commits: bool) -> Vec<u8> {
    let mut builder = BatchBuilder::new(Vec::new());
    builder.push(&Parts {
        timestamp: 0,
        key: Some(&[0, 0, 0, u8::from(commits)]),
        value: Some(&[0; 6]),
        headers: &[],
    });
    let mut sealed = builder.seal(Compression::None);
    sealed.stamp(Identity { id: producer, epoch: 0 }, 0, true);
    let mut bytes = sealed.bytes().to_vec();
    bytes[..8].copy_from_slice(&base.to_be_bytes());
    bytes[22] |= 0x20;
    let checksum = crc32c::crc32c(&bytes[CHECKED..]);
    bytes[17..21].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

fn decoded(bytes: &[u8], reading: Reading<'_>) -> Result<Decoded, KafkaError> {
    let budget = Arc::new(Budget::new(usize::MAX));
    let answer = budget.hold(bytes.to_vec());
    decode(&answer, 0..bytes.len(), reading, &budget)
}

fn values(decoded: &Decoded) -> Vec<(i64, String)> {
    let of = |records: &Records| {
        let value = |entry: &Entry| String::from_utf8_lossy(entry.value(records.bytes()).unwrap()).into_owned();
        let each = records.entries().iter().map(|entry| (entry.offset, value(entry)));
        each.collect::<Vec<_>>()
    };
    decoded.records.iter().flat_map(of).collect()
}

#[test]
fn what_a_producer_wrote_is_read_however_it_is_compressed() {
    let kinds = [
        Compression::None,
        Compression::Gzip(6),
        Compression::Snappy,
        Compression::Lz4,
        Compression::Zstd(3),
    ];
    for compression in kinds {
        let long = "a value that repeats ".repeat(5000);
        let mut bytes = batch(7, &[b"one", b"", long.as_bytes()], compression, None);
        bytes.extend(batch(10, &[long.as_bytes()], compression, None));
        let read = decoded(&bytes, ALL).unwrap();
        let expected = [(7, "one".into()), (8, String::new()), (9, long.clone()), (10, long)];
        assert_eq!((values(&read), read.next), (expected.to_vec(), 11), "{compression:?}");
        let [records] = &read.records[..] else {
            panic!("{} pieces with {compression:?}", read.records.len())
        };
        let [first, second, ..] = records.entries() else {
            panic!()
        };
        assert_eq!((first.key(records.bytes()), first.timestamp), (Some(&b"key"[..]), 1000));
        assert_eq!((second.key(records.bytes()), second.timestamp), (None, 1001));
        let (mut fields, 2) = first.headers(records.bytes()) else {
            panic!("other headers")
        };
        let read: Vec<_> = (0..4).map(|_| fields.field().unwrap()).collect();
        assert_eq!(read, [Some(&b"name"[..]), Some(b"value"), Some(b"none"), None]);
    }
}

#[test]
fn records_before_the_wanted_one_are_left_out_and_a_batch_that_is_cut_off_is_left_for_the_next_time() {
    let mut bytes = batch(0, &[b"a", b"b", b"c"], Compression::None, None);
    bytes.extend(batch(3, &[b"d"], Compression::None, None));
    let reading = Reading { wanted: 1, ..ALL };
    for cut in 1..20 {
        let read = decoded(&bytes[..bytes.len() - cut], reading).unwrap();
        assert_eq!((values(&read), read.next), (vec![(1, "b".into()), (2, "c".into())], 3));
    }
    let read = decoded(&bytes, Reading { wanted: 4, ..ALL }).unwrap();
    assert_eq!((values(&read), read.next), (vec![], 4));
}

#[test]
fn transactions_that_came_to_nothing_are_left_out_and_markers_count_as_read() {
    let mut bytes = batch(0, &[b"lost"], Compression::None, Some(1));
    bytes.extend(batch(1, &[b"kept"], Compression::None, Some(2)));
    bytes.extend(batch(2, &[b"lost"], Compression::Zstd(1), Some(1)));
    bytes.extend(marker(3, 1, false));
    bytes.extend(batch(4, &[b"kept"], Compression::None, Some(1)));
    bytes.extend(marker(5, 1, true));
    bytes.extend(marker(6, 2, true));
    let committed = Reading {
        aborted: &[(1, 0)],
        ..ALL
    };
    let read = decoded(&bytes, committed).unwrap();
    assert_eq!(
        (values(&read), read.next),
        (vec![(1, "kept".into()), (4, "kept".into())], 7)
    );
    assert_eq!(values(&decoded(&bytes, ALL).unwrap()).len(), 4);
}

#[test]
fn the_broker_s_time_wins_where_the_topic_says_so() {
    let mut bytes = batch(0, &[b"a", b"b"], Compression::None, None);
    bytes[22] |= 0x08;
    bytes[35..43].copy_from_slice(&77_i64.to_be_bytes());
    let reading = Reading {
        check_crcs: false,
        ..ALL
    };
    let read = decoded(&bytes, reading).unwrap();
    assert!(read.records[0].is_append_time());
    assert!(read.records[0].entries().iter().all(|entry| entry.timestamp == 77));
}

#[test]
fn damage_is_an_error_that_says_what_is_wrong() {
    let bytes = batch(5, &[b"one", b"two"], Compression::None, None);
    let mut damaged = bytes.clone();
    *damaged.last_mut().unwrap() ^= 1;
    let said = |bytes: &[u8]| decoded(bytes, ALL).map(|_| ()).unwrap_err().message;
    assert_eq!(
        said(&damaged),
        "records cannot be read: the checksum of the batch at offset 5 is wrong"
    );
    let mut old = bytes.clone();
    old[16] = 1;
    assert!(said(&old).contains("message format v1"), "{}", said(&old));
    let mut negative = bytes;
    negative[8] = 0x80;
    assert!(said(&negative).contains("negative"));
}

#[test]
fn a_block_that_claims_more_than_it_can_hold_gets_no_memory() {
    let bomb = [0xff, 0xff, 0xff, 0x7f, 0];
    let error = compression::decompress(2, &bomb, &mut Vec::new(), UNPACKED).unwrap_err();
    assert!(error.to_string().contains("longer than it can be"), "{error}");
    let zeros = zstd::bulk::compress(&vec![0; 1 << 20], 3).unwrap();
    let error = compression::decompress(4, &zeros, &mut Vec::new(), 1000).unwrap_err();
    assert!(error.to_string().contains("more than 1000 bytes"), "{error}");
    assert!(compression::decompress(7, &zeros, &mut Vec::new(), 1000).is_err());
}

#[test]
fn a_batch_takes_as_many_records_as_the_limit_says_and_one_at_least() {
    let values: Vec<Vec<u8>> = (0..10).map(|_| vec![b'x'; 100]).collect();
    let values: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
    let read = decoded(&batch(0, &values, Compression::None, None), ALL).unwrap();
    let records = &read.records[0];
    assert_eq!(records.until(0, 10, 1), 1);
    assert_eq!(records.until(0, 3, usize::MAX), 3);
    assert_eq!(records.until(4, 6, usize::MAX), 10);
    let half = records.until(0, 10, 500);
    assert!((4..=5).contains(&half), "{half}");
    assert!(records.size(0, half) >= 400);
}

proptest! {
    #[test]
    fn mutated_batches_are_read_or_refused(
        at in 0_usize..400,
        byte in any::<u8>(),
        kind in 0_usize..3,
        cut in 0_usize..400,
    ) {
        let compression = [Compression::None, Compression::Snappy, Compression::Lz4][kind];
        let mut bytes = batch(0, &[b"one", b"two", &[b'z'; 200]], compression, Some(3));
        let length = bytes.len();
        bytes[at % length] = byte;
        bytes.truncate(length - cut % length);
        let reading = Reading { check_crcs: false, ..ALL };
        if let Ok(read) = decoded(&bytes, reading) {
            for records in &read.records {
                for entry in records.entries() {
                    let (_, _) = (entry.key(records.bytes()), entry.value(records.bytes()));
                    let (mut fields, count) = entry.headers(records.bytes());
                    for _ in 0..count.min(10) {
                        prop_assert!(fields.field().is_ok());
                    }
                }
            }
        }
    }

    #[test]
    fn garbage_is_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut bytes = bytes;
        if let Some(magic) = bytes.get_mut(16) {
            *magic = 2;
        }
        let _ = decoded(&bytes, Reading { check_crcs: false, ..ALL });
    }
}

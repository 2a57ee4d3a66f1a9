//! Frames, byte for byte as the contract prints them, and what is refused.

#![allow(clippy::unwrap_used)]

use caisson_api::frame::{
    Boundary, Encoding, Encodings, Frame, FrameBuilder, FrameError, NewHeader, NewRecord, RecordHead, Role,
    SourceCoordinates, Timestamp,
};
use caisson_api::schema::Schema;
use caisson_api::typed;
use caisson_api::value::Value;

/// The rows of hexadecimal digits of an example in `wit/frame.md`.
fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    digits
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

const SINK: &str = "
    43 53 4e 01 83 00 00 00 01 00 00 00 30 00 00 00
    00 01 00 00 58 00 00 00 00 00 00 00 00 00 00 00
    6f 00 00 00 00 00 00 00 7b 54 62 3f 9a 01 00 00
    2a 00 00 00 00 00 00 00 03 00 00 00 00 00 00 00
    00 00 01 00 ff ff ff ff 00 00 00 00 02 00 00 00
    07 00 00 00 0b 00 00 00 02 00 00 00 06 00 00 00
    6f 72 64 65 72 73 05 00 00 00 74 72 61 63 65 6b
    31 7b 22 61 22 3a 31 7d 01 00 01 00 ff ff 01 00
    00 00 78";

/// Example 2, around the text of the schema.
const SOURCE_HEAD: &str = "
    43 53 4e 01 82 01 00 00 01 00 00 00 40 00 00 00
    00 02 00 00 68 00 00 00 76 00 00 00 45 01 00 00
    56 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00
    ff ff ff ff ff ff ff ff ff ff ff ff 00 00 00 00
    00 00 04 00 ff ff 00 00 00 00 00 00 ff ff ff ff
    23 00 00 00 00 00 00 00 00 00 00 00 23 00 00 00
    09 00 00 00 00 00 00 00 01 00 00 00 06 00 00 00
    70 65 6f 70 6c 65 01 00 00 00 c7 00 00 00 01 00
    00 00 00 00 00 00";
const SOURCE_SCHEMA: &str = r#"{"type":"struct","optional":false,"fields":[{"field":"id","type":"int64","optional":false},{"field":"name","type":"string","optional":false},{"field":"note","type":"string","optional":true}]}"#;
const SOURCE_TAIL: &str = "
    01 00 00 00 09 00 00 00 7b 22 74
    22 3a 22 70 22 7d 04 00 00 00 00 00 00 00 07 00
    00 00 00 00 00 00 20 00 00 00 03 00 00 00 00 00
    00 00 00 00 00 00 41 64 61 7b 22 70 6f 73 22 3a
    31 7d";

fn source_example() -> Vec<u8> {
    [hex(SOURCE_HEAD), SOURCE_SCHEMA.into(), hex(SOURCE_TAIL)].concat()
}

fn json_values() -> Encodings {
    Encodings {
        value: Encoding::Json,
        ..Encodings::default()
    }
}

/// A builder with example 1 in it.
fn sink_example() -> FrameBuilder {
    let mut builder = FrameBuilder::new(Role::Sink);
    builder.begin(json_values(), 1);
    let topic = builder.topic("orders").unwrap();
    let name = builder.header_name("trace").unwrap();
    let record = NewRecord {
        timestamp: Timestamp::Create(1_762_000_000_123),
        offset: Some(42),
        partition: Some(3),
        topic,
        key: Some(b"k1"),
        value: Some(br#"{"a":1}"#),
        headers: &[NewHeader {
            name,
            schema: None,
            value: Some(b"x"),
        }],
        ..NewRecord::default()
    };
    builder.push(&record).unwrap();
    builder
}

#[test]
fn the_first_example_is_written_as_printed() {
    assert_eq!(sink_example().finish(), hex(SINK));
}

#[test]
fn the_first_example_is_read_as_described() {
    let bytes = hex(SINK);
    let frame = Frame::parse(&bytes).unwrap();
    assert_eq!(frame.len(), 1);
    assert_eq!(frame.encodings(), json_values());
    let record = frame.record(0);
    assert_eq!(
        (record.topic, record.partition, record.offset),
        ("orders", Some(3), Some(42))
    );
    assert_eq!(record.timestamp, Timestamp::Create(1_762_000_000_123));
    assert_eq!((record.key, record.value), (Some(&b"k1"[..]), Some(&br#"{"a":1}"#[..])));
    assert!(record.source.is_none());
    let headers: Vec<_> = record
        .headers
        .map(|header| (header.name, header.schema, header.value))
        .collect();
    assert_eq!(headers, [("trace", None, Some(&b"x"[..]))]);
}

#[test]
fn the_second_example_is_written_as_printed() {
    let schema = Schema::from_json(SOURCE_SCHEMA).unwrap();
    let value = Value::Struct(vec![Value::Int64(7), "Ada".into(), Value::Null]);
    let mut builder = FrameBuilder::new(Role::Source);
    builder.begin(
        Encodings {
            value: Encoding::Connect,
            ..Encodings::default()
        },
        500,
    );
    let head = RecordHead {
        topic: builder.topic("people").unwrap(),
        value_schema: Some(builder.schema(1, SOURCE_SCHEMA).unwrap()),
        boundary: Boundary::Commit,
        ..RecordHead::default()
    };
    let partition = builder.source_partition(r#"{"t":"p"}"#).unwrap();
    let mut record = builder.record();
    record
        .value_with(|out| typed::encode(Some(&schema), &value, out))
        .unwrap();
    record
        .finish(
            head,
            Some(SourceCoordinates {
                partition,
                offset: r#"{"pos":1}"#,
            }),
        )
        .unwrap();
    assert_eq!(builder.finish(), source_example());
}

#[test]
fn the_second_example_is_read_as_described() {
    let bytes = source_example();
    let frame = Frame::parse(&bytes).unwrap();
    let record = frame.record(0);
    assert_eq!(frame.schemas(), [(1, SOURCE_SCHEMA)]);
    assert_eq!(
        (record.topic, record.key, record.value_schema),
        ("people", None, Some(0))
    );
    assert_eq!(
        (record.offset, record.partition, record.timestamp),
        (None, None, Timestamp::None)
    );
    assert_eq!(record.boundary, Boundary::Commit);
    let source = record.source.unwrap();
    assert_eq!(
        (frame.source_partition(source.partition), source.offset),
        (r#"{"t":"p"}"#, r#"{"pos":1}"#)
    );
    let schema = Schema::from_json(frame.schema(0).1).unwrap();
    let value = typed::decode(Some(&schema), record.value.unwrap()).unwrap();
    assert_eq!(value, Value::Struct(vec![Value::Int64(7), "Ada".into(), Value::Null]));
}

#[test]
fn nothing_at_all_is_an_empty_batch() {
    assert!(Frame::parse(&[]).unwrap().is_empty());
    let mut builder = FrameBuilder::new(Role::Source);
    builder.begin(Encodings::default(), 100);
    assert_eq!(builder.finish(), b"");
    assert_eq!(builder.take(), b"");
}

#[test]
fn a_boundary_needs_no_records() {
    let mut builder = FrameBuilder::new(Role::Source);
    builder.begin(Encodings::default(), 0);
    builder.set_boundary(Boundary::Abort);
    let frame = builder.take();
    let frame = Frame::parse(&frame).unwrap();
    assert_eq!((frame.len(), frame.boundary()), (0, Boundary::Abort));
}

/// Builds a frame of `count` records while `expected` were announced, and checks that it is read as it was written.
fn check_count(builder: &mut FrameBuilder, expected: usize, count: usize, size: usize) {
    builder.begin(Encodings::default(), expected);
    let value = |i: usize| vec![i as u8; if i.is_multiple_of(7) { 0 } else { size }];
    for i in 0..count {
        let topic = builder.topic(&format!("topic-{}", i % 20)).unwrap();
        let partition = builder.source_partition(&format!("{{\"p\":{}}}", i % 13)).unwrap();
        let record = NewRecord {
            timestamp: Timestamp::Arrival,
            topic,
            key: (i % 3 == 0).then_some(&b"key"[..]),
            value: Some(&value(i)),
            source: (i % 5 != 0).then_some(SourceCoordinates {
                partition,
                offset: "{}",
            }),
            ..NewRecord::default()
        };
        builder.push(&record).unwrap();
    }
    let bytes = builder.finish().to_vec();
    assert_eq!(builder.finish(), bytes, "finishing twice changes nothing");
    let frame = Frame::parse(&bytes).unwrap();
    assert_eq!(frame.len(), count);
    for (i, record) in frame.records().enumerate() {
        assert_eq!(record.topic, format!("topic-{}", i % 20));
        assert_eq!(record.key.is_some(), i % 3 == 0);
        assert_eq!(record.value, Some(&value(i)[..]));
        assert_eq!(record.timestamp, Timestamp::Arrival);
        let partition = record
            .source
            .map(|source| frame.source_partition(source.partition).to_owned());
        assert_eq!(partition, (i % 5 != 0).then(|| format!("{{\"p\":{}}}", i % 13)));
    }
}

#[test]
fn any_number_of_records_may_come_whatever_was_expected() {
    let mut builder = FrameBuilder::new(Role::Source);
    for (expected, count) in [
        (0, 1),
        (0, 500),
        (500, 500),
        (500, 3),
        (10, 200),
        (1, 17),
        (100_000, 10),
    ] {
        for size in [0, 5, 1000] {
            check_count(&mut builder, expected, count, size);
        }
    }
}

#[test]
fn a_record_may_follow_a_finished_frame() {
    let mut builder = sink_example();
    builder.finish();
    let topic = builder.topic("a rather longer name of a topic").unwrap();
    builder
        .push(&NewRecord {
            topic,
            value: Some(b"{}"),
            ..NewRecord::default()
        })
        .unwrap();
    let bytes = builder.take();
    let frame = Frame::parse(&bytes).unwrap();
    assert_eq!(frame.record(0).topic, "orders");
    assert_eq!(
        (frame.record(1).topic, frame.record(1).value),
        ("a rather longer name of a topic", Some(&b"{}"[..]))
    );
}

#[test]
fn a_builder_goes_on_after_its_frame_was_taken() {
    let mut builder = sink_example();
    let taken = builder.take();
    builder.recycle(taken);
    let topic = builder.topic("t").unwrap();
    builder
        .push(&NewRecord {
            topic,
            ..NewRecord::default()
        })
        .unwrap();
    assert_eq!(Frame::parse(builder.finish()).unwrap().record(0).topic, "t");
}

#[test]
fn many_names_are_told_apart() {
    let mut builder = FrameBuilder::new(Role::Sink);
    for round in 0..2 {
        for i in 0..1000 {
            assert_eq!(builder.topic(&format!("t{i}")).unwrap(), i, "round {round}");
        }
    }
    assert_ne!(builder.schema(1, "{}").unwrap(), builder.schema(2, "{}").unwrap());
}

#[test]
fn the_tables_have_their_limits() {
    let mut builder = FrameBuilder::new(Role::Sink);
    for i in 0..65_535_u32 {
        builder.topic(&i.to_string()).unwrap();
    }
    assert_eq!(builder.topic("one more"), Err(FrameError::TableSize("strings")));
    assert_eq!(builder.topic("65534"), Ok(65_534));
}

#[test]
fn a_record_that_is_given_up_leaves_no_trace() {
    let mut builder = sink_example();
    let mut record = builder.record();
    record.key(Some(b"lost"));
    record.value(Some(b"lost"));
    drop(record);
    assert_eq!(builder.finish(), hex(SINK));
}

#[test]
fn a_header_that_fails_can_be_left_out() {
    let mut builder = FrameBuilder::new(Role::Sink);
    let name = builder.header_name("h").unwrap();
    let mut record = builder.record();
    record.key(None);
    record.value(Some(b"v"));
    let failed = record.header_with(name, None, |out| {
        out.extend_from_slice(b"partial");
        Err(FrameError::Magic)
    });
    assert_eq!(failed, Err(FrameError::Magic));
    assert!(record.header(99, None, None).is_err());
    record.header(name, None, None).unwrap();
    record.header(name, None, Some(b"")).unwrap();
    record.finish(RecordHead::default(), None).unwrap();
    let frame = Frame::parse(builder.finish()).unwrap();
    let headers: Vec<_> = frame.record(0).headers.map(|header| header.value).collect();
    assert_eq!(headers, [None, Some(&b""[..])]);
    assert_eq!(frame.record(0).value, Some(&b"v"[..]));
}

#[test]
fn a_builder_refuses_what_a_reader_would() {
    let mut builder = FrameBuilder::new(Role::Source);
    let refused = builder.push(&NewRecord::default());
    assert_eq!(
        refused,
        Err(FrameError::Index {
            record: 0,
            what: "topic",
            index: 0
        })
    );
    let topic = builder.topic("t").unwrap();
    let source = Some(SourceCoordinates {
        partition: 0,
        offset: "{}",
    });
    for record in [
        NewRecord {
            topic,
            key_schema: Some(0),
            ..NewRecord::default()
        },
        NewRecord {
            topic,
            value_schema: Some(65_535),
            ..NewRecord::default()
        },
        NewRecord {
            topic,
            partition: Some(-1),
            ..NewRecord::default()
        },
        NewRecord {
            topic,
            offset: Some(-1),
            ..NewRecord::default()
        },
        NewRecord {
            topic,
            source,
            ..NewRecord::default()
        },
        NewRecord {
            topic,
            headers: &[NewHeader {
                name: 7,
                schema: None,
                value: None,
            }],
            ..NewRecord::default()
        },
    ] {
        assert!(
            builder
                .push(&NewRecord {
                    value: Some(b"x"),
                    ..record
                })
                .is_err()
        );
    }
    assert!(builder.is_empty());
    assert_eq!(builder.finish(), b"");
}

#[test]
fn origins_have_to_rise_and_to_be_among_the_inputs() {
    let frame = |origins: &[u32]| {
        let mut builder = FrameBuilder::new(Role::Transform);
        let topic = builder.topic("t").unwrap();
        for origin in origins {
            builder
                .push(&NewRecord {
                    topic,
                    origin: *origin,
                    ..NewRecord::default()
                })
                .unwrap();
        }
        builder.take()
    };
    let check = |origins: &[u32], inputs| Frame::parse(&frame(origins)).unwrap().check_origins(inputs);
    assert_eq!(check(&[0, 1, 5], 6), Ok(()));
    assert_eq!(
        check(&[0, 1, 5], 5),
        Err(FrameError::Origin {
            record: 2,
            origin: 5,
            inputs: 5
        })
    );
    assert_eq!(
        check(&[0, 0], 6),
        Err(FrameError::Origin {
            record: 1,
            origin: 0,
            inputs: 6
        })
    );
}

/// What comes of example 1 with `bytes` at `at`.
fn broken(at: usize, bytes: &[u8]) -> FrameError {
    let mut frame = hex(SINK);
    frame[at..at + bytes.len()].copy_from_slice(bytes);
    Frame::parse(&frame).unwrap_err()
}

#[test]
fn headers_of_frames_are_checked() {
    assert_eq!(Frame::parse(b"CSN").unwrap_err(), FrameError::Short(3));
    assert_eq!(broken(0, b"CSN\x02"), FrameError::Magic);
    assert_eq!(
        broken(4, &[0x84]),
        FrameError::Length {
            said: 0x84,
            found: 0x83
        }
    );
    assert_eq!(broken(8, &[0xff; 4]), FrameError::Section("records"));
    assert_eq!(broken(12, &[47, 0]), FrameError::EntrySize(47));
    assert_eq!(broken(12, &[40, 0]), FrameError::EntrySize(40));
    assert_eq!(broken(14, &[3]), FrameError::Flags(3));
    assert_eq!(broken(15, &[1]), FrameError::Reserved(15));
    assert_eq!(
        broken(16, &[3]),
        FrameError::Encoding {
            column: "keys",
            found: 3
        }
    );
    assert_eq!(broken(39, &[1]), FrameError::Reserved(39));
}

#[test]
fn tables_are_checked() {
    assert_eq!(broken(20, &[0x57]), FrameError::Section("strings"));
    assert_eq!(broken(20, &[0x70]), FrameError::Section("strings"));
    assert_eq!(broken(24, &[0x58]), FrameError::Section("schemas"));
    assert_eq!(broken(32, &[0xff; 4]), FrameError::Section("data"));
    assert_eq!(broken(0x58, &[3]), FrameError::Table("strings"));
    assert_eq!(broken(0x58, &[0xff; 4]), FrameError::TableSize("strings"));
    assert_eq!(broken(0x60, &[0xff]), FrameError::TableText("strings"));
}

#[test]
fn records_are_checked() {
    let number = |what, found| FrameError::Number { record: 0, what, found };
    let index = |what, index| FrameError::Index { record: 0, what, index };
    let at = 40;
    assert_eq!(
        broken(at + 8, &[0xfe, 255, 255, 255, 255, 255, 255, 255]),
        number("offset", -2)
    );
    assert_eq!(broken(at + 16, &[0xfe, 255, 255, 255]), number("partition", -2));
    assert_eq!(broken(at + 24, &[2]), index("topic", 2));
    assert_eq!(
        broken(at + 26, &[0x0c]),
        FrameError::Attributes {
            record: 0,
            attributes: 0x0c
        }
    );
    assert_eq!(
        broken(at + 26, &[0x11]),
        FrameError::Attributes {
            record: 0,
            attributes: 0x11
        }
    );
    assert_eq!(broken(at + 28, &[0, 0]), index("schema of the key", 0));
    assert_eq!(
        broken(at + 32, &[1]),
        FrameError::Range {
            record: 0,
            what: "payload"
        }
    );
    assert_eq!(
        broken(at + 36, &[0xff, 255, 255, 0x7f]),
        FrameError::Range {
            record: 0,
            what: "payload"
        }
    );
    assert_eq!(
        broken(at + 40, &[0xfe, 255, 255, 255]),
        number("length of the value", -2)
    );
    assert_eq!(broken(at + 44, &[0x0a]), FrameError::Headers { record: 0 });
    assert_eq!(
        broken(0x71, &[0xff]),
        FrameError::Text {
            record: 0,
            what: "value"
        }
    );
    assert_eq!(broken(0x7a, &[9]), index("name of a header", 9));
    assert_eq!(broken(0x78, &[2]), FrameError::Headers { record: 0 });
}

#[test]
fn records_may_not_share_their_bytes() {
    let mut builder = FrameBuilder::new(Role::Sink);
    builder.begin(Encodings::default(), 2);
    let topic = builder.topic("t").unwrap();
    for _ in 0..2 {
        builder
            .push(&NewRecord {
                topic,
                value: Some(b"payload"),
                ..NewRecord::default()
            })
            .unwrap();
    }
    let mut frame = builder.take();
    // The second record now has the bytes of both.
    frame[40 + 48 + 32..][..4].fill(0);
    frame[40 + 48 + 40] = 14;
    assert_eq!(Frame::parse(&frame).unwrap_err(), FrameError::Overlap { record: 1 });
}

#[test]
fn longer_entries_are_stepped_over() {
    let mut frame = hex(SINK);
    frame.splice(88..88, [7; 24]);
    frame[12] = 72;
    for at in [4, 20, 32] {
        frame[at] += 24;
    }
    // As an entry of a source it names no partition.
    frame[88..92].fill(0xff);
    let frame = Frame::parse(&frame).unwrap();
    assert_eq!((frame.record(0).topic, frame.record(0).source), ("orders", None));
}

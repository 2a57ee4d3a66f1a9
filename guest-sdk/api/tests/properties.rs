//! What holds for all frames and typed values, made up at random.

#![allow(clippy::unwrap_used)]

#[path = "support/exercise.rs"]
mod exercise;

use std::sync::Arc;

use caisson_api::frame::{
    Boundary, Encoding, Encodings, Frame, FrameBuilder, NewHeader, NewRecord, Role, SourceCoordinates, Timestamp,
};
use caisson_api::schema::{Kind, Schema, SchemaBuilder};
use caisson_api::typed::{TypedView, decode, encode};
use caisson_api::value::{Decimal, Value};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;

fn leaf_schema() -> impl Strategy<Value = Schema> {
    let kind = prop_oneof![
        Just(Schema::new(Kind::Int8)),
        Just(Schema::new(Kind::Int16)),
        Just(Schema::new(Kind::Int32)),
        Just(Schema::new(Kind::Int64)),
        Just(Schema::new(Kind::Float32)),
        Just(Schema::new(Kind::Float64)),
        Just(Schema::new(Kind::Boolean)),
        Just(Schema::new(Kind::String)),
        Just(Schema::new(Kind::Bytes)),
        (-3..20_i32).prop_map(Schema::decimal),
        Just(Schema::date()),
        Just(Schema::time()),
        Just(Schema::timestamp()),
    ];
    (kind, any::<bool>(), option::of("[a-z\"\\\\é\\n]{0,4}")).prop_map(|(schema, optional, doc)| Schema {
        optional,
        doc,
        ..schema
    })
}

fn schema() -> impl Strategy<Value = Schema> {
    leaf_schema().prop_recursive(4, 40, 6, |inner| {
        let field = inner.clone();
        prop_oneof![
            (inner.clone(), any::<bool>()).prop_map(|(element, optional)| {
                Schema {
                    optional,
                    ..Schema::new(Kind::Array(Arc::new(element)))
                }
            }),
            (inner.clone(), inner).prop_map(|(key, value)| {
                let key = Schema { optional: false, ..key };
                Schema::new(Kind::Map(Arc::new(key), Arc::new(value)))
            }),
            (vec(field, 0..6), any::<bool>(), option::of("[a-z.]{1,8}")).prop_map(|(fields, optional, name)| {
                let fields = fields.into_iter().enumerate();
                let builder = fields.fold(SchemaBuilder::structure(), |b, (i, schema)| {
                    b.field(format!("f{i}"), schema)
                });
                Schema {
                    optional,
                    name,
                    ..builder.build().unwrap()
                }
            }),
        ]
    })
}

fn decimal(scale: i32) -> impl Strategy<Value = Value> {
    vec(any::<u8>(), 0..20).prop_map(move |unscaled| Value::Decimal(Decimal::new(&unscaled, scale)))
}

/// A value that fits a schema, with nulls where they may be.
fn value(schema: &Schema) -> BoxedStrategy<Value> {
    let days = any::<i32>().prop_map(|days| Value::Date(i64::from(days) * 86_400_000));
    let present: BoxedStrategy<Value> = match (&schema.kind, schema.name.as_deref()) {
        (Kind::Int32, Some(caisson_api::schema::DATE)) => days.boxed(),
        (Kind::Int32, Some(caisson_api::schema::TIME)) => any::<i32>().prop_map(|ms| Value::Date(ms.into())).boxed(),
        (Kind::Int64, Some(caisson_api::schema::TIMESTAMP)) => any::<i64>().prop_map(Value::Date).boxed(),
        (Kind::Bytes, Some(caisson_api::schema::DECIMAL)) => decimal(schema.scale().unwrap()).boxed(),
        (Kind::Int8, _) => any::<i8>().prop_map(Value::Int8).boxed(),
        (Kind::Int16, _) => any::<i16>().prop_map(Value::Int16).boxed(),
        (Kind::Int32, _) => any::<i32>().prop_map(Value::Int32).boxed(),
        (Kind::Int64, _) => any::<i64>().prop_map(Value::Int64).boxed(),
        (Kind::Float32, _) => any::<f32>().prop_map(Value::Float32).boxed(),
        (Kind::Float64, _) => any::<f64>().prop_map(Value::Float64).boxed(),
        (Kind::Boolean, _) => any::<bool>().prop_map(Value::Boolean).boxed(),
        (Kind::String, _) => ".{0,12}".prop_map(Value::String).boxed(),
        (Kind::Bytes, _) => vec(any::<u8>(), 0..12).prop_map(Value::Bytes).boxed(),
        (Kind::Array(element), _) => vec(value(element), 0..70).prop_map(Value::Array).boxed(),
        (Kind::Map(key, element), _) => vec((value(key), value(element)), 0..5).prop_map(Value::Map).boxed(),
        (Kind::Struct(fields), _) => fields
            .iter()
            .map(|field| value(&field.schema))
            .collect::<Vec<_>>()
            .prop_map(Value::Struct)
            .boxed(),
    };
    if schema.optional {
        prop_oneof![1 => Just(Value::Null), 4 => present].boxed()
    } else {
        present
    }
}

fn value_without_schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Boolean),
        any::<i8>().prop_map(Value::Int8),
        any::<i16>().prop_map(Value::Int16),
        any::<i32>().prop_map(Value::Int32),
        any::<i64>().prop_map(Value::Int64),
        any::<f32>().prop_map(Value::Float32),
        any::<f64>().prop_map(Value::Float64),
        ".{0,12}".prop_map(Value::String),
        vec(any::<u8>(), 0..12).prop_map(Value::Bytes),
        any::<i64>().prop_map(Value::Date),
        any::<i32>().prop_flat_map(decimal),
    ];
    leaf.prop_recursive(6, 60, 8, |inner| {
        let pair = (inner.clone(), inner.clone());
        prop_oneof![
            vec(inner, 0..8).prop_map(Value::Array),
            vec(pair, 0..5).prop_map(Value::Map)
        ]
    })
}

fn schema_and_value() -> impl Strategy<Value = (Schema, Value)> {
    schema().prop_flat_map(|schema| {
        let value = value(&schema);
        (Just(schema), value)
    })
}

/// Equal, where NaN equals NaN.
fn same(a: &Value, b: &Value) -> bool {
    format!("{a:?}") == format!("{b:?}")
}

/// Changes some bytes, or cuts, or doubles a piece.
#[derive(Clone, Debug)]
enum Mutation {
    Set(Index, u8),
    Word(Index, u32),
    Cut(Index),
    Double(Index, Index),
}

fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    let small = prop_oneof![0..80_u32, Just(u32::MAX), Just(0x7fff_ffff), any::<u32>()];
    let mutation = prop_oneof![
        4 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        4 => (any::<Index>(), small).prop_map(|(at, word)| Mutation::Word(at, word)),
        1 => any::<Index>().prop_map(Mutation::Cut),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Mutation::Double(from, to)),
    ];
    vec(mutation, 1..5)
}

fn mutate(bytes: &mut Vec<u8>, mutations: &[Mutation]) {
    for mutation in mutations {
        if bytes.is_empty() {
            return;
        }
        match mutation {
            Mutation::Set(at, byte) => {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            // Where numbers stand, so that a change is not lost in a payload.
            Mutation::Word(at, word) => {
                let at = at.index(bytes.len()) / 4 * 4;
                let end = bytes.len().min(at + 4);
                bytes[at..end].copy_from_slice(&word.to_le_bytes()[..end - at]);
            }
            Mutation::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Mutation::Double(from, to) => {
                let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
                let piece = bytes[from.min(to)..from.max(to)].to_vec();
                bytes.extend(piece);
            }
        }
    }
    // The length is right, so that what comes behind it is looked at.
    let length = bytes.len() as u32;
    if let Some(place) = bytes.get_mut(4..8) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}

/// A record of a frame, owning what it consists of.
#[derive(Clone, Debug)]
struct Given {
    timestamp: Timestamp,
    offset: Option<i64>,
    partition: Option<i32>,
    topic: String,
    boundary: Boundary,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Option<String>, Option<Vec<u8>>)>,
    schema: Option<String>,
    source: Option<(String, String)>,
}

fn given() -> impl Strategy<Value = Given> {
    let timestamp = prop_oneof![
        Just(Timestamp::None),
        Just(Timestamp::Arrival),
        any::<i64>().prop_map(Timestamp::Create),
        any::<i64>().prop_map(Timestamp::LogAppend),
    ];
    let boundary = prop_oneof![Just(Boundary::None), Just(Boundary::Commit), Just(Boundary::Abort)];
    let payload = || option::of(vec(any::<u8>(), 0..300));
    let header = ("[a-z]{0,3}", option::of("[a-c]"), payload());
    let numbers = (timestamp, option::of(0..i64::MAX), option::of(0..i32::MAX), boundary);
    let parts = (
        payload(),
        payload(),
        vec(header, 0..4),
        option::of("[a-c]{1,2}"),
        option::of((".{0,3}", ".{0,9}")),
    );
    (numbers, "[a-z]{1,2}", parts).prop_map(|(numbers, topic, (key, value, headers, schema, source))| {
        let (timestamp, offset, partition, boundary) = numbers;
        Given {
            timestamp,
            offset,
            partition,
            topic,
            boundary,
            key,
            value,
            headers,
            schema,
            source,
        }
    })
}

fn build(builder: &mut FrameBuilder, expected: usize, records: &[Given]) -> Vec<u8> {
    builder.begin(
        Encodings {
            headers: Encoding::Connect,
            ..Encodings::default()
        },
        expected,
    );
    for record in records {
        let mut headers = Vec::new();
        for (name, schema, value) in &record.headers {
            let schema = schema.as_ref().map(|schema| builder.schema(7, schema).unwrap());
            headers.push(NewHeader {
                name: builder.header_name(name).unwrap(),
                schema,
                value: value.as_deref(),
            });
        }
        let source = record.source.as_ref().map(|(partition, offset)| SourceCoordinates {
            partition: builder.source_partition(partition).unwrap(),
            offset,
        });
        let record = NewRecord {
            timestamp: record.timestamp,
            offset: record.offset,
            partition: record.partition,
            origin: 0,
            topic: builder.topic(&record.topic).unwrap(),
            boundary: record.boundary,
            key: record.key.as_deref(),
            value: record.value.as_deref(),
            key_schema: None,
            value_schema: record.schema.as_ref().map(|schema| builder.schema(0, schema).unwrap()),
            headers: &headers,
            source,
        };
        builder.push(&record).unwrap();
    }
    builder.finish().to_vec()
}

fn check_frame(bytes: &[u8], records: &[Given], source: bool) {
    let frame = Frame::parse(bytes).unwrap();
    assert_eq!(frame.len(), records.len());
    for (found, given) in frame.records().zip(records) {
        assert_eq!(
            (found.timestamp, found.offset, found.partition),
            (given.timestamp, given.offset, given.partition)
        );
        assert_eq!((found.topic, found.boundary), (given.topic.as_str(), given.boundary));
        assert_eq!((found.key, found.value), (given.key.as_deref(), given.value.as_deref()));
        let schema = found.value_schema.map(|index| frame.schema(index).1);
        assert_eq!(schema, given.schema.as_deref());
        let headers: Vec<_> = found
            .headers
            .map(|header| {
                (
                    header.name,
                    header.schema.map(|index| frame.schema(index)),
                    header.value,
                )
            })
            .collect();
        let expected: Vec<_> = given
            .headers
            .iter()
            .map(|(name, schema, value)| {
                (
                    name.as_str(),
                    schema.as_deref().map(|schema| (7, schema)),
                    value.as_deref(),
                )
            })
            .collect();
        assert_eq!(headers, expected);
        let coordinates = found
            .source
            .map(|source| (frame.source_partition(source.partition), source.offset));
        let expected = given
            .source
            .as_ref()
            .filter(|_| source)
            .map(|(a, b)| (a.as_str(), b.as_str()));
        assert_eq!(coordinates, expected);
    }
}

proptest! {
    #[test]
    fn typed_values_come_back((schema, value) in schema_and_value()) {
        let mut bytes = b"before".to_vec();
        let present = encode(Some(&schema), &value, &mut bytes).unwrap();
        prop_assert_eq!(present, !value.is_null());
        if present {
            let bytes = &bytes[6..];
            prop_assert!(same(&decode(Some(&schema), bytes).unwrap(), &value));
            if let Value::Struct(values) = &value {
                let view = TypedView::new(&schema, bytes).unwrap();
                for (i, value) in values.iter().enumerate() {
                    prop_assert!(same(&view.value(i).unwrap(), value));
                }
            }
        }
        prop_assert!(schema.validate(&value).is_ok());
    }

    #[test]
    fn schemas_come_back(schema in schema()) {
        prop_assert_eq!(Schema::from_json(&schema.to_json()).unwrap(), schema);
    }

    #[test]
    fn values_without_schema_come_back(value in value_without_schema()) {
        let mut bytes = Vec::new();
        if encode(None, &value, &mut bytes).unwrap() {
            prop_assert!(same(&decode(None, &bytes).unwrap(), &value));
        }
    }

    #[test]
    fn decimals_come_back(unscaled in vec(any::<u8>(), 0..40), scale in -20..20_i32) {
        let decimal = Decimal::new(&unscaled, scale);
        prop_assert_eq!(Decimal::from_unscaled_text(&decimal.unscaled_text(), scale).unwrap(), decimal.clone());
        prop_assert_eq!(Decimal::parse(&decimal.to_string()).unwrap(), decimal.clone());
        prop_assert_eq!(decimal.with_scale(scale + 5).unwrap().with_scale(scale).unwrap(), decimal);
    }

    #[test]
    fn frames_come_back(batches in vec((vec(given(), 0..40), 0..60_usize), 1..4), source in any::<bool>()) {
        let mut builder = FrameBuilder::new(if source { Role::Source } else { Role::Sink });
        for (records, expected) in &batches {
            let bytes = build(&mut builder, *expected, records);
            check_frame(&bytes, records, source);
        }
    }

    #[test]
    fn mutated_frames_do_no_harm(records in vec(given(), 1..6), mutations in mutations(), source in any::<bool>()) {
        let mut builder = FrameBuilder::new(if source { Role::Source } else { Role::Sink });
        let mut bytes = build(&mut builder, records.len(), &records);
        mutate(&mut bytes, &mutations);
        exercise::frame(&bytes);
    }

    #[test]
    fn mutated_values_do_no_harm((schema, value) in schema_and_value(), mutations in mutations()) {
        let mut bytes = Vec::new();
        if encode(Some(&schema), &value, &mut bytes).unwrap() {
            mutate(&mut bytes, &mutations);
            exercise::typed(Some(&schema), &bytes);
        }
    }

    #[test]
    fn mutated_values_without_schema_do_no_harm(value in value_without_schema(), mutations in mutations()) {
        let mut bytes = Vec::new();
        if encode(None, &value, &mut bytes).unwrap() {
            mutate(&mut bytes, &mutations);
            exercise::typed(None, &bytes);
        }
    }

    #[test]
    fn garbage_does_no_harm(mut bytes in vec(any::<u8>(), 0..400), schema in schema()) {
        exercise::typed(Some(&schema), &bytes);
        exercise::typed(None, &bytes);
        if let Some(magic) = bytes.get_mut(..4) {
            magic.copy_from_slice(b"CSN\x01");
        }
        exercise::frame(&bytes);
    }
}

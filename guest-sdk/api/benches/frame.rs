//! What a record costs at the boundary: building and reading frames of 500 records.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Duration;

use caisson_api::frame::{Encoding, Encodings, Frame, FrameBuilder, NewRecord, Role, SourceCoordinates, Timestamp};
use caisson_api::schema::{Kind, Schema, SchemaBuilder};
use caisson_api::typed::{self, TypedView};
use caisson_api::value::Value;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const RECORDS: usize = 500;

fn build<'b>(builder: &'b mut FrameBuilder, encodings: Encodings, value: &[u8], source: bool) -> &'b [u8] {
    builder.begin(encodings, RECORDS);
    let topic = builder.topic("orders").unwrap();
    let partition = builder.source_partition(r#"{"filename":"/tmp/x"}"#).unwrap();
    for i in 0..RECORDS as i64 {
        let record = NewRecord {
            timestamp: Timestamp::Create(1_762_000_000_000 + i),
            offset: (!source).then_some(i),
            partition: Some(0),
            topic,
            value: Some(black_box(value)),
            source: source.then_some(SourceCoordinates {
                partition,
                offset: r#"{"position":123456}"#,
            }),
            ..NewRecord::default()
        };
        builder.push(&record).unwrap();
    }
    builder.finish()
}

fn read(frame: &[u8]) -> usize {
    let frame = Frame::parse(frame).unwrap();
    frame
        .records()
        .map(|record| record.value.map_or(0, <[u8]>::len) + record.topic.len())
        .sum()
}

fn frames(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("frame");
    group.throughput(Throughput::Elements(RECORDS as u64));
    group
        .measurement_time(Duration::from_secs(2))
        .warm_up_time(Duration::from_millis(500));
    for size in [100, 1024] {
        let value = vec![b'x'; size];
        for (name, role, encoding) in [
            ("sink bytes", Role::Sink, Encoding::Bytes),
            ("sink json", Role::Sink, Encoding::Json),
            ("source bytes", Role::Source, Encoding::Bytes),
        ] {
            let mut builder = FrameBuilder::new(role);
            let encodings = Encodings {
                value: encoding,
                ..Encodings::default()
            };
            let source = role == Role::Source;
            group.bench_function(format!("build/{name}/{size}"), |bencher| {
                bencher.iter(|| black_box(build(&mut builder, encodings, &value, source)).len());
            });
            let frame = build(&mut builder, encodings, &value, source).to_vec();
            group.bench_function(format!("parse/{name}/{size}"), |bencher| {
                bencher.iter(|| Frame::parse(black_box(&frame)).unwrap().len());
            });
            group.bench_function(format!("read/{name}/{size}"), |bencher| {
                bencher.iter(|| read(black_box(&frame)));
            });
        }
    }
    group.finish();
}

fn person() -> (Schema, Value) {
    let optional = || Schema::optional(Kind::String);
    let schema = SchemaBuilder::structure()
        .field("id", Schema::new(Kind::Int64))
        .field("name", Schema::new(Kind::String))
        .field("email", optional())
        .field("note", optional())
        .field("age", Schema::new(Kind::Int32))
        .field("score", Schema::new(Kind::Float64))
        .field("active", Schema::new(Kind::Boolean))
        .field("created", Schema::timestamp())
        .field("tags", SchemaBuilder::array(Schema::new(Kind::String)).build().unwrap())
        .field("raw", Schema::new(Kind::Bytes))
        .build()
        .unwrap();
    let value = Value::Struct(vec![
        Value::Int64(7),
        "Ada Lovelace".into(),
        "ada@example.org".into(),
        Value::Null,
        Value::Int32(36),
        Value::Float64(0.5),
        Value::Boolean(true),
        Value::Date(1_762_000_000_123),
        Value::Array(vec!["mathematics".into(), "poetry".into()]),
        Value::Bytes(vec![0; 16]),
    ]);
    (schema, value)
}

fn typed_values(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("typed");
    group
        .measurement_time(Duration::from_secs(2))
        .warm_up_time(Duration::from_millis(500));
    let (schema, value) = person();
    let mut out = Vec::new();
    group.bench_function("encode/10 fields", |bencher| {
        bencher.iter(|| {
            out.clear();
            typed::encode(Some(&schema), black_box(&value), &mut out).unwrap();
            out.len()
        });
    });
    group.bench_function("decode/10 fields", |bencher| {
        bencher.iter(|| typed::decode(Some(&schema), black_box(&out)).unwrap());
    });
    group.bench_function("view/one field of 10", |bencher| {
        bencher.iter(|| TypedView::new(&schema, black_box(&out)).unwrap().int(4).unwrap());
    });
    group.finish();
}

criterion_group!(benches, frames, typed_values);
criterion_main!(benches);

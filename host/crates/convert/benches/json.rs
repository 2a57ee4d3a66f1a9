//! Nanoseconds per record of the JSON converter, each way, with and without schemas, at about 100 bytes and 1 KB.

use std::hint::black_box;
use std::sync::Arc;

use caisson_api::schema::{Kind, Schema, SchemaBuilder};
use caisson_api::{SchemaRef, Value, typed};
use caisson_convert::{Converter, JsonConverter, JsonOptions};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// The worker's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The records of the bench: flat, six fields and as many fillers of 40 characters as the size asks for.
struct Record {
    schema: SchemaRef,
    value: Value,
    text: Vec<u8>,
    block: Vec<u8>,
}

impl Record {
    fn new(fillers: usize) -> Self {
        let mut builder = SchemaBuilder::structure();
        let mut values = Vec::new();
        let mut field = |name: &str, kind: Kind, value: Value| {
            builder = std::mem::replace(&mut builder, SchemaBuilder::structure()).field(name, Schema::new(kind));
            values.push(value);
        };
        field("id", Kind::Int64, Value::Int64(100_000_000));
        field("user", Kind::String, Value::String("u-000000".into()));
        field("ts", Kind::Int64, Value::Int64(1_700_000_000_000));
        field("amount", Kind::Float64, Value::Float64(10.75));
        field("card", Kind::String, Value::String("4111111111111111".into()));
        field("ok", Kind::Boolean, Value::Boolean(true));
        for filler in 0..fillers {
            field(&format!("f{filler:02}"), Kind::String, Value::String("x".repeat(40)));
        }
        let schema: SchemaRef = Arc::new(builder.build().expect("it is a good schema"));
        let value = Value::Struct(values);
        let (mut text, mut block) = (Vec::new(), Vec::new());
        plain()
            .from_connect("t", Some(&schema), &value, &mut text)
            .expect("it fits");
        typed::encode(Some(&schema), &value, &mut block).expect("it fits");
        Record {
            schema,
            value,
            text,
            block,
        }
    }
}

fn plain() -> JsonConverter {
    JsonConverter::new(JsonOptions {
        schemas_enable: false,
        ..JsonOptions::default()
    })
}

fn read(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read");
    for fillers in [0, 18] {
        let record = Record::new(fillers);
        let (converter, enveloped) = (plain(), JsonConverter::default());
        let mut envelope = Vec::new();
        enveloped
            .from_connect("t", Some(&record.schema), &record.value, &mut envelope)
            .expect("it fits");
        let size = record.text.len();
        group.throughput(Throughput::Bytes(size as u64));
        let mut out = Vec::new();
        group.bench_function(BenchmarkId::new("check", size), |bencher| {
            bencher.iter(|| converter.check("t", black_box(&record.text)));
        });
        group.bench_function(BenchmarkId::new("to_json", size), |bencher| {
            bencher.iter(|| {
                out.clear();
                converter.to_json("t", black_box(&record.text), &mut out)
            });
        });
        group.bench_function(BenchmarkId::new("to_typed", size), |bencher| {
            bencher.iter(|| {
                out.clear();
                converter.to_typed("t", black_box(&record.text), &mut out)
            });
        });
        group.bench_function(BenchmarkId::new("to_connect", size), |bencher| {
            bencher.iter(|| converter.to_connect("t", Some(black_box(&record.text))));
        });
        group.bench_function(BenchmarkId::new("to_connect_envelope", size), |bencher| {
            bencher.iter(|| enveloped.to_connect("t", Some(black_box(&envelope))));
        });
        group.bench_function(BenchmarkId::new("to_typed_envelope", size), |bencher| {
            bencher.iter(|| {
                out.clear();
                enveloped.to_typed("t", black_box(&envelope), &mut out)
            });
        });
    }
    group.finish();
}

fn write(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("write");
    for fillers in [0, 18] {
        let record = Record::new(fillers);
        let (converter, enveloped) = (plain(), JsonConverter::default());
        let (_, map) = converter.to_connect("t", Some(&record.text)).expect("it is JSON");
        let size = record.text.len();
        group.throughput(Throughput::Bytes(size as u64));
        let mut out = Vec::new();
        for (name, converter) in [("plain", &converter), ("envelope", &enveloped)] {
            group.bench_function(BenchmarkId::new(format!("from_typed_{name}"), size), |bencher| {
                bencher.iter(|| {
                    out.clear();
                    converter.from_typed("t", Some(&record.schema), Some(black_box(&record.block)), &mut out)
                });
            });
            group.bench_function(BenchmarkId::new(format!("from_connect_{name}"), size), |bencher| {
                bencher.iter(|| {
                    out.clear();
                    converter.from_connect("t", Some(&record.schema), black_box(&record.value), &mut out)
                });
            });
        }
        group.bench_function(BenchmarkId::new("from_connect_schemaless", size), |bencher| {
            bencher.iter(|| {
                out.clear();
                converter.from_connect("t", None, black_box(&map), &mut out)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, read, write);
criterion_main!(benches);

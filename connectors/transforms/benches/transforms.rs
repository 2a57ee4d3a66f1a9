//! Each transform and predicate on a record as it stands between two links of a chain: decoded, and owned.

use std::hint::black_box;
use std::sync::Arc;

use caisson_sdk::api::frame::Timestamp;
use caisson_sdk::api::schema::SchemaBuilder;
use caisson_sdk::prelude::*;
use caisson_transforms::{DynPredicate, DynTransform, predicates, transforms};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

/// Name without the package, and configuration.
const CASES: &[(&str, &[(&str, &str)])] = &[
    ("Cast$Value", &[("spec", "id:string,price:int32")]),
    ("DropHeaders", &[("headers", "trace")]),
    ("ExtractField$Value", &[("field", "name")]),
    ("Filter", &[]),
    ("Flatten$Value", &[]),
    (
        "HeaderFrom$Value",
        &[("fields", "name"), ("headers", "name"), ("operation", "copy")],
    ),
    ("HoistField$Value", &[("field", "whole")]),
    (
        "InsertField$Value",
        &[("topic.field", "topic"), ("offset.field", "offset")],
    ),
    ("InsertHeader", &[("header", "h"), ("value.literal", "42")]),
    ("MaskField$Value", &[("fields", "name,price")]),
    ("RegexRouter", &[("regex", "(.*)-(.*)"), ("replacement", "$2-$1")]),
    ("ReplaceField$Value", &[("exclude", "price"), ("renames", "name:title")]),
    (
        "SetSchemaMetadata$Value",
        &[("schema.name", "order"), ("schema.version", "2")],
    ),
    (
        "TimestampConverter$Value",
        &[
            ("field", "at"),
            ("target.type", "string"),
            ("format", "yyyy-MM-dd'T'HH:mm:ss.SSSX"),
        ],
    ),
    ("TimestampRouter", &[]),
    ("ValueToKey", &[("fields", "id")]),
];

/// As [`CASES`], of the predicates.
const PREDICATES: &[(&str, &[(&str, &str)])] = &[
    ("HasHeaderKey", &[("name", "trace")]),
    ("RecordIsTombstone", &[]),
    ("TopicNameMatches", &[("pattern", "orders-.*")]),
];

const TIME: i64 = 1_700_000_000_123;

fn schema() -> SchemaRef {
    let address = SchemaBuilder::structure()
        .field("street", Schema::optional(Kind::String))
        .field("zip", Schema::new(Kind::Int32));
    let order = SchemaBuilder::structure()
        .field("id", Schema::new(Kind::Int64))
        .field("name", Schema::new(Kind::String))
        .field("price", Schema::new(Kind::Float64))
        .field("at", Schema::timestamp())
        .field("address", address.build().expect("the fields have different names"));
    Arc::new(order.build().expect("the fields have different names"))
}

fn record(schema: Option<SchemaRef>) -> Record {
    let address = [
        ("street", Value::from("Unter den Linden 1")),
        ("zip", Value::Int32(10117)),
    ];
    let fields = |address: Value| {
        [
            ("id", Value::Int64(42)),
            ("name", Value::from("a thing with a name")),
            ("price", Value::Float64(12.5)),
            (
                "at",
                if schema.is_some() {
                    Value::Date(TIME)
                } else {
                    Value::Int64(TIME)
                },
            ),
            ("address", address),
        ]
    };
    let map = |entries: Vec<(&str, Value)>| {
        Value::Map(
            entries
                .into_iter()
                .map(|(name, value)| (Value::from(name), value))
                .collect(),
        )
    };
    let value = if schema.is_some() {
        let address = Value::Struct(address.into_iter().map(|(_, value)| value).collect());
        Value::Struct(fields(address).into_iter().map(|(_, value)| value).collect())
    } else {
        map(fields(map(address.into())).into())
    };
    Record {
        topic: "orders-eu".into(),
        partition: Some(3),
        key_schema: None,
        key: Value::Null,
        value_schema: schema,
        value,
        timestamp: Some(TIME),
        headers: vec![Header {
            name: "trace".into(),
            schema: None,
            value: Value::from("x"),
        }],
    }
}

fn start(name: &str, config: &[(&str, &str)]) -> Box<dyn DynTransform> {
    let class = format!("org.apache.kafka.connect.transforms.{name}");
    let transform = transforms()
        .iter()
        .find(|transform| transform.plugin().class() == class)
        .expect("all cases name a transform");
    let settings = Settings::parse(transform.plugin().config(), config.iter().copied().collect());
    let settings = settings.expect("all cases are good configurations");
    transform.start(&settings).expect("all cases are good configurations")
}

fn start_predicate(name: &str, config: &[(&str, &str)]) -> Box<dyn DynPredicate> {
    let class = format!("org.apache.kafka.connect.transforms.predicates.{name}");
    let predicate = predicates()
        .iter()
        .find(|predicate| predicate.plugin().class() == class)
        .expect("all cases name a predicate");
    let settings = Settings::parse(predicate.plugin().config(), config.iter().copied().collect());
    let settings = settings.expect("all cases are good configurations");
    predicate.start(&settings).expect("all cases are good configurations")
}

fn bench_predicates(criterion: &mut Criterion) {
    let record = record(None);
    for (name, config) in PREDICATES {
        let mut predicate = start_predicate(name, config);
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| predicate.test(black_box(&record)).expect("all cases fit the record"));
        });
    }
}

fn bench(criterion: &mut Criterion) {
    let origin = Origin::Sink {
        offset: 1234,
        timestamp: Timestamp::Create(TIME),
    };
    for (form, schema) in [("struct", Some(schema())), ("map", None)] {
        let record = record(schema);
        for (name, config) in CASES {
            // There is nothing to set without a schema.
            if form == "map" && *name == "SetSchemaMetadata$Value" {
                continue;
            }
            let mut transform = start(name, config);
            criterion.bench_function(&format!("{name}/{form}"), |bencher| {
                bencher.iter_batched(
                    || record.clone(),
                    |record| transform.apply(record, origin).expect("all cases fit the record"),
                    BatchSize::SmallInput,
                );
            });
        }
    }
}

criterion_group!(benches, bench, bench_predicates);
criterion_main!(benches);

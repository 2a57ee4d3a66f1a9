//! The transforms of change events, run as the worker runs them.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use caisson_sdk::api::schema::SchemaBuilder;
use caisson_sdk::prelude::*;
use caisson_transforms::DynTransform;

fn start(class: &str, config: &[(&str, &str)]) -> Box<dyn DynTransform> {
    let all = caisson_transforms::transforms();
    let native = all.iter().find(|native| native.plugin().class() == class).unwrap();
    let config: Config = config.iter().copied().collect();
    let settings = Settings::parse(native.plugin().config(), config).unwrap();
    native.start(&settings).unwrap()
}

fn unwrapping(config: &[(&str, &str)]) -> Box<dyn DynTransform> {
    start("io.debezium.transforms.ExtractNewRecordState", config)
}

fn schema(kind: Kind) -> Schema {
    Schema::new(kind)
}

/// The schema of events of a table with these columns.
fn event_schema(columns: &[(&str, Schema)]) -> SchemaRef {
    let row = columns.iter().fold(
        SchemaBuilder::structure().name("p.public.t.Value").optional(),
        |row, (name, schema)| row.field(*name, schema.clone()),
    );
    let row: SchemaRef = row.build().unwrap().into();
    let source = SchemaBuilder::structure()
        .name("Source")
        .field("schema", schema(Kind::String))
        .field("table", schema(Kind::String))
        .field("lsn", schema(Kind::Int64).into_optional());
    SchemaBuilder::structure()
        .name("p.public.t.Envelope")
        .version(2)
        .field("before", row.clone())
        .field("after", row)
        .field("source", source.build().unwrap())
        .field("op", schema(Kind::String))
        .field("ts_ms", schema(Kind::Int64).into_optional())
        .build()
        .unwrap()
        .into()
}

fn customers() -> SchemaRef {
    let counted = SchemaBuilder::new(Kind::Int32).optional().default(Value::Int32(7));
    event_schema(&[
        ("id", schema(Kind::Int32)),
        ("name", schema(Kind::String).into_optional()),
        ("count", counted.build().unwrap()),
    ])
}

fn row(id: i32, name: &str) -> Value {
    Value::Struct(vec![Value::Int32(id), Value::from(name), Value::Null])
}

fn event(schema: &SchemaRef, op: &str, before: Value, after: Value) -> Record {
    let source = Value::Struct(vec![Value::from("public"), Value::from("t"), Value::Int64(9)]);
    let key: SchemaRef = SchemaBuilder::structure()
        .name("p.public.t.Key")
        .field("id", Schema::new(Kind::Int32))
        .build()
        .unwrap()
        .into();
    Record {
        topic: "p.public.t".into(),
        partition: None,
        key_schema: Some(key),
        key: Value::Struct(vec![Value::Int32(1)]),
        value_schema: Some(schema.clone()),
        value: Value::Struct(vec![before, after, source, Value::from(op), Value::Int64(5)]),
        timestamp: None,
        headers: Vec::new(),
    }
}

fn tombstone(schema: &SchemaRef) -> Record {
    Record {
        value_schema: None,
        value: Value::Null,
        ..event(schema, "d", Value::Null, Value::Null)
    }
}

fn apply(transform: &mut Box<dyn DynTransform>, record: Record) -> Option<Record> {
    transform.apply(record, Origin::Source).unwrap()
}

fn names(record: &Record) -> Vec<&str> {
    let schema = record.value_schema.as_ref().unwrap();
    schema.fields().iter().map(|field| field.name.as_str()).collect()
}

#[test]
fn a_row_comes_in_the_place_of_its_event() {
    let schema = customers();
    let mut unwrap = unwrapping(&[]);
    let record = apply(&mut unwrap, event(&schema, "c", Value::Null, row(1, "Ann"))).unwrap();
    assert_eq!(record.value, row(1, "Ann"));
    let unwrapped = record.value_schema.unwrap();
    assert_eq!(unwrapped.name.as_deref(), Some("p.public.t.Value"));
    assert!(!unwrapped.optional);
    // Records of one schema share one.
    let other = apply(&mut unwrap, event(&schema, "u", row(1, "Ann"), row(1, "Bob"))).unwrap();
    assert!(Arc::ptr_eq(&unwrapped, &other.value_schema.unwrap()));
}

#[test]
fn deletes_become_what_the_mode_says() {
    let schema = customers();
    let deleted = || event(&schema, "d", row(1, "Ann"), Value::Null);
    for (mode, delete, keeps_tombstone) in [
        ("drop", None, false),
        ("tombstone", Some((Value::Null, true)), false),
        ("delete-to-tombstone", Some((Value::Null, false)), false),
    ] {
        let mut unwrap = unwrapping(&[("delete.tombstone.handling.mode", mode)]);
        let found = apply(&mut unwrap, deleted()).map(|record| (record.value, record.value_schema.is_some()));
        assert_eq!(found, delete, "{mode}");
        assert_eq!(
            apply(&mut unwrap, tombstone(&schema)).is_some(),
            keeps_tombstone,
            "{mode}"
        );
        // A truncation is of no row.
        assert!(apply(&mut unwrap, event(&schema, "t", Value::Null, Value::Null)).is_none());
    }
}

#[test]
fn rewritten_rows_say_whether_they_are_deleted() {
    let schema = customers();
    let mut unwrap = unwrapping(&[
        ("delete.tombstone.handling.mode", "rewrite-with-tombstone"),
        ("add.fields", "op,source.table:tab,lsn,unknown"),
        ("add.headers", "op"),
        ("add.headers.prefix", "h_"),
    ]);
    let record = apply(&mut unwrap, event(&schema, "d", row(1, "Ann"), Value::Null)).unwrap();
    assert_eq!(
        names(&record),
        ["id", "name", "count", "__deleted", "__op", "__tab", "__lsn"]
    );
    let expected = [
        Value::Int32(1),
        Value::from("Ann"),
        // A null with a default is the default where rows are rewritten.
        Value::Int32(7),
        Value::from("true"),
        Value::from("d"),
        Value::from("t"),
        Value::Int64(9),
    ];
    assert_eq!(record.value, Value::Struct(expected.to_vec()));
    assert_eq!(
        (&*record.headers[0].name, &record.headers[0].value),
        ("h_op", &Value::from("d"))
    );
    // The tombstone of a delete has the delete's headers as well; one by itself has its own alone.
    for headers in [2, 1] {
        let record = apply(&mut unwrap, tombstone(&schema)).unwrap();
        let found: Vec<_> = record
            .headers
            .iter()
            .map(|header| (&*header.name, &header.value))
            .collect();
        assert_eq!(found, vec![("h_op", &Value::from("d")); headers]);
    }
    let record = apply(&mut unwrap, event(&schema, "r", Value::Null, row(2, "Bob"))).unwrap();
    let Value::Struct(values) = record.value else { panic!() };
    assert_eq!(values[3], Value::from("false"));
}

#[test]
fn columns_of_both_rows_may_be_added() {
    let schema = customers();
    let mut unwrap = unwrapping(&[("add.fields", "before.name,after.id")]);
    let record = apply(&mut unwrap, event(&schema, "u", row(1, "Ann"), row(2, "Bob"))).unwrap();
    assert_eq!(names(&record), ["id", "name", "count", "__before_name", "__after_id"]);
    let Value::Struct(values) = &record.value else {
        panic!("{:?}", record.value)
    };
    assert_eq!(values[3..], [Value::from("Ann"), Value::Int32(2)]);
}

#[test]
fn a_column_may_name_the_topic_and_a_header_what_to_leave_out() {
    let schema = customers();
    let mut unwrap = unwrapping(&[
        ("route.by.field", "name"),
        ("drop.fields.header.name", "drop"),
        ("drop.fields.from.key", "true"),
    ]);
    let mut record = event(&schema, "c", Value::Null, row(1, "elsewhere"));
    record.headers.push(Header {
        name: "drop".into(),
        schema: None,
        value: Value::Array(vec![Value::from("count"), Value::from("id")]),
    });
    let record = apply(&mut unwrap, record).unwrap();
    assert_eq!(&*record.topic, "elsewhere");
    // What is required stays.
    assert_eq!(names(&record), ["id", "name"]);
    assert_eq!(record.key, Value::Struct(vec![Value::Int32(1)]));
}

#[test]
fn what_is_no_change_event_passes() {
    let schema = customers();
    let mut record = event(&schema, "c", Value::Null, row(1, "Ann"));
    record.value_schema = None;
    record.value = Value::from("heartbeat");
    for class in [
        "io.debezium.transforms.ExtractNewRecordState",
        "io.debezium.transforms.outbox.EventRouter",
    ] {
        assert_eq!(
            apply(&mut start(class, &[]), record.clone()),
            Some(record.clone()),
            "{class}"
        );
    }
}

#[test]
fn tables_are_routed_into_one_topic_and_told_apart_in_the_key() {
    let schema = customers();
    let mut router = start(
        "io.debezium.transforms.ByLogicalTableRouter",
        &[
            ("topic.regex", r"p\.public\.(t)"),
            ("topic.replacement", "all-$1"),
            ("key.field.regex", r".*\.(.*)"),
            ("key.field.replacement", "table $1"),
            ("schema.name.adjustment.mode", "avro"),
        ],
    );
    let record = apply(&mut router, event(&schema, "c", Value::Null, row(1, "Ann"))).unwrap();
    assert_eq!(&*record.topic, "all-t");
    assert_eq!(record.key, Value::Struct(vec![Value::Int32(1), Value::from("table t")]));
    let key = record.key_schema.unwrap();
    assert_eq!(key.name.as_deref(), Some("all_t.Key"));
    assert_eq!(key.fields()[1].name, "__dbz__physicalTableIdentifier");
    let value = record.value_schema.unwrap();
    assert_eq!(value.name.as_deref(), Some("all_t.Envelope"));
    assert_eq!(
        value.field("after").unwrap().schema.name.as_deref(),
        Some("all_t.Value")
    );
    let gone = apply(&mut router, tombstone(&schema)).unwrap();
    assert_eq!((&*gone.topic, gone.value), ("all-t", Value::Null));
    let mut other = event(&schema, "c", Value::Null, row(1, "Ann"));
    other.topic = "q.public.t".into();
    assert_eq!(apply(&mut router, other.clone()), Some(other));
}

fn outbox() -> SchemaRef {
    let time = Schema {
        name: Some("io.debezium.time.MicroTimestamp".into()),
        ..schema(Kind::Int64)
    };
    event_schema(&[
        ("id", schema(Kind::String)),
        ("aggregatetype", schema(Kind::String)),
        ("aggregateid", schema(Kind::String)),
        ("type", schema(Kind::String)),
        ("payload", schema(Kind::String).into_optional()),
        ("made", time),
    ])
}

fn message(payload: &str) -> Value {
    let texts = ["e1", "order", "o7", "OrderCreated", payload];
    let mut values: Vec<Value> = texts.into_iter().map(Value::from).collect();
    values.push(Value::Int64(1_700_000_000_123_456));
    Value::Struct(values)
}

#[test]
fn rows_of_an_outbox_become_messages() {
    let schema = outbox();
    let mut router = start(
        "io.debezium.transforms.outbox.EventRouter",
        &[
            ("table.field.event.timestamp", "made"),
            ("table.fields.additional.placement", "type:header:eventType"),
            ("table.expand.json.payload", "true"),
        ],
    );
    let payload = r#"{"n":1,"big":5000000000,"f":1.5,"none":null,"list":[{"a":1},{"b":"x"}]}"#;
    let record = apply(&mut router, event(&schema, "c", Value::Null, message(payload))).unwrap();
    assert_eq!(&*record.topic, "outbox.event.order");
    assert_eq!(record.key, Value::from("o7"));
    assert_eq!(record.timestamp, Some(1_700_000_000_123));
    let headers: Vec<_> = record
        .headers
        .iter()
        .map(|header| (&*header.name, &header.value))
        .collect();
    assert_eq!(
        headers,
        [("id", &Value::from("e1")), ("eventType", &Value::from("OrderCreated"))]
    );
    let item = |a: Value, b: Value| Value::Struct(vec![a, b]);
    let list = vec![item(Value::Int32(1), Value::Null), item(Value::Null, Value::from("x"))];
    let expected = vec![
        Value::Int32(1),
        Value::Int64(5_000_000_000),
        Value::Float64(1.5),
        Value::Array(list),
    ];
    assert_eq!(record.value, Value::Struct(expected));
    let value_schema = record.value_schema.unwrap();
    assert_eq!(value_schema.name.as_deref(), Some("payload"));
    // Of elements with different fields each has all of them, and is required.
    let Kind::Array(element) = &value_schema.fields()[3].schema.kind else {
        panic!("no list: {value_schema:?}")
    };
    assert!(!element.optional);
    // A member without a name cannot be a field, so that all stays text.
    let unnamed = r#"{"":1}"#;
    let plain = apply(&mut router, event(&schema, "c", Value::Null, message(unnamed))).unwrap();
    assert_eq!(plain.value, Value::from(unnamed));
    // What is no JSON stays text; rows that go or change are no messages.
    let plain = apply(&mut router, event(&schema, "c", Value::Null, message("{no"))).unwrap();
    assert_eq!(plain.value, Value::from("{no"));
    assert!(apply(&mut router, event(&schema, "d", message("x"), Value::Null)).is_none());
    assert!(apply(&mut router, event(&schema, "u", message("x"), message("y"))).is_none());
    assert!(apply(&mut router, tombstone(&schema)).is_none());
}

#[test]
fn columns_may_go_along_with_the_payload() {
    let schema = outbox();
    let mut router = start(
        "io.debezium.transforms.outbox.EventRouter",
        &[
            ("table.fields.additional.placement", "type:envelope:kind"),
            ("route.topic.regex", "(.*)er"),
            ("route.topic.replacement", "$1.events"),
            ("route.tombstone.on.empty.payload", "true"),
            ("table.op.invalid.behavior", "fatal"),
        ],
    );
    let record = apply(&mut router, event(&schema, "c", Value::Null, message("text"))).unwrap();
    assert_eq!(&*record.topic, "ord.events");
    assert_eq!(record.timestamp, Some(5));
    assert_eq!(
        record.value,
        Value::Struct(vec![Value::from("text"), Value::from("OrderCreated")])
    );
    let value = record.value_schema.as_ref().unwrap();
    assert_eq!(value.name.as_deref(), Some("p.public.t.order.Value"));
    assert_eq!(names(&record), ["payload", "kind"]);
    let empty = apply(&mut router, event(&schema, "c", Value::Null, message(" "))).unwrap();
    assert_eq!((empty.value, empty.value_schema), (Value::Null, None));
    let error = router
        .apply(event(&schema, "u", message("x"), message("y")), Origin::Source)
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Fatal);
}

//! The example transform.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use caisson_example_transform::MaskEmail;
use caisson_sdk::api::schema::Field;
use caisson_sdk::prelude::*;
use caisson_sdk::sink::SinkRecord;
use caisson_sdk::testing::{Applied, TransformHarness};

fn transform(fields: &str) -> TransformHarness<MaskEmail> {
    TransformHarness::start([("fields", fields)]).unwrap()
}

fn check(text: &str, expected: &str) {
    let records = transform("").run(&[SinkRecord::new("t", 0, 7, text)]).unwrap();
    assert_eq!(records[0].record.value, Value::from(expected));
    assert_eq!((records[0].offset, records[0].record.partition), (Some(7), Some(0)));
}

#[test]
fn addresses_in_texts_are_masked() {
    check("ada@example.org", "a***@example.org");
    check(
        "from <ada.l@example.org>, to ö@example.org.",
        "from <a***@example.org>, to ö***@example.org.",
    );
    check("a@b@c.org", "a***@b***@c.org");
    check(
        "no address, @home, user@ host, 3 @ 4",
        "no address, @home, user@ host, 3 @ 4",
    );
    check("", "");
}

#[test]
fn a_batch_without_addresses_is_answered_with_unchanged() {
    let records = [
        SinkRecord::new("t", 0, 0, "plain"),
        SinkRecord::new("t", 0, 1, Value::Null),
    ];
    assert_eq!(transform("").apply(&records).unwrap(), (Applied::Unchanged, vec![]));
}

#[test]
fn only_the_named_fields_of_a_struct_are_looked_at() {
    let text = |name: &str| Field {
        name: name.into(),
        schema: Arc::new(Schema::new(Kind::String)),
    };
    let schema = Arc::new(Schema::new(Kind::Struct(vec![text("mail"), text("note")])));
    let value = Value::Struct(vec![Value::from("ada@example.org"), Value::from("bob@example.org")]);
    let record = SinkRecord::new("t", 0, 0, value).value_schema(schema.clone());
    let records = transform("mail").run(&[record]).unwrap();
    let expected = Value::Struct(vec![Value::from("a***@example.org"), Value::from("bob@example.org")]);
    assert_eq!(records[0].record.value, expected);
    assert_eq!(records[0].record.value_schema.as_deref(), Some(&*schema));
}

#[test]
fn fields_are_found_at_any_depth_of_schemaless_values() {
    let inner = Value::Map(vec![(
        Value::from("mail"),
        Value::Array(vec![Value::from("ada@example.org")]),
    )]);
    let value = Value::Map(vec![
        (Value::from("user"), inner),
        (Value::from("x"), Value::from("bob@example.org")),
    ]);
    let records = transform("mail").run(&[SinkRecord::new("t", 0, 0, value)]).unwrap();
    let inner = Value::Map(vec![(
        Value::from("mail"),
        Value::Array(vec![Value::from("a***@example.org")]),
    )]);
    let expected = Value::Map(vec![
        (Value::from("user"), inner),
        (Value::from("x"), Value::from("bob@example.org")),
    ]);
    assert_eq!(records[0].record.value, expected);
}

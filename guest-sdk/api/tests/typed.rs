//! Typed values: layout, round trips, and what is refused.

#![allow(clippy::unwrap_used)]

use caisson_api::schema::{Kind, Schema, SchemaBuilder};
use caisson_api::typed::{MAX_DEPTH, TypedError, TypedView, decode, encode};
use caisson_api::value::{Decimal, Value};

fn encoded(schema: Option<&Schema>, value: &Value) -> Vec<u8> {
    // What is there before must not matter.
    let mut out = b"abc".to_vec();
    assert!(encode(schema, value, &mut out).unwrap());
    out.split_off(3)
}

fn check(schema: Option<&Schema>, value: Value) -> Vec<u8> {
    let bytes = encoded(schema, &value);
    assert_eq!(decode(schema, &bytes).unwrap(), value);
    bytes
}

fn words(bytes: &[u8]) -> Vec<u64> {
    bytes
        .chunks(8)
        .map(|word| u64::from_le_bytes(word.try_into().unwrap()))
        .collect()
}

#[test]
fn primitives_are_a_block_of_one_slot() {
    let new = Schema::new;
    assert_eq!(
        words(&check(Some(&new(Kind::Int8)), Value::Int8(-2))),
        [0, -2_i64 as u64]
    );
    assert_eq!(
        words(&check(Some(&new(Kind::Int64)), Value::Int64(i64::MIN))),
        [0, 1 << 63]
    );
    assert_eq!(words(&check(Some(&new(Kind::Boolean)), Value::Boolean(true))), [0, 1]);
    assert_eq!(
        words(&check(Some(&new(Kind::Float32)), Value::Float32(1.5))),
        [0, 1.5_f32.to_bits().into()]
    );
    assert_eq!(
        words(&check(Some(&new(Kind::Float64)), Value::Float64(-1.5))),
        [0, (-1.5_f64).to_bits()]
    );
    assert_eq!(
        check(Some(&new(Kind::String)), "é".into()),
        b"\0\0\0\0\0\0\0\0\x10\0\0\0\x02\0\0\0\xc3\xa9"
    );
    check(Some(&new(Kind::Int16)), Value::Int16(i16::MIN));
    check(Some(&new(Kind::Int32)), Value::Int32(i32::MAX));
    check(Some(&new(Kind::Bytes)), Value::Bytes(vec![]));
}

#[test]
fn logical_types_travel_as_what_they_stand_on() {
    assert_eq!(
        words(&check(Some(&Schema::date()), Value::Date(-86_400_000))),
        [0, -1_i64 as u64]
    );
    assert_eq!(
        words(&check(Some(&Schema::time()), Value::Date(3_600_000))),
        [0, 3_600_000]
    );
    assert_eq!(
        words(&check(Some(&Schema::timestamp()), Value::Date(-5))),
        [0, -5_i64 as u64]
    );
    let decimal = |text: &str| Value::Decimal(Decimal::parse(text).unwrap());
    assert_eq!(check(Some(&Schema::decimal(2)), decimal("-2.56"))[16..], [0xff, 0]);
    // Another scale is brought to that of the schema, if it can be.
    assert_eq!(
        encoded(Some(&Schema::decimal(3)), &decimal("1.5")),
        encoded(Some(&Schema::decimal(3)), &decimal("1.500"))
    );
    let error = encode(Some(&Schema::decimal(1)), &decimal("1.25"), &mut Vec::new()).unwrap_err();
    let text = "Decimal value has mismatching scale for given Decimal schema. Schema has scale 1, value has scale 2.";
    assert_eq!(error.to_string(), text);
}

fn nested() -> (Schema, Value) {
    let inner = SchemaBuilder::structure()
        .field("x", Schema::optional(Kind::Int32))
        .field("y", Schema::optional(Kind::String))
        .optional()
        .build()
        .unwrap();
    let schema = SchemaBuilder::structure()
        .field("a", SchemaBuilder::array(inner.clone()).build().unwrap())
        .field(
            "m",
            SchemaBuilder::map(Schema::new(Kind::String), Schema::optional(Kind::Float64))
                .build()
                .unwrap(),
        )
        .field("s", inner)
        .field("e", SchemaBuilder::array(Schema::new(Kind::Int8)).build().unwrap())
        .field("b", Schema::new(Kind::Bytes))
        .build()
        .unwrap();
    let pair = |x: i32, y: &str| Value::Struct(vec![Value::Int32(x), y.into()]);
    let value = Value::Struct(vec![
        Value::Array(vec![pair(1, "one"), Value::Null, pair(-3, "three")]),
        Value::Map(vec![("k".into(), Value::Float64(0.25)), ("l".into(), Value::Null)]),
        Value::Struct(vec![Value::Null, "y".into()]),
        Value::Array(vec![]),
        Value::Bytes(vec![1, 2, 3]),
    ]);
    (schema, value)
}

#[test]
fn structs_arrays_and_maps_nest() {
    let (schema, value) = nested();
    check(Some(&schema), value);
}

#[test]
fn blocks_of_more_than_64_slots_have_more_null_words() {
    for count in [63, 64, 65, 128, 200] {
        let schema = SchemaBuilder::array(Schema::optional(Kind::Int32)).build().unwrap();
        let values = (0..count)
            .map(|i| if i % 3 == 0 { Value::Null } else { Value::Int32(i) })
            .collect();
        let bytes = check(Some(&schema), Value::Array(values));
        let count = count as usize;
        assert_eq!(bytes.len(), 16 + count.div_ceil(64) * 8 + count * 8);
    }
}

#[test]
fn values_without_a_schema_say_what_they_are() {
    check(
        None,
        Value::Map(vec![
            ("i".into(), Value::Int8(1)),
            ("j".into(), Value::Int16(2)),
            ("k".into(), Value::Int32(3)),
            ("l".into(), Value::Int64(4)),
            ("f".into(), Value::Float32(0.5)),
            ("d".into(), Value::Float64(0.25)),
            ("b".into(), Value::Boolean(false)),
            ("n".into(), Value::Null),
            ("x".into(), Value::Bytes(vec![0, 255])),
            ("t".into(), Value::Date(-1)),
            (
                "c".into(),
                Value::Decimal(Decimal::parse("-123456789012345678901234567890.5").unwrap()),
            ),
            (
                Value::Int64(7),
                Value::Array(vec![Value::Array(vec![]), Value::Map(vec![]), "s".into()]),
            ),
        ]),
    );
    let bytes = encoded(None, &Value::Int32(-1));
    assert_eq!(words(&bytes), [0, 16, 4, -1_i64 as u64]);
}

#[test]
fn null_has_no_block() {
    let mut out = Vec::new();
    assert_eq!(
        encode(Some(&Schema::optional(Kind::Int8)), &Value::Null, &mut out),
        Ok(false)
    );
    assert!(out.is_empty());
}

#[test]
fn a_value_that_does_not_fit_its_schema_is_not_written() {
    let mut out = vec![1];
    let error = encode(Some(&Schema::new(Kind::Int8)), &Value::Int16(1), &mut out).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Invalid Java object for schema with type INT8: class java.lang.Short for value"
    );
    assert!(encode(None, &Value::Struct(vec![]), &mut out).is_err());
    assert_eq!(out, [1]);
}

#[test]
fn nesting_ends_at_the_limit() {
    let deep = |levels: usize| (1..levels).fold(Value::Array(vec![]), |value, _| Value::Array(vec![value]));
    check(None, deep(MAX_DEPTH - 1));
    assert_eq!(encode(None, &deep(MAX_DEPTH), &mut Vec::new()), Err(TypedError::Depth));
}

#[test]
fn few_bytes_cannot_stand_for_many_values() {
    // An array of two elements that are the same array of two elements, and so on.
    let mut bytes = words_to_bytes(&[0, 16 | 2 << 32]);
    for _ in 0..30 {
        let next = bytes.len() as u64 + 24;
        bytes.extend(words_to_bytes(&[0, next | 2 << 32, next | 2 << 32]));
    }
    let schema = (0..30).fold(Schema::new(Kind::Int64), |inner, _| {
        SchemaBuilder::array(inner).build().unwrap()
    });
    assert_eq!(decode(Some(&schema), &bytes), Err(TypedError::Overlap));
}

fn words_to_bytes(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

#[test]
fn positions_lead_forward_and_inside() {
    let array = SchemaBuilder::array(Schema::new(Kind::Int8)).build().unwrap();
    let decoded = |words: &[u64]| decode(Some(&array), &words_to_bytes(words)).unwrap_err();
    assert_eq!(decoded(&[0, 1 << 32]), TypedError::Position(0));
    assert_eq!(decoded(&[0, 20 | 1 << 32, 0, 0, 0]), TypedError::Position(20));
    assert_eq!(decoded(&[0, 16 | 1 << 32, 0]), TypedError::Short(24));
    assert_eq!(decoded(&[0, 16 | 0xffff_ffff << 32, 0]), TypedError::Short(24));
    assert_eq!(
        decoded(&[0, 16 | 1 << 32, 0, 128]),
        TypedError::Number {
            kind: "int8",
            found: 128
        }
    );
    assert_eq!(decoded(&[0]), TypedError::Short(8));
    assert_eq!(
        decode(None, &words_to_bytes(&[0, 16, 99, 0])),
        Err(TypedError::Cell(99))
    );
}

#[test]
fn a_view_reads_one_part_at_a_time() {
    let (schema, value) = nested();
    let bytes = encoded(Some(&schema), &value);
    let view = TypedView::new(&schema, &bytes).unwrap();
    assert_eq!(view.field("b"), Some(4));
    assert_eq!(view.bytes(4).unwrap(), Some(&[1, 2, 3][..]));
    let array = view.view(0).unwrap().unwrap();
    assert_eq!((array.len(), array.is_null(1)), (3, true));
    let third = array.view(2).unwrap().unwrap();
    assert_eq!((third.int(0), third.str(1)), (Ok(Some(-3)), Ok(Some("three"))));
    let map = view.view(1).unwrap().unwrap();
    assert_eq!(
        (map.str(0), map.float(1), map.float(3)),
        (Ok(Some("k")), Ok(Some(0.25)), Ok(None))
    );
    assert!(view.int(4).is_err());
    assert_eq!(view.value(2).unwrap(), Value::Struct(vec![Value::Null, "y".into()]));
    assert_eq!(view.value(99).unwrap(), Value::Null);
}

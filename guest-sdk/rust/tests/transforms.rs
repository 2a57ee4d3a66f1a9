//! What the SDK answers for transforms and predicates.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

use std::sync::Arc;

use caisson_sdk::prelude::*;
use caisson_sdk::sink::SinkRecord;
use caisson_sdk::testing::{Applied, PredicateHarness, TransformHarness};

/// Does to each text what the text says.
struct Obedient;

impl Transform for Obedient {
    fn plugin() -> Plugin {
        Plugin::new("test.Obedient", "1")
            .value_encoding(Encoding::Connect)
            .header_encoding(Encoding::Connect)
    }

    fn start(_: &Settings) -> Result<Self, Error> {
        Ok(Obedient)
    }

    fn apply(&mut self, mut record: Record) -> Result<Option<Record>, Error> {
        let Value::String(text) = &record.value else {
            return Ok(Some(record));
        };
        match &**text {
            "drop" => return Ok(None),
            "fail" => return Err(Error::data("told to fail")),
            "end" => return Err(Error::fatal("told to end")),
            "shout" => record.value = Value::from("SHOUT"),
            "move" => record.topic = Arc::from("elsewhere"),
            "head" => record.headers.push(Header {
                name: "h".into(),
                schema: None,
                value: Value::Int64(5),
            }),
            "struct" => {
                let field = Arc::new(Schema::new(Kind::Int32));
                let schema = caisson_sdk::api::schema::Field {
                    name: "n".into(),
                    schema: field,
                };
                record.value_schema = Some(Arc::new(Schema::new(Kind::Struct(vec![schema]))));
                record.value = Value::Struct(vec![Value::Int32(3)]);
            }
            _ => {}
        }
        Ok(Some(record))
    }
}

fn records(texts: &[&str]) -> Vec<SinkRecord> {
    let schema = Arc::new(Schema::new(Kind::String));
    let record = |(offset, text): (usize, &&str)| {
        SinkRecord::new("t", 2, offset as i64, *text)
            .key("k")
            .value_schema(schema.clone())
    };
    texts.iter().enumerate().map(record).collect()
}

fn apply(texts: &[&str]) -> (Applied, Vec<u32>) {
    let (applied, failures) = TransformHarness::<Obedient>::start([("a", "b")])
        .unwrap()
        .apply(&records(texts))
        .unwrap();
    (applied, failures.into_iter().map(|failure| failure.index).collect())
}

#[test]
fn a_batch_that_stays_as_it_is_is_unchanged() {
    assert_eq!(apply(&["a", "b", "c"]), (Applied::Unchanged, vec![]));
    assert_eq!(apply(&[]), (Applied::Unchanged, vec![]));
}

#[test]
fn a_batch_that_is_only_filtered_is_a_bitmap() {
    assert_eq!(apply(&["a", "drop", "c"]), (Applied::Kept(vec![0b101]), vec![]));
    let many = ["x", "x", "x", "x", "x", "x", "x", "x", "drop", "x"];
    assert_eq!(apply(&many), (Applied::Kept(vec![0xff, 0b10]), vec![]));
}

#[test]
fn a_record_that_fails_is_reported_and_not_kept() {
    assert_eq!(apply(&["a", "fail", "c"]), (Applied::Kept(vec![0b101]), vec![1]));
}

#[test]
fn an_error_that_is_not_about_one_record_ends_the_batch() {
    let error = TransformHarness::<Obedient>::start([("a", "b")])
        .unwrap()
        .apply(&records(&["a", "end"]))
        .unwrap_err();
    assert_eq!(error.message, "told to end");
}

#[test]
fn changed_records_are_written_with_those_before_them() {
    let given = records(&["a", "drop", "shout", "fail", "move", "head", "struct", "b"]);
    let mut transform = TransformHarness::<Obedient>::start([("a", "b")]).unwrap();
    let (applied, failures) = transform.apply(&given).unwrap();
    assert!(matches!(applied, Applied::Replaced(_)));
    assert_eq!((failures.len(), failures[0].index), (1, 3));
    let records = transform.run(&given).unwrap();
    let texts: Vec<_> = records.iter().map(SinkRecord::text).collect();
    assert_eq!(texts, ["a", "SHOUT", "move", "head", "Struct([Int32(3)])", "b"]);
    assert_eq!(&*records[2].record.topic, "elsewhere");
    assert_eq!(records[3].record.headers[0].value, Value::Int64(5));
    assert_eq!(records[4].record.value_schema.as_ref().unwrap().fields()[0].name, "n");
    let last = &records[5];
    assert_eq!(
        (last.offset, last.record.partition, &last.record.key),
        (Some(7), Some(2), &Value::Bytes(b"k".to_vec()))
    );
}

struct Long(usize);

impl Predicate for Long {
    fn plugin() -> Plugin {
        Plugin::new("test.Long", "1").key(Key::new("than", Type::Int).default("3"))
    }

    fn start(settings: &Settings) -> Result<Self, Error> {
        Ok(Long(settings.int("than")? as usize))
    }

    fn test(&mut self, record: &RecordView<'_>) -> Result<bool, Error> {
        let value = record
            .value_bytes()
            .ok_or_else(|| Error::data("null is neither long nor short"))?;
        Ok(value.len() > self.0)
    }
}

#[test]
fn a_predicate_answers_for_each_record() {
    let mut predicate = PredicateHarness::<Long>::start([("than", "2")]).unwrap();
    let given = [
        SinkRecord::new("t", 0, 0, "ab"),
        SinkRecord::new("t", 0, 1, "abc"),
        SinkRecord::new("t", 0, 2, Value::Null),
        SinkRecord::new("t", 0, 3, "abcd"),
    ];
    let (matches, failures) = predicate.test(&given).unwrap();
    assert_eq!(matches.into_bytes(), [0b1010]);
    assert_eq!(failures[0].message, "null is neither long nor short");
}

#[test]
fn a_bad_setting_is_refused_at_the_start() {
    let error = PredicateHarness::<Long>::start([("than", "many")]).err().unwrap();
    assert_eq!(error.kind, ErrorKind::Config);
    assert_eq!(
        error.message,
        "Invalid value many for configuration than: Not a number of type INT"
    );
}

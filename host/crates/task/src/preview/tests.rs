use caisson_api::config::Config;
use caisson_convert::registry::Bundled;
use caisson_model::TaskId;
use caisson_model::preview::{Outcome, Payload, Step, StepName, StepResult};
use caisson_sdk::settings::Settings;

use super::*;
use crate::chain::NativeLink;
use crate::settings::{ConverterKind, ConverterPlugin, ConverterRef, Converters};

fn link(class: &str, settings: &[(&str, &str)]) -> NativeLink {
    let class = format!("org.apache.kafka.connect.transforms.{class}");
    let native = caisson_transforms::transforms()
        .iter()
        .find(|native| native.plugin().class() == class)
        .expect("it is built in");
    let entries = settings
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let config = Config {
        entries: entries.collect(),
    };
    let settings = Settings::parse(native.plugin().config(), config).expect("good settings");
    NativeLink::start(*native, &settings).expect("it starts")
}

fn converters(value: Bundled) -> Converters {
    let schemaless = [("schemas.enable".to_owned(), Some("false".to_owned()))];
    let made = |bundled: Bundled, options: &[(String, Option<String>)]| ConverterRef {
        class: bundled.class().to_owned(),
        kind: ConverterKind::Other,
        converter: ConverterPlugin::Native(bundled.header_values(options).expect("good options")),
    };
    Converters {
        key: made(Bundled::String, &[]),
        value: made(value, &schemaless),
        header: made(Bundled::SimpleHeader, &[]),
    }
}

fn sample(json: &str) -> Sample {
    Sample {
        topic: Some("t".to_owned()),
        partition: None,
        offset: None,
        timestamp: None,
        key: Payload::Null,
        value: Payload::Value {
            json: json.to_owned(),
            schema: None,
        },
        headers: Vec::new(),
    }
}

/// What becomes of records with these values.
fn tried(direction: Direction, links: Vec<(&str, NativeLink)>, values: &[&str]) -> Vec<Tried> {
    let converters = converters(Bundled::Json);
    let id = TaskId::new("preview", 0);
    let chain = Chain::native_apart(links, &converters, direction);
    let way = match direction {
        Direction::ToKafka => Way::ToKafka(Box::new(Recoder::new(&converters, Role::Transform, direction.order()))),
        Direction::FromKafka => Way::FromKafka {
            intake: Box::new(Intake::of(&converters, &chain, VALUES)),
            frames: Box::new(SinkFrames::new(&converters, VALUES)),
            encodings: VALUES,
            plugin: None,
        },
    };
    let mut rehearsal = Rehearsal {
        chain,
        viewer: Viewer::new(&id, &converters, direction),
        errors: Errors::noting(id),
        way,
    };
    let samples: Vec<_> = values.iter().map(|value| sample(value)).collect();
    let given = sample::given(direction, VALUES, &samples).expect("good samples");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    given
        .iter()
        .map(|record| {
            let (tried, ended) = runtime.block_on(rehearsal.record(record));
            assert!(!ended);
            tried
        })
        .collect()
}

/// The steps in words: name, result, and the value behind it.
fn words(tried: &Tried) -> Vec<String> {
    let word = |step: &Step| {
        let name = match &step.name {
            StepName::Converters => "converters",
            StepName::Transform { alias, .. } => alias,
            StepName::Put => "put",
        };
        let value = step.records.first().map(|record| match &record.value {
            Payload::Null => "null".to_owned(),
            Payload::Bytes(bytes) => format!("bytes {}", String::from_utf8_lossy(bytes)),
            Payload::Value { json, .. } => json.clone(),
        });
        format!("{name} {:?} {}", step.result, value.unwrap_or_default())
    };
    tried.steps.iter().map(word).collect()
}

#[test]
fn a_record_is_shown_behind_each_step_that_changed_it() {
    let links = vec![
        (
            "insert",
            link("InsertField$Value", &[("static.field", "by"), ("static.value", "ada")]),
        ),
        ("same", link("ReplaceField$Value", &[("exclude", "nothing")])),
        ("mask", link("MaskField$Value", &[("fields", "card")])),
        ("route", link("RegexRouter", &[("regex", "t"), ("replacement", "u")])),
    ];
    let tried = tried(Direction::FromKafka, links, &[r#"{"card": "4111"}"#]);
    assert_eq!(
        words(&tried[0]),
        [
            r#"converters Done {"card":"4111"}"#,
            r#"insert Changed {"card":"4111","by":"ada"}"#,
            "same Unchanged ",
            r#"mask Changed {"card":"","by":"ada"}"#,
            r#"route Changed {"card":"","by":"ada"}"#,
        ]
    );
    assert_eq!(tried[0].steps[4].records[0].topic, "u");
    assert_eq!(tried[0].outcome(), Outcome::Passed);
}

#[test]
fn what_fails_or_is_dropped_ends_its_way_and_no_other() {
    let links = vec![
        ("take", link("ExtractField$Value", &[("field", "n")])),
        ("cast", link("Cast$Value", &[("spec", "int32")])),
    ];
    let values = [r#"{"n": "x"}"#, r#""{oops""#, r#"{"n": "5"}"#];
    let tried = tried(Direction::FromKafka, links, &values);
    let outcomes: Vec<_> = tried.iter().map(Tried::outcome).collect();
    assert_eq!(outcomes, [Outcome::Failed, Outcome::Failed, Outcome::Passed]);
    let cast = &tried[0].steps[2];
    assert_eq!((cast.result, cast.faults.len()), (StepResult::Failed, 1));
    let fault = &cast.faults[0];
    assert_eq!(fault.stage, "TRANSFORMATION");
    assert_eq!(fault.class, "org.apache.kafka.connect.transforms.Cast$Value");
    assert_eq!(fault.exception_class, "org.apache.kafka.connect.errors.DataException");
    assert_eq!(tried[1].steps.len(), 1);
    let fault = &tried[1].steps[0].faults[0];
    assert_eq!(fault.stage, "VALUE_CONVERTER");
    assert_eq!(fault.class, "org.apache.kafka.connect.json.JsonConverter");
    assert_eq!(words(&tried[2])[1..], [r#"take Changed "5""#, "cast Changed 5"]);
}

#[test]
fn a_dropped_record_says_so() {
    let links = vec![("filter", link("Filter", &[]))];
    let tried = tried(Direction::FromKafka, links, &["1"]);
    assert_eq!(words(&tried[0]), ["converters Done 1", "filter Dropped "]);
    assert_eq!(tried[0].outcome(), Outcome::Dropped);
}

#[test]
fn a_source_ends_with_the_bytes_that_kafka_would_get() {
    let links = vec![("hoist", link("HoistField$Value", &[("field", "line")]))];
    let tried = tried(Direction::ToKafka, links, &[r#""a""#]);
    assert_eq!(
        words(&tried[0]),
        [r#"hoist Changed {"line":"a"}"#, r#"converters Done bytes {"line":"a"}"#]
    );
}

#[test]
fn a_key_that_no_link_looks_at_stays_the_value_that_the_source_gave() {
    let links = vec![
        ("route", link("RegexRouter", &[("regex", "t"), ("replacement", "u")])),
        ("same", link("ReplaceField$Value", &[("exclude", "nothing")])),
    ];
    let tried = tried(Direction::ToKafka, links, &[r#"{"n": 1}"#]);
    assert_eq!(
        words(&tried[0]),
        [
            r#"route Changed {"n":1}"#,
            "same Unchanged ",
            r#"converters Done bytes {"n":1}"#
        ]
    );
}

#[test]
fn samples_that_fit_nowhere_are_named() {
    let refused = |direction, payload| {
        let mut sample = sample("1");
        sample.value = payload;
        match sample::given(direction, VALUES, &[super::tests::sample("1"), sample]) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("it must be refused"),
        }
    };
    let with_schema = |json: &str, schema: &str| Payload::Value {
        json: json.to_owned(),
        schema: Some(schema.to_owned()),
    };
    let string = r#"{"type": "string"}"#;
    let text = refused(Direction::FromKafka, with_schema("1", string));
    assert!(
        text.starts_with("record 1: value: records from Kafka are bytes"),
        "{text}"
    );
    for schema in [r#"{"type": "strange"}"#, "5"] {
        let text = refused(Direction::ToKafka, with_schema("1", schema));
        assert!(text.starts_with("record 1: value: "), "{text}");
    }
}

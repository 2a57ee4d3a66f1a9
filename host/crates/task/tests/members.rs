//! Links that ask for single members of a value make of a batch what they make of records whose values are all decoded.

use std::sync::Arc;
use std::time::Duration;

use caisson_api::config::Config;
use caisson_api::frame::{Encoding, Encodings, Frame, FrameBuilder, NewRecord, Role, Timestamp};
use caisson_api::{Record, Value, typed};
use caisson_convert::registry::Bundled;
use caisson_convert::{Converter, JsonConverter, JsonOptions};
use caisson_model::{ErrorLog, TaskId, Tolerance};
use caisson_sdk::settings::Settings;
use caisson_sdk::transform::Origin;
use caisson_task::chain::{Chain, NativeLink, NativeLinks, NativePredicate, Stream, Target};
use caisson_task::errors::{ErrorPolicy, Errors, RetryPolicy, Trail};
use caisson_task::meters::Meters;
use caisson_task::{ConverterKind, ConverterPlugin, ConverterRef, Converters, Direction, Wish};
use tokio::sync::watch;

const TRANSFORMS: &str = "org.apache.kafka.connect.transforms";

const TIME: i64 = 1_700_000_000_123;

type Pairs<'a> = &'a [(&'a str, &'a str)];

/// A transform, and whether it is for tombstones alone, or for all others alone.
type LinkOf<'a> = (&'a str, Pairs<'a>, Option<bool>);

const INSERT: LinkOf<'_> = (
    "InsertField$Value",
    &[("offset.field", "at"), ("topic.field", "id")],
    None,
);
const REPLACE: LinkOf<'_> = (
    "ReplaceField$Value",
    &[("renames", "user:who"), ("exclude", "ok")],
    None,
);
const HOIST: LinkOf<'_> = ("HoistField$Value", &[("field", "whole")], None);
const ROUTE: LinkOf<'_> = ("RegexRouter", &[("regex", "(.*)"), ("replacement", "new-$1")], None);
const MASK: LinkOf<'_> = ("MaskField$Value", &[("fields", "card,none")], Some(false));
const DROP_TOMBSTONES: LinkOf<'_> = ("Filter", &[], Some(true));
const DROP_OTHERS: LinkOf<'_> = ("Filter", &[], Some(false));
const CAST: LinkOf<'_> = ("Cast$Value", &[("spec", "id:string,amount:int32")], None);

const VALUES: [Option<&str>; 9] = [
    Some(r#"{"id":1,"user":"u","ts":1700000000000,"amount":10.75,"card":"4111","ok":true,"x":[1,{"y":2.50}]}"#),
    Some(r#" { "id" : 01 , "user":"\u0041", "ok":1e2 } "#),
    Some(r#"{"who":1,"user":2,"user":3}"#),
    Some("{}"),
    None,
    Some("null"),
    Some("[1]"),
    Some(r#"{"id":"#),
    Some(r#"{"id":{},"amount":"12","card":true}"#),
];

fn settings(definitions: &caisson_api::config::ConfigDef, settings: Pairs<'_>) -> Settings {
    let entries = settings
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let config = Config {
        entries: entries.collect(),
    };
    Settings::parse(definitions, config).expect("good settings")
}

fn links(chosen: &[LinkOf<'_>]) -> NativeLinks {
    let mut all = NativeLinks::default();
    for (class, options, condition) in chosen {
        let class = format!("{TRANSFORMS}.{class}");
        let mut natives = caisson_transforms::transforms().iter();
        let native = natives
            .find(|native| native.plugin().class() == class)
            .expect("built in");
        let mut link = NativeLink::start(*native, &settings(native.plugin().config(), options)).expect("it starts");
        if let Some(for_tombstones) = condition {
            let class = format!("{TRANSFORMS}.predicates.RecordIsTombstone");
            let mut natives = caisson_transforms::predicates().iter();
            let native = natives
                .find(|native| native.plugin().class() == class)
                .expect("built in");
            let own = settings(native.plugin().config(), &[]);
            link.ask(
                NativePredicate::start(*native, &own).expect("it starts"),
                !for_tombstones,
            );
        }
        all.push(link);
    }
    all
}

fn json() -> JsonConverter {
    JsonConverter::new(JsonOptions {
        schemas_enable: false,
        ..JsonOptions::default()
    })
}

fn converters() -> Converters {
    let made = |bundled: Bundled, options: &[(String, Option<String>)], kind| ConverterRef {
        class: bundled.class().to_owned(),
        kind,
        converter: ConverterPlugin::Native(bundled.header_values(options).expect("good options")),
    };
    let schemaless = [("schemas.enable".to_owned(), Some("false".to_owned()))];
    Converters {
        key: made(Bundled::ByteArray, &[], ConverterKind::Bytes),
        value: made(Bundled::Json, &schemaless, ConverterKind::Other),
        header: made(Bundled::SimpleHeader, &[], ConverterKind::Other),
    }
}

/// What comes out: topic and value of each record that does, by its offset.
type Out = Vec<(i64, String, Option<Vec<u8>>)>;

/// Record by record, as values.
fn expected(chosen: &[LinkOf<'_>], encoding: Encoding) -> Out {
    let mut links = links(chosen);
    let mut out = Out::new();
    for (offset, text) in (0..).zip(VALUES) {
        let Ok((value_schema, value)) = json().to_connect("t", text.map(str::as_bytes)) else {
            continue;
        };
        let record = Record {
            topic: "t".into(),
            partition: Some(0),
            key_schema: None,
            key: Value::Null,
            value_schema,
            value,
            timestamp: Some(TIME),
            headers: Vec::new(),
        };
        let origin = Origin::Sink {
            offset,
            timestamp: Timestamp::Create(TIME),
        };
        let Ok(Some(record)) = links.apply(record, origin) else {
            continue;
        };
        let mut bytes = Vec::new();
        let written = match encoding {
            Encoding::Bytes | Encoding::Json => json().from_connect("t", None, &record.value, &mut bytes).ok(),
            Encoding::Connect => typed::encode(None, &record.value, &mut bytes).ok(),
        };
        if let Some(present) = written {
            out.push((offset, record.topic.to_string(), present.then_some(bytes)));
        }
    }
    out
}

/// As a batch.
async fn actual(chosen: &[LinkOf<'_>], encoding: Encoding) -> Out {
    let policy = ErrorPolicy {
        tolerance: Tolerance::All,
        retry: RetryPolicy {
            timeout: Some(Duration::ZERO),
            longest_delay: Duration::ZERO,
        },
        log: ErrorLog::Off,
    };
    let (_wishes, wish) = watch::channel(Wish::Run);
    let meters = Arc::new(Meters::new(Direction::FromKafka));
    let mut errors = Errors::new(TaskId::new("test", 0), policy, None, wish, meters);
    let mut builder = FrameBuilder::new(Role::Sink);
    builder.begin(Encodings::default(), VALUES.len());
    let topic = builder.topic("t").expect("there is room");
    for (offset, value) in (0..).zip(VALUES) {
        let new = NewRecord {
            topic,
            timestamp: Timestamp::Create(TIME),
            offset: Some(offset),
            partition: Some(0),
            value: value.map(str::as_bytes),
            ..NewRecord::default()
        };
        builder.push(&new).expect("there is room");
    }
    let bytes = builder.take();
    let entry = Frame::parse(&bytes).expect("a good frame");
    let trail = Trail {
        entry: &entry,
        consumed: None,
    };
    let target = Target::Sink(Encodings {
        value: encoding,
        ..Encodings::default()
    });
    let mut chain = Chain::native(links(chosen), &converters(), Direction::FromKafka);
    let stream = Stream::consumed(&bytes);
    let done = chain.apply(stream, target, TIME, trail, &mut errors).await;
    let Ok(done) = done else {
        panic!("nothing ends the task")
    };
    if done.frame.is_empty() {
        return Out::new();
    }
    let frame = Frame::parse(&done.frame).expect("a good frame");
    let out = frame.records().map(|entry| {
        let offset = entry.offset.expect("they keep their offsets");
        (offset, entry.topic.to_owned(), entry.value.map(<[u8]>::to_vec))
    });
    out.collect()
}

#[tokio::test]
async fn a_batch_comes_out_as_its_records_would() {
    let chains: [&[LinkOf<'_>]; 9] = [
        &[INSERT],
        &[INSERT, REPLACE, MASK],
        &[REPLACE, ROUTE, INSERT],
        &[ROUTE, MASK, HOIST],
        &[HOIST, INSERT],
        &[INSERT, HOIST, REPLACE],
        &[DROP_TOMBSTONES, CAST],
        &[CAST, DROP_OTHERS],
        &[MASK, ROUTE],
    ];
    let mut records = 0;
    for chosen in chains {
        for encoding in [Encoding::Bytes, Encoding::Json, Encoding::Connect] {
            let expected = expected(chosen, encoding);
            records += expected.len();
            assert_eq!(actual(chosen, encoding).await, expected, "{chosen:?} to {encoding:?}");
        }
    }
    assert!(records > 100, "most records come out: {records}");
}

//! CPU time per record of a chain of the worker's own transforms: from Kafka's bytes through the transforms to the bytes
//! that a sink takes. InsertField, ReplaceField, MaskField and TimestampConverter on schemaless JSON of about 100 bytes and
//! 1 KB, frame by frame of 512 KiB.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use caisson_api::config::Config;
use caisson_api::frame::{Encodings, Frame, FrameBuilder, NewRecord, Role, Timestamp};
use caisson_convert::registry::Bundled;
use caisson_model::{ErrorLog, TaskId, Tolerance};
use caisson_sdk::settings::Settings;
use caisson_task::chain::{Chain, NativeLink, NativeLinks, Stream, Target};
use caisson_task::errors::{ErrorPolicy, Errors, RetryPolicy, Trail};
use caisson_task::meters::Meters;
use caisson_task::{ConverterKind, ConverterPlugin, ConverterRef, Converters, Direction, Wish};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// The worker's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const FRAME: usize = 512 << 10;
const TRANSFORMS: &str = "org.apache.kafka.connect.transforms";

/// The links, by class and settings.
const LINKS: [(&str, &[(&str, &str)]); 4] = [
    (
        "InsertField$Value",
        &[("static.field", "source"), ("static.value", "bench")],
    ),
    ("ReplaceField$Value", &[("renames", "user:customer"), ("exclude", "ok")]),
    ("MaskField$Value", &[("fields", "card")]),
    (
        "TimestampConverter$Value",
        &[
            ("field", "ts"),
            ("target.type", "string"),
            ("format", "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'"),
        ],
    ),
];

fn links(links: &[(&str, &[(&str, &str)])]) -> NativeLinks {
    let mut all = NativeLinks::default();
    for (class, settings) in links {
        let native = caisson_transforms::transforms()
            .iter()
            .find(|native| native.plugin().class() == format!("{TRANSFORMS}.{class}"))
            .expect("it is built in");
        let entries = settings
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let config = Config {
            entries: entries.collect(),
        };
        let settings = Settings::parse(native.plugin().config(), config).expect("good settings");
        all.push(NativeLink::start(*native, &settings).expect("it starts"));
    }
    all
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

fn record(number: usize, fillers: usize) -> String {
    let mut text = format!(
        r#"{{"id":{},"user":"u-{:06}","ts":{},"amount":10.75,"card":"4111111111111111","ok":true"#,
        100_000_000 + number,
        number % 1_000_000,
        1_700_000_000_000_usize + number
    );
    for filler in 0..fillers {
        text.push_str(&format!(r#","f{filler:02}":"{}""#, "x".repeat(40)));
    }
    text.push('}');
    text
}

fn frame(fillers: usize) -> (Vec<u8>, usize) {
    let mut builder = FrameBuilder::new(Role::Sink);
    builder.begin(Encodings::default(), FRAME / record(0, fillers).len());
    let topic = builder.topic("bench").expect("there is room");
    let mut records = 0;
    while builder.byte_len() < FRAME {
        let value = record(records, fillers);
        let new = NewRecord {
            topic,
            timestamp: Timestamp::Create(1_700_000_000_000),
            offset: Some(records as i64),
            partition: Some(0),
            key: Some(&[7; 8]),
            value: Some(value.as_bytes()),
            ..NewRecord::default()
        };
        builder.push(&new).expect("there is room");
        records += 1;
    }
    (builder.take(), records)
}

fn chains(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let policy = ErrorPolicy {
        tolerance: Tolerance::None,
        retry: RetryPolicy {
            timeout: Some(Duration::ZERO),
            longest_delay: Duration::ZERO,
        },
        log: ErrorLog::Off,
    };
    let (_wishes, wish) = watch::channel(Wish::Run);
    let meters = Arc::new(Meters::new(Direction::FromKafka));
    let mut errors = Errors::new(TaskId::new("bench", 0), policy, None, wish, meters);
    let mut group = criterion.benchmark_group("chain");
    for fillers in [0, 19] {
        let (bytes, records) = frame(fillers);
        let entry = Frame::parse(&bytes).expect("a good frame");
        group.throughput(Throughput::Elements(records as u64));
        for (name, chosen) in [("four", &LINKS[..]), ("one", &LINKS[..1])] {
            let mut chain = Chain::native(links(chosen), &converters(), Direction::FromKafka);
            let id = BenchmarkId::new(name, record(0, fillers).len());
            group.bench_function(id, |bencher| {
                bencher.iter(|| {
                    let trail = Trail {
                        entry: &entry,
                        consumed: None,
                    };
                    let target = Target::Sink(Encodings::default());
                    let stream = Stream::consumed(black_box(&bytes));
                    let done = runtime.block_on(chain.apply(stream, target, 0, trail, &mut errors));
                    let Ok(done) = done else { panic!("all pass") };
                    assert!(done.origins.is_none(), "nothing is dropped");
                    chain.recycle(done.frame.into_owned());
                });
            });
        }
    }
    group.finish();
    errors.check().expect("nothing failed");
}

criterion_group!(benches, chains);
criterion_main!(benches);

//! What the boundary costs: building a frame, passing it to a component, reading the answer. Times are per batch and
//! throughput is records, so criterion shows ns per record as its inverse.
//!
//! `pass` is a transform that answers `unchanged` without looking (the floor of a discarding sink, too); `walk` parses
//! the frame in the guest and touches every value; `same` returns the bytes it got; `copy` builds a new frame. `encode`
//! and `decode` are the host's part alone.
//!
//! What is measured is the processor time of this thread, so that other work on the machine shows less.

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use caisson_api::config::Config;
use caisson_api::frame::{Encoding, Encodings, Frame, FrameBuilder, NewRecord, Role, Timestamp};
use caisson_sandbox::{InstanceSpec, Label, Records, Sandbox, SandboxOptions, Transform};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::Runtime;

const BATCHES: [usize; 5] = [1, 10, 100, 500, 2_000];

fn transform(runtime: &Runtime, sandbox: &Sandbox, module: &[u8], command: &str) -> Transform {
    runtime.block_on(async {
        let module = sandbox
            .load("probe.wasm", module.to_vec())
            .await
            .expect("the probe is a module");
        let spec = InstanceSpec {
            module,
            class: "probe.Transform".into(),
            config: Config {
                entries: vec![("apply".into(), command.into())],
            },
            label: Label {
                connector: "bench".into(),
                task: None,
            },
            limits: None,
        };
        Transform::start(spec).await.expect("the probe starts")
    })
}

/// As the sink loop does it: topic known, everything else from the consumer's batch.
fn encode<'a>(builder: &'a mut FrameBuilder, records: usize, value: &[u8]) -> &'a [u8] {
    builder.begin(Encodings::all(Encoding::Bytes), records);
    let topic = builder.topic("a-topic-of-22-characters").expect("one topic fits");
    for offset in 0..records {
        let record = NewRecord {
            topic,
            offset: Some(offset as i64),
            partition: Some(3),
            timestamp: Timestamp::Create(1_762_000_000_000),
            value: Some(value),
            ..NewRecord::default()
        };
        builder.push(&record).expect("it fits");
    }
    builder.finish()
}

fn decode(bytes: &[u8]) -> usize {
    let frame = Frame::parse(bytes).expect("the guest answers with a frame");
    frame.records().map(|record| record.value.map_or(0, <[u8]>::len)).sum()
}

fn boundary(criterion: &mut Criterion) {
    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/guests");
    let built = guests.join("target/wasm32-wasip2/release/probe.wasm");
    let module = std::fs::read(&built).unwrap_or_else(|error| {
        panic!(
            "{}: {error}; build it with `cargo build --release --target wasm32-wasip2`",
            built.display()
        )
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let sandbox = Sandbox::new(SandboxOptions::new(
        Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench"),
    ))
    .expect("a sandbox");
    for size in [100, 1_024] {
        let value = vec![b'v'; size];
        for command in ["pass", "walk", "same", "copy"] {
            let word = if command == "pass" { "unchanged" } else { command };
            let mut transform = transform(&runtime, &sandbox, &module, word);
            let mut builder = FrameBuilder::new(Role::Transform);
            let mut group = criterion.benchmark_group(format!("{command}/{size}B"));
            for records in BATCHES {
                group.throughput(Throughput::Elements(records as u64));
                group.bench_function(BenchmarkId::from_parameter(records), |bencher| {
                    // The runtime is entered once for all rounds, as a task's thread is.
                    bencher.iter_custom(|rounds| {
                        runtime.block_on(rounds_of(&mut transform, &mut builder, records, &value, rounds))
                    });
                });
            }
            group.finish();
        }
    }
}

/// Processor time that this thread has used.
fn used() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).expect("time goes forward from zero");
    let nanoseconds = u32::try_from(time.tv_nsec).expect("below a second");
    Duration::new(seconds, nanoseconds)
}

async fn rounds_of(
    transform: &mut Transform,
    builder: &mut FrameBuilder,
    records: usize,
    value: &[u8],
    rounds: u64,
) -> Duration {
    let started = used();
    for _ in 0..rounds {
        let batch = encode(builder, records, value);
        let applied = transform.apply(batch).await.expect("the probe answers");
        match &applied.records {
            Records::Unchanged => black_box(decode(batch)),
            Records::Kept(bits) => black_box(bits.len()),
            Records::Replaced(bytes) => black_box(decode(bytes)),
        };
    }
    used() - started
}

/// The host's part: no component at all.
fn host(criterion: &mut Criterion) {
    for size in [100, 1_024] {
        let value = vec![b'v'; size];
        let mut builder = FrameBuilder::new(Role::Transform);
        let records = 500;
        let mut group = criterion.benchmark_group(format!("host/{size}B"));
        group.throughput(Throughput::Elements(records as u64));
        group.bench_function("encode", |bencher| {
            bencher.iter_custom(|rounds| {
                let started = used();
                for _ in 0..rounds {
                    black_box(encode(&mut builder, records, black_box(&value)));
                }
                used() - started
            });
        });
        let batch = encode(&mut builder, records, &value).to_vec();
        group.bench_function("decode", |bencher| {
            bencher.iter_custom(|rounds| {
                let started = used();
                for _ in 0..rounds {
                    black_box(decode(black_box(&batch)));
                }
                used() - started
            });
        });
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = host, boundary
}
criterion_main!(benches);

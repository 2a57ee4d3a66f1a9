//! What the sandbox costs a sink: the same crate, `DiscardSink`, as a component and linked natively, on the same frames.
//! `none` counts a batch without looking at records, `sequence` reads every value and verifies its sum.
//!
//! What is measured is the processor time of this thread for `put`, which is all that differs between the two.

use std::path::Path;
use std::time::Duration;

use caisson_api::config::Config;
use caisson_api::frame::{Encoding, Encodings, FrameBuilder, NewRecord, Role, Timestamp};
use caisson_discard::DiscardSink;
use caisson_model::TopicPartition;
use caisson_sandbox::{InstanceSpec, Label, Sandbox, SandboxOptions, SinkTask};
use caisson_sdk::testing::SinkHarness;
use caisson_sequence::{Sequenced, Stream};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::Runtime;

const RECORDS: usize = 500;
const TOPIC: &str = "a-topic-of-22-characters";

/// Batches as the generator and the consumer make them, each going on where the one before ended.
struct Batches {
    builder: FrameBuilder,
    value: Vec<u8>,
    size: usize,
    next: u64,
}

impl Batches {
    fn new(size: usize) -> Self {
        Self {
            builder: FrameBuilder::new(Role::Sink),
            value: Vec::new(),
            size,
            next: 1,
        }
    }

    fn next(&mut self) -> &[u8] {
        self.builder.begin(Encodings::all(Encoding::Bytes), RECORDS);
        let topic = self.builder.topic(TOPIC).expect("one topic fits");
        let stream = Stream {
            seed: 1,
            task: 0,
            partition: -1,
        };
        for _ in 0..RECORDS {
            self.value.clear();
            let sequence = self.next;
            caisson_sequence::write(Sequenced { stream, sequence }, self.size, &mut self.value);
            let record = NewRecord {
                topic,
                offset: Some(self.next as i64 - 1),
                partition: Some(0),
                timestamp: Timestamp::Create(1_762_000_000_000),
                value: Some(&self.value),
                ..NewRecord::default()
            };
            self.builder.push(&record).expect("it fits");
            self.next += 1;
        }
        self.builder.finish()
    }
}

fn config(verify: &str) -> Vec<(String, String)> {
    vec![("verify".to_owned(), verify.to_owned())]
}

fn component(runtime: &Runtime, verify: &str) -> SinkTask {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../target/components/caisson-discard.wasm");
    let module = std::fs::read(&built)
        .unwrap_or_else(|error| panic!("{}: {error}; `cargo x guests` builds it", built.display()));
    let sandbox = Sandbox::new(SandboxOptions::new(
        Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench"),
    ))
    .expect("a sandbox");
    runtime.block_on(async {
        let module = sandbox.load("caisson-discard.wasm", module).await;
        let spec = InstanceSpec {
            module: module.expect("the sink is a module"),
            class: "caisson.DiscardSink".into(),
            config: Config {
                entries: config(verify),
            },
            label: Label {
                connector: "bench".into(),
                task: Some(0),
            },
            limits: None,
        };
        let mut task = SinkTask::start(spec).await.expect("the sink starts");
        let partition = TopicPartition::new(TOPIC, 0);
        task.open(&[partition]).await.expect("the sink takes a partition");
        task
    })
}

/// Processor time that this thread has used.
fn used() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).expect("time goes forward from zero");
    let nanoseconds = u32::try_from(time.tv_nsec).expect("below a second");
    Duration::new(seconds, nanoseconds)
}

fn sinks(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    for verify in ["none", "sequence"] {
        for size in [100, 1_024] {
            let mut group = criterion.benchmark_group(format!("sink/{verify}"));
            group.throughput(Throughput::Elements(RECORDS as u64));
            let mut native = SinkHarness::<DiscardSink>::new(config(verify));
            native.start().expect("the sink starts");
            let mut batches = Batches::new(size);
            group.bench_function(BenchmarkId::new("native", size), |bencher| {
                bencher.iter_custom(|rounds| {
                    (0..rounds)
                        .map(|_| {
                            let batch = batches.next();
                            let began = used();
                            native.put_frame(batch).expect("the sink takes them");
                            used() - began
                        })
                        .sum()
                });
            });
            let mut sandboxed = component(&runtime, verify);
            let mut batches = Batches::new(size);
            group.bench_function(BenchmarkId::new("sandbox", size), |bencher| {
                bencher.iter_custom(|rounds| {
                    runtime.block_on(async {
                        let mut total = Duration::ZERO;
                        for _ in 0..rounds {
                            let batch = batches.next();
                            let began = used();
                            sandboxed.put(batch).await.expect("the sink takes them");
                            total += used() - began;
                        }
                        total
                    })
                });
            });
            group.finish();
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = sinks
}
criterion_main!(benches);

//! What records cost: produces and consumes some, and prints CPU time per record, of the whole process and of the thread
//! that sends or reads.
//!
//! `drain BOOTSTRAP [records] [bytes] [partitions] [topic] [name=value ...]`; the settings go to producer and consumer as
//! they are. A topic that is named is only consumed; otherwise a new one is filled, and left behind.
#![allow(
    clippy::unwrap_used,
    unsafe_code,
    reason = "a tool to measure with; getrusage is a C call"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use caisson_kafka::{
    AckGroup, AckListener, ClientSettings, ConsumerEvent, ConsumerOptions, DeliveryError, Layer, OutRecord, Properties,
    SinkConsumer, SourceProducer, Subscription,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Count(AtomicUsize);

impl AckListener for Count {
    fn failed(&self, _tag: u64, error: &DeliveryError) {
        panic!("{error}");
    }

    fn done(&self, _tag: u64, _failed: usize) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

struct Arguments {
    bootstrap: String,
    records: usize,
    bytes: usize,
    partitions: i32,
    settings: Properties,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (settings, plain): (Vec<_>, Vec<_>) = arguments.into_iter().partition(|argument| argument.contains('='));
    let number = |index: usize, default: usize| plain.get(index).map_or(default, |text| text.parse().unwrap());
    let arguments = Arguments {
        bootstrap: plain
            .first()
            .expect("the first argument is the broker's address")
            .clone(),
        records: number(1, 1_000_000),
        bytes: number(2, 100),
        partitions: i32::try_from(number(3, 1)).unwrap(),
        settings: settings
            .iter()
            .map(|setting| setting.split_once('=').unwrap())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    };
    let stamp = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_millis();
    let topic = plain.get(4).cloned().unwrap_or_else(|| format!("drain-{stamp}"));
    if plain.len() < 5 {
        produce(&arguments, &topic);
        println!("  topic {topic}");
    }
    for _ in 0..2 {
        consume(&arguments, &topic, stamp);
    }
}

fn layer(arguments: &Arguments, more: &[(&str, &str)]) -> Properties {
    let mut all = arguments.settings.clone();
    all.insert("bootstrap.servers".to_owned(), arguments.bootstrap.clone());
    all.extend(
        more.iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    all
}

fn produce(arguments: &Arguments, topic: &str) {
    let settings = ClientSettings::producer(&[Layer::Client(&layer(arguments, &[]))]).unwrap();
    let producer = SourceProducer::start(&settings).unwrap();
    let handle = producer.topic(topic).unwrap();
    let counts = Arc::new(Count(AtomicUsize::new(0)));
    let value = vec![b'x'; arguments.bytes];
    let mut groups = 0;
    let warm = send(arguments, &producer, &handle, &counts, &value, 1000);
    while counts.0.load(Ordering::SeqCst) < warm {
        std::thread::sleep(Duration::from_millis(5));
    }
    groups += warm;
    let meter = Meter::start();
    groups += send(arguments, &producer, &handle, &counts, &value, arguments.records);
    let enqueued = cpu(libc::RUSAGE_THREAD);
    while counts.0.load(Ordering::SeqCst) < groups {
        std::thread::sleep(Duration::from_millis(1));
    }
    meter.report("produce", arguments, enqueued);
}

fn send(
    arguments: &Arguments,
    producer: &SourceProducer,
    handle: &caisson_kafka::TopicHandle,
    counts: &Arc<Count>,
    value: &[u8],
    records: usize,
) -> usize {
    let mut groups = 0;
    let mut sent = 0;
    while sent < records {
        let batch = 500.min(records - sent);
        let group = AckGroup::open(counts.clone(), 0);
        groups += 1;
        let mut done = 0;
        while done < batch {
            let partition = i32::try_from(sent % usize::try_from(arguments.partitions).unwrap()).unwrap();
            let record = OutRecord {
                partition: Some(partition),
                timestamp: None,
                key: Some(b"00000000"),
                value: Some(value),
                headers: &[],
                ack: &group,
            };
            done += producer.send_batch(handle, std::iter::repeat_n(record, batch - done));
            if done < batch {
                producer.wait_for_room(Duration::from_millis(100));
            }
        }
        sent += batch;
    }
    groups
}

fn consume(arguments: &Arguments, topic: &str, stamp: u128) {
    let group = format!("drain-{stamp}-{:?}", Instant::now());
    let settings = ClientSettings::consumer(&[Layer::Client(&layer(arguments, &[("group.id", &group)]))]).unwrap();
    let subscription = Subscription::Topics(vec![topic.to_owned()]);
    let (consumer, mut events) =
        SinkConsumer::start("drain", &settings, &subscription, ConsumerOptions::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (mut seen, mut bytes, mut batches) = (0, 0, 0);
    runtime.block_on(async {
        let mut meter = None;
        while seen < arguments.records {
            match events.recv().await.unwrap() {
                ConsumerEvent::Assigned(_) => meter = Some(Meter::start()),
                ConsumerEvent::Records(batch) => {
                    for message in batch.messages() {
                        bytes += message.value().map_or(0, <[u8]>::len) + message.key().map_or(0, <[u8]>::len);
                    }
                    seen += batch.len();
                    batches += 1;
                }
                event => println!("{event:?}"),
            }
        }
        meter.unwrap().report("consume", arguments, cpu(libc::RUSAGE_THREAD));
    });
    println!("  {} records a batch, {bytes} bytes", seen / batches);
    consumer.close(Duration::from_secs(5));
}

struct Meter {
    wall: Instant,
    process: Duration,
    thread: Duration,
}

impl Meter {
    fn start() -> Meter {
        Meter {
            wall: Instant::now(),
            process: cpu(libc::RUSAGE_SELF),
            thread: cpu(libc::RUSAGE_THREAD),
        }
    }

    fn report(&self, what: &str, arguments: &Arguments, thread: Duration) {
        let (wall, records) = (self.wall.elapsed(), arguments.records as f64);
        let each = |time: Duration| time.as_secs_f64() * 1e9 / records;
        println!(
            "{what}: {:.0} ns CPU a record, of which this thread {:.0}; {:.2} M records/s, {:.0} MB/s; peak memory {} MB",
            each(cpu(libc::RUSAGE_SELF) - self.process),
            each(thread - self.thread),
            records / wall.as_secs_f64() / 1e6,
            records * arguments.bytes as f64 / wall.as_secs_f64() / 1e6,
            usage(libc::RUSAGE_SELF).ru_maxrss / 1024,
        );
    }
}

fn cpu(who: libc::c_int) -> Duration {
    let usage = usage(who);
    let time = |part: libc::timeval| Duration::new(part.tv_sec as u64, part.tv_usec as u32 * 1000);
    time(usage.ru_utime) + time(usage.ru_stime)
}

fn usage(who: libc::c_int) -> libc::rusage {
    // SAFETY: fills in a plain struct of ours.
    unsafe {
        let mut usage = std::mem::zeroed();
        libc::getrusage(who, &mut usage);
        usage
    }
}

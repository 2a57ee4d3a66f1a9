//! What consumers cost that have nothing to do: starts some, each in a group of its own, waits until each has its partitions, and
//! prints threads and memory for each and the CPU time of all while nothing happens.
//!
//! `idle BOOTSTRAP TOPIC [consumers] [seconds] [librdkafka] [name=value ...]`; the topic has to be there. With that word nothing is
//! started but librdkafka's own clients, with the same settings and told of no partition, which is what each consumer stands on.
#![allow(
    clippy::unwrap_used,
    unsafe_code,
    reason = "a tool to measure with; librdkafka is a C library"
)]

use std::ffi::{CString, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use caisson_kafka::{
    ClientSettings, ConsumerEvent, ConsumerEvents, ConsumerOptions, Layer, Properties, SinkConsumer, Subscription,
};
use rdkafka_sys::bindings as raw;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Clients that were given partitions.
static ASSIGNED: AtomicUsize = AtomicUsize::new(0);

fn main() {
    let given = std::env::args().skip(1);
    let (more, arguments): (Vec<String>, Vec<String>) = given.partition(|argument| argument.contains('='));
    let number = |index: usize, default: usize| arguments.get(index).map_or(default, |text| text.parse().unwrap());
    let (bootstrap, topic) = (&arguments[0], &arguments[1]);
    let (count, seconds) = (number(2, 100), number(3, 20));
    let is_bare = arguments.get(4).is_some_and(|word| word == "librdkafka");
    let stamp = std::process::id();
    let settings = |number: usize| {
        let group = format!("idle-{stamp}-{number}");
        let pairs = [("bootstrap.servers", bootstrap.as_str()), ("group.id", &group)];
        let more = more.iter().map(|setting| setting.split_once('=').unwrap());
        let all = pairs.into_iter().chain(more);
        let layer: Properties = all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        ClientSettings::consumer(&[Layer::Client(&layer)]).unwrap()
    };
    let before = (resident(), threads());
    let bare: Vec<Bare> = (0..count * usize::from(is_bare))
        .map(|number| Bare::start(&settings(number), topic))
        .collect();
    while ASSIGNED.load(Ordering::SeqCst) < bare.len() {
        bare.iter().for_each(Bare::poll);
    }
    let whole: Vec<(SinkConsumer, ConsumerEvents)> = (0..count * usize::from(!is_bare))
        .map(|number| whole(&settings(number), topic))
        .collect();
    let each = |before: u64, after: u64| (after - before) as f64 / count as f64;
    std::thread::sleep(Duration::from_secs(5));
    let cpu = ticks();
    std::thread::sleep(Duration::from_secs(seconds as u64));
    let (cpu, after) = (ticks() - cpu, (resident(), threads()));
    println!(
        "{count} {}: {:.2} MiB and {:.1} threads each, {:.2} % of a core together",
        if is_bare { "clients of librdkafka" } else { "consumers" },
        each(before.0, after.0) / 1024.0,
        each(before.1, after.1),
        // A tick is a hundredth of a second.
        cpu as f64 / seconds as f64,
    );
    drop((bare, whole));
    // Leaving a hundred groups one by one is of no interest.
    std::process::exit(0);
}

fn whole(settings: &ClientSettings, topic: &str) -> (SinkConsumer, ConsumerEvents) {
    let topics = Subscription::Topics(vec![topic.to_owned()]);
    let started = SinkConsumer::start("idle", settings, &topics, ConsumerOptions::default());
    let (consumer, mut events) = started.unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        while let Some(event) = events.recv().await {
            if matches!(event, ConsumerEvent::Assigned(..)) {
                return;
            }
        }
    });
    (consumer, events)
}

struct Bare(*mut raw::rd_kafka_t);

impl Bare {
    fn start(settings: &ClientSettings, topic: &str) -> Bare {
        let text = |text: &str| CString::new(text).unwrap();
        let mut reason = [0_u8; 512];
        // SAFETY: the texts end in NUL and live for the calls; the configuration belongs to the client that is made of it.
        unsafe {
            let conf = raw::rd_kafka_conf_new();
            // librdkafka does not mix eager and cooperative assignors.
            let alike = settings
                .natives()
                .filter(|(name, _)| *name != "partition.assignment.strategy");
            for (name, value) in alike {
                raw::rd_kafka_conf_set(
                    conf,
                    text(name).as_ptr(),
                    text(value).as_ptr(),
                    reason.as_mut_ptr().cast(),
                    reason.len(),
                );
            }
            raw::rd_kafka_conf_set_rebalance_cb(conf, Some(rebalanced));
            let kind = raw::rd_kafka_type_t::RD_KAFKA_CONSUMER;
            let client = raw::rd_kafka_new(kind, conf, reason.as_mut_ptr().cast(), reason.len());
            assert!(!client.is_null());
            raw::rd_kafka_poll_set_consumer(client);
            let topics = raw::rd_kafka_topic_partition_list_new(1);
            raw::rd_kafka_topic_partition_list_add(topics, text(topic).as_ptr(), -1);
            raw::rd_kafka_subscribe(client, topics);
            raw::rd_kafka_topic_partition_list_destroy(topics);
            Bare(client)
        }
    }

    fn poll(&self) {
        // SAFETY: the client is never destroyed.
        unsafe {
            let message = raw::rd_kafka_consumer_poll(self.0, 1);
            if !message.is_null() {
                raw::rd_kafka_message_destroy(message);
            }
        }
    }
}

/// Takes part in the group and fetches nothing.
unsafe extern "C" fn rebalanced(
    client: *mut raw::rd_kafka_t,
    _code: raw::rd_kafka_resp_err_t,
    _partitions: *mut raw::rd_kafka_topic_partition_list_t,
    _opaque: *mut c_void,
) {
    // SAFETY: called by the library with a client that is alive; the list is copied.
    unsafe {
        let nothing = raw::rd_kafka_topic_partition_list_new(0);
        raw::rd_kafka_assign(client, nothing);
        raw::rd_kafka_topic_partition_list_destroy(nothing);
    }
    ASSIGNED.fetch_add(1, Ordering::SeqCst);
}

fn status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// In KiB.
fn resident() -> u64 {
    status("VmRSS:")
}

fn threads() -> u64 {
    status("Threads:")
}

/// CPU time of the whole process.
fn ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

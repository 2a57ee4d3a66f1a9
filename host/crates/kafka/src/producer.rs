//! Producers: shared between the tasks of a worker, fed by batches, acknowledged by groups of records.

pub(crate) mod ack;
mod pool;
mod room;
mod transaction;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub use ack::{AckGroup, AckListener, OpenAckGroup};
pub use pool::ProducerPool;
pub use transaction::TransactionalProducer;

use crate::error::{DeliveryError, Error, ErrorCode, KafkaError};
use crate::ffi::{Client, Context, Delivered, Scratch, Target, Topic};
use crate::settings::ClientSettings;
use room::Room;

/// How long the producer's thread waits for events at most; it bounds how late it sees that it should end.
const SERVE: Duration = Duration::from_millis(100);
/// How long the thread waits for the reports of purged records when the producer is dropped.
const PURGE: Duration = Duration::from_secs(2);
/// Records that go to librdkafka in one call.
const CHUNK: usize = 512;

/// A record to be sent. Everything is copied when it is accepted.
#[derive(Clone, Copy)]
pub struct OutRecord<'a> {
    /// Absent: chosen as Kafka's Java producer chooses it, by the key's murmur2 hash.
    pub partition: Option<i32>,
    /// Milliseconds since 1970; absent: the time at which it is accepted. Records without timestamp and headers are
    /// several times cheaper to send.
    pub timestamp: Option<i64>,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub headers: &'a [(&'a str, Option<&'a [u8]>)],
    /// Hears of the delivery.
    pub ack: &'a Arc<AckGroup>,
}

impl OutRecord<'_> {
    fn is_plain(&self) -> bool {
        self.timestamp.is_none() && self.headers.is_empty()
    }
}

/// A topic to send to; cheap to clone.
#[derive(Clone)]
pub struct TopicHandle {
    name: Arc<str>,
    topic: Arc<Topic>,
}

impl TopicHandle {
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A producer, to be shared: all calls may come from several threads. Records of one thread to one partition keep their
/// order.
pub struct SourceProducer {
    client: Arc<Client>,
    transactional: bool,
    shared: Arc<Shared>,
    /// Topic objects live as long as the producer, as librdkafka keeps them anyway.
    topics: Mutex<HashMap<String, TopicHandle>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    closing: AtomicBool,
    room: Room,
}

impl SourceProducer {
    /// Makes a producer and its thread. Brokers are contacted in the background.
    pub fn start(settings: &ClientSettings) -> Result<SourceProducer, Error> {
        let context = Context {
            reporter: settings.reporter(),
            delivered: Some(on_delivery),
        };
        let client = Arc::new(settings.client(context)?);
        let shared = Arc::new(Shared {
            closing: AtomicBool::new(false),
            room: Room::default(),
        });
        let thread = std::thread::Builder::new()
            .name("kafka-produce".to_owned())
            .spawn({
                let (client, shared) = (client.clone(), shared.clone());
                move || serve(&client, &shared)
            })
            .map_err(|error| Error::Thread {
                client: client.name().to_owned(),
                reason: error.to_string(),
            })?;
        let transactional = settings.native("transactional.id").is_some();
        Ok(SourceProducer {
            client,
            transactional,
            shared,
            topics: Mutex::default(),
            thread: Some(thread),
        })
    }

    /// The handle of a topic, which need not exist yet.
    pub fn topic(&self, name: &str) -> Result<TopicHandle, Error> {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = topics.get(name) {
            return Ok(handle.clone());
        }
        if name.is_empty() || name.contains('\0') {
            return Err(Error::TopicName(name.to_owned()));
        }
        let topic = Topic::new(&self.client, name).map_err(Error::kafka(format!("preparing topic {name}")))?;
        let handle = TopicHandle {
            name: name.into(),
            topic: Arc::new(topic),
        };
        topics.insert(name.to_owned(), handle.clone());
        Ok(handle)
    }

    /// Enqueues records in their order. Returns how many were accepted: fewer than all if the buffer is full, in which
    /// case the caller waits ([`SourceProducer::wait_for_room`]) and goes on with the rest. A record that can never be
    /// sent (too large, say) counts as accepted and fails its group.
    ///
    /// Does not wait.
    pub fn send_batch<'a>(&self, topic: &TopicHandle, records: impl IntoIterator<Item = OutRecord<'a>>) -> usize {
        let mut accepted = 0;
        let mut scratch = Scratch::default();
        let mut chunk: Vec<OutRecord<'a>> = Vec::with_capacity(CHUNK);
        let mut records = records.into_iter().peekable();
        while records.peek().is_some() {
            chunk.clear();
            while chunk.len() < CHUNK
                && let Some(record) = records.next_if(OutRecord::is_plain)
            {
                chunk.push(record);
            }
            if !chunk.is_empty() {
                let sent = self.send_plain(topic, &chunk, &mut scratch);
                accepted += sent;
                if sent < chunk.len() {
                    return accepted;
                }
                continue;
            }
            if let Some(record) = records.next() {
                if !self.send_one(topic, &record) {
                    return accepted;
                }
                accepted += 1;
            }
        }
        accepted
    }

    fn send_plain(&self, topic: &TopicHandle, chunk: &[OutRecord<'_>], scratch: &mut Scratch) -> usize {
        if !self.transactional {
            return self.send_run(topic, chunk, Target::Each, scratch);
        }
        // librdkafka's call for records of several partitions registers a partition "-1" with the transaction, which the
        // broker refuses, if it does not know the topic yet. The call for one partition does not.
        let mut taken = 0;
        for run in chunk.chunk_by(|one, other| one.partition == other.partition) {
            let sent = self.send_run(topic, run, Target::All(run[0].partition), scratch);
            taken += sent;
            if sent < run.len() {
                break;
            }
        }
        taken
    }

    fn send_run(&self, topic: &TopicHandle, run: &[OutRecord<'_>], target: Target, scratch: &mut Scratch) -> usize {
        for same in run.chunk_by(|one, other| Arc::ptr_eq(one.ack, other.ack)) {
            same[0].ack.add(same.len());
        }
        let taken = topic.topic.produce_plain(run, target, scratch, |index, code| {
            let record = &run[index];
            record.ack.fail(&refusal(topic, record, KafkaError::new(code)));
        });
        for record in &run[taken..] {
            record.ack.complete(1);
        }
        taken
    }

    /// Whether the record was accepted.
    fn send_one(&self, topic: &TopicHandle, record: &OutRecord<'_>) -> bool {
        record.ack.add(1);
        match topic.topic.produce_one(record) {
            Ok(()) => true,
            Err(error) if error.code == ErrorCode::QUEUE_FULL => {
                record.ack.complete(1);
                false
            }
            Err(error) => {
                record.ack.fail(&refusal(topic, record, error));
                true
            }
        }
    }

    /// Waits until deliveries have made room, at most for `timeout`; `false` if they have not. A caller that may be told
    /// to stop passes a short timeout and looks.
    pub fn wait_for_room(&self, timeout: Duration) -> bool {
        // With nothing on its way no delivery will come to make room, and there is room.
        self.client.outstanding() == 0 || self.shared.room.wait(timeout)
    }

    /// Waits until everything that was accepted is delivered or failed; `false` if the time was too short.
    pub fn flush(&self, timeout: Duration) -> bool {
        self.client.flush(timeout)
    }

    /// Records that are accepted and neither delivered nor failed (and a few of the library's own events).
    pub fn outstanding(&self) -> usize {
        self.client.outstanding()
    }

    /// The error after which this producer cannot be used any more, if there was one.
    pub fn fatal_error(&self) -> Option<KafkaError> {
        self.client.fatal_error()
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }
}

impl Drop for SourceProducer {
    /// Gives up what is not delivered: its groups fail. Does not wait for brokers.
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::Release);
        // The thread ends by itself; nobody waits for it here.
        drop(self.thread.take());
    }
}

fn refusal(topic: &TopicHandle, record: &OutRecord<'_>, error: KafkaError) -> DeliveryError {
    DeliveryError {
        topic: topic.name.to_string(),
        partition: record.partition,
        error,
    }
}

/// The producer's thread: serves delivery reports until the producer is dropped, and then fails what is left.
fn serve(client: &Client, shared: &Shared) {
    while !shared.closing.load(Ordering::Acquire) {
        if client.poll(SERVE) > 0 {
            shared.room.made();
        }
    }
    if client.outstanding() == 0 {
        return;
    }
    client.purge();
    let until = Instant::now() + PURGE;
    while client.outstanding() > 0 && Instant::now() < until {
        client.poll(SERVE);
    }
}

fn on_delivery(report: Delivered<'_>) {
    if report.failed() {
        let error = DeliveryError {
            topic: report.topic(),
            partition: report.partition(),
            error: KafkaError::new(report.code()),
        };
        report.group().fail(&error);
    } else {
        report.group().complete(1);
    }
}

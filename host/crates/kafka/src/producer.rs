//! Producers: shared between the tasks of a worker, fed by batches, acknowledged by groups of records.
//!
//! Records are written once, as bytes of the batch in which they will be sent, on the thread of the task that sends them.
//! A thread of the producer's own takes batches to the brokers (`sender`). librdkafka has no part in it: it keeps an
//! object, a queue's link and a report for every record, which is most of what a small record costs.
//!
//! Producers are idempotent unless the settings say otherwise: each partition has one batch on its way at most, and the
//! broker tells a repeated one by its number.

pub(crate) mod ack;
mod options;
mod partitioner;
mod pending;
mod pool;
pub(crate) mod record_batch;
mod room;
mod sender;
mod shared;
mod topic;
mod transaction;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub use ack::{AckGroup, AckListener, OpenAckGroup};
pub use pool::ProducerPool;
pub use transaction::TransactionalProducer;

use crate::error::{Error, KafkaError};
use crate::settings::ClientSettings;
use crate::wire::Dialer;
use options::Options;
use sender::Sender;
use shared::Shared;
use topic::TopicQueue;

/// How long one look at what is left to flush lasts at most.
const FLUSH_LOOK: Duration = Duration::from_millis(50);

/// A record to be sent. Everything is copied when it is accepted.
#[derive(Clone, Copy)]
pub struct OutRecord<'a> {
    /// Absent: chosen as Kafka's Java producer chooses it, by the key's murmur2 hash.
    pub partition: Option<i32>,
    /// Milliseconds since 1970; absent: the time at which it is accepted.
    pub timestamp: Option<i64>,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub headers: &'a [(&'a str, Option<&'a [u8]>)],
    /// Hears of the delivery.
    pub ack: &'a Arc<AckGroup>,
}

/// A topic to send to; cheap to clone.
#[derive(Clone)]
pub struct TopicHandle {
    queue: Arc<TopicQueue>,
}

impl TopicHandle {
    pub fn name(&self) -> &str {
        &self.queue.name
    }
}

/// A producer, to be shared: all calls may come from several threads. Records of one thread to one partition keep their
/// order.
pub struct SourceProducer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl SourceProducer {
    /// Makes a producer and its thread. Brokers are contacted in the background.
    pub fn start(settings: &ClientSettings) -> Result<SourceProducer, Error> {
        let dialer = Arc::new(Dialer::new(settings)?);
        let shared = Arc::new(Shared::new(Options::of(settings)?, settings.reporter()));
        let thread = |reason: &std::io::Error| Error::Thread {
            client: settings.client_id().to_owned(),
            reason: reason.to_string(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| thread(&error))?;
        let sender = Sender::new(shared.clone(), dialer);
        let handle = std::thread::Builder::new()
            .name("kafka-produce".to_owned())
            .spawn(move || runtime.block_on(sender.run()))
            .map_err(|error| thread(&error))?;
        Ok(SourceProducer {
            shared,
            thread: Some(handle),
        })
    }

    /// The handle of a topic, which need not exist yet.
    pub fn topic(&self, name: &str) -> Result<TopicHandle, Error> {
        if name.is_empty() || name.contains('\0') || name.len() > i16::MAX as usize {
            return Err(Error::TopicName(name.to_owned()));
        }
        Ok(TopicHandle {
            queue: self.shared.topic(name),
        })
    }

    /// Enqueues records in their order. Returns how many were accepted: fewer than all if the buffer is full or no broker
    /// has told yet which partitions the topic has, in which case the caller waits ([`SourceProducer::wait_for_room`]) and
    /// goes on with the rest. A record that can never be sent (too large, say) counts as accepted and fails its group.
    ///
    /// Does not wait.
    pub fn send_batch<'a>(&self, topic: &TopicHandle, records: impl IntoIterator<Item = OutRecord<'a>>) -> usize {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |since| since.as_millis() as i64);
        let appended = topic.queue.append(&self.shared, &mut records.into_iter(), now);
        if appended.wake {
            self.shared.wake.notify_one();
        }
        appended.accepted
    }

    /// Waits until deliveries have made room or a topic is known, at most for `timeout`; `false` if neither happened. A
    /// caller that may be told to stop passes a short timeout and looks.
    pub fn wait_for_room(&self, timeout: Duration) -> bool {
        self.shared.room.wait(timeout)
    }

    /// Waits until everything that was accepted is delivered or failed; `false` if the time was too short.
    pub fn flush(&self, timeout: Duration) -> bool {
        let until = Instant::now() + timeout;
        self.shared.flushing.fetch_add(1, Ordering::Relaxed);
        self.shared.wake.notify_one();
        let flushed = loop {
            if self.outstanding() == 0 {
                break true;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break false;
            }
            self.shared.room.wait(left.min(FLUSH_LOOK));
        };
        self.shared.flushing.fetch_sub(1, Ordering::Relaxed);
        flushed
    }

    /// Records that are accepted and neither delivered nor failed.
    pub fn outstanding(&self) -> usize {
        self.shared.outstanding()
    }

    /// The error after which this producer cannot be used any more, if there was one.
    pub fn fatal_error(&self) -> Option<KafkaError> {
        self.shared.fatal()
    }
}

impl Drop for SourceProducer {
    /// Gives up what is not delivered: its groups fail. Does not wait for brokers.
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::Release);
        self.shared.wake.notify_one();
        // The thread ends by itself; nobody waits for it here.
        drop(self.thread.take());
    }
}

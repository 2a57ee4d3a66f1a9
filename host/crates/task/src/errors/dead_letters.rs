//! The dead letter queue of a task: letters on their way to Kafka, and those that did not arrive.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use caisson_kafka::{AckGroup, AckListener, DeliveryError, OutRecord, SourceProducer, TopicHandle};
use caisson_model::Failure;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::letter::{Letter, LetterHeaders};
use crate::meters::Meters;
use crate::settings::TopicCreator;

/// How long one wait for room in the producer takes at most, before the task looks whether it is to stop.
const ROOM_WAIT: Duration = Duration::from_millis(100);
/// How long a letter may wait for room altogether (`max.block.ms` of Java's producer).
const ROOM_PATIENCE: Duration = Duration::from_secs(60);

/// Where letters go. The topic is made when the task starts.
#[derive(Clone)]
pub struct DeadLetterSettings {
    pub topic: String,
    pub headers: LetterHeaders,
    pub producer: Arc<SourceProducer>,
    pub topics: Arc<dyn TopicCreator>,
}

/// Who waits for a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The worker itself: a letter that is lost is logged.
    Worker,
    /// A plugin that reported the record: a letter that is lost fails the task, as it counted on it.
    Plugin,
}

/// Sends letters and keeps count of them.
pub struct DeadLetters {
    topic: TopicHandle,
    pub headers: LetterHeaders,
    producer: Arc<SourceProducer>,
    fate: Arc<Fate>,
}

/// What the producer's thread says of letters.
struct Fate {
    pending: AtomicUsize,
    meters: Arc<Meters>,
    /// Letters that were lost, by who waits for them: how many, and why the last one was.
    lost: Mutex<[Option<(usize, String)>; 2]>,
    changed: Notify,
}

impl Fate {
    fn lose(&self, tag: u64, reason: String) {
        self.meters.letter_lost();
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = &mut lost[(tag & 1) as usize];
        let count = slot.as_ref().map_or(0, |(count, _)| *count);
        *slot = Some((count + 1, reason));
    }
}

impl AckListener for Fate {
    fn failed(&self, tag: u64, error: &DeliveryError) {
        self.lose(tag, error.to_string());
    }

    fn done(&self, _tag: u64, _failed: usize) {
        self.pending.fetch_sub(1, Ordering::AcqRel);
        self.changed.notify_one();
    }
}

impl DeadLetters {
    /// Sees to it that the topic exists.
    pub async fn start(settings: &DeadLetterSettings, meters: Arc<Meters>) -> Result<Self, Failure> {
        let unusable = |detail: String| {
            let text = format!("Could not initialize dead letter queue with topic={}", settings.topic);
            Failure::host(text).with_detail(detail)
        };
        settings
            .topics
            .ensure(settings.topic.clone())
            .await
            .map_err(|failure| unusable(failure.trace()))?;
        let topic = settings.producer.topic(&settings.topic);
        Ok(DeadLetters {
            topic: topic.map_err(|error| unusable(error.to_string()))?,
            headers: settings.headers,
            producer: settings.producer.clone(),
            fate: Arc::new(Fate {
                pending: AtomicUsize::new(0),
                meters,
                lost: Mutex::default(),
                changed: Notify::new(),
            }),
        })
    }

    /// Hands a letter to the producer, waiting for room if need be, unless `stop` says that there is no time for it.
    pub fn send(&self, letter: &Letter, sender: Sender, mut stop: impl FnMut() -> bool) {
        let tag = match sender {
            Sender::Worker => 0,
            Sender::Plugin => 1,
        };
        self.fate.pending.fetch_add(1, Ordering::AcqRel);
        let listener: Arc<dyn AckListener> = self.fate.clone();
        let ack = AckGroup::open(listener, tag);
        let headers: Vec<_> = letter
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_deref()))
            .collect();
        let record = OutRecord {
            partition: None,
            timestamp: letter.timestamp,
            key: letter.key.as_deref(),
            value: letter.value.as_deref(),
            headers: &headers,
            ack: &ack,
        };
        let end = Instant::now() + ROOM_PATIENCE;
        while self.producer.send_batch(&self.topic, [record]) == 0 {
            let fatal = self.producer.fatal_error();
            if fatal.is_some() || stop() || Instant::now() >= end {
                let reason = fatal.map_or("the producer had no room for it".to_owned(), |error| error.to_string());
                self.fate.lose(tag, reason);
                return;
            }
            self.producer.wait_for_room(ROOM_WAIT);
        }
    }

    /// Waits until all letters have arrived or are lost; false if the time was too short.
    pub async fn settled(&self, at_most: Duration) -> bool {
        let settled = async {
            while self.fate.pending.load(Ordering::Acquire) > 0 {
                self.fate.changed.notified().await;
            }
        };
        tokio::time::timeout(at_most, settled).await.is_ok()
    }

    /// Says which letters were lost since the last time. Those that a plugin waits for are an error.
    pub fn check(&self) -> Result<(), Failure> {
        let lost = std::mem::take(&mut *self.fate.lost.lock().unwrap_or_else(PoisonError::into_inner));
        let topic = self.topic.name();
        if let [Some((letters, reason)), _] = &lost {
            tracing::error!(
                topic,
                letters,
                reason,
                "Could not produce message to dead letter queue. topic={topic}"
            );
        }
        match &lost[1] {
            None => Ok(()),
            Some((letters, reason)) => Err(Failure::host(format!(
                "{letters} records that the plugin reported did not reach the dead letter queue {topic}: {reason}"
            ))),
        }
    }
}

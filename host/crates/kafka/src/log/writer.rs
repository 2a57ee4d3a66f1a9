//! Appending to logs: plainly, or by the one writer whose transactional id is the newest.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::blocking;
use crate::error::{DeliveryError, Error, ErrorCode, KafkaError};
use crate::producer::{AckGroup, AckListener, OutRecord, SourceProducer, TransactionalProducer};
use crate::settings::ClientSettings;

/// How long a full producer is waited for before it is tried again.
const ROOM: Duration = Duration::from_millis(10);

/// A record for a log; no value is a tombstone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
}

impl LogEntry {
    pub fn new(key: impl Into<Vec<u8>>, value: Option<Vec<u8>>) -> Self {
        LogEntry {
            key: Some(key.into()),
            value,
        }
    }
}

/// Appends to topics. Partitions are chosen by the key, as Java's producer does.
#[derive(Clone)]
pub struct LogWriter {
    producer: Arc<SourceProducer>,
}

impl LogWriter {
    /// Makes a producer; `acks=all` and one request in flight are the defaults of its settings.
    pub fn start(settings: &ClientSettings) -> Result<LogWriter, Error> {
        Ok(LogWriter {
            producer: Arc::new(SourceProducer::start(settings)?),
        })
    }

    /// Appends in this order, and waits until Kafka has acknowledged all or refused one, which may leave others
    /// written. How long Kafka is waited for is a matter of `delivery.timeout.ms`.
    pub async fn append(&self, topic: &str, entries: &[LogEntry]) -> Result<(), Error> {
        let what = || format!("appending to topic {topic}");
        let acknowledged = send(&self.producer, topic, entries).await?;
        match acknowledged.await {
            Ok(None) => Ok(()),
            Ok(Some(error)) => Err(Error::kafka(what())(error.error)),
            Err(_) => Err(Error::Closed(format!("that was {}", what()))),
        }
    }
}

/// Hands entries to a producer; the receiver hears of the first failure, or of none.
async fn send(
    producer: &SourceProducer,
    topic: &str,
    entries: &[LogEntry],
) -> Result<oneshot::Receiver<Option<DeliveryError>>, Error> {
    let handle = producer.topic(topic)?;
    let (done, acknowledged) = oneshot::channel();
    let group = AckGroup::open(Arc::new(Acknowledged::new(done)), 0);
    let mut from = 0;
    while from < entries.len() {
        let records = entries[from..].iter().map(|entry| OutRecord {
            partition: None,
            timestamp: None,
            key: entry.key.as_deref(),
            value: entry.value.as_deref(),
            headers: &[],
            ack: &group,
        });
        from += producer.send_batch(&handle, records);
        if from < entries.len() {
            if let Some(error) = producer.fatal_error() {
                return Err(Error::kafka(format!("appending to topic {topic}"))(error));
            }
            tokio::time::sleep(ROOM).await;
        }
    }
    Ok(acknowledged)
}

/// Hears of one group.
struct Acknowledged {
    outcome: Mutex<Outcome>,
}

struct Outcome {
    failure: Option<DeliveryError>,
    done: Option<oneshot::Sender<Option<DeliveryError>>>,
}

impl Acknowledged {
    fn new(done: oneshot::Sender<Option<DeliveryError>>) -> Self {
        Acknowledged {
            outcome: Mutex::new(Outcome {
                failure: None,
                done: Some(done),
            }),
        }
    }
}

impl AckListener for Acknowledged {
    fn failed(&self, _tag: u64, error: &DeliveryError) {
        let mut outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        outcome.failure.get_or_insert_with(|| error.clone());
    }

    fn done(&self, _tag: u64, _failed: usize) {
        let mut outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        let failure = outcome.failure.take();
        if let Some(done) = outcome.done.take() {
            // Whoever appended may have stopped waiting.
            let _ = done.send(failure);
        }
    }
}

/// Appends by transactions of one id: whoever claimed it last is the only one who can. This is how a cluster's leader
/// keeps former leaders from writing (`connect-cluster-<group.id>` in Kafka Connect).
pub struct TransactionalLogWriter {
    settings: ClientSettings,
    /// None before the first claim, and after a failure that ends a producer. The lock also puts appends in a row.
    producer: tokio::sync::Mutex<Option<Arc<TransactionalProducer>>>,
}

impl TransactionalLogWriter {
    /// The settings must name a `transactional.id`. Nothing is written or claimed yet.
    pub fn new(settings: &ClientSettings) -> Result<TransactionalLogWriter, Error> {
        if settings.native("transactional.id").is_none() {
            return Err(Error::Setting {
                name: "transactional.id".to_owned(),
                reason: "a transactional writer needs one".to_owned(),
            });
        }
        Ok(TransactionalLogWriter {
            settings: settings.clone(),
            producer: tokio::sync::Mutex::new(None),
        })
    }

    /// Takes the id over: earlier writers with it are fenced, and what they left open is aborted.
    pub async fn claim(&self, patience: Duration) -> Result<(), Error> {
        let mut producer = self.producer.lock().await;
        // The one before is done for, whether the claim succeeds or not.
        *producer = None;
        let made = Arc::new(TransactionalProducer::start(&self.settings)?);
        let claiming = made.clone();
        blocking(&self.what("claiming"), move || claiming.init(patience)).await?;
        *producer = Some(made);
        Ok(())
    }

    /// Whether it was claimed and no failure has ended it since. It may have been fenced without knowing it yet.
    pub async fn is_claimed(&self) -> bool {
        self.producer.lock().await.is_some()
    }

    /// Lets go of the id without a trace in Kafka: a later claim begins anew.
    pub async fn release(&self) {
        self.producer.lock().await.take();
    }

    /// Appends all of these or none, in one transaction. An error whose code [is of fencing](ErrorCode::is_fenced), and any
    /// that is fatal, ends the claim.
    pub async fn append(&self, topic: &str, entries: &[LogEntry], patience: Duration) -> Result<(), Error> {
        let mut slot = self.producer.lock().await;
        let Some(producer) = slot.clone() else {
            let error = KafkaError::with_message(ErrorCode::STATE, "the transactional id is not claimed");
            return Err(Error::kafka(self.what("writing with"))(error));
        };
        let until = Instant::now() + patience;
        match self.transact(&producer, topic, entries, until).await {
            Ok(()) => Ok(()),
            Err(error) => {
                if !self.can_go_on(&producer, &error, until).await {
                    *slot = None;
                }
                Err(error)
            }
        }
    }

    async fn transact(
        &self,
        producer: &Arc<TransactionalProducer>,
        topic: &str,
        entries: &[LogEntry],
        until: Instant,
    ) -> Result<(), Error> {
        producer
            .begin()
            .map_err(Error::kafka(self.what("beginning a transaction of")))?;
        let mut acknowledged = send(producer, topic, entries).await?;
        let committing = producer.clone();
        // Sends what is outstanding first; so it is known what became of the records.
        let committed = blocking(&self.what("committing a transaction of"), move || {
            committing.commit(until.saturating_duration_since(Instant::now()))
        })
        .await;
        if let (Err(_), Ok(Some(error))) = (&committed, acknowledged.try_recv())
            && !error.error.code.is_purge()
        {
            // Why a record was refused says more than that the commit was.
            return Err(Error::kafka(format!("appending to topic {topic}"))(error.error));
        }
        committed
    }

    /// Aborts what failed; whether the next transaction has a chance.
    async fn can_go_on(&self, producer: &Arc<TransactionalProducer>, error: &Error, until: Instant) -> bool {
        if producer.fatal_error().is_some() || error.code().is_some_and(ErrorCode::is_fenced) {
            return false;
        }
        let aborting = producer.clone();
        let patience = until
            .saturating_duration_since(Instant::now())
            .max(Duration::from_secs(1));
        let aborted = blocking("aborting a transaction", move || aborting.abort(patience)).await;
        aborted.is_ok()
    }

    fn what(&self, doing: &str) -> String {
        let id = self.settings.native("transactional.id").unwrap_or_default();
        format!("{doing} the transactional id {id}")
    }
}

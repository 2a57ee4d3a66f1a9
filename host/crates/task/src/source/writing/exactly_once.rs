//! Exactly once (KIP-618): records and source offsets reach Kafka in the same transactions, of a producer that belongs to
//! the task alone and fences whoever used its id before. Kafka Connect's `ExactlyOnceWorkerSourceTask` is the model.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use caisson_api::frame::{self, Frame};
use caisson_kafka::{
    DeliveryError, ErrorCode, KafkaError, OutRecord, SourceProducer, TopicHandle, TransactionalProducer,
};
use caisson_model::Failure;
use tokio::time::Instant;

use super::newest::{Newest, Pair};
use crate::control::{Controls, Wish};
use crate::errors::Errors;
use crate::meters::Meters;
use crate::settings::{Boundary, ExactlyOnce, TaskSettings};
use crate::source::acks::Acks;
use crate::source::outlet::SentGroup;

/// How long one attempt to take the transactional id over may last, before the task looks whether it is to stop.
const ATTEMPT: Duration = Duration::from_secs(5);
/// What a commit may take. The coordinator aborts a transaction that is open for longer than `transaction.timeout.ms`.
const COMMIT: Duration = Duration::from_secs(90);
const ABORT: Duration = Duration::from_secs(10);
const ROOM_WAIT: Duration = Duration::from_millis(100);

/// The transactions of one task.
pub struct Transactions {
    settings: ExactlyOnce,
    task: String,
    producer: Arc<TransactionalProducer>,
    offsets_topic: TopicHandle,
    is_open: bool,
    /// Records in the open transaction.
    records: u64,
    /// What goes into the open transaction, or into the next.
    offsets: Newest,
    committed_at: Instant,
    /// For dead letters, before the offsets of their records are committed.
    patience: Duration,
    meters: Arc<Meters>,
}

impl Transactions {
    /// Takes the transactional id over. Once this has succeeded nobody else writes for the task, and what the one before
    /// has committed can be read. The producers of other tasks that it takes over from are the cluster's affair.
    pub async fn start(
        task: &TaskSettings,
        settings: &ExactlyOnce,
        controls: &Controls,
    ) -> Result<Transactions, Failure> {
        let name = task.id.to_string();
        let unusable =
            |error: caisson_kafka::Error| Failure::host(format!("producer of task {name} cannot be used: {error}"));
        let producer = Arc::new(TransactionalProducer::start(&settings.producer).map_err(unusable)?);
        initialize(&producer, &name, controls).await?;
        if let Some(preflight) = &settings.preflight {
            preflight.verify().await?;
        }
        Ok(Transactions {
            offsets_topic: producer.topic(&settings.offsets_topic).map_err(unusable)?,
            settings: settings.clone(),
            task: name,
            producer,
            is_open: false,
            records: 0,
            offsets: Newest::of(&task.id.connector),
            committed_at: Instant::now(),
            patience: task.commit_timeout,
            meters: task.meters.clone(),
        })
    }

    pub fn producer(&self) -> &Arc<SourceProducer> {
        self.producer.producer()
    }

    /// The topic that records must not go to.
    pub fn offsets_topic(&self) -> &str {
        &self.settings.offsets_topic
    }

    /// The parts of a batch that transactions end between, and how each ends.
    pub fn parts(&self, polled: &Frame<'_>) -> Vec<(Range<usize>, frame::Boundary)> {
        let mut parts = Vec::new();
        let mut start = 0;
        if self.settings.boundary == Boundary::Connector {
            for (index, record) in polled.records().enumerate() {
                if record.boundary != frame::Boundary::None {
                    parts.push((start..index + 1, record.boundary));
                    start = index + 1;
                }
            }
        }
        parts.push((start..polled.len(), self.end_of_batch(polled.boundary())));
        parts
    }

    fn end_of_batch(&self, wanted: frame::Boundary) -> frame::Boundary {
        match self.settings.boundary {
            Boundary::Poll => frame::Boundary::Commit,
            // Time may end it; see `is_due`.
            Boundary::Interval(_) => frame::Boundary::None,
            Boundary::Connector => wanted,
        }
    }

    /// Whether the time of the transaction is over.
    pub fn is_due(&self) -> bool {
        match self.settings.boundary {
            Boundary::Interval(interval) => self.has_work() && self.committed_at.elapsed() >= interval,
            Boundary::Poll | Boundary::Connector => false,
        }
    }

    pub fn has_work(&self) -> bool {
        self.is_open || !self.offsets.is_empty()
    }

    /// Opens a transaction unless one is open.
    pub fn begin(&mut self) -> Result<(), Failure> {
        if !self.is_open {
            self.producer.begin().map_err(|error| self.failed(&error))?;
            self.is_open = true;
        }
        Ok(())
    }

    /// Notes the offsets of records that were handed to the producer.
    pub fn sent(&mut self, groups: Vec<SentGroup>) {
        for group in groups {
            self.records += group.flag.records();
            self.offsets.add(group.partition, group.offset);
        }
    }

    /// False: there was nothing to commit.
    pub async fn commit(&mut self, acks: &Arc<Acks>, errors: &mut Errors) -> Result<bool, Failure> {
        self.committed_at = Instant::now();
        if !self.has_work() {
            return Ok(false);
        }
        if !errors.settled(self.patience).await? {
            let text = "dead letters did not arrive within offset.flush.timeout.ms, and offsets wait for them";
            return Err(Failure::host(format!("task {}: {text}", self.task)));
        }
        self.begin()?;
        let pairs = self.offsets.to_pairs()?;
        self.write(&pairs, acks).await?;
        let producer = self.producer.clone();
        let began = Instant::now();
        let committed = blocking(move || producer.commit(COMMIT)).await?;
        self.meters.committed(committed.is_ok(), began.elapsed());
        // Why a record was refused says more than that the commit was.
        self.check(acks)?;
        committed.map_err(|error| self.failed(&error))?;
        self.meters.transaction(std::mem::take(&mut self.records));
        self.is_open = false;
        self.offsets.clear();
        self.tell_others(pairs).await;
        Ok(true)
    }

    /// Gives up what was sent since the last commit; its offsets are committed, so that it is not polled again.
    pub async fn abort(&mut self, acks: &Arc<Acks>, errors: &mut Errors) -> Result<bool, Failure> {
        if !self.is_open {
            tracing::warn!("ignoring request by task to abort transaction as the current transaction is empty");
            return Ok(false);
        }
        // First out, so that no report of a record that was given up comes in later.
        let producer = self.producer.clone();
        let aborted = blocking(move || {
            producer.flush(COMMIT);
            producer.abort(ABORT)
        })
        .await?;
        self.check(acks)?;
        aborted.map_err(|error| self.failed(&error))?;
        (self.is_open, self.records) = (false, 0);
        self.commit(acks, errors).await
    }

    /// The last commit of a task that stops or pauses, or before another plugin comes. Where the connector says where
    /// transactions end, what it has not ended is not committed.
    pub async fn commit_last(&mut self, acks: &Arc<Acks>, errors: &mut Errors) -> Result<bool, Failure> {
        match self.settings.boundary {
            Boundary::Poll | Boundary::Interval(_) => self.commit(acks, errors).await,
            Boundary::Connector => Ok(false),
        }
    }

    /// Nothing of the open transaction must be seen, and whoever reads committed records should not have to wait until
    /// the coordinator aborts it. Its records are polled again: a task that goes on although this has failed would commit
    /// them twice.
    pub async fn give_up(&mut self) -> Result<(), Failure> {
        self.offsets.clear();
        self.records = 0;
        if !std::mem::take(&mut self.is_open) || self.producer.fatal_error().is_some() {
            return Ok(());
        }
        let producer = self.producer.clone();
        let aborted = blocking(move || producer.abort(ABORT)).await?;
        aborted.map_err(|error| self.failed(&error))
    }

    /// Records that were not delivered fail the task, whatever `errors.tolerance` says: a transaction is whole or none.
    pub fn check(&self, acks: &Acks) -> Result<(), Failure> {
        acks.take_failure()
            .map_or(Ok(()), |failure| Err(self.undelivered(&failure)))
    }

    fn undelivered(&self, failure: &DeliveryError) -> Failure {
        if failure.error.code.is_fenced() {
            return self.failed(&failure.error);
        }
        let (task, topic) = (&self.task, &failure.topic);
        Failure::host(format!("task {task} could not write to topic {topic}: {failure}"))
            .with_detail("Unrecoverable exception from producer send callback")
    }

    /// Sends offsets as part of the transaction.
    async fn write(&self, pairs: &[Pair], acks: &Arc<Acks>) -> Result<(), Failure> {
        let (group, _) = acks.open(None);
        let mut from = 0;
        while from < pairs.len() {
            let records = pairs[from..].iter().map(|(key, value)| OutRecord {
                partition: None,
                timestamp: None,
                key: Some(key),
                value: value.as_deref(),
                headers: &[],
                ack: &group,
            });
            from += self.producer.send_batch(&self.offsets_topic, records);
            if from < pairs.len() {
                if let Some(error) = self.producer.fatal_error() {
                    return Err(self.failed(&error));
                }
                self.producer.wait_for_room(ROOM_WAIT);
            }
        }
        Ok(())
    }

    /// Best effort, as in Kafka Connect: the connector's own topic is what counts.
    async fn tell_others(&self, pairs: Vec<Pair>) {
        let Some(others) = &self.settings.others else { return };
        if pairs.is_empty() {
            return;
        }
        if let Err(error) = others.put(pairs).await {
            tracing::warn!(%error, "could not write source offsets to the worker's topic; the connector's own has them");
        }
    }

    fn failed(&self, error: &KafkaError) -> Failure {
        let task = &self.task;
        let failure = Failure::host(format!(
            "Failed to flush offsets and/or records for task {task}: {error}"
        ));
        if !error.code.is_fenced() {
            return failure;
        }
        failure.with_detail(format!(
            "Either another instance of task {task} has taken over, or it was unable to finish writing records to Kafka \
             before its producer transaction expired. If the latter, it may be necessary to reconfigure the connector: \
             let transactions end more often (transaction.boundary, transaction.boundary.interval.ms), or let them last \
             longer (producer.override.transaction.timeout.ms)."
        ))
    }
}

/// Fences earlier producers of the id; waits for Kafka as long as the task is wanted.
async fn initialize(producer: &Arc<TransactionalProducer>, task: &str, controls: &Controls) -> Result<(), Failure> {
    loop {
        let starting = producer.clone();
        let Err(error) = blocking(move || starting.init(ATTEMPT)).await? else {
            return Ok(());
        };
        let may_pass = error.code.is_retriable() || error.code == ErrorCode::CONCURRENT_TRANSACTIONS;
        if error.fatal || !may_pass || controls.current() == Wish::Stop {
            return Err(Failure::host(format!("task {task} cannot begin transactions: {error}")));
        }
        tracing::warn!(%error, "waiting for the transaction coordinator");
    }
}

/// A call that waits for Kafka, away from the task's own thread.
async fn blocking<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(call)
        .await
        .map_err(|error| Failure::host(format!("the worker is shutting down: {error}")))
}

//! The sink's side: from Kafka's bytes to `put`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use caisson_api::ErrorKind;
use caisson_api::frame::{Encodings, Frame};
use caisson_kafka::Timestamp;
use caisson_model::{Failure, FailureKind, PartitionOffset, TopicPartition};
use caisson_sandbox::{CallError, SinkTask};
use tokio::sync::watch;

use super::{LetterBox, LocalRecord};
use crate::chain::{Chain, Stream, Target};
use crate::clock::Backoff;
use crate::control::Wish;
use crate::errors::{Consumed, DATA_EXCEPTION, Errors, Faults, Origin, Source, Throwable, Trail};
use crate::outgoing::{Outgoing, SinkFrames};
use crate::settings::TaskSettings;
use crate::sink::intake::Intake;
use crate::sink::report;

/// A sink task that runs here.
pub struct LocalSink {
    task: TaskSettings,
    guest: SinkTask,
    chain: Chain,
    intake: Intake,
    frames: SinkFrames,
    encodings: Encodings,
    errors: Errors,
    letters: Option<LetterBox>,
    /// The partitions that it was given, and where it stands in them.
    positions: BTreeMap<TopicPartition, i64>,
}

impl LocalSink {
    pub async fn start(task: TaskSettings, letters: Option<LetterBox>) -> Result<Self, Failure> {
        let chain = Chain::start(&task).await?;
        let encodings = task.sink_encodings();
        let guest = SinkTask::start(task.instance(&task.plugin, &task.config)).await;
        let (_, wish) = watch::channel(Wish::Run);
        let errors = Errors::new(task.id.clone(), task.errors, None, wish, task.meters.clone());
        Ok(LocalSink {
            guest: guest.map_err(|error| task.failed("start", error))?,
            intake: Intake::of(&task.converters, &chain, encodings),
            frames: SinkFrames::new(&task.converters, encodings),
            errors: match &letters {
                Some(letters) => errors.keeping(letters.headers),
                None => errors,
            },
            letters,
            positions: BTreeMap::new(),
            encodings,
            chain,
            task,
        })
    }

    /// Has the plugin take these records. Waits for it, so that it needs a thread that may be held up.
    pub async fn put(&mut self, records: &[LocalRecord]) -> Result<(), Failure> {
        if records.is_empty() {
            return Ok(());
        }
        self.open(records).await?;
        let given: Vec<Consumed<'_>> = records.iter().map(consumed).collect();
        self.intake.several(&given, &mut self.errors)?;
        let frame = self.intake.take();
        if !frame.is_empty() {
            self.through(&frame, &given).await?;
        }
        self.errors.check()?;
        for record in records {
            let position = self.positions.entry(partition(record)).or_default();
            *position = (*position).max(record.offset + 1);
        }
        self.obey(&given).await
    }

    /// Partitions come with their first records.
    async fn open(&mut self, records: &[LocalRecord]) -> Result<(), Failure> {
        let mut new: Vec<TopicPartition> = records.iter().map(partition).collect();
        new.sort();
        new.dedup();
        new.retain(|partition| !self.positions.contains_key(partition));
        if new.is_empty() {
            return Ok(());
        }
        let opened = self.guest.open(&new).await;
        opened.map_err(|error| self.task.failed("open", error))?;
        self.positions.extend(new.into_iter().map(|partition| (partition, 0)));
        Ok(())
    }

    async fn through(&mut self, frame: &[u8], given: &[Consumed<'_>]) -> Result<(), Failure> {
        let entry = Frame::parse(frame).map_err(|error| Failure::host(format!("a wrong batch: {error}")))?;
        let trail = Trail {
            entry: &entry,
            consumed: Some(Source::Given(given)),
        };
        let outgoing = if self.chain.is_empty() {
            Outgoing {
                frame: Cow::Borrowed(frame),
                origins: None,
            }
        } else {
            let stream = Stream::new(frame, self.intake.forms(), self.intake.trust());
            let target = Target::Sink(self.encodings);
            let stream = self.chain.apply(stream, target, 0, trail, &mut self.errors).await?;
            let mut faults = Faults {
                errors: &mut self.errors,
                trail,
            };
            self.frames.for_sink(stream, &mut faults)?
        };
        self.errors.check()?;
        if outgoing.frame.is_empty() {
            return Ok(());
        }
        let mut backoff = Backoff::default();
        let failures = loop {
            match self.guest.put(&outgoing.frame).await {
                Ok(failures) => break failures,
                Err(CallError::Guest(error)) if error.kind == ErrorKind::Retriable => {
                    let pause = backoff.next(error.retry_after_ms);
                    tracing::warn!(%error, ?pause, "put asks for patience");
                    tokio::time::sleep(pause).await;
                }
                Err(error) => return Err(self.task.failed("put", error)),
            }
        };
        for failure in &failures {
            let at = outgoing.origin(failure.index);
            report(&mut self.errors, at, &Throwable::from(failure), trail.origin(at));
        }
        self.errors.check()
    }

    /// What the guest said during its last calls.
    async fn obey(&mut self, given: &[Consumed<'_>]) -> Result<(), Failure> {
        let requests = self.guest.drain();
        for late in &requests.reports {
            let error = Throwable::new(DATA_EXCEPTION, &*late.message);
            let origin = Origin::among(given, &late.partition.topic, late.partition.partition, late.offset);
            report(&mut self.errors, 0, &error, origin);
        }
        self.errors.check()?;
        if !requests.rewind.is_empty() {
            let text = "the sink asks for earlier records again, and without Kafka there are none";
            return Err(Failure::new(FailureKind::Guest, text.to_owned()));
        }
        if requests.commit {
            self.flush().await?;
        }
        Ok(())
    }

    /// Has it make durable what it was given, as at a commit.
    pub async fn flush(&mut self) -> Result<(), Failure> {
        let position = |(partition, offset): (&TopicPartition, &i64)| PartitionOffset {
            partition: partition.clone(),
            offset: *offset,
        };
        let positions: Vec<PartitionOffset> = self.positions.iter().map(position).collect();
        let done = self.guest.pre_commit(&positions).await;
        done.map_err(|error| self.task.failed("pre-commit", error))?;
        for late in self.guest.drain().reports {
            let error = Throwable::new(DATA_EXCEPTION, &*late.message);
            report(&mut self.errors, 0, &error, Origin::Unknown);
        }
        self.errors.check()
    }

    /// The dead letters since the last time.
    pub fn letters(&mut self) -> Vec<LocalRecord> {
        let Some(letters) = &self.letters else {
            return Vec::new();
        };
        let taken = self.errors.take_letters().into_iter();
        taken.map(|letter| letters.record(letter)).collect()
    }

    /// Closes its partitions and lets it stop.
    pub async fn stop(mut self) {
        let partitions: Vec<TopicPartition> = self.positions.keys().cloned().collect();
        if self.guest.is_alive() {
            let mut ended = self.guest.close(&partitions).await;
            if ended.is_ok() {
                ended = self.guest.stop().await;
            }
            if let Err(error) = ended {
                tracing::warn!(%error, "stop of the plugin failed");
            }
        }
        self.chain.stop().await;
        self.errors.summary();
    }
}

fn partition(record: &LocalRecord) -> TopicPartition {
    TopicPartition::new(record.topic.as_str(), record.partition)
}

fn consumed(record: &LocalRecord) -> Consumed<'_> {
    Consumed {
        topic: &record.topic,
        partition: record.partition,
        offset: record.offset,
        timestamp: record.timestamp.map_or(Timestamp::None, Timestamp::Create),
        key: record.key.as_deref(),
        value: record.value.as_deref(),
        headers: record
            .headers
            .iter()
            .map(|(name, value)| (Cow::Borrowed(name.as_str()), value.as_deref()))
            .collect(),
    }
}

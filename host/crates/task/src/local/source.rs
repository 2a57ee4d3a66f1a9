//! The source's side: from `poll` to the bytes that Kafka would get.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use caisson_api::ErrorKind;
use caisson_api::frame::{self, Entry, Frame, Role};
use caisson_model::{Failure, FailureKind};
use caisson_sandbox::{CallError, Delivery, OffsetReader, Outcome, SourceTask};
use tokio::sync::watch;

use super::{LetterBox, LocalRecord};
use crate::chain::{Chain, Stream, Target};
use crate::clock::Backoff;
use crate::columns::Forms;
use crate::control::Wish;
use crate::errors::{Errors, Faults, Trail};
use crate::recode::{Recoder, Trust};
use crate::settings::{Boundary, TaskSettings};

const POLL_WAIT: Duration = Duration::from_millis(250);
const POLL_BYTES: u32 = 512 << 10;

/// A source task that runs here.
pub struct LocalSource {
    task: TaskSettings,
    guest: SourceTask,
    chain: Chain,
    recoder: Recoder,
    errors: Errors,
    letters: Option<LetterBox>,
    boundary: Boundary,
    backoff: Backoff,
    /// Polled records whose fate was told, if the plugin wants to know.
    told: u64,
}

/// What one `poll` came to, in the parts that transactions end between.
#[derive(Default)]
pub struct Polled {
    pub parts: Vec<Part>,
}

/// Records up to the end of a transaction, or of the batch.
pub struct Part {
    pub records: Vec<LocalRecord>,
    /// Source partitions and the offsets of their last records, as JSON.
    pub offsets: Vec<(String, String)>,
    pub end: End,
    /// Per polled record, whether the chain has let it through.
    passed: Vec<bool>,
}

/// What follows on a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// More of the same transaction.
    Open,
    /// What has come until now counts.
    Commit,
    /// It does not, and is not polled again either.
    Abort,
}

impl LocalSource {
    /// Unless the connector says where transactions end, each batch is one.
    pub async fn start(
        task: TaskSettings,
        letters: Option<LetterBox>,
        boundary: Boundary,
        offsets: Arc<dyn OffsetReader>,
    ) -> Result<Self, Failure> {
        let chain = Chain::start(&task).await?;
        let spec = task.instance(&task.plugin, &task.config);
        let guest = SourceTask::start(spec, offsets).await;
        // There is nobody who could tell it to stop within a record.
        let (_, wish) = watch::channel(Wish::Run);
        let errors = Errors::new(task.id.clone(), task.errors, None, wish, task.meters.clone());
        Ok(LocalSource {
            guest: guest.map_err(|error| task.failed("start", error))?,
            chain,
            recoder: Recoder::new(&task.converters, Role::Transform, task.direction.order()),
            errors: match &letters {
                Some(letters) => errors.keeping(letters.headers),
                None => errors,
            },
            letters,
            boundary,
            backoff: Backoff::default(),
            told: 0,
            task,
        })
    }

    /// The next records; often none. Waits for the guest, so that it needs a thread that may be held up.
    pub async fn poll(&mut self) -> Result<Polled, Failure> {
        let frame = match self.guest.poll(POLL_WAIT, POLL_BYTES).await {
            Ok(frame) => frame,
            Err(CallError::Guest(error)) if error.kind == ErrorKind::Retriable => {
                let pause = self.backoff.next(error.retry_after_ms);
                tracing::warn!(%error, ?pause, "poll asks for patience");
                tokio::time::sleep(pause).await;
                Vec::new()
            }
            Err(error) => return Err(self.task.failed("poll", error)),
        };
        if let Some((message, detail)) = self.guest.drain().error {
            return Err(Failure {
                detail,
                ..Failure::new(FailureKind::Guest, message)
            });
        }
        if frame.is_empty() {
            return Ok(Polled::default());
        }
        self.backoff = Backoff::default();
        let polled = self.through(&frame).await?;
        self.errors.check()?;
        Ok(polled)
    }

    async fn through(&mut self, frame: &[u8]) -> Result<Polled, Failure> {
        let entry = parse(frame)?;
        let trail = Trail {
            entry: &entry,
            consumed: None,
        };
        let arrival = now();
        let stream = Stream::new(frame, Forms::of_source(entry.encodings()), Trust::Full);
        let stream = self
            .chain
            .apply(stream, Target::Kafka, arrival, trail, &mut self.errors)
            .await?;
        let mut parts = self.parts(&entry);
        if stream.frame.is_empty() {
            return Ok(Polled { parts });
        }
        let chained = parse(&stream.frame)?;
        let forms = (stream.forms, Forms::SERIALIZED);
        let mut faults = Faults {
            errors: &mut self.errors,
            trail,
        };
        let converted = self
            .recoder
            .recode(&chained, |index| stream.origin(index), forms, &mut faults)?;
        let converted = parse(&converted)?;
        for record in converted.records() {
            let mut at = stream.origin(record.origin) as usize;
            for part in &mut parts {
                if let Some(passed) = part.passed.get_mut(at) {
                    *passed = true;
                    part.records.push(local(record, arrival));
                    break;
                }
                at -= part.passed.len();
            }
        }
        Ok(Polled { parts })
    }

    /// The parts of a batch, without their records yet.
    fn parts(&self, entry: &Frame<'_>) -> Vec<Part> {
        let by_connector = self.boundary == Boundary::Connector;
        let mut parts = Vec::new();
        let mut start = 0;
        if by_connector {
            for (index, record) in entry.records().enumerate() {
                if let Some(end) = end_of(record.boundary) {
                    parts.push(part(entry, start..index + 1, end));
                    start = index + 1;
                }
            }
        }
        let end = match by_connector {
            true => end_of(entry.boundary()).unwrap_or(End::Open),
            false => End::Commit,
        };
        parts.push(part(entry, start..entry.len(), end));
        parts
    }

    /// What has come up to the end of a transaction is where it goes, or given up, and its offsets are stored.
    pub async fn arrived(&mut self, parts: &[Part], end: End) -> Result<(), Failure> {
        let passed: Vec<bool> = parts.iter().flat_map(|part| &part.passed).copied().collect();
        if !self.task.plugin.is_able("delivery-reports") || passed.is_empty() {
            return Ok(());
        }
        let mut deliveries = Vec::new();
        for same in passed.chunk_by(|one, other| one == other) {
            deliveries.push(Delivery {
                first: self.told,
                count: same.len() as u32,
                outcome: if same[0] && end == End::Commit {
                    Outcome::Written
                } else {
                    Outcome::Dropped
                },
            });
            self.told += same.len() as u64;
        }
        let told = self.guest.delivered(&deliveries).await;
        told.map_err(|error| self.task.failed("delivered", error))?;
        let told = self.guest.committed().await;
        told.map_err(|error| self.task.failed("committed", error))
    }

    /// The dead letters since the last time.
    pub fn letters(&mut self) -> Vec<LocalRecord> {
        let Some(letters) = &self.letters else {
            return Vec::new();
        };
        let taken = self.errors.take_letters().into_iter();
        taken.map(|letter| letters.record(letter)).collect()
    }

    pub async fn stop(mut self) {
        if self.guest.is_alive()
            && let Err(error) = self.guest.stop().await
        {
            tracing::warn!(%error, "stop of the plugin failed");
        }
        self.chain.stop().await;
        self.errors.summary();
    }
}

fn end_of(boundary: frame::Boundary) -> Option<End> {
    match boundary {
        frame::Boundary::None => None,
        frame::Boundary::Commit => Some(End::Commit),
        frame::Boundary::Abort => Some(End::Abort),
    }
}

/// A part of a batch, with the last offset of each source partition in it.
fn part(entry: &Frame<'_>, records: Range<usize>, end: End) -> Part {
    let mut last: Vec<Option<&str>> = vec![None; entry.source_partitions().len()];
    let passed = vec![false; records.len()];
    for record in entry.records().take(records.end).skip(records.start) {
        if let Some(source) = record.source {
            last[source.partition as usize] = Some(source.offset);
        }
    }
    let offset = |(partition, offset): (usize, Option<&str>)| {
        let partition = entry.source_partition(partition as u32).to_owned();
        Some((partition, offset?.to_owned()))
    };
    Part {
        records: Vec::new(),
        offsets: last.into_iter().enumerate().filter_map(offset).collect(),
        end,
        passed,
    }
}

/// Without a partition of its own it is in the first one, as of a topic that has no other.
fn local(record: Entry<'_>, arrival: i64) -> LocalRecord {
    LocalRecord {
        topic: record.topic.to_owned(),
        partition: record.partition.unwrap_or_default(),
        offset: 0,
        timestamp: Some(record.timestamp.millis().unwrap_or(arrival)),
        key: record.key.map(<[u8]>::to_vec),
        value: record.value.map(<[u8]>::to_vec),
        headers: record
            .headers
            .map(|header| (header.name.to_owned(), header.value.map(<[u8]>::to_vec)))
            .collect(),
    }
}

fn parse(frame: &[u8]) -> Result<Frame<'_>, Failure> {
    Frame::parse(frame).map_err(|error| Failure::new(FailureKind::Guest, format!("a wrong batch: {error}")))
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as i64)
}

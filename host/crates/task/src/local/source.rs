//! The source's side: from `poll` to the bytes that Kafka would get.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use caisson_api::ErrorKind;
use caisson_api::frame::{Entry, Frame, Role};
use caisson_model::{Failure, FailureKind};
use caisson_sandbox::{CallError, Delivery, OffsetReader, Outcome, SourceTask};
use tokio::sync::watch;

use super::LocalRecord;
use crate::chain::{Chain, Stream, Target};
use crate::clock::Backoff;
use crate::columns::Forms;
use crate::control::Wish;
use crate::errors::{Errors, Faults, Trail};
use crate::recode::{Recoder, Trust};
use crate::settings::TaskSettings;

const POLL_WAIT: Duration = Duration::from_millis(250);
const POLL_BYTES: u32 = 512 << 10;

/// A source task that runs here.
pub struct LocalSource {
    task: TaskSettings,
    guest: SourceTask,
    chain: Chain,
    recoder: Recoder,
    errors: Errors,
    backoff: Backoff,
    /// Polled records whose fate was told, if the plugin wants to know.
    told: u64,
}

/// What one `poll` came to.
pub struct Polled {
    pub records: Vec<LocalRecord>,
    /// Source partitions and the offsets of their last records, as JSON.
    pub offsets: Vec<(String, String)>,
    /// Per polled record, whether the chain has let it through.
    passed: Vec<bool>,
}

impl LocalSource {
    pub async fn start(task: TaskSettings, offsets: Arc<dyn OffsetReader>) -> Result<Self, Failure> {
        let chain = Chain::start(&task).await?;
        let spec = task.instance(&task.plugin, &task.config);
        let guest = SourceTask::start(spec, offsets).await;
        // There is nobody who could tell it to stop within a record.
        let (_, wish) = watch::channel(Wish::Run);
        Ok(LocalSource {
            guest: guest.map_err(|error| task.failed("start", error))?,
            chain,
            recoder: Recoder::new(&task.converters, Role::Transform, task.direction.order()),
            errors: Errors::new(task.id.clone(), task.errors, None, wish, task.meters.clone()),
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
            return Ok(Polled::nothing());
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
        let mut polled = Polled {
            records: Vec::new(),
            offsets: offsets(&entry),
            passed: vec![false; entry.len()],
        };
        if stream.frame.is_empty() {
            return Ok(polled);
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
            polled.passed[stream.origin(record.origin) as usize] = true;
            polled.records.push(local(record, arrival));
        }
        Ok(polled)
    }

    /// The records have arrived where they go, and their offsets are stored.
    pub async fn arrived(&mut self, polled: &Polled) -> Result<(), Failure> {
        if !self.task.plugin.is_able("delivery-reports") || polled.passed.is_empty() {
            return Ok(());
        }
        let mut deliveries = Vec::new();
        for same in polled.passed.chunk_by(|one, other| one == other) {
            deliveries.push(Delivery {
                first: self.told,
                count: same.len() as u32,
                outcome: if same[0] { Outcome::Written } else { Outcome::Dropped },
            });
            self.told += same.len() as u64;
        }
        let told = self.guest.delivered(&deliveries).await;
        told.map_err(|error| self.task.failed("delivered", error))?;
        let told = self.guest.committed().await;
        told.map_err(|error| self.task.failed("committed", error))
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

impl Polled {
    fn nothing() -> Polled {
        Polled {
            records: Vec::new(),
            offsets: Vec::new(),
            passed: Vec::new(),
        }
    }
}

/// The last offset of each source partition.
fn offsets(entry: &Frame<'_>) -> Vec<(String, String)> {
    let mut last: Vec<Option<&str>> = vec![None; entry.source_partitions().len()];
    for record in entry.records() {
        if let Some(source) = record.source {
            last[source.partition as usize] = Some(source.offset);
        }
    }
    let offset = |(partition, offset): (usize, Option<&str>)| {
        let partition = entry.source_partition(partition as u32).to_owned();
        Some((partition, offset?.to_owned()))
    };
    last.into_iter().enumerate().filter_map(offset).collect()
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

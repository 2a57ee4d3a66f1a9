//! The last records of a topic, read outside of any group.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use caisson_model::TopicPartition;

use crate::admin::{Admin, Isolation, OffsetAt};
use crate::consumer::assignment::Assignment;
use crate::consumer::slot::{Position, Slot};
use crate::error::Error;
use crate::fetch::{Batch, BatchLimit, Fetcher};
use crate::settings::ClientSettings;

/// What was read of the end of a topic.
#[derive(Default)]
pub struct Tail {
    pub batches: Vec<Batch>,
    /// False: there is more, and time or room were over.
    pub complete: bool,
}

/// How much is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TailLimit {
    /// Of each partition; fewer where records between offsets are gone.
    pub records: usize,
    /// Of all records together.
    pub bytes: usize,
    pub time: Duration,
}

/// A partition, and where its end was.
struct Part {
    slot: Arc<Slot>,
    end: i64,
}

impl Tail {
    /// Reads the last committed records of each partition. The settings are those of a consumer, whose group does not hear
    /// of it.
    pub fn read(settings: &ClientSettings, admin: &Admin, topic: &str, limit: TailLimit) -> Result<Tail, Error> {
        let until = Instant::now() + limit.time;
        let places = places(admin, topic, limit)?;
        let assignment = Arc::new(Assignment::default());
        let mut parts = Vec::new();
        for (partition, from, end) in places {
            assignment.add(&partition, Position::At(from), false);
            let slot = assignment.find(&partition.topic, partition.partition);
            parts.extend(slot.map(|slot| Part { slot, end }));
        }
        if parts.is_empty() {
            return Ok(Tail {
                complete: true,
                ..Tail::default()
            });
        }
        let (arrival, arrived) = sync_channel(1);
        let fetcher = Fetcher::start(settings, assignment, move || {
            // One that was not seen yet says as much as two.
            let _ = arrival.try_send(());
        })?;
        fetcher.changed();
        fetch(&fetcher, &arrived, &parts, limit, until, topic)
    }
}

fn fetch(
    fetcher: &Fetcher,
    arrived: &Receiver<()>,
    parts: &[Part],
    limit: TailLimit,
    until: Instant,
    topic: &str,
) -> Result<Tail, Error> {
    let mut tail = Tail::default();
    let mut bytes = 0;
    loop {
        // Looked at first: what lies before the positions has arrived by now.
        let reached = |part: &Part| matches!(part.slot.position(), (_, Position::At(next)) if next >= part.end);
        tail.complete = parts.iter().all(reached);
        let mut batch = Batch::default();
        let room = BatchLimit {
            records: usize::MAX,
            bytes: limit.bytes,
        };
        while bytes <= limit.bytes && fetcher.fill(&mut batch, room) {
            let batch = std::mem::take(&mut batch);
            bytes += batch.bytes();
            tail.batches.push(batch);
        }
        let is_full = bytes > limit.bytes;
        tail.complete &= !is_full;
        if tail.complete || is_full {
            return Ok(tail);
        }
        if let Some(error) = fetcher.take_errors().into_iter().next() {
            return Err(Error::kafka(format!("reading the end of topic {topic}"))(error.error));
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || arrived.recv_timeout(left).is_err() {
            return Ok(tail);
        }
    }
}

/// The partitions that have records, each with where to begin and where its end is.
fn places(admin: &Admin, topic: &str, limit: TailLimit) -> Result<Vec<(TopicPartition, i64, i64)>, Error> {
    let mut partitions = Vec::new();
    for (name, described) in admin.describe_topics(&[topic], limit.time)? {
        let count = described.map_err(Error::kafka(format!("looking for topic {topic}")))?;
        let numbers = 0..i32::try_from(count).unwrap_or(i32::MAX);
        partitions.extend(numbers.map(|number| TopicPartition::new(name.as_str(), number)));
    }
    let offsets = |at| admin.list_offsets_at(&partitions, at, Isolation::ReadCommitted, limit.time);
    let (begins, ends) = (offsets(OffsetAt::Beginning)?, offsets(OffsetAt::End)?);
    let last = i64::try_from(limit.records).unwrap_or(i64::MAX);
    let place = |end: caisson_model::PartitionOffset| {
        let begin = begins.iter().find(|begin| begin.partition == end.partition)?.offset;
        let from = end.offset.saturating_sub(last).max(begin);
        (from < end.offset).then_some((end.partition, from, end.offset))
    };
    Ok(ends.into_iter().filter_map(place).collect())
}

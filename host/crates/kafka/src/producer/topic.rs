//! The records of one topic that are not acknowledged: per partition the batch that grows, those that wait, and what is
//! on its way.
//!
//! At most one batch of a partition is on its way. So the order is kept whatever has to be repeated, and a broker's answer
//! needs no bookkeeping; meanwhile the next batch grows, so that a slow broker gets fewer and larger ones.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::ack::AckGroup;
use super::options::Options;
use super::partitioner::{self, Partitioner, Sticky};
use super::pending::{Batch, OpenBatch};
use super::record_batch::{Identity, Parts, largest_size};
use super::{OutRecord, Shared};
use crate::compression::Compression;
use crate::error::{DeliveryError, ErrorCode, KafkaError};

/// A topic that is sent to.
pub(crate) struct TopicQueue {
    pub name: Arc<str>,
    /// Whether the sender has to look at it. Cleared under the lock when there is nothing to do.
    pub busy: AtomicBool,
    /// Held for a batch of records at a time: by tasks that append, and by the sender that takes and returns batches.
    state: Mutex<TopicState>,
}

pub(crate) struct TopicState {
    pub known: Known,
    pub partitions: Vec<PartitionQueue>,
    /// Records that came before the partitions were known, a batch at most of those for each partition that their source
    /// has chosen, and of those without such a choice.
    unplaced: BTreeMap<Option<i32>, OpenBatch>,
    sticky: Sticky,
}

/// What is known of a topic.
pub(crate) enum Known {
    /// Nothing yet; since when somebody wants to know.
    Wanted(Option<Instant>),
    Yes,
    /// It cannot be sent to.
    Refused(KafkaError),
}

/// The records of one partition.
pub(crate) struct PartitionQueue {
    number: i32,
    /// The broker that leads it.
    pub leader: Option<i32>,
    pub open: Option<OpenBatch>,
    pub ready: VecDeque<Batch>,
    pub in_flight: bool,
    /// Not before this is a failed batch sent again.
    pub not_before: Option<Instant>,
    /// Whose sequence of records this is, and the number of the next one.
    pub sequence: (Identity, i32),
}

/// What became of records that were to be appended.
#[derive(Default)]
pub(crate) struct Appended {
    pub accepted: usize,
    /// A batch has begun or is complete: the sender should look.
    pub wake: bool,
}

impl TopicQueue {
    pub(crate) fn new(name: &str) -> TopicQueue {
        TopicQueue {
            name: name.into(),
            busy: AtomicBool::new(false),
            state: Mutex::new(TopicState {
                known: Known::Wanted(None),
                partitions: Vec::new(),
                unplaced: BTreeMap::new(),
                sticky: Sticky::new(u64::from(partitioner::murmur2(name.as_bytes()))),
            }),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, TopicState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends records until the buffer is full.
    pub(crate) fn append<'a>(
        &self,
        shared: &Shared,
        records: &mut dyn Iterator<Item = OutRecord<'a>>,
        now_ms: i64,
    ) -> Appended {
        let mut appended = Appended::default();
        let mut state = self.lock();
        if let Some(error) = shared.fatal().or_else(|| state.refusal()) {
            drop(state);
            for record in records {
                shared.refuse(&self.name, &record, &error);
                appended.accepted += 1;
            }
            return appended;
        }
        self.busy.store(true, Ordering::Relaxed);
        let mut room = shared.memory.room();
        let before = room;
        let mut pending = 0;
        for record in records {
            let parts = Parts {
                timestamp: record.timestamp.unwrap_or(now_ms),
                key: record.key,
                value: record.value,
                headers: record.headers,
            };
            let size = largest_size(&parts);
            if size > shared.options.max_request {
                shared.refuse(&self.name, &record, &too_large(size, &shared.options));
                appended.accepted += 1;
                continue;
            }
            if size > room {
                break;
            }
            record.ack.add(1);
            match state.push(&self.name, record.partition, (&parts, size), record.ack, shared) {
                Ok(Pushed::Full) => {
                    record.ack.complete(1);
                    break;
                }
                Ok(Pushed::Taken { news }) => {
                    appended.wake |= news;
                    room -= size;
                    pending += 1;
                }
                Err(error) => {
                    record.ack.complete(1);
                    shared.refuse(&self.name, &record, &error);
                }
            }
            appended.accepted += 1;
        }
        shared.memory.take(before - room);
        shared.begun(pending);
        appended
    }
}

/// What became of one record.
enum Pushed {
    Taken {
        /// The sender has something new to look at.
        news: bool,
    },
    /// Nobody knows the topic's partitions yet, and what may wait for that waits.
    Full,
}

fn too_large(size: usize, options: &Options) -> KafkaError {
    let text = format!(
        "a record of {size} bytes is larger than max.request.size, {}",
        options.max_request
    );
    KafkaError::with_message(ErrorCode::MESSAGE_TOO_LARGE, text)
}

impl TopicState {
    /// Why the topic takes nothing. Whoever comes next finds out anew.
    fn refusal(&mut self) -> Option<KafkaError> {
        let Known::Refused(error) = &self.known else {
            return None;
        };
        let error = error.clone();
        self.known = Known::Wanted(None);
        Some(error)
    }

    fn push(
        &mut self,
        topic: &Arc<str>,
        chosen: Option<i32>,
        (parts, size): (&Parts<'_>, usize),
        ack: &Arc<AckGroup>,
        shared: &Shared,
    ) -> Result<Pushed, KafkaError> {
        if let Known::Wanted(since) = &mut self.known {
            let news = since.is_none();
            since.get_or_insert_with(Instant::now);
            let batch = self.unplaced.entry(chosen);
            let batch = batch.or_insert_with(|| OpenBatch::new(topic, chosen.unwrap_or(-1), Vec::new()));
            if !batch.has_room(size, shared.options.batch_size) {
                return Ok(Pushed::Full);
            }
            batch.push(parts, size, ack);
            return Ok(Pushed::Taken { news });
        }
        let partition = self.place(chosen, parts.key, size, &shared.options)?;
        let news = self.partitions[partition].push(topic, (parts, size), ack, shared);
        Ok(Pushed::Taken { news })
    }

    /// The partition for a record, or why there is none.
    fn place(
        &mut self,
        chosen: Option<i32>,
        key: Option<&[u8]>,
        size: usize,
        options: &Options,
    ) -> Result<usize, KafkaError> {
        let count = self.partitions.len();
        match (chosen, key, options.partitioner) {
            (Some(partition), _, _) => {
                let known = usize::try_from(partition).ok().filter(|partition| *partition < count);
                known.ok_or_else(|| {
                    let text = format!("the topic has no partition {partition}, it has {count}");
                    KafkaError::with_message(ErrorCode::UNKNOWN_PARTITION, text)
                })
            }
            (None, Some(key), Partitioner::ByKey) => Ok(partitioner::of_key(key, count)),
            (None, _, _) => Ok(self.sticky.next(count, size, options.batch_size)),
        }
    }

    /// Takes over what a broker says of the partitions, of which there is at least one.
    pub(crate) fn learn(&mut self, topic: &Arc<str>, leaders: &[Option<i32>], shared: &Shared) {
        // Partitions never become fewer while a topic lives; of a topic that was made anew with fewer, the rest gets
        // errors from its broker.
        while self.partitions.len() < leaders.len() {
            self.partitions.push(PartitionQueue::new(self.partitions.len() as i32));
        }
        for (partition, leader) in self.partitions.iter_mut().zip(leaders) {
            partition.leader = *leader;
        }
        self.known = Known::Yes;
        for (chosen, batch) in std::mem::take(&mut self.unplaced) {
            let batch = batch.seal(Compression::None);
            batch.unpack(
                |parts, size, ack| match self.place(chosen, parts.key, size, &shared.options) {
                    Ok(partition) => {
                        self.partitions[partition].push(topic, (parts, size), ack, shared);
                    }
                    Err(error) => {
                        ack.fail(&DeliveryError {
                            topic: topic.to_string(),
                            partition: chosen,
                            error,
                        });
                        shared.ended(1, size);
                    }
                },
            );
        }
    }

    /// Gives up what waits and is not on its way.
    pub(crate) fn give_up(&mut self, options: &Options) -> Vec<Batch> {
        let unplaced = std::mem::take(&mut self.unplaced);
        let mut batches: Vec<Batch> = unplaced
            .into_values()
            .map(|batch| batch.seal(Compression::None))
            .collect();
        for partition in &mut self.partitions {
            partition.seal(options);
            batches.extend(partition.ready.drain(..));
        }
        batches
    }

    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.known, Known::Yes | Known::Wanted(None)) && self.partitions.iter().all(PartitionQueue::is_idle)
    }
}

impl PartitionQueue {
    fn new(number: i32) -> Self {
        PartitionQueue {
            number,
            leader: None,
            open: None,
            ready: VecDeque::new(),
            in_flight: false,
            not_before: None,
            sequence: (Identity::NONE, 0),
        }
    }

    /// Appends a record; says whether the sender has something new to look at.
    fn push(
        &mut self,
        topic: &Arc<str>,
        (parts, size): (&Parts<'_>, usize),
        ack: &Arc<AckGroup>,
        shared: &Shared,
    ) -> bool {
        let limit = shared.options.batch_size.min(shared.options.max_request);
        let mut news = false;
        if self.open.as_ref().is_some_and(|open| !open.has_room(size, limit)) {
            self.seal(&shared.options);
            news = true;
        }
        let open = self.open.get_or_insert_with(|| {
            news = true;
            OpenBatch::new(topic, self.number, shared.buffers.get())
        });
        open.push(parts, size, ack);
        // What makes no difference to the sender, which waits for an answer before it takes the next batch, wakes nobody.
        news && !self.in_flight
    }

    pub(crate) fn seal(&mut self, options: &Options) {
        if let Some(open) = self.open.take() {
            self.ready.push_back(open.seal(options.compression));
        }
    }

    pub(crate) fn number(&self) -> i32 {
        self.number
    }

    /// When the first of its records that are not on their way came.
    pub(crate) fn next_opened(&self) -> Option<Instant> {
        let ready = self.ready.front().map(|batch| batch.opened);
        ready.or_else(|| self.open.as_ref().map(|open| open.opened))
    }

    /// About how many bytes its next batch has.
    pub(crate) fn next_size(&self) -> usize {
        match (self.ready.front(), &self.open) {
            (Some(ready), _) => ready.records.bytes().len(),
            (None, Some(open)) => open.builder.len(),
            (None, None) => 0,
        }
    }

    fn is_idle(&self) -> bool {
        self.open.is_none() && self.ready.is_empty() && !self.in_flight
    }

    /// When its next batch may be sent: nothing if there is none, or one is on its way.
    pub(crate) fn due(&self, linger: Duration) -> Option<Instant> {
        if self.in_flight {
            return None;
        }
        let first = match (self.ready.front(), &self.open) {
            (Some(ready), _) => ready.opened,
            (None, Some(open)) => open.opened + linger,
            (None, None) => return None,
        };
        Some(self.not_before.map_or(first, |not_before| first.max(not_before)))
    }

    /// The next batch; it is on its way from now on.
    pub(crate) fn take(&mut self, options: &Options, identity: Identity) -> Option<Batch> {
        if self.ready.is_empty() {
            self.seal(options);
        }
        let mut batch = self.ready.pop_front()?;
        if batch.stamp.is_none() {
            if self.sequence.0 != identity {
                self.sequence = (identity, 0);
            }
            let first = if options.idempotent { self.sequence.1 } else { -1 };
            batch.stamp = Some((identity, first));
            batch.records.stamp(identity, first, options.transactional_id.is_some());
            self.sequence.1 = following(self.sequence.1, batch.records.records());
        }
        self.in_flight = true;
        Some(batch)
    }

    /// A batch comes back and is to be sent again, before all others.
    pub(crate) fn put_back(&mut self, batch: Batch, not_before: Instant) {
        self.in_flight = false;
        self.not_before = Some(not_before);
        self.ready.push_front(batch);
    }
}

/// Sequence numbers go round: after the largest comes 0.
fn following(sequence: i32, records: i32) -> i32 {
    (sequence.cast_unsigned().wrapping_add(records.cast_unsigned()) & 0x7fff_ffff).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_numbers_go_round() {
        assert_eq!(following(0, 5), 5);
        assert_eq!(following(i32::MAX, 1), 0);
        assert_eq!(following(i32::MAX - 1, 3), 1);
    }
}

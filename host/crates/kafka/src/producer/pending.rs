//! A batch on its way to a broker, and who waits for its records.

use std::sync::Arc;
use std::time::Instant;

use super::ack::AckGroup;
use super::record_batch::{BatchBuilder, Identity, Parts, RecordBatch, largest_size};
use crate::compression::Compression;
use crate::error::{DeliveryError, ErrorCode, KafkaError};

/// A batch that takes records.
pub(crate) struct OpenBatch {
    pub builder: BatchBuilder,
    acks: Acks,
    pub opened: Instant,
    /// Bytes of the producer's buffer that it occupies.
    occupies: usize,
}

/// A batch that is complete.
pub(crate) struct Batch {
    pub records: RecordBatch,
    acks: Acks,
    pub opened: Instant,
    /// Who sends it and its first number in the partition's sequence, once it was sent.
    pub stamp: Option<(Identity, i32)>,
    /// How often it was sent in vain.
    pub attempts: u32,
    /// Bytes of the producer's buffer that it occupies.
    pub occupies: usize,
}

/// The groups of a batch's records: how many records of which, in their order. However a batch ends, they hear of it.
struct Acks {
    topic: Arc<str>,
    partition: i32,
    runs: Vec<(Arc<AckGroup>, usize)>,
}

impl Acks {
    fn fail(&mut self, error: &KafkaError) {
        if self.runs.is_empty() {
            return;
        }
        let error = DeliveryError {
            topic: self.topic.to_string(),
            partition: Some(self.partition),
            error: error.clone(),
        };
        for (ack, count) in self.runs.drain(..) {
            for _ in 0..count {
                ack.fail(&error);
            }
        }
    }
}

impl Drop for Acks {
    /// The producer was given up.
    fn drop(&mut self) {
        if !self.runs.is_empty() {
            self.fail(&KafkaError::new(ErrorCode::PURGE_QUEUE));
        }
    }
}

impl OpenBatch {
    pub(crate) fn new(topic: &Arc<str>, partition: i32, buffer: Vec<u8>) -> Self {
        OpenBatch {
            builder: BatchBuilder::new(buffer),
            acks: Acks {
                topic: topic.clone(),
                partition,
                runs: Vec::new(),
            },
            opened: Instant::now(),
            occupies: 0,
        }
    }

    /// Adds a record that fits, of at most `size` bytes. Its group counts it as pending.
    pub(crate) fn push(&mut self, record: &Parts<'_>, size: usize, ack: &Arc<AckGroup>) {
        self.builder.push(record);
        self.occupies += size;
        match self.acks.runs.last_mut() {
            Some((last, count)) if Arc::ptr_eq(last, ack) => *count += 1,
            _ => self.acks.runs.push((ack.clone(), 1)),
        }
    }

    pub(crate) fn has_room(&self, size: usize, limit: usize) -> bool {
        self.builder.is_empty() || self.builder.len() + size <= limit
    }

    pub(crate) fn seal(self, compression: Compression) -> Batch {
        Batch {
            records: self.builder.seal(compression),
            acks: self.acks,
            opened: self.opened,
            stamp: None,
            attempts: 0,
            occupies: self.occupies,
        }
    }
}

impl Batch {
    pub(crate) fn topic(&self) -> &Arc<str> {
        &self.acks.topic
    }

    pub(crate) fn partition(&self) -> i32 {
        self.acks.partition
    }

    /// All its records have arrived. Gives back its memory.
    pub(crate) fn succeed(mut self) -> Vec<u8> {
        for (ack, count) in self.acks.runs.drain(..) {
            ack.complete(count);
        }
        self.records.into_buffer()
    }

    /// None of its records will arrive.
    pub(crate) fn fail(mut self, error: &KafkaError) -> Vec<u8> {
        self.acks.fail(error);
        self.records.into_buffer()
    }

    /// The records one by one, each with its group, to go into other batches.
    pub(crate) fn unpack(mut self, mut each: impl FnMut(&Parts<'_>, usize, &Arc<AckGroup>)) {
        let runs = std::mem::take(&mut self.acks.runs);
        let acks = runs.iter().flat_map(|(ack, count)| std::iter::repeat_n(ack, *count));
        for (record, ack) in self.records.read().into_iter().flatten().zip(acks) {
            let parts = record.as_parts();
            each(&parts, largest_size(&parts), ack);
        }
    }

    /// Two batches of half its records each, for a broker that takes no larger ones; itself again if it has one record.
    pub(crate) fn split(self, compression: Compression) -> Result<[Batch; 2], Box<Batch>> {
        let all = self.records.records() as usize;
        if all < 2 || self.records.read().is_none() {
            return Err(Box::new(self));
        }
        let open = || OpenBatch {
            opened: self.opened,
            ..OpenBatch::new(&self.acks.topic, self.acks.partition, Vec::new())
        };
        let mut halves = [open(), open()];
        let mut index = 0;
        self.unpack(|parts, size, ack| {
            halves[usize::from(index >= all / 2)].push(parts, size, ack);
            index += 1;
        });
        Ok(halves.map(|half| half.seal(compression)))
    }
}

//! The thread that reads a log.

use std::sync::Arc;
use std::time::Duration;

use caisson_model::TopicPartition;

use super::{Shared, State};
use crate::consumer::slot::Slot;
use crate::error::Error;
use crate::ffi::{Batch, BatchLimit, Message, Reader, Topic};

/// How long the thread sleeps when nothing arrives. The end of the handle wakes it.
const SLEEP: Duration = Duration::from_secs(1);
/// What is applied before those who wait are looked at.
const LIMIT: BatchLimit = BatchLimit {
    records: 2000,
    bytes: 4 << 20,
};

type Apply = Box<dyn FnMut(&Message<'_>) + Send>;

pub(super) struct Thread {
    shared: Arc<Shared>,
    topic: Topic,
    slots: Vec<Arc<Slot>>,
    apply: Apply,
}

impl Thread {
    pub(super) fn start(shared: Arc<Shared>, topic: Topic, apply: Apply) -> Result<(), Error> {
        let count = shared.progress().positions.len();
        let name: Arc<str> = shared.topic.as_str().into();
        let slot = |partition| Arc::new(Slot::new(TopicPartition::new(name.clone(), partition as i32)));
        let slots: Vec<_> = (0..count).map(slot).collect();
        for slot in &slots {
            topic
                .read_from_beginning(slot.partition.partition, &shared.records)
                .map_err(Error::kafka(format!("reading {}", slot.partition)))?;
        }
        let client = shared.client.name().to_owned();
        let thread = Thread {
            shared,
            topic,
            slots,
            apply,
        };
        std::thread::Builder::new()
            .name("kafka-log".to_owned())
            .spawn(move || thread.run())
            .map_err(|error| Error::Thread {
                client,
                reason: error.to_string(),
            })?;
        Ok(())
    }

    fn run(mut self) {
        let mut reader = Reader::new(self.shared.records.clone());
        while self.shared.progress().state == State::Reading {
            // Reports of errors.
            self.shared.client.poll(Duration::ZERO);
            let slots = &self.slots;
            reader.read(LIMIT, SLEEP, &mut |_, partition| {
                slots.get(usize::try_from(partition).ok()?).cloned()
            });
            for refused in reader.take_refused() {
                self.shared.client.reporter().error(&refused.error);
            }
            self.apply(&reader.take(), reader.take_ends());
        }
        for slot in &self.slots {
            self.topic.stop(slot.partition.partition);
        }
    }

    fn apply(&mut self, batch: &Batch, ends: Vec<(i32, i64)>) {
        for message in batch.messages() {
            (self.apply)(&message);
        }
        let reached = batch
            .runs()
            .map(|run| (run.topic_partition().partition, run.next_offset()));
        let mut progress = self.shared.progress();
        for (partition, offset) in reached.chain(ends) {
            let index = usize::try_from(partition).unwrap_or(usize::MAX);
            if let Some(position) = progress.positions.get_mut(index) {
                *position = (*position).max(offset);
            }
        }
        let waiting = std::mem::take(&mut progress.waiting);
        for waiting in waiting {
            if progress.has_reached(&waiting.ends) {
                // Whoever waited may have given up.
                let _ = waiting.done.send(());
            } else {
                progress.waiting.push(waiting);
            }
        }
    }
}

impl Drop for Thread {
    /// Also when a caller's `apply` has panicked: nobody waits for an end that never comes.
    fn drop(&mut self) {
        let mut progress = self.shared.progress();
        progress.state = State::Ended;
        progress.waiting.clear();
    }
}

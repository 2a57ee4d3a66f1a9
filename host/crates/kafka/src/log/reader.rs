//! The thread that reads a log.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use super::{LogEvent, Shared, State};
use crate::consumer::slot::{Position, Slot};
use crate::error::{Error, ErrorCode, KafkaError};
use crate::fetch::{Batch, BatchLimit, Fetcher};

/// How long the thread sleeps when nothing arrives. The end of the handle wakes it.
const SLEEP: Duration = Duration::from_secs(1);
/// What is applied before those who wait are looked at.
const LIMIT: BatchLimit = BatchLimit {
    records: 2000,
    bytes: 4 << 20,
};

type Apply = Box<dyn FnMut(LogEvent<'_>) + Send>;

pub(super) struct Thread {
    shared: Arc<Shared>,
    fetcher: Fetcher,
    /// Something has arrived, or the handle is gone.
    woken: Receiver<()>,
    slots: Vec<Arc<Slot>>,
    /// How often the topic has had another id, as far as that was acted on.
    times_anew: u32,
    apply: Apply,
}

impl Thread {
    pub(super) fn start(shared: Arc<Shared>, fetcher: Fetcher, woken: Receiver<()>, apply: Apply) -> Result<(), Error> {
        let client = shared.reporter.client().to_owned();
        let thread = Thread {
            slots: shared.assignment.all(),
            times_anew: 0,
            shared,
            fetcher,
            woken,
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
        while self.shared.progress().state == State::Reading {
            for refused in self.fetcher.take_errors() {
                self.report(&refused.error);
            }
            // Looked at first: what lies before them has arrived by now, and is applied before they are told. They say more
            // than the last record does, for compaction and transactions leave gaps.
            let positions = self.positions();
            if self.look_back(&positions) {
                continue;
            }
            let mut batch = Batch::default();
            while self.fetcher.fill(&mut batch, LIMIT) {
                let batch = std::mem::take(&mut batch);
                batch
                    .messages()
                    .for_each(|message| (self.apply)(LogEvent::Record(&message)));
                self.advance(
                    batch
                        .runs()
                        .map(|run| (run.topic_partition().partition, run.next_offset())),
                );
            }
            self.advance(positions.into_iter());
            let _ = self.woken.recv_timeout(SLEEP);
        }
    }

    fn report(&self, error: &KafkaError) {
        if error.code == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION {
            let (client, topic) = (self.shared.reporter.client(), &*self.shared.topic);
            tracing::error!(
                target: "kafka",
                client,
                topic,
                "a topic that the cluster needs is not there any more: what was read of it stays in effect, and what is to be \
                 written to it fails until it is there again"
            );
        } else {
            self.shared.reporter.error(error);
        }
    }

    /// Sees whether the topic is another one than before: it has another id, or ends before what was read of it, for otherwise
    /// nothing is fetched that lies before a place where reading has been. Then all of it is read from its beginning, and
    /// whoever reads hears of it before what is read anew counts for those who wait. Of brokers without ids a topic that was
    /// made anew and has grown to that place again before anybody looked is not told apart.
    fn look_back(&mut self, positions: &[(i32, i64)]) -> bool {
        let times_anew = self
            .slots
            .iter()
            .map(|slot| slot.times_anew())
            .max()
            .unwrap_or_default();
        let has_other_id = times_anew > self.times_anew;
        let mut progress = self.shared.progress();
        let is_behind = |(partition, offset): &(i32, i64)| {
            let index = usize::try_from(*partition).ok();
            let applied = index.and_then(|index| progress.reached.offsets.get(index));
            applied.is_some_and(|applied| offset < applied)
        };
        if !has_other_id && !positions.iter().any(is_behind) {
            return false;
        }
        self.times_anew = times_anew;
        let read: i64 = progress.reached.offsets.iter().sum();
        progress.reached.times_anew += 1;
        progress.reached.offsets.fill(0);
        drop(progress);
        let (client, topic) = (self.shared.reporter.client(), &*self.shared.topic);
        tracing::error!(
            target: "kafka",
            client,
            topic,
            read,
            has_other_id,
            "a topic that the cluster needs is not what it was: it was deleted and made anew, or has lost its end. What was read \
             of it stays in effect until this worker ends, and is not in the topic any more"
        );
        (self.apply)(LogEvent::Anew);
        self.slots.iter().for_each(|slot| slot.seek(Position::Earliest));
        self.fetcher.changed();
        true
    }

    fn positions(&self) -> Vec<(i32, i64)> {
        let known = self.slots.iter().filter_map(|slot| match slot.position() {
            (_, Position::At(offset)) => Some((slot.partition.partition, offset)),
            _ => None,
        });
        known.collect()
    }

    /// Notes what was applied, and tells those who waited for it.
    fn advance(&self, reached: impl Iterator<Item = (i32, i64)>) {
        let mut progress = self.shared.progress();
        for (partition, offset) in reached {
            let index = usize::try_from(partition).unwrap_or(usize::MAX);
            if let Some(applied) = progress.reached.offsets.get_mut(index) {
                *applied = offset.max(*applied);
            }
        }
        let waiting = std::mem::take(&mut progress.waiting);
        for waiting in waiting {
            if progress.reached.covers(&waiting.end) {
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

//! At least once: source offsets are written to the store when everything before them has been acknowledged.

use std::sync::Arc;
use std::time::Duration;

use caisson_kafka::SourceProducer;
use caisson_model::Failure;
use caisson_store::OffsetStore;
use tokio::time::Instant;

use super::newest::Newest;
use crate::errors::Errors;
use crate::meters::Meters;
use crate::settings::TaskSettings;
use crate::source::acks::{Acks, Flag};
use crate::source::outlet::SentGroup;
use crate::source::submitted::Submitted;

/// How often a wait for acknowledgements looks around.
const ACK_LOOK: Duration = Duration::from_millis(50);

pub struct Acknowledged {
    producer: Arc<SourceProducer>,
    store: Arc<dyn OffsetStore>,
    submitted: Submitted<Arc<Flag>>,
    /// Acknowledged offsets that could not be written yet; newer ones win.
    unwritten: Newest,
    /// `offset.flush.timeout.ms`.
    patience: Duration,
    meters: Arc<Meters>,
}

impl Acknowledged {
    pub fn new(task: &TaskSettings, producer: Arc<SourceProducer>, store: Arc<dyn OffsetStore>) -> Self {
        Acknowledged {
            producer,
            store,
            submitted: Submitted::new(),
            unwritten: Newest::of(&task.id.connector),
            patience: task.commit_timeout,
            meters: task.meters.clone(),
        }
    }

    pub fn producer(&self) -> &Arc<SourceProducer> {
        &self.producer
    }

    pub fn sent(&mut self, groups: Vec<SentGroup>) {
        for group in groups {
            self.submitted.add(group.partition, group.flag, group.offset);
        }
    }

    /// Until nothing waits for its acknowledgement any more, within the time for that.
    pub async fn wait(&self, acks: &Acks) {
        let until = Instant::now() + self.patience;
        while self.submitted.is_pending() && Instant::now() < until {
            acks.changed(ACK_LOOK).await;
        }
    }

    pub fn has_unsettled(&self) -> bool {
        self.submitted.is_waiting() || !self.unwritten.is_empty()
    }

    /// Writes the offsets of what has been acknowledged. What cannot be written is tried again with the next commit. True:
    /// there was something, and all of it is written.
    pub async fn commit(&mut self, acks: &Acks, errors: &mut Errors) -> Result<bool, Failure> {
        for (partition, offset) in self.submitted.take_committable() {
            self.unwritten.add(partition, offset);
        }
        if self.unwritten.is_empty() {
            return Ok(false);
        }
        // Records that were left out since have their letters to wait for: before them no offset is written.
        acks.check(errors)?;
        if !errors.settled(self.patience).await? {
            tracing::warn!("dead letters are still on their way, offsets are written after them");
            return Ok(false);
        }
        let pairs = self.unwritten.to_pairs()?;
        let began = Instant::now();
        let written = tokio::time::timeout(self.patience, self.store.put(pairs)).await;
        self.meters.committed(matches!(written, Ok(Ok(()))), began.elapsed());
        match written {
            Ok(Ok(())) => self.unwritten.clear(),
            Ok(Err(error)) => {
                tracing::error!(%error, "commit of source offsets failed, the next one writes them again")
            }
            Err(_) => tracing::error!("commit of source offsets timed out, the next one writes them again"),
        }
        Ok(self.unwritten.is_empty())
    }
}

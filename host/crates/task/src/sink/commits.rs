//! What of a sink is made durable, and which offsets go to Kafka for it.

use std::time::Duration;

use caisson_model::{Failure, PartitionOffset, TopicPartition};
use caisson_sandbox::CallError;
use tokio::time::Instant;

use super::{Sink, UnansweredCommit};

/// The longest pause between two commits while there is nothing to commit, unless the interval is longer.
const IDLE_COMMIT: Duration = Duration::from_secs(5);

impl Sink {
    pub(super) async fn commit_if_due(&mut self) -> Result<(), Failure> {
        if Instant::now() < self.next_commit {
            return Ok(());
        }
        let interval = self.settings.task.commit_interval;
        self.lull = match self.is_at_rest() {
            true => (self.lull * 2).min(IDLE_COMMIT).max(interval),
            false => interval,
        };
        self.next_commit = Instant::now() + self.lull;
        self.commit_all().await
    }

    /// Whether everything that the guest was ever given is committed.
    fn is_at_rest(&self) -> bool {
        self.backlog.is_empty() && self.commits.is_empty() && self.positions.uncommitted() == 0
    }

    /// There is something to commit again.
    pub(super) fn end_lull(&mut self) {
        self.lull = self.settings.task.commit_interval;
        self.next_commit = self.next_commit.min(Instant::now() + self.lull);
    }

    /// Begins a commit of everything that the guest says is durable.
    pub(super) async fn commit_all(&mut self) -> Result<(), Failure> {
        if !self.letters_arrived().await? {
            return Ok(());
        }
        let offsets = match self.durable(&self.positions.assigned()).await? {
            Some(offsets) => self.positions.begin_commit(offsets),
            None => {
                // Nothing is known to be durable beyond what is committed: go back there.
                self.backlog.clear();
                let offsets = self.positions.rewind();
                return self.steer("rewind", self.consumer.seek(offsets));
            }
        };
        self.send_commit(offsets);
        Ok(())
    }

    /// Sends offsets on their way that were noted as under way.
    pub(super) fn send_commit(&mut self, offsets: Vec<PartitionOffset>) {
        if offsets.is_empty() {
            return;
        }
        self.next_sequence += 1;
        self.settings.task.meters.commit_begun();
        let began = Instant::now();
        self.consumer.commit(&offsets, self.next_sequence);
        self.commits.push_back(UnansweredCommit {
            sequence: self.next_sequence,
            offsets,
            began,
        });
    }

    /// A failure of the plugin itself.
    pub(super) fn fault(&mut self, call: &str, error: CallError) -> Failure {
        self.probation.at_fault = true;
        self.settings.task.failed(call, error)
    }

    /// The last commit before these partitions go to somebody else.
    pub(super) async fn commit_and_wait(&mut self, partitions: &[TopicPartition]) -> Result<(), Failure> {
        if !self.letters_arrived().await? {
            return Ok(());
        }
        // After a failed pre-commit the next owner begins at what is committed.
        let Some(offsets) = self.durable(partitions).await? else {
            return Ok(());
        };
        let offsets = self.positions.begin_final_commit(offsets);
        if offsets.is_empty() {
            return Ok(());
        }
        self.settings.task.meters.commit_begun();
        let began = Instant::now();
        let answer = self.consumer.commit_sync(&offsets, self.settings.task.commit_timeout);
        self.settings.task.meters.committed(answer.is_ok(), began.elapsed());
        match answer {
            Ok(()) => self.positions.committed(&offsets),
            Err(error) => {
                tracing::warn!(%error, "last commit of offsets failed, records since the one before are read again");
            }
        }
        Ok(())
    }

    /// Asks the guest what may be committed. `None`: it could not make durable what it was given.
    pub(super) async fn durable(
        &mut self,
        partitions: &[TopicPartition],
    ) -> Result<Option<Vec<PartitionOffset>>, Failure> {
        let current = self.positions.consumed(partitions);
        if current.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let answer = self.guest.pre_commit(&current).await;
        let next_commit = self.next_commit;
        self.obey()?;
        // A commit that is asked for during a commit is this one.
        self.next_commit = next_commit;
        // What the guest has just reported comes before its offset too.
        if !self.letters_arrived().await? {
            return Ok(Some(Vec::new()));
        }
        match answer {
            Ok(None) => Ok(Some(current)),
            Ok(Some(offsets)) => Ok(Some(offsets)),
            Err(CallError::Guest(error)) => {
                tracing::error!(%error, "pre-commit failed, going back to the last committed offsets");
                Ok(None)
            }
            Err(error) => Err(self.fault("pre-commit", error)),
        }
    }
}

//! Records of a sink that its plugin could do nothing with (`ErrantRecordReporter`), and their dead letters.

use std::time::Duration;

use caisson_kafka::{Batch, Rereader};
use caisson_model::Failure;
use caisson_sandbox::LateFailure;

use super::{Sink, parse};
use crate::errors::{DATA_EXCEPTION, Errors, Failed, Occasion, Origin, Source, Stage, Throwable, Trail};
use crate::outgoing::Outgoing;

/// How long a record that was reported late is looked for.
const REREAD_TIMEOUT: Duration = Duration::from_secs(10);
/// The class that Kafka Connect names where a plugin reports a record.
pub const SINK_TASK: &str = "org.apache.kafka.connect.sink.SinkTask";

impl Sink {
    /// Records that the guest could do nothing with (`ErrantRecordReporter`).
    pub(super) fn failed(
        &mut self,
        failures: &[caisson_api::Failure],
        entry: &[u8],
        outgoing: &Outgoing<'_>,
        batch: &Batch,
    ) -> Result<(), Failure> {
        let entry = parse(entry)?;
        let trail = Trail {
            entry: &entry,
            consumed: Some(Source::Batch(batch)),
        };
        for failure in failures {
            let at = outgoing.origin(failure.index);
            report(&mut self.errors, at, &Throwable::from(failure), trail.origin(at));
        }
        self.errors.check()
    }

    /// Records of earlier calls that the guest could do nothing with after all. They are read again if somebody wants to
    /// see them.
    pub(super) fn late(&mut self, reports: &[LateFailure]) {
        let rereader = match self.errors.wants_records() {
            true => Rereader::start(&self.settings.consumer)
                .inspect_err(|error| tracing::error!(%error, "records that the plugin reported cannot be read again"))
                .ok(),
            false => None,
        };
        for late in reports {
            let error = Throwable::new(DATA_EXCEPTION, &*late.message);
            let read = rereader.as_ref().and_then(|rereader| {
                let read = rereader.read(&late.partition, late.offset, REREAD_TIMEOUT);
                read.inspect_err(|error| tracing::error!(%error, "a record that the plugin reported is lost"))
                    .ok()?
            });
            if rereader.is_some() && read.is_none() {
                tracing::error!(partition = %late.partition, offset = late.offset,
                    "a record that the plugin reported is no longer there: it is in no dead letter queue");
            }
            let message = read.as_ref().and_then(|batch| batch.messages().next());
            let origin = message.map_or(Origin::Unknown, Origin::Message);
            report(&mut self.errors, 0, &error, origin);
        }
    }

    /// What the guest reported while its partitions were closed. Anything else that it asks for then comes too late.
    pub(super) fn reported_last(&mut self) -> Result<(), Failure> {
        let requests = self.guest.drain();
        if !requests.reports.is_empty() {
            self.late(&requests.reports);
        }
        self.errors.check()
    }

    /// Whether every dead letter is in its queue: only then may the offset of its record be committed.
    pub(super) async fn letters_arrived(&mut self) -> Result<bool, Failure> {
        let arrived = self.errors.settled(self.settings.task.commit_timeout).await?;
        if !arrived {
            tracing::warn!("dead letters are still on their way, offsets are committed after them");
        }
        Ok(arrived)
    }
}

/// A record that the plugin has said to have failed.
pub fn report(errors: &mut Errors, at: u32, error: &Throwable, origin: Origin<'_>) {
    let failed = Failed {
        stage: Stage::Put,
        class: SINK_TASK,
        error,
        occasion: Occasion::Report,
    };
    errors.fail(at, failed, origin);
}

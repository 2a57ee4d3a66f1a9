//! Reading single records again, outside of any group.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use caisson_model::TopicPartition;

use crate::consumer::assignment::Assignment;
use crate::consumer::slot::Position;
use crate::error::Error;
use crate::fetch::{Batch, BatchLimit, Fetcher};
use crate::settings::ClientSettings;

/// A consumer for records that were read before, and are wanted once more.
pub struct Rereader {
    assignment: Arc<Assignment>,
    fetcher: Fetcher,
    arrived: Receiver<()>,
}

impl Rereader {
    /// The settings are those of the consumer that read the records; its group does not hear of this one.
    pub fn start(settings: &ClientSettings) -> Result<Rereader, Error> {
        let assignment = Arc::new(Assignment::default());
        let (arrival, arrived) = sync_channel(1);
        let fetcher = Fetcher::start(settings, assignment.clone(), move || {
            // One that was not seen yet says as much as two.
            let _ = arrival.try_send(());
        })?;
        Ok(Rereader {
            assignment,
            fetcher,
            arrived,
        })
    }

    /// The record at an offset; none if it is gone, or does not come in time.
    pub fn read(&self, partition: &TopicPartition, offset: i64, timeout: Duration) -> Result<Option<Batch>, Error> {
        self.assignment.add(partition, Position::At(offset), false);
        self.fetcher.changed();
        let one = BatchLimit { records: 1, bytes: 1 };
        let until = Instant::now() + timeout;
        let mut batch = Batch::default();
        while !self.fetcher.fill(&mut batch, one) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || self.arrived.recv_timeout(left).is_err() {
                break;
            }
        }
        self.assignment.remove(partition);
        if let Some(error) = self.fetcher.take_errors().into_iter().next() {
            return Err(Error::kafka(format!("reading {partition} again at {offset}"))(
                error.error,
            ));
        }
        let found = batch.messages().any(|message| message.offset() == offset);
        Ok(found.then_some(batch))
    }
}

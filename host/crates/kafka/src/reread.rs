//! Reading single records again, outside of any group.

use std::sync::Arc;
use std::time::{Duration, Instant};

use caisson_model::TopicPartition;

use crate::consumer::slot::Slot;
use crate::error::Error;
use crate::ffi::{Batch, BatchLimit, Client, PartitionList, Queue, Reader};
use crate::settings::ClientSettings;

/// A consumer for records that were read before, and are wanted once more.
pub struct Rereader {
    client: Arc<Client>,
}

impl Rereader {
    /// The settings are those of the consumer that read the records; its group does not hear of this one.
    pub fn start(settings: &ClientSettings) -> Result<Rereader, Error> {
        let client = Arc::new(settings.client()?);
        client
            .unite_queues()
            .map_err(Error::kafka("preparing to read records again"))?;
        Ok(Rereader { client })
    }

    /// The record at an offset; none if it is gone, or does not come in time.
    pub fn read(&self, partition: &TopicPartition, offset: i64, timeout: Duration) -> Result<Option<Batch>, Error> {
        let what = || Error::kafka(format!("reading {partition} again at {offset}"));
        let records = Arc::new(Queue::new(&self.client));
        records.capture(&partition.topic, partition.partition);
        let mut list = PartitionList::new();
        list.add(&partition.topic, partition.partition, offset);
        self.client.assign(Some(&list)).map_err(what())?;
        let slot = Arc::new(Slot::new(partition.clone()));
        let mut reader = Reader::new(records);
        let one = BatchLimit { records: 1, bytes: 1 };
        let until = Instant::now() + timeout;
        let mut find = |topic: &str, number: i32| {
            (topic == &*partition.topic && number == partition.partition).then(|| slot.clone())
        };
        while reader.batch().is_empty() && Instant::now() < until {
            let left = until.saturating_duration_since(Instant::now());
            reader.read(one, left, &mut find);
        }
        self.client.assign(None).map_err(what())?;
        let batch = reader.take();
        let found = batch.messages().any(|message| message.offset() == offset);
        Ok(found.then_some(batch))
    }
}

//! A producer with transactions, for exactly-once sources. It belongs to one task.

use std::ops::Deref;
use std::time::Duration;

use super::SourceProducer;
use crate::error::{Error, KafkaError};
use crate::settings::ClientSettings;

/// A producer with a `transactional.id`. All calls about transactions block; an error says whether it is fatal (the
/// producer must be made anew) or requires an abort.
pub struct TransactionalProducer {
    producer: SourceProducer,
}

impl TransactionalProducer {
    /// The settings must name a `transactional.id`.
    pub fn start(settings: &ClientSettings) -> Result<TransactionalProducer, Error> {
        Ok(TransactionalProducer {
            producer: SourceProducer::start(settings)?,
        })
    }

    /// Fences earlier producers of the same id and ends their transactions. Once, before anything else.
    pub fn init(&self, timeout: Duration) -> Result<(), KafkaError> {
        self.producer.client().init_transactions(timeout)
    }

    pub fn begin(&self) -> Result<(), KafkaError> {
        self.producer.client().begin_transaction()
    }

    /// Sends what is outstanding, and commits. May be repeated after a timeout.
    pub fn commit(&self, timeout: Duration) -> Result<(), KafkaError> {
        self.producer.client().commit_transaction(timeout)
    }

    /// Drops what is outstanding, and aborts. May be repeated after a timeout.
    pub fn abort(&self, timeout: Duration) -> Result<(), KafkaError> {
        self.producer.client().abort_transaction(timeout)
    }
}

impl Deref for TransactionalProducer {
    type Target = SourceProducer;

    fn deref(&self) -> &SourceProducer {
        &self.producer
    }
}

//! A producer with transactions, for exactly-once sources. It belongs to one task.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use super::SourceProducer;
use super::sender::{Command, Order};
use crate::error::{Error, ErrorCode, KafkaError};
use crate::settings::ClientSettings;

/// A producer with a `transactional.id`. All calls about transactions block; an error says whether it is fatal (the
/// producer must be made anew) or requires an abort.
pub struct TransactionalProducer {
    producer: Arc<SourceProducer>,
}

impl TransactionalProducer {
    /// The settings must name a `transactional.id`.
    pub fn start(settings: &ClientSettings) -> Result<TransactionalProducer, Error> {
        Ok(TransactionalProducer {
            producer: Arc::new(SourceProducer::start(settings)?),
        })
    }

    /// What sends its records.
    pub fn producer(&self) -> &Arc<SourceProducer> {
        &self.producer
    }

    /// Fences earlier producers of the same id and ends their transactions. Once, before anything else.
    pub fn init(&self, timeout: Duration) -> Result<(), KafkaError> {
        self.order(Command::Init, timeout)
    }

    /// Begins a transaction. The brokers hear of it with its first record.
    pub fn begin(&self) -> Result<(), KafkaError> {
        self.producer.fatal_error().map_or(Ok(()), Err)
    }

    /// Sends what is outstanding, and commits. May be repeated after a timeout.
    pub fn commit(&self, timeout: Duration) -> Result<(), KafkaError> {
        self.order(Command::Commit, timeout)
    }

    /// Drops what is outstanding, and aborts. May be repeated after a timeout.
    pub fn abort(&self, timeout: Duration) -> Result<(), KafkaError> {
        self.order(Command::Abort, timeout)
    }

    fn order(&self, command: Command, timeout: Duration) -> Result<(), KafkaError> {
        let (reply, answer) = sync_channel(1);
        self.producer.shared.give_order(Order {
            command,
            until: Instant::now() + timeout,
            reply,
        });
        // The sender answers in time; an order that another one has replaced is dropped, and so is one that it never took.
        answer.recv().unwrap_or_else(|_| {
            let text = "the producer has ended, or was told something else";
            Err(KafkaError::with_message(ErrorCode::FATAL, text))
        })
    }
}

impl Deref for TransactionalProducer {
    type Target = SourceProducer;

    fn deref(&self) -> &SourceProducer {
        &self.producer
    }
}

//! What becomes of batches when their broker has answered, or has not.

use std::time::{Duration, Instant};

use super::{Event, Sender, Shipment, fail};
use crate::error::{ErrorCode, KafkaError};
use crate::wire::messages::Produced;

/// Codes of Kafka's protocol that a producer tells apart.
mod code {
    pub const MESSAGE_TOO_LARGE: i32 = 10;
    pub const RECORD_LIST_TOO_LARGE: i32 = 18;
    pub const CORRUPT_MESSAGE: i32 = 2;
    pub const OUT_OF_ORDER_SEQUENCE: i32 = 45;
    pub const DUPLICATE_SEQUENCE: i32 = 46;
    pub const INVALID_PRODUCER_EPOCH: i32 = 47;
    pub const INVALID_PRODUCER_ID_MAPPING: i32 = 49;
    pub const UNKNOWN_PRODUCER_ID: i32 = 59;
}

impl Sender {
    pub(super) fn handle(&mut self, event: Event) {
        match event {
            Event::Answered {
                node,
                shipments,
                answer,
            } => {
                if let Some(link) = self.links.get_mut(&node) {
                    link.in_flight = link.in_flight.saturating_sub(1);
                }
                if let Err(error) = &answer {
                    self.metadata_wanted = true;
                    self.shared.reporter.error(error);
                }
                for shipment in shipments {
                    self.settle(shipment, &answer);
                }
            }
            Event::Metadata(answer) => self.learn_metadata(answer),
            Event::Identity(answer) => self.learn_identity(answer),
            Event::Added(result) => self.added(result),
            Event::Ended(result) => self.ended(result),
        }
    }

    /// Ends a batch, or has it sent again.
    fn settle(&mut self, shipment: Shipment, answer: &Result<Vec<Produced>, KafkaError>) {
        let error = match answer {
            Err(error) => error.clone(),
            Ok(_) if self.shared.options.acks == 0 => return self.succeed(shipment),
            Ok(produced) => {
                let batch = &shipment.batch;
                let about = |one: &&Produced| one.partition == batch.partition() && *one.topic == **batch.topic();
                match produced.iter().find(about) {
                    Some(one) if one.code == 0 => return self.succeed(shipment),
                    Some(one) => refusal(one),
                    None => KafkaError::with_message(ErrorCode::BAD_MESSAGE, "the broker's answer leaves out a batch"),
                }
            }
        };
        let transactional = self.shared.options.transactional_id.is_some();
        match error.code.0 {
            // It arrived the first time, and only the answer was lost.
            code::DUPLICATE_SEQUENCE => self.succeed(shipment),
            code::MESSAGE_TOO_LARGE | code::RECORD_LIST_TOO_LARGE if !transactional => {
                self.split(shipment, &error);
            }
            code::OUT_OF_ORDER_SEQUENCE
            | code::UNKNOWN_PRODUCER_ID
            | code::INVALID_PRODUCER_ID_MAPPING
            | code::INVALID_PRODUCER_EPOCH
                if self.shared.options.idempotent && !transactional =>
            {
                self.begin_anew(shipment, &error);
            }
            other if error.code.is_retriable() || other == code::CORRUPT_MESSAGE || answer.is_err() => {
                self.retry(shipment, &error);
            }
            _ => {
                self.release(&shipment);
                if transactional {
                    self.refused(&error);
                }
                // Its place in the sequence stays empty: what follows needs a new one.
                self.renew(Instant::now());
                fail(&self.shared, shipment.batch, &error);
            }
        }
    }

    fn succeed(&mut self, shipment: Shipment) {
        self.release(&shipment);
        let batch = shipment.batch;
        let (records, bytes) = (batch.records.records() as usize, batch.occupies);
        self.shared.buffers.put(batch.succeed());
        self.shared.ended(records, bytes);
    }

    /// The partition may send its next batch.
    fn release(&self, shipment: &Shipment) {
        let mut state = shipment.topic.lock();
        let number = shipment.batch.partition() as usize;
        if let Some(partition) = state.partitions.get_mut(number) {
            partition.in_flight = false;
            partition.not_before = None;
        }
    }

    fn retry(&mut self, mut shipment: Shipment, error: &KafkaError) {
        let now = Instant::now();
        let (first, longest) = self.shared.options.retry_backoff;
        let wait = backoff(first, longest, shipment.batch.attempts);
        shipment.batch.attempts += 1;
        self.metadata_wanted = true;
        tracing::debug!(
            target: "kafka",
            topic = %shipment.batch.topic(),
            partition = shipment.batch.partition(),
            %error,
            ?wait,
            "a batch is sent again"
        );
        self.put_back(shipment, now + wait);
    }

    /// The broker does not know the sequence (any more): the batch begins a new one. If the first attempt did arrive,
    /// its records are there twice, which is the best that can be done.
    fn begin_anew(&mut self, mut shipment: Shipment, error: &KafkaError) {
        tracing::warn!(
            target: "kafka",
            topic = %shipment.batch.topic(),
            partition = shipment.batch.partition(),
            %error,
            "the broker has lost the sequence of records; a new one begins"
        );
        let now = Instant::now();
        shipment.batch.stamp = None;
        self.renew(now);
        self.put_back(shipment, now);
    }

    fn put_back(&self, shipment: Shipment, not_before: Instant) {
        let mut state = shipment.topic.lock();
        let number = shipment.batch.partition() as usize;
        if let Some(partition) = state.partitions.get_mut(number) {
            partition.put_back(shipment.batch, not_before);
        }
    }

    /// The broker takes no batch of that size: send two halves.
    fn split(&mut self, shipment: Shipment, error: &KafkaError) {
        self.release(&shipment);
        // The halves get numbers of their own.
        self.renew(Instant::now());
        let Shipment { topic, batch } = shipment;
        let number = batch.partition() as usize;
        match batch.split(self.shared.options.compression) {
            Ok([first, second]) => {
                let mut state = topic.lock();
                if let Some(partition) = state.partitions.get_mut(number) {
                    partition.ready.push_front(second);
                    partition.ready.push_front(first);
                }
            }
            Err(single) => fail(&self.shared, *single, error),
        }
    }
}

fn refusal(produced: &Produced) -> KafkaError {
    let code = ErrorCode(i32::from(produced.code));
    match &produced.message {
        Some(message) => KafkaError::with_message(code, message),
        None => KafkaError::new(code),
    }
}

/// Doubles with each attempt.
fn backoff(first: Duration, longest: Duration, attempts: u32) -> Duration {
    first.saturating_mul(1 << attempts.min(16)).min(longest)
}

//! The worker's side of Kafka: consumers that hand over raw batches, shared producers with grouped acknowledgements, an
//! admin client, and Kafka's client settings in terms of librdkafka.
//!
//! Records are fetched and produced, and groups joined, by Kafka's own protocol (`fetch`, `producer`, `group`); librdkafka, by its
//! C interface, asks admin questions.
//! All unsafe code is in the module `ffi`.

mod admin;
mod clock;
mod compression;
pub mod connect;
mod consumer;
mod error;
mod fetch;
mod ffi;
mod group;
mod log;
#[cfg(test)]
mod mock_tests;
mod producer;
mod report;
mod reread;
mod secret;
pub mod settings;
mod tail;
mod token;
mod wire;

pub use admin::{Admin, Creation, Group, Isolation, Named, NewTopic, OffsetAt};
pub use clock::Moment;
pub use consumer::{ConsumerEvent, ConsumerEvents, ConsumerOptions, Revocation, SinkConsumer, Subscription};
pub use error::{ConsumerError, DeliveryError, Error, ErrorCode, KafkaError};
pub use fetch::{Batch, Header, Headers, Message, Run, Timestamp};
pub use group::{
    GroupEvent, GroupEvents, GroupMember, GroupOptions, Joined, Leading, Loss, MemberAssignment, MemberMetadata,
    Preparing, Subprotocol,
};
pub use log::{CompactedLog, LogEntry, LogEvent, LogWriter, TransactionalLogWriter};
pub use producer::{
    AckGroup, AckListener, OpenAckGroup, OutRecord, ProducerPool, SourceProducer, TopicHandle, TransactionalProducer,
};
pub use reread::Rereader;
pub use settings::{ClientKind, ClientSettings, Layer, Properties};
pub use tail::{Tail, TailLimit};

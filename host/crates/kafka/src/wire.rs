//! Kafka's own protocol, for what librdkafka has no calls for or is slow at: membership of groups that are not consumers',
//! some questions to coordinators, and the batches of producers. A handful of messages.
//!
//! The messages are written out by hand rather than taken from a generated codec: there are few, and an answer comes
//! from whoever listens at that address. Nothing is reserved for a length that an answer claims before the bytes are there.

mod cluster;
mod codec;
mod connection;
mod dial;
pub(crate) mod messages;
mod pipeline;
mod sasl;
mod tls;

pub(crate) use cluster::Cluster;
pub(crate) use codec::malformed;
pub(crate) use connection::Connection;
pub(crate) use dial::{Address, Dialer};
pub(crate) use pipeline::{Answers, Requests};

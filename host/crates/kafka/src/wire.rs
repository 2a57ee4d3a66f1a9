//! Kafka's own protocol, for what librdkafka has no calls for or is slow at: membership of groups, records on their way from
//! and to brokers, some questions to coordinators. A handful of messages.
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
pub(crate) use codec::{Reader, Writer, malformed};
pub(crate) use connection::Connection;
pub(crate) use dial::{Address, Dialer};
pub(crate) use pipeline::{Answers, Requests};

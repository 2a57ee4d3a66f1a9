//! Kafka's own protocol, for what librdkafka has no calls for: membership of groups that are not consumers', and some
//! questions to coordinators. A handful of small messages; records never travel here.
//!
//! The messages are written out by hand rather than taken from a generated codec: there are few, and an answer comes
//! from whoever listens at that address. Nothing is reserved for a length that an answer claims before the bytes are there.

mod cluster;
mod codec;
mod connection;
mod dial;
pub(crate) mod messages;

pub(crate) use cluster::Cluster;
pub(crate) use connection::Connection;
pub(crate) use dial::{Address, Dialer};

//! Against a real Kafka: `CAISSON_TEST_BOOTSTRAP` says where; without it each test says that it is skipped.
#![allow(clippy::unwrap_used)]

mod cluster;
mod failure;
mod group;
mod harness;
mod log;
mod membership;
mod pressure;
mod stream;

//! What the end-to-end tests share: a real broker, the worker as a process, its REST interface, and waiting.
//!
//! The tests talk to Kafka through Kafka's own tools, so that a mistake in our client cannot hide from them. They run
//! under `cargo x test`, which provides the broker and says in the environment where things are; without it each test
//! says that it was skipped. Everything here panics with a description when something does not happen in time: that is
//! a failed test.

mod broker;
pub mod cluster;
mod command;
mod java;
mod load;
mod ports;
mod postgres;
mod proxy;
mod rest;
mod search;
mod system;
mod wait;
mod worker;

pub use broker::Broker;
pub use command::{Caisson, Ended};
pub use java::JavaWorker;
pub use load::{Load, Received};
pub use postgres::Postgres;
pub use proxy::{Network, Proxy};
pub use rest::{Answer, Rest};
pub use search::{Flavor, Search};
pub use system::{System, measured};
pub use wait::{PATIENCE, until};
pub use worker::{Worker, WorkerSetup};

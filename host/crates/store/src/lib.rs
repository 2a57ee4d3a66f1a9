//! What a worker remembers: source offsets, connector configurations, statuses.
//!
//! Each store is a trait with one implementation per place that it may live in. [`OffsetStore`] is asynchronous, as
//! it may wait for a disk or a broker; [`ConfigStore`] and [`StatusStore`] answer reads from memory whatever is behind.
//! No HTTP and no engine here; the bytes of Kafka Connect's own files and topics are made here and nowhere else.

pub mod config;
mod error;
pub mod json;
pub mod offset;
pub mod status;

pub use config::{Config, ConfigSnapshot, ConfigStore, ConnectorEntry, MemoryConfigStore};
pub use error::Error;
pub use offset::{FileOffsetStore, MemoryOffsetStore, OffsetEntry, OffsetKey, OffsetStore};
pub use status::{MemoryStatusStore, Status, StatusStore, TopicUse};

use std::future::Future;
use std::pin::Pin;

/// What the asynchronous methods of an object-safe trait return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

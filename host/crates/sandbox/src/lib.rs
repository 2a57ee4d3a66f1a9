//! The chambers that guest code runs in: engine, compilation, instances, limits, grants, and what the worker offers.
//!
//! A [`Sandbox`] takes components and gives [`Module`]s; a module and a configuration give an instance in one of its
//! roles ([`SourceTask`], [`SinkTask`], [`Transform`], ...). Every call into an instance has a name, a deadline and a
//! bound on memory and output, and fails in one of the four ways of [`CallError`].
//!
//! An instance is driven by one thread at a time; the task that owns it gives it a thread of its own, since reading a
//! granted file may hold that thread up. Nothing in here knows Kafka, stores, or converters.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

mod bindings;
pub mod compiler;
mod engine;
mod error;
mod figures;
mod files;
pub mod grants;
mod imports;
mod inspect;
mod instance;
mod interrupt;
mod metrics;
mod module;
mod network;
mod options;
mod output;
mod package;
mod properties;
mod roles;
mod sandbox;
mod ticker;

pub use caisson_model::Digest;
pub use error::{CallError, Error};
pub use figures::GuestFigure;
pub use grants::network::NetworkCeiling;
pub use imports::{Flow, LateFailure, Requests, SinkRequests};
pub use inspect::Interface;
pub use interrupt::Interrupt;
pub use metrics::{Metric, MetricValue, Metrics};
pub use module::Module;
pub use options::{CompilerOptions, GrantPolicy, SandboxOptions};
pub use package::package;
pub use properties::properties;
pub use roles::{
    Applied, Column, ConfigValue, Converted, Converter, Delivery, ExactlyOnce, InstanceSpec, Outcome, Predicate,
    Records, SinkConnector, SinkOffsetChange, SinkTask, SourceConnector, SourceOffsetChange, SourceTask, Tested,
    Transform,
};
pub use sandbox::Sandbox;

/// Whose instance it is, for log lines and metrics.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Label {
    pub connector: Arc<str>,
    pub task: Option<u32>,
}

/// The answer of an [`OffsetReader`]: per partition its offset, or why the store could not be read.
pub type OffsetAnswer<'a> = Pin<Box<dyn Future<Output = Result<Vec<Option<String>>, String>> + Send + 'a>>;

/// The offsets of a connector, as the store has them. Partitions and offsets are JSON texts.
pub trait OffsetReader: Send + Sync {
    fn get(&self, partitions: Vec<String>) -> OffsetAnswer<'_>;

    /// Whether the store could not be read when it was asked last. It may come back.
    fn is_away(&self) -> bool {
        false
    }
}

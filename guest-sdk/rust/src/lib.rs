//! Write sources, sinks and transforms for Caisson in Rust.
//!
//! A plugin is a type with a trait: [`SourceConnector`](source::SourceConnector) with its task,
//! [`SinkConnector`](sink::SinkConnector) with its task, [`Transform`](transform::Transform) or
//! [`Predicate`](transform::Predicate). The macro [`plugins!`] makes a module of one or more of them. Built as a
//! `cdylib` for `wasm32-wasip2`, it is a component that the worker runs in a sandbox; built natively, it is a library
//! that [`testing`] drives in a unit test.
//!
//! `examples/counter.rs` is a whole source.

mod column;
pub mod converter;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod glue;
mod host;
pub mod http;
mod instance;
mod json;
pub mod keystore;
pub mod log;
pub mod metrics;
pub mod net;
pub mod plugin;
#[doc(hidden)]
pub mod registry;
pub mod settings;
pub mod sink;
pub mod source;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
pub mod transform;

pub use caisson_api as api;
pub use serde_json;

/// What most plugins need.
pub mod prelude {
    pub use caisson_api::config::{Config, Importance, Key, Type, Validator, Width};
    pub use caisson_api::frame::{Boundary, Encoding, RecordHead, Timestamp};
    pub use caisson_api::schema::{Kind, Schema, SchemaRef};
    pub use caisson_api::{Error, ErrorKind, Header, Record, Value};
    pub use serde_json::{Value as Json, json};

    pub use crate::converter::{Column, Converter};
    pub use crate::plugin::{Ability, Plugin};
    pub use crate::settings::{ConfigValue, Settings};
    pub use crate::sink::{
        PartitionOffset, RecordView, Records, SinkConnector, SinkContext, SinkOffsetChange, SinkTask, TopicPartition,
    };
    pub use crate::source::{
        Batch, ConnectorContext, Delivery, ExactlyOnce, Outcome, SourceConnector, SourceContext, SourceOffsetChange,
        SourceRecord, SourceTask,
    };
    pub use crate::transform::{Answer, Bitmap, Origin, Output, Predicate, Transform};
}

//! Decides what should run where.
//!
//! [`Herder`] is all that the REST face may ask for; [`standalone`] is the herder of a single worker that keeps
//! configurations in memory. What runs things is behind [`worker::Worker`], which tells what happened by events. No
//! HTTP here, no JSON shapes, no engine.

pub mod assignor;
pub mod distributed;
mod error;
#[cfg(any(test, feature = "fake"))]
pub mod fake;
mod herder;
pub mod info;
pub mod loggers;
pub mod modules;
pub mod node;
pub mod offsets;
pub mod standalone;
pub mod validation;
pub mod worker;

pub use caisson_store::{BoxFuture, Config, Status};
pub use distributed::DistributedHerder;
pub use error::Error;
pub use herder::{Herder, Replace, RequestSignature, RestartRequest};
pub use info::{
    ClusterInfo, ConnectorInfo, ConnectorKind, ConnectorStatus, Created, Health, PluginInfo, Stage, TaskInfo,
    TaskStatus,
};
pub use loggers::{Level, LevelSink, LoggerLevel, Loggers, Scope};
pub use offsets::{ConnectorOffset, OffsetChanges, OffsetOutcome};
pub use standalone::StandaloneHerder;
pub use validation::{ConfigInfo, ConfigInfos, ConfigKeyInfo, ConfigValueInfo};
pub use worker::{Claim, Worker, WorkerEvent};

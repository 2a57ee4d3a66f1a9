//! One data flow of one task: the loops of source and sink, the chain between Kafka's bytes and the plugin, what is
//! acknowledged and what may be committed. It does not know who started it, nor what else runs.

mod boxed;
pub mod chain;
mod clock;
mod columns;
pub mod control;
mod dispatch;
pub mod errors;
pub mod local;
pub mod meters;
mod outgoing;
pub mod preview;
mod pulse;
mod recode;
mod settings;
mod sink;
mod source;
pub mod swap;

pub use control::{TaskEvent, TaskHandle, TaskListener, Wish};
pub use pulse::Pulse;
pub use settings::{
    Boundary, ChainLink, Condition, ConverterKind, ConverterPlugin, ConverterRef, Converters, Direction, ExactlyOnce,
    Guarantee, PluginRef, Preflight, SinkSettings, SourceSettings, TaskSettings, TopicCreator, TransformPlugin,
};

/// Starts a task on a thread of its own and returns at once; what becomes of it arrives as [`TaskEvent`]s.
pub use dispatch::{start_sink, start_source};

//! Configurations: properties and JSON files in, typed structs out, with Kafka Connect's keys, defaults, checks and
//! messages. One table of definitions drives parsing, validation, REST's answers and the reference page.
//!
//! It knows no clients, no engine and no HTTP. Files and variables are read by [`providers`] only, where a configuration
//! asks for them.

pub mod builtin;
pub mod connector;
pub mod connector_file;
pub mod definition;
pub mod docs;
pub mod error;
pub mod given;
pub mod listener;
pub mod pattern;
pub mod plugins;
pub mod properties;
pub mod providers;
pub mod rule;
pub mod tables;
pub mod validate;
pub mod version;
pub mod worker;

mod suggest;
mod typed;

pub use connector::{ConnectorConfig, ConnectorKind};
pub use connector_file::ConnectorFile;
pub use definition::Definition;
pub use error::Error;
pub use given::{Entries, Given};
pub use plugins::{Catalogue, PluginInfo, Plugins, Role};
pub use worker::WorkerConfig;

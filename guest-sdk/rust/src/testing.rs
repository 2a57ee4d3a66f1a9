//! Drives a plugin natively in a unit test, by the same code that drives it inside a component.
//!
//! ```no_run
//! # use caisson_sdk::prelude::*;
//! # fn run<MySource: SourceConnector>() -> Result<(), Error> {
//! use caisson_sdk::testing::SourceHarness;
//!
//! let mut source = SourceHarness::<MySource>::new([("topic", "lines")]).offset(json!({"file": "a"}), json!({"at": 3}));
//! source.start()?;
//! let batch = source.poll()?;
//! assert_eq!(batch.records[0].record.value, Value::from("fourth line"));
//! # Ok(())
//! # }
//! ```
//!
//! What plugins log and count is kept for the test's thread: see [`logged`] and [`counter`]. A harness begins by
//! forgetting it, so there should be one at a time in a test.

mod converter;
mod sink;
mod source;
mod transform;

pub use converter::ConverterHarness;
pub use sink::SinkHarness;
pub use source::{PolledBatch, SourceHarness};
pub use transform::{PredicateHarness, TransformHarness};

pub use crate::host::native::LogLine;
pub use crate::instance::Applied;

use caisson_api::Error;
use caisson_api::config::Config;
use caisson_api::frame::{Encodings, Role};
use caisson_api::manifest::Manifest;

use crate::column::SchemaCache;
use crate::host::native;
use crate::registry::Registry;
use crate::sink::{Records, SinkRecord};

/// The manifest of a module: of the type `CaissonModule` that [`plugins!`](crate::plugins) defines.
pub fn manifest<R: Registry>() -> Manifest {
    crate::plugin::manifest::<R>()
}

/// A batch as the worker gives it to a transform or predicate.
pub fn batch(encodings: Encodings, records: &[SinkRecord]) -> Result<Vec<u8>, Error> {
    sink::frame(Role::Transform, encodings, records)
}

/// The records of a batch, decoded.
pub fn records(batch: &[u8]) -> Result<Vec<SinkRecord>, Error> {
    let records = Records::parse(batch, &mut SchemaCache::default())?;
    records.iter().map(|record| record.to_record()).collect()
}

/// The lines that plugins of this thread have logged since the harness was made.
pub fn logged() -> Vec<LogLine> {
    native::with(|state| state.lines.clone())
}

/// A counter, 0 if nothing was added to it; with labels its name is `name{label=value,...}`.
pub fn counter(name: &str) -> u64 {
    native::with(|state| state.counters.get(name).copied().unwrap_or(0))
}

/// A gauge, if it was set.
pub fn gauge(name: &str) -> Option<f64> {
    native::with(|state| state.gauges.get(name).copied())
}

fn config<K: Into<String>, V: Into<String>>(entries: impl IntoIterator<Item = (K, V)>) -> Config {
    native::with(|state| *state = native::State::default());
    Config {
        entries: entries
            .into_iter()
            .map(|(key, value)| (key.into(), value.into()))
            .collect(),
    }
}

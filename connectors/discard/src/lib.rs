//! A sink that takes records and drops them: what remains is the worker's own cost.

use caisson_sdk::prelude::*;

/// The sink's job.
#[derive(Debug)]
pub struct DiscardSink;

impl SinkConnector for DiscardSink {
    type Task = DiscardTask;

    fn plugin() -> Plugin {
        Plugin::new("caisson.DiscardSink", env!("CARGO_PKG_VERSION"))
            .alias("DiscardSink")
            .alias("DiscardSinkConnector")
            .documentation("Counts records and drops them.")
    }

    fn start(_: &Settings, _: &ConnectorContext) -> Result<Self, Error> {
        Ok(DiscardSink)
    }
}

/// One flow into nothing.
#[derive(Debug)]
pub struct DiscardTask {
    records: u64,
}

impl SinkTask for DiscardTask {
    fn start(_: &Settings, _: &SinkContext) -> Result<Self, Error> {
        Ok(DiscardTask { records: 0 })
    }

    fn put(&mut self, records: &Records<'_>) -> Result<(), Error> {
        self.records += records.len() as u64;
        Ok(())
    }
}

caisson_sdk::plugins! {
    module: { description: "A sink that drops what it gets." },
    sinks: [DiscardSink],
}

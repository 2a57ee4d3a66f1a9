//! A sink that takes records and drops them: what remains is the worker's own cost. With `verify`, it checks that the
//! records of the generator are all there, once and in order.

mod verify;

use caisson_sdk::prelude::*;
use caisson_sdk::{info, metrics};

use verify::{Findings, Verifier};

caisson_sdk::plugins! {
    module: { description: "A sink that drops records, and can check that none is missing." },
    sinks: [DiscardSink],
}

/// The job.
#[derive(Debug)]
pub struct DiscardSink;

impl SinkConnector for DiscardSink {
    type Task = DiscardTask;

    fn plugin() -> Plugin {
        let verify = "none: records are counted and dropped. sequence: they have to be those that DatagenSource makes with \
                      the format sequence, and are checked for gaps, repeats and order, which log and metrics report.";
        Plugin::new("caisson.DiscardSink", env!("CARGO_PKG_VERSION"))
            .alias("DiscardSinkConnector")
            .alias("DiscardSink")
            .documentation("Counts records and drops them; can check that the generator's records are all there.")
            .key(
                Key::new("verify", Type::String)
                    .default("none")
                    .validator(Validator::OneOf(["none", "sequence"].map(str::to_string).into()))
                    .importance(Importance::Medium)
                    .documentation(verify),
            )
    }

    fn start(_: &Settings, _: &ConnectorContext) -> Result<Self, Error> {
        Ok(DiscardSink)
    }
}

/// One flow into nothing.
#[derive(Debug)]
pub struct DiscardTask {
    /// Records and bytes of values since the last report.
    records: u64,
    bytes: u64,
    verifier: Option<Verifier>,
    reported: Findings,
}

impl SinkTask for DiscardTask {
    fn start(settings: &Settings, _: &SinkContext) -> Result<Self, Error> {
        let verifier = (settings.text("verify")? == "sequence").then(Verifier::default);
        Ok(DiscardTask {
            records: 0,
            bytes: 0,
            verifier,
            reported: Findings::default(),
        })
    }

    fn put(&mut self, records: &Records<'_>) -> Result<(), Error> {
        self.records += records.len() as u64;
        if let Some(verifier) = &mut self.verifier {
            for record in records {
                self.bytes += record.value_bytes().map_or(0, |value| value.len() as u64);
                verifier.check(&record);
            }
        }
        Ok(())
    }

    fn pre_commit(&mut self, _: &[PartitionOffset]) -> Result<Option<Vec<PartitionOffset>>, Error> {
        self.report();
        Ok(None)
    }

    fn stop(&mut self) {
        self.report();
    }
}

impl DiscardTask {
    fn report(&mut self) {
        if self.records > 0 {
            metrics::count("discard.records", std::mem::take(&mut self.records));
        }
        if let Some(verifier) = &mut self.verifier {
            metrics::count("discard.bytes", std::mem::take(&mut self.bytes));
            let found = verifier.findings();
            if found != self.reported {
                self.reported.count_up_to(&found);
                info!("verified {} records of {} streams", found.records, found.streams;
                    missing = found.missing, repeated = found.repeated, reordered = found.reordered,
                    corrupt = found.corrupt);
                self.reported = found;
            }
        }
    }
}

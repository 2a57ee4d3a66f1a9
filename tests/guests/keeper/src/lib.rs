//! A transform and a sink that count, and give their count to the version that takes their place; and a source that looks
//! whether the worker has kept what it says it has.

mod auditor;

use caisson_sdk::prelude::*;

use auditor::Auditor;

caisson_sdk::plugins! {
    sources: [Auditor],
    sinks: [Tally],
    transforms: [Count],
    stateful: [Tally, Count],
}

fn count(state: &[u8]) -> Result<u64, Error> {
    let text = std::str::from_utf8(state).unwrap_or_default();
    text.parse().map_err(|_| Error::fatal(format!("{text:?} is no count")))
}

/// Puts its number before each text.
pub struct Count {
    records: u64,
}

impl Transform for Count {
    fn plugin() -> Plugin {
        Plugin::new("keeper.Count", "1").value_encoding(Encoding::Connect)
    }

    fn start(_: &Settings) -> Result<Self, Error> {
        Ok(Count { records: 0 })
    }

    fn apply(&mut self, mut record: Record) -> Result<Option<Record>, Error> {
        self.records += 1;
        if let Value::String(text) = &record.value {
            record.value = Value::String(format!("{} {text}", self.records));
        }
        Ok(Some(record))
    }

    fn suspend(&mut self) -> Result<Vec<u8>, Error> {
        Ok(self.records.to_string().into_bytes())
    }

    fn resume(&mut self, _: &str, state: &[u8]) -> Result<(), Error> {
        self.records = count(state)?;
        Ok(())
    }
}

/// Counts what it takes, and says so with the version that it has the count of.
pub struct Tally;

pub struct TallyTask {
    records: u64,
    before: Option<String>,
}

impl SinkConnector for Tally {
    type Task = TallyTask;

    fn plugin() -> Plugin {
        Plugin::new("keeper.Tally", "1")
    }

    fn start(_: &Settings, _: &ConnectorContext) -> Result<Self, Error> {
        Ok(Tally)
    }
}

impl SinkTask for TallyTask {
    fn start(_: &Settings, _: &SinkContext) -> Result<Self, Error> {
        Ok(TallyTask {
            records: 0,
            before: None,
        })
    }

    fn put(&mut self, records: &Records<'_>) -> Result<(), Error> {
        self.records += records.len() as u64;
        Ok(())
    }

    fn suspend(&mut self) -> Result<Vec<u8>, Error> {
        if self.before.as_deref() == Some("fails") {
            return Err(Error::fatal("it keeps what it has"));
        }
        Ok(self.records.to_string().into_bytes())
    }

    fn resume(&mut self, from_version: &str, state: &[u8]) -> Result<(), Error> {
        self.before = Some(from_version.to_owned());
        self.records = count(state)?;
        Ok(())
    }
}

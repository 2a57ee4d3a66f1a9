//! The links of a chain: transforms, predicates, converters.

use std::time::Duration;

use caisson_api::Failure;
use caisson_api::manifest::PluginKind;

use super::{InstanceSpec, about_instance, instantiate, pairs};
use crate::bindings::{converter, predicate, transform};
use crate::error::CallError;
use crate::instance::{Instance, Pace, call};

const PACE: Pace = Pace::Records(Duration::ZERO);

/// Which records a transform left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Records {
    /// All records of the argument, as they are.
    Unchanged,
    /// Those whose bit is set (bit i of byte i/8, lowest first), as they are; as many bits as there are records.
    Kept(Vec<u8>),
    /// A new batch; each record names by its origin the record it came from.
    Replaced(Vec<u8>),
}

/// The answer of a transform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    pub records: Records,
    pub failures: Vec<Failure>,
}

/// The answer of a predicate: bit i of byte i/8, lowest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tested {
    pub matches: Vec<u8>,
    pub failures: Vec<Failure>,
}

/// The answer of a converter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    pub batch: Vec<u8>,
    pub failures: Vec<Failure>,
}

/// What of a record a converter is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Key,
    Value,
    Headers,
}

/// The number of records that a frame says it has; the worker made the frame.
pub(super) fn records_of(batch: &[u8]) -> u32 {
    batch
        .get(8..12)
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, u32::from_le_bytes)
}

/// As many bits as records, and none beyond.
fn checked_bits(call: &str, bits: Vec<u8>, records: u32) -> Result<Vec<u8>, CallError> {
    let bytes = records.div_ceil(8) as usize;
    let stray = match (records % 8, bits.last()) {
        (0, _) | (_, None) => false,
        (used, Some(last)) => last >> used != 0,
    };
    if bits.len() != bytes || stray {
        return Err(CallError::Guest(caisson_api::Error::fatal(format!(
            "{call}: the plugin answers with {} bytes of bits for {records} records, or with bits beyond them",
            bits.len()
        ))));
    }
    Ok(bits)
}

/// A link that changes, drops or keeps records.
pub struct Transform {
    pub(super) instance: Instance,
    functions: transform::Guest,
}

impl Transform {
    /// An instance whose `start` has returned.
    pub async fn start(spec: InstanceSpec) -> Result<Self, CallError> {
        let (mut instance, functions) = instantiate(&spec, &[PluginKind::Transform], None, |ready, store, made| {
            Some(ready.roles.transform.as_ref()?.load(store, made))
        })
        .await?;
        call!(instance, "start", Pace::Lifecycle, |store| functions.call_start(
            store,
            &spec.class,
            &pairs(&spec.config)
        ))?;
        Ok(Transform { instance, functions })
    }

    /// Applies the transform to a batch.
    pub async fn apply(&mut self, batch: &[u8]) -> Result<Applied, CallError> {
        let records = records_of(batch);
        let Self { instance, functions } = self;
        let applied = call!(*instance, "apply", PACE, |store| functions.call_apply(store, batch))?;
        let left = match applied.records {
            transform::Records::Unchanged => Records::Unchanged,
            transform::Records::Kept(bits) => Records::Kept(checked_bits("apply", bits, records)?),
            transform::Records::Replaced(batch) => Records::Replaced(instance.bounded_output("apply", batch)?),
        };
        Ok(Applied {
            records: left,
            failures: instance.checked_failures("apply", applied.failures, records)?,
        })
    }

    pub async fn stop(&mut self) -> Result<(), CallError> {
        let Self { instance, functions } = self;
        call!(*instance, "stop", Pace::Lifecycle, |store| async {
            functions.call_stop(store).await.map(Ok)
        })
    }
}

/// A question about each record, by which a chain decides whether a transform applies.
pub struct Predicate {
    pub(super) instance: Instance,
    functions: predicate::Guest,
}

impl Predicate {
    /// An instance whose `start` has returned.
    pub async fn start(spec: InstanceSpec) -> Result<Self, CallError> {
        let (mut instance, functions) = instantiate(&spec, &[PluginKind::Predicate], None, |ready, store, made| {
            Some(ready.roles.predicate.as_ref()?.load(store, made))
        })
        .await?;
        call!(instance, "start", Pace::Lifecycle, |store| functions.call_start(
            store,
            &spec.class,
            &pairs(&spec.config)
        ))?;
        Ok(Predicate { instance, functions })
    }

    pub async fn test(&mut self, batch: &[u8]) -> Result<Tested, CallError> {
        let records = records_of(batch);
        let Self { instance, functions } = self;
        let tested = call!(*instance, "test", PACE, |store| functions.call_test(store, batch))?;
        Ok(Tested {
            matches: checked_bits("test", tested.matches, records)?,
            failures: instance.checked_failures("test", tested.failures, records)?,
        })
    }

    pub async fn stop(&mut self) -> Result<(), CallError> {
        let Self { instance, functions } = self;
        call!(*instance, "stop", Pace::Lifecycle, |store| async {
            functions.call_stop(store).await.map(Ok)
        })
    }
}

/// Between the bytes of a topic and typed values.
pub struct Converter {
    pub(super) instance: Instance,
    functions: converter::Guest,
}

impl Converter {
    /// An instance whose `start` has returned.
    pub async fn start(spec: InstanceSpec, column: Column) -> Result<Self, CallError> {
        let kinds = [PluginKind::Converter, PluginKind::HeaderConverter];
        let (mut instance, functions) = instantiate(&spec, &kinds, None, |ready, store, made| {
            Some(ready.roles.converter.as_ref()?.load(store, made))
        })
        .await?;
        let column = match column {
            Column::Key => converter::Column::Key,
            Column::Value => converter::Column::Value,
            Column::Headers => converter::Column::Headers,
        };
        call!(instance, "start", Pace::Lifecycle, |store| functions.call_start(
            store,
            &spec.class,
            &pairs(&spec.config),
            column
        ))?;
        Ok(Converter { instance, functions })
    }

    /// From typed values to bytes.
    pub async fn serialize(&mut self, batch: &[u8]) -> Result<Converted, CallError> {
        let records = records_of(batch);
        let Self { instance, functions } = self;
        let converted = call!(*instance, "serialize", PACE, |store| functions
            .call_serialize(store, batch))?;
        Ok(Converted {
            batch: instance.bounded_output("serialize", converted.batch)?,
            failures: instance.checked_failures("serialize", converted.failures, records)?,
        })
    }

    /// From bytes to typed values.
    pub async fn deserialize(&mut self, batch: &[u8]) -> Result<Converted, CallError> {
        let records = records_of(batch);
        let Self { instance, functions } = self;
        let converted = call!(*instance, "deserialize", PACE, |store| functions
            .call_deserialize(store, batch))?;
        Ok(Converted {
            batch: instance.bounded_output("deserialize", converted.batch)?,
            failures: instance.checked_failures("deserialize", converted.failures, records)?,
        })
    }

    pub async fn stop(&mut self) -> Result<(), CallError> {
        let Self { instance, functions } = self;
        call!(*instance, "stop", Pace::Lifecycle, |store| async {
            functions.call_stop(store).await.map(Ok)
        })
    }
}

about_instance!(Transform);
about_instance!(Predicate);
about_instance!(Converter);

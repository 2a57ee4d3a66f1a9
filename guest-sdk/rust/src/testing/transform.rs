//! The worker's side of transforms and predicates.

use std::marker::PhantomData;

use caisson_api::config::Config;
use caisson_api::frame::{Encodings, Role};
use caisson_api::{Error, Failure};

use super::sink::frame;
use crate::instance::{self, Applied};
use crate::registry::{PredicateEntry, TransformEntry};
use crate::settings::Settings;
use crate::sink::SinkRecord;
use crate::transform::{Bitmap, Predicate, Transform};

/// Runs a transform.
pub struct TransformHarness<T> {
    encodings: Encodings,
    running: Box<dyn instance::Transform>,
    transform: PhantomData<T>,
}

impl<T: Transform> TransformHarness<T> {
    /// Starts a transform.
    pub fn start<K: Into<String>, V: Into<String>>(config: impl IntoIterator<Item = (K, V)>) -> Result<Self, Error> {
        let entry = TransformEntry::of::<T>();
        let (encodings, settings) = prepare(entry.plugin, super::config(config))?;
        Ok(TransformHarness {
            encodings,
            running: (entry.start)(&settings)?,
            transform: PhantomData,
        })
    }

    /// What the transform answers to a batch, as the worker gets it.
    pub fn apply(&mut self, records: &[SinkRecord]) -> Result<(Applied, Vec<Failure>), Error> {
        let frame = frame(Role::Transform, self.encodings, records)?;
        self.running.apply(&frame)
    }

    /// Has the transform give its state, as before another version takes its place.
    pub fn suspend(&mut self) -> Result<Vec<u8>, Error> {
        self.running.suspend()
    }

    /// Gives the transform the state of the version before.
    pub fn resume(&mut self, from_version: &str, state: &[u8]) -> Result<(), Error> {
        self.running.resume(from_version, state)
    }

    /// The records that go on, decoded.
    pub fn run(&mut self, records: &[SinkRecord]) -> Result<Vec<SinkRecord>, Error> {
        match self.apply(records)?.0 {
            Applied::Unchanged => Ok(records.to_vec()),
            Applied::Kept(bits) => {
                let kept = |index: &usize| bits[index / 8] & 1 << (index % 8) != 0;
                Ok((0..records.len())
                    .filter(kept)
                    .map(|index| records[index].clone())
                    .collect())
            }
            Applied::Replaced(frame) => super::records(&frame),
        }
    }
}

impl<T> Drop for TransformHarness<T> {
    fn drop(&mut self) {
        self.running.stop();
    }
}

/// Runs a predicate.
pub struct PredicateHarness<P> {
    encodings: Encodings,
    running: Box<dyn instance::Predicate>,
    predicate: PhantomData<P>,
}

impl<P: Predicate> PredicateHarness<P> {
    /// Starts a predicate.
    pub fn start<K: Into<String>, V: Into<String>>(config: impl IntoIterator<Item = (K, V)>) -> Result<Self, Error> {
        let entry = PredicateEntry::of::<P>();
        let (encodings, settings) = prepare(entry.plugin, super::config(config))?;
        Ok(PredicateHarness {
            encodings,
            running: (entry.start)(&settings)?,
            predicate: PhantomData,
        })
    }

    /// Which records match, and which could not be tested.
    pub fn test(&mut self, records: &[SinkRecord]) -> Result<(Bitmap, Vec<Failure>), Error> {
        let frame = frame(Role::Transform, self.encodings, records)?;
        self.running.test(&frame)
    }
}

impl<P> Drop for PredicateHarness<P> {
    fn drop(&mut self) {
        self.running.stop();
    }
}

fn prepare(plugin: fn() -> crate::plugin::Plugin, config: Config) -> Result<(Encodings, Settings), Error> {
    let plugin = plugin();
    let settings = Settings::parse(plugin.config(), config)?;
    Ok((plugin.encodings(), settings))
}

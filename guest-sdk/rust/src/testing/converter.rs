//! The worker's side of converters.

use std::marker::PhantomData;

use caisson_api::frame::{Encoding, Encodings, Role};
use caisson_api::{Error, Failure};

use super::sink::frame;
use crate::converter::{Column, Converter};
use crate::instance;
use crate::registry::ConverterEntry;
use crate::settings::Settings;
use crate::sink::SinkRecord;

/// Runs a converter.
pub struct ConverterHarness<C> {
    column: Column,
    running: Box<dyn instance::Converter>,
    converter: PhantomData<C>,
}

impl<C: Converter> ConverterHarness<C> {
    /// Starts a converter for a column.
    pub fn start<K: Into<String>, V: Into<String>>(
        column: Column,
        config: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, Error> {
        let entry = ConverterEntry::of::<C>();
        let settings = Settings::parse((entry.plugin)().config(), super::config(config))?;
        Ok(ConverterHarness {
            column,
            running: (entry.start)(&settings, column)?,
            converter: PhantomData,
        })
    }

    /// Records with bytes in the column become records with values, apart from those that fail.
    pub fn deserialize(&mut self, records: &[SinkRecord]) -> Result<(Vec<SinkRecord>, Vec<Failure>), Error> {
        let batch = frame(Role::Transform, Encodings::default(), records)?;
        let (batch, failures) = self.running.deserialize(&batch)?;
        Ok((super::records(&batch)?, failures))
    }

    /// Records with values in the column become records with bytes, apart from those that fail.
    pub fn serialize(&mut self, records: &[SinkRecord]) -> Result<(Vec<SinkRecord>, Vec<Failure>), Error> {
        let mut encodings = Encodings::default();
        match self.column {
            Column::Key => encodings.key = Encoding::Connect,
            Column::Value => encodings.value = Encoding::Connect,
            Column::Headers => encodings.headers = Encoding::Connect,
        }
        let batch = frame(Role::Transform, encodings, records)?;
        let (batch, failures) = self.running.serialize(&batch)?;
        Ok((super::records(&batch)?, failures))
    }
}

impl<C> Drop for ConverterHarness<C> {
    fn drop(&mut self) {
        self.running.stop();
    }
}

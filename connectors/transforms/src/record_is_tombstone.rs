//! `RecordIsTombstone`: is the value null?

use caisson_sdk::prelude::*;

use crate::registry::{DynPredicate, Subject};
use crate::standard;

#[derive(Debug)]
pub struct RecordIsTombstone;

impl Predicate for RecordIsTombstone {
    fn plugin() -> Plugin {
        standard::predicate("RecordIsTombstone", "Holds for records whose value is null.")
            .value_encoding(Encoding::Connect)
    }

    fn start(_: &Settings) -> Result<Self, Error> {
        Ok(RecordIsTombstone)
    }

    fn test(&mut self, record: &RecordView<'_>) -> Result<bool, Error> {
        DynPredicate::test(self, record)
    }
}

impl DynPredicate for RecordIsTombstone {
    fn test(&mut self, record: &dyn Subject) -> Result<bool, Error> {
        Ok(record.is_tombstone())
    }
}

//! `Filter`: drops every record, which makes sense with a predicate only.

use caisson_sdk::prelude::*;

use crate::standard;

#[derive(Debug)]
pub struct Filter;

impl Transform for Filter {
    fn plugin() -> Plugin {
        standard::transform("Filter", "Drops every record for which its predicate holds.")
    }

    fn start(_: &Settings) -> Result<Self, Error> {
        Ok(Filter)
    }

    fn apply(&mut self, _: Record) -> Result<Option<Record>, Error> {
        Ok(None)
    }

    fn apply_batch(&mut self, records: &Records<'_>, _: &mut Output) -> Result<Answer, Error> {
        Ok(Answer::Kept(Bitmap::new(records.len())))
    }
}

//! `handover`: whichever plugin the instance runs gives its state, or takes it.

use caisson_api::Error;

use super::bindings::connect::types;
use super::bindings::handover::exports::caisson::connect::handover;
use super::{Exports, convert, sink, source, transform};
use crate::registry::Registry;

impl<R: Registry> handover::Guest for Exports<R> {
    fn suspend() -> Result<Vec<u8>, types::Error> {
        let state = source::with_task(|task| task.suspend())
            .or_else(|| sink::with_task(|task| task.suspend()))
            .or_else(|| transform::with_transform(|transform| transform.suspend()));
        // A predicate or a converter has none.
        state.unwrap_or(Ok(Vec::new())).map_err(convert::error)
    }

    fn resume(from_version: String, state: Vec<u8>) -> Result<(), types::Error> {
        let resumed: Option<Result<(), Error>> = source::with_task(|task| task.resume(&from_version, &state))
            .or_else(|| sink::with_task(|task| task.resume(&from_version, &state)))
            .or_else(|| transform::with_transform(|transform| transform.resume(&from_version, &state)));
        resumed.unwrap_or(Ok(())).map_err(convert::error)
    }
}

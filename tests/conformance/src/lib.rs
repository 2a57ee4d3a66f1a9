//! Replays the golden vectors: what Kafka Connect's own classes made of given inputs (`vectors/README.md`).
//!
//! A file holds vectors of one kind, and each kind has a function that replays one vector. Values, schemas and errors
//! are compared here, so that all kinds mean the same by "equal".

mod compare;
mod error;
mod excuses;
pub mod kinds;
pub mod notation;
mod report;
mod vectors;

pub use compare::{same_data, same_value};
pub use error::{Expected, Thrown, check_error};
pub use report::{Outcome, Report};
pub use vectors::{Error, Vector, VectorFile};

use std::path::Path;

use serde_json::Value as Json;

/// Replays one vector, given its input and what is expected.
pub type Replay = fn(input: &Json, expect: &Json) -> Outcome;

/// Replays all files of a directory whose kind is among `kinds`; files of other kinds are listed in the report.
/// Deep values need a deep stack, so this wants a thread with some 64 MiB of it.
pub fn replay_directory(directory: &Path, kinds: &[(&str, Replay)]) -> Result<Report, Error> {
    let mut report = Report::default();
    for file in VectorFile::read_directory(directory)? {
        match kinds.iter().find(|(kind, _)| *kind == file.kind) {
            Some((kind, replay)) => {
                for vector in &file.vectors {
                    let outcome = excuses::apply(&vector.id, replay(&vector.input, &vector.expect));
                    report.add(kind, &vector.id, outcome);
                }
            }
            None => report.skip_file(&file.kind, file.vectors.len()),
        }
    }
    Ok(report)
}

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

pub use compare::{same_data, same_record, same_value};
pub use error::{Expected, Thrown, check_error, same_text};
pub use excuses::excused;
pub use report::{Outcome, Report};
pub use vectors::{Error, Vector, VectorFile};

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

/// Replays one vector, given its input and what is expected.
pub type Replay = fn(input: &Json, expect: &Json) -> Outcome;

/// Some values are nested a thousand levels deep.
const STACK: usize = 256 << 20;

/// The vectors of this tree.
pub fn own_vectors() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

/// Replays all files of a directory with the runners of [`kinds::ALL`].
pub fn replay_all(directory: &Path) -> Result<Report, Error> {
    let files = VectorFile::read_directory(directory)?;
    std::thread::scope(|scope| {
        let replay = std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, || replay_files(&files))
            .map_err(Error::Thread)?;
        Ok(replay.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

fn replay_files(files: &[VectorFile]) -> Report {
    let mut report = Report::default();
    for file in files {
        let Some((kind, replay)) = kinds::ALL.iter().find(|(kind, _)| *kind == file.kind) else {
            report.skip_file(&file.kind, file.vectors.len());
            continue;
        };
        for vector in &file.vectors {
            let outcome = excuses::excused(&vector.id, &vector.input, replay(&vector.input, &vector.expect));
            report.add(kind, &vector.id, outcome);
        }
    }
    report
}

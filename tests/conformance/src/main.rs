//! `caisson-conformance [DIR]`: replays the vectors of a directory and says what differs; without a directory, those of
//! this tree. The exit status is 1 if anything failed or could not be replayed.

use std::path::PathBuf;
use std::process::ExitCode;

use caisson_conformance::{own_vectors, replay_all};

fn main() -> ExitCode {
    let directory = std::env::args_os().nth(1).map_or_else(own_vectors, PathBuf::from);
    match replay_all(&directory) {
        Ok(report) => {
            println!("{report}");
            if report.is_complete() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

//! Everything that the worker shares with Kafka Connect, against what Kafka Connect did.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use caisson_conformance::{kinds, replay_directory};

#[test]
fn the_vectors_of_the_kinds_at_hand_pass() {
    let replay = || {
        let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors");
        replay_directory(&directory, kinds::ALL).unwrap()
    };
    // Some values are nested a thousand levels deep.
    let report = std::thread::Builder::new()
        .stack_size(256 << 20)
        .spawn(replay)
        .unwrap()
        .join()
        .unwrap();
    println!("{report}");
    assert_eq!(report.failed(), 0, "{report}");
}

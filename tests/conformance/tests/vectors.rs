//! Everything that the worker shares with Kafka Connect, against what Kafka Connect did.

#![allow(clippy::unwrap_used)]

use caisson_conformance::{own_vectors, replay_all};

#[test]
fn the_vectors_of_the_kinds_at_hand_pass() {
    let report = replay_all(&own_vectors()).unwrap();
    println!("{report}");
    assert_eq!(report.failed(), 0, "{report}");
}

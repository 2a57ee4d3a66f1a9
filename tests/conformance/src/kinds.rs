//! How a vector of each kind is replayed.

pub mod converter;
pub mod schema;
pub mod values;

use crate::Replay;

/// The kinds that this crate replays by itself.
pub const ALL: &[(&str, Replay)] = &[
    ("converter", converter::replay),
    ("schema", schema::replay),
    ("values", values::replay),
];

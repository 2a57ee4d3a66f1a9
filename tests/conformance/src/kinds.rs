//! How a vector of each kind is replayed: one module per kind, one line each in [`ALL`].
//!
//! A runner takes a vector's input and expectation, does with this tree's code what Kafka Connect's did when the vector
//! was recorded, and says whether the two agree. [`crate::notation`] reads schemas, values, records and errors, so that a
//! runner holds what is particular to its kind and nothing else.

pub mod chain;
pub mod configdef;
pub mod configdump;
pub mod converter;
pub mod dlq;
pub mod errorlog;
mod failure;
pub mod predicate;
pub mod retry;
pub mod schema;
pub mod transform;
pub mod values;

use crate::Replay;

/// Each kind of vector and its runner, by name.
pub const ALL: &[(&str, Replay)] = &[
    ("chain", chain::replay),
    ("configdef", configdef::replay),
    ("configdump", configdump::replay),
    ("converter", converter::replay),
    ("dlq", dlq::replay),
    ("errorlog", errorlog::replay),
    ("predicate", predicate::replay),
    ("retry", retry::replay),
    ("schema", schema::replay),
    ("transform", transform::replay),
    ("values", values::replay),
];

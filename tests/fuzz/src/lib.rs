//! Decoders of foreign bytes as fuzz targets: each takes any bytes, and whatever they are, it comes to an end without a
//! panic. Where two ways of reading have to agree, or what was read has to be written again, that is asserted.
//!
//! `cargo x fuzz` runs them under libFuzzer (`tests/fuzz/engine`). `corpus/TARGET` holds what it begins with, and inputs
//! that found something once; the test of this crate plays all of them.

#![allow(clippy::unwrap_used)]

// The reader of PostgreSQL's stream lies in a crate of components, which shows its connector only.
#[allow(dead_code)]
#[path = "../../../connectors/postgres/src/error.rs"]
mod error;
#[allow(dead_code)]
#[path = "../../../connectors/postgres/src/protocol/fields.rs"]
mod fields;
#[allow(dead_code)]
#[path = "../../../connectors/postgres/src/lsn.rs"]
mod lsn;
#[allow(dead_code)]
#[path = "../../../connectors/postgres/src/pgoutput.rs"]
mod pgoutput;
#[allow(dead_code)]
#[path = "../../../connectors/postgres/src/row.rs"]
mod row;
mod protocol {
    pub use crate::fields::Fields;
}

#[path = "../../../guest-sdk/api/tests/support/exercise.rs"]
mod exercise;
mod json;
mod kafka;
mod registry;
mod text;

/// Takes any bytes.
pub type Target = fn(&[u8]);

/// All targets by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("avro", registry::avro),
    ("config-topic", kafka::configs),
    ("frame", frame),
    ("group", kafka::group),
    ("headers", text::headers),
    ("json", json::json),
    ("json-schema", registry::json_schema),
    ("offset-keys", kafka::offset_keys),
    ("pgoutput", stream),
    ("properties", text::properties),
    ("protobuf", registry::protobuf),
    ("status-topic", kafka::statuses),
    ("typed", json::typed),
];

/// The target of a name.
pub fn target(name: &str) -> Option<Target> {
    let found = TARGETS.iter().find(|(known, _)| *known == name)?;
    Some(found.1)
}

fn frame(bytes: &[u8]) {
    exercise::frame(bytes);
}

/// A message of PostgreSQL's logical replication. Its cells lie within it.
fn stream(bytes: &[u8]) {
    let (mut old, mut new) = (Vec::new(), Vec::new());
    let _ = pgoutput::decode(bytes, 0, &mut old, &mut new);
    for cell in old.iter().chain(&new) {
        if let row::Cell::Text(range) = cell {
            assert!(bytes.get(range.clone()).is_some(), "{range:?} of {} bytes", bytes.len());
        }
    }
}

/// The parts before and behind the first zero byte.
fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    let at = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    (&bytes[..at], bytes.get(at + 1..).unwrap_or_default())
}

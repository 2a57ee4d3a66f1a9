//! Comparison with Kafka Connect, by the recordings in `tests/conformance`.

mod debezium;
mod rest;
mod vectors;

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::{ConformanceArguments, ConformancePart};
use crate::tree::Tree;

pub fn run(tree: &Tree, arguments: &ConformanceArguments) -> Result<ExitCode> {
    match &arguments.part {
        ConformancePart::Vectors { directory } => vectors::run(tree, directory.as_deref()),
        ConformancePart::Debezium { directory } => debezium::run(tree, directory.as_deref()),
        ConformancePart::Rest(arguments) => rest::run(tree, arguments),
    }
}

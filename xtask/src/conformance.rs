//! Comparison with Kafka Connect, by the recordings in `tests/conformance`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::cli::{ConformanceArguments, ConformancePart};
use crate::tree::Tree;
use crate::{machine, process};

pub fn run(tree: &Tree, arguments: &ConformanceArguments) -> Result<ExitCode> {
    match &arguments.part {
        ConformancePart::Vectors { directory } => vectors(tree, directory.as_deref()),
    }
}

/// Runs the replayer on a directory as the caller's shell means it.
fn vectors(tree: &Tree, directory: Option<&Path>) -> Result<ExitCode> {
    machine::prepare_build()?;
    let mut command = process::cargo(&tree.root);
    command.args(["run", "--quiet", "--package", "caisson-conformance", "--"]);
    if let Some(directory) = directory {
        command.arg(std::path::absolute(directory)?);
    }
    let status = command.status().context("cannot run the replayer")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

//! Comparison with Kafka Connect, by the recordings in `tests/conformance`.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::cli::{ConformanceArguments, ConformancePart};
use crate::tree::Tree;
use crate::{guests, machine, process, worker};

pub fn run(tree: &Tree, arguments: &ConformanceArguments) -> Result<ExitCode> {
    match &arguments.part {
        ConformancePart::Vectors { directory } => vectors(tree, directory.as_deref()),
        ConformancePart::Debezium { directory } => debezium(tree, directory.as_deref()),
    }
}

/// Builds the worker and the components, and has the player do the rest.
fn debezium(tree: &Tree, directory: Option<&Path>) -> Result<ExitCode> {
    machine::prepare_broker()?;
    guests::bundled(tree)?;
    worker::build(tree)?;
    let mut command = Command::new("python3");
    command
        .arg(tree.root.join("tests/conformance/debezium/play.py"))
        .arg("--worker")
        .arg(tree.worker())
        .arg("--components")
        .arg(tree.components())
        .arg("--scratch")
        .arg(tree.scratch().join("debezium"));
    if let Some(directory) = directory {
        command.arg(std::path::absolute(directory)?);
    }
    let status = command.status().context("cannot run python3")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
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

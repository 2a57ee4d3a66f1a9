//! The recordings of Debezium's PostgreSQL connector, played by a script of their own.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::tree::Tree;
use crate::{guests, machine, worker};

/// Builds the worker and the components, and has the player do the rest.
pub fn run(tree: &Tree, directory: Option<&Path>) -> Result<ExitCode> {
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

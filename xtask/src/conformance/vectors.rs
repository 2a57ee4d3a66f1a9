//! `cargo x conformance vectors`: what Kafka Connect's own classes made of given inputs.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::tree::Tree;
use crate::{machine, process};

/// Runs the replayer on a directory as the caller's shell means it.
pub fn run(tree: &Tree, directory: Option<&Path>) -> Result<ExitCode> {
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

//! Building the worker.

use anyhow::Result;

use crate::tree::Tree;
use crate::{machine, process};

/// Builds the worker with the development profile, whose dependencies are optimised.
pub fn build(tree: &Tree) -> Result<()> {
    machine::prepare_build()?;
    println!("building the worker (the first time takes several minutes)");
    process::visible(process::cargo(&tree.root).args(["build", "--package", "caisson"]))
}

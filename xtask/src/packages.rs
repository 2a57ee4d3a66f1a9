//! What a workspace of this tree is made of, as cargo itself lists it.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process;

/// What `cargo metadata` says about each package of the workspace in `directory`; nothing is compiled or fetched for it.
pub fn metadata(directory: &Path) -> Result<Vec<Value>> {
    let text = process::answer(process::cargo(directory).args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let mut metadata: Value = serde_json::from_str(&text)?;
    match metadata["packages"].take() {
        Value::Array(packages) => Ok(packages),
        _ => anyhow::bail!("cargo metadata lists no packages"),
    }
}

/// Something that cargo builds apart from libraries and programs.
pub struct Target {
    pub package: String,
    pub name: String,
}

/// The targets of one kind (`test`, `bench`) in the workspace of `directory`.
pub fn targets(directory: &Path, kind: &str) -> Result<Vec<Target>> {
    let mut found = Vec::new();
    for package in metadata(directory)? {
        for target in package["targets"].as_array().into_iter().flatten() {
            let kinds = target["kind"].as_array().context("a target without a kind")?;
            if let (true, Some(package), Some(name)) = (
                kinds.iter().any(|one| one == kind),
                package["name"].as_str(),
                target["name"].as_str(),
            ) {
                found.push(Target {
                    package: package.to_owned(),
                    name: name.to_owned(),
                });
            }
        }
    }
    Ok(found)
}

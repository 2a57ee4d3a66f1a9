//! The criterion benchmarks of this tree.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::cli::{BenchArguments, GuestsArguments};
use crate::tree::Tree;
use crate::{guests, machine, process};

pub fn run(tree: &Tree, arguments: &BenchArguments) -> Result<ExitCode> {
    let mut benches = discover(&tree.root)?;
    // The transforms' lie with their component.
    benches.extend(discover(&guests::connectors(tree).directory)?);
    for Benchmark { package, name, .. } in &benches {
        println!("{package}: {name}");
    }
    if arguments.list {
        return Ok(ExitCode::SUCCESS);
    }
    println!("(other programs' load spoils figures: see that the machine is quiet)");
    machine::prepare_build()?;
    guests::run(tree, &GuestsArguments::default())?;
    for Benchmark {
        directory,
        package,
        name,
    } in benches
    {
        let mut command = process::cargo(&directory);
        command
            .args(["bench", "--package", &package, "--bench", &name])
            .env("CAISSON_TEST_GUESTS", tree.test_guests());
        if let Some(filter) = &arguments.filter {
            command.arg("--").arg(filter);
        }
        process::visible(&mut command)?;
    }
    println!("reports: {}", tree.shown(&tree.target.join("criterion")));
    Ok(ExitCode::SUCCESS)
}

/// A benchmark, and the directory of its workspace.
struct Benchmark {
    directory: PathBuf,
    package: String,
    name: String,
}

/// The benchmarks of a workspace.
fn discover(directory: &Path) -> Result<Vec<Benchmark>> {
    let text = process::answer(process::cargo(directory).args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&text)?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata lists no packages")?;
    let mut benches = Vec::new();
    for package in packages {
        for target in package["targets"].as_array().into_iter().flatten() {
            let is_bench = target["kind"]
                .as_array()
                .is_some_and(|kinds| kinds.iter().any(|kind| kind == "bench"));
            if let (true, Some(package), Some(name)) = (is_bench, package["name"].as_str(), target["name"].as_str()) {
                benches.push(Benchmark {
                    directory: directory.to_owned(),
                    package: package.to_owned(),
                    name: name.to_owned(),
                });
            }
        }
    }
    Ok(benches)
}

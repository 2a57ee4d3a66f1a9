//! The criterion benchmarks of this tree.

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::{BenchArguments, GuestsArguments};
use crate::packages::{self, Target};
use crate::tree::Tree;
use crate::{guests, machine, process};

pub fn run(tree: &Tree, arguments: &BenchArguments) -> Result<ExitCode> {
    // The transforms' lie with their component.
    let workspaces = [tree.root.clone(), guests::connectors(tree).directory];
    let mut benches = Vec::new();
    for directory in workspaces {
        let found = packages::targets(&directory, "bench")?;
        benches.extend(found.into_iter().map(|bench| (directory.clone(), bench)));
    }
    for (_, Target { package, name }) in &benches {
        println!("{package}: {name}");
    }
    if arguments.list {
        return Ok(ExitCode::SUCCESS);
    }
    println!("(other programs' load spoils figures: see that the machine is quiet)");
    machine::prepare_build()?;
    guests::run(tree, &GuestsArguments::default())?;
    for (directory, Target { package, name }) in benches {
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

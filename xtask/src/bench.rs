//! The criterion benchmarks of this tree, and a table of what they came to.

use std::path::Path;
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::Result;
use serde_json::Value;

use crate::cli::{BenchArguments, GuestsArguments};
use crate::packages::{self, Target};
use crate::tree::Tree;
use crate::{guests, machine, process};

/// The part of the time that is measured goes before it, to warm up.
const WARM_UP: f64 = 3.0;

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
    let began = SystemTime::now();
    for (directory, Target { package, name }) in &benches {
        let mut command = process::cargo(directory);
        command.arg("bench");
        match *directory == tree.root {
            // A selection of its own would have dependencies compiled again, with other features.
            true => command.arg("--workspace"),
            false => command.args(["--package", package]),
        };
        command
            .args(["--bench", name])
            .env("CAISSON_TEST_GUESTS", tree.test_guests());
        command.arg("--").args(&arguments.filter);
        if let Some(seconds) = arguments.seconds {
            command.arg(format!("--measurement-time={seconds}"));
            command.arg(format!("--warm-up-time={}", f64::from(seconds) / WARM_UP));
        }
        process::visible(&mut command)?;
    }
    println!("| benchmark | time | each |\n|---|--:|--:|");
    for target in [tree.target.clone(), guests::connectors(tree).directory.join("target")] {
        let reports = target.join("criterion");
        for row in rows(&reports, began)? {
            println!("{row}");
        }
        println!("(reports: {})", tree.shown(&reports));
    }
    Ok(ExitCode::SUCCESS)
}

/// A row for each benchmark of which criterion has written estimates since then, by name.
fn rows(reports: &Path, since: SystemTime) -> Result<Vec<String>> {
    let (mut rows, mut left) = (Vec::new(), vec![reports.to_owned()]);
    while let Some(directory) = left.pop() {
        let Ok(entries) = std::fs::read_dir(&directory) else {
            continue;
        };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                left.push(path);
            }
        }
        let estimates = directory.join("estimates.json");
        let is_new = directory.ends_with("new")
            && estimates
                .metadata()
                .is_ok_and(|file| file.modified().is_ok_and(|at| at >= since));
        if is_new {
            rows.push(row(&read(&estimates)?, &read(&directory.join("benchmark.json"))?));
        }
    }
    rows.sort();
    Ok(rows)
}

fn read(file: &Path) -> Result<Value> {
    Ok(serde_json::from_str(&std::fs::read_to_string(file)?)?)
}

/// The name, the time of one pass in nanoseconds, and that of each record or byte where a pass has several.
fn row(estimates: &Value, benchmark: &Value) -> String {
    let name = benchmark["full_id"].as_str().unwrap_or_default();
    let estimate = |kind: &str| estimates[kind]["point_estimate"].as_f64();
    let time = estimate("slope").or_else(|| estimate("mean")).unwrap_or_default();
    let each = |unit: &str| benchmark["throughput"][unit].as_f64();
    let each = match (each("Elements"), each("Bytes")) {
        (Some(elements), _) => format!("{:.1} ns per record", time / elements),
        (None, Some(bytes)) => format!("{:.3} ns per byte", time / bytes),
        (None, None) => String::new(),
    };
    format!("| {name} | {time:.1} ns | {each} |")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::row;

    #[test]
    fn a_row_says_what_each_record_takes() {
        let estimates = json!({ "mean": { "point_estimate": 5000.0 }, "slope": { "point_estimate": 4000.0 } });
        let benchmark = json!({ "full_id": "chain/four/104", "throughput": { "Elements": 8 } });
        assert_eq!(
            row(&estimates, &benchmark),
            "| chain/four/104 | 4000.0 ns | 500.0 ns per record |"
        );
        let estimates = json!({ "mean": { "point_estimate": 12.34 }, "slope": null });
        assert_eq!(row(&estimates, &json!({ "full_id": "x" })), "| x | 12.3 ns |  |");
    }
}

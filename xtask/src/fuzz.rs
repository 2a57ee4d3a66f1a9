//! `cargo x fuzz`: every decoder of foreign bytes under libFuzzer, each for a while.
//!
//! The stable compiler counts branches for libFuzzer as well as a nightly one; only the sanitizers are missing, which safe
//! code has little use for. So nothing has to be installed: libFuzzer itself comes as source with its crate.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};

use crate::cli::FuzzArguments;
use crate::interrupt::Interrupt;
use crate::tree::Tree;
use crate::{machine, process};

/// One input may not take longer, in seconds, or more memory, in MiB.
const TIMEOUT: u32 = 20;
const MEMORY: u32 = 2048;

/// What has the compiler put counters into the code.
const COUNTERS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 -Clink-dead-code --cfg fuzzing";

pub fn run(tree: &Tree, arguments: &FuzzArguments) -> Result<ExitCode> {
    let interrupt = Interrupt::install()?;
    let targets = targets(tree, arguments)?;
    machine::prepare_build()?;
    let program = build(tree)?;
    let (mut inputs, mut failed) = (0, Vec::new());
    for target in &targets {
        println!("== {target}: {} s", arguments.seconds);
        let run = fuzz(tree, &program, target, arguments.seconds)?;
        inputs += run.inputs;
        if run.found {
            failed.push(target.as_str());
        }
        if interrupt.requested() {
            return Ok(ExitCode::from(130));
        }
    }
    if !failed.is_empty() {
        println!("found something in: {}", failed.join(", "));
        println!("the inputs are in {}", tree.shown(&found(tree)));
    }
    println!(
        "{} targets, {inputs} inputs, {} found something",
        targets.len(),
        failed.len()
    );
    Ok(match failed.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// The names of the corpus are those of the targets.
fn targets(tree: &Tree, arguments: &FuzzArguments) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(corpus(tree)).context("cannot read tests/fuzz/corpus")? {
        all.push(entry?.file_name().to_string_lossy().into_owned());
    }
    all.sort();
    if arguments.targets.is_empty() {
        return Ok(all);
    }
    if let Some(unknown) = arguments.targets.iter().find(|target| !all.contains(target)) {
        bail!("there is no target {unknown}; there are {}", all.join(", "));
    }
    Ok(arguments.targets.clone())
}

fn corpus(tree: &Tree) -> PathBuf {
    tree.root.join("tests/fuzz/corpus")
}

fn found(tree: &Tree) -> PathBuf {
    tree.target.join("fuzz/found")
}

/// With counters in all code but that of build scripts, which naming the host's target keeps apart.
fn build(tree: &Tree) -> Result<PathBuf> {
    let host = process::answer(Command::new("rustc").arg("-vV").current_dir(&tree.root))?;
    let host = host
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("rustc does not say what it runs on")?;
    let target = tree.target.join("fuzz/build");
    let mut command = process::cargo(&tree.root.join("tests/fuzz/engine"));
    command
        .args(["build", "--release", "--target", host, "--target-dir"])
        .arg(&target)
        .env("RUSTFLAGS", COUNTERS)
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    process::visible(&mut command)?;
    Ok(target.join(host).join("release/caisson-fuzz-engine"))
}

/// What came of a target.
struct Run {
    inputs: u64,
    found: bool,
}

fn fuzz(tree: &Tree, program: &Path, target: &str, seconds: u64) -> Result<Run> {
    let grown = tree.target.join("fuzz/corpus").join(target);
    let found = found(tree);
    std::fs::create_dir_all(&grown)?;
    std::fs::create_dir_all(&found)?;
    let mut child = Command::new(program)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={TIMEOUT}"))
        .arg(format!("-rss_limit_mb={MEMORY}"))
        .arg(format!("-artifact_prefix={}/{target}-", found.display()))
        .args(["-print_final_stats=1", "-verbosity=0"])
        .arg(grown)
        .arg(corpus(tree).join(target))
        .env("CAISSON_FUZZ_TARGET", target)
        .env("RUST_BACKTRACE", "1")
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let said = child.stderr.take().context("standard error is piped")?;
    let mut inputs = 0;
    for line in BufReader::new(said).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        if let Some(count) = line.strip_prefix("stat::number_of_executed_units:") {
            inputs = count.trim().parse().unwrap_or_default();
        }
        // It asks for what only sanitizers have.
        if !line.starts_with("WARNING: Failed to find function") {
            eprintln!("{line}");
        }
    }
    let found = !child.wait()?.success();
    Ok(Run { inputs, found })
}

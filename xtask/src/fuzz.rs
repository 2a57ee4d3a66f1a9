//! `cargo x fuzz`: every decoder of foreign bytes under libFuzzer, each for a while.
//!
//! The stable compiler counts branches for libFuzzer as well as a nightly one; only the sanitizers are missing, which safe
//! code has little use for. So nothing has to be installed: libFuzzer itself comes as source with its crate.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

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
    let mut failed = Vec::new();
    for target in targets {
        println!("== {target}: {} s", arguments.seconds);
        if !fuzz(tree, &program, &target, arguments.seconds)? {
            failed.push(target);
        }
        if interrupt.requested() {
            return Ok(ExitCode::from(130));
        }
    }
    if failed.is_empty() {
        println!("nothing found");
        return Ok(ExitCode::SUCCESS);
    }
    println!("found something in: {}", failed.join(", "));
    println!("the inputs are in {}", tree.shown(&found(tree)));
    Ok(ExitCode::FAILURE)
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

/// False: something was found.
fn fuzz(tree: &Tree, program: &Path, target: &str, seconds: u64) -> Result<bool> {
    let grown = tree.target.join("fuzz/corpus").join(target);
    let found = found(tree);
    std::fs::create_dir_all(&grown)?;
    std::fs::create_dir_all(&found)?;
    let mut command = Command::new(program);
    command
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={TIMEOUT}"))
        .arg(format!("-rss_limit_mb={MEMORY}"))
        .arg(format!("-artifact_prefix={}/{target}-", found.display()))
        .args(["-print_final_stats=1", "-verbosity=0"])
        .arg(grown)
        .arg(corpus(tree).join(target))
        .env("CAISSON_FUZZ_TARGET", target)
        .env("RUST_BACKTRACE", "1");
    let status = command
        .status()
        .with_context(|| format!("cannot run {}", program.display()))?;
    Ok(status.success())
}

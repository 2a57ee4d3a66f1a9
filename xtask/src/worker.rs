//! Building the worker, and running one.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use crate::cli::Mode;
use crate::tree::{Selection, Tree};
use crate::{machine, process};

/// How long a worker may take until REST answers.
const START: Duration = Duration::from_secs(60);
/// How long it may take to end.
const STOP: Duration = Duration::from_secs(15);

/// Builds the worker with the development profile, whose dependencies are optimised.
pub fn build(tree: &Tree) -> Result<()> {
    machine::prepare_build()?;
    println!("building the worker (the first time takes several minutes)");
    let mut command = process::cargo(&tree.root);
    command.arg("build");
    match tree.selection {
        Selection::Worker => command.args(["--package", "caisson"]),
        Selection::Everything => command.args(["--workspace", "--bins", "--tests", "--examples"]),
    };
    process::visible(&mut command)
}

/// A worker in a directory of its own, whose output is in `worker.log` there.
pub struct Worker {
    child: Child,
    log: PathBuf,
}

impl Worker {
    /// Starts it with these properties and returns how long it took until `answers` was true.
    pub fn start(
        tree: &Tree,
        directory: &Path,
        mode: Mode,
        properties: &str,
        answers: impl Fn() -> bool,
    ) -> Result<(Self, Duration)> {
        let file = directory.join("worker.properties");
        std::fs::write(&file, properties)?;
        let log = directory.join("worker.log");
        let output = File::create(&log)?;
        let began = Instant::now();
        // A process group of its own, so that Ctrl-C reaches only us and the worker is asked to stop once.
        let child = Command::new(tree.worker())
            .arg(mode.verb())
            .arg(file)
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .spawn()
            .context("cannot start the worker")?;
        let mut worker = Self { child, log };
        while !answers() {
            worker.check()?;
            if began.elapsed() > START {
                bail!("the worker's REST does not answer; its log is {}", worker.log.display());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok((worker, began.elapsed()))
    }

    /// An error with the end of its log if it has ended.
    pub fn check(&mut self) -> Result<()> {
        let Some(status) = self.child.try_wait()? else {
            return Ok(());
        };
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        bail!(
            "the worker ended ({status}):\n{}",
            lines[lines.len().saturating_sub(20)..].join("\n")
        );
    }

    /// Its resident memory in MiB.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let kibibytes = status.lines().find_map(|line| {
            line.strip_prefix("VmRSS:")?
                .trim()
                .strip_suffix("kB")?
                .trim()
                .parse::<u64>()
                .ok()
        });
        kibibytes.unwrap_or_default() / 1024
    }

    /// Asks it to end, and makes it if it does not.
    pub fn stop(mut self) -> Result<()> {
        process::signal(&self.child, Signal::TERM);
        if process::ended_within(&mut self.child, STOP)?.is_none() {
            println!("    it did not stop within {} s and is killed", STOP.as_secs());
            self.child.kill()?;
            self.child.wait()?;
        }
        Ok(())
    }
}

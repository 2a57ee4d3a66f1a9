//! Runs the commands of one stage into its log and counts what they report.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::interrupt::Interrupt;
use crate::process::{self, Ending};
use crate::test::failures;
use crate::test::totals::{Count, Outcome};
use crate::tree::Tree;

/// No command of a stage takes longer unless it hangs.
const LIMIT: Duration = Duration::from_secs(40 * 60);

/// One stage that runs.
pub struct Runner<'a> {
    pub tree: &'a Tree,
    interrupt: &'a Interrupt,
    log: PathBuf,
    /// What `cargo test` reported.
    tests: Count,
    /// Commands that are checks themselves.
    checks: Count,
}

impl<'a> Runner<'a> {
    pub fn new(tree: &'a Tree, stage: &str, interrupt: &'a Interrupt) -> Result<Self> {
        let log = tree.log(stage);
        std::fs::write(&log, "").with_context(|| format!("cannot write {}", log.display()))?;
        Ok(Self {
            tree,
            interrupt,
            log,
            tests: Count::default(),
            checks: Count::default(),
        })
    }

    /// Runs a command that counts as one check.
    pub fn check(&mut self, command: &mut Command) -> Result<()> {
        if self.execute(command)?.is_success() {
            self.checks.passed += 1;
        } else {
            self.checks.failed += 1;
        }
        Ok(())
    }

    /// Runs a command that reports tests as `cargo test` does; one that failed without a failed test (it did not
    /// compile, it hung) counts as one.
    pub fn tests(&mut self, command: &mut Command) -> Result<()> {
        let before = self.tests.failed;
        let ending = self.execute(command)?;
        if !ending.is_success() && self.tests.failed == before {
            self.checks.failed += 1;
        }
        Ok(())
    }

    fn execute(&mut self, command: &mut Command) -> Result<Ending> {
        self.interrupt.check()?;
        println!("    {}", process::shown(command));
        let tests = &mut self.tests;
        let mut look = |line: &str| {
            tests.note(line);
            let failed = line.starts_with("test ") && line.ends_with("FAILED");
            let worth = failed || line.starts_with("measured: ") || line.starts_with("skipped: ");
            worth.then(|| line.to_owned())
        };
        let ending = process::logged(command, &self.log, self.interrupt, LIMIT, &mut look)?;
        match &ending {
            Ending::Finished(_) => {}
            Ending::TimedOut => println!("    stopped: it ran for more than {} minutes", LIMIT.as_secs() / 60),
            Ending::Interrupted => println!("    interrupted"),
        }
        Ok(ending)
    }

    /// What the stage amounts to; shows why if it failed.
    pub fn conclude(mut self, result: Result<()>) -> Outcome {
        if let Err(error) = &result {
            println!("    {error:#}");
            self.checks.failed += 1;
        }
        let count = Count {
            passed: self.tests.passed + self.checks.passed,
            failed: self.tests.failed + self.checks.failed,
            ignored: self.tests.ignored,
        };
        if count.failed == 0 {
            return Outcome::Passed(count);
        }
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        println!("---- from {}", self.tree.shown(&self.log));
        failures::told(&text).iter().for_each(|line| println!("{line}"));
        println!("----");
        Outcome::Failed(count)
    }
}

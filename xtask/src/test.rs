//! `cargo x test`: stages one after the other, a line for each, totals last.
//!
//! A stage that fails does not keep later ones from running, except where they could only fail for the same reason:
//! without components there is nothing to run end to end.

mod failures;
mod runner;
mod stages;
mod totals;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;

use crate::cli::{Stage, TestArguments};
use crate::interrupt::Interrupt;
use crate::test::runner::Runner;
use crate::test::totals::{Outcome, Summary};
use crate::tree::Tree;

/// The tests with search servers and databases (`Stage::Search`) run when they are asked for: they fetch and start many of
/// them.
const STAGES: [Stage; 7] = [
    Stage::Fmt,
    Stage::Clippy,
    Stage::Guests,
    Stage::Unit,
    Stage::E2e,
    Stage::Rest,
    Stage::Demo,
];

pub fn run(tree: &Tree, arguments: &TestArguments) -> Result<ExitCode> {
    std::fs::create_dir_all(tree.scratch())?;
    let interrupt = Interrupt::install()?;
    let began = Instant::now();
    let mut summary = Summary::default();
    let mut stages = STAGES.to_vec();
    if !arguments.only.is_empty() {
        stages = arguments.only.clone();
        stages.sort();
        stages.dedup();
    }
    for stage in stages {
        if interrupt.requested() {
            break;
        }
        let needs_guests = matches!(stage, Stage::E2e | Stage::Search | Stage::Rest | Stage::Demo);
        if needs_guests && !arguments.keep_going && summary.failed(Stage::Guests) {
            println!("== {} skipped: there are no components to run", name(stage));
            summary.add(stage, Outcome::Skipped, 0);
            continue;
        }
        println!("== {}", name(stage));
        let stage_began = Instant::now();
        let mut runner = Runner::new(tree, name(stage), &interrupt)?;
        let result = stages::perform(stage, &mut runner, arguments);
        let outcome = runner.conclude(result);
        summary.add(stage, outcome, stage_began.elapsed().as_secs());
    }
    summary.print(began.elapsed());
    if interrupt.requested() {
        println!("interrupted");
        return Ok(ExitCode::from(130));
    }
    Ok(if summary.is_success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A stage's name in logs and totals.
fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::Fmt => "fmt",
        Stage::Clippy => "clippy",
        Stage::Guests => "guests",
        Stage::Unit => "unit",
        Stage::E2e => "e2e",
        Stage::Search => "search",
        Stage::Rest => "rest",
        Stage::Demo => "demo",
    }
}

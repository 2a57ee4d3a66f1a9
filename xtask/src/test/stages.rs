//! What each stage does.

use std::process::Command;

use anyhow::{Result, bail};

use crate::cli::{GuestsArguments, Stage, TestArguments};
use crate::guests::{self, Workspace};
use crate::kafka::{self, Broker};
use crate::machine;
use crate::packages::{self, Target};
use crate::process;
use crate::registry::Registry;
use crate::test::runner::Runner;
use crate::tree::Tree;
use crate::worker;

/// The packages whose tests run with a broker.
const NEED_KAFKA: [&str; 2] = ["caisson-e2e", "caisson-kafka"];
/// The test target of the stage with search servers.
const SEARCH: &str = "search";
/// Tests that run side by side end to end: each waits more than it computes.
const END_TO_END_THREADS: &str = "3";

pub fn perform(stage: Stage, runner: &mut Runner<'_>, arguments: &TestArguments) -> Result<()> {
    match stage {
        Stage::Fmt => format(runner),
        Stage::Clippy => lint(runner),
        Stage::Guests => components(runner),
        Stage::Unit => unit(runner, arguments),
        Stage::E2e => end_to_end(runner, arguments),
        Stage::Search => search(runner, arguments),
        Stage::Rest => recorded_requests(runner),
        Stage::Demo => demo(runner),
    }
}

/// The directories of all workspaces whose code is still being written; a frozen one stays as it was.
fn living(tree: &Tree) -> Result<Vec<Workspace>> {
    let mut workspaces = guests::workspaces(tree)?;
    workspaces.retain(|workspace| !workspace.directory.starts_with(tree.root.join("tests/frozen")));
    Ok(workspaces)
}

fn format(runner: &mut Runner<'_>) -> Result<()> {
    let mut directories = vec![runner.tree.root.clone()];
    directories.extend(living(runner.tree)?.into_iter().map(|workspace| workspace.directory));
    for directory in directories {
        runner.check(process::cargo(&directory).args(["fmt", "--check", "--", "--color", "never"]))?;
    }
    Ok(())
}

fn lint(runner: &mut Runner<'_>) -> Result<()> {
    machine::prepare_build()?;
    machine::prepare_wasm(&runner.tree.root)?;
    let deny = ["--", "-D", "warnings"];
    let tree = runner.tree;
    runner.check(
        process::cargo(&tree.root)
            .args(["clippy", "--workspace", "--all-targets"])
            .args(deny),
    )?;
    for workspace in living(tree)? {
        let target = ["--release", "--target", machine::WASM_TARGET];
        runner.check(
            guests::wasm_cargo(&workspace)
                .args(["clippy", "--workspace"])
                .args(target)
                .args(deny),
        )?;
        if has_native_tests(tree, &workspace) {
            runner.check(
                guests::wasm_cargo(&workspace)
                    .args(["clippy", "--workspace", "--all-targets"])
                    .args(deny),
            )?;
        }
    }
    Ok(())
}

/// Connectors run natively in their own unit tests; the modules for tests exist as components only.
fn has_native_tests(tree: &Tree, workspace: &Workspace) -> bool {
    workspace.directory == guests::connectors(tree).directory
}

/// By the same verb that anybody would use, so that its output lands in the log.
fn components(runner: &mut Runner<'_>) -> Result<()> {
    let mut guests = own(runner.tree, &["guests"]);
    runner.check(&mut guests)
}

fn unit(runner: &mut Runner<'_>, arguments: &TestArguments) -> Result<()> {
    machine::prepare_wasm(&runner.tree.root)?;
    let tree = runner.tree;
    // Some start programs that cargo builds for no test by itself.
    worker::build(tree)?;
    let mut command = process::cargo(&tree.root);
    command.args(["test", "--workspace", "--no-fail-fast", "--lib", "--bins"]);
    let plain = suites(tree, |suite| !NEED_KAFKA.contains(&suite.package.as_str()))?;
    command.args(plain.iter().flat_map(|name| ["--test", name]));
    runner.tests(filtered(with_places(&mut command, tree), arguments))?;
    let mut command = process::cargo(&tree.root);
    command.args(["test", "--workspace", "--no-fail-fast", "--doc"]);
    runner.tests(filtered(&mut command, arguments))?;
    for workspace in living(tree)?
        .iter()
        .filter(|workspace| has_native_tests(tree, workspace))
    {
        let mut command = guests::wasm_cargo(workspace);
        command.args(["test", "--workspace", "--no-fail-fast"]);
        runner.tests(filtered(&mut command, arguments))?;
    }
    Ok(())
}

/// Names of the test targets that `chosen` picks. Tests are chosen by target and never by package: cargo would give the
/// crates of a package alone other features, and compile them once more.
fn suites(tree: &Tree, chosen: impl Fn(&Target) -> bool) -> Result<Vec<String>> {
    let (picked, others): (Vec<_>, Vec<_>) = packages::targets(&tree.root, "test")?.into_iter().partition(chosen);
    let mut names: Vec<String> = picked.into_iter().map(|suite| suite.name).collect();
    names.sort();
    names.dedup();
    match others.iter().find(|other| names.contains(&other.name)) {
        Some(other) => bail!("two packages have tests called {}, rename one of them", other.name),
        None => Ok(names),
    }
}

/// What needs a real Kafka or a real schema registry: first the client's own tests, one by one because one of them
/// restarts the broker, then the converters', then the worker's.
fn end_to_end(runner: &mut Runner<'_>, arguments: &TestArguments) -> Result<()> {
    let tree = runner.tree;
    // Nothing is left to do for it unless this stage runs alone.
    guests::run(tree, &GuestsArguments::default())?;
    let broker = Broker::start(tree, tree.scratch().join("test-kafka"), kafka::free_ports()?)?;
    let restart = broker.restart_command(tree);
    let registry = Registry::start(tree)?;
    let mut run = |suites: Vec<String>, threads: &str| {
        let mut command = process::cargo(&tree.root);
        command.args(["test", "--workspace", "--no-fail-fast"]);
        command.args(suites.iter().flat_map(|name| ["--test", name]));
        command
            .env("CAISSON_TEST_BOOTSTRAP", broker.bootstrap())
            .env("CAISSON_TEST_RESTART", &restart)
            .env("CAISSON_TEST_REGISTRY", registry.url());
        command.env("RUST_TEST_THREADS", threads);
        runner.tests(filtered(with_places(&mut command, tree), arguments))
    };
    let client = suites(tree, |suite| suite.package == "caisson-kafka")?;
    // The tests with search servers have a stage of their own.
    let worker = |suite: &Target| suite.package == "caisson-e2e" && suite.name != SEARCH;
    let rest = suites(tree, |suite| worker(suite) || suite.name == "real_registry")?;
    let result = run(client, "1").and_then(|()| run(rest, END_TO_END_THREADS));
    registry.clean(tree)?;
    broker.clean(tree)?;
    result
}

/// The Elasticsearch sink and the PostgreSQL source on real servers, which the tests start by themselves.
fn search(runner: &mut Runner<'_>, arguments: &TestArguments) -> Result<()> {
    let tree = runner.tree;
    guests::run(tree, &GuestsArguments::default())?;
    let broker = Broker::start(tree, tree.scratch().join("test-search-kafka"), kafka::free_ports()?)?;
    let mut command = process::cargo(&tree.root);
    command.args(["test", "--workspace", "--test", SEARCH, "--no-fail-fast"]);
    command
        .env("CAISSON_TEST_BOOTSTRAP", broker.bootstrap())
        .env("CAISSON_TEST_SEARCH", "1")
        // Each has servers of its own, and they are large.
        .env("RUST_TEST_THREADS", "2");
    let result = runner.tests(filtered(with_places(&mut command, tree), arguments));
    broker.clean(tree)?;
    result
}

/// Against a worker on its own and one of a cluster.
fn recorded_requests(runner: &mut Runner<'_>) -> Result<()> {
    for mode in ["standalone", "distributed"] {
        let mut conformance = own(runner.tree, &["conformance", "rest", "--mode", mode]);
        runner.check(&mut conformance)?;
    }
    Ok(())
}

fn demo(runner: &mut Runner<'_>) -> Result<()> {
    let mut demo = own(runner.tree, &["demo", "--once", "--burst", "200000"]);
    runner.check(&mut demo)
}

/// Where tests find what this tree has built.
fn with_places<'a>(command: &'a mut Command, tree: &Tree) -> &'a mut Command {
    command
        .env("CAISSON_TEST_WORKER", tree.worker())
        .env("CAISSON_TEST_COMPONENTS", tree.components())
        .env("CAISSON_TEST_GUESTS", tree.test_guests())
        .env("CAISSON_TEST_SYSTEMS", tree.root.join("tests/systems"))
        .env("CAISSON_TEST_SCRATCH", tree.scratch())
}

fn filtered<'a>(command: &'a mut Command, arguments: &TestArguments) -> &'a mut Command {
    match &arguments.filter {
        Some(name) => command.args(["--", name]),
        None => command,
    }
}

/// This very program with another verb.
fn own(tree: &Tree, arguments: &[&str]) -> Command {
    let mut command = Command::new(&tree.program);
    command.arg("--everything").args(arguments);
    command
}

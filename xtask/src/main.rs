//! `cargo x`: the one door to building, testing and trying this tree.
//!
//! Each verb installs or fetches what it needs by itself, says what it is doing, and leaves everything it makes below
//! `target/`.

mod bench;
mod cli;
mod conformance;
mod demo;
mod fuzz;
mod guests;
mod interrupt;
mod kafka;
mod machine;
mod packages;
mod process;
mod registry;
mod systems;
mod test;
mod tree;
mod worker;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Verb};
use crate::tree::Tree;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = Tree::find(cli.selection()).and_then(|tree| match cli.verb {
        Verb::Demo(arguments) => demo::run(&tree, &arguments),
        Verb::Test(arguments) => test::run(&tree, &arguments),
        Verb::Guests(arguments) => guests::run(&tree, &arguments).map(|()| ExitCode::SUCCESS),
        Verb::Kafka(arguments) => kafka::run(&tree, &arguments),
        Verb::Conformance(arguments) => conformance::run(&tree, &arguments),
        Verb::Fuzz(arguments) => fuzz::run(&tree, &arguments),
        Verb::Bench(arguments) => bench::run(&tree, &arguments),
    });
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

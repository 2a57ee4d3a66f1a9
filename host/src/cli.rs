//! The command line. Exit codes follow Kafka Connect: 1 usage, 2 the worker could not start, 3 a connector named on
//! the command line could not be started.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// A Kafka Connect worker whose connectors and transforms run as WebAssembly components, one sandbox each.
#[derive(Debug, Parser)]
#[command(name = "caisson", version, about, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommand by which the worker starts its compiler.
pub const COMPILE: &str = "compile-module";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run one worker on its own, as `connect-standalone` does.
    #[command(visible_alias = "connect-standalone")]
    Standalone(StandaloneArguments),
    /// Look at modules and prepare them.
    #[command(subcommand)]
    Module(ModuleCommand),
    /// Print the reference of all configuration keys as Markdown.
    Docs,
    /// Compile a component from standard input; the worker starts this itself, with limits.
    #[command(name = COMPILE, hide = true)]
    Compile(CompileArguments),
}

#[derive(Debug, Args)]
pub struct StandaloneArguments {
    /// The worker's properties, such as Kafka's own `connect-standalone.properties`.
    pub worker: PathBuf,
    /// Connectors to start: Java properties, or JSON (`{"name", "config"}` or a flat object with `name`).
    pub connectors: Vec<PathBuf>,
    /// How log lines look [default: log.format of the worker, or text].
    #[arg(long, value_enum, env = "CAISSON_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,
    /// Least level of log lines, or a filter such as `info,caisson_task=debug` [default: log.level of the worker, or info].
    #[arg(long, env = "CAISSON_LOG")]
    pub log: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub enum ModuleCommand {
    /// Print what a module offers and asks for, without running it.
    Inspect {
        /// A component.
        file: PathBuf,
    },
    /// Write a component's manifest into it, so that it can be listed without running it.
    Package {
        /// A component as a compiler made it.
        input: PathBuf,
        /// Where to write the module; the same path replaces the component.
        output: PathBuf,
    },
}

/// What the compiler's child process is given is the sandbox crate's own affair.
#[derive(Debug, Args)]
pub struct CompileArguments {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub rest: Vec<String>,
}

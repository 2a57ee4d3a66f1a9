//! The command line. Exit codes of workers follow Kafka Connect: 1 usage, 2 the worker could not start, 3 a connector
//! named on the command line could not be started.

mod client;
mod run;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use client::{
    ApplyArguments, ClientCommand, GetArguments, LogsArguments, NamesArguments, OffsetsAction, OffsetsArguments,
    Output, PluginsArguments, RestartArguments, TopArguments, WorkerArguments,
};
pub use run::RunArguments;

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
    /// Run one worker of a cluster, as `connect-distributed` does.
    #[command(visible_alias = "connect-distributed")]
    Distributed(DistributedArguments),
    #[command(flatten)]
    Client(ClientCommand),
    /// Run a source and a sink here, joined without Kafka, or one of them with standard input and output.
    Run(RunArguments),
    /// Look at modules, prepare them, and bring them to workers.
    #[command(subcommand)]
    Module(ModuleCommand),
    /// Begin a plugin of your own: a crate that builds, tests, and can be pushed to a worker.
    New(NewArguments),
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

#[derive(Debug, Args)]
pub struct DistributedArguments {
    /// The worker's properties, such as Kafka's own `connect-distributed.properties`.
    pub worker: PathBuf,
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
    /// Check a module as a worker would: compile it, and compare what it says with what it is.
    Validate {
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
    /// Upload a module to a worker.
    Push {
        /// A component.
        file: PathBuf,
        /// Have it serve its classes at once: what runs goes on with it.
        #[arg(long)]
        activate: bool,
        #[command(flatten)]
        consent: ConsentArgument,
        #[command(flatten)]
        worker: WorkerArguments,
    },
    /// List the modules of a worker.
    List {
        #[command(flatten)]
        worker: WorkerArguments,
    },
    /// Remove a module from a worker, if nothing runs with it.
    Rm {
        /// The module's digest, or its first digits.
        digest: String,
        #[command(flatten)]
        worker: WorkerArguments,
    },
    /// Have a module serve a class: what runs goes on with it.
    Activate {
        /// The class, as the module names it.
        class: String,
        /// The module's digest, or its first digits.
        digest: String,
        /// Have one task of the whole cluster take it first, and the others when its probation has ended well.
        #[arg(long)]
        canary: bool,
        #[command(flatten)]
        consent: ConsentArgument,
        #[command(flatten)]
        worker: WorkerArguments,
    },
    /// Go back to the module that served a class before.
    Rollback {
        /// The class, as the module names it.
        class: String,
        #[command(flatten)]
        worker: WorkerArguments,
    },
}

#[derive(Debug, Args)]
pub struct ConsentArgument {
    /// Grant what the module asks for beyond what the one before it had.
    #[arg(long)]
    pub consent: bool,
}

#[derive(Debug, Args)]
pub struct NewArguments {
    /// What the plugin is to be.
    pub kind: NewKind,
    /// The directory to make; its name becomes that of the crate.
    pub directory: PathBuf,
    /// The language to write it in.
    #[arg(long, value_enum, default_value = "rust")]
    pub lang: Language,
    /// The directory of the SDK [default: the one of the clone that this program was built in].
    #[arg(long)]
    pub sdk: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum NewKind {
    Source,
    Sink,
    Transform,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Language {
    Rust,
}

/// What the compiler's child process is given is the sandbox crate's own affair.
#[derive(Debug, Args)]
pub struct CompileArguments {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub rest: Vec<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn no_command_has_two_meanings_for_an_option() {
        Cli::command().debug_assert();
    }
}

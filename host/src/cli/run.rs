//! What `caisson run` is told.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub struct RunArguments {
    /// Connectors as for a standalone worker: a source, a sink, or one of each. Without a sink records are printed, without a
    /// source they are read from standard input, as lines of JSON in the form in which they are printed.
    #[arg(required = true, num_args = 1..=2)]
    pub connectors: Vec<PathBuf>,
    /// End after so many records [default: with the input, or by Ctrl-C].
    #[arg(long)]
    pub records: Option<u64>,
    /// Take each line of standard input as a value.
    #[arg(long)]
    pub lines: bool,
    /// A directory with modules; may be given more than once.
    #[arg(long, value_name = "DIR")]
    pub plugin_path: Vec<PathBuf>,
    /// A worker's properties, for converters, `sandbox.*` and the like [default: keys as text, values as JSON].
    #[arg(long, value_name = "FILE")]
    pub worker: Option<PathBuf>,
    /// Keep a source's offsets in this file and go on after them [default: begin anew].
    #[arg(long, value_name = "FILE")]
    pub offsets: Option<PathBuf>,
    /// Least level of log lines, or a filter [default: log.level of the worker, or warn].
    #[arg(long, env = "CAISSON_LOG")]
    pub log: Option<String>,
}

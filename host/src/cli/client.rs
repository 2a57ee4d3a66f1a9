//! What is asked of a worker that runs somewhere, Kafka Connect's own among them.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// List a worker's connectors, or show one with its tasks and what they failed with.
    Get(GetArguments),
    /// Create connectors, or change them to what files say, after showing what that changes.
    Apply(ApplyArguments),
    /// Delete connectors.
    Delete(NamesArguments),
    /// Pause connectors: their tasks stay and do nothing.
    Pause(NamesArguments),
    /// Have connectors go on that are paused or stopped.
    Resume(NamesArguments),
    /// Stop connectors: their tasks end.
    Stop(NamesArguments),
    /// Restart a connector with its tasks, or some of them.
    Restart(RestartArguments),
    /// Show, reset or set a connector's offsets.
    Offsets(OffsetsArguments),
    /// Show or set levels of loggers.
    Logs(LogsArguments),
    /// List plugins, or the configuration keys of one.
    Plugins(PluginsArguments),
    /// Show what tasks do at the moment, again and again.
    Top(TopArguments),
}

/// Which worker, and who asks.
#[derive(Debug, Args)]
pub struct WorkerArguments {
    /// The worker's REST address, `http://host:port` or `https://name:password@host:port`.
    #[arg(
        long,
        global = true,
        env = "CAISSON_URL",
        hide_env_values = true,
        default_value = "http://localhost:8083"
    )]
    pub url: String,
    /// `name:password`, where the worker asks for it and the address does not have it.
    #[arg(long, global = true, env = "CAISSON_USER", hide_env_values = true)]
    pub user: Option<String>,
    /// Certificates (PEM) of those who may vouch for a worker by HTTPS [default: whom the system trusts].
    #[arg(long, global = true, env = "CAISSON_CA")]
    pub ca: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Table,
    /// For programs.
    Json,
}

#[derive(Debug, Args)]
pub struct OutputArgument {
    /// How to print what the worker says.
    #[arg(short = 'o', long = "output", global = true, value_enum, default_value = "table")]
    pub form: Output,
}

#[derive(Debug, Args)]
pub struct GetArguments {
    /// The connector; all if there is none.
    pub name: Option<String>,
    #[command(flatten)]
    pub output: OutputArgument,
    #[command(flatten)]
    pub worker: WorkerArguments,
}

#[derive(Debug, Args)]
pub struct ApplyArguments {
    /// Files with connectors: what `POST /connectors` takes, a configuration, an array of these, or Java properties;
    /// `-` is standard input.
    #[arg(short, long = "file", required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The name of a connector whose configuration has none.
    #[arg(long)]
    pub name: Option<String>,
    /// Write without asking.
    #[arg(long, conflicts_with = "dry_run")]
    pub yes: bool,
    /// Show what would change, write nothing, and end with status 5 if something would.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub output: OutputArgument,
    #[command(flatten)]
    pub worker: WorkerArguments,
}

#[derive(Debug, Args)]
pub struct NamesArguments {
    /// The connectors.
    #[arg(required = true)]
    pub names: Vec<String>,
    #[command(flatten)]
    pub worker: WorkerArguments,
}

#[derive(Debug, Args)]
pub struct RestartArguments {
    pub name: String,
    /// This task alone.
    #[arg(long, conflicts_with = "failed")]
    pub task: Option<u32>,
    /// Only what has failed.
    #[arg(long)]
    pub failed: bool,
    #[command(flatten)]
    pub worker: WorkerArguments,
}

#[derive(Debug, Args)]
pub struct OffsetsArguments {
    /// The connector.
    pub name: String,
    #[command(subcommand)]
    pub action: Option<OffsetsAction>,
    #[command(flatten)]
    pub output: OutputArgument,
    #[command(flatten)]
    pub worker: WorkerArguments,
}

#[derive(Debug, Subcommand)]
pub enum OffsetsAction {
    /// Show them.
    Get,
    /// Forget them: the connector, which has to be stopped, begins anew.
    Reset,
    /// Set them; the connector has to be stopped.
    Set {
        /// JSON as `offsets NAME -o json` prints it; `-` is standard input.
        #[arg(short, long, value_name = "FILE")]
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub struct LogsArguments {
    /// The logger; all whose level was set if there is none.
    pub logger: Option<String>,
    /// The level to set, such as DEBUG: on all workers of the cluster.
    pub level: Option<String>,
    /// Set it on the worker that is asked alone.
    #[arg(long, requires = "level")]
    pub worker_only: bool,
    #[command(flatten)]
    pub output: OutputArgument,
    #[command(flatten)]
    pub worker: WorkerArguments,
}

#[derive(Debug, Args)]
pub struct PluginsArguments {
    /// The plugin whose configuration keys are to be shown.
    pub class: Option<String>,
    #[command(flatten)]
    pub output: OutputArgument,
    #[command(flatten)]
    pub worker: WorkerArguments,
}

#[derive(Debug, Args)]
pub struct TopArguments {
    /// Seconds between two looks.
    #[arg(long, default_value = "2", value_parser = seconds)]
    pub interval: Duration,
    /// End after so many looks.
    #[arg(short = 'n', long)]
    pub looks: Option<u64>,
    #[command(flatten)]
    pub output: OutputArgument,
    #[command(flatten)]
    pub worker: WorkerArguments,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "it is no number".to_owned())?;
    match seconds {
        0.1..=3600.0 => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("between 0.1 and 3600 seconds".to_owned()),
    }
}

//! Log lines: readable by default, JSON on request, to standard error: standard output belongs to file sinks without a `file`.

use anyhow::Context;
use caisson_config::WorkerConfig;
use tracing_subscriber::fmt::time::SystemTime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry, reload};

use crate::cli::LogFormat;

/// Changes the filter of a running worker.
pub type FilterHandle = reload::Handle<EnvFilter, Registry>;

/// Starts a worker's logging as the command line says, else as its properties do, and shows what was odd about those.
pub fn begin(format: Option<LogFormat>, filter: Option<&str>, config: &WorkerConfig) -> anyhow::Result<FilterHandle> {
    let format = format.unwrap_or(match config.log.format {
        Some(caisson_config::worker::LogFormat::Json) => LogFormat::Json,
        Some(caisson_config::worker::LogFormat::Text) | None => LogFormat::Text,
    });
    let handle = init(format, filter.or(config.log.level.as_deref()).unwrap_or("info"))?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    Ok(handle)
}

/// Starts logging; `filter` is a level or a list of `target=level`.
fn init(format: LogFormat, filter: &str) -> anyhow::Result<FilterHandle> {
    let filter = EnvFilter::try_new(filter).with_context(|| format!("unusable log filter `{filter}`"))?;
    let (filter, handle) = reload::Layer::new(filter);
    let registry = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer()
        .with_timer(SystemTime)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => registry.with(lines.with_ansi(false)).try_init()?,
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init()?,
    }
    Ok(handle)
}

/// Puts the levels of the loggers that REST sets into effect. Loggers are named as targets are (`caisson_task`, `guest`);
/// Java's names are kept for who asks for them and filter nothing.
pub struct Levels(pub FilterHandle);

impl caisson_herder::LevelSink for Levels {
    fn apply(&self, levels: &std::collections::BTreeMap<String, caisson_herder::Level>) {
        let directive = |(name, level): (&String, &caisson_herder::Level)| {
            let level = tracing_level(*level);
            if name == "root" {
                level.to_owned()
            } else {
                format!("{}={level}", name.replace("::", "_"))
            }
        };
        let text: Vec<String> = levels
            .iter()
            .filter(|(name, _)| *name == "root" || is_target(name))
            .map(directive)
            .collect();
        let applied = EnvFilter::try_new(text.join(","))
            .map_err(|error| error.to_string())
            .and_then(|filter| self.0.reload(filter).map_err(|error| error.to_string()));
        if let Err(error) = applied {
            tracing::warn!(%error, "log levels could not be changed");
        }
    }
}

/// Rust's targets have no dots; Java's loggers do.
fn is_target(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
}

fn tracing_level(level: caisson_herder::Level) -> &'static str {
    match level.as_str() {
        "OFF" => "off",
        "FATAL" | "ERROR" => "error",
        "WARN" => "warn",
        "INFO" => "info",
        "DEBUG" => "debug",
        _ => "trace",
    }
}

//! Log lines: readable by default, JSON on request, to standard error: standard output belongs to file sinks without a `file`.

use anyhow::Context;
use tracing_subscriber::fmt::time::SystemTime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry, reload};

use crate::cli::LogFormat;

/// Changes the filter of a running worker.
pub type FilterHandle = reload::Handle<EnvFilter, Registry>;

/// Starts logging; `filter` is a level or a list of `target=level`.
pub fn init(format: LogFormat, filter: &str) -> anyhow::Result<FilterHandle> {
    let filter = EnvFilter::try_new(filter).with_context(|| format!("unusable log filter `{filter}`"))?;
    let (filter, handle) = reload::Layer::new(filter);
    let registry = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer().with_timer(SystemTime).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => registry.with(lines.with_ansi(false)).try_init()?,
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init()?,
    }
    Ok(handle)
}

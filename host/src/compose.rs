//! Where every concrete type is named and put together.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use caisson_config::WorkerConfig;
use caisson_config::worker::{Mode, TopicTracking};
use caisson_herder::loggers::{Level, Loggers};
use caisson_herder::{Herder, StandaloneHerder, standalone};
use caisson_sandbox::{Sandbox, SandboxOptions};
use caisson_store::{FileOffsetStore, MemoryConfigStore, MemoryStatusStore};
use caisson_worker::{Parts, Plugins, Worker};
use tokio::sync::mpsc;

use crate::adapter::{Adapter, Events};
use crate::cli::COMPILE;
use crate::logging::{FilterHandle, Levels};

/// Events of the worker that the herder has not looked at yet.
const EVENTS: usize = 256;

/// What `GET /` says of this build.
pub const VERSION: &str = caisson_api::KAFKA_CONNECT;
pub const COMMIT: &str = concat!("caisson-", env!("CARGO_PKG_VERSION"));

/// A standalone worker, put together.
pub struct Standalone {
    pub herder: Arc<StandaloneHerder>,
}

/// Puts a standalone worker together. Modules are loaded, nothing runs yet.
pub async fn standalone(config: Arc<WorkerConfig>, worker_id: String, log: FilterHandle) -> anyhow::Result<Standalone> {
    let Mode::Standalone { offset_file } = &config.mode else {
        anyhow::bail!("these are the properties of a distributed worker");
    };
    let offsets = FileOffsetStore::open(offset_file).context("offset.storage.file.filename")?;
    let sandbox = Sandbox::new(sandbox_options(&config)?)?;
    let plugins = Plugins::load(&sandbox, &plugin_directories(&config)).await;
    caisson_worker::check_converters(&config, &plugins).map_err(|failure| anyhow::anyhow!(failure.message))?;
    let (sender, events) = mpsc::channel(EVENTS);
    let worker = Arc::new(Worker::new(Parts {
        config: config.clone(),
        sandbox,
        plugins,
        offsets: Arc::new(offsets),
        listener: Arc::new(Events(sender)),
    }));
    let parts = standalone::Parts {
        worker: Arc::new(Adapter::new(worker, config.bootstrap_servers.clone())),
        events,
        configs: Arc::new(MemoryConfigStore::new()),
        statuses: Arc::new(MemoryStatusStore::new()),
        loggers: Loggers::new(Arc::new(Levels(log)), Level::Info, Default::default()),
    };
    let options = standalone::Options {
        worker_id,
        version: VERSION.to_owned(),
        commit: COMMIT.to_owned(),
        topic_tracking: config.topics != TopicTracking::Off,
        topic_tracking_reset: config.topics == TopicTracking::WithReset,
    };
    let herder = Arc::new(StandaloneHerder::new(parts, options));
    Ok(Standalone { herder })
}

impl Standalone {
    pub fn as_herder(&self) -> Arc<dyn Herder> {
        self.herder.clone()
    }
}

/// The `sandbox.*` properties. Modules are compiled by this same program, started anew with limits.
fn sandbox_options(config: &WorkerConfig) -> anyhow::Result<SandboxOptions> {
    let mut options = SandboxOptions::from_properties(&config.all.to_config())?;
    options.compiler.program = Some(std::env::current_exe().context("cannot find this program's own file")?);
    options.compiler.args = vec![COMPILE.to_owned()];
    Ok(options)
}

/// `plugin.path`, and the bundled connectors that lie beside the program.
fn plugin_directories(config: &WorkerConfig) -> Vec<PathBuf> {
    let mut directories = config.plugin_path.clone();
    let bundled = match std::env::var_os("CAISSON_COMPONENTS") {
        Some(directory) => Some(PathBuf::from(directory)),
        None => beside_program(),
    };
    directories.extend(bundled.filter(|bundled| !config.plugin_path.contains(bundled)));
    directories
}

fn beside_program() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let directory = program.parent()?;
    [directory.join("components"), directory.join("../components")]
        .into_iter()
        .find(|path: &PathBuf| Path::is_dir(path))
}

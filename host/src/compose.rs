//! Where every concrete type is named and put together.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use caisson_config::WorkerConfig;
use caisson_config::worker::{Cluster, ExactlyOnce, InternalTopic, Mode, Protocol, TopicTracking};
use caisson_herder::distributed::core::CoreOptions;
use caisson_herder::distributed::{self, signature};
use caisson_herder::loggers::{Level, Loggers};
use caisson_herder::modules::{self, Desk, DeskOptions, DeskParts, TrialTerms};
use caisson_herder::{DistributedHerder, Herder, StandaloneHerder, standalone};
use caisson_kafka::{Admin, GroupOptions};
use caisson_model::GroupProtocol;
use caisson_rest::PeerClient;
use caisson_sandbox::{Sandbox, SandboxOptions};
use caisson_store::{
    ConfigStore, DirectoryModuleStore, FileOffsetStore, MemoryConfigStore, MemoryStatusStore, ModuleStore, OffsetStore,
    StatusStore, TopicModuleStore,
};
use caisson_worker::{OffsetTopics, Parts, Plugins, Worker};
use tokio::sync::mpsc;

use crate::adapter::{Adapter, Events, Modules};
use crate::cli::COMPILE;
use crate::cluster::{self, Clients, GroupMembership, ProducerFencer};
use crate::logging::{FilterHandle, Levels};

/// Events of the worker that the herder has not looked at yet.
const EVENTS: usize = 256;

/// What `GET /` says of this build.
pub const VERSION: &str = caisson_api::KAFKA_CONNECT;
pub const COMMIT: &str = concat!("caisson-", env!("CARGO_PKG_VERSION"));

/// What is configured and what is, as far as the desk of modules looks at it.
struct Stores {
    configs: Arc<dyn ConfigStore>,
    statuses: Arc<dyn StatusStore>,
}

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
    let (worker, events) = worker(&config, Arc::new(offsets), None).await?;
    let stores = Stores {
        configs: Arc::new(MemoryConfigStore::new()),
        statuses: Arc::new(MemoryStatusStore::new()),
    };
    let modules = desk(&config, &worker, &stores).await?;
    let parts = standalone::Parts {
        worker: Arc::new(Adapter::new(worker, config.bootstrap_servers.clone())),
        events,
        configs: stores.configs,
        statuses: stores.statuses,
        loggers: Loggers::new(Arc::new(Levels(log)), Level::Info, Default::default()),
        modules,
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

/// What runs connectors and tasks, with its modules loaded, and what it tells of them.
pub async fn worker(
    config: &Arc<WorkerConfig>,
    offsets: Arc<dyn OffsetStore>,
    offset_topics: Option<Arc<dyn OffsetTopics>>,
) -> anyhow::Result<(Arc<Worker>, mpsc::Receiver<caisson_herder::WorkerEvent>)> {
    let sandbox = Sandbox::new(sandbox_options(config)?)?;
    let plugins = Plugins::load(&sandbox, &plugin_directories(config)).await;
    caisson_worker::check_converters(config, &plugins).map_err(|failure| anyhow::anyhow!(failure.message))?;
    let (sender, events) = mpsc::channel(EVENTS);
    let worker = Worker::new(Parts {
        config: config.clone(),
        sandbox,
        plugins,
        offsets,
        offset_topics,
        listener: Arc::new(Events(sender)),
    });
    let worker = Arc::new(worker);
    tokio::spawn(caisson_worker::watchdog::watch(Arc::downgrade(&worker)));
    Ok((worker, events))
}

/// Puts a worker of a cluster together, and lets it join.
pub async fn distributed(
    config: Arc<WorkerConfig>,
    (worker_id, url): (String, String),
    peers: PeerClient,
    log: FilterHandle,
) -> anyhow::Result<Arc<DistributedHerder>> {
    let Mode::Distributed(cluster) = &config.mode else {
        anyhow::bail!("these are the properties of a standalone worker");
    };
    let options = distributed_options(&config, cluster, worker_id.clone(), url)?;
    let clients = Clients::new(&config, &cluster.group_id, &cluster.client_id, &worker_id);
    let admin = Arc::new(Admin::start(&clients.admin()?)?);
    cluster::prepare(admin.clone(), Cluster::clone(cluster)).await?;
    let exclusive = cluster.exactly_once != ExactlyOnce::Disabled;
    let configs = cluster::open_configs(&clients, &admin, &cluster.configs.name, exclusive).await?;
    let statuses = cluster::open_statuses(&clients, &admin, &cluster.statuses.name).await?;
    let offsets = cluster::open_offsets(&clients, &admin, &cluster.offsets.name, options.exactly_once).await?;
    let (worker, events) = worker(&config, Arc::new(offsets), Some(Arc::new(cluster::ConnectorTopics))).await?;
    // A module has to be there before the first task that needs it.
    let topic = cluster.modules.as_ref();
    let stores = Stores {
        configs: Arc::new(configs),
        statuses: Arc::new(statuses),
    };
    let modules = match topic {
        Some(topic) => {
            let store = shared_store(&config, &worker, (&clients, &admin), topic, &worker_id).await?;
            Some(desk_with(&config, &worker, Arc::new(store), &stores).await)
        }
        None => None,
    };
    let group = GroupOptions {
        session_timeout: cluster.session_timeout,
        rebalance_timeout: cluster.rebalance_timeout,
        heartbeat_interval: cluster.heartbeat_interval,
        ..GroupOptions::new(&cluster.group_id, caisson_kafka::connect::PROTOCOL_TYPE)
    };
    let (membership, membership_events) = GroupMembership::start(&clients.group()?, group)?;
    let parts = distributed::Parts {
        worker: Arc::new(Adapter::new(worker, config.bootstrap_servers.clone()).following(modules.clone())),
        events,
        configs: stores.configs,
        statuses: stores.statuses,
        loggers: Loggers::new(Arc::new(Levels(log)), Level::Info, Default::default()),
        membership,
        membership_events,
        peers: Arc::new(peers),
        fencer: Arc::new(ProducerFencer::new(admin, &cluster.group_id)),
        modules,
    };
    Ok(Arc::new(DistributedHerder::start(parts, options)))
}

fn distributed_options(
    config: &WorkerConfig,
    cluster: &Cluster,
    worker_id: String,
    url: String,
) -> anyhow::Result<distributed::Options> {
    let signing = &cluster.signing;
    for algorithm in std::iter::once(&signing.key_algorithm).chain(&signing.verification_algorithms) {
        if !signature::is_known(algorithm) {
            anyhow::bail!("the algorithm {algorithm} for keys and signatures of internal requests is not available");
        }
    }
    let bits = signing.key_size.and_then(|bits| usize::try_from(bits).ok());
    let core = CoreOptions {
        url,
        protocol: match cluster.protocol {
            Protocol::Eager => GroupProtocol::Eager,
            Protocol::Compatible => GroupProtocol::Compatible,
            Protocol::Sessioned => GroupProtocol::Sessioned,
        },
        sync_timeout: cluster.sync_timeout,
        unsync_backoff: cluster.unsync_backoff,
        max_delay: cluster.scheduled_rebalance_max_delay,
        key_ttl: signing.key_ttl,
        key_algorithm: signing.key_algorithm.clone(),
        key_size: bits.map_or_else(|| signature::key_size(&signing.key_algorithm), |bits| bits.div_ceil(8)),
    };
    Ok(distributed::Options {
        core,
        worker_id,
        version: VERSION.to_owned(),
        commit: COMMIT.to_owned(),
        topic_tracking: config.topics != TopicTracking::Off,
        topic_tracking_reset: config.topics == TopicTracking::WithReset,
        exactly_once: cluster.exactly_once == ExactlyOnce::Enabled,
        signature_algorithm: signing.signature_algorithm.clone(),
        verification_algorithms: signing.verification_algorithms.clone(),
    })
}

impl Standalone {
    pub fn as_herder(&self) -> Arc<dyn Herder> {
        self.herder.clone()
    }
}

/// Modules by REST, if a standalone worker has a place for them.
async fn desk(
    config: &WorkerConfig,
    worker: &Arc<Worker>,
    stores: &Stores,
) -> anyhow::Result<Option<Arc<dyn modules::Modules>>> {
    let Some(directory) = &config.modules.directory else {
        return Ok(None);
    };
    let store = match DirectoryModuleStore::open(directory) {
        Ok(store) => store,
        // A worker that would be fine without modules by REST is not kept from starting by a place that nobody chose.
        Err(error) if config.all.get("module.storage.directory").is_none() => {
            tracing::warn!(%error, "modules cannot be uploaded; module.storage.directory names another place for them");
            return Ok(None);
        }
        Err(error) => return Err(error).context("module.storage.directory"),
    };
    Ok(Some(desk_with(config, worker, Arc::new(store), stores).await))
}

/// What holds the modules of all workers of a cluster.
async fn shared_store(
    config: &WorkerConfig,
    worker: &Arc<Worker>,
    (clients, admin): (&Clients<'_>, &Admin),
    topic: &InternalTopic,
    worker_id: &str,
) -> anyhow::Result<TopicModuleStore> {
    let directory = config.modules.directory.clone().unwrap_or_else(|| {
        // Workers on one machine share the compiled code, and nothing else.
        let own = worker_id.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        worker.sandbox().options().cache_dir.join("modules").join(own)
    });
    let directory = DirectoryModuleStore::open(&directory).context("module.storage.directory")?;
    cluster::open_modules(clients, admin, &topic.name, directory).await
}

async fn desk_with(
    config: &WorkerConfig,
    worker: &Arc<Worker>,
    store: Arc<dyn ModuleStore>,
    stores: &Stores,
) -> Arc<dyn modules::Modules> {
    let options = DeskOptions {
        module_bytes: worker.sandbox().options().module_bytes,
        trial: TrialTerms {
            records: config.modules.probation_records,
            time: config.modules.probation,
        },
    };
    let parts = DeskParts {
        store,
        worker: Arc::new(Modules(worker.clone())),
        configs: stores.configs.clone(),
        statuses: stores.statuses.clone(),
    };
    Arc::new(Desk::open(parts, options).await)
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

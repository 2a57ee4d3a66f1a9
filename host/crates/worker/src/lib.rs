//! The container of the connectors and tasks of this node: it turns configurations into running instances, takes
//! commands, and tells what happens. It decides nothing.

mod about;
mod assemble;
mod clients;
mod connectors;
mod guarantee;
mod lifeline;
mod local;
mod metrics;
pub mod modules;
mod offsets;
pub mod plugins;
mod preview;
mod source_stores;
mod tasks;
mod topics;
mod users;
mod validate;
pub mod watchdog;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, RwLock};

use caisson_config::connector::RESTART_ATTEMPTS;
use caisson_config::providers::Secrets;
use caisson_config::{ConnectorConfig, Given, WorkerConfig};
use caisson_kafka::{Admin, ProducerPool};
use caisson_model::{ConnectorState, Digest, Failure, RestartPolicy, TaskId};
use caisson_sandbox::Sandbox;
use caisson_store::{BoxFuture, Config, OffsetStore};
use caisson_task::TaskEvent;
use tokio::sync::Semaphore;

use crate::source_stores::OpenTopics;

pub use assemble::check_converters;
pub use offsets::{OffsetsError, SourceOffset};
pub use plugins::Plugins;
pub use preview::PreviewError;
pub use source_stores::{OffsetClients, OffsetTopics};
pub use users::Ingredient;
pub use validate::ValidationError;

/// What happened on this node.
#[derive(Clone, Debug)]
pub enum Event {
    Connector {
        connector: Arc<str>,
        state: ConnectorState,
        failure: Option<Failure>,
        version: Option<String>,
    },
    /// The connector wants its task configurations made anew.
    Reconfigure {
        connector: Arc<str>,
    },
    Task(TaskEvent),
}

/// Hears of events. What a command changed has been told before the command returns.
pub trait Listener: Send + Sync {
    fn tell(&self, event: Event) -> BoxFuture<'_, ()>;
}

/// What a worker works with.
pub struct Parts {
    pub config: Arc<WorkerConfig>,
    pub sandbox: Sandbox,
    pub plugins: Plugins,
    pub offsets: Arc<dyn OffsetStore>,
    /// Opens offsets topics of connectors; none outside a cluster.
    pub offset_topics: Option<Arc<dyn OffsetTopics>>,
    pub listener: Arc<dyn Listener>,
}

/// Runs connectors and tasks.
pub struct Worker {
    config: Arc<WorkerConfig>,
    sandbox: Sandbox,
    /// Exchanged when modules or bindings change; read for look-ups.
    plugins: RwLock<Arc<Plugins>>,
    producers: ProducerPool,
    offsets: Arc<dyn OffsetStore>,
    offset_topics: Option<Arc<dyn OffsetTopics>>,
    /// Held while one is opened, which waits for Kafka; so that nobody opens it besides.
    open_topics: tokio::sync::Mutex<OpenTopics>,
    listener: Arc<dyn Listener>,
    /// The map is held for look-ups only; a connector's own lock is held across calls into its guest.
    connectors: Mutex<HashMap<Arc<str>, connectors::Entry>>,
    /// The modules that connectors are made of, running or not. Held for look-ups and changes.
    connector_modules: Mutex<HashMap<Arc<str>, Digest>>,
    /// Held for look-ups, insertions and removals.
    tasks: Mutex<HashMap<TaskId, tasks::Running>>,
    starts: Arc<metrics::Starts>,
    /// Made when it is first needed.
    admin: Mutex<Option<Arc<Admin>>>,
    /// Has a permit for each preview that may run besides.
    previews: Arc<Semaphore>,
}

impl Worker {
    pub fn new(parts: Parts) -> Self {
        Worker {
            config: parts.config,
            sandbox: parts.sandbox,
            plugins: RwLock::new(Arc::new(parts.plugins)),
            producers: ProducerPool::new(),
            offsets: parts.offsets,
            offset_topics: parts.offset_topics,
            open_topics: tokio::sync::Mutex::default(),
            listener: parts.listener,
            connectors: Mutex::default(),
            connector_modules: Mutex::default(),
            tasks: Mutex::default(),
            starts: Arc::new(metrics::Starts::new()),
            admin: Mutex::default(),
            previews: Arc::new(Semaphore::new(preview::AT_ONCE)),
        }
    }

    /// The plugins that are installed now.
    pub fn plugins(&self) -> Arc<Plugins> {
        self.plugins
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    }

    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// A configuration with its variables looked up.
    fn resolve(&self, config: &Config) -> Given {
        self.resolve_with_secrets(config).0
    }

    /// Whether a connector wants what of it has failed restarted; none if not, or if its configuration cannot be read.
    pub fn restart_policy(&self, config: &Config) -> Option<RestartPolicy> {
        if !config.contains_key(RESTART_ATTEMPTS) {
            return None;
        }
        let (given, _) = self.resolve_with_secrets(config);
        ConnectorConfig::restart_policy(&given).ok().flatten()
    }

    /// As [`Self::resolve`], with what has to be in no log and no answer.
    fn resolve_with_secrets(&self, config: &Config) -> (Given, Secrets) {
        let written = given_of(config);
        let resolved = self.config.providers.resolve(&written);
        for warning in &resolved.warnings {
            tracing::warn!("{warning}");
        }
        let secrets = Secrets::new(&written, &resolved);
        (resolved.given, secrets)
    }
}

fn given_of(config: &Config) -> Given {
    let mut given = Given::default();
    for (name, value) in config {
        given.set(name.clone(), value.clone());
    }
    given
}

//! Connector instances: each is called by one command at a time, on a thread that may be held up.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use caisson_api::config::Config as GuestConfig;
use caisson_api::manifest::{PluginKind, ability};
use caisson_config::connector::{Flow, SinkConfig, Topics};
use caisson_config::providers::Secrets;
use caisson_config::{ConnectorConfig, Given};
use caisson_model::{ConnectorState, Digest, Failure, TargetState};
use caisson_sandbox::{CallError, InstanceSpec, Label, SinkConnector, SourceConnector};
use caisson_store::Config;
use tokio::runtime::Handle;
use tokio::sync::OwnedMutexGuard;

use crate::assemble::{config_error, kind_of};
use crate::lifeline::Lifeline;
use crate::offsets::StoredOffsets;
use crate::plugins::Installed;
use crate::{Event, Worker};

/// A connector of this node, running or not.
pub(crate) struct Connector {
    name: Arc<str>,
    lifeline: Arc<Lifeline>,
    pub(crate) installed: Installed,
    pub(crate) given: Given,
    /// What of it came from configuration providers.
    pub(crate) secrets: Secrets,
    config: ConnectorConfig,
    /// Absent while it is paused, stopped or failed. The lock is never waited for: it only lets a connector be shared
    /// while an event about it is told, which an instance on its own cannot be.
    instance: Mutex<Option<Instance>>,
}

impl Connector {
    fn instance(&mut self) -> &mut Option<Instance> {
        self.instance.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether its instance can never be called again.
    fn has_died(&mut self) -> bool {
        match self.instance() {
            Some(Instance::Source(source)) => !source.is_alive(),
            Some(Instance::Sink(sink)) => !sink.is_alive(),
            None => false,
        }
    }
}

/// How others get at a connector.
#[derive(Clone)]
pub(crate) struct Entry {
    /// Held across calls into its guest.
    connector: Arc<tokio::sync::Mutex<Connector>>,
    pub(crate) lifeline: Arc<Lifeline>,
}

impl Entry {
    fn new(connector: Connector) -> Entry {
        Entry {
            lifeline: connector.lifeline.clone(),
            connector: Arc::new(tokio::sync::Mutex::new(connector)),
        }
    }

    /// The connector when nobody else deals with it; a failure if it was given up.
    pub(crate) async fn held(&self) -> Result<OwnedMutexGuard<Connector>, Failure> {
        self.lifeline.unless_given_up(self.connector.clone().lock_owned()).await
    }

    /// The connector, unless somebody deals with it.
    pub(crate) fn try_held(&self) -> Option<OwnedMutexGuard<Connector>> {
        self.connector.clone().try_lock_owned().ok()
    }
}

enum Instance {
    Source(SourceConnector),
    Sink(SinkConnector),
}

impl Worker {
    /// Instantiates a connector and, unless it is to be paused or stopped, starts it.
    pub async fn start_connector(&self, name: &str, config: &Config, target: TargetState) -> Result<(), Failure> {
        let started = self.begin_connector(name, config, target).await;
        self.starts.count(&self.starts.connectors, started.is_ok());
        started
    }

    async fn begin_connector(&self, name: &str, config: &Config, target: TargetState) -> Result<(), Failure> {
        let (given, secrets) = self.resolve_with_secrets(config);
        let installed = self.installed_connector(&given)?;
        let config = ConnectorConfig::new(&given, kind_of(installed.plugin().kind));
        let config = config.map_err(|error| hidden(&secrets, config_error(&error)))?;
        let connector = Connector {
            name: name.into(),
            lifeline: Arc::new(Lifeline::new()),
            installed,
            given,
            secrets,
            config,
            instance: Mutex::new(None),
        };
        self.connector_modules()
            .insert(name.into(), connector.installed.module.digest);
        let entry = Entry::new(connector);
        self.connectors().insert(name.into(), entry.clone());
        let mut held = entry.held().await?;
        let moved = self.move_to(&mut held, target).await;
        moved.map_err(|failure| hidden(&held.secrets, failure))
    }

    /// The task configurations of a running connector, complete: with `task.class`, and for sinks with the topics.
    pub async fn task_configs(&self, name: &str, max_tasks: u32) -> Result<Vec<Config>, Failure> {
        let Some(connector) = self.connector(name) else {
            return Err(Failure::host(format!("connector {name} does not run here")));
        };
        let mut held = connector.held().await?;
        let called = connector.lifeline.on_thread(async move {
            let configs = match held.instance() {
                Some(Instance::Source(source)) => source.task_configs(max_tasks).await,
                Some(Instance::Sink(sink)) => sink.task_configs(max_tasks).await,
                None => Err(CallError::Host(format!("connector {} is not running", held.name))),
            };
            (held, configs)
        });
        let (mut held, configs) = called.await?;
        self.heed(&mut held).await;
        let configs = configs.map_err(|error| hidden(&held.secrets, failed(&held.name, "task-configs", error)));
        if let Err(failure) = &configs
            && held.has_died()
        {
            *held.instance() = None;
            self.tell_state(&held, ConnectorState::Failed, Some(failure.clone()))
                .await;
        }
        let configs = configs?;
        let of_task = |config| {
            let plugin = (&held.installed, &held.given);
            complete(plugin, &held.config.flow, &held.secrets, config)
        };
        Ok(configs.into_iter().map(of_task).collect())
    }

    /// Starts, pauses or stops a connector that is there. Failing is told by an event.
    pub async fn set_connector_state(&self, name: &str, target: TargetState) {
        let Some(connector) = self.connector(name) else { return };
        // One that was given up has said so.
        let Ok(mut held) = connector.held().await else { return };
        if let Err(failure) = self.move_to(&mut held, target).await {
            self.tell_state(&held, ConnectorState::Failed, Some(failure)).await;
        }
    }

    /// Stops a connector and forgets it.
    pub async fn stop_connector(&self, name: &str) {
        let Some(connector) = self.connectors().remove(name) else {
            return;
        };
        let held = connector.held().await;
        if let Ok(mut held) = held {
            self.stop_instance(&mut held).await;
            self.tell_state(&held, ConnectorState::Unassigned, None).await;
        }
        self.connector_modules().remove(name);
    }

    async fn move_to(&self, connector: &mut Connector, target: TargetState) -> Result<(), Failure> {
        match target {
            TargetState::Started => {
                if connector.instance().is_none() {
                    self.start_instance(connector).await?;
                }
                self.tell_state(connector, ConnectorState::Running, None).await;
            }
            TargetState::Paused => {
                self.stop_instance(connector).await;
                self.tell_state(connector, ConnectorState::Paused, None).await;
            }
            TargetState::Stopped => {
                self.stop_instance(connector).await;
                self.tell_state(connector, ConnectorState::Stopped, None).await;
            }
        }
        Ok(())
    }

    async fn start_instance(&self, connector: &mut Connector) -> Result<(), Failure> {
        let installed = connector.installed.clone();
        let started = self.started(connector, &installed).await?;
        *connector.instance() = Some(started);
        self.heed(connector).await;
        Ok(())
    }

    /// Puts an instance of another module in the place of the connector's. The new one is started first, unless the plugin
    /// forbids that two are there; if it cannot be started, the old one goes on.
    pub(crate) async fn swap_connector(&self, name: &str, installed: &Installed) -> Result<(), Failure> {
        let Some(connector) = self.connector(name) else {
            return Ok(());
        };
        let mut held = connector.held().await?;
        if held.installed.module.digest == installed.module.digest {
            return Ok(());
        }
        if held.instance().is_some() {
            let exclusive = installed.plugin().has(ability::EXCLUSIVE);
            if exclusive {
                self.stop_instance(&mut held).await;
            }
            let fresh = match self.started(&held, installed).await {
                Ok(fresh) => fresh,
                Err(failure) => {
                    if exclusive {
                        self.start_instance(&mut held).await?;
                    }
                    return Err(failure);
                }
            };
            self.stop_instance(&mut held).await;
            *held.instance() = Some(fresh);
        }
        held.installed = installed.clone();
        self.connector_modules().insert(name.into(), installed.module.digest);
        if held.instance().is_some() {
            tracing::info!(connector = name, version = installed.plugin().version, module = %installed.module.digest,
                "the connector was replaced");
            self.heed(&mut held).await;
            self.tell_state(&held, ConnectorState::Running, None).await;
            // The new version may divide the work in another way.
            let connector = held.name.clone();
            self.listener.tell(Event::Reconfigure { connector }).await;
        }
        Ok(())
    }

    /// An instance of a module for this connector, started.
    async fn started(&self, connector: &Connector, installed: &Installed) -> Result<Instance, Failure> {
        let spec = InstanceSpec {
            module: installed.module.clone(),
            class: installed.plugin().class.clone(),
            config: connector.given.to_config(),
            label: Label {
                connector: connector.name.clone(),
                task: None,
            },
            limits: self.limits(&connector.given)?,
        };
        let stores = match &connector.config.flow {
            Flow::Source(source) => {
                let stores = self.source_stores(&connector.name, &connector.config, source);
                stores.await?.all
            }
            Flow::Sink(_) => self.offsets.clone(),
        };
        let offsets = Arc::new(StoredOffsets::new(&connector.name, stores));
        let kind = installed.plugin().kind;
        let called = connector.lifeline.on_thread(async move {
            match kind {
                PluginKind::Sink => SinkConnector::start(spec).await.map(Instance::Sink),
                _ => SourceConnector::start(spec, Some(offsets)).await.map(Instance::Source),
            }
        });
        called.await?.map_err(|error| failed(&connector.name, "start", error))
    }

    async fn stop_instance(&self, connector: &mut Connector) {
        let Some(instance) = connector.instance().take() else {
            return;
        };
        let called = connector.lifeline.on_thread(async move {
            match instance {
                Instance::Source(mut source) => source.stop().await,
                Instance::Sink(mut sink) => sink.stop().await,
            }
        });
        match called.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(connector = %connector.name, %error, "stop of the connector failed"),
            Err(failure) => tracing::error!(connector = %connector.name, %failure, "stop of the connector failed"),
        }
    }

    /// Passes on what the guest asked for during its last call.
    async fn heed(&self, connector: &mut Connector) {
        let requests = match connector.instance() {
            Some(Instance::Source(source)) => source.drain(),
            Some(Instance::Sink(sink)) => sink.drain(),
            None => return,
        };
        if requests.reconfigure {
            self.listener
                .tell(Event::Reconfigure {
                    connector: connector.name.clone(),
                })
                .await;
        }
        if let Some((message, detail)) = requests.error {
            let failure = Failure {
                kind: caisson_model::FailureKind::Guest,
                message,
                detail,
            };
            self.tell_state(connector, ConnectorState::Failed, Some(failure)).await;
        }
    }

    async fn tell_state(&self, connector: &Connector, state: ConnectorState, failure: Option<Failure>) {
        let version = Some(connector.installed.plugin().version.clone());
        let failure = failure.map(|failure| hidden(&connector.secrets, failure));
        self.listener
            .tell(Event::Connector {
                connector: connector.name.clone(),
                state,
                failure,
                version,
            })
            .await;
    }

    pub(crate) fn connector(&self, name: &str) -> Option<Entry> {
        self.connectors().get(name).cloned()
    }

    pub(crate) fn connector_modules(&self) -> MutexGuard<'_, HashMap<Arc<str>, Digest>> {
        self.connector_modules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn connectors(&self) -> MutexGuard<'_, HashMap<Arc<str>, Entry>> {
        self.connectors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs calls into a guest where they hold up nobody: a guest may compute up to its deadline, or read a slow file.
pub(crate) async fn on_thread<T: Send + 'static>(
    calls: impl Future<Output = T> + Send + 'static,
) -> Result<T, Failure> {
    let runtime = Handle::current();
    let done = tokio::task::spawn_blocking(move || runtime.block_on(calls)).await;
    done.map_err(|error| Failure::host(format!("the worker has a bug: {error}")))
}

/// What Kafka Connect adds to the configuration that a connector gives its task.
pub(crate) fn complete(
    (installed, given): (&Installed, &Given),
    flow: &Flow,
    secrets: &Secrets,
    config: GuestConfig,
) -> Config {
    let mut complete: Config = config
        .entries
        .into_iter()
        .map(|(name, value)| (name, Some(value)))
        .collect();
    complete.insert("task.class".to_owned(), Some(task_class(&installed.plugin().class)));
    if let Flow::Sink(SinkConfig { topics, .. }) = flow {
        let key = match topics {
            Topics::Names(_) => "topics",
            Topics::Pattern(_) => "topics.regex",
        };
        complete.insert(key.to_owned(), given.get(key).map(str::to_owned));
    }
    // What is kept and shown of a task has no more secrets in it than what the user wrote.
    secrets.put_back(&mut complete);
    complete
}

/// The class of a connector's tasks. Modules have none: this is what it would be called in Java.
pub(crate) fn task_class(connector: &str) -> String {
    format!("{}Task", connector.strip_suffix("Connector").unwrap_or(connector))
}

/// A failure as it may be logged and shown.
pub(crate) fn hidden(secrets: &Secrets, failure: Failure) -> Failure {
    if secrets.is_empty() {
        return failure;
    }
    Failure {
        message: secrets.hide(&failure.message),
        detail: failure.detail.map(|detail| secrets.hide(&detail)),
        ..failure
    }
}

fn failed(name: &str, call: &str, error: CallError) -> Failure {
    let failure = Failure::from(error);
    Failure {
        message: format!("{call} of connector {name} failed: {}", failure.message),
        ..failure
    }
}

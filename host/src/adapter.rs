//! The worker as the herder sees it. Neither of them knows the other; their words meet here.

mod modules;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use caisson_api::manifest::PluginKind;
use caisson_config::validate::{self, Refusal};
use caisson_herder::{
    BoxFuture, Claim, Config, ConfigInfo, ConfigInfos, ConfigKeyInfo, ConfigValueInfo, ConnectorKind, ConnectorOffset,
    Error, OffsetChanges, OffsetOutcome, PluginInfo, WorkerEvent,
};
use caisson_model::preview::{Preview, PreviewRequest};
use caisson_model::{Failure, FailureKind, Metric, RestartPolicy, TargetState, TaskId};
use caisson_task::{Preflight, TaskEvent};
use caisson_worker::{Event, Listener, PreviewError, ValidationError, Worker};
use tokio::sync::mpsc;

pub use modules::Modules;

/// How long a request for the cluster's id may keep one attempt waiting.
const CLUSTER_ID_WAIT: Duration = Duration::from_secs(5);
/// How often the log says again that no broker answers.
const REMINDER: Duration = Duration::from_secs(30);

pub struct Adapter {
    worker: Arc<Worker>,
    /// Told once by a broker, then kept.
    cluster_id: Arc<Mutex<Option<String>>>,
    /// Where other workers upload modules, too.
    modules: Option<Arc<dyn caisson_herder::modules::Modules>>,
}

impl Adapter {
    /// Must be called inside a runtime: the cluster's id is asked for until a broker tells it.
    pub fn new(worker: Arc<Worker>, bootstrap_servers: String) -> Adapter {
        let cluster_id = Arc::new(Mutex::new(None));
        tokio::spawn(learn_cluster_id(worker.clone(), bootstrap_servers, cluster_id.clone()));
        Adapter {
            worker,
            cluster_id,
            modules: None,
        }
    }

    /// What other workers have uploaded is looked for before a class counts as unknown.
    pub fn following(self, modules: Option<Arc<dyn caisson_herder::modules::Modules>>) -> Adapter {
        Adapter { modules, ..self }
    }

    /// Whether other workers have uploaded something meanwhile, or decided.
    async fn has_caught_up(&self) -> bool {
        match &self.modules {
            None => false,
            Some(modules) => match modules.catch_up().await {
                Ok(changed) => changed,
                Err(error) => {
                    tracing::warn!(%error, "cannot see whether other workers have uploaded modules");
                    false
                }
            },
        }
    }
}

async fn learn_cluster_id(worker: Arc<Worker>, bootstrap_servers: String, cluster_id: Arc<Mutex<Option<String>>>) {
    let mut told: Option<Instant> = None;
    loop {
        if let Some(id) = worker.kafka_cluster_id(CLUSTER_ID_WAIT).await {
            tracing::info!(kafka_cluster_id = %id, "connected to Kafka");
            *cluster_id.lock().unwrap_or_else(PoisonError::into_inner) = Some(id);
            worker.forget_admin();
            return;
        }
        if told.is_none_or(|told| told.elapsed() >= REMINDER) {
            told = Some(Instant::now());
            tracing::warn!(
                bootstrap.servers = %bootstrap_servers,
                "no Kafka broker answers, trying again until one does: is it running, and is bootstrap.servers right?"
            );
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

impl caisson_herder::Worker for Adapter {
    fn start_connector(
        &self,
        name: &str,
        config: Arc<Config>,
        target: TargetState,
    ) -> BoxFuture<'_, Result<(), Failure>> {
        let name = name.to_owned();
        Box::pin(async move {
            match self.worker.start_connector(&name, &config, target).await {
                Err(_) if self.has_caught_up().await => self.worker.start_connector(&name, &config, target).await,
                started => started,
            }
        })
    }

    fn task_configs(&self, name: &str, max_tasks: u32) -> BoxFuture<'_, Result<Vec<Config>, Failure>> {
        let name = name.to_owned();
        Box::pin(async move { self.worker.task_configs(&name, max_tasks).await })
    }

    fn set_connector_state(&self, name: &str, target: TargetState) -> BoxFuture<'_, ()> {
        let name = name.to_owned();
        Box::pin(async move { self.worker.set_connector_state(&name, target).await })
    }

    fn stop_connector(&self, name: &str) -> BoxFuture<'_, ()> {
        let name = name.to_owned();
        Box::pin(async move { self.worker.stop_connector(&name).await })
    }

    fn start_task(
        &self,
        id: TaskId,
        connector: Arc<Config>,
        task: Arc<Config>,
        target: TargetState,
        claim: Option<Arc<dyn Claim>>,
    ) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move {
            let start = || {
                let preflight = claim
                    .clone()
                    .map(|claim| Arc::new(Verified(claim)) as Arc<dyn Preflight>);
                self.worker.start_task(id.clone(), &connector, &task, target, preflight)
            };
            match start().await {
                Err(_) if self.has_caught_up().await => start().await,
                started => started,
            }
        })
    }

    fn set_task_state(&self, id: TaskId, target: TargetState) -> BoxFuture<'_, ()> {
        self.worker.set_task_state(&id, target);
        Box::pin(std::future::ready(()))
    }

    fn stop_tasks(&self, ids: Vec<TaskId>) -> BoxFuture<'_, ()> {
        Box::pin(async move { self.worker.stop_tasks(&ids).await })
    }

    fn validate(&self, config: Config) -> BoxFuture<'_, Result<ConfigInfos, Error>> {
        Box::pin(async move {
            let class = config.get("connector.class").cloned().flatten().unwrap_or_default();
            if self.modules.is_some() && self.worker.connector_kind(&class).is_none() {
                self.has_caught_up().await;
            }
            let answer = self.worker.validate(&config).await;
            answer.map(infos).map_err(|error| match &error {
                ValidationError::Refused(Refusal::ClientSetting(_)) => Error::Config(error.to_string()),
                ValidationError::Refused(Refusal::NoClass(_) | Refusal::UnknownClass(_) | Refusal::Version(_)) => {
                    Error::BadRequest(error.to_string())
                }
                ValidationError::Plugin(_) => Error::Other(error.to_string()),
            })
        })
    }

    fn preview(&self, request: PreviewRequest) -> BoxFuture<'_, Result<Preview, Error>> {
        Box::pin(async move {
            let class = request.config.get("connector.class").cloned().flatten();
            if self.modules.is_some() && class.is_some_and(|class| self.worker.connector_kind(&class).is_none()) {
                self.has_caught_up().await;
            }
            self.worker.preview(request).await.map_err(|error| match error {
                PreviewError::Refused(Refusal::ClientSetting(text)) => Error::Config(text),
                PreviewError::Refused(_) | PreviewError::Request(_) => Error::BadRequest(error.to_string()),
                PreviewError::Invalid(answer) => {
                    let refusal = infos(*answer).refusal();
                    refusal.unwrap_or_else(|| Error::Other("the configuration has errors".to_owned()))
                }
                PreviewError::Failed(failure) => match failure.kind {
                    FailureKind::Guest => Error::BadRequest(failure.message),
                    FailureKind::Trap | FailureKind::Limit | FailureKind::Host => Error::Other(failure.to_string()),
                },
            })
        })
    }

    fn plugins(&self) -> Vec<PluginInfo> {
        let plugin = |known: caisson_config::PluginInfo| PluginInfo {
            class: known.class,
            kind: known.kind,
            version: Some(known.version).filter(|version| !version.is_empty()),
        };
        self.worker.all_plugins().into_iter().map(plugin).collect()
    }

    fn plugin_keys(&self, class: &str, version: Option<&str>) -> Result<Vec<ConfigKeyInfo>, Error> {
        match self.worker.plugin_keys(class, version) {
            None => Err(Error::NotFound(format!("Unknown plugin {class}."))),
            Some(Ok(keys)) => Ok(keys.into_iter().map(key_info).collect()),
            Some(Err(missing)) => Err(Error::BadRequest(missing)),
        }
    }

    fn restart_policy(&self, config: &Config) -> Option<RestartPolicy> {
        self.worker.restart_policy(config)
    }

    fn connector_kind(&self, class: &str) -> Option<ConnectorKind> {
        match self.worker.connector_kind(class)? {
            PluginKind::Source => Some(ConnectorKind::Source),
            PluginKind::Sink => Some(ConnectorKind::Sink),
            PluginKind::Transform | PluginKind::Predicate | PluginKind::Converter | PluginKind::HeaderConverter => None,
        }
    }

    fn offsets(&self, name: &str, config: Arc<Config>) -> BoxFuture<'_, Result<Vec<ConnectorOffset>, Error>> {
        let name = name.to_owned();
        Box::pin(async move { crate::offsets::list(&self.worker, &name, &config).await })
    }

    fn alter_offsets(
        &self,
        name: &str,
        config: Arc<Config>,
        changes: OffsetChanges,
    ) -> BoxFuture<'_, Result<OffsetOutcome, Error>> {
        let name = name.to_owned();
        Box::pin(async move { crate::offsets::alter(&self.worker, &name, &config, changes).await })
    }

    fn reset_offsets(&self, name: &str, config: Arc<Config>) -> BoxFuture<'_, Result<OffsetOutcome, Error>> {
        let name = name.to_owned();
        Box::pin(async move { crate::offsets::reset(&self.worker, &name, &config).await })
    }

    fn metrics(&self) -> Vec<Metric> {
        self.worker.metrics()
    }

    fn kafka_cluster_id(&self) -> Option<String> {
        self.cluster_id.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The herder's claim, as the task asks for it.
struct Verified(Arc<dyn Claim>);

impl Preflight for Verified {
    fn verify(&self) -> BoxFuture<'_, Result<(), Failure>> {
        self.0.verify()
    }
}

/// Passes events of the worker on to the herder.
pub struct Events(pub mpsc::Sender<WorkerEvent>);

impl Listener for Events {
    fn tell(&self, event: Event) -> BoxFuture<'_, ()> {
        let event = match event {
            Event::Connector {
                connector,
                state,
                failure,
                version,
            } => WorkerEvent::ConnectorStatus {
                connector,
                state,
                failure,
                version,
            },
            Event::Reconfigure { connector } => WorkerEvent::Reconfigure { connector },
            Event::Task(TaskEvent::State {
                id,
                state,
                failure,
                version,
            }) => WorkerEvent::TaskStatus {
                id,
                state,
                failure,
                version,
            },
            Event::Task(TaskEvent::Topic { id, topic }) => WorkerEvent::TopicUsed { id, topic },
        };
        Box::pin(async move {
            // A herder that no longer listens is shutting down.
            let _ = self.0.send(event).await;
        })
    }
}

fn infos(answer: validate::ConfigInfos) -> ConfigInfos {
    let value = |value: validate::ValueInfo| ConfigValueInfo {
        name: value.name,
        value: value.value,
        recommended_values: value.recommended_values,
        errors: value.errors,
        visible: value.visible,
    };
    let info = |info: validate::ConfigInfo| ConfigInfo {
        definition: info.definition.map(key_info),
        value: value(info.value),
    };
    ConfigInfos {
        name: answer.name,
        error_count: answer.error_count,
        groups: answer.groups,
        configs: answer.configs.into_iter().map(info).collect(),
    }
}

fn key_info(key: validate::KeyInfo) -> ConfigKeyInfo {
    ConfigKeyInfo {
        name: key.name,
        kind: key.kind.as_str().to_owned(),
        required: key.required,
        default_value: key.default_value,
        importance: key.importance.as_str().to_owned(),
        documentation: key.documentation,
        group: key.group,
        order_in_group: key.order_in_group,
        width: key.width.as_str().to_owned(),
        display_name: key.display_name,
        dependents: key.dependents,
    }
}

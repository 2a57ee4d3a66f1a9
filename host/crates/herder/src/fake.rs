//! A worker that runs nothing and tells what a worker would tell: for tests of herders and of what stands on them.
//!
//! It knows the two file connectors by name. It checks of a configuration only that a few keys are there, and keeps
//! the offsets of each connector in memory.

mod validate;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use caisson_api::manifest::PluginKind;
use caisson_model::preview::{Preview, PreviewRequest};
use caisson_model::{ConnectorState, Failure, Metric, RestartPolicy, TargetState, TaskId, TaskState};
use caisson_store::{BoxFuture, Config};
use tokio::sync::{mpsc, watch};

use crate::Error;
use crate::info::{ConnectorKind, PluginInfo};
use crate::offsets::{ConnectorOffset, OffsetChanges, OffsetOutcome, of_sink};
use crate::validation::{ConfigInfos, ConfigKeyInfo};
use crate::worker::{Claim, Worker, WorkerEvent};

pub const SOURCE: &str = "org.apache.kafka.connect.file.FileStreamSourceConnector";
pub const SINK: &str = "org.apache.kafka.connect.file.FileStreamSinkConnector";
const VERSION: &str = "4.3.1";
/// A connector asks for what its configuration says; here nothing checks that.
const MOST_TASKS: usize = 100;

/// A worker that runs nothing.
pub struct FakeWorker {
    events: mpsc::Sender<WorkerEvent>,
    state: Mutex<State>,
    /// While true, starts of connectors wait.
    held: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    connectors: BTreeMap<String, (Arc<Config>, TargetState)>,
    tasks: BTreeMap<TaskId, TargetState>,
    /// Connectors and tasks, by their shown names, whose start fails.
    failing: BTreeSet<String>,
    offsets: BTreeMap<String, Vec<ConnectorOffset>>,
    commands: Vec<String>,
}

impl FakeWorker {
    pub fn new() -> (Arc<FakeWorker>, mpsc::Receiver<WorkerEvent>) {
        let (events, receiver) = mpsc::channel(1024);
        let worker = FakeWorker {
            events,
            state: Mutex::default(),
            held: watch::Sender::new(false),
        };
        (Arc::new(worker), receiver)
    }

    /// The commands so far, `verb what`; forgets them.
    pub fn commands(&self) -> Vec<String> {
        std::mem::take(&mut self.state().commands)
    }

    /// Makes the start of a connector, or of a task such as `name-0`, fail or work again.
    pub fn set_failing(&self, name: &str, failing: bool) {
        let mut state = self.state();
        if failing {
            state.failing.insert(name.to_owned())
        } else {
            state.failing.remove(name)
        };
    }

    /// Lets starts of connectors wait, or go on.
    pub fn hold(&self, held: bool) {
        self.held.send_replace(held);
    }

    /// Tells something unasked.
    pub async fn tell(&self, event: WorkerEvent) {
        self.events
            .send(event)
            .await
            .expect("the herder listens as long as the test runs");
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connector(&self, name: &str, state: ConnectorState) {
        let version = Some(VERSION.to_owned());
        self.tell(WorkerEvent::ConnectorStatus {
            connector: name.into(),
            state,
            failure: None,
            version,
        })
        .await;
    }

    async fn task(&self, id: TaskId, state: TaskState) {
        self.tell(WorkerEvent::TaskStatus {
            id,
            state,
            failure: None,
            version: Some(VERSION.to_owned()),
        })
        .await;
    }
}

fn connector_state(target: TargetState) -> ConnectorState {
    match target {
        TargetState::Started => ConnectorState::Running,
        TargetState::Paused => ConnectorState::Paused,
        TargetState::Stopped => ConnectorState::Stopped,
    }
}

fn task_state(target: TargetState) -> TaskState {
    match target {
        TargetState::Started => TaskState::Running,
        TargetState::Paused | TargetState::Stopped => TaskState::Paused,
    }
}

fn kind_of(class: &str) -> Option<ConnectorKind> {
    let is = |full: &str| {
        let simple = full.rsplit('.').next().unwrap_or(full);
        [full, simple, simple.trim_end_matches("Connector")].contains(&class)
    };
    if is(SOURCE) {
        Some(ConnectorKind::Source)
    } else if is(SINK) {
        Some(ConnectorKind::Sink)
    } else {
        None
    }
}

fn class_of(config: &Config) -> Option<&str> {
    config.get("connector.class").and_then(Option::as_deref)
}

impl Worker for FakeWorker {
    fn start_connector(
        &self,
        name: &str,
        config: Arc<Config>,
        target: TargetState,
    ) -> BoxFuture<'_, Result<(), Failure>> {
        let name = name.to_owned();
        Box::pin(async move {
            let _ = self.held.subscribe().wait_for(|held| !held).await;
            let null_topic = config.get("topic") == Some(&None);
            {
                let mut state = self.state();
                state.commands.push(format!("start {name}"));
                if null_topic || state.failing.contains(&name) {
                    return Err(Failure::host(format!("connector {name} does not start")));
                }
                state.connectors.insert(name.clone(), (config, target));
            }
            self.connector(&name, connector_state(target)).await;
            Ok(())
        })
    }

    fn task_configs(&self, name: &str, max_tasks: u32) -> BoxFuture<'_, Result<Vec<Config>, Failure>> {
        let mut state = self.state();
        state.commands.push(format!("configure {name}"));
        let made = state.connectors.get(name).map(|(config, _)| {
            let kind = class_of(config).and_then(kind_of);
            let (class, count) = match kind {
                Some(ConnectorKind::Sink) => ("org.apache.kafka.connect.file.FileStreamSinkTask", max_tasks),
                Some(ConnectorKind::Source) | None => ("org.apache.kafka.connect.file.FileStreamSourceTask", 1),
            };
            let mut task = Config::clone(config);
            task.insert("task.class".to_owned(), Some(class.to_owned()));
            vec![task; (count as usize).min(MOST_TASKS)]
        });
        let made = made.ok_or_else(|| Failure::host(format!("connector {name} does not run")));
        Box::pin(async { made })
    }

    fn set_connector_state(&self, name: &str, target: TargetState) -> BoxFuture<'_, ()> {
        let mut state = self.state();
        state.commands.push(format!("set {name} {target:?}"));
        let known = state
            .connectors
            .get_mut(name)
            .map(|(_, current)| *current = target)
            .is_some();
        drop(state);
        let name = name.to_owned();
        Box::pin(async move {
            if known {
                self.connector(&name, connector_state(target)).await;
            }
        })
    }

    fn stop_connector(&self, name: &str) -> BoxFuture<'_, ()> {
        let mut state = self.state();
        state.commands.push(format!("stop {name}"));
        let known = state.connectors.remove(name).is_some();
        drop(state);
        let name = name.to_owned();
        Box::pin(async move {
            if known {
                self.connector(&name, ConnectorState::Unassigned).await;
            }
        })
    }

    fn start_task(
        &self,
        id: TaskId,
        _connector: Arc<Config>,
        _task: Arc<Config>,
        target: TargetState,
        claim: Option<Arc<dyn Claim>>,
    ) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move {
            if let Some(claim) = claim {
                claim.verify().await?;
            }
            {
                let mut state = self.state();
                state.commands.push(format!("start {id}"));
                if state.failing.contains(&id.to_string()) {
                    return Err(Failure::host(format!("task {id} does not start")));
                }
                state.tasks.insert(id.clone(), target);
            }
            self.task(id, task_state(target)).await;
            Ok(())
        })
    }

    fn set_task_state(&self, id: TaskId, target: TargetState) -> BoxFuture<'_, ()> {
        let mut state = self.state();
        state.commands.push(format!("set {id} {target:?}"));
        let known = state.tasks.get_mut(&id).map(|current| *current = target).is_some();
        drop(state);
        Box::pin(async move {
            if known {
                self.task(id, task_state(target)).await;
            }
        })
    }

    fn stop_tasks(&self, ids: Vec<TaskId>) -> BoxFuture<'_, ()> {
        let mut state = self.state();
        for id in &ids {
            state.commands.push(format!("stop {id}"));
        }
        let known: Vec<TaskId> = ids.into_iter().filter(|id| state.tasks.remove(id).is_some()).collect();
        drop(state);
        Box::pin(async move {
            for id in known {
                self.task(id, TaskState::Unassigned).await;
            }
        })
    }

    fn validate(&self, config: Config) -> BoxFuture<'_, Result<ConfigInfos, Error>> {
        Box::pin(async move { validate::validate(&config) })
    }

    fn preview(&self, request: PreviewRequest) -> BoxFuture<'_, Result<Preview, Error>> {
        let class = request.config.get("connector.class").cloned().flatten();
        Box::pin(async move {
            match class.as_deref().map(kind_of) {
                Some(None) => Err(Error::BadRequest("there is no such connector".to_owned())),
                Some(Some(_)) | None => Ok(Preview {
                    flow: request.flow,
                    class,
                    tolerant: false,
                    task_config: None,
                    plugin: Vec::new(),
                    records: Vec::new(),
                    stopped: None,
                }),
            }
        })
    }

    fn plugins(&self) -> Vec<PluginInfo> {
        let plugin = |class: &str, kind| PluginInfo {
            class: class.to_owned(),
            kind,
            version: Some(VERSION.to_owned()),
        };
        vec![plugin(SOURCE, PluginKind::Source), plugin(SINK, PluginKind::Sink)]
    }

    fn plugin_keys(&self, class: &str, version: Option<&str>) -> Result<Vec<ConfigKeyInfo>, Error> {
        if version.is_some_and(|version| version != VERSION) {
            return Err(Error::BadRequest(format!(
                "Plugin {class} has no version {}",
                version.unwrap_or_default()
            )));
        }
        match kind_of(class) {
            Some(kind) => Ok(validate::keys(kind)),
            None => Err(Error::NotFound(format!("Unknown plugin {class}."))),
        }
    }

    /// As often as the configuration says, a second after a failure.
    fn restart_policy(&self, config: &Config) -> Option<RestartPolicy> {
        let attempts = config.get("errors.restart.attempts").and_then(Option::as_deref)?;
        Some(RestartPolicy {
            attempts: attempts.parse().ok(),
            backoff: Duration::from_secs(1),
            longest_backoff: Duration::from_secs(60),
            reset_after: Duration::from_secs(600),
        })
    }

    fn connector_kind(&self, class: &str) -> Option<ConnectorKind> {
        kind_of(class)
    }

    fn offsets(&self, name: &str, _config: Arc<Config>) -> BoxFuture<'_, Result<Vec<ConnectorOffset>, Error>> {
        let offsets = self.state().offsets.get(name).cloned().unwrap_or_default();
        Box::pin(async { Ok(offsets) })
    }

    fn alter_offsets(
        &self,
        name: &str,
        _config: Arc<Config>,
        changes: OffsetChanges,
    ) -> BoxFuture<'_, Result<OffsetOutcome, Error>> {
        let changes = match changes {
            OffsetChanges::Source(changes) => changes,
            OffsetChanges::Sink(changes) => {
                let change = |(partition, offset): (_, Option<i64>)| ConnectorOffset {
                    offset: offset.and_then(|offset| of_sink(&partition, offset).offset),
                    ..of_sink(&partition, 0)
                };
                changes.into_iter().map(change).collect()
            }
        };
        let mut state = self.state();
        let known = state.offsets.entry(name.to_owned()).or_default();
        for change in changes {
            known.retain(|offset| offset.partition != change.partition);
            if change.offset.is_some() {
                known.push(change);
            }
        }
        Box::pin(async { Ok(OffsetOutcome::Complete) })
    }

    fn reset_offsets(&self, name: &str, _config: Arc<Config>) -> BoxFuture<'_, Result<OffsetOutcome, Error>> {
        self.state().offsets.remove(name);
        Box::pin(async { Ok(OffsetOutcome::Complete) })
    }

    fn metrics(&self) -> Vec<Metric> {
        Vec::new()
    }

    fn kafka_cluster_id(&self) -> Option<String> {
        Some("fake-cluster".to_owned())
    }
}

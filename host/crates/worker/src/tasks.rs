//! Tasks: started with everything they need, stopped together within the time that the worker allows.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};

use caisson_config::ConnectorConfig;
use caisson_config::connector::{Flow, SourceConfig};
use caisson_config::providers::Secrets;
use caisson_config::validate::check_links;
use caisson_model::{Failure, TargetState, TaskId, TaskState};
use caisson_store::Config;
use caisson_task::meters::Meters;
use caisson_task::swap::{Place, places};
use caisson_task::{
    PluginRef, Preflight, SinkSettings, SourceSettings, TaskEvent, TaskHandle, TaskListener, TaskSettings, Wish,
    start_sink, start_source,
};

use crate::about::About;
use crate::assemble::{config_error, kind_of};
use crate::connectors::{hidden, task_class};
use crate::metrics::Starts;
use crate::offsets::StoredOffsets;
use crate::{Event, Listener, Worker};

/// A task that was started.
pub(crate) struct Running {
    pub(crate) handle: TaskHandle,
    /// As the user wrote it.
    pub(crate) connector: Config,
    /// The components that it runs with now, and where.
    pub(crate) places: Vec<(Place, PluginRef)>,
    pub(crate) meters: Arc<Meters>,
    pub(crate) about: Arc<About>,
    /// Whatever it says of its state is not heard any more.
    pub(crate) given_up: Arc<AtomicBool>,
    /// What nobody may be shown.
    pub(crate) secrets: Secrets,
}

impl Worker {
    /// Starts a task; returns once its thread runs. What the guest's own start says comes by event. A source that writes in
    /// transactions asks the preflight first, if there is one.
    pub async fn start_task(
        &self,
        id: TaskId,
        connector: &Config,
        task: &Config,
        target: TargetState,
        preflight: Option<Arc<dyn Preflight>>,
    ) -> Result<(), Failure> {
        let begun = self.begin_task(id, connector, task, target, preflight).await;
        if begun.is_err() {
            self.starts.count(&self.starts.tasks, false);
        }
        begun
    }

    async fn begin_task(
        &self,
        id: TaskId,
        connector: &Config,
        task: &Config,
        target: TargetState,
        preflight: Option<Arc<dyn Preflight>>,
    ) -> Result<(), Failure> {
        let (given, secrets) = self.resolve_with_secrets(connector);
        let installed = self.installed_connector(&given)?;
        let config = ConnectorConfig::new(&given, kind_of(installed.plugin().kind));
        let config = config.map_err(|error| hidden(&secrets, config_error(&error)))?;
        check_links(&given, self.plugins().catalogue()).map_err(|error| hidden(&secrets, config_error(&error)))?;
        let own = self.resolve(task).to_config();
        let settings = self.task_settings(&id, &installed, (&given, &config), own)?;
        let places = places(&settings.plugin, &settings.chain);
        let plugins = self.plugins();
        let task_class = task_class(&installed.plugin().class);
        let about = About::new(&config, &installed, task_class, &self.config, &plugins);
        let wish = wish_of(target);
        let given_up = Arc::new(AtomicBool::new(false));
        let listener: Arc<dyn TaskListener> = Arc::new(Forward {
            listener: self.listener.clone(),
            secrets: secrets.clone(),
            meters: settings.meters.clone(),
            starts: self.starts.clone(),
            started: AtomicBool::new(false),
            given_up: given_up.clone(),
        });
        let meters = settings.meters.clone();
        let started = match &config.flow {
            Flow::Source(source) => {
                let settings = self.source_settings(settings, (&config, source), preflight).await?;
                start_source(settings, wish, listener)
            }
            Flow::Sink(sink) => {
                let consumer = self.consumer_settings(&id, &config)?;
                let subscription = crate::clients::subscription(&sink.topics);
                start_sink(
                    SinkSettings {
                        task: settings,
                        consumer,
                        subscription,
                    },
                    wish,
                    listener,
                )
            }
        };
        let handle = started.map_err(|error| Failure::host(format!("no thread for task {id}: {error}")))?;
        let running = Running {
            handle,
            connector: connector.clone(),
            places,
            meters,
            about: Arc::new(about),
            given_up,
            secrets,
        };
        self.tasks().insert(id, running);
        Ok(())
    }

    async fn source_settings(
        &self,
        task: TaskSettings,
        (config, source): (&ConnectorConfig, &SourceConfig),
        preflight: Option<Arc<dyn Preflight>>,
    ) -> Result<SourceSettings, Failure> {
        let id = task.id.clone();
        let topics = match (&source.topic_creation, self.config.topic_creation) {
            (Some(creation), true) => Some(self.topic_creator(&id, creation, config)?),
            (Some(_), false) | (None, _) => None,
        };
        let stores = self.source_stores(&id.connector, config, source).await?;
        Ok(SourceSettings {
            task,
            guarantee: self.guarantee(&id, (config, source), &stores, preflight)?,
            offset_reader: Arc::new(StoredOffsets::new(&id.connector, stores.all)),
            topics,
        })
    }

    /// Pauses a task or lets it go on.
    pub fn set_task_state(&self, id: &TaskId, target: TargetState) {
        if let Some(running) = self.tasks().get(id) {
            running.handle.set(wish_of(target));
        }
    }

    /// Stops tasks, all at once, and forgets them. Those that do not end in time are left to end by themselves.
    pub async fn stop_tasks(&self, ids: &[TaskId]) {
        let stopping: Vec<Running> = {
            let mut tasks = self.tasks();
            ids.iter().filter_map(|id| tasks.remove(id)).collect()
        };
        for running in &stopping {
            running.handle.set(Wish::Stop);
        }
        let deadline = tokio::time::Instant::now() + self.config.task_shutdown_timeout;
        for Running { handle, given_up, .. } in stopping {
            let id = handle.id().clone();
            let left = deadline.saturating_duration_since(tokio::time::Instant::now());
            if !handle.ended(left).await {
                tracing::error!(connector = %id.connector, task = id.task,
                    "graceful stop of the task failed: it goes on in the background until its current call ends");
                // By then the task may run anew, and what this one says would count for that.
                given_up.store(true, Ordering::Release);
                let event = TaskEvent::State {
                    id,
                    state: TaskState::Unassigned,
                    failure: None,
                    version: None,
                };
                self.listener.tell(Event::Task(event)).await;
            }
        }
    }

    pub(crate) fn tasks(&self) -> MutexGuard<'_, HashMap<TaskId, Running>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wish_of(target: TargetState) -> Wish {
    match target {
        TargetState::Started => Wish::Run,
        TargetState::Paused => Wish::Pause,
        TargetState::Stopped => Wish::Stop,
    }
}

/// Events of tasks are events of the worker.
struct Forward {
    listener: Arc<dyn Listener>,
    /// What failures must not show.
    secrets: Secrets,
    meters: Arc<Meters>,
    starts: Arc<Starts>,
    /// How the start went has been counted.
    started: AtomicBool,
    given_up: Arc<AtomicBool>,
}

impl Forward {
    fn count(&self, state: TaskState) {
        self.meters.enter(state);
        let well = match state {
            TaskState::Running | TaskState::Paused => true,
            TaskState::Failed => false,
            TaskState::Unassigned | TaskState::Restarting => return,
        };
        if !self.started.swap(true, Ordering::Relaxed) {
            self.starts.count(&self.starts.tasks, well);
        }
    }
}

impl TaskListener for Forward {
    fn tell(&self, event: TaskEvent) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        if let TaskEvent::State { state, .. } = &event {
            if self.given_up.load(Ordering::Acquire) {
                return Box::pin(async {});
            }
            self.count(*state);
        }
        let event = match event {
            TaskEvent::State {
                id,
                state,
                failure,
                version,
            } => TaskEvent::State {
                id,
                state,
                failure: failure.map(|failure| hidden(&self.secrets, failure)),
                version,
            },
            topic @ TaskEvent::Topic { .. } => topic,
        };
        self.listener.tell(Event::Task(event))
    }
}

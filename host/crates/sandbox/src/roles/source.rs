//! Sources: the connector that divides the work, and the task that makes records.

use std::sync::Arc;
use std::time::Duration;

use caisson_api::config::Config;
use caisson_api::manifest::PluginKind;

use super::{ConfigValue, InstanceSpec, about_instance, instantiate, pairs};
use crate::OffsetReader;
use crate::bindings::{source_connector, source_task};
use crate::error::CallError;
use crate::imports::Requests;
use crate::instance::{Instance, Pace, call};

/// Whether a source can be read exactly once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExactlyOnce {
    Unknown,
    Supported,
    Unsupported,
}

/// A change of a source's offsets that an operator asks for; JSON texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceOffsetChange {
    pub partition: String,
    /// `None`: the offset is to be forgotten.
    pub offset: Option<String>,
}

/// What became of a polled record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Written,
    Dropped,
    Failed,
}

/// A run of records with the same outcome, counted from the start of the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub first: u64,
    pub count: u32,
    pub outcome: Outcome,
}

/// The configured job of a source.
pub struct SourceConnector {
    pub(super) instance: Instance,
    functions: source_connector::Guest,
    class: String,
    config: Config,
}

impl SourceConnector {
    /// An instance that can be asked to validate and to alter offsets, and that can be started.
    pub async fn create(spec: InstanceSpec, offsets: Option<Arc<dyn OffsetReader>>) -> Result<Self, CallError> {
        let (instance, functions) = instantiate(&spec, &[PluginKind::Source], offsets, |ready, store, made| {
            Some(ready.roles.source_connector.as_ref()?.load(store, made))
        })
        .await?;
        Ok(SourceConnector {
            instance,
            functions,
            class: spec.class,
            config: spec.config,
        })
    }

    /// An instance whose `start` has returned.
    pub async fn start(spec: InstanceSpec, offsets: Option<Arc<dyn OffsetReader>>) -> Result<Self, CallError> {
        let mut connector = Self::create(spec, offsets).await?;
        let Self {
            instance,
            functions,
            class,
            config,
        } = &mut connector;
        call!(*instance, "start", Pace::Lifecycle, |store| functions.call_start(
            store,
            class,
            &pairs(config)
        ))?;
        Ok(connector)
    }

    pub async fn validate(&mut self) -> Result<Vec<ConfigValue>, CallError> {
        let Self {
            instance,
            functions,
            class,
            config,
        } = self;
        let values = call!(*instance, "validate", Pace::Lifecycle, |store| functions.call_validate(
            store,
            class,
            &pairs(config)
        ))?;
        Ok(values.into_iter().map(ConfigValue::from).collect())
    }

    pub async fn exactly_once_support(&mut self) -> Result<ExactlyOnce, CallError> {
        let Self {
            instance,
            functions,
            class,
            config,
        } = self;
        let answer = call!(*instance, "exactly-once-support", Pace::Lifecycle, |store| async {
            functions
                .call_exactly_once_support(store, class, &pairs(config))
                .await
                .map(Ok)
        })?;
        Ok(match answer {
            source_connector::ExactlyOnce::Unknown => ExactlyOnce::Unknown,
            source_connector::ExactlyOnce::Supported => ExactlyOnce::Supported,
            source_connector::ExactlyOnce::Unsupported => ExactlyOnce::Unsupported,
        })
    }

    /// At most `max` configurations; a guest that gives more has failed.
    pub async fn task_configs(&mut self, max: u32) -> Result<Vec<Config>, CallError> {
        let Self {
            instance, functions, ..
        } = self;
        let configs = call!(*instance, "task-configs", Pace::Lifecycle, |store| functions
            .call_task_configs(store, max))?;
        checked_configs(configs, max)
    }

    /// `true`: the plugin looked after the change itself as far as it has to.
    pub async fn alter_offsets(&mut self, changes: &[SourceOffsetChange]) -> Result<bool, CallError> {
        let changes: Vec<_> = changes
            .iter()
            .map(|change| source_connector::OffsetChange {
                partition: &change.partition,
                offset: change.offset.as_deref(),
            })
            .collect();
        let Self {
            instance,
            functions,
            class,
            config,
        } = self;
        call!(*instance, "alter-offsets", Pace::Lifecycle, |store| functions
            .call_alter_offsets(store, class, &pairs(config), &changes))
    }

    pub async fn stop(&mut self) -> Result<(), CallError> {
        let Self {
            instance, functions, ..
        } = self;
        call!(*instance, "stop", Pace::Lifecycle, |store| async {
            functions.call_stop(store).await.map(Ok)
        })
    }

    /// What the guest said through `connector-context` since the last time.
    pub fn drain(&mut self) -> Requests {
        self.instance
            .state()
            .map(|state| std::mem::take(&mut state.requests))
            .unwrap_or_default()
    }
}

/// The configurations of tasks that a connector gave.
pub(super) fn checked_configs(configs: Vec<Vec<(String, String)>>, max: u32) -> Result<Vec<Config>, CallError> {
    if configs.len() > max as usize {
        return Err(CallError::Guest(caisson_api::Error::fatal(format!(
            "the connector gave {} task configurations, tasks.max allows {max}",
            configs.len()
        ))));
    }
    Ok(configs.into_iter().map(|entries| Config { entries }).collect())
}

/// One data flow from a system into Kafka.
pub struct SourceTask {
    pub(super) instance: Instance,
    functions: source_task::Guest,
}

impl SourceTask {
    /// An instance whose `start` has returned; it may read offsets through `offsets` while it starts, and later.
    pub async fn start(spec: InstanceSpec, offsets: Arc<dyn OffsetReader>) -> Result<Self, CallError> {
        let mut task = Self::create(&spec, offsets).await?;
        task.begin(&spec).await?;
        Ok(task)
    }

    /// An instance that is not started: where it goes on reading is decided by the offsets at its start.
    pub async fn create(spec: &InstanceSpec, offsets: Arc<dyn OffsetReader>) -> Result<Self, CallError> {
        let (instance, functions) = instantiate(spec, &[PluginKind::Source], Some(offsets), |ready, store, made| {
            Some(ready.roles.source_task.as_ref()?.load(store, made))
        })
        .await?;
        Ok(SourceTask { instance, functions })
    }

    /// Starts an instance that was created.
    pub async fn begin(&mut self, spec: &InstanceSpec) -> Result<(), CallError> {
        let Self { instance, functions } = self;
        call!(*instance, "start", Pace::Lifecycle, |store| functions.call_start(
            store,
            &spec.class,
            &pairs(&spec.config)
        ))
    }

    /// The next records, in the layout of `wit/frame.md`; empty if none came within `max_wait`. The deadline of the
    /// call is that wait and `call.timeout.ms` on top.
    pub async fn poll(&mut self, max_wait: Duration, max_bytes: u32) -> Result<Vec<u8>, CallError> {
        let wait = u32::try_from(max_wait.as_millis()).unwrap_or(u32::MAX);
        let Self { instance, functions } = self;
        if let Some(state) = instance.state() {
            state.clock.allow(max_wait);
        }
        let batch = call!(*instance, "poll", Pace::Records(max_wait), |store| functions
            .call_poll(store, wait, max_bytes))?;
        instance.bounded_output("poll", batch)
    }

    /// What became of polled records.
    pub async fn delivered(&mut self, deliveries: &[Delivery]) -> Result<(), CallError> {
        let deliveries: Vec<source_task::Delivery> = deliveries
            .iter()
            .map(|delivery| source_task::Delivery {
                first: delivery.first,
                count: delivery.count,
                outcome: match delivery.outcome {
                    Outcome::Written => source_task::Outcome::Written,
                    Outcome::Dropped => source_task::Outcome::Dropped,
                    Outcome::Failed => source_task::Outcome::Failed,
                },
            })
            .collect();
        let Self { instance, functions } = self;
        let pace = Pace::Records(Duration::ZERO);
        call!(*instance, "delivered", pace, |store| functions
            .call_delivered(store, &deliveries))
    }

    /// The offsets of all records reported as written are stored.
    pub async fn committed(&mut self) -> Result<(), CallError> {
        let Self { instance, functions } = self;
        call!(*instance, "committed", Pace::Records(Duration::ZERO), |store| functions
            .call_committed(store))
    }

    pub async fn stop(&mut self) -> Result<(), CallError> {
        let Self { instance, functions } = self;
        call!(*instance, "stop", Pace::Lifecycle, |store| async {
            functions.call_stop(store).await.map(Ok)
        })
    }

    /// What the guest said through `connector-context` since the last time.
    pub fn drain(&mut self) -> Requests {
        self.instance
            .state()
            .map(|state| std::mem::take(&mut state.requests))
            .unwrap_or_default()
    }
}

about_instance!(SourceConnector);
about_instance!(SourceTask);

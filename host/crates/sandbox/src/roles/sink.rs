//! Sinks: the connector that divides the work, and the task that takes records.

use caisson_api::Failure;
use caisson_api::config::Config;
use caisson_api::manifest::PluginKind;
use caisson_model::{PartitionOffset, TopicPartition};

use super::{ConfigValue, InstanceSpec, about_instance, instantiate, pairs};
use crate::bindings::{sink_connector, sink_task, types};
use crate::error::CallError;
use crate::imports::{Requests, SinkRequests};
use crate::instance::{Instance, Pace, call};

/// A change of a sink's offsets that an operator asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkOffsetChange {
    pub partition: TopicPartition,
    /// `None`: the offset is to be forgotten.
    pub offset: Option<i64>,
}

/// The configured job of a sink.
pub struct SinkConnector {
    pub(super) instance: Instance,
    functions: sink_connector::Guest,
    class: String,
    config: Config,
}

impl SinkConnector {
    /// An instance that can be asked to validate and to alter offsets, and that can be started.
    pub async fn create(spec: InstanceSpec) -> Result<Self, CallError> {
        let (instance, functions) = instantiate(&spec, &[PluginKind::Sink], None, |ready, store, made| {
            Some(ready.roles.sink_connector.as_ref()?.load(store, made))
        })
        .await?;
        Ok(SinkConnector {
            instance,
            functions,
            class: spec.class,
            config: spec.config,
        })
    }

    /// An instance whose `start` has returned.
    pub async fn start(spec: InstanceSpec) -> Result<Self, CallError> {
        let mut connector = Self::create(spec).await?;
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

    /// At most `max` configurations; a guest that gives more has failed.
    pub async fn task_configs(&mut self, max: u32) -> Result<Vec<Config>, CallError> {
        let Self {
            instance, functions, ..
        } = self;
        let configs = call!(*instance, "task-configs", Pace::Lifecycle, |store| functions
            .call_task_configs(store, max))?;
        super::source::checked_configs(configs, max)
    }

    /// `true`: the plugin looked after the change itself as far as it has to.
    pub async fn alter_offsets(&mut self, changes: &[SinkOffsetChange]) -> Result<bool, CallError> {
        let changes: Vec<_> = changes
            .iter()
            .map(|change| sink_connector::OffsetChange {
                topic: &change.partition.topic,
                partition: change.partition.partition,
                offset: change.offset,
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

/// One data flow from Kafka into a system.
pub struct SinkTask {
    pub(super) instance: Instance,
    functions: sink_task::Guest,
}

impl SinkTask {
    /// An instance whose `start` has returned.
    pub async fn start(spec: InstanceSpec) -> Result<Self, CallError> {
        let (mut instance, functions) = instantiate(&spec, &[PluginKind::Sink], None, |ready, store, made| {
            Some(ready.roles.sink_task.as_ref()?.load(store, made))
        })
        .await?;
        call!(instance, "start", Pace::Lifecycle, |store| functions.call_start(
            store,
            &spec.class,
            &pairs(&spec.config)
        ))?;
        Ok(SinkTask { instance, functions })
    }

    /// Partitions that are new to the task.
    pub async fn open(&mut self, partitions: &[TopicPartition]) -> Result<(), CallError> {
        if let Some(state) = self.instance.state() {
            state.sink.assignment.retain(|open| !partitions.contains(open));
            state.sink.assignment.extend_from_slice(partitions);
        }
        let partitions: Vec<types::TopicPartitionParam<'_>> = partitions.iter().map(Into::into).collect();
        let Self { instance, functions } = self;
        call!(*instance, "open", Pace::Lifecycle, |store| functions
            .call_open(store, &partitions))
    }

    /// A batch in the layout of `wit/frame.md`. The answer are records of this batch that are beyond help; their
    /// indexes are checked.
    pub async fn put(&mut self, batch: &[u8]) -> Result<Vec<Failure>, CallError> {
        let Self { instance, functions } = self;
        let failures = call!(*instance, "put", Pace::Records(std::time::Duration::ZERO), |store| {
            functions.call_put(store, batch)
        })?;
        instance.checked_failures("put", failures, super::transform::records_of(batch))
    }

    /// Make durable what was put. `None`: all of `current` may be committed.
    pub async fn pre_commit(&mut self, current: &[PartitionOffset]) -> Result<Option<Vec<PartitionOffset>>, CallError> {
        let current: Vec<types::PartitionOffsetParam<'_>> = current.iter().map(Into::into).collect();
        let Self { instance, functions } = self;
        let pace = Pace::Records(std::time::Duration::ZERO);
        let offsets = call!(*instance, "pre-commit", pace, |store| functions
            .call_pre_commit(store, &current))?;
        Ok(offsets.map(|offsets| offsets.into_iter().map(Into::into).collect()))
    }

    /// Partitions that were taken from the task.
    pub async fn close(&mut self, partitions: &[TopicPartition]) -> Result<(), CallError> {
        let given: Vec<types::TopicPartitionParam<'_>> = partitions.iter().map(Into::into).collect();
        let Self { instance, functions } = self;
        let closed = call!(*instance, "close", Pace::Lifecycle, |store| functions
            .call_close(store, &given));
        if let Some(state) = self.instance.state() {
            state.sink.assignment.retain(|open| !partitions.contains(open));
        }
        closed
    }

    pub async fn stop(&mut self) -> Result<(), CallError> {
        let Self { instance, functions } = self;
        call!(*instance, "stop", Pace::Lifecycle, |store| async {
            functions.call_stop(store).await.map(Ok)
        })
    }

    /// What the guest said through `sink-context` since the last time; also after it failed.
    pub fn drain(&mut self) -> SinkRequests {
        self.instance.sink_requests()
    }
}

about_instance!(SinkConnector);
about_instance!(SinkTask);

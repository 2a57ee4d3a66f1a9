//! What a task is made of. The worker fills it in from the configuration; nothing here is looked up again.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use caisson_api::config::Config;
use caisson_api::frame::{Encoding, Encodings};
use caisson_api::manifest::{Plugin, ability};
use caisson_convert::Converter;
use caisson_kafka::{ClientSettings, SourceProducer, Subscription};
use caisson_model::{Failure, Limits, TaskId};
use caisson_sandbox::{CallError, Column, InstanceSpec, Label, Module, OffsetReader};
use caisson_sdk::settings::Settings;
use caisson_store::OffsetStore;
use caisson_transforms::{NativePredicate, NativeTransform};

use crate::errors::{DeadLetterSettings, ErrorPolicy};
use crate::meters::Meters;
use crate::recode::Order;

/// A plugin inside a module, found by class name.
#[derive(Clone, Debug)]
pub struct PluginRef {
    pub module: Arc<Module>,
    /// The class as the module's manifest writes it, whatever alias the configuration used.
    pub class: String,
    pub version: String,
}

impl PluginRef {
    /// Whether the manifest names this ability.
    pub fn is_able(&self, ability: &str) -> bool {
        self.plugin().is_some_and(|plugin| plugin.has(ability))
    }

    pub fn encodings(&self) -> Encodings {
        self.plugin().map(|plugin| plugin.encoding).unwrap_or_default()
    }

    /// Takes everything from it that a configuration could grant it.
    pub(crate) async fn confine(&mut self) -> Result<(), Failure> {
        let confined = self.module.confined().await;
        self.module = confined.map_err(|error| Failure::from(CallError::from(error)))?;
        Ok(())
    }

    fn plugin(&self) -> Option<&Plugin> {
        self.module
            .manifest
            .plugins
            .iter()
            .find(|plugin| plugin.class == self.class)
    }
}

/// A transform of the chain, in its place.
#[derive(Clone)]
pub struct ChainLink {
    /// The alias in `transforms`.
    pub alias: String,
    pub plugin: TransformPlugin<NativeTransform>,
    pub condition: Option<Condition>,
}

/// The predicate that decides which records a transform sees.
#[derive(Clone)]
pub struct Condition {
    pub plugin: TransformPlugin<NativePredicate>,
    pub negate: bool,
}

/// What a link of the chain is made of: a component, or what the worker has built in.
#[derive(Clone)]
pub enum TransformPlugin<N> {
    Guest { plugin: PluginRef, config: Config },
    Native { plugin: N, settings: Settings },
}

/// A converter of a connector.
#[derive(Clone)]
pub struct ConverterRef {
    /// The Java class that it stands for.
    pub class: String,
    pub kind: ConverterKind,
    pub converter: ConverterPlugin,
}

/// What a converter is made of: what the worker has built in, or a component, which converts whole batches.
#[derive(Clone)]
pub enum ConverterPlugin {
    Native(Arc<dyn Converter>),
    Guest { plugin: PluginRef, config: Config },
}

impl ConverterRef {
    /// Whether what it reads is JSON text without schemas, which a plugin may be given as it is.
    pub(crate) fn gives_plain_json(&self) -> bool {
        match &self.converter {
            ConverterPlugin::Native(converter) => converter.gives_plain_json(),
            ConverterPlugin::Guest { .. } => false,
        }
    }
}

/// The converters of a connector.
#[derive(Clone)]
pub struct Converters {
    pub key: ConverterRef,
    pub value: ConverterRef,
    pub header: ConverterRef,
}

impl Converters {
    /// The one for a column.
    pub fn of(&self, column: Column) -> &ConverterRef {
        match column {
            Column::Key => &self.key,
            Column::Value => &self.value,
            Column::Headers => &self.header,
        }
    }
}

/// Whether a source's own bytes are what the converter would make of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConverterKind {
    /// Bytes stay bytes.
    Bytes,
    Other,
}

/// Which way records go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    ToKafka,
    FromKafka,
}

/// What sources and sinks have in common.
#[derive(Clone)]
pub struct TaskSettings {
    pub id: TaskId,
    pub plugin: PluginRef,
    /// The task's configuration, as the connector's `task-configs` gave it.
    pub config: Config,
    /// Absent: the worker's.
    pub limits: Option<Limits>,
    pub converters: Converters,
    pub chain: Vec<ChainLink>,
    pub errors: ErrorPolicy,
    /// Where records that failed go; absent: nowhere.
    pub dead_letters: Option<DeadLetterSettings>,
    pub direction: Direction,
    /// What the task counts of itself.
    pub meters: Arc<Meters>,
    /// `offset.flush.interval.ms`.
    pub commit_interval: Duration,
    /// `offset.flush.timeout.ms`.
    pub commit_timeout: Duration,
}

pub struct SinkSettings {
    pub task: TaskSettings,
    pub consumer: ClientSettings,
    pub subscription: Subscription,
}

pub struct SourceSettings {
    pub task: TaskSettings,
    pub guarantee: Guarantee,
    pub offset_reader: Arc<dyn OffsetReader>,
    /// Makes topics as `topic.creation.*` says; absent, the broker decides.
    pub topics: Option<Arc<dyn TopicCreator>>,
}

/// How records and source offsets reach Kafka.
#[derive(Clone)]
pub enum Guarantee {
    /// Offsets are written after their records.
    AtLeastOnce {
        producer: Arc<SourceProducer>,
        offsets: Arc<dyn OffsetStore>,
    },
    /// Offsets are written in the transactions of their records (KIP-618).
    ExactlyOnce(ExactlyOnce),
}

#[derive(Clone)]
pub struct ExactlyOnce {
    /// With the `transactional.id` that is the task's alone.
    pub producer: ClientSettings,
    /// Where offsets go.
    pub offsets_topic: String,
    /// Another store that is told of committed offsets, if it can: the worker's, for a connector with a topic of its own.
    pub others: Option<Arc<dyn OffsetStore>>,
    pub boundary: Boundary,
    pub preflight: Option<Arc<dyn Preflight>>,
}

/// `transaction.boundary`: where transactions end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// With each batch.
    Poll,
    /// After this time.
    Interval(Duration),
    /// Where the connector says.
    Connector,
}

/// What a cluster has to say before a task may write in transactions.
pub trait Preflight: Send + Sync {
    /// Asked when the task has taken its transactional id over, which fences whoever had it before: whether the task is
    /// still this worker's, and its configuration the newest. Otherwise it has fenced its own successor, and must make way.
    fn verify(&self) -> Pin<Box<dyn Future<Output = Result<(), Failure>> + Send + '_>>;
}

/// Makes topics before the first record is sent to them (KIP-158).
pub trait TopicCreator: Send + Sync {
    /// Returns once the topic exists; a failure names the topic and what was attempted.
    fn ensure(&self, topic: String) -> Pin<Box<dyn Future<Output = Result<(), Failure>> + Send + '_>>;
}

impl Direction {
    pub(crate) fn order(self) -> Order {
        match self {
            Direction::ToKafka => Order::HeadersFirst,
            Direction::FromKafka => Order::HeadersLast,
        }
    }
}

impl TaskSettings {
    /// An instance that belongs to this task.
    pub(crate) fn instance(&self, plugin: &PluginRef, config: &Config) -> InstanceSpec {
        InstanceSpec {
            module: plugin.module.clone(),
            class: plugin.class.clone(),
            config: config.clone(),
            label: Label {
                connector: self.id.connector.clone(),
                task: Some(self.id.task),
            },
            limits: self.limits.clone(),
        }
    }

    /// Takes everything from the components of its chain that a configuration could grant them.
    pub(crate) async fn confine_chain(&mut self) -> Result<(), Failure> {
        let Converters { key, value, header } = &mut self.converters;
        for converter in [key, value, header] {
            if let ConverterPlugin::Guest { plugin, .. } = &mut converter.converter {
                plugin.confine().await?;
            }
        }
        for link in &mut self.chain {
            if let TransformPlugin::Guest { plugin, .. } = &mut link.plugin {
                plugin.confine().await?;
            }
            if let Some(Condition {
                plugin: TransformPlugin::Guest { plugin, .. },
                ..
            }) = &mut link.condition
            {
                plugin.confine().await?;
            }
        }
        Ok(())
    }

    /// The encodings in which a sink takes its records: as its manifest says, but JSON stays text for a plugin that can
    /// do with it.
    pub(crate) fn sink_encodings(&self) -> Encodings {
        let mut encodings = self.plugin.encodings();
        if self.plugin.is_able(ability::JSON_WHEN_SCHEMALESS) {
            let columns = [
                (&mut encodings.key, &self.converters.key),
                (&mut encodings.value, &self.converters.value),
            ];
            for (encoding, converter) in columns {
                if *encoding == Encoding::Connect && converter.gives_plain_json() {
                    *encoding = Encoding::Json;
                }
            }
        }
        encodings
    }

    /// A failed call, with the names of the call and the task.
    pub(crate) fn failed(&self, call: &str, error: CallError) -> Failure {
        self.failed_for(&self.plugin, call, error)
    }

    /// As [`TaskSettings::failed`], of another plugin of the task.
    pub(crate) fn failed_for(&self, plugin: &PluginRef, call: &str, error: CallError) -> Failure {
        let failure = Failure::from(error);
        let message = format!(
            "{call} of task {} ({}) failed: {}",
            self.id, plugin.class, failure.message
        );
        Failure { message, ..failure }
    }
}

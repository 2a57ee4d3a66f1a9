//! Configurations tried on samples, by the chains that tasks have, without a task.

mod connector;

use std::time::Duration;

use caisson_api::manifest::PluginKind;
use caisson_config::connector::{Flow as ConfiguredFlow, Topics};
use caisson_config::providers::Secrets;
use caisson_config::validate::{self, ConfigInfos, OwnAnswers, Refusal, check_links};
use caisson_config::{ConnectorConfig, Given, Role};
use caisson_kafka::{Message, Tail, TailLimit, Timestamp};
use caisson_model::preview::{Fault, Flow, LARGEST_SAMPLE, Payload, Preview, PreviewRequest, Sample, Samples, Shown};
use caisson_model::{Failure, TaskId};
use caisson_store::Config;
use caisson_task::preview::{Bounds, Ending, Error};
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;

use self::connector::FirstTask;
use crate::assemble::kind_of;
use crate::connectors::hidden;
use crate::plugins::Installed;
use crate::{Worker, given_of};

/// Previews at once; each has a thread and instances of its own.
pub(crate) const AT_ONCE: usize = 2;
/// What one may take, so that no request waits for ever and no answer is of any size.
const BOUNDS: Bounds = Bounds {
    time: Duration::from_secs(30),
    output: 8 << 20,
};
/// Time to read the last records of a topic.
const READING: Duration = Duration::from_secs(15);
/// Bytes that are read of them.
const MOST_READ: usize = 32 << 20;
/// What a chain without a connector is said to read.
const TOPIC: &str = "preview";

/// A configuration that is tried.
struct Tried<'a> {
    installed: &'a Installed,
    given: &'a Given,
    config: &'a ConnectorConfig,
    /// What of it came from configuration providers.
    secrets: &'a Secrets,
    ending: Ending,
}

/// Why there is no preview.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The configuration has errors.
    #[error("the configuration has {} errors", .0.error_count)]
    Invalid(Box<ConfigInfos>),
    /// What was asked for cannot be done.
    #[error("{0}")]
    Request(String),
    #[error("{0}")]
    Failed(Failure),
}

impl From<Failure> for PreviewError {
    fn from(failure: Failure) -> Self {
        PreviewError::Failed(failure)
    }
}

impl Worker {
    /// Tries a configuration on samples.
    pub async fn preview(&self, request: PreviewRequest) -> Result<Preview, PreviewError> {
        // Held until the last thread of it has ended, also when nobody waits for the answer any more.
        let turn = self.previews.clone().acquire_owned().await.ok();
        let PreviewRequest {
            mut config,
            flow,
            samples,
        } = request;
        let ending = match config.get("connector.class") {
            Some(Some(_)) => Ending::Plugin,
            Some(None) | None => Ending::Chain,
        };
        self.complete(&mut config, ending, flow)?;
        if ending == Ending::Plugin {
            self.check(&config)?;
        }
        let (given, secrets) = self.resolve_with_secrets(&config);
        let hide = |text: String| PreviewError::Request(secrets.hide(&text));
        check_links(&given, self.plugins().catalogue()).map_err(|error| hide(error.to_string()))?;
        let installed = self.installed_connector(&given)?;
        let config = ConnectorConfig::new(&given, kind_of(installed.plugin().kind));
        let config = self.harmless(config.map_err(|error| hide(error.to_string()))?);
        let tried = Tried {
            installed: &installed,
            given: &given,
            config: &config,
            secrets: &secrets,
            ending,
        };
        let tried = self.tried(tried, samples, turn).await;
        match tried {
            Ok(mut preview) => {
                hide_all(&secrets, &mut preview);
                Ok(preview)
            }
            Err(PreviewError::Failed(failure)) => Err(PreviewError::Failed(hidden(&secrets, failure))),
            Err(PreviewError::Request(text)) => Err(PreviewError::Request(secrets.hide(&text))),
            Err(error) => Err(error),
        }
    }

    /// Adds what a chain without a connector has no need to say.
    fn complete(&self, config: &mut Config, ending: Ending, flow: Flow) -> Result<(), PreviewError> {
        let mut add = |name: &str, value: &str| {
            if config.get(name).cloned().flatten().is_none() {
                config.insert(name.to_owned(), Some(value.to_owned()));
            }
        };
        add("name", TOPIC);
        if ending == Ending::Plugin {
            return Ok(());
        }
        let kind = match flow {
            Flow::Source => PluginKind::Source,
            Flow::Sink => PluginKind::Sink,
        };
        // It stands for what would come behind the chain, or before it, and is never started.
        let connectors = self.plugins().of_role(Role::Connector);
        let stand_in = connectors.iter().find(|plugin| plugin.kind == kind);
        let stand_in = stand_in.ok_or_else(|| {
            let text = "this worker has no connector of that type; name one as connector.class";
            PreviewError::Request(text.to_owned())
        })?;
        add("connector.class", &stand_in.class);
        if flow == Flow::Sink {
            add("topics", TOPIC);
        }
        Ok(())
    }

    /// Refuses a connector's configuration as its creation would, but for what only the plugin itself finds wrong: it is
    /// asked nothing that it could go out into the network for.
    fn check(&self, config: &Config) -> Result<(), PreviewError> {
        let given = given_of(config);
        let resolved = self.config.providers.resolve(&given);
        let plugins = self.plugins();
        let infos = validate::validate(&validate::Request {
            given: &given,
            resolved: &resolved,
            worker: &self.config,
            plugins: plugins.catalogue(),
            own: &OwnAnswers::default(),
        })?;
        match infos.error_count {
            0 => Ok(()),
            _ => Err(PreviewError::Invalid(Box::new(infos))),
        }
    }

    /// The configuration without what would leave traces: no dead letters are written, and no schemas registered.
    fn harmless(&self, mut config: ConnectorConfig) -> ConnectorConfig {
        match &mut config.flow {
            ConfiguredFlow::Source(source) => source.dead_letters = None,
            ConfiguredFlow::Sink(sink) => sink.dead_letters = None,
        }
        let mut key = config.key_converter(&self.config).clone();
        let mut value = config.value_converter(&self.config).clone();
        for converter in [&mut key, &mut value] {
            if caisson_registry::find(&converter.class).is_some() {
                let never = "false".to_owned();
                converter.options.insert("auto.register.schemas".to_owned(), never);
            }
        }
        config.key_converter = Some(key);
        config.value_converter = Some(value);
        config
    }

    async fn tried(
        &self,
        tried: Tried<'_>,
        samples: Samples,
        turn: Option<OwnedSemaphorePermit>,
    ) -> Result<Preview, PreviewError> {
        let Tried {
            installed,
            given,
            config,
            ending,
            ..
        } = tried;
        let id = TaskId::new(TOPIC, 0);
        let samples = match samples {
            Samples::Given(samples) => with_topics(samples, config),
            Samples::Last { topic, records } => self.last(&id, config, topic, records).await?,
        };
        let first = match ending {
            Ending::Plugin => self.first_task(&tried, BOUNDS.time).await?,
            Ending::Chain => FirstTask {
                config: given.to_config(),
                shown: None,
                fault: None,
            },
        };
        let task = self
            .task_settings(&id, installed, (given, config), first.config)
            .map_err(|failure| PreviewError::Request(failure.message))?;
        let runtime = Handle::current();
        let trying = move || {
            let _turn = turn;
            runtime.block_on(caisson_task::preview::preview(task, ending, samples, BOUNDS))
        };
        let tried = tokio::task::spawn_blocking(trying).await;
        match tried.map_err(|error| Failure::host(format!("the worker has a bug: {error}")))? {
            Ok(mut preview) => {
                preview.task_config = first.shown;
                if let Some(fault) = first.fault {
                    preview.plugin.insert(0, fault);
                }
                Ok(preview)
            }
            Err(error @ Error::Sample { .. }) => Err(PreviewError::Request(error.to_string())),
            Err(Error::Chain(failure)) => Err(PreviewError::Failed(failure)),
        }
    }

    /// The last records of a topic.
    async fn last(
        &self,
        id: &TaskId,
        config: &ConnectorConfig,
        topic: String,
        records: usize,
    ) -> Result<Vec<Sample>, PreviewError> {
        if matches!(config.flow, ConfiguredFlow::Source(_)) {
            let text = "records of a topic can be tried on sinks; give records as the source makes them";
            return Err(PreviewError::Request(text.to_owned()));
        }
        let settings = self.consumer_settings(id, config)?;
        let unread = |error: caisson_kafka::Error| PreviewError::Request(error.to_string());
        let admin = self.admin().map_err(unread)?;
        let limit = TailLimit {
            records,
            bytes: MOST_READ,
            time: READING,
        };
        let read = tokio::task::spawn_blocking(move || {
            let tail = Tail::read(&settings, &admin, &topic, limit).map_err(unread)?;
            last_of(&tail, &topic, records)
        });
        read.await
            .map_err(|error| Failure::host(format!("the worker has a bug: {error}")))?
    }
}

/// Samples that name no topic are of the first that the connector reads.
fn with_topics(mut samples: Vec<Sample>, config: &ConnectorConfig) -> Vec<Sample> {
    if let ConfiguredFlow::Sink(sink) = &config.flow
        && let Topics::Names(names) = &sink.topics
    {
        for sample in samples.iter_mut().filter(|sample| sample.topic.is_none()) {
            sample.topic = names.first().cloned();
        }
    }
    samples
}

/// The last records by time, for there is no other order between partitions.
fn last_of(tail: &Tail, topic: &str, records: usize) -> Result<Vec<Sample>, PreviewError> {
    if !tail.complete {
        let text = format!(
            "the last {records} records of topic {topic} are more than {MOST_READ} bytes, or do not come within {} s; \
             ask for fewer",
            READING.as_secs()
        );
        return Err(PreviewError::Request(text));
    }
    let mut samples: Vec<Sample> = Vec::new();
    for message in tail.batches.iter().flat_map(|batch| batch.messages()) {
        samples.push(sample_of(&message));
    }
    let partitions = samples.iter().map(|sample| sample.partition);
    if partitions.collect::<std::collections::HashSet<_>>().len() > 1 {
        samples.sort_by_key(|sample| sample.timestamp);
    }
    let samples = samples.split_off(samples.len().saturating_sub(records));
    match samples.iter().find(|sample| sample.size() > LARGEST_SAMPLE) {
        None => Ok(samples),
        Some(large) => Err(PreviewError::Request(format!(
            "the record at offset {} of topic {topic} has {} bytes, {LARGEST_SAMPLE} is the most that is tried",
            large.offset.unwrap_or_default(),
            large.size()
        ))),
    }
}

fn sample_of(message: &Message<'_>) -> Sample {
    let payload = |bytes: Option<&[u8]>| bytes.map_or(Payload::Null, |bytes| Payload::Bytes(bytes.to_vec()));
    Sample {
        topic: Some(message.topic().to_owned()),
        partition: Some(message.partition()),
        offset: Some(message.offset()),
        timestamp: match message.timestamp() {
            Timestamp::None => None,
            Timestamp::Create(at) | Timestamp::LogAppend(at) => Some(at),
        },
        key: payload(message.key()),
        value: payload(message.value()),
        headers: message
            .headers()
            .map(|header| (header.name.into_owned(), payload(header.value)))
            .collect(),
    }
}

/// What configuration providers gave is not shown, wherever it went.
fn hide_all(secrets: &Secrets, preview: &mut Preview) {
    if secrets.is_empty() {
        return;
    }
    let steps = preview.records.iter_mut().flat_map(|record| &mut record.steps);
    for step in steps {
        step.records.iter_mut().for_each(|record| hide_record(secrets, record));
        step.faults.iter_mut().for_each(|fault| hide_fault(secrets, fault));
    }
    preview.plugin.iter_mut().for_each(|fault| hide_fault(secrets, fault));
}

fn hide_record(secrets: &Secrets, record: &mut Shown) {
    record.topic = secrets.hide(&record.topic);
    let headers = record.headers.iter_mut().map(|(_, value)| value);
    for payload in [&mut record.key, &mut record.value].into_iter().chain(headers) {
        match payload {
            Payload::Null => {}
            Payload::Value { json, .. } => *json = secrets.hide(json),
            Payload::Bytes(bytes) => {
                if let Ok(text) = std::str::from_utf8(bytes) {
                    *bytes = secrets.hide(text).into_bytes();
                }
            }
        }
    }
}

fn hide_fault(secrets: &Secrets, fault: &mut Fault) {
    fault.message = fault.message.as_deref().map(|text| secrets.hide(text));
    fault.stack_trace = secrets.hide(&fault.stack_trace);
}

//! Topics that source connectors have made as their `topic.creation.*` says (KIP-158).

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use caisson_config::ConnectorConfig;
use caisson_config::connector::TopicCreation;
use caisson_kafka::{Admin, ClientSettings, Creation, Layer, NewTopic};
use caisson_model::{Failure, TaskId};
use caisson_task::TopicCreator;

use crate::Worker;
use crate::clients::ADMIN_TIMEOUT;

struct Topics {
    task: TaskId,
    creation: TopicCreation,
    settings: ClientSettings,
}

impl Worker {
    pub(crate) fn topic_creator(
        &self,
        id: &TaskId,
        creation: &TopicCreation,
        config: &ConnectorConfig,
    ) -> Result<Arc<dyn TopicCreator>, Failure> {
        Ok(Arc::new(Topics {
            task: id.clone(),
            creation: creation.clone(),
            settings: self.admin_settings("connector-adminclient", id, config)?,
        }))
    }

    /// Makes the topic of the dead letter queue of a task.
    pub(crate) fn letter_topic_creator(
        &self,
        id: &TaskId,
        replication_factor: i16,
        config: &ConnectorConfig,
    ) -> Result<Arc<dyn TopicCreator>, Failure> {
        Ok(Arc::new(LetterTopic {
            replication_factor,
            settings: self.admin_settings("connector-dlq-adminclient", id, config)?,
        }))
    }

    fn admin_settings(&self, client: &str, id: &TaskId, config: &ConnectorConfig) -> Result<ClientSettings, Failure> {
        let base = self.base(&[("client.id", format!("{client}-{id}"))]);
        let all = self.config.all.to_entries();
        let layers = [
            Layer::Mixed(&all),
            Layer::Client(&base),
            Layer::Client(&self.config.admin),
            Layer::Client(&config.admin),
        ];
        ClientSettings::admin(&layers)
            .map_err(|error| Failure::host(format!("admin settings of task {id} cannot be used: {error}")))
    }
}

/// The topic of a dead letter queue: one partition, made if it is not there.
struct LetterTopic {
    replication_factor: i16,
    settings: ClientSettings,
}

impl TopicCreator for LetterTopic {
    fn ensure(&self, topic: String) -> Pin<Box<dyn Future<Output = Result<(), Failure>> + Send + '_>> {
        Box::pin(async move {
            let settings = self.settings.clone();
            let new = NewTopic::new(&topic, 1, self.replication_factor.into());
            let made = tokio::task::spawn_blocking(move || create_if_missing(&settings, &new)).await;
            match made {
                Ok(Ok(Creation::Created)) => {
                    tracing::info!(topic, "topic of the dead letter queue created");
                    Ok(())
                }
                Ok(Ok(Creation::Existed)) => Ok(()),
                Ok(Err(error)) => Err(Failure::host(error)),
                Err(error) => Err(Failure::host(format!("the worker has a bug: {error}"))),
            }
        })
    }
}

/// Looks first: who may write to a topic that is there need not be allowed to make one.
fn create_if_missing(settings: &ClientSettings, topic: &NewTopic) -> Result<Creation, String> {
    let admin = Admin::start(settings).map_err(|error| error.to_string())?;
    let known = admin.list_topics(ADMIN_TIMEOUT).map_err(|error| error.to_string())?;
    if known.iter().any(|(name, _)| *name == topic.name) {
        return Ok(Creation::Existed);
    }
    create(settings, topic)
}

impl TopicCreator for Topics {
    fn ensure(&self, topic: String) -> Pin<Box<dyn Future<Output = Result<(), Failure>> + Send + '_>> {
        Box::pin(async move {
            let group = self.creation.group(&topic);
            let mut new = NewTopic::new(&topic, group.partitions, group.replication_factor.into());
            for (name, value) in &group.settings {
                new = new.with(name, value);
            }
            let settings = self.settings.clone();
            let made = tokio::task::spawn_blocking(move || create(&settings, &new)).await;
            match made {
                Ok(Ok(Creation::Created)) => {
                    tracing::info!(topic, partitions = group.partitions, group = %group.name, "topic created");
                    Ok(())
                }
                Ok(Ok(Creation::Existed)) => Ok(()),
                Ok(Err(error)) => Err(Failure::host(format!(
                    "Task failed to create new topic {topic}. Ensure that the task is authorized to create topics or \
                     that the topic exists and restart the task"
                ))
                .with_detail(format!("task {}: {error}", self.task))),
                Err(error) => Err(Failure::host(format!("the worker has a bug: {error}"))),
            }
        })
    }
}

/// A client for one request: topics are rarely made, and a client has a thread for each broker.
fn create(settings: &ClientSettings, topic: &NewTopic) -> Result<Creation, String> {
    let admin = Admin::start(settings).map_err(|error| error.to_string())?;
    let answers = admin
        .create_topics(std::slice::from_ref(topic), ADMIN_TIMEOUT)
        .map_err(|error| error.to_string())?;
    match answers.into_iter().next() {
        Some((_, result)) => result.map_err(|error| error.to_string()),
        None => Err("the broker gave no answer".to_owned()),
    }
}

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
        let base = self.base(&[("client.id", format!("connector-adminclient-{id}"))]);
        let all = self.config.all.to_entries();
        let layers = [
            Layer::Mixed(&all),
            Layer::Client(&base),
            Layer::Client(&self.config.admin),
            Layer::Client(&config.admin),
        ];
        let settings = ClientSettings::admin(&layers)
            .map_err(|error| Failure::host(format!("admin settings of task {id} cannot be used: {error}")))?;
        Ok(Arc::new(Topics {
            task: id.clone(),
            creation: creation.clone(),
            settings,
        }))
    }
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

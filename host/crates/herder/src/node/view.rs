//! Answers that come from what this worker knows, the same for both kinds of herder.

use std::sync::Arc;

use caisson_model::{TargetState, TaskId};
use caisson_store::{Config, ConnectorEntry};

use super::{Node, OffsetCommand};
use crate::Error;
use crate::info::{ConnectorInfo, ConnectorKind, ConnectorStatus, TaskInfo, TaskStatus};
use crate::offsets::{self, ConnectorOffset, OffsetChanges};

impl Node {
    pub fn existing(&self, name: &str) -> Result<Arc<ConnectorEntry>, Error> {
        self.entry(name).ok_or_else(|| Error::connector_not_found(name))
    }

    /// As [`Node::existing`], with the text for restarts.
    pub fn known(&self, name: &str) -> Result<Arc<ConnectorEntry>, Error> {
        self.entry(name)
            .ok_or_else(|| Error::NotFound(format!("Unknown connector: {name}")))
    }

    /// The number of a task that is configured, with the text for restarts.
    pub fn known_task(&self, name: &str, task: i32) -> Result<u32, Error> {
        let entry = self.known(name)?;
        let known = u32::try_from(task)
            .ok()
            .filter(|number| (*number as usize) < entry.tasks.len());
        known.ok_or_else(|| Error::NotFound(format!("Unknown task: {name}-{task}")))
    }

    pub fn names(&self) -> Vec<Arc<str>> {
        self.configs().snapshot().names().cloned().collect()
    }

    pub fn info(&self, name: &str) -> Result<ConnectorInfo, Error> {
        let entry = self.existing(name)?;
        let name: Arc<str> = name.into();
        Ok(ConnectorInfo {
            name: name.to_string(),
            config: entry.config.clone(),
            tasks: (0..entry.tasks.len() as u32)
                .map(|number| TaskId::new(name.clone(), number))
                .collect(),
            kind: self.kind(&entry.config),
        })
    }

    pub fn config(&self, name: &str) -> Result<Arc<Config>, Error> {
        Ok(self.existing(name)?.config.clone())
    }

    pub fn task_infos(&self, name: &str) -> Result<Vec<TaskInfo>, Error> {
        let entry = self.existing(name)?;
        let name: Arc<str> = name.into();
        let info = |(number, config): (u32, &Arc<Config>)| TaskInfo {
            id: TaskId::new(name.clone(), number),
            config: config.clone(),
        };
        Ok((0..).zip(&entry.tasks).map(info).collect())
    }

    pub fn status_of(&self, name: &str) -> Option<ConnectorStatus> {
        let connector = self.statuses().connector(name)?;
        let tasks = self.statuses().tasks(name);
        let tasks = tasks
            .into_iter()
            .map(|(number, status)| TaskStatus { number, status })
            .collect();
        let kind = self.entry(name).and_then(|entry| self.kind(&entry.config));
        Some(ConnectorStatus {
            name: name.to_owned(),
            connector,
            tasks,
            kind,
        })
    }

    pub fn task_status(&self, name: &str, task: i32) -> Result<TaskStatus, Error> {
        let number = u32::try_from(task).ok();
        let status = number.and_then(|number| {
            let status = self.statuses().task(&TaskId::new(name, number))?;
            Some(TaskStatus { number, status })
        });
        status.ok_or_else(|| Error::NotFound(format!("No status found for task {name}-{task}")))
    }

    /// The topics that a connector has used, in order.
    pub fn topics(&self, name: &str) -> Result<Vec<String>, Error> {
        self.topics_are_tracked()?;
        let topics = self.statuses().topics(name).into_iter();
        Ok(topics.map(|used| used.topic).collect())
    }

    pub fn reset_topics(&self, name: &str) -> Result<(), Error> {
        self.topics_are_tracked()?;
        if !self.options().topic_tracking_reset {
            return Err(Error::Forbidden("Topic tracking reset is disabled.".to_owned()));
        }
        self.statuses().remove_topics(name);
        Ok(())
    }

    fn topics_are_tracked(&self) -> Result<(), Error> {
        if self.options().topic_tracking {
            Ok(())
        } else {
            Err(Error::Forbidden("Topic tracking is disabled.".to_owned()))
        }
    }

    /// What a request to change offsets comes to, if the connector is in a state in which they may be changed.
    pub(crate) fn offset_command(&self, name: &str, request: OffsetRequest) -> Result<OffsetCommand, Error> {
        let entry = self.existing(name)?;
        if entry.target != TargetState::Stopped || !entry.tasks.is_empty() {
            return Err(Error::not_stopped(name));
        }
        let kind = self.kind(&entry.config).ok_or_else(|| {
            let class = entry
                .config
                .get("connector.class")
                .cloned()
                .flatten()
                .unwrap_or_default();
            Error::Other(format!(
                "Cannot change the offsets of connector {name}: its class {class} is not installed"
            ))
        })?;
        Ok(match (request, kind) {
            (OffsetRequest::Reset, _) => OffsetCommand::Reset,
            (OffsetRequest::Alter(offsets), ConnectorKind::Source) => {
                OffsetCommand::Alter(OffsetChanges::Source(offsets::without_repeats(offsets)))
            }
            (OffsetRequest::Alter(offsets), ConnectorKind::Sink) => {
                OffsetCommand::Alter(offsets::sink_changes(name, &offsets::without_repeats(offsets))?)
            }
        })
    }

    /// Refuses a configuration that nobody could use: it is a bad request, whatever the reason.
    pub async fn refuse_invalid(&self, config: &Config) -> Result<(), Error> {
        match self.worker().validate(config.clone()).await {
            Ok(infos) => infos.refusal().map_or(Ok(()), Err),
            Err(Error::Other(text)) => Err(Error::BadRequest(text)),
            Err(error) => Err(error),
        }
    }
}

/// What a request wants done to offsets.
pub(crate) enum OffsetRequest {
    Alter(Vec<ConnectorOffset>),
    Reset,
}

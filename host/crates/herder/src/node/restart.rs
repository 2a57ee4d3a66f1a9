//! Restarts of what a request selects by the statuses that are known.

use std::sync::Arc;

use caisson_model::{ConnectorState, TaskId, TaskState};

use super::Node;
use crate::Error;
use crate::assignor::Item;
use crate::herder::RestartRequest;
use crate::info::ConnectorStatus;

/// What a request selects.
pub struct Selected {
    /// As it will be: RESTARTING where something is to be restarted.
    pub status: ConnectorStatus,
    connector: bool,
    tasks: Vec<u32>,
}

/// What restarts here of that.
pub struct Restarting {
    name: String,
    connector: bool,
    tasks: Vec<u32>,
}

impl Node {
    /// What a request restarts in the whole cluster.
    pub fn select(&self, request: &RestartRequest) -> Result<Selected, Error> {
        let name = request.connector.as_str();
        let missing = || Error::NotFound(format!("Status for connector {name} not found"));
        let mut status = self.status_of(name).ok_or_else(missing)?;
        let connector = !request.only_failed || status.connector.state == ConnectorState::Failed;
        if connector {
            status.connector.state = ConnectorState::Restarting;
        }
        let mut tasks = Vec::new();
        for task in &mut status.tasks {
            if request.include_tasks && (!request.only_failed || task.status.state == TaskState::Failed) {
                task.status.state = TaskState::Restarting;
                tasks.push(task.number);
            }
        }
        Ok(Selected {
            status,
            connector,
            tasks,
        })
    }

    /// Says of what of it runs here that it restarts, and gives that back; none if nothing does.
    pub fn mark_restarting(&self, selected: &Selected) -> Option<Restarting> {
        let name = selected.status.name.as_str();
        let connector = selected.connector && self.has(&Item::Connector(name.into()));
        let own = |number: &&u32| self.has(&Item::Task(TaskId::new(name, **number)));
        let tasks: Vec<u32> = selected.tasks.iter().filter(own).copied().collect();
        if !connector && tasks.is_empty() {
            return None;
        }
        if connector {
            let status = self.status(ConnectorState::Restarting, None, None);
            self.statuses().put_connector(name, status);
        }
        for number in &tasks {
            let status = self.status(TaskState::Restarting, None, None);
            self.statuses().put_task(&TaskId::new(name, *number), status);
        }
        let name = name.to_owned();
        Some(Restarting { name, connector, tasks })
    }

    /// Begins to restart what of it runs here.
    pub async fn restart_selected(self: &Arc<Self>, selected: &Selected) {
        if let Some(restarting) = self.mark_restarting(selected) {
            self.restart_marked(restarting).await;
        }
    }

    pub async fn restart_marked(self: &Arc<Self>, restarting: Restarting) {
        let Restarting { name, connector, tasks } = restarting;
        self.begin_restart(&name, connector, tasks).await;
    }
}

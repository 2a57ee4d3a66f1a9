//! Restarts: of the connector alone, of one task, or of what a request selects.

use caisson_model::{ConnectorState, TaskId, TaskState};

use super::super::driver::Command;
use crate::herder::RestartRequest;
use crate::info::ConnectorStatus;
use crate::{Error, StandaloneHerder};

impl StandaloneHerder {
    pub(super) async fn restart_only_connector(&self, name: &str) -> Result<(), Error> {
        self.shared.known(name)?;
        self.shared
            .ask(name, |reply| Command::Restart {
                connector: true,
                tasks: Vec::new(),
                reply: Some(reply),
            })
            .await?
    }

    pub(super) async fn restart_one_task(&self, name: &str, task: i32) -> Result<(), Error> {
        let entry = self.shared.known(name)?;
        let known = u32::try_from(task)
            .ok()
            .filter(|number| (*number as usize) < entry.tasks.len());
        let number = known.ok_or_else(|| Error::NotFound(format!("Unknown task: {name}-{task}")))?;
        self.shared
            .ask(name, |reply| Command::Restart {
                connector: false,
                tasks: vec![number],
                reply: Some(reply),
            })
            .await?
    }

    pub(super) async fn restart_parts(&self, request: RestartRequest) -> Result<ConnectorStatus, Error> {
        let name = request.connector.as_str();
        self.shared.known(name)?;
        let missing = || Error::NotFound(format!("Status for connector {name} not found"));
        let mut status = self.shared.status_of(name).ok_or_else(missing)?;
        let (connector, tasks) = select(&request, &mut status);
        if connector {
            self.shared.statuses.put_connector(name, status.connector.clone());
        }
        for task in status.tasks.iter().filter(|task| tasks.contains(&task.number)) {
            self.shared
                .statuses
                .put_task(&TaskId::new(name, task.number), task.status.clone());
        }
        if connector || !tasks.is_empty() {
            self.shared
                .inbox(name)
                .send(Command::Restart {
                    connector,
                    tasks,
                    reply: None,
                })
                .await;
        }
        Ok(status)
    }
}

/// Marks what a request restarts, and says what that is.
fn select(request: &RestartRequest, status: &mut ConnectorStatus) -> (bool, Vec<u32>) {
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
    (connector, tasks)
}

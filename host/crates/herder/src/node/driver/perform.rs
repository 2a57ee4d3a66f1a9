//! Gives the worker the commands that a plan's actions stand for, and notes what came of them.

use std::sync::Arc;

use caisson_model::{ConnectorState, Failure, TargetState, TaskId, TaskState};
use caisson_store::{Config, ConnectorEntry};
use tokio::time::Instant;

use super::super::plan::{Action, Condition, RunningTask, TaskConfigs};
use super::claim::TaskClaim;
use super::{Command, Driver, FIRST_RETRY, INBOX, LONGEST_RETRY, Part};
use crate::ConnectorKind;
use crate::worker::Claim;

impl Driver {
    pub(super) async fn perform(&mut self, action: Action) {
        match action {
            Action::StopTasks(numbers) => self.stop_tasks(numbers).await,
            Action::StopConnector => self.stop_connector().await,
            Action::StartConnector {
                config,
                revision,
                target,
            } => self.start_connector(config, revision, target).await,
            Action::SetConnectorState(target) => {
                self.node.worker.set_connector_state(&self.name, target).await;
                self.running.connector_set(target);
            }
            Action::MakeTaskConfigs {
                config,
                revision,
                resumed,
            } => {
                self.running.making_task_configs(resumed);
                self.make_task_configs(config, revision).await;
            }
            Action::StartTask {
                number,
                connector,
                task,
                task_revision,
                target,
            } => {
                let id = TaskId::new(self.name.clone(), number);
                let Some(started) = self.start_task(id, connector, task, target).await else {
                    return;
                };
                let condition = self.task_started(number, started);
                self.running.tasks.insert(
                    number,
                    RunningTask {
                        task_revision,
                        target,
                        condition,
                    },
                );
            }
            Action::SetTaskState { number, target } => {
                self.node
                    .worker
                    .set_task_state(TaskId::new(self.name.clone(), number), target)
                    .await;
                if let Some(task) = self.running.tasks.get_mut(&number) {
                    task.target = target;
                }
            }
        }
    }

    async fn stop_tasks(&mut self, numbers: Vec<u32>) {
        let ids = |numbers: &[u32]| {
            numbers
                .iter()
                .map(|n| TaskId::new(self.name.clone(), *n))
                .collect::<Vec<_>>()
        };
        self.node.worker.stop_tasks(ids(&numbers)).await;
        self.node.drain_events();
        let wanted = self.wanted().map(|wanted| wanted.tasks).unwrap_or_default();
        for number in numbers.iter().filter(|number| !wanted.contains(number)) {
            self.node
                .recover(&self.name, |recovery| recovery.forget(Part::Task(*number)));
        }
        // Tasks that will not come back leave no status.
        let remaining = self.node.entry(&self.name).map_or(0, |entry| entry.tasks.len());
        for id in ids(&numbers).iter().filter(|id| id.task as usize >= remaining) {
            self.node.statuses.remove_task(id);
        }
        self.running.tasks_stopped(&numbers);
    }

    async fn stop_connector(&mut self) {
        self.node.worker.stop_connector(&self.name).await;
        self.node.drain_events();
        self.running.connector_stopped();
        if self.wanted().is_none_or(|wanted| !wanted.connector) {
            self.node
                .recover(&self.name, |recovery| recovery.forget(Part::Connector));
        }
        if self.node.entry(&self.name).is_none() {
            self.node.statuses.remove_connector(&self.name);
            self.node.statuses.remove_topics(&self.name);
        }
    }

    async fn start_connector(&mut self, config: Arc<Config>, revision: u64, target: TargetState) {
        self.node
            .recover(&self.name, |recovery| recovery.starts(Part::Connector));
        let started = self.node.worker.start_connector(&self.name, config, target).await;
        let condition = match started {
            Ok(()) => Condition::Started,
            Err(failure) => {
                tracing::error!(%failure, "connector failed to start");
                self.report_failure(&failure, None);
                Condition::Failed
            }
        };
        self.failures = 0;
        self.retry = None;
        self.running.connector_started(revision, target, condition);
        self.restarted(Part::Connector, condition == Condition::Failed);
    }

    /// A task of an exactly-once source starts only after those that it takes over from can write no more. None if
    /// something came between: what is to be done next has to be looked at again.
    async fn start_task(
        &mut self,
        id: TaskId,
        connector: Arc<Config>,
        task: Arc<Config>,
        target: TargetState,
    ) -> Option<Result<(), Failure>> {
        let mut claim: Option<Arc<dyn Claim>> = None;
        if self.node.options.exactly_once && self.node.kind(&connector) == Some(ConnectorKind::Source) {
            let leader = self.node.leader.clone();
            let fenced = leader.fence_zombies(self.name.clone());
            if let Err(error) = self.unless_stopped(fenced).await? {
                let failure = Failure::host(format!("Failed to perform preflight check for task {id}"));
                return Some(Err(failure.with_detail(error.to_string())));
            }
            // Fencing may have taken long, and the task may be another worker's by now, or another one.
            let wanted = self.wanted().filter(|wanted| {
                wanted.tasks.contains(&id.task) && wanted.entry.tasks.get(id.task as usize) == Some(&task)
            });
            let Some(wanted) = wanted else {
                tracing::info!(
                    task = id.task,
                    "not started: it is another worker's by now, or another one"
                );
                return None;
            };
            let task_revision = wanted.entry.task_revision;
            claim = Some(Arc::new(TaskClaim::new(&self.node, &id, task_revision)));
        }
        self.node
            .recover(&self.name, |recovery| recovery.starts(Part::Task(id.task)));
        Some(self.node.worker.start_task(id, connector, task, target, claim).await)
    }

    fn task_started(&mut self, number: u32, started: Result<(), Failure>) -> Condition {
        let condition = match started {
            Ok(()) => Condition::Started,
            Err(failure) => {
                tracing::error!(task = number, %failure, "task failed to start");
                self.node.drain_events();
                let (part, state) = (Part::Task(number), TaskState::Failed);
                let status = self.node.failed(&self.name, part, state, Some(failure), None);
                self.node
                    .statuses
                    .put_task(&TaskId::new(self.name.clone(), number), status);
                Condition::Failed
            }
        };
        self.restarted(Part::Task(number), condition == Condition::Failed);
        condition
    }

    async fn make_task_configs(&mut self, config: Arc<Config>, revision: u64) {
        let limit = tasks_max(&config);
        let made = match self.node.worker.task_configs(&self.name, limit.tasks).await {
            Ok(made) => made,
            Err(failure) => return self.retry_task_configs(&failure),
        };
        self.failures = 0;
        if made.len() > limit.tasks as usize {
            let failure = Failure::host(too_many(&self.name, made.len(), limit.tasks));
            if limit.enforced {
                tracing::error!(%failure, "connector failed");
                self.running.task_configs = TaskConfigs::Made;
                let version = self
                    .node
                    .statuses
                    .connector(&self.name)
                    .and_then(|status| status.version);
                return self.report_failure(&failure, version);
            }
            tracing::warn!(%failure, "tasks.max is exceeded and not enforced");
        }
        self.publish_task_configs((&config, revision), made).await;
    }

    async fn publish_task_configs(&mut self, (config, revision): (&Arc<Config>, u64), made: Vec<Config>) {
        let still_wanted = |entry: &Arc<ConnectorEntry>| entry.target != TargetState::Stopped;
        let Some(entry) = self.node.entry(&self.name).filter(still_wanted) else {
            // Deleted or stopped while the connector was thinking.
            self.running.task_configs = TaskConfigs::Made;
            return;
        };
        if !self.running.task_configs_made(&entry, config, &made) {
            return;
        }
        tracing::info!(tasks = made.len(), "task configurations made");
        let leader = self.node.leader.clone();
        let put = leader.put_task_configs(self.name.clone(), made, revision);
        match self.unless_stopped(put).await {
            Some(Ok(())) => self.running.unanswered = false,
            Some(Err(error)) => self.retry_task_configs(&Failure::host(error.to_string())),
            None => self.running.task_configs_given_up(),
        }
    }

    /// Waits for the leader; none if something has to stop first. The leader may be waiting for just that: while the group
    /// shares out work it takes no requests, and the group goes on when each worker says that what was taken away has
    /// stopped. So whoever asks for that is answered meanwhile, too.
    async fn unless_stopped<T>(&mut self, answer: impl Future<Output = T>) -> Option<T> {
        let mut answer = std::pin::pin!(answer);
        loop {
            if self.has_stops() {
                return None;
            }
            self.tell_stopped();
            let room = self.later.len() < INBOX;
            tokio::select! {
                biased;
                answer = &mut answer => return Some(answer),
                () = self.changed.notified() => {}
                Some(command) = self.commands.recv(), if room => {
                    if let Some((change, reply)) = self.note(command) {
                        self.later.push_back(Command::Offsets { change, reply });
                    }
                }
            }
        }
    }

    /// Tries again after a while, forever, as Kafka Connect does: what the connector needs may come back.
    fn retry_task_configs(&mut self, failure: &Failure) {
        let wait = FIRST_RETRY
            .saturating_mul(1 << self.failures.min(16))
            .min(LONGEST_RETRY);
        self.failures += 1;
        tracing::error!(%failure, retry_after = ?wait, "cannot make task configurations");
        self.retry = Some(Instant::now() + wait);
        self.running.task_configs = TaskConfigs::Later;
    }

    /// Reports that the connector failed, after all that the worker has told before.
    fn report_failure(&self, failure: &Failure, version: Option<String>) {
        self.node.drain_events();
        let (state, failure) = (ConnectorState::Failed, Some(failure.clone()));
        let status = self.node.failed(&self.name, Part::Connector, state, failure, version);
        self.node.statuses.put_connector(&self.name, status);
    }
}

/// How many tasks a connector may have.
struct TasksMax {
    tasks: u32,
    enforced: bool,
}

/// Reads `tasks.max` and `tasks.max.enforce` of a validated configuration.
fn tasks_max(config: &Config) -> TasksMax {
    let value = |key: &str| config.get(key).and_then(Option::as_deref).map(str::trim);
    TasksMax {
        tasks: value("tasks.max").and_then(|text| text.parse().ok()).unwrap_or(1),
        enforced: !value("tasks.max.enforce").is_some_and(|text| text.eq_ignore_ascii_case("false")),
    }
}

fn too_many(name: &str, made: usize, max: u32) -> String {
    format!(
        "The connector {name} has generated {made} tasks, which is greater than {max}, the maximum number of tasks it is configured to create. This behaviour should be considered a bug and is disallowed. If necessary, it can be permitted by reconfiguring the connector with 'tasks.max.enforce' set to false; however, this option will be removed in a future release of Kafka Connect."
    )
}

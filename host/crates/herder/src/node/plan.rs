//! What to do next about one connector: what should run and what runs in, one action out. No clock, no I/O.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use caisson_model::TargetState;
use caisson_store::{Config, ConnectorEntry};

/// What runs of one connector, as far as commands have told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Running {
    pub connector: Option<RunningConnector>,
    pub tasks: BTreeMap<u32, RunningTask>,
    /// The connector is to be restarted, though nothing about it has changed.
    pub restart_connector: bool,
    /// These tasks are to be restarted.
    pub restart_tasks: BTreeSet<u32>,
    pub task_configs: TaskConfigs,
    /// Task configurations may still be written down that nobody waits for any more.
    pub unanswered: bool,
}

/// What should run here of one connector: itself, some of its tasks, or both.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    pub entry: Arc<ConnectorEntry>,
    pub connector: bool,
    /// Numbers of tasks that are configured.
    pub tasks: BTreeSet<u32>,
}

/// Whether task configurations have to be made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TaskConfigs {
    #[default]
    Made,
    /// After a start, a resume, or at the connector's own wish.
    Due,
    /// It was tried in vain; due again after a while.
    Later,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RunningConnector {
    pub revision: u64,
    pub target: TargetState,
    /// The resumption for which task configurations were made last.
    pub resumed: u64,
    pub condition: Condition,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RunningTask {
    pub task_revision: u64,
    pub target: TargetState,
    pub condition: Condition,
}

/// How a start went. What became of it later is in the statuses and is no reason for an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    Started,
    /// Not tried again before something changes or a restart is asked for.
    Failed,
}

/// One step towards what should run.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    StopTasks(Vec<u32>),
    StopConnector,
    StartConnector {
        config: Arc<Config>,
        revision: u64,
        target: TargetState,
    },
    SetConnectorState(TargetState),
    MakeTaskConfigs {
        config: Arc<Config>,
        revision: u64,
        resumed: u64,
    },
    StartTask {
        number: u32,
        connector: Arc<Config>,
        task: Arc<Config>,
        task_revision: u64,
        target: TargetState,
    },
    SetTaskState {
        number: u32,
        target: TargetState,
    },
}

/// The next action; none if what runs is what should run. `wanted` is none for a connector of which nothing should run.
pub fn next(wanted: Option<&Wanted>, running: &Running) -> Option<Action> {
    let Some(wanted) = wanted else {
        return dismantle(running);
    };
    // What has to go goes first: another worker may wait for it.
    stop_tasks(wanted, running)
        .or_else(|| connector_step(wanted, running))
        .or_else(|| task_step(wanted, running))
}

/// Whether the next action stops something.
pub fn has_stops(wanted: Option<&Wanted>, running: &Running) -> bool {
    match next(wanted, running) {
        Some(Action::StopTasks(_) | Action::StopConnector) => true,
        Some(
            Action::StartConnector { .. }
            | Action::SetConnectorState(_)
            | Action::MakeTaskConfigs { .. }
            | Action::StartTask { .. }
            | Action::SetTaskState { .. },
        )
        | None => false,
    }
}

fn dismantle(running: &Running) -> Option<Action> {
    if !running.tasks.is_empty() {
        return Some(Action::StopTasks(running.tasks.keys().copied().collect()));
    }
    running.connector.as_ref().map(|_| Action::StopConnector)
}

fn connector_step(wanted: &Wanted, running: &Running) -> Option<Action> {
    let entry = &wanted.entry;
    let Some(connector) = &running.connector else {
        return wanted.connector.then(|| Action::StartConnector {
            config: entry.config.clone(),
            revision: entry.revision,
            target: entry.target,
        });
    };
    // A connector that failed to start can only be stopped. There is nothing to stop, so a new one begins stopped.
    let stopped = |target| target == TargetState::Stopped;
    let begins_anew = connector.condition == Condition::Failed && stopped(connector.target) != stopped(entry.target);
    if !wanted.connector || connector.revision != entry.revision || running.restart_connector || begins_anew {
        return Some(Action::StopConnector);
    }
    match connector.condition {
        Condition::Failed => None,
        Condition::Started if connector.target != entry.target => match entry.target {
            // Its tasks go first, so that a connector which says STOPPED has none.
            TargetState::Stopped if !running.tasks.is_empty() => {
                Some(Action::StopTasks(running.tasks.keys().copied().collect()))
            }
            TargetState::Stopped | TargetState::Started | TargetState::Paused => {
                Some(Action::SetConnectorState(entry.target))
            }
        },
        // It may have been stopped, which took its tasks, and resumed before anybody looked.
        Condition::Started
            if entry.target == TargetState::Started
                && (running.task_configs == TaskConfigs::Due || connector.resumed != entry.resumed) =>
        {
            Some(Action::MakeTaskConfigs {
                config: entry.config.clone(),
                revision: entry.revision,
                resumed: entry.resumed,
            })
        }
        Condition::Started => None,
    }
}

fn stop_tasks(wanted: &Wanted, running: &Running) -> Option<Action> {
    let stale = |number: u32, task: &RunningTask| {
        !wanted.tasks.contains(&number)
            || task.task_revision != wanted.entry.task_revision
            || running.restart_tasks.contains(&number)
    };
    let stale: Vec<u32> = running
        .tasks
        .iter()
        .filter(|(number, task)| stale(**number, task))
        .map(|(number, _)| *number)
        .collect();
    (!stale.is_empty()).then_some(Action::StopTasks(stale))
}

fn task_step(wanted: &Wanted, running: &Running) -> Option<Action> {
    let entry = &wanted.entry;
    for number in &wanted.tasks {
        match running.tasks.get(number) {
            None => {
                return Some(Action::StartTask {
                    number: *number,
                    connector: entry.config.clone(),
                    task: entry.tasks.get(*number as usize)?.clone(),
                    task_revision: entry.task_revision,
                    target: entry.target,
                });
            }
            Some(task) if task.target != entry.target && task.condition == Condition::Started => {
                return Some(Action::SetTaskState {
                    number: *number,
                    target: entry.target,
                });
            }
            Some(_) => {}
        }
    }
    None
}

impl Running {
    pub fn is_empty(&self) -> bool {
        self.connector.is_none() && self.tasks.is_empty()
    }

    /// Notes that tasks are gone.
    pub fn tasks_stopped(&mut self, numbers: &[u32]) {
        for number in numbers {
            self.tasks.remove(number);
            self.restart_tasks.remove(number);
        }
    }

    /// Notes that the connector is gone; what was asked of it is done with it.
    pub fn connector_stopped(&mut self) {
        self.connector = None;
        self.restart_connector = false;
    }

    /// Notes how a start of the connector went.
    pub fn connector_started(&mut self, revision: u64, target: TargetState, condition: Condition) {
        self.connector = Some(RunningConnector {
            revision,
            target,
            resumed: 0,
            condition,
        });
        self.restart_connector = false;
        let due = condition == Condition::Started && target == TargetState::Started;
        self.task_configs = if due { TaskConfigs::Due } else { TaskConfigs::Made };
    }

    /// Notes that the connector was told its new state.
    pub fn connector_set(&mut self, target: TargetState) {
        if let Some(connector) = &mut self.connector {
            connector.target = target;
        }
        self.task_configs = if target == TargetState::Started {
            TaskConfigs::Due
        } else {
            TaskConfigs::Made
        };
    }

    /// Notes for which resumption task configurations are being made.
    pub fn making_task_configs(&mut self, resumed: u64) {
        if let Some(connector) = &mut self.connector {
            connector.resumed = resumed;
        }
    }

    /// Notes that the leader is waited for no longer: it may write down what it was sent after all.
    pub fn task_configs_given_up(&mut self) {
        self.task_configs = TaskConfigs::Due;
        self.unanswered = true;
    }

    /// Whether these task configurations have to take the place of the present ones: their number or content, or the
    /// connector's configuration since they were made, has changed, or others may come after them. Notes that they were made.
    pub fn task_configs_made(&mut self, entry: &ConnectorEntry, from: &Arc<Config>, made: &[Config]) -> bool {
        let same = entry.tasks.len() == made.len() && entry.tasks.iter().zip(made).all(|(old, new)| **old == *new);
        let same_source = entry.made_from.as_ref() == Some(from);
        self.task_configs = TaskConfigs::Made;
        !same || self.unanswered || !same_source && !made.is_empty()
    }
}

#[cfg(test)]
mod tests;

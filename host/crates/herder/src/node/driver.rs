//! One driver per connector: closes the gap between what should run and what runs, one action after the other.
//!
//! It ends by itself when its connector is gone and nothing of it runs. Only a driver gives the worker commands about
//! its connector, so commands about one connector never overlap.

mod claim;
mod perform;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use caisson_model::{ConnectorState, TargetState, TaskId, TaskState};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;
use tracing::Instrument;

use super::Node;
use super::plan::{self, Running, TaskConfigs, Wanted};
use super::recovery::Part;
use crate::Error;
use crate::offsets::{OffsetChanges, OffsetOutcome};

/// Requests that wait for a driver; who comes later waits for room.
const INBOX: usize = 64;
/// The wait after task configurations could not be made; doubled each time, up to the longest.
const FIRST_RETRY: Duration = Duration::from_millis(250);
const LONGEST_RETRY: Duration = Duration::from_secs(60);

/// What may be asked of a driver.
pub enum Command {
    /// Restart the connector itself, these tasks, or both. The answer comes when it was started, or failed to.
    Restart {
        connector: bool,
        tasks: Vec<u32>,
        reply: Option<oneshot::Sender<Result<(), Error>>>,
    },
    /// The connector wants new task configurations.
    Reconfigure,
    /// Answer when what runs is what should.
    Settle(oneshot::Sender<()>),
    /// Answer when nothing runs that should not.
    SettleStops(oneshot::Sender<()>),
    /// Change offsets while nothing runs.
    Offsets {
        change: OffsetCommand,
        reply: oneshot::Sender<Result<OffsetOutcome, Error>>,
    },
}

pub enum OffsetCommand {
    Alter(OffsetChanges),
    Reset,
}

/// Where a driver takes its commands.
#[derive(Clone)]
pub struct Inbox {
    commands: mpsc::Sender<Command>,
    /// The configurations have changed. Apart from the commands, as any number of changes is one reason to look.
    changed: Arc<Notify>,
}

impl Inbox {
    pub fn changed(&self) {
        self.changed.notify_one();
    }

    /// A command to a driver that has ended is dropped, and with it the sender of its answer.
    pub async fn send(&self, command: Command) {
        let _ = self.commands.send(command).await;
    }

    /// For events, which must not wait: a wish that finds the inbox full is dropped and `false`.
    pub fn offer(&self, command: Command) -> bool {
        self.commands.try_send(command).is_ok()
    }
}

/// Starts the driver of a connector.
pub fn start(node: Arc<Node>, name: Arc<str>) -> Inbox {
    let (sender, commands) = mpsc::channel(INBOX);
    let inbox = Inbox {
        commands: sender,
        changed: Arc::new(Notify::new()),
    };
    // Not part of the request that happens to be the first: the driver outlives it.
    let span = tracing::info_span!(parent: None, "connector", connector = %name);
    let driver = Driver {
        node,
        name,
        commands,
        changed: inbox.changed.clone(),
        running: Running::default(),
        settling: Vec::new(),
        stopping: Vec::new(),
        restarting: Vec::new(),
        later: VecDeque::new(),
        retry: None,
        failures: 0,
    };
    tokio::spawn(driver.run().instrument(span));
    inbox
}

struct Driver {
    node: Arc<Node>,
    name: Arc<str>,
    commands: mpsc::Receiver<Command>,
    changed: Arc<Notify>,
    running: Running,
    /// Who waits for rest.
    settling: Vec<oneshot::Sender<()>>,
    /// Who waits for what should not run to be gone.
    stopping: Vec<oneshot::Sender<()>>,
    restarting: Vec<Restarting>,
    /// Commands that came while the leader was waited for, and have to wait for the end of that.
    later: VecDeque<Command>,
    /// When to try again to make task configurations.
    retry: Option<Instant>,
    failures: u32,
}

/// A request that waits for what it had restarted.
struct Restarting {
    connector: bool,
    tasks: Vec<u32>,
    reply: oneshot::Sender<Result<(), Error>>,
}

impl Driver {
    async fn run(mut self) {
        loop {
            while let Some(command) = self.later.pop_front().or_else(|| self.commands.try_recv().ok()) {
                self.take(command).await;
            }
            self.restart_due();
            self.tell_stopped();
            if let Some(action) = plan::next(self.wanted().as_ref(), &self.running) {
                self.perform(action).await;
                continue;
            }
            self.at_rest();
            if self.ends() {
                return;
            }
            self.wait().await;
        }
    }

    fn wanted(&self) -> Option<Wanted> {
        self.node.wanted(&self.name)
    }

    fn has_stops(&self) -> bool {
        plan::has_stops(self.wanted().as_ref(), &self.running)
    }

    /// Answers those who wait for stops if nothing has to stop.
    fn tell_stopped(&mut self) {
        if self.stopping.is_empty() || self.has_stops() {
            return;
        }
        for waiting in self.stopping.drain(..) {
            let _ = waiting.send(());
        }
    }

    fn at_rest(&mut self) {
        for waiting in self.settling.drain(..) {
            let _ = waiting.send(());
        }
        // What was to be restarted has been, or is gone.
        for waiting in self.restarting.drain(..) {
            let _ = waiting.reply.send(Ok(()));
        }
    }

    /// Ends if there is nothing to drive. Decided under the lock under which inboxes are found, so that nobody finds
    /// the inbox of a driver that has ended.
    fn ends(&mut self) -> bool {
        if !self.running.is_empty() {
            return false;
        }
        let mut inboxes = self.node.inboxes();
        let idle = self.wanted().is_none() && self.commands.is_empty();
        if idle {
            inboxes.remove(&self.name);
            self.commands.close();
            self.node.forget_failures(&self.name);
        }
        idle
    }

    async fn wait(&mut self) {
        let retry = self.retry.unwrap_or_else(|| Instant::now() + LONGEST_RETRY);
        let due = self.node.next_due(&self.name).filter(|_| self.is_to_run());
        tokio::select! {
            () = self.changed.notified() => {}
            command = self.commands.recv() => {
                if let Some(command) = command {
                    self.take(command).await;
                }
            }
            () = tokio::time::sleep_until(due.unwrap_or(retry)), if due.is_some() => {}
            () = tokio::time::sleep_until(retry), if self.retry.is_some() => {
                self.retry = None;
                if self.running.task_configs == TaskConfigs::Later {
                    self.running.task_configs = TaskConfigs::Due;
                }
            }
        }
    }

    async fn take(&mut self, command: Command) {
        if let Some((change, reply)) = self.note(command) {
            // Whoever asked may be gone by now; the change is made nevertheless, once.
            let _ = reply.send(self.change_offsets(change).await);
        }
    }

    /// Takes a command for what the next action depends on; gives back what has to be done by itself.
    fn note(&mut self, command: Command) -> Option<(OffsetCommand, oneshot::Sender<Result<OffsetOutcome, Error>>)> {
        match command {
            Command::Restart {
                connector,
                tasks,
                reply,
            } => self.restart(connector, tasks, reply),
            Command::Reconfigure => self.running.task_configs = TaskConfigs::Due,
            Command::Settle(reply) => self.settling.push(reply),
            Command::SettleStops(reply) => self.stopping.push(reply),
            Command::Offsets { change, reply } => return Some((change, reply)),
        }
        None
    }

    fn is_to_run(&self) -> bool {
        self.wanted()
            .is_some_and(|wanted| wanted.entry.target == TargetState::Started)
    }

    /// Has restarted what has failed and waited for long enough, unless it is paused.
    fn restart_due(&mut self) {
        if !self.is_to_run() {
            return;
        }
        for part in self.node.take_due(&self.name) {
            match part {
                Part::Connector if self.running.connector.is_some() => {
                    self.running.restart_connector = true;
                    let status = self.node.status(ConnectorState::Restarting, None, None);
                    self.node.statuses.put_connector(&self.name, status);
                }
                Part::Task(number) if self.running.tasks.contains_key(&number) => {
                    self.running.restart_tasks.insert(number);
                    let status = self.node.status(TaskState::Restarting, None, None);
                    let id = TaskId::new(self.name.clone(), number);
                    self.node.statuses.put_task(&id, status);
                }
                Part::Connector | Part::Task(_) => {}
            }
        }
    }

    fn restart(&mut self, connector: bool, mut tasks: Vec<u32>, reply: Option<oneshot::Sender<Result<(), Error>>>) {
        // What does not run yet starts anyway, and must not be restarted after that.
        let connector = connector && self.running.connector.is_some();
        tasks.retain(|number| self.running.tasks.contains_key(number));
        self.running.restart_connector |= connector;
        self.running.restart_tasks.extend(&tasks);
        let parts = tasks.iter().map(|number| Part::Task(*number));
        for part in parts.chain(connector.then_some(Part::Connector)) {
            self.node.recover(&self.name, |recovery| recovery.asked_for(part));
        }
        if let Some(reply) = reply {
            self.restarting.push(Restarting {
                connector,
                tasks,
                reply,
            });
        }
    }

    /// Answers those who waited for the start of this one thing.
    fn restarted(&mut self, part: Part, failed: bool) {
        let name = self.name.clone();
        let outcome = || match (failed, part) {
            (false, _) => Ok(()),
            (true, Part::Connector) => Err(Error::Other(format!("Failed to start connector: {name}"))),
            (true, Part::Task(number)) => Err(Error::Other(format!("Failed to start task: {name}-{number}"))),
        };
        for waiting in std::mem::take(&mut self.restarting) {
            let concerned = match part {
                Part::Connector => waiting.connector,
                Part::Task(number) => waiting.tasks.contains(&number),
            };
            if concerned {
                let _ = waiting.reply.send(outcome());
            } else {
                self.restarting.push(waiting);
            }
        }
    }

    async fn change_offsets(&mut self, change: OffsetCommand) -> Result<OffsetOutcome, Error> {
        // What still runs of a stopped connector has to be gone first, or its last commit undoes the change.
        while let Some(action) = plan::next(self.wanted().as_ref(), &self.running) {
            self.perform(action).await;
        }
        let entry = self.node.entry(&self.name);
        let entry = entry.ok_or_else(|| Error::connector_not_found(&self.name))?;
        if entry.target != TargetState::Stopped || !self.running.tasks.is_empty() {
            return Err(Error::not_stopped(&self.name));
        }
        let config = entry.config.clone();
        match change {
            OffsetCommand::Alter(changes) => self.node.worker.alter_offsets(&self.name, config, changes).await,
            OffsetCommand::Reset => self.node.worker.reset_offsets(&self.name, config).await,
        }
    }
}

#[cfg(test)]
mod tests;

//! One worker's process: its herder's core, its membership, what it has read of the config topic, and what runs on it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use caisson_model::{GroupProtocol, TaskId};
use caisson_store::Config;
use caisson_store::config::State;

use super::member::Member;
use crate::assignor::{Item, Items};
use crate::distributed::core::{Core, CoreOptions, RequestId, Ticket};
use crate::node::plan::{self, Condition, Running, RunningTask, Wanted};
use crate::node::{Grant, wanted};

pub struct Host {
    /// Counts processes; 0 while there is none.
    pub process: u64,
    pub core: Core,
    pub member: Member,
    /// When its member is looked at next.
    pub tick_at: Option<u64>,
    /// When its core is.
    pub wake_at: Option<u64>,
    pub state: State,
    /// How much of the config topic it has read.
    pub read: usize,
    pub grant: Grant,
    pub running: BTreeMap<Arc<str>, Running>,
    /// Connectors about which an action is under way.
    pub busy: BTreeSet<Arc<str>>,
    /// Of those, the ones that wait for the leader to write task configurations down, and the requests they wait for.
    pub publishing: BTreeMap<Arc<str>, RequestId>,
    /// Who waits for stops, and of which connectors.
    awaited: Vec<(Ticket, BTreeSet<Arc<str>>)>,
    /// Nothing reaches it, and nothing of it reaches anybody.
    pub cut_off: bool,
    /// Its claim of the config topic, as its writer knows it.
    pub claim: u64,
}

fn options(index: usize) -> CoreOptions {
    CoreOptions {
        url: format!("http://w{index}/"),
        protocol: GroupProtocol::Sessioned,
        sync_timeout: Duration::from_secs(3),
        unsync_backoff: Duration::from_secs(300),
        max_delay: Duration::from_secs(20),
        key_ttl: Duration::from_secs(3600),
        key_algorithm: "HmacSHA256".to_owned(),
        key_size: 32,
    }
}

/// Which worker answers at an address.
pub fn at(url: &str) -> Option<usize> {
    url.strip_prefix("http://w")?.strip_suffix('/')?.parse().ok()
}

impl Host {
    pub fn new(index: usize, process: u64, now: u64) -> Host {
        Host {
            process,
            core: Core::new(options(index)),
            member: Member::new(now),
            tick_at: None,
            wake_at: None,
            state: State::default(),
            read: 0,
            grant: Grant::Nothing,
            running: BTreeMap::new(),
            busy: BTreeSet::new(),
            publishing: BTreeMap::new(),
            awaited: Vec::new(),
            cut_off: false,
            claim: 0,
        }
    }

    pub fn runs(&self) -> Items {
        let mut items = Items::new();
        for (name, running) in &self.running {
            if running.connector.is_some() {
                items.insert(Item::Connector(name.clone()));
            }
            let tasks = running.tasks.keys();
            items.extend(tasks.map(|task| Item::Task(TaskId::new(name.clone(), *task))));
        }
        items
    }

    fn wanted(&self, name: &Arc<str>) -> Option<Wanted> {
        let entry = self.state.snapshot().get(name).cloned()?;
        wanted(&self.grant, name, entry)
    }

    /// What is to be done next about a connector; none while something is being done. A wait for the leader is given up
    /// for a stop.
    pub fn next(&mut self, name: &Arc<str>) -> Option<plan::Action> {
        if self.has_stops(name) && self.publishing.remove(name).is_some() {
            self.busy.remove(name);
            if let Some(running) = self.running.get_mut(name) {
                running.task_configs_given_up();
            }
        }
        if self.busy.contains(name) {
            return None;
        }
        let default = Running::default();
        let running = self.running.get(name).unwrap_or(&default);
        plan::next(self.wanted(name).as_ref(), running)
    }

    /// An action is done. Returns task configurations that are to be written down, and the revision they were made from.
    pub fn done(&mut self, name: &Arc<str>, action: plan::Action, condition: Condition) -> Option<(Vec<Config>, u64)> {
        self.busy.remove(name);
        let entry = self.state.snapshot().get(name).cloned();
        let running = self.running.entry(name.clone()).or_default();
        let mut made = None;
        match action {
            plan::Action::StopTasks(numbers) => running.tasks_stopped(&numbers),
            plan::Action::StopConnector => running.connector_stopped(),
            plan::Action::StartConnector { revision, target, .. } => {
                running.connector_started(revision, target, condition);
            }
            plan::Action::SetConnectorState(target) => running.connector_set(target),
            plan::Action::MakeTaskConfigs {
                config,
                revision,
                resumed,
            } => {
                running.making_task_configs(resumed);
                let tasks = config.get("tasks").and_then(|tasks| tasks.as_ref()?.parse().ok());
                let configs = vec![Config::clone(&config); tasks.unwrap_or(1)];
                let due = entry.is_some_and(|entry| running.task_configs_made(&entry, &config, &configs));
                made = due.then_some((configs, revision));
            }
            plan::Action::StartTask {
                number,
                task_revision,
                target,
                ..
            } => {
                let task = RunningTask {
                    task_revision,
                    target,
                    condition,
                };
                running.tasks.insert(number, task);
            }
            plan::Action::SetTaskState { number, target } => {
                if let Some(task) = running.tasks.get_mut(&number) {
                    task.target = target;
                }
            }
        }
        if running.is_empty() {
            self.running.remove(name);
        }
        made
    }

    /// Somebody waits until nothing runs that may not.
    pub fn await_stops(&mut self, ticket: Ticket) {
        let names = self.running.keys().chain(&self.busy).cloned().collect();
        self.awaited.push((ticket, names));
    }

    /// Who need not wait any more: each driver has been seen between two actions with nothing to stop.
    pub fn stopped(&mut self) -> Vec<Ticket> {
        let mut done = Vec::new();
        let mut awaited = std::mem::take(&mut self.awaited);
        awaited.retain_mut(|(ticket, names)| {
            names.retain(|name| self.stops(name));
            if names.is_empty() {
                done.push(*ticket);
            }
            !names.is_empty()
        });
        self.awaited = awaited;
        done
    }

    /// Who waits for the leader says meanwhile that nothing has to stop.
    fn stops(&self, name: &Arc<str>) -> bool {
        let busy = self.busy.contains(name) && !self.publishing.contains_key(name);
        busy || self.has_stops(name)
    }

    fn has_stops(&self, name: &Arc<str>) -> bool {
        let own = self.running.get(name);
        own.is_some_and(|own| plan::has_stops(self.wanted(name).as_ref(), own))
    }

    /// The leader has answered. Whether that was still waited for.
    pub fn published(&mut self, name: &Arc<str>, request: RequestId, well: bool) -> bool {
        let waits = self.publishing.get(name) == Some(&request);
        if waits {
            self.publishing.remove(name);
            self.busy.remove(name);
            if let Some(running) = self.running.get_mut(name).filter(|_| well) {
                running.unanswered = false;
            }
        }
        waits
    }
}

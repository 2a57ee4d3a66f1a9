//! What befalls a world, what is asked of it, and what has to be true of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use caisson_model::{TargetState, TaskId};
use caisson_store::Config;
use caisson_store::config::{ConfigRecord, State};

use super::host::{self, Host};
use super::world::{Asker, What, World};
use crate::Error;
use crate::assignor::{Item, Items};
use crate::distributed::core::{Reply, Request, RequestId};
use crate::herder::Replace;
use crate::node::plan::Condition;

/// How long bad things happen, and how long everything may take to come right afterwards, in milliseconds.
const TROUBLE: u64 = 90_000;
const RECOVERY: u64 = 120_000;
/// After so long task configurations that were not taken are offered again.
const RETRY: u64 = 250;
/// How far behind the config topic a worker is at most when nothing is wrong.
const READ: u64 = 500;
const NAMES: [&str; 4] = ["a", "b", "c", "d"];

impl World {
    /// Lives to the end; how many requests were answered well, or what went wrong.
    pub fn run(&mut self) -> Result<u64, String> {
        self.run_until(TROUBLE + RECOVERY)?;
        self.everything_runs()?;
        Ok(self.answered)
    }

    /// Something happens to the world.
    pub fn befall(&mut self) {
        if self.now > TROUBLE {
            for index in 0..self.hosts.len() {
                self.after(1, What::Heal(index));
            }
            self.after(1, What::Read);
            return;
        }
        let wait = 200 + self.dice.roll(4_000);
        self.after(wait, What::Befall);
        let index = self.dice.roll(self.hosts.len() as u64) as usize;
        match self.dice.roll(12) {
            0 => self.kill(index),
            1 => {
                self.note(|| format!("w{index} is cut off"));
                self.hosts[index].cut_off = true;
                let back = 100 + self.dice.roll(20_000);
                self.after(back, What::Heal(index));
            }
            // Another process claims the config topic, as a leader of another day would.
            2 => self.claim += 1,
            _ => self.somebody_asks(index),
        }
        self.everybody_reads();
    }

    /// Whoever is there reads the config topic to its end.
    fn everybody_reads(&mut self) {
        for index in 0..self.hosts.len() {
            if self.hosts[index].process != 0 && !self.hosts[index].cut_off {
                self.catch_up(index);
            }
        }
    }

    /// In quiet times everybody follows the config topic.
    pub fn follow(&mut self) {
        self.everybody_reads();
        self.after(READ, What::Read);
    }

    fn kill(&mut self, index: usize) {
        self.note(|| format!("w{index} is killed"));
        self.hosts[index].process = 0;
        self.hosts[index].running.clear();
        let lost: Vec<RequestId> = self
            .requests
            .iter()
            .filter(|(_, asked)| asked.of == index)
            .map(|(id, _)| *id)
            .collect();
        for id in lost {
            self.replied(id, Err(Error::Other("connection reset".to_owned())));
        }
        let back = 100 + self.dice.roll(30_000);
        self.after(back, What::Heal(index));
    }

    fn somebody_asks(&mut self, index: usize) {
        let name: Arc<str> = NAMES[self.dice.roll(NAMES.len() as u64) as usize].into();
        let request = match self.dice.roll(9) {
            0 => {
                self.promised.remove(&name);
                self.doubtful.insert(name.clone());
                Request::DeleteConnector { name }
            }
            1 => Request::StopConnector { name },
            2 => {
                let target = [TargetState::Started, TargetState::Paused][self.dice.roll(2) as usize];
                let target = Some(target);
                return self.topic.push(ConfigRecord::TargetState { name, target });
            }
            _ => {
                let tasks = (1 + self.dice.roll(4)).to_string();
                Request::PutConnector {
                    name,
                    config: Config::from([("tasks".to_owned(), Some(tasks))]),
                    target: None,
                    replace: Replace::Allowed,
                    based_on: None,
                }
            }
        };
        if self.hosts[index].process != 0 {
            self.ask_first(index, request);
        }
    }

    /// A request is answered, or will never be.
    pub fn replied(&mut self, id: RequestId, outcome: Result<Reply, Error>) {
        let Some(asked) = self.requests.remove(&id) else {
            return;
        };
        if let Err(Error::Elsewhere { url: Some(url) }) = &outcome
            && !asked.passed_on
            && let Some(leader) = host::at(url)
        {
            let reached = |host: &Host| host.process != 0 && !host.cut_off;
            if reached(&self.hosts[leader]) && reached(&self.hosts[asked.of]) {
                return self.ask(leader, asked.request, asked.by, true);
            }
        }
        self.answered += u64::from(outcome.is_ok());
        match asked.request {
            Request::PutConnector { name, .. } if outcome.is_ok() && !self.doubtful.contains(&name) => {
                self.promised.insert(name);
            }
            Request::PutTasks { name, .. } => self.published(asked.by, name, outcome.is_ok()),
            _ => {}
        }
    }

    /// Task configurations are written down, or are made once more after a while.
    fn published(&mut self, by: Asker, name: Arc<str>, well: bool) {
        let Asker { worker, process, .. } = by;
        if self.hosts[worker].process != process || !self.hosts[worker].published(&name, by.request, well) {
            return;
        }
        if !well {
            self.after(RETRY, What::Again(worker, process, name.clone()));
        }
        self.report_stopped(worker);
        self.drive(worker, name);
    }

    pub fn nothing_runs_twice(&self) -> Result<(), String> {
        let mut seen: BTreeMap<Item, usize> = BTreeMap::new();
        for (index, host) in self.hosts.iter().enumerate() {
            for item in host.runs() {
                if let Some(other) = seen.insert(item.clone(), index) {
                    return Err(format!("{item} runs on workers {other} and {index} at {} ms", self.now));
                }
            }
        }
        Ok(())
    }

    fn everything_runs(&self) -> Result<(), String> {
        let mut state = State::default();
        for (offset, record) in self.topic.iter().enumerate() {
            state.apply(record.clone(), offset as i64);
        }
        let snapshot = state.snapshot();
        if let Some(name) = self.promised.iter().find(|name| !snapshot.contains(name)) {
            return Err(format!("{name} was acknowledged and is lost"));
        }
        let running: Items = self.hosts.iter().flat_map(Host::runs).collect();
        let mut wanted = Items::new();
        for (name, entry) in snapshot.connectors() {
            wanted.insert(Item::Connector(name.clone()));
            let tasks = 0..entry.tasks.len() as u32;
            wanted.extend(tasks.map(|task| Item::Task(TaskId::new(name.clone(), task))));
            let failed = self.hosts.iter().any(|host| {
                let own = host.running.get(name).and_then(|running| running.connector.as_ref());
                own.is_some_and(|own| own.condition == Condition::Failed)
            });
            let asked: Option<usize> = entry.config.get("tasks").and_then(|tasks| tasks.as_ref()?.parse().ok());
            if entry.target == TargetState::Started && Some(entry.tasks.len()) != asked && !failed {
                let made = entry.tasks.len();
                return Err(format!("{name} is to run {asked:?} tasks and has {made}"));
            }
        }
        if running == wanted {
            return Ok(());
        }
        let missing: Vec<String> = wanted.difference(&running).map(Item::to_string).collect();
        let extra: Vec<String> = running.difference(&wanted).map(Item::to_string).collect();
        let stages: Vec<String> = self.hosts.iter().map(|host| host.core.stage()).collect();
        Err(format!(
            "in the end {missing:?} are missing and {extra:?} too many; {stages:?}"
        ))
    }
}

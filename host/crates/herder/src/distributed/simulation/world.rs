//! One world: its clock, its network, its topic and its workers.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use caisson_store::ConfigChange;
use caisson_store::config::ConfigRecord;

use super::coordinator::{Answer, Answers, Ask, Caller, Coordinator};
use super::host::Host;
use super::member::Do;
use crate::distributed::core::{Action, Event, Now, Request, RequestId, Ticket, WriteFailure};
use crate::node::Grant;
use crate::node::plan::{self, Condition};

/// Starts and stops take at most so long. A member is warned three heartbeats before its lease ends, and something that is
/// being started, tasks and a connector have to stop in that time.
const ACTION: u64 = 900;
/// After so long a call counts as unanswered.
const CALL: u64 = 4_000;

/// Xorshift: all that is random here.
pub struct Dice(u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    pub fn one_in(&mut self, sides: u64) -> bool {
        self.roll(sides) == 0
    }

    /// How long a message takes: hardly any time, or now and then a while.
    fn soon(&mut self) -> u64 {
        let longest = if self.one_in(16) { 800 } else { 40 };
        1 + self.roll(longest)
    }
}

pub enum What {
    /// Something reaches a worker, if it is still the same process.
    Deliver(usize, u64, Event),
    Wake(usize, u64),
    NodeDone(usize, u64, Arc<str>, plan::Action),
    Write(usize, u64, Ticket, ConfigChange),
    /// A member's clock.
    Member(usize, u64),
    Ask(Caller, Ask),
    Answer(Caller, Answer),
    /// Task configurations are to be made once more.
    Again(usize, u64, Arc<str>),
    Coordinator,
    Befall,
    Read,
    Heal(usize),
}

pub struct World {
    pub now: u64,
    pub dice: Dice,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    events: BTreeMap<u64, What>,
    pub count: u64,
    processes: u64,
    pub topic: Vec<ConfigRecord>,
    pub claim: u64,
    coordinator: Coordinator,
    pub hosts: Vec<Host>,
    pub requests: BTreeMap<RequestId, Asked>,
    pub answered: u64,
    /// Connectors whose creation was acknowledged, and not asked to be deleted since.
    pub promised: BTreeSet<Arc<str>>,
    /// Connectors of which a deletion was asked for: they may be gone or not.
    pub doubtful: BTreeSet<Arc<str>>,
    /// What has happened, if somebody wants to know.
    history: Option<Vec<String>>,
}

/// What is asked.
pub struct Asked {
    pub request: Request,
    pub of: usize,
    pub by: Asker,
    pub passed_on: bool,
}

/// The worker that has asked, or that a user has asked.
#[derive(Clone, Copy)]
pub struct Asker {
    pub worker: usize,
    pub process: u64,
    /// Its own number of what it has asked, which stays when that is passed on.
    pub request: RequestId,
}

impl World {
    pub fn new(seed: u64) -> World {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let size = 1 + dice.roll(4) as usize;
        let mut world = World {
            now: 1,
            dice,
            queue: BinaryHeap::new(),
            events: BTreeMap::new(),
            count: 0,
            processes: 0,
            topic: Vec::new(),
            claim: 0,
            coordinator: Coordinator::new(),
            hosts: (0..size).map(|index| Host::new(index, 0, 1)).collect(),
            requests: BTreeMap::new(),
            answered: 0,
            promised: BTreeSet::new(),
            doubtful: BTreeSet::new(),
            history: None,
        };
        for index in 0..size {
            world.boot(index);
        }
        world.after(500, What::Coordinator);
        world.after(500, What::Befall);
        world
    }

    /// Keeps what happens for a report.
    pub fn remembering(mut self) -> World {
        self.history = Some(Vec::new());
        self
    }

    pub fn note(&mut self, line: impl FnOnce() -> String) {
        let now = self.now;
        if let Some(history) = &mut self.history {
            history.push(format!("{now} {}", line()));
        }
    }

    /// The last so many things that have happened.
    pub fn history(&self, last: usize) -> String {
        let lines = self.history.as_deref().unwrap_or_default();
        lines[lines.len().saturating_sub(last)..].join("\n")
    }

    /// Lets happen what happens until then. Says what ran twice, if something did.
    pub fn run_until(&mut self, end: u64) -> Result<(), String> {
        while let Some(Reverse((time, id))) = self.queue.pop() {
            if time > end {
                break;
            }
            self.now = time;
            if let Some(what) = self.events.remove(&id) {
                let starts = matches!(what, What::NodeDone(..));
                self.happen(what);
                if starts {
                    self.nothing_runs_twice()?;
                }
            }
        }
        Ok(())
    }

    pub fn after(&mut self, delay: u64, what: What) {
        self.count += 1;
        self.queue.push(Reverse((self.now + delay, self.count)));
        self.events.insert(self.count, what);
    }

    fn is(&self, index: usize, process: u64) -> bool {
        self.hosts[index].process == process
    }

    pub fn boot(&mut self, index: usize) {
        self.processes += 1;
        let process = self.processes;
        self.hosts[index] = Host::new(index, process, self.now);
        self.note(|| format!("w{index} begins"));
        self.after(50, What::Deliver(index, process, Event::Ready));
    }

    fn happen(&mut self, what: What) {
        match what {
            What::Deliver(index, process, event) if self.is(index, process) => self.deliver(index, event),
            What::Wake(index, process) if self.is(index, process) => {
                self.hosts[index].wake_at = None;
                self.step(index, Event::Tick);
            }
            What::NodeDone(index, process, name, action) if self.is(index, process) => {
                self.node_done(index, name, action);
            }
            What::Write(index, process, ticket, change) if self.is(index, process) => {
                self.write(index, ticket, change);
            }
            What::Member(index, process) if self.is(index, process) => {
                self.hosts[index].tick_at = None;
                self.with_member(index, |member, now| member.tick(now));
            }
            What::Again(index, process, name) if self.is(index, process) => {
                if let Some(running) = self.hosts[index].running.get_mut(&name) {
                    running.task_configs = plan::TaskConfigs::Due;
                    self.drive(index, name);
                }
            }
            What::Deliver(..)
            | What::Wake(..)
            | What::NodeDone(..)
            | What::Write(..)
            | What::Member(..)
            | What::Again(..) => {}
            What::Ask(caller, ask) => self.asked(caller, ask),
            What::Answer(caller, answer) => self.answer(caller, answer),
            What::Coordinator => {
                let answers = self.coordinator.tick(self.now);
                self.send(answers);
                self.after(500, What::Coordinator);
            }
            What::Befall => self.befall(),
            What::Read => self.follow(),
            What::Heal(index) => {
                self.note(|| format!("w{index} is well"));
                self.hosts[index].cut_off = false;
                if self.hosts[index].process == 0 {
                    self.boot(index);
                }
            }
        }
    }

    /// What a call comes to that gets no answer: an error at once, or silence for a while.
    fn lost_call(&mut self, caller: Caller) {
        let delay = if self.dice.one_in(2) { self.dice.soon() } else { CALL };
        self.after(delay, What::Answer(caller, Answer::Nothing));
    }

    fn asked(&mut self, caller: Caller, ask: Ask) {
        // What a process said is on its way even when the process is gone.
        if self.hosts[caller.worker].cut_off {
            return self.lost_call(caller);
        }
        let answers = self.coordinator.ask(caller, ask, self.now);
        self.send(answers);
        let answers = self.coordinator.tick(self.now);
        self.send(answers);
    }

    fn send(&mut self, answers: Answers) {
        for (caller, answer) in answers {
            let soon = self.dice.soon();
            self.after(soon, What::Answer(caller, answer));
        }
    }

    fn answer(&mut self, caller: Caller, answer: Answer) {
        if !self.is(caller.worker, caller.process) {
            return;
        }
        if self.hosts[caller.worker].cut_off && !matches!(answer, Answer::Nothing) {
            return self.lost_call(caller);
        }
        self.with_member(caller.worker, |member, now| member.answered(caller.call, answer, now));
    }

    /// Does something with a worker's member, and then what it says.
    fn with_member(&mut self, index: usize, change: impl FnOnce(&mut super::member::Member, u64)) {
        change(&mut self.hosts[index].member, self.now);
        let process = self.hosts[index].process;
        self.hosts[index].member.tick(self.now);
        for action in self.hosts[index].member.take() {
            match action {
                Do::Tell(event) => self.after(1, What::Deliver(index, process, event)),
                Do::Ask(call, ask) => {
                    let caller = Caller {
                        worker: index,
                        process,
                        call,
                    };
                    let soon = self.dice.soon();
                    self.after(soon, What::Ask(caller, ask));
                }
            }
        }
        let host = &mut self.hosts[index];
        if let Some(at) = host.member.next_tick()
            && host.tick_at.is_none_or(|known| at < known)
        {
            host.tick_at = Some(at);
            let delay = at.saturating_sub(self.now).max(1);
            self.after(delay, What::Member(index, process));
        }
    }

    fn deliver(&mut self, index: usize, event: Event) {
        let reachable = !self.hosts[index].cut_off;
        let event = match event {
            Event::Refreshed { ticket, ok } => Event::Refreshed {
                ticket,
                ok: ok && reachable,
            },
            other => other,
        };
        // Most of the time a worker has read what there is; sometimes it is behind, if it was not told to read.
        let reads = matches!(event, Event::Ready | Event::Refreshed { ok: true, .. });
        if reachable && (reads || !self.dice.one_in(4)) {
            self.catch_up(index);
        }
        self.step(index, event);
    }

    pub fn step(&mut self, index: usize, event: Event) {
        let now = Now {
            monotonic: Duration::from_millis(self.now),
            wall: self.now as i64,
        };
        if !matches!(event, Event::Tick | Event::Config(_)) {
            self.note(|| format!("w{index} <- {event:?}"));
        }
        let actions = self.hosts[index].core.step(event, now);
        for action in actions {
            self.perform(index, action);
        }
        let host = &mut self.hosts[index];
        if let Some(at) = host.core.wake_at(now).map(|at| at.as_millis() as u64)
            && host.wake_at.is_none_or(|known| at < known)
        {
            host.wake_at = Some(at);
            let process = host.process;
            let delay = at.saturating_sub(self.now).max(1);
            self.after(delay, What::Wake(index, process));
        }
    }

    /// Reads the config topic to its end.
    pub fn catch_up(&mut self, index: usize) {
        let host = &mut self.hosts[index];
        if host.read == self.topic.len() {
            return;
        }
        for (offset, record) in self.topic.iter().enumerate().skip(host.read) {
            host.state.apply(record.clone(), offset as i64);
        }
        host.read = self.topic.len();
        let snapshot = host.state.snapshot().clone();
        self.step(index, Event::Config(snapshot.clone()));
        let names: Vec<Arc<str>> = snapshot.names().cloned().collect();
        let known: Vec<Arc<str>> = self.hosts[index].running.keys().cloned().collect();
        for name in names.into_iter().chain(known) {
            self.drive(index, name);
        }
    }

    fn perform(&mut self, index: usize, action: Action) {
        self.note(|| format!("w{index} -> {action:?}"));
        let process = self.hosts[index].process;
        let soon = self.dice.soon();
        let reachable = !self.hosts[index].cut_off;
        match action {
            Action::Join { .. } => self.with_member(index, |member, now| member.join(now)),
            Action::Answer(state) => self.with_member(index, |member, _| member.prepared(state)),
            Action::Assign(list) => self.with_member(index, |member, now| member.assigned(list, now)),
            Action::Leave { .. } => self.with_member(index, |member, _| member.leave()),
            Action::Grant { items, offset, .. } => {
                let known = self.hosts[index].running.keys().cloned();
                let names: BTreeSet<_> = known.chain(items.iter().map(|item| item.connector().clone())).collect();
                self.hosts[index].grant = Grant::Items { items, offset };
                for name in names {
                    self.drive(index, name);
                }
            }
            Action::AwaitStopped { ticket } => {
                self.hosts[index].await_stops(ticket);
                self.report_stopped(index);
            }
            Action::Refresh { ticket, within } => {
                let delay = if reachable { soon } else { within.as_millis() as u64 };
                let ok = reachable;
                self.after(delay, What::Deliver(index, process, Event::Refreshed { ticket, ok }));
            }
            Action::Claim { ticket } => {
                let ok = reachable;
                if ok {
                    self.claim += 1;
                    self.hosts[index].claim = self.claim;
                }
                self.after(soon, What::Deliver(index, process, Event::Claimed { ticket, ok }));
            }
            Action::Write { ticket, change } => self.after(soon, What::Write(index, process, ticket, change)),
            Action::RotateKey { ticket } => {
                let key = caisson_store::SessionKey {
                    key: vec![7; 32],
                    algorithm: "HmacSHA256".to_owned(),
                    created: self.now as i64,
                };
                let change = ConfigChange::PutSessionKey(key);
                self.after(soon, What::Write(index, process, ticket, change));
            }
            Action::FenceProducers { ticket, .. } => {
                let outcome = Ok(());
                self.after(soon, What::Deliver(index, process, Event::Fenced { ticket, outcome }));
            }
            Action::Reply { id, outcome } => self.replied(id, outcome),
            Action::CleanStatuses | Action::Restart { .. } | Action::SetLevel { .. } => {}
        }
    }

    fn write(&mut self, index: usize, ticket: Ticket, change: ConfigChange) {
        let process = self.hosts[index].process;
        let outcome = if self.hosts[index].cut_off {
            Err(WriteFailure::Failed("no broker answers".to_owned()))
        } else if change.privileged() && self.hosts[index].claim != self.claim {
            Err(WriteFailure::Fenced)
        } else {
            self.topic.extend(change.records().into_iter().flatten());
            self.catch_up(index);
            Ok(())
        };
        let soon = self.dice.soon();
        self.after(soon, What::Deliver(index, process, Event::Written { ticket, outcome }));
    }

    /// Goes on with what should run of a connector here.
    pub fn drive(&mut self, index: usize, name: Arc<str>) {
        let Some(action) = self.hosts[index].next(&name) else {
            return;
        };
        let process = self.hosts[index].process;
        self.hosts[index].busy.insert(name.clone());
        let delay = 1 + self.dice.roll(ACTION);
        self.after(delay, What::NodeDone(index, process, name, action));
    }

    fn node_done(&mut self, index: usize, name: Arc<str>, action: plan::Action) {
        self.note(|| format!("w{index} {name} {action:?}"));
        let fails = self.dice.one_in(40);
        let condition = if fails { Condition::Failed } else { Condition::Started };
        if let Some((configs, revision)) = self.hosts[index].done(&name, action, condition) {
            let request = Request::PutTasks {
                name: name.clone(),
                configs,
                made_from: Some(revision),
            };
            let id = self.ask_first(index, request);
            self.hosts[index].busy.insert(name.clone());
            self.hosts[index].publishing.insert(name.clone(), id);
        }
        self.report_stopped(index);
        self.drive(index, name);
    }

    pub fn report_stopped(&mut self, index: usize) {
        let process = self.hosts[index].process;
        for ticket in self.hosts[index].stopped() {
            self.after(1, What::Deliver(index, process, Event::Stopped { ticket }));
        }
    }

    /// Asks a worker for something, as its user or as itself.
    pub fn ask_first(&mut self, worker: usize, request: Request) -> RequestId {
        self.count += 1;
        let by = Asker {
            worker,
            process: self.hosts[worker].process,
            request: self.count,
        };
        self.ask(worker, request, by, false);
        by.request
    }

    pub fn ask(&mut self, of: usize, request: Request, by: Asker, passed_on: bool) {
        self.count += 1;
        let id = self.count;
        let asked = Asked {
            request: request.clone(),
            of,
            by,
            passed_on,
        };
        self.requests.insert(id, asked);
        let process = self.hosts[of].process;
        let soon = self.dice.soon();
        self.after(soon, What::Deliver(of, process, Event::Requested { id, request }));
    }
}

//! Kafka's group coordinator, as far as workers can tell: members with deadlines, rounds, generations.

use std::collections::BTreeMap;

use caisson_model::{Assignment, WorkerState};

use crate::assignor::MemberId;

/// Kafka Connect's own defaults, in milliseconds.
pub const SESSION: u64 = 10_000;
pub const REBALANCE: u64 = 60_000;

/// Who waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    pub worker: usize,
    pub process: u64,
    pub call: u64,
}

#[derive(Clone, Debug)]
pub enum Ask {
    Find,
    Join {
        id: Option<MemberId>,
        state: WorkerState,
    },
    Sync {
        id: MemberId,
        generation: i32,
        assignments: Vec<(MemberId, Assignment)>,
    },
    Beat {
        id: MemberId,
        generation: i32,
    },
    Leave {
        id: MemberId,
    },
}

#[derive(Clone, Debug)]
pub enum Answer {
    Fine,
    /// Join again, as this one.
    NewId(MemberId),
    Joined(Generation),
    Synced(Option<Assignment>),
    UnknownMember,
    IllegalGeneration,
    Rebalancing,
    /// What the caller makes of silence, or of a connection that is gone.
    Nothing,
}

#[derive(Clone, Debug)]
pub struct Generation {
    pub number: i32,
    pub leader: MemberId,
    /// For the leader: what each member says of itself.
    pub members: Vec<(MemberId, Option<WorkerState>)>,
}

pub type Answers = Vec<(Caller, Answer)>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Members join, until all have or the time is over.
    Joining {
        until: u64,
    },
    /// The leader shares out; until then it has time, and so have the others to ask for their parts.
    Sharing {
        until: u64,
    },
    Stable,
}

struct Member {
    deadline: u64,
    state: WorkerState,
    joining: Option<Caller>,
    syncing: Option<Caller>,
    /// Asked for its part of this generation.
    synced: bool,
}

pub struct Coordinator {
    members: BTreeMap<MemberId, Member>,
    phase: Phase,
    generation: i32,
    leader: Option<MemberId>,
    assignments: BTreeMap<MemberId, Assignment>,
    made: u64,
}

impl Coordinator {
    pub fn new() -> Coordinator {
        Coordinator {
            members: BTreeMap::new(),
            phase: Phase::Stable,
            generation: 0,
            leader: None,
            assignments: BTreeMap::new(),
            made: 0,
        }
    }

    pub fn ask(&mut self, caller: Caller, ask: Ask, now: u64) -> Answers {
        let mut answers = Answers::new();
        match ask {
            Ask::Find => answers.push((caller, Answer::Fine)),
            Ask::Join { id: None, .. } => {
                self.made += 1;
                let id = format!("w{}-{}", caller.worker, self.made).into();
                answers.push((caller, Answer::NewId(id)));
            }
            Ask::Join { id: Some(id), state } => self.join(caller, id, state, now, &mut answers),
            Ask::Sync {
                id,
                generation,
                assignments,
            } => self.sync(caller, &id, generation, assignments, &mut answers),
            Ask::Beat { id, generation } => answers.push((caller, self.beat(&id, generation, now))),
            Ask::Leave { id } => {
                if self.members.remove(&id).is_some() {
                    self.begin(now, &mut answers);
                }
                answers.push((caller, Answer::Fine));
            }
        }
        answers
    }

    /// An id that was given and never used is taken as one that is new, as long as it is its worker's newest.
    fn join(&mut self, caller: Caller, id: MemberId, state: WorkerState, now: u64, answers: &mut Answers) {
        let newest = self.made.to_string();
        let fresh = id.strip_prefix(&format!("w{}-", caller.worker)) == Some(newest.as_str());
        let known = self.members.get_mut(&id);
        if known.is_none() && !fresh {
            return answers.push((caller, Answer::UnknownMember));
        }
        if let Some(member) = known {
            let same = member.state == state && self.leader.as_ref() != Some(&id);
            if same && !matches!(self.phase, Phase::Joining { .. }) {
                // Nothing new: it hears again of the generation that there is.
                member.deadline = now + SESSION;
                let generation = self.described(&id);
                return answers.push((caller, Answer::Joined(generation)));
            }
        }
        if !matches!(self.phase, Phase::Joining { .. }) {
            self.begin(now, answers);
        }
        let member = Member {
            deadline: now + SESSION,
            state,
            joining: Some(caller),
            syncing: None,
            synced: false,
        };
        self.members.insert(id, member);
    }

    fn described(&self, id: &MemberId) -> Generation {
        let leader = self.leader.clone().unwrap_or_else(|| id.clone());
        let all = self.members.iter().filter(|_| leader == *id);
        Generation {
            number: self.generation,
            members: all
                .map(|(id, member)| (id.clone(), Some(member.state.clone())))
                .collect(),
            leader,
        }
    }

    /// Begins a round.
    fn begin(&mut self, now: u64, answers: &mut Answers) {
        if matches!(self.phase, Phase::Joining { .. }) {
            return;
        }
        self.phase = Phase::Joining { until: now + REBALANCE };
        for member in self.members.values_mut() {
            member.synced = false;
            let syncing = member.syncing.take();
            answers.extend(syncing.map(|caller| (caller, Answer::Rebalancing)));
        }
    }

    fn sync(
        &mut self,
        caller: Caller,
        id: &MemberId,
        generation: i32,
        assignments: Vec<(MemberId, Assignment)>,
        answers: &mut Answers,
    ) {
        let Some(member) = self.members.get_mut(id) else {
            return answers.push((caller, Answer::UnknownMember));
        };
        if generation != self.generation {
            return answers.push((caller, Answer::IllegalGeneration));
        }
        match self.phase {
            Phase::Joining { .. } => answers.push((caller, Answer::Rebalancing)),
            Phase::Sharing { .. } => {
                member.synced = true;
                member.syncing = Some(caller);
                if self.leader.as_ref() == Some(id) {
                    self.phase = Phase::Stable;
                    self.assignments = assignments.into_iter().collect();
                    for (id, member) in &mut self.members {
                        let syncing = member.syncing.take();
                        let own = Answer::Synced(self.assignments.get(id).cloned());
                        answers.extend(syncing.map(|caller| (caller, own)));
                    }
                }
            }
            Phase::Stable => {
                member.synced = true;
                answers.push((caller, Answer::Synced(self.assignments.get(id).cloned())));
            }
        }
    }

    fn beat(&mut self, id: &MemberId, generation: i32, now: u64) -> Answer {
        let Some(member) = self.members.get_mut(id) else {
            return Answer::UnknownMember;
        };
        if generation != self.generation {
            return Answer::IllegalGeneration;
        }
        member.deadline = now + SESSION;
        match self.phase {
            Phase::Joining { .. } => Answer::Rebalancing,
            Phase::Sharing { .. } | Phase::Stable => Answer::Fine,
        }
    }

    /// Time passes: the silent are given up, and a round goes on without those who did not join.
    pub fn tick(&mut self, now: u64) -> Answers {
        let mut answers = Answers::new();
        let late = match self.phase {
            Phase::Sharing { until } => now >= until,
            Phase::Joining { .. } | Phase::Stable => false,
        };
        // Who waits for a round to end is not expected to say anything else.
        let silent = |member: &Member| member.deadline <= now && member.joining.is_none() && member.syncing.is_none();
        let before = self.members.len();
        self.members
            .retain(|_, member| !silent(member) && (!late || member.synced));
        if self.members.len() < before || late {
            self.begin(now, &mut answers);
        }
        self.complete(now, &mut answers);
        answers
    }

    fn complete(&mut self, now: u64, answers: &mut Answers) {
        let Phase::Joining { until } = self.phase else { return };
        if now >= until {
            self.members.retain(|_, member| member.joining.is_some());
        }
        if self.members.is_empty() || self.members.values().any(|member| member.joining.is_none()) {
            return;
        }
        self.generation += 1;
        self.phase = Phase::Sharing { until: now + REBALANCE };
        self.assignments.clear();
        let stays = self.leader.take().filter(|id| self.members.contains_key(id));
        self.leader = stays.or_else(|| self.members.keys().next().cloned());
        let ids: Vec<MemberId> = self.members.keys().cloned().collect();
        for id in ids {
            let generation = self.described(&id);
            if let Some(member) = self.members.get_mut(&id) {
                member.deadline = now + SESSION;
                let joining = member.joining.take();
                answers.extend(joining.map(|caller| (caller, Answer::Joined(generation))));
            }
        }
    }
}

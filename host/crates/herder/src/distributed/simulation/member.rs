//! A worker's membership, as the native one behaves: one question to the herder at a time, a lease that ends before the
//! coordinator gives the member up, and a herder that is warned before that.

use caisson_model::{Assignment, GroupProtocol, WorkerState};

use super::coordinator::{Answer, Ask, Generation, REBALANCE, SESSION};
use crate::assignor::MemberId;
use crate::distributed::core::{Event, Joined, Leading};

const HEARTBEAT: u64 = 3_000;
/// Less than the session, for clocks that run apart.
const LEASE: u64 = SESSION - SESSION / 10;
const PATIENCE: u64 = REBALANCE - REBALANCE / 10;
const BACKOFF: u64 = 300;

pub enum Do {
    Ask(u64, Ask),
    Tell(Event),
}

#[derive(Clone)]
enum Phase {
    Out,
    Due {
        at: u64,
    },
    /// The herder is asked for its state.
    Preparing,
    Joining {
        state: WorkerState,
    },
    /// The herder is asked for assignments.
    Leading {
        leader: MemberId,
    },
    Syncing {
        leader: MemberId,
        sent: u64,
    },
    Member,
}

/// Whether the coordinator is known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coordinator {
    Known,
    Unknown { ask_at: u64 },
    Asked(u64),
}

pub struct Member {
    phase: Phase,
    coordinator: Coordinator,
    id: Option<MemberId>,
    generation: i32,
    announced: bool,
    silent: bool,
    heard: u64,
    settled: u64,
    lost_at: Option<u64>,
    lease: u64,
    next_beat: u64,
    /// The call of a heartbeat, when it was sent, and for which generation.
    beating: Option<(u64, u64, i32)>,
    /// The call of a join or sync.
    pending: Option<u64>,
    again: bool,
    calls: u64,
    out: Vec<Do>,
}

impl Member {
    pub fn new(now: u64) -> Member {
        Member {
            phase: Phase::Out,
            coordinator: Coordinator::Unknown { ask_at: now },
            id: None,
            generation: -1,
            announced: false,
            silent: false,
            heard: now,
            settled: now,
            lost_at: None,
            lease: 0,
            next_beat: now,
            beating: None,
            pending: None,
            again: false,
            calls: 0,
            out: Vec::new(),
        }
    }

    pub fn take(&mut self) -> Vec<Do> {
        std::mem::take(&mut self.out)
    }

    fn ask(&mut self, ask: Ask) -> u64 {
        self.calls += 1;
        self.out.push(Do::Ask(self.calls, ask));
        self.calls
    }

    pub fn join(&mut self, now: u64) {
        match self.phase {
            Phase::Out | Phase::Member => self.phase = Phase::Due { at: now },
            Phase::Due { .. } | Phase::Preparing => {}
            Phase::Joining { .. } | Phase::Leading { .. } | Phase::Syncing { .. } => self.again = true,
        }
    }

    pub fn leave(&mut self) {
        if let Some(id) = self.id.take()
            && self.coordinator == Coordinator::Known
        {
            self.ask(Ask::Leave { id });
        }
        self.pending = None;
        self.forget();
        self.phase = Phase::Out;
        self.announced = false;
        self.again = false;
    }

    /// The herder's answer to [`Event::Preparing`].
    pub fn prepared(&mut self, state: WorkerState) {
        if matches!(self.phase, Phase::Preparing) {
            self.send_join(state);
        }
    }

    fn send_join(&mut self, state: WorkerState) {
        let id = self.id.clone();
        self.pending = Some(self.ask(Ask::Join {
            id,
            state: state.clone(),
        }));
        self.phase = Phase::Joining { state };
    }

    /// The herder's answer to [`Event::Leading`].
    pub fn assigned(&mut self, assignments: Vec<(MemberId, Assignment)>, now: u64) {
        if let Phase::Leading { leader } = self.phase.clone() {
            self.sync(leader, assignments, now);
        }
    }

    fn sync(&mut self, leader: MemberId, assignments: Vec<(MemberId, Assignment)>, now: u64) {
        let Some(id) = self.id.clone() else { return };
        let generation = self.generation;
        self.pending = Some(self.ask(Ask::Sync {
            id,
            generation,
            assignments,
        }));
        self.phase = Phase::Syncing { leader, sent: now };
    }

    pub fn tick(&mut self, now: u64) {
        if matches!(self.phase, Phase::Out) {
            return;
        }
        if self.announced && now >= self.lease {
            self.id = None;
            self.lose(now);
        } else if self.announced && !self.silent && now >= self.silence() {
            self.silent = true;
            self.out.push(Do::Tell(Event::Unreachable));
        }
        if matches!(self.coordinator, Coordinator::Unknown { ask_at } if ask_at <= now) {
            self.coordinator = Coordinator::Asked(self.ask(Ask::Find));
        }
        if self.coordinator != Coordinator::Known {
            return;
        }
        if matches!(self.phase, Phase::Due { at } if at <= now) {
            self.phase = Phase::Preparing;
            self.out.push(Do::Tell(Event::Preparing));
        }
        if let Some(id) = self.id.clone()
            && self.generation >= 0
            && self.beating.is_none()
            && self.next_beat <= now
        {
            let generation = self.generation;
            self.beating = Some((self.ask(Ask::Beat { id, generation }), now, generation));
        }
    }

    pub fn next_tick(&self) -> Option<u64> {
        if matches!(self.phase, Phase::Out) {
            return None;
        }
        let lease = self.announced.then_some(self.lease);
        let silence = (self.announced && !self.silent).then(|| self.silence());
        let due = match (self.coordinator, &self.phase) {
            (Coordinator::Unknown { ask_at }, _) => Some(ask_at),
            (Coordinator::Known, Phase::Due { at }) => Some(*at),
            (Coordinator::Known | Coordinator::Asked(_), _) => None,
        };
        let beats = self.coordinator == Coordinator::Known && self.generation >= 0 && self.beating.is_none();
        let beat = beats.then_some(self.next_beat);
        [lease, silence, due, beat].into_iter().flatten().min()
    }

    fn silence(&self) -> u64 {
        let unanswered = self.heard + 2 * HEARTBEAT;
        self.lost_at.map_or(unanswered, |lost| unanswered.min(lost + HEARTBEAT))
    }

    fn lose(&mut self, now: u64) {
        let at = if std::mem::take(&mut self.announced) {
            self.out.push(Do::Tell(Event::Lost));
            now
        } else {
            now + BACKOFF
        };
        self.forget();
        self.rejoin(at);
    }

    fn forget(&mut self) {
        self.generation = -1;
        self.lease = 0;
        self.silent = false;
    }

    fn rejoin(&mut self, at: u64) {
        self.again = false;
        if !matches!(self.phase, Phase::Preparing) {
            self.pending = None;
            self.phase = Phase::Due { at };
        }
    }

    pub fn answered(&mut self, call: u64, answer: Answer, now: u64) {
        if self.coordinator == Coordinator::Asked(call) {
            self.found(&answer, now);
        } else if let Some((_, sent, generation)) = self.beating.take_if(|(own, ..)| *own == call) {
            self.beaten(&answer, sent, generation, now);
        } else if self.pending == Some(call) {
            self.pending = None;
            match self.phase.clone() {
                Phase::Joining { state } => self.join_answered(answer, state, now),
                Phase::Syncing { leader, sent } => self.sync_answered(answer, leader, sent, now),
                Phase::Out | Phase::Due { .. } | Phase::Preparing | Phase::Leading { .. } | Phase::Member => {}
            }
        }
    }

    fn found(&mut self, answer: &Answer, now: u64) {
        if matches!(answer, Answer::Nothing) {
            self.coordinator = Coordinator::Unknown { ask_at: now + BACKOFF };
            return;
        }
        self.coordinator = Coordinator::Known;
        if matches!(self.phase, Phase::Joining { .. } | Phase::Syncing { .. }) {
            self.rejoin(now);
        }
        self.next_beat = now;
    }

    fn join_answered(&mut self, answer: Answer, state: WorkerState, now: u64) {
        match answer {
            Answer::NewId(id) => {
                self.id = Some(id);
                self.send_join(state);
            }
            Answer::Joined(generation) => self.lead_or_follow(generation, now),
            answer => self.refused(&answer, now),
        }
    }

    fn lead_or_follow(&mut self, generation: Generation, now: u64) {
        self.generation = generation.number;
        let Some(id) = self.id.clone() else { return };
        if generation.leader != id {
            return self.sync(generation.leader, Vec::new(), now);
        }
        self.phase = Phase::Leading { leader: id.clone() };
        self.out.push(Do::Tell(Event::Leading(Leading {
            generation: generation.number,
            protocol: GroupProtocol::Sessioned,
            member_id: id,
            members: generation.members,
        })));
    }

    fn sync_answered(&mut self, answer: Answer, leader: MemberId, sent: u64, now: u64) {
        let Some(member_id) = self.id.clone() else { return };
        match answer {
            Answer::Synced(assignment) => {
                self.phase = Phase::Member;
                self.settled = self.settled.max(sent);
                self.heard(sent, sent + LEASE);
                self.announced = true;
                self.silent = false;
                self.next_beat = now + HEARTBEAT;
                self.out.push(Do::Tell(Event::Joined(Joined {
                    generation: self.generation,
                    protocol: GroupProtocol::Sessioned,
                    member_id,
                    leader_id: leader,
                    assignment,
                })));
                if self.again {
                    self.rejoin(now);
                }
            }
            Answer::Rebalancing => self.rejoin(now),
            answer => self.refused(&answer, now),
        }
    }

    fn beaten(&mut self, answer: &Answer, sent: u64, generation: i32, now: u64) {
        self.next_beat = sent + HEARTBEAT;
        match answer {
            Answer::Nothing => self.lose_coordinator(now),
            _ if generation != self.generation => {}
            Answer::Fine => {
                self.settled = self.settled.max(sent);
                self.heard(sent, sent + LEASE);
                if self.silent && matches!(self.phase, Phase::Member) {
                    self.rejoin(now);
                }
            }
            Answer::Rebalancing => {
                self.heard(sent, (sent + LEASE).min(self.settled + PATIENCE));
                if matches!(self.phase, Phase::Member) {
                    self.rejoin(now);
                }
            }
            Answer::IllegalGeneration if matches!(self.phase, Phase::Joining { .. }) => {}
            answer => self.refused(answer, now),
        }
    }

    fn heard(&mut self, sent: u64, lease: u64) {
        self.heard = self.heard.max(sent);
        self.lost_at = None;
        self.lease = self.lease.max(lease);
    }

    fn refused(&mut self, answer: &Answer, now: u64) {
        match answer {
            Answer::UnknownMember => {
                self.id = None;
                self.lose(now);
            }
            Answer::IllegalGeneration => self.lose(now),
            _ => {
                if matches!(answer, Answer::Nothing) {
                    self.lose_coordinator(now);
                }
                self.rejoin(now + BACKOFF);
            }
        }
    }

    fn lose_coordinator(&mut self, now: u64) {
        if self.coordinator == Coordinator::Known {
            self.lost_at.get_or_insert(now);
            self.coordinator = Coordinator::Unknown { ask_at: now + BACKOFF };
        }
    }
}

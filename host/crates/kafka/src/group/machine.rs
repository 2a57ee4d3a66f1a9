//! The membership's decisions: what happened and when comes in, what is to be done goes out. No clock, no network.
//!
//! Kafka's `AbstractCoordinator` and Kafka Connect's `WorkerCoordinator` are the models. Different are the lease, and that
//! heartbeats go on while a join is under way.

mod answers;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

use std::time::Duration;

use super::{GroupOptions, Joined, Loss, MemberAssignment, MemberMetadata, Subprotocol};
use crate::clock::Moment;
use crate::error::Error;

pub(super) const FIRST_BACKOFF: Duration = Duration::from_millis(100);
pub(super) const LAST_BACKOFF: Duration = Duration::from_secs(1);

/// What is to be done. Of each pair of question and answer one is under way at a time.
#[derive(Debug)]
pub(super) enum Action {
    /// Find the coordinator; answered by [`Machine::found`] or [`Machine::not_found`].
    Find,
    /// Ask for metadata; answered by [`Machine::prepared`].
    Prepare {
        reason: String,
    },
    /// Answered by [`Machine::join_answered`].
    Join {
        member_id: String,
        subprotocols: Vec<Subprotocol>,
        reason: String,
    },
    /// Ask for assignments; answered by [`Machine::assigned`].
    Lead {
        generation: i32,
        protocol: String,
        member_id: String,
        members: Vec<MemberMetadata>,
    },
    /// Answered by [`Machine::sync_answered`].
    Sync {
        generation: i32,
        member_id: String,
        protocol: String,
        assignments: Vec<MemberAssignment>,
    },
    /// Answered by [`Machine::heartbeat_answered`].
    Heartbeat(Beat),
    /// Has no answer.
    Leave {
        member_id: String,
        reason: String,
    },
    /// Whatever is under way of preparing, joining, leading and syncing has become void.
    Abandon,
    Joined(Joined),
    Unreachable,
    Lost(Loss),
    /// The end.
    Failed(Error),
}

/// For whom a heartbeat is, as its answer may come when that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Beat {
    pub generation: i32,
    pub member_id: String,
}

/// Where a membership is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    /// No member, and not asked to be one.
    Out,
    /// As above, until somebody polls after that moment.
    GivenUp {
        at: Moment,
    },
    /// Is to join, not before that moment.
    Due {
        reason: String,
        at: Moment,
    },
    /// Metadata is asked for.
    Preparing {
        reason: String,
    },
    Joining {
        subprotocols: Vec<Subprotocol>,
        reason: String,
    },
    /// Assignments are asked for.
    Leading {
        leader_id: String,
    },
    Syncing {
        leader_id: String,
    },
    Member,
}

/// Whether it is known who coordinates the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coordinator {
    Known,
    /// And when to ask.
    Unknown {
        ask_at: Moment,
    },
    /// The question is out.
    Asked,
}

pub(super) struct Machine {
    options: GroupOptions,
    phase: Phase,
    coordinator: Coordinator,
    /// Empty before the coordinator gave one.
    member_id: String,
    /// -1 for none.
    generation: i32,
    protocol: String,
    /// A generation was announced and not lost since.
    announced: bool,
    /// The announced membership was told to stop its work, as the coordinator is silent.
    silent: bool,
    /// Whether any join has succeeded since the start. A refusal of credentials is then a trouble of brokers that may
    /// pass; before, it is a mistake in the settings.
    proven: bool,
    /// When the newest acknowledged request was sent.
    heard: Moment,
    /// When the newest request was sent of which the answer knew of no rebalance.
    settled_at: Moment,
    /// When the answer came that made this a member of the generation.
    synced_at: Moment,
    /// When the coordinator was lost first, since it was heard of last.
    lost_at: Option<Moment>,
    lease: Option<Moment>,
    /// When the next heartbeat is due; the question is out if none.
    next_heartbeat: Option<Moment>,
    /// A rebalance that was asked for while one was under way.
    again: Option<String>,
    backoff: Backoff,
    actions: Vec<Action>,
}

impl Machine {
    /// `seed` makes the jitter of pauses.
    pub(super) fn new(options: GroupOptions, now: Moment, seed: u64) -> Machine {
        Machine {
            options,
            phase: Phase::Out,
            coordinator: Coordinator::Unknown { ask_at: now },
            member_id: String::new(),
            generation: -1,
            protocol: String::new(),
            announced: false,
            silent: false,
            proven: false,
            heard: now,
            settled_at: now,
            synced_at: now,
            lost_at: None,
            lease: None,
            next_heartbeat: Some(now),
            again: None,
            backoff: Backoff::new(seed),
            actions: Vec::new(),
        }
    }

    /// What is to be done now, in this order.
    pub(super) fn take_actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }

    /// Until when the member may act for the group.
    pub(super) fn lease(&self) -> Option<Moment> {
        self.lease.filter(|_| self.announced)
    }

    /// As whom something can be said in the name of the group: the generation and the member's id; none if it is no member.
    pub(super) fn membership(&self) -> Option<(i32, &str)> {
        (self.generation >= 0).then_some((self.generation, self.member_id.as_str()))
    }

    /// Whether it is known where the coordinator is.
    pub(super) fn knows_coordinator(&self) -> bool {
        self.coordinator == Coordinator::Known
    }

    /// Whether nothing happens until somebody wants to join.
    pub(super) fn is_out(&self) -> bool {
        matches!(self.phase, Phase::Out | Phase::GivenUp { .. })
    }

    /// Somebody wants to join, or a rebalance.
    pub(super) fn join(&mut self, reason: String, now: Moment) {
        match self.phase {
            Phase::Out | Phase::GivenUp { .. } | Phase::Member => self.phase = Phase::Due { reason, at: now },
            // The metadata is yet to be asked for.
            Phase::Due { .. } | Phase::Preparing { .. } => {}
            Phase::Joining { .. } | Phase::Leading { .. } | Phase::Syncing { .. } => self.again = Some(reason),
        }
    }

    /// Somebody wants to leave.
    pub(super) fn leave(&mut self, reason: String) {
        if !matches!(
            self.phase,
            Phase::Out | Phase::GivenUp { .. } | Phase::Due { .. } | Phase::Member
        ) {
            self.actions.push(Action::Abandon);
        }
        // A static member keeps its place until its session ends.
        let is_static = self.options.instance.is_some();
        if !self.member_id.is_empty() && !is_static && self.coordinator == Coordinator::Known {
            let member_id = std::mem::take(&mut self.member_id);
            self.actions.push(Action::Leave { member_id, reason });
        }
        self.forget();
        self.phase = Phase::Out;
        self.announced = false;
        self.again = None;
    }

    /// The metadata of a join; none if it was withdrawn.
    pub(super) fn prepared(&mut self, subprotocols: Option<Vec<Subprotocol>>) {
        let Phase::Preparing { reason } = &self.phase else {
            return;
        };
        let reason = reason.clone();
        match subprotocols {
            Some(subprotocols) => self.send_join(subprotocols, reason),
            None => self.leave("the join was withdrawn".to_owned()),
        }
    }

    fn send_join(&mut self, subprotocols: Vec<Subprotocol>, reason: String) {
        self.actions.push(Action::Join {
            member_id: self.member_id.clone(),
            subprotocols: subprotocols.clone(),
            reason: reason.clone(),
        });
        self.phase = Phase::Joining { subprotocols, reason };
    }

    /// The assignments of a generation that this member leads; none if they were withdrawn.
    pub(super) fn assigned(&mut self, assignments: Option<Vec<MemberAssignment>>, now: Moment) {
        let Phase::Leading { leader_id } = &self.phase else {
            return;
        };
        let leader_id = leader_id.clone();
        match assignments {
            Some(assignments) => self.sync(leader_id, assignments),
            None => self.join_later("the leader made no assignment", now),
        }
    }

    fn sync(&mut self, leader_id: String, assignments: Vec<MemberAssignment>) {
        self.actions.push(Action::Sync {
            generation: self.generation,
            member_id: self.member_id.clone(),
            protocol: self.protocol.clone(),
            assignments,
        });
        self.phase = Phase::Syncing { leader_id };
    }

    /// Time has passed. `polled` is when somebody polled last; `quiet` says that no event waits to be taken.
    pub(super) fn tick(&mut self, now: Moment, polled: Moment, quiet: bool) {
        let poll_ends = polled + self.options.rebalance_timeout;
        match self.phase {
            Phase::Out => return,
            Phase::GivenUp { at } if polled <= at => return,
            Phase::GivenUp { .. } => self.join("worker polls again".to_owned(), now),
            _ if now >= poll_ends => return self.give_up(now),
            _ => {}
        }
        self.watch_lease(now);
        if let Coordinator::Unknown { ask_at } = self.coordinator
            && now >= ask_at
        {
            self.coordinator = Coordinator::Asked;
            self.actions.push(Action::Find);
        }
        if self.coordinator != Coordinator::Known {
            return;
        }
        if let Phase::Due { reason, at } = &self.phase
            && now >= *at
            && quiet
        {
            let reason = reason.clone();
            self.actions.push(Action::Prepare { reason: reason.clone() });
            self.phase = Phase::Preparing { reason };
        }
        if self.generation >= 0 && self.next_heartbeat.is_some_and(|due| now >= due) {
            self.next_heartbeat = None;
            self.actions.push(Action::Heartbeat(Beat {
                generation: self.generation,
                member_id: self.member_id.clone(),
            }));
        }
    }

    /// Nobody polls: whoever should do the work is stuck or gone.
    fn give_up(&mut self, now: Moment) {
        let announced = self.announced;
        self.leave(Loss::PollExpired.to_string());
        if announced {
            self.actions.push(Action::Lost(Loss::PollExpired));
        }
        self.phase = Phase::GivenUp { at: now };
    }

    /// Whether it waits for somebody to poll.
    pub(super) fn has_given_up(&self) -> bool {
        matches!(self.phase, Phase::GivenUp { .. })
    }

    fn watch_lease(&mut self, now: Moment) {
        if !self.announced {
            return;
        }
        if self.lease.is_none_or(|lease| now >= lease) {
            self.lose(Loss::LeaseExpired, now);
            self.member_id.clear();
        } else if self.may_fall_silent() && now >= self.silence() {
            self.silent = true;
            self.actions.push(Action::Unreachable);
        }
    }

    fn may_fall_silent(&self) -> bool {
        self.options.stops_in_silence && !self.silent
    }

    /// When a coordinator that is not heard of counts as unreachable: after being unknown for a heartbeat interval, as in
    /// Kafka Connect; or when two heartbeats in a row are unanswered, as a connection may stay open and be dead.
    fn silence(&self) -> Moment {
        let interval = self.options.heartbeat_interval;
        let unanswered = self.heard + interval * 2;
        self.lost_at.map_or(unanswered, |lost| unanswered.min(lost + interval))
    }

    /// The membership is gone, and a new one is wanted.
    fn lose(&mut self, loss: Loss, now: Moment) {
        let mut at = now;
        if std::mem::take(&mut self.announced) {
            self.actions.push(Action::Lost(loss.clone()));
        } else {
            at = now + self.backoff.next();
        }
        self.forget();
        self.rejoin(format!("membership was lost: {loss}"), at);
    }

    /// Forgets the generation.
    fn forget(&mut self) {
        self.generation = -1;
        self.lease = None;
        self.silent = false;
    }

    /// Begins again with a join, whatever is under way. One that waits for its metadata goes on waiting: the question is
    /// the same, and whoever is asked hears of a loss by an event of its own.
    fn rejoin(&mut self, reason: String, at: Moment) {
        self.again = None;
        match self.phase {
            Phase::Preparing { .. } => return,
            Phase::Joining { .. } | Phase::Leading { .. } | Phase::Syncing { .. } => self.actions.push(Action::Abandon),
            Phase::Out | Phase::GivenUp { .. } | Phase::Due { .. } | Phase::Member => {}
        }
        self.phase = Phase::Due { reason, at };
    }

    fn join_later(&mut self, reason: &str, now: Moment) {
        let at = now + self.backoff.next();
        self.rejoin(reason.to_owned(), at);
    }

    /// When [`Machine::tick`] is to be called at the latest; none: nothing happens by itself.
    pub(super) fn next_tick(&self, polled: Moment) -> Option<Moment> {
        if matches!(self.phase, Phase::Out | Phase::GivenUp { .. }) {
            return None;
        }
        let mut next = polled + self.options.rebalance_timeout;
        if self.announced {
            next = next.min(self.lease.unwrap_or(next));
            if self.may_fall_silent() {
                next = next.min(self.silence());
            }
        }
        match self.coordinator {
            Coordinator::Unknown { ask_at } => next = next.min(ask_at),
            Coordinator::Asked => {}
            Coordinator::Known => {
                if let Phase::Due { at, .. } = self.phase {
                    next = next.min(at);
                }
                if self.generation >= 0 {
                    next = next.min(self.next_heartbeat.unwrap_or(next));
                }
            }
        }
        Some(next)
    }
}

/// Pauses that grow, and differ between members.
struct Backoff {
    next: Duration,
    state: u64,
}

impl Backoff {
    fn new(seed: u64) -> Backoff {
        Backoff {
            next: FIRST_BACKOFF,
            // Zero would stay zero.
            state: seed | 1,
        }
    }

    /// The next pause: less a fifth or more a fifth.
    fn next(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(LAST_BACKOFF);
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        let part = self.state % 400;
        pause * 4 / 5 + pause * u32::try_from(part).unwrap_or(0) / 1000
    }

    fn reset(&mut self) {
        self.next = FIRST_BACKOFF;
    }
}

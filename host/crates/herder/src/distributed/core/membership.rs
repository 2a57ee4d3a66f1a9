//! Rounds of the group: what to say when one begins, how to lead one, and what to do with what came of it.

use std::time::Duration;

use caisson_model::{AssignmentError, GroupProtocol, WorkerState};

use super::event::{Action, Joined, Leading, Ticket};
use super::sharing::newest_offset;
use super::{Core, Holding, Now, Writing};
use crate::assignor::{Item, Items, MemberId, items};

/// How often a worker that cannot read the config topic tries again before it begins anew.
const UNSYNCED_ATTEMPTS: u32 = 5;

/// This worker's place in the group.
#[derive(Clone, Debug)]
pub enum Membership {
    /// It has not joined, or has left for a while.
    Out,
    /// It is about to be a member.
    Joining,
    Member {
        generation: i32,
        member_id: MemberId,
        leader_id: MemberId,
    },
}

/// What the way into the group, or into a new generation, waits for.
#[derive(Clone, Debug)]
pub enum Phase {
    Idle,
    /// A round waits for this worker, which waits for its own work to stop.
    Answering,
    /// A round waits for its leader, who reads what a member knows already.
    Leading {
        ticket: Ticket,
        leading: Leading,
    },
    /// What was taken away stops.
    Revoking {
        joined: Joined,
    },
    /// The config topic is read up to where the work was shared out, or to its end if the leader could not share it.
    Syncing {
        ticket: Ticket,
        joined: Joined,
    },
    /// Out of the group, as the config topic could not be read in time; it is tried again at that time.
    Unsynced {
        attempts: u32,
        until: Duration,
    },
    /// Out of the group, trying.
    CatchingUp {
        attempts: u32,
        ticket: Ticket,
    },
}

impl Membership {
    pub fn is_leader(&self) -> bool {
        match self {
            Membership::Out | Membership::Joining => false,
            Membership::Member {
                member_id, leader_id, ..
            } => member_id == leader_id,
        }
    }

    pub fn generation(&self) -> i32 {
        match self {
            Membership::Out | Membership::Joining => 0,
            Membership::Member { generation, .. } => *generation,
        }
    }
}

impl Phase {
    pub fn wake_at(&self) -> Option<Duration> {
        match self {
            Phase::Unsynced { until, .. } => Some(*until),
            Phase::Idle
            | Phase::Answering
            | Phase::Leading { .. }
            | Phase::Revoking { .. }
            | Phase::Syncing { .. }
            | Phase::CatchingUp { .. } => None,
        }
    }
}

impl Core {
    /// Whoever has left hears of nothing that happened before, until it joins again.
    fn is_out(&self) -> bool {
        matches!(self.membership, Membership::Out)
    }

    pub(super) fn join(&mut self, reason: &'static str) {
        if self.shut_down {
            return;
        }
        if self.is_out() {
            self.membership = Membership::Joining;
        }
        self.join_asked = true;
        self.act(Action::Join { reason });
    }

    /// Asks for a round if there is something to share out that the group has not seen. What is being written first is
    /// shared out with it.
    pub(super) fn rejoin_if_needed(&mut self) {
        if self.has_news() && self.resolved && !self.join_asked && self.active.is_none() {
            self.join("connectors or tasks have changed");
        }
    }

    /// Whether there is something to share out that the group has not seen.
    pub(super) fn has_news(&self) -> bool {
        self.structure > self.told
    }

    pub(super) fn preparing(&mut self) {
        if self.is_out() {
            return;
        }
        self.resolved = false;
        self.rejoin_at = None;
        if self.protocol == GroupProtocol::Eager {
            self.release_everything();
        }
        self.phase = Phase::Answering;
        self.answer_if_stopped();
    }

    fn answer_if_stopped(&mut self) {
        if self.stopping.is_some() || !matches!(self.phase, Phase::Answering) {
            return;
        }
        self.phase = Phase::Idle;
        self.join_asked = false;
        self.told = self.config.offset;
        self.unshared = 0;
        self.given_up = false;
        let state = WorkerState {
            url: self.options.url.clone(),
            offset: self.config.offset,
            assignment: self.reported(),
        };
        self.act(Action::Answer(state));
    }

    pub(super) fn elected(&mut self, leading: Leading, now: Now) {
        if self.is_out() {
            return;
        }
        let newest = newest_offset(&leading);
        if self.config.offset < newest {
            let ticket = self.ticket();
            self.phase = Phase::Leading { ticket, leading };
            self.refresh(ticket);
        } else {
            self.share_out(leading, now);
        }
    }

    pub(super) fn joined(&mut self, joined: Joined, now: Now) {
        if self.is_out() {
            return;
        }
        let Some(assignment) = &joined.assignment else {
            tracing::error!("the group's leader speaks in bytes that are not Kafka Connect's");
            self.lost();
            return self.join("the assignment could not be read");
        };
        let eager = joined.protocol == GroupProtocol::Eager;
        let revoked = if eager {
            Items::new()
        } else {
            items(&assignment.revoked)
        };
        let mut own = match &self.holding {
            Some(holding) if !eager => holding.items.clone(),
            Some(_) | None => Items::new(),
        };
        own.retain(|item| !revoked.contains(item));
        let rest = own.clone();
        own.extend(items(&assignment.assigned));
        let offset = self.holding.as_ref().map_or(0, |holding| holding.offset);
        self.protocol = joined.protocol;
        self.last_completed = joined.generation;
        self.membership = Membership::Member {
            generation: joined.generation,
            member_id: joined.member_id.clone(),
            leader_id: joined.leader_id.clone(),
        };
        if !self.membership.is_leader() {
            self.stop_leading();
        }
        self.holding = Some(Holding {
            items: own,
            leader: assignment.leader.clone(),
            leader_url: assignment.leader_url.clone(),
            offset: assignment.offset,
            revoked: assignment.revoked.clone(),
            delay: assignment.delay,
        });
        if !revoked.is_empty() {
            self.release(rest, offset);
        }
        self.phase = Phase::Revoking { joined };
        self.go_on_if_stopped(now);
    }

    fn go_on_if_stopped(&mut self, _now: Now) {
        if self.stopping.is_some() {
            return;
        }
        let Phase::Revoking { joined } = &self.phase else {
            return;
        };
        let joined = joined.clone();
        let assignment = joined.assignment.as_ref();
        let failed = assignment.is_some_and(|assignment| assignment.error != AssignmentError::None);
        let behind = assignment.is_some_and(|assignment| self.config.offset < assignment.offset);
        if behind || failed && self.membership.is_leader() {
            let ticket = self.ticket();
            self.phase = Phase::Syncing { ticket, joined };
            self.refresh(ticket);
        } else {
            self.settle(joined, _now);
        }
    }

    /// The config topic has been read as far as it is needed: puts the assignment into effect.
    fn settle(&mut self, joined: Joined, now: Now) {
        self.phase = Phase::Idle;
        let Some(assignment) = joined.assignment else { return };
        if assignment.error != AssignmentError::None {
            // Tasks go on meanwhile: nobody else was given them.
            return self.join("the leader could not share out the work");
        }
        self.told = self.told.max(assignment.offset);
        let held = self
            .holding
            .as_ref()
            .map(|holding| holding.items.clone())
            .unwrap_or_default();
        self.act(Action::Grant {
            items: held,
            offset: assignment.offset,
            generation: joined.generation,
        });
        self.resolved = true;
        if self.membership.is_leader() {
            self.act(Action::CleanStatuses);
        }
        self.rejoin_at = (!assignment.delay.is_zero()).then(|| now.monotonic + assignment.delay);
        if std::mem::take(&mut self.given_up) {
            // The group counts on work that was given up after it was reported.
            self.join("work was given up during the round");
        } else if !assignment.revoked.is_empty() {
            self.join("work was revoked and can be shared out");
        }
    }

    /// The membership may soon be over. A round goes on nevertheless, and waits for this worker.
    pub(super) fn unreachable(&mut self) {
        match self.phase {
            Phase::Leading { .. } => self.stop_working(),
            Phase::Idle
            | Phase::Answering
            | Phase::Revoking { .. }
            | Phase::Syncing { .. }
            | Phase::Unsynced { .. }
            | Phase::CatchingUp { .. } => self.lost(),
        }
    }

    /// The membership is, or may soon be, over.
    pub(super) fn lost(&mut self) {
        if self.is_out() {
            return;
        }
        // A question that is not answered yet stays open: by its answer this worker becomes a member again.
        if !matches!(self.phase, Phase::Answering) {
            self.phase = Phase::Idle;
        }
        self.stop_working();
    }

    fn stop_leading(&mut self) {
        self.leading = None;
        self.writing = Writing::No;
        self.clear_strangers();
    }

    fn stop_working(&mut self) {
        self.resolved = false;
        self.rejoin_at = None;
        self.stop_leading();
        // Others may lead meanwhile, so what this worker last shared out is no base to compare with.
        self.last_completed = -1;
        self.membership = Membership::Joining;
        self.given_up = true;
        self.release_everything();
    }

    pub(super) fn release_everything(&mut self) {
        self.holding = None;
        self.release(Items::new(), 0);
    }

    /// Lets go of everything but these items.
    fn release(&mut self, rest: Items, offset: i64) {
        let ticket = self.ticket();
        self.stopping = Some(ticket);
        self.act(Action::Grant {
            items: rest,
            offset,
            generation: self.membership.generation(),
        });
        self.act(Action::AwaitStopped { ticket });
    }

    pub(super) fn stopped(&mut self, ticket: Ticket, now: Now) {
        if self.stopping != Some(ticket) {
            return;
        }
        self.stopping = None;
        self.answer_if_stopped();
        self.go_on_if_stopped(now);
    }

    fn refresh(&mut self, ticket: Ticket) {
        let within = self.options.sync_timeout;
        self.act(Action::Refresh { ticket, within });
    }

    pub(super) fn refreshed(&mut self, ticket: Ticket, ok: bool, now: Now) {
        if self.writing == Writing::Claiming(ticket) {
            return self.claim_refreshed(ok, now);
        }
        if self.round_refreshed(ticket, ok) {
            return;
        }
        match &self.phase {
            Phase::Leading { ticket: own, leading } if *own == ticket => self.share_out(leading.clone(), now),
            Phase::Syncing { ticket: own, joined } if *own == ticket => {
                let joined = joined.clone();
                let enough = joined.assignment.as_ref().map_or(0, |assignment| assignment.offset);
                if ok && self.config.offset >= enough {
                    self.settle(joined, now);
                } else {
                    self.leave_unsynced(now);
                }
            }
            Phase::CatchingUp { ticket: own, attempts } if *own == ticket => {
                let attempts = *attempts;
                if ok {
                    self.phase = Phase::Idle;
                    self.join("the config topic was read to its end");
                } else {
                    let attempts = if attempts > 1 { attempts - 1 } else { UNSYNCED_ATTEMPTS };
                    self.back_off(attempts, now);
                }
            }
            Phase::Idle
            | Phase::Answering
            | Phase::Leading { .. }
            | Phase::Revoking { .. }
            | Phase::Syncing { .. }
            | Phase::Unsynced { .. }
            | Phase::CatchingUp { .. } => {}
        }
    }

    /// Who cannot read what the others know holds them up; it leaves, and being no member, it runs nothing.
    fn leave_unsynced(&mut self, now: Now) {
        tracing::warn!("the config topic could not be read to its end in time; leaving the group for a while");
        self.lost();
        self.membership = Membership::Out;
        self.join_asked = false;
        self.act(Action::Leave {
            reason: "taking too long to read the log",
        });
        self.back_off(UNSYNCED_ATTEMPTS, now);
    }

    fn back_off(&mut self, attempts: u32, now: Now) {
        let pause = match self.protocol {
            GroupProtocol::Eager => self.options.unsync_backoff,
            GroupProtocol::Compatible | GroupProtocol::Sessioned => self.options.max_delay / 10 / attempts.max(1),
        };
        self.phase = Phase::Unsynced {
            attempts,
            until: now.monotonic + pause,
        };
    }

    pub(super) fn tick(&mut self, now: Now) {
        if self.rejoin_at.is_some_and(|at| at <= now.monotonic) {
            self.rejoin_at = None;
            self.join("the scheduled rebalance is due");
        }
        if let Phase::Unsynced { attempts, until } = self.phase
            && until <= now.monotonic
        {
            let ticket = self.ticket();
            self.phase = Phase::CatchingUp { attempts, ticket };
            self.refresh(ticket);
        }
        if let Writing::RetryAt(at) = self.writing
            && at <= now.monotonic
        {
            self.writing = Writing::No;
        }
        self.tell_of_strangers(now);
    }

    /// Where something runs, as the leader has shared it out.
    pub(super) fn owner_url(&self, item: &Item) -> Option<String> {
        let members = self.leading.as_ref()?.members.values();
        let owner = members.into_iter().find(|(_, items)| items.contains(item));
        owner.map(|(url, _)| url.clone())
    }
}

//! The coordinator's side of the classic protocol, as far as one group needs it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::{Beat, MemberAssignment, MemberMetadata};
use crate::clock::Moment;
use crate::wire::messages::{JoinAnswer, SyncAnswer};

const UNKNOWN_MEMBER: i16 = 25;
const ILLEGAL_GENERATION: i16 = 22;
const REBALANCING: i16 = 27;
const MEMBER_ID_REQUIRED: i16 = 79;

/// A connection of a member that waits for an answer.
#[derive(Clone, Copy, Debug)]
pub struct Who {
    pub member: usize,
    pub join: u64,
}

#[derive(Debug)]
pub enum Reply {
    Join(Who, JoinAnswer),
    Sync(Who, Moment, SyncAnswer),
    Beat(usize, Beat, Moment, i16),
}

impl Reply {
    pub fn member(&self) -> usize {
        match self {
            Reply::Join(who, _) | Reply::Sync(who, ..) => who.member,
            Reply::Beat(member, ..) => *member,
        }
    }
}

#[derive(Debug)]
struct Member {
    expires: Moment,
    joining: Option<Who>,
    syncing: Option<(Who, Moment)>,
    assignment: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Empty,
    /// Until when members may join.
    Preparing(Moment),
    Completing,
    Stable,
}

pub struct Coordinator {
    session: Duration,
    rebalance: Duration,
    members: BTreeMap<String, Member>,
    /// Ids that were given out and not used yet.
    promised: Vec<String>,
    leader: String,
    generation: i32,
    state: State,
    serial: u64,
}

impl Coordinator {
    pub fn new(session: Duration, rebalance: Duration) -> Self {
        Coordinator {
            session,
            rebalance,
            members: BTreeMap::new(),
            promised: Vec::new(),
            leader: String::new(),
            generation: 0,
            state: State::Empty,
            serial: 0,
        }
    }

    pub fn knows(&self, member_id: &str) -> bool {
        self.members.contains_key(member_id)
    }

    /// All clocks of sessions begin anew, and nobody waits for an answer any more.
    pub fn moved(&mut self, at: Moment) {
        for member in self.members.values_mut() {
            member.expires = at + self.session;
            member.joining = None;
            member.syncing = None;
        }
        if let State::Preparing(_) = self.state {
            self.state = State::Preparing(at + self.rebalance);
        }
    }

    pub fn join(&mut self, who: Who, member_id: &str, now: Moment) -> Vec<Reply> {
        if member_id.is_empty() {
            self.serial += 1;
            let id = format!("member-{}", self.serial);
            self.promised.push(id.clone());
            return vec![refuse_join(who, MEMBER_ID_REQUIRED, &id)];
        }
        let promised = self.promised.iter().position(|id| id == member_id);
        if promised.is_none() && !self.knows(member_id) {
            return vec![refuse_join(who, UNKNOWN_MEMBER, member_id)];
        }
        if let Some(index) = promised {
            self.promised.remove(index);
        }
        let is_new = promised.is_some();
        let member = self.members.entry(member_id.to_owned()).or_insert(Member {
            expires: now + self.session,
            joining: None,
            syncing: None,
            assignment: Vec::new(),
        });
        member.joining = Some(who);
        // A follower with nothing new to say gets what it has.
        if self.state == State::Stable && !is_new && member_id != self.leader {
            member.joining = None;
            member.expires = now + self.session;
            return vec![Reply::Join(who, self.answer(member_id, Vec::new()))];
        }
        if !matches!(self.state, State::Preparing(_)) {
            self.state = State::Preparing(now + self.rebalance);
        }
        self.complete_join(now)
    }

    fn answer(&self, member_id: &str, members: Vec<MemberMetadata>) -> JoinAnswer {
        JoinAnswer {
            code: 0,
            generation: self.generation,
            protocol: "sessioned".to_owned(),
            leader: self.leader.clone(),
            skips_assignment: false,
            member_id: member_id.to_owned(),
            members,
        }
    }

    /// Ends the rebalance if all have joined, or the time is over.
    fn complete_join(&mut self, now: Moment) -> Vec<Reply> {
        let State::Preparing(until) = self.state else {
            return Vec::new();
        };
        if now >= until {
            self.members.retain(|_, member| member.joining.is_some());
        } else if self.members.values().any(|member| member.joining.is_none()) {
            return Vec::new();
        }
        if self.members.is_empty() {
            self.state = State::Empty;
            return Vec::new();
        }
        self.generation += 1;
        self.state = State::Completing;
        if !self.knows(&self.leader) {
            self.leader = self.members.keys().next().cloned().unwrap_or_default();
        }
        let metadata = |id: &String| MemberMetadata {
            member_id: id.clone(),
            instance: None,
            metadata: Vec::new(),
        };
        let all: Vec<MemberMetadata> = self.members.keys().map(metadata).collect();
        let mut replies = Vec::new();
        let ids: Vec<String> = self.members.keys().cloned().collect();
        for id in ids {
            let members = if id == self.leader { all.clone() } else { Vec::new() };
            let answer = self.answer(&id, members);
            if let Some(member) = self.members.get_mut(&id) {
                member.expires = now + self.session;
                member.assignment.clear();
                replies.extend(member.joining.take().map(|who| Reply::Join(who, answer)));
            }
        }
        replies
    }

    pub fn sync(
        &mut self,
        who: Who,
        member_id: &str,
        generation: i32,
        assignments: Vec<MemberAssignment>,
        sent: Moment,
        now: Moment,
    ) -> Vec<Reply> {
        let refuse = |code| {
            let answer = SyncAnswer {
                code,
                assignment: Vec::new(),
            };
            vec![Reply::Sync(who, sent, answer)]
        };
        if !self.knows(member_id) {
            return refuse(UNKNOWN_MEMBER);
        }
        if generation != self.generation {
            return refuse(ILLEGAL_GENERATION);
        }
        match self.state {
            State::Empty => refuse(UNKNOWN_MEMBER),
            State::Preparing(_) => refuse(REBALANCING),
            State::Stable => self.synced(member_id, who, sent, now),
            State::Completing => {
                if let Some(member) = self.members.get_mut(member_id) {
                    member.syncing = Some((who, sent));
                    member.expires = now + self.session;
                }
                if member_id != self.leader {
                    return Vec::new();
                }
                for assignment in assignments {
                    if let Some(member) = self.members.get_mut(&assignment.member_id) {
                        member.assignment = assignment.assignment;
                    }
                }
                self.state = State::Stable;
                let waiting: Vec<(String, Who, Moment)> = self
                    .members
                    .iter_mut()
                    .filter_map(|(id, member)| member.syncing.take().map(|(who, sent)| (id.clone(), who, sent)))
                    .collect();
                waiting
                    .into_iter()
                    .flat_map(|(id, who, sent)| self.synced(&id, who, sent, now))
                    .collect()
            }
        }
    }

    fn synced(&mut self, member_id: &str, who: Who, sent: Moment, now: Moment) -> Vec<Reply> {
        let session = self.session;
        let assignment = self.members.get_mut(member_id).map(|member| {
            member.expires = now + session;
            member.assignment.clone()
        });
        let answer = SyncAnswer {
            code: 0,
            assignment: assignment.unwrap_or_default(),
        };
        vec![Reply::Sync(who, sent, answer)]
    }

    pub fn beat(&mut self, member_id: &str, generation: i32, now: Moment) -> i16 {
        let Some(member) = self.members.get_mut(member_id) else {
            return UNKNOWN_MEMBER;
        };
        if generation != self.generation {
            return ILLEGAL_GENERATION;
        }
        member.expires = now + self.session;
        match self.state {
            State::Preparing(_) => REBALANCING,
            State::Empty | State::Completing | State::Stable => 0,
        }
    }

    pub fn leave(&mut self, member_id: &str, now: Moment) -> Vec<Reply> {
        match self.members.remove(member_id) {
            Some(_) => self.missed(now),
            None => Vec::new(),
        }
    }

    /// Members are gone: the rest rebalances.
    fn missed(&mut self, now: Moment) -> Vec<Reply> {
        if !matches!(self.state, State::Preparing(_)) {
            self.state = State::Preparing(now + self.rebalance);
            let waiting: Vec<(Who, Moment)> = self
                .members
                .values_mut()
                .filter_map(|member| member.syncing.take())
                .collect();
            let answer = SyncAnswer {
                code: REBALANCING,
                assignment: Vec::new(),
            };
            let mut replies: Vec<Reply> = waiting
                .into_iter()
                .map(|(who, sent)| Reply::Sync(who, sent, answer.clone()))
                .collect();
            replies.extend(self.complete_join(now));
            return replies;
        }
        self.complete_join(now)
    }

    /// Gives up whose session is over. A member that waits for a join is alive as long as it waits.
    pub fn expire(&mut self, now: Moment) -> Vec<Reply> {
        let before = self.members.len();
        self.members
            .retain(|_, member| member.joining.is_some() || member.expires > now);
        if self.members.len() < before {
            return self.missed(now);
        }
        self.complete_join(now)
    }
}

fn refuse_join(who: Who, code: i16, member_id: &str) -> Reply {
    let answer = JoinAnswer {
        code,
        generation: -1,
        protocol: String::new(),
        leader: String::new(),
        skips_assignment: false,
        member_id: member_id.to_owned(),
        members: Vec::new(),
    };
    Reply::Join(who, answer)
}

//! What a leader does in a round: it shares out the connectors and tasks among the members.

use std::collections::BTreeMap;

use caisson_model::{Assignment, AssignmentError, GroupProtocol};

use super::event::{Action, Leading};
use super::membership::Phase;
use super::{Core, LeaderState, Now};
use crate::assignor::{Generations, Item, Items, MemberId, Shares, items, share_eagerly, work};

impl Core {
    pub(super) fn share_out(&mut self, leading: Leading, now: Now) {
        self.phase = Phase::Idle;
        let newest = newest_offset(&leading);
        let answer = |error, offset| Assignment {
            error,
            leader: Some(leading.member_id.to_string()),
            leader_url: Some(self.options.url.clone()),
            offset,
            ..Assignment::default()
        };
        if self.config.offset < newest {
            tracing::warn!(
                known = self.config.offset,
                newest,
                "cannot share out work: another worker knows more of the config topic"
            );
            let all = leading.members.iter();
            let answers = all
                .map(|(member, _)| (member.clone(), answer(AssignmentError::ConfigMismatch, newest)))
                .collect();
            return self.act(Action::Assign(answers));
        }
        let offset = self.config.offset;
        let readable = leading
            .members
            .iter()
            .filter_map(|(member, state)| Some((member, state.as_ref()?)));
        let reported: BTreeMap<MemberId, Items> = readable
            .clone()
            .map(|(member, state)| {
                let own = state.assignment.as_ref().map(|assignment| items(&assignment.assigned));
                (member.clone(), own.unwrap_or_default())
            })
            .collect();
        let urls: BTreeMap<MemberId, String> = readable
            .map(|(member, state)| (member.clone(), state.url.clone()))
            .collect();
        let mut answers = Vec::with_capacity(leading.members.len());
        for (member, state) in &leading.members {
            if state.is_none() {
                tracing::error!(%member, "a member of the group speaks in bytes that are not Kafka Connect's");
                answers.push((member.clone(), answer(AssignmentError::ConfigMismatch, offset)));
            }
        }
        let well = answer(AssignmentError::None, offset);
        let shares = self.shares(&leading, &reported, now);
        answers.extend(shares.members.iter().map(|(member, share)| {
            let assignment = Assignment {
                assigned: work(&share.assigned),
                revoked: work(&share.revoked),
                delay: shares.delay,
                ..well.clone()
            };
            (member.clone(), assignment)
        }));
        let url = |member: &MemberId| urls.get(member).cloned().unwrap_or_default();
        let complete = shares.complete.into_iter();
        self.leading = Some(LeaderState {
            members: complete
                .map(|(member, items)| (member.clone(), (url(&member), items)))
                .collect(),
        });
        self.act(Action::Assign(answers));
    }

    fn shares(&mut self, leading: &Leading, reported: &BTreeMap<MemberId, Items>, now: Now) -> Shares {
        let configured = self.configured();
        match leading.protocol {
            GroupProtocol::Eager => share_eagerly(&configured, reported.keys().cloned()),
            GroupProtocol::Compatible | GroupProtocol::Sessioned => {
                let generations = Generations {
                    current: leading.generation,
                    last_completed: self.last_completed,
                };
                self.assignor.share(&configured, generations, reported, now.monotonic)
            }
        }
    }

    /// All connectors and tasks that there are.
    fn configured(&self) -> Items {
        let mut items = Items::new();
        for (name, entry) in self.config.connectors() {
            items.insert(Item::Connector(name.clone()));
            let tasks = 0..entry.tasks.len() as u32;
            items.extend(tasks.map(|task| Item::Task(caisson_model::TaskId::new(name.clone(), task))));
        }
        items
    }
}

/// The newest end of the config topic that a member knows of.
pub(super) fn newest_offset(leading: &Leading) -> i64 {
    let states = leading.members.iter().filter_map(|(_, state)| state.as_ref());
    states.map(|state| state.offset).max().unwrap_or(-1)
}

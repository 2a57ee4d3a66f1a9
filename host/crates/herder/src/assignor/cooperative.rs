//! The incremental cooperative assignor (KIP-415), with its later corrections: only what has to move is stopped, what a
//! vanished worker ran waits a while for it to return, and revocations that follow one another are spaced out.

mod balance;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Items, MemberId, Share, Shares};

/// The wait after the first of several revoking rounds, and by what each further one multiplies it.
const FIRST_BACKOFF: Duration = Duration::from_millis(1);
const BACKOFF_FACTOR: u32 = 40;

/// Which generation is being shared out, and which one this leader has last completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generations {
    pub current: i32,
    pub last_completed: i32,
}

/// Remembers what a leader has decided in earlier rounds. A new leader starts with nothing.
#[derive(Clone, Debug)]
pub struct CooperativeAssignor {
    /// `scheduled.rebalance.max.delay.ms`
    max_delay: Duration,
    previous: Items,
    /// What the last round took away, and from nobody's list yet.
    previous_revocation: Items,
    revoked_in_previous: bool,
    successive_revoking: u32,
    /// Workers that came empty while lost work waits: perhaps the lost ones themselves.
    candidates: Vec<MemberId>,
    scheduled: Option<Duration>,
    delay: Duration,
    previous_generation: i32,
    previous_members: BTreeSet<MemberId>,
}

impl CooperativeAssignor {
    pub fn new(max_delay: Duration) -> CooperativeAssignor {
        CooperativeAssignor {
            max_delay,
            previous: Items::new(),
            previous_revocation: Items::new(),
            revoked_in_previous: false,
            successive_revoking: 0,
            candidates: Vec::new(),
            scheduled: None,
            delay: Duration::ZERO,
            previous_generation: -1,
            previous_members: BTreeSet::new(),
        }
    }

    /// When held-back work is due; the same clock as `now` of [`CooperativeAssignor::share`].
    pub fn scheduled(&self) -> Option<Duration> {
        self.scheduled
    }

    /// Shares out what is configured among members that say what they run.
    pub fn share(
        &mut self,
        configured: &Items,
        generations: Generations,
        reported: &BTreeMap<MemberId, Items>,
        now: Duration,
    ) -> Shares {
        if self.previous_generation != generations.last_completed {
            // The last round did not reach its members, so what it decided is no base to compare with.
            self.previous.clear();
        }
        let active: Items = reported.values().flatten().cloned().collect();
        if !self.previous_revocation.is_disjoint(&active) {
            // What was revoked still runs: begin from what is.
            self.previous = active.clone();
        }
        self.previous_revocation.clear();

        let deleted: Items = &self.previous - configured;
        let duplicated = duplicated(reported);
        let lost: Items = &(&self.previous - &active) - &deleted;
        let created: Items = &(configured - &self.previous) - &active;

        let mut revoked: BTreeMap<MemberId, Items> = BTreeMap::new();
        let mut next: BTreeMap<MemberId, Items> = BTreeMap::new();
        for (member, items) in reported {
            let gone: Items = items
                .iter()
                .filter(|item| deleted.contains(*item) || duplicated.contains(*item))
                .cloned()
                .collect();
            next.insert(member.clone(), items - &gone);
            revoked.insert(member.clone(), gone);
        }

        let reassigned = self.handle_lost(&lost, &mut next, now);
        self.revoke_for_balance(configured, &mut next, &mut revoked, now);
        balance::assign(&mut next, &(&created | &reassigned));

        self.remember(&next, &revoked, lost, generations.current);
        let share = |(member, items): (&MemberId, &Items)| {
            let share = Share {
                assigned: items - &reported[member],
                revoked: revoked[member].clone(),
            };
            (member.clone(), share)
        };
        Shares {
            members: next.iter().map(share).collect(),
            complete: next,
            delay: self.delay,
        }
    }

    fn remember(
        &mut self,
        next: &BTreeMap<MemberId, Items>,
        revoked: &BTreeMap<MemberId, Items>,
        lost: Items,
        generation: i32,
    ) {
        let revoked: Items = revoked.values().flatten().cloned().collect();
        let given: Items = next.values().flatten().cloned().collect();
        self.previous = &given - &revoked;
        self.previous.extend(lost);
        self.previous_revocation = revoked;
        self.previous_generation = generation;
        self.previous_members = next.keys().cloned().collect();
    }

    /// Decides what becomes of work that nobody reports any more. Returns what is shared out among all now; what goes to
    /// workers that came back is in their lists.
    fn handle_lost(&mut self, lost: &Items, next: &mut BTreeMap<MemberId, Items>, now: Duration) -> Items {
        if lost.is_empty() && !self.revoked_in_previous {
            self.reset_delay();
            return Items::new();
        }
        let all_there = self.previous_members.iter().all(|member| next.contains_key(member));
        if self.scheduled.is_none() && all_there || self.max_delay.is_zero() {
            // Nobody has left: a member has not received what it was given. Or nobody is to be waited for.
            return lost.clone();
        }
        match self.scheduled {
            Some(scheduled) if now >= scheduled => {
                let remaining = self.give_to_candidates(lost, next);
                self.reset_delay();
                self.revoked_in_previous = false;
                remaining
            }
            scheduled => {
                for (member, items) in next.iter() {
                    if items.is_empty() && !self.candidates.contains(member) {
                        self.candidates.push(member.clone());
                    }
                }
                self.delay = match scheduled {
                    Some(scheduled) => (scheduled - now).min(self.max_delay),
                    None => self.max_delay,
                };
                self.scheduled = Some(now + self.delay);
                Items::new()
            }
        }
    }

    fn give_to_candidates(&mut self, lost: &Items, next: &mut BTreeMap<MemberId, Items>) -> Items {
        self.candidates.retain(|member| next.contains_key(member));
        if self.candidates.is_empty() {
            return lost.clone();
        }
        let (connectors, tasks): (Vec<_>, Vec<_>) = lost.iter().partition(|item| item.is_connector());
        for kind in [connectors, tasks] {
            for (item, member) in kind.into_iter().zip(self.candidates.iter().cycle()) {
                next.entry(member.clone()).or_default().insert(item.clone());
            }
        }
        Items::new()
    }

    fn revoke_for_balance(
        &mut self,
        configured: &Items,
        next: &mut BTreeMap<MemberId, Items>,
        revoked: &mut BTreeMap<MemberId, Items>,
        now: Duration,
    ) {
        if !self.delay.is_zero() {
            self.revoked_in_previous = false;
            return;
        }
        let too_much = balance::surplus(configured, next);
        if too_much.is_empty() {
            if self.revoked_in_previous {
                self.revoked_in_previous = false;
                self.successive_revoking = 0;
            }
            return;
        }
        if self.revoked_in_previous {
            self.successive_revoking += 1;
            self.delay = self.backoff();
            if !self.delay.is_zero() {
                self.scheduled = Some(now + self.delay);
                return;
            }
        } else {
            self.revoked_in_previous = true;
        }
        for (member, items) in too_much {
            if let Some(own) = next.get_mut(&member) {
                own.retain(|item| !items.contains(item));
            }
            revoked.entry(member).or_default().extend(items);
        }
    }

    fn backoff(&self) -> Duration {
        let factor = BACKOFF_FACTOR.saturating_pow(self.successive_revoking);
        FIRST_BACKOFF.saturating_mul(factor).min(self.max_delay)
    }

    fn reset_delay(&mut self) {
        self.candidates.clear();
        self.scheduled = None;
        self.delay = Duration::ZERO;
    }
}

/// What more than one member reports.
fn duplicated(reported: &BTreeMap<MemberId, Items>) -> Items {
    let mut seen = BTreeSet::new();
    let twice = reported.values().flatten().filter(|item| !seen.insert(*item));
    twice.cloned().collect()
}

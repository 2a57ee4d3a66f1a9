//! Decisions that the simulation would not tell from worse ones.

use caisson_model::TargetState;
use caisson_store::config::State;
use caisson_store::{Config, ConfigChange};

use super::*;
use crate::herder::Replace;

const NOW: Now = Now {
    monotonic: Duration::from_secs(1),
    wall: 1_700_000_000_000,
};

/// The only member of a group, with what it has written.
struct Leader {
    core: Core,
    state: State,
    requests: RequestId,
}

impl Leader {
    fn new() -> Leader {
        let core = Core::new(CoreOptions {
            url: "http://worker/".to_owned(),
            // Without a key to sign with.
            protocol: GroupProtocol::Compatible,
            sync_timeout: Duration::from_secs(3),
            unsync_backoff: Duration::from_secs(300),
            max_delay: Duration::from_secs(300),
            key_ttl: Duration::ZERO,
            key_algorithm: "HmacSHA256".to_owned(),
            key_size: 32,
        });
        let mut leader = Leader {
            core,
            state: State::default(),
            requests: 0,
        };
        leader.step(Event::Ready);
        leader.lead(1);
        leader
    }

    /// A round by which it becomes the leader.
    fn lead(&mut self, generation: i32) {
        for action in self.round(generation) {
            if let Action::Claim { ticket } = action {
                self.step(Event::Claimed { ticket, ok: true });
                self.step(Event::Refreshed { ticket, ok: true });
            }
        }
    }

    fn step(&mut self, event: Event) -> Vec<Action> {
        self.core.step(event, NOW)
    }

    /// What comes of a round that is led and joined.
    fn round(&mut self, generation: i32) -> Vec<Action> {
        let own = self.step(Event::Preparing).into_iter().find_map(|action| match action {
            Action::Answer(state) => Some(state),
            _ => None,
        });
        let me = MemberId::from("member");
        let shared = self.step(Event::Leading(Leading {
            generation,
            protocol: GroupProtocol::Compatible,
            member_id: me.clone(),
            members: vec![(me.clone(), own)],
        }));
        let assignment = shared.into_iter().find_map(|action| match action {
            Action::Assign(assignments) => assignments.into_iter().next(),
            _ => None,
        });
        let mut actions = self.step(Event::Joined(Joined {
            generation,
            protocol: GroupProtocol::Compatible,
            member_id: me.clone(),
            leader_id: me,
            assignment: assignment.map(|(_, assignment)| assignment),
        }));
        let stopped = self.stop(&actions);
        actions.extend(stopped);
        actions
    }

    /// What is to be stopped has stopped.
    fn stop(&mut self, actions: &[Action]) -> Vec<Action> {
        let stopping = actions.iter().find_map(|action| match action {
            Action::AwaitStopped { ticket } => Some(*ticket),
            _ => None,
        });
        stopping.map_or_else(Vec::new, |ticket| self.step(Event::Stopped { ticket }))
    }

    fn ask(&mut self, request: Request) -> Vec<Action> {
        self.requests += 1;
        let id = self.requests;
        self.step(Event::Requested { id, request })
    }

    fn create(&mut self, name: &str) -> Vec<Action> {
        self.ask(Request::PutConnector {
            name: name.into(),
            config: Config::from([("connector.class".to_owned(), Some("Any".to_owned()))]),
            target: None,
            replace: Replace::Refused,
            based_on: None,
        })
    }

    /// Reads a change, whoever has written it.
    fn find(&mut self, change: &ConfigChange) -> Vec<Action> {
        for record in change.clone().records().into_iter().flatten() {
            let offset = self.state.snapshot().offset;
            self.state.apply(record, offset);
            self.state.advance(offset + 1);
        }
        self.step(Event::Config(self.state.snapshot().clone()))
    }

    /// Writes what was decided, which is read before it is known to be written.
    fn carry_out(&mut self, actions: Vec<Action>) -> Vec<Action> {
        let write = actions.into_iter().find_map(|action| match action {
            Action::Write { ticket, change } => Some((ticket, change)),
            _ => None,
        });
        let Some((ticket, change)) = write else {
            return Vec::new();
        };
        let mut actions = self.find(&change);
        actions.extend(self.step(Event::Written {
            ticket,
            outcome: Ok(()),
        }));
        actions
    }
}

/// The connector that is being written, and whether a round was asked for.
fn outcome(actions: &[Action]) -> (Option<&str>, bool) {
    let written = actions.iter().find_map(|action| match action {
        Action::Write {
            change: ConfigChange::PutConnector { name, .. },
            ..
        } => Some(&**name),
        _ => None,
    });
    let joins = actions.iter().any(|action| matches!(action, Action::Join { .. }));
    (written, joins)
}

#[test]
fn connectors_that_wait_are_written_before_a_round_shares_them_out() {
    let mut leader = Leader::new();
    let first = leader.create("a");
    assert_eq!(outcome(&first), (Some("a"), false));
    assert_eq!(leader.create("b"), []);
    assert_eq!(leader.create("c"), []);
    let second = leader.carry_out(first);
    assert_eq!(outcome(&second), (Some("b"), false));
    let third = leader.carry_out(second);
    assert_eq!(outcome(&third), (Some("c"), false));
    let last = leader.carry_out(third);
    assert_eq!(outcome(&last), (None, true));
}

#[test]
fn whoever_asks_what_is_waits_for_the_round() {
    let mut leader = Leader::new();
    let first = leader.create("a");
    assert_eq!(leader.ask(Request::Ping), []);
    let written = leader.carry_out(first);
    assert_eq!(outcome(&written), (None, true));
    let is_answer = |action: &Action| matches!(action, Action::Reply { id: 2, .. });
    assert!(!written.iter().any(is_answer));
    assert!(leader.round(2).iter().any(is_answer));
}

#[test]
fn a_name_is_free_again_only_after_a_round() {
    let mut leader = Leader::new();
    let first = leader.create("a");
    leader.carry_out(first);
    leader.round(2);
    let removal = leader.ask(Request::DeleteConnector { name: "a".into() });
    assert_eq!(leader.create("a"), []);
    assert_eq!(outcome(&leader.carry_out(removal)), (None, true));
    // What was revoked is to be shared out, which takes another round.
    assert_eq!(outcome(&leader.round(3)), (None, true));
    assert_eq!(outcome(&leader.round(4)), (Some("a"), false));
}

#[test]
fn however_many_wait_a_round_comes() {
    let mut leader = Leader::new();
    let mut next = leader.create("0");
    for number in 1..100 {
        leader.create(&number.to_string());
    }
    let mut written = 0;
    while let (Some(_), false) = outcome(&next) {
        written += 1;
        next = leader.carry_out(next);
    }
    assert_eq!((outcome(&next), written), ((None, true), 32));
}

#[test]
fn a_leader_suspects_what_it_has_not_written_and_still_does_while_it_leads() {
    let mut leader = Leader::new();
    let first = leader.create("a");
    leader.carry_out(first);
    leader.round(2);
    assert_eq!(leader.core.strangers_told_at(), None);
    let target = ConfigChange::PutTarget {
        name: "a".into(),
        target: TargetState::Paused,
    };
    leader.find(&target);
    assert_eq!(leader.core.strangers_told_at(), None, "anybody may write it");
    let foreign = ConfigChange::PutConnector {
        name: "b".into(),
        config: Config::new(),
        target: None,
    };
    leader.find(&foreign);
    let told_at = leader.core.strangers_told_at().unwrap();
    let lost = leader.step(Event::Lost);
    leader.stop(&lost);
    assert_eq!(leader.core.strangers_told_at(), None, "another one led");
    leader.lead(3);
    leader.find(&ConfigChange::RemoveConnector { name: "b".into() });
    assert!(leader.core.strangers_told_at().is_some());
    leader.round(4);
    let later = Now {
        monotonic: told_at,
        ..NOW
    };
    leader.core.step(Event::Tick, later);
    assert_eq!(leader.core.strangers, Strangers::Told);
}

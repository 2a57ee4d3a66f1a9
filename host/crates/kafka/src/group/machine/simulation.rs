//! A group in a simulated world: members, a coordinator as Kafka's is, and a network that delays, loses and cuts. Every
//! run is determined by its seed, which a failure names.

mod coordinator;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use coordinator::{Coordinator, Reply, Who};

use super::*;
use crate::error::{ErrorCode, KafkaError};
use crate::wire::messages::{JoinAnswer, SyncAnswer};

pub(super) const SESSION: Duration = Duration::from_secs(10);
pub(super) const REBALANCE: Duration = Duration::from_secs(60);
const HEARTBEAT: Duration = Duration::from_secs(3);

pub(super) fn options() -> GroupOptions {
    GroupOptions {
        session_timeout: SESSION,
        rebalance_timeout: REBALANCE,
        heartbeat_interval: HEARTBEAT,
        ..GroupOptions::new("group", "connect")
    }
}

/// A small generator of random numbers; the quality of the numbers does not matter.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// What is on its way, or will happen.
#[derive(Debug)]
enum Happening {
    Tick(usize),
    Found(usize, bool),
    Prepared(usize),
    Assigned(usize, u64, i32, Vec<MemberMetadata>),
    /// At the coordinator: a request, of which connection of the member.
    Asked(usize, u64, Asked),
    /// At the member: an answer, or none.
    JoinAnswered(usize, u64, Result<JoinAnswer, KafkaError>),
    SyncAnswered(usize, u64, Moment, Result<SyncAnswer, KafkaError>),
    BeatAnswered(usize, Beat, Moment, Result<i16, KafkaError>),
    /// The coordinator looks at its clocks.
    Expire,
    Fault,
    Heal,
}

#[derive(Debug)]
enum Asked {
    Join(String),
    Sync(String, i32, Vec<MemberAssignment>, Moment),
    Beat(Beat, Moment),
    Leave(String),
}

/// What a member has been told of its own state.
#[derive(Clone, Debug, Default)]
struct Told {
    generation: Option<i32>,
    member_id: String,
    /// Joined events, and those after which nothing may run.
    joined: usize,
    stopped: usize,
}

struct Node {
    machine: Machine,
    told: Told,
    /// The join or sync that is under way; answers to others are void.
    join: u64,
    frozen_until: Moment,
    /// The network between this member and the coordinator is cut until then.
    cut_until: Moment,
    polled: Moment,
    ticks: VecDeque<Moment>,
}

struct World {
    seed: u64,
    now: Moment,
    random: Random,
    queue: BinaryHeap<Reverse<(Duration, u64)>>,
    happenings: std::collections::HashMap<u64, Happening>,
    serial: u64,
    nodes: Vec<Node>,
    coordinator: Coordinator,
    /// The coordinator is away until then.
    away_until: Moment,
    /// No more faults after that.
    calm_at: Moment,
}

fn unreachable() -> KafkaError {
    KafkaError::with_message(ErrorCode::TRANSPORT, "cut")
}

impl World {
    fn new(seed: u64, members: usize) -> World {
        let now = Moment::from_start(Duration::from_secs(1000));
        let node = |index: usize| Node {
            machine: Machine::new(options(), now, seed ^ index as u64),
            told: Told::default(),
            join: 0,
            frozen_until: now,
            cut_until: now,
            polled: now,
            ticks: VecDeque::new(),
        };
        let mut world = World {
            seed,
            now,
            random: Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            queue: BinaryHeap::new(),
            happenings: std::collections::HashMap::new(),
            serial: 0,
            nodes: (0..members).map(node).collect(),
            coordinator: Coordinator::new(SESSION, REBALANCE),
            away_until: now,
            calm_at: now + Duration::from_secs(400),
        };
        for member in 0..members {
            world.nodes[member].machine.join("start".to_owned(), now);
            let after = world.random.below(5000);
            world.after(after, Happening::Tick(member));
        }
        world.after(1000, Happening::Fault);
        world.after(500, Happening::Expire);
        world
    }

    fn after(&mut self, millis: u64, happening: Happening) {
        let at = self.now + Duration::from_millis(millis);
        self.at(at, happening);
    }

    fn at(&mut self, at: Moment, happening: Happening) {
        self.serial += 1;
        self.queue.push(Reverse((at.since_start(), self.serial)));
        self.happenings.insert(self.serial, happening);
    }

    /// Runs until that moment.
    fn run(&mut self, until: Moment) {
        while let Some(Reverse((at, serial))) = self.queue.peek().copied() {
            if at > until.since_start() {
                break;
            }
            self.queue.pop();
            self.now = Moment::from_start(at);
            let happening = self.happenings.remove(&serial).unwrap();
            self.happen(happening);
            self.check();
        }
    }

    fn happen(&mut self, happening: Happening) {
        let member = match &happening {
            Happening::Tick(member)
            | Happening::Found(member, _)
            | Happening::Prepared(member)
            | Happening::Assigned(member, ..)
            | Happening::JoinAnswered(member, ..)
            | Happening::SyncAnswered(member, ..)
            | Happening::BeatAnswered(member, ..) => Some(*member),
            Happening::Asked(..) | Happening::Expire | Happening::Fault | Happening::Heal => None,
        };
        // A frozen process does it all when it thaws.
        if let Some(member) = member
            && self.now < self.nodes[member].frozen_until
        {
            let at = self.nodes[member].frozen_until;
            return self.at(at, happening);
        }
        let now = self.now;
        match happening {
            Happening::Tick(_) => {}
            Happening::Found(member, true) => self.nodes[member].machine.found(now),
            Happening::Found(member, false) => self.nodes[member].machine.not_found(unreachable(), now),
            Happening::Prepared(member) => {
                let subprotocols = vec![Subprotocol::new("sessioned", member.to_string())];
                self.nodes[member].machine.prepared(Some(subprotocols));
            }
            Happening::Assigned(member, join, generation, members) => {
                // The question was withdrawn.
                if self.nodes[member].join != join {
                    return;
                }
                let assignment = |of: &MemberMetadata| MemberAssignment {
                    member_id: of.member_id.clone(),
                    assignment: generation.to_be_bytes().to_vec(),
                };
                let assignments = members.iter().map(assignment).collect();
                self.nodes[member].machine.assigned(Some(assignments), now);
            }
            Happening::Asked(member, join, asked) => return self.asked(member, join, asked),
            Happening::JoinAnswered(member, join, answer) => {
                if self.nodes[member].join == join {
                    self.nodes[member].machine.join_answered(answer, now);
                }
            }
            Happening::SyncAnswered(member, join, sent, answer) => {
                if self.nodes[member].join == join {
                    self.nodes[member].machine.sync_answered(answer, sent, now);
                }
            }
            Happening::BeatAnswered(member, beat, sent, answer) => {
                self.nodes[member].machine.heartbeat_answered(&beat, answer, sent, now);
            }
            Happening::Expire => {
                let replies = self.coordinator.expire(now);
                self.deliver(replies);
                return self.after(250, Happening::Expire);
            }
            Happening::Fault => return self.fault(),
            Happening::Heal => return,
        }
        if let Some(member) = member {
            self.step(member);
        }
    }

    /// What the driver does with a member.
    fn step(&mut self, member: usize) {
        let now = self.now;
        self.nodes[member].polled = now;
        self.nodes[member].machine.tick(now, now, true);
        for action in self.nodes[member].machine.take_actions() {
            self.perform(member, action);
        }
        let next = self.nodes[member].machine.next_tick(now);
        let next = next
            .unwrap_or(now + Duration::from_secs(1))
            .min(now + Duration::from_secs(1));
        let node = &mut self.nodes[member];
        node.ticks.retain(|tick| *tick > now);
        if node.ticks.front().is_none_or(|tick| *tick > next) {
            let next = next.max(now + Duration::from_millis(1));
            node.ticks.push_front(next);
            self.at(next, Happening::Tick(member));
        }
    }

    fn perform(&mut self, member: usize, action: Action) {
        let (now, delay) = (self.now, 1 + self.random.below(40));
        match action {
            Action::Find => {
                let found = !self.is_cut(member);
                self.after(if found { delay } else { 200 }, Happening::Found(member, found));
            }
            Action::Prepare { .. } => self.after(delay, Happening::Prepared(member)),
            Action::Join { member_id, .. } => {
                self.nodes[member].join += 1;
                let join = self.nodes[member].join;
                self.ask(member, join, Asked::Join(member_id));
            }
            Action::Lead {
                generation, members, ..
            } => {
                let thinking = self.random.below(500);
                let join = self.nodes[member].join;
                self.after(thinking, Happening::Assigned(member, join, generation, members));
            }
            Action::Sync {
                generation,
                member_id,
                assignments,
                ..
            } => {
                self.nodes[member].join += 1;
                let join = self.nodes[member].join;
                self.ask(member, join, Asked::Sync(member_id, generation, assignments, now));
            }
            Action::Heartbeat(beat) => self.ask(member, 0, Asked::Beat(beat, now)),
            Action::Leave { member_id, .. } => self.ask(member, 0, Asked::Leave(member_id)),
            Action::Abandon => self.nodes[member].join += 1,
            Action::Joined(joined) => {
                let told = &mut self.nodes[member].told;
                told.joined += 1;
                told.generation = Some(joined.generation);
                told.member_id = joined.member_id;
                let of = i32::from_be_bytes(joined.assignment.try_into().unwrap());
                assert_eq!(
                    of, joined.generation,
                    "seed {}: assignment of another generation",
                    self.seed
                );
            }
            Action::Unreachable | Action::Lost(_) => {
                let told = &mut self.nodes[member].told;
                told.stopped += 1;
                told.generation = None;
            }
            Action::Failed(error) => panic!("seed {}: {error}", self.seed),
        }
    }

    fn is_cut(&self, member: usize) -> bool {
        self.now < self.away_until || self.now < self.nodes[member].cut_until
    }

    /// Sends a request, which may not arrive.
    fn ask(&mut self, member: usize, join: u64, asked: Asked) {
        let delay = 1 + self.random.below(40);
        let lost = self.is_cut(member) || self.is_lossy();
        // A heartbeat is given up after its interval, a join after the rebalance timeout; a reset is seen at once.
        let reset = lost && self.random.chance(50);
        let patience = if reset { delay } else { 65_000 };
        match &asked {
            Asked::Join(_) => self.after(patience, Happening::JoinAnswered(member, join, Err(unreachable()))),
            Asked::Sync(_, _, _, sent) => {
                let answer = Happening::SyncAnswered(member, join, *sent, Err(unreachable()));
                self.after(patience, answer);
            }
            Asked::Beat(beat, sent) if lost => {
                let answer = Happening::BeatAnswered(member, beat.clone(), *sent, Err(unreachable()));
                self.after(patience.min(3000), answer);
            }
            Asked::Beat(..) | Asked::Leave(_) => {}
        }
        if !lost {
            self.after(delay, Happening::Asked(member, join, asked));
        }
    }

    fn is_lossy(&mut self) -> bool {
        self.now < self.calm_at && self.random.chance(2)
    }

    fn asked(&mut self, member: usize, join: u64, asked: Asked) {
        let who = Who { member, join };
        let replies = match asked {
            Asked::Join(member_id) => self.coordinator.join(who, &member_id, self.now),
            Asked::Sync(member_id, generation, assignments, sent) => {
                self.coordinator
                    .sync(who, &member_id, generation, assignments, sent, self.now)
            }
            Asked::Beat(beat, sent) => {
                let code = self.coordinator.beat(&beat.member_id, beat.generation, self.now);
                vec![Reply::Beat(member, beat, sent, code)]
            }
            Asked::Leave(member_id) => self.coordinator.leave(&member_id, self.now),
        };
        self.deliver(replies);
    }

    fn deliver(&mut self, replies: Vec<Reply>) {
        for reply in replies {
            let delay = 1 + self.random.below(40);
            let lost = self.is_cut(reply.member()) || self.is_lossy();
            let happening = match reply {
                Reply::Join(who, answer) => {
                    let answer = if lost { Err(unreachable()) } else { Ok(answer) };
                    Happening::JoinAnswered(who.member, who.join, answer)
                }
                Reply::Sync(who, sent, answer) => {
                    let answer = if lost { Err(unreachable()) } else { Ok(answer) };
                    Happening::SyncAnswered(who.member, who.join, sent, answer)
                }
                Reply::Beat(member, beat, sent, code) => {
                    let answer = if lost { Err(unreachable()) } else { Ok(code) };
                    Happening::BeatAnswered(member, beat, sent, answer)
                }
            };
            self.after(if lost { 3000 } else { delay }, happening);
        }
    }

    fn fault(&mut self) {
        if self.now >= self.calm_at {
            return;
        }
        let member = self.random.below(self.nodes.len() as u64) as usize;
        let long = Duration::from_millis(100 + self.random.below(25_000));
        match self.random.below(5) {
            0 => self.nodes[member].frozen_until = self.now + long,
            1 => self.nodes[member].cut_until = self.now + long,
            2 => {
                self.away_until = self.now + long;
                let at = self.away_until;
                // A coordinator that has moved gives every member a whole session again.
                self.coordinator.moved(at);
                self.at(at, Happening::Heal);
            }
            3 => {
                let now = self.now;
                self.nodes[member].machine.join("wish".to_owned(), now);
            }
            _ => {
                self.nodes[member].machine.leave("wish".to_owned());
                let now = self.now;
                self.nodes[member].told.generation = None;
                self.nodes[member].machine.join("back".to_owned(), now);
            }
        }
        let next = 500 + self.random.below(20_000);
        self.after(next, Happening::Fault);
    }

    /// Whoever has a lease is still a member to the coordinator, which therefore gives its work to nobody else.
    fn check(&self) {
        for (index, node) in self.nodes.iter().enumerate() {
            // A frozen process does nothing, whatever it believes.
            let frozen = self.now < node.frozen_until;
            let holds = node.told.generation.is_some() && node.machine.lease().is_some_and(|lease| self.now < lease);
            if holds && !frozen {
                assert!(
                    self.coordinator.knows(&node.told.member_id),
                    "seed {}: at {:?} member {index} has a lease and is given up",
                    self.seed,
                    self.now
                );
            }
        }
    }
}

fn simulate(seed: u64) {
    let members = 1 + (seed % 5) as usize;
    let mut world = World::new(seed, members);
    let end = world.calm_at + Duration::from_secs(200);
    world.run(end);
    let generations: Vec<_> = world.nodes.iter().map(|node| node.told.generation).collect();
    assert!(
        generations
            .iter()
            .all(|generation| generation.is_some() && *generation == generations[0]),
        "seed {seed}: after the faults the members are in {generations:?}"
    );
    assert!(
        world
            .nodes
            .iter()
            .all(|node| node.machine.lease().is_some_and(|lease| lease > world.now))
    );
}

#[test]
fn members_never_outlive_their_lease_and_always_come_together_again() {
    let seeds = std::env::var("CAISSON_TEST_SEED")
        .ok()
        .and_then(|seed| seed.parse::<u64>().ok());
    let seeds = seeds.map_or(0..300, |seed| seed..seed + 1);
    for seed in seeds {
        simulate(seed);
    }
}

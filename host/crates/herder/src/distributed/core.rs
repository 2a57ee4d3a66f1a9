//! What a member of a cluster does next, decided without a clock, a network or a thread of its own: an event and the
//! time in, actions out. [`super::run`] performs the actions and brings back what came of them.
//!
//! Four rules keep the cluster's promise that nothing runs twice and nothing acknowledged is lost:
//! 1. what is taken away has stopped before this worker joins the next round, as another worker gets it there;
//! 2. a worker that may no longer be a member stops everything, and before its lease ends nothing of it is left;
//! 3. task configurations start only once the group has shared out what was known when they were committed;
//! 4. only a leader of the present generation writes what leaders write, after it has claimed the config topic and read
//!    it to the end.

mod duties;
mod event;
mod fencing;
mod membership;
mod requests;
mod sharing;
mod strangers;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use caisson_model::{Assignment, GroupProtocol, Work};
use caisson_store::{ConfigSnapshot, ConnectorEntry};

use crate::assignor::{CooperativeAssignor, Item, Items, MemberId};
pub use event::{Action, Event, Joined, Leading, Reply, Request, RequestId, Ticket, WriteFailure};
use fencing::Round;
use membership::{Membership, Phase};
use requests::{Active, Job};
use strangers::Strangers;

/// What the decisions depend on.
#[derive(Clone, Debug)]
pub struct CoreOptions {
    /// Where this worker's REST API is, ending in a slash.
    pub url: String,
    /// The best protocol that this worker offers.
    pub protocol: GroupProtocol,
    /// `worker.sync.timeout.ms`
    pub sync_timeout: Duration,
    /// `worker.unsync.backoff.ms`
    pub unsync_backoff: Duration,
    /// `scheduled.rebalance.max.delay.ms`
    pub max_delay: Duration,
    /// `inter.worker.key.ttl.ms`; zero: keys never expire.
    pub key_ttl: Duration,
    pub key_algorithm: String,
    /// In bytes.
    pub key_size: usize,
}

/// The time, as an event finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Since any moment in the past, and never backwards.
    pub monotonic: Duration,
    /// Milliseconds since 1970, for what all workers compare.
    pub wall: i64,
}

/// The state of one member.
pub struct Core {
    options: CoreOptions,
    assignor: CooperativeAssignor,
    config: Arc<ConfigSnapshot>,
    /// The stores have been read to their ends.
    ready: bool,
    membership: Membership,
    phase: Phase,
    /// What this worker was given; none without an assignment.
    holding: Option<Holding>,
    /// The protocol of the last completed generation.
    protocol: GroupProtocol,
    last_completed: i32,
    /// The present generation's assignment is in effect, and no other is on its way.
    resolved: bool,
    /// What was reported to the round that is under way has been given up since.
    given_up: bool,
    /// Something that may not run may still run, until this is reported stopped.
    stopping: Option<Ticket>,
    /// Where the config topic last changed what there is to share out.
    structure: i64,
    /// How much of the config topic the group knows that this worker knows.
    told: i64,
    /// A join was asked for and has not begun.
    join_asked: bool,
    rejoin_at: Option<Duration>,
    leading: Option<LeaderState>,
    writing: Writing,
    strangers: Strangers,
    queue: VecDeque<Job>,
    active: Option<Active>,
    /// Changes that this worker wrote since the last round began.
    unshared: u32,
    rounds: BTreeMap<Arc<str>, Round>,
    /// Wishes up to here have been dealt with.
    heeded: u64,
    tickets: u64,
    actions: Vec<Action>,
    shut_down: bool,
}

/// What this worker was given, and by whom.
#[derive(Clone, Debug, Default)]
struct Holding {
    items: Items,
    leader: Option<String>,
    leader_url: Option<String>,
    offset: i64,
    /// What was taken away last, and how long some work is held back. They are reported with the rest, as Kafka Connect
    /// does: a coordinator begins no round for a follower that says what it said before, and after work was taken away
    /// there has to be one, whether this worker had that work or not.
    revoked: Work,
    delay: Duration,
}

/// What a leader knows of the generation that it shared out.
struct LeaderState {
    members: BTreeMap<MemberId, (String, Items)>,
}

/// Whether this worker may write what leaders write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writing {
    No,
    /// Claims the config topic, or reads it to the end after that.
    Claiming(Ticket),
    /// The claim failed, or another worker claimed the topic since.
    RetryAt(Duration),
    Yes,
}

impl Core {
    pub fn new(options: CoreOptions) -> Core {
        Core {
            assignor: CooperativeAssignor::new(options.max_delay),
            protocol: options.protocol,
            options,
            config: Arc::default(),
            ready: false,
            membership: Membership::Out,
            phase: Phase::Idle,
            holding: None,
            last_completed: -1,
            resolved: false,
            given_up: false,
            stopping: None,
            structure: 0,
            told: 0,
            join_asked: false,
            rejoin_at: None,
            leading: None,
            writing: Writing::No,
            strangers: Strangers::Unknown,
            queue: VecDeque::new(),
            active: None,
            unshared: 0,
            rounds: BTreeMap::new(),
            heeded: 0,
            tickets: 0,
            actions: Vec::new(),
            shut_down: false,
        }
    }

    /// Takes one event, and returns what is to be done, in this order.
    pub fn step(&mut self, event: Event, now: Now) -> Vec<Action> {
        match event {
            Event::Ready => self.ready(),
            Event::Config(config) => self.config_changed(config, now),
            Event::Preparing => self.preparing(),
            Event::Leading(leading) => self.elected(leading, now),
            Event::Joined(joined) => self.joined(joined, now),
            Event::Unreachable => self.unreachable(),
            Event::Lost => self.lost(),
            Event::Stopped { ticket } => self.stopped(ticket, now),
            Event::Refreshed { ticket, ok } => self.refreshed(ticket, ok, now),
            Event::Claimed { ticket, ok } => self.claimed(ticket, ok, now),
            Event::Written { ticket, outcome } => self.written(ticket, outcome, now),
            Event::Fenced { ticket, outcome } => self.fenced(ticket, outcome),
            Event::Requested { id, request } => self.queue.push_back(Job::Request(id, request)),
            Event::Tick => self.tick(now),
            Event::ShutDown => self.shut_down(),
        }
        self.duties(now);
        self.work();
        self.rejoin_if_needed();
        std::mem::take(&mut self.actions)
    }

    /// When [`Event::Tick`] is due.
    pub fn wake_at(&self, now: Now) -> Option<Duration> {
        let claim = match self.writing {
            Writing::RetryAt(at) => Some(at),
            Writing::No | Writing::Claiming(_) | Writing::Yes => None,
        };
        let strangers = self.strangers_told_at();
        [
            self.rejoin_at,
            self.phase.wake_at(),
            claim,
            self.key_rotation_at(now),
            strangers,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// What this worker is doing, in Kafka Connect's words; none if it waits for something to do.
    pub fn stage(&self) -> String {
        if !self.ready {
            return "initializing and reading to the end of internal topics".to_owned();
        }
        if let Some(active) = &self.active {
            return active.stage().to_owned();
        }
        match &self.phase {
            Phase::Idle if self.resolved => "polling the group coordinator until interrupted".to_owned(),
            Phase::Idle => "ensuring membership in the cluster".to_owned(),
            Phase::Answering | Phase::Revoking { .. } => "stopping revoked connectors and tasks".to_owned(),
            Phase::Leading { .. } | Phase::Syncing { .. } | Phase::CatchingUp { .. } => {
                "reading to the end of the config topic".to_owned()
            }
            Phase::Unsynced { .. } => {
                "sleeping for a backoff duration before reading the config topic again".to_owned()
            }
        }
    }

    pub fn config(&self) -> &Arc<ConfigSnapshot> {
        &self.config
    }

    /// Whether internal requests are signed: all members of the group have to understand that.
    pub fn signs(&self) -> bool {
        self.protocol == GroupProtocol::Sessioned
    }

    /// Whether this worker leads the present generation and may act so.
    pub fn is_leader(&self) -> bool {
        self.resolved && self.membership.is_leader()
    }

    /// Where the leader of the present generation is; none while there is none.
    pub fn leader_url(&self) -> Option<String> {
        let known = self.holding.as_ref().filter(|_| self.resolved);
        known
            .and_then(|holding| holding.leader_url.clone())
            .filter(|url| !url.is_empty())
    }

    pub fn is_resolved(&self) -> bool {
        self.resolved
    }

    /// The protocol of the last completed generation.
    pub fn protocol(&self) -> GroupProtocol {
        self.protocol
    }

    /// How many connectors and tasks this worker was given.
    pub fn assigned(&self) -> (usize, usize) {
        let items = self.holding.as_ref().map(|holding| &holding.items);
        let connectors = |item: &&Item| matches!(item, Item::Connector(_));
        let all = items.map_or(0, Items::len);
        let connectors = items.map_or(0, |items| items.iter().filter(connectors).count());
        (connectors, all - connectors)
    }

    /// The present generation; 0 outside the group.
    pub fn generation(&self) -> i32 {
        self.membership.generation()
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    fn act(&mut self, action: Action) {
        self.actions.push(action);
    }

    fn ready(&mut self) {
        self.ready = true;
        // Wishes of earlier days have been dealt with, or nobody waits for them any more.
        self.heeded = u64::try_from(self.config.offset).unwrap_or(0);
        self.join("worker started");
    }

    fn config_changed(&mut self, config: Arc<ConfigSnapshot>, now: Now) {
        let old = std::mem::replace(&mut self.config, config);
        if structure_differs(&old, &self.config) {
            self.structure = self.config.offset;
        }
        self.look_for_strangers(&old, now);
        if self.ready {
            self.heed_wishes();
        }
        self.note_fencing();
    }

    /// Passes on what was asked of all workers since the last time.
    fn heed_wishes(&mut self) {
        let config = self.config.clone();
        for (name, wish) in &config.restarts {
            if wish.revision >= self.heeded && config.contains(name) {
                self.act(Action::Restart {
                    name: name.clone(),
                    only_failed: wish.only_failed,
                    include_tasks: wish.include_tasks,
                });
            }
        }
        for (logger, wish) in &config.levels {
            if wish.revision >= self.heeded {
                self.act(Action::SetLevel {
                    logger: logger.clone(),
                    level: wish.level.clone(),
                });
            }
        }
        self.heeded = u64::try_from(config.offset).unwrap_or(self.heeded);
    }

    /// An assignment as this worker reports it.
    fn reported(&self) -> Option<Assignment> {
        let holding = self.holding.as_ref()?;
        Some(Assignment {
            leader: holding.leader.clone(),
            leader_url: holding.leader_url.clone(),
            offset: holding.offset,
            assigned: crate::assignor::work(&holding.items),
            revoked: holding.revoked.clone(),
            delay: holding.delay,
            ..Assignment::default()
        })
    }

    fn shut_down(&mut self) {
        self.shut_down = true;
        self.resolved = false;
        self.rejoin_at = None;
        self.phase = Phase::Idle;
        self.membership = Membership::Out;
        self.release_everything();
    }
}

/// Whether there is something else to share out.
fn structure_differs(old: &ConfigSnapshot, new: &ConfigSnapshot) -> bool {
    let of = |entry: &ConnectorEntry| entry.task_revision;
    !std::ptr::eq(old, new) && by_connector(old, of) != by_connector(new, of)
}

/// All connectors by name, and what is asked of each.
fn by_connector<T>(snapshot: &ConfigSnapshot, of: impl Fn(&ConnectorEntry) -> T) -> Vec<(&Arc<str>, T)> {
    snapshot.connectors().map(|(name, entry)| (name, of(entry))).collect()
}

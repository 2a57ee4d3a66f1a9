//! The fetcher's work: knows who leads which partition, asks brokers for what there is room for, and deals with what
//! they answer.

mod answer;
mod ask;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::Shared;
use super::link::{Answer, Link};
use crate::consumer::slot::Slot;
use crate::error::KafkaError;
use crate::wire::messages::{ClusterMetadata, FetchAnswer, FetchedPartition, TopicId};
use crate::wire::{Address, Dialer};

/// How long the driver sleeps at most; what happens wakes it up.
const LOOK: Duration = Duration::from_secs(20);
/// How long a broker may wait for records when it had none for a while. More than `fetch.max.wait.ms` is no loss: the first
/// byte that comes ends the wait, and so does whatever changes what is to be asked for.
const IDLE_WAIT: Duration = Duration::from_secs(5);
/// Over this time is counted how busy the driver is.
const PERIOD: Duration = Duration::from_secs(1);
/// Bytes in a period that make it busy, and those below which it may come to rest.
const BUSY: usize = 4 << 20;
const QUIET: usize = 512 << 10;
/// Periods in a row after which it does.
const REST: u32 = 10;
/// Answers that wait for the driver; links wait for room.
const EVENTS: usize = 64;

/// What the driver hears.
pub(super) enum Event {
    Answered {
        node: i32,
        /// Of which of its links.
        link: u64,
        answer: Result<Answer, KafkaError>,
    },
    Metadata(Result<ClusterMetadata, KafkaError>),
}

/// A partition and how it is to be fetched.
struct Place {
    slot: Arc<Slot>,
    leader: Option<i32>,
    /// That of its topic, where brokers have any.
    topic_id: Option<TopicId>,
    /// A replica that the leader has named as nearer (KIP-392).
    preferred: Option<i32>,
    /// Not asked for before.
    not_before: Option<Instant>,
    /// Answers in a row that could not be read.
    corrupt: u32,
    /// Since when the position is beyond what is there.
    beyond: Option<Instant>,
    missing: Missing,
}

/// Whether a topic that had a leader is unknown to the brokers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Missing {
    No,
    Since(Instant),
    /// That is in the log.
    Said,
}

impl Place {
    /// The broker to ask.
    fn source(&self) -> Option<i32> {
        self.preferred.or(self.leader)
    }

    fn is_due(&self, now: Instant, next: &mut Instant) -> bool {
        match self.not_before {
            Some(due) if due > now => {
                *next = (*next).min(due);
                false
            }
            _ => true,
        }
    }
}

/// A broker.
struct Node {
    address: Address,
    link: Option<Link>,
    /// What it was asked for and has not answered: the partitions, each with the epoch in which it was asked for.
    asked: Vec<Asked>,
    is_asked: bool,
    /// It was asked to wait longer than the settings say, as it had nothing.
    is_waiting: bool,
    /// How long it may wait.
    wait: Duration,
    /// Where to begin the next request, so that each partition is the first one now and then.
    turn: usize,
}

impl Node {
    fn new(address: Address) -> Node {
        Node {
            address,
            link: None,
            asked: Vec::new(),
            is_asked: false,
            is_waiting: false,
            wait: Duration::ZERO,
            turn: 0,
        }
    }

    /// Gives up what it was asked for, and the connection.
    fn hang_up(&mut self) {
        self.link = None;
        self.asked.clear();
        (self.is_asked, self.is_waiting, self.wait) = (false, false, Duration::ZERO);
    }

    /// Lets it wait longer the next time if it had nothing.
    fn had(&mut self, answer: &FetchAnswer, usual: Duration) {
        let of_partition = |one: &FetchedPartition| one.code == 0 && one.records.is_empty();
        let nothing = answer.code == 0 && answer.throttled == 0 && answer.partitions.iter().all(of_partition);
        self.wait = match nothing {
            true => (self.wait.max(usual) * 2).min(IDLE_WAIT),
            false => Duration::ZERO,
        };
    }
}

struct Asked {
    slot: Arc<Slot>,
    epoch: u32,
    offset: i64,
}

pub(super) struct Driver {
    shared: Arc<Shared>,
    dialer: Arc<Dialer>,
    places: Vec<Place>,
    /// That of the assignment when `places` was made.
    generation: Option<u64>,
    nodes: HashMap<i32, Node>,
    /// When metadata may be asked for again; none while it is being asked for.
    metadata_due: Option<Instant>,
    /// A partition is not where it was thought to be, or not known.
    metadata_wanted: bool,
    metadata_learned: Option<Instant>,
    events: mpsc::Receiver<Event>,
    events_in: mpsc::Sender<Event>,
    /// Links so far.
    links: u64,
    load: Load,
}

/// Where the driver runs: with others, or alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// Until there is much to do.
    Quiet,
    /// Until there is little to do.
    Busy,
    Any,
}

/// How much has come lately.
struct Load {
    since: Instant,
    bytes: usize,
    /// Periods in a row with hardly anything.
    quiet: u32,
}

impl Load {
    fn add(&mut self, bytes: usize, now: Instant) {
        self.roll(now);
        self.bytes += bytes;
    }

    fn roll(&mut self, now: Instant) {
        let over = now.saturating_duration_since(self.since);
        if over >= PERIOD {
            let periods = u32::try_from(over.as_secs()).unwrap_or(u32::MAX);
            self.quiet = match self.bytes < QUIET {
                true => self.quiet.saturating_add(periods),
                false => 0,
            };
            (self.since, self.bytes) = (now, 0);
        }
    }

    /// Whether the driver is better off elsewhere.
    fn outgrows(&mut self, pace: Pace, now: Instant) -> bool {
        self.roll(now);
        match pace {
            Pace::Quiet => self.bytes >= BUSY,
            Pace::Busy => self.quiet >= REST,
            Pace::Any => false,
        }
    }
}

impl Driver {
    pub(super) fn new(shared: Arc<Shared>, dialer: Arc<Dialer>) -> Driver {
        let (events_in, events) = mpsc::channel(EVENTS);
        Driver {
            shared,
            dialer,
            places: Vec::new(),
            generation: None,
            nodes: HashMap::new(),
            metadata_due: Some(Instant::now()),
            metadata_wanted: false,
            metadata_learned: None,
            events,
            events_in,
            links: 0,
            load: Load {
                since: Instant::now(),
                bytes: 0,
                quiet: 0,
            },
        }
    }

    /// Until the fetcher is dropped, or is to go on elsewhere.
    pub(super) async fn run(mut self, pace: Pace) -> Option<Driver> {
        while !self.shared.closing.load(Ordering::Acquire) {
            if self.load.outgrows(pace, Instant::now()) {
                self.leave();
                return Some(self);
            }
            self.follow_assignment();
            let next = self.dispatch(Instant::now());
            tokio::select! {
                () = self.shared.budget.changed() => {}
                Some(event) = self.events.recv() => self.handle(event),
                () = tokio::time::sleep_until(next.into()) => {}
            }
        }
        None
    }

    /// Lets go of what belongs to the runtime that it leaves.
    fn leave(&mut self) {
        for node in self.nodes.values_mut() {
            node.hang_up();
        }
        if self.metadata_due.is_none() {
            (self.metadata_due, self.metadata_wanted) = (Some(Instant::now()), true);
        }
        self.load.quiet = 0;
    }

    /// Takes partitions that came and drops those that went.
    fn follow_assignment(&mut self) {
        let generation = self.shared.assignment.generation();
        if self.generation == Some(generation) {
            return;
        }
        self.generation = Some(generation);
        let mut slots = self.shared.assignment.all();
        // Those of a topic stand together in requests.
        slots.sort_by(|one, other| one.partition.cmp(&other.partition));
        let before = std::mem::take(&mut self.places);
        self.places = slots
            .into_iter()
            .map(|slot| {
                let known = before.iter().find(|place| place.slot.partition == slot.partition);
                Place {
                    leader: known.and_then(|place| place.leader),
                    topic_id: known.and_then(|place| place.topic_id),
                    slot,
                    preferred: None,
                    not_before: None,
                    corrupt: 0,
                    beyond: None,
                    missing: Missing::No,
                }
            })
            .collect();
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Answered { node, link, answer } => {
                let Some(node) = self.nodes.get_mut(&node) else { return };
                if node.link.as_ref().is_none_or(|known| known.number() != link) {
                    // It was given up before.
                    return;
                }
                let asked = std::mem::take(&mut node.asked);
                (node.is_asked, node.is_waiting) = (false, false);
                match answer {
                    Ok(Answer::Records(bytes, answer)) => {
                        node.had(&answer, self.shared.options.max_wait);
                        self.load.add(bytes.len(), Instant::now());
                        self.take_records(&asked, bytes, answer);
                    }
                    Ok(Answer::Offsets(offsets)) => self.take_offsets(&asked, &offsets),
                    Err(error) => self.unanswered(&asked, error),
                }
            }
            Event::Metadata(answer) => self.learn(answer),
        }
    }

    /// The place of a partition, unless it went, or is another one that came since.
    fn place(&mut self, slot: &Arc<Slot>) -> Option<&mut Place> {
        self.places.iter_mut().find(|place| Arc::ptr_eq(&place.slot, slot))
    }
}

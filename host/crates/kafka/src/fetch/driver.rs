//! The fetcher's own thread: knows who leads which partition, asks brokers for what there is room for, and deals with what
//! they answer.

mod answer;
mod ask;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::Shared;
use super::link::{Answer, Link};
use crate::consumer::slot::Slot;
use crate::error::KafkaError;
use crate::wire::messages::ClusterMetadata;
use crate::wire::{Address, Dialer};

/// How long the driver sleeps at most; it bounds how late it sees that it should end.
const LOOK: Duration = Duration::from_millis(500);
/// Answers that wait for the driver; links wait for room.
const EVENTS: usize = 64;

/// What the driver hears.
pub(super) enum Event {
    Answered {
        node: i32,
        answer: Result<Answer, KafkaError>,
    },
    Metadata(Result<ClusterMetadata, KafkaError>),
}

/// A partition and how it is to be fetched.
struct Place {
    slot: Arc<Slot>,
    leader: Option<i32>,
    /// A replica that the leader has named as nearer (KIP-392).
    preferred: Option<i32>,
    /// Not asked for before.
    not_before: Option<Instant>,
    /// Answers in a row that could not be read.
    corrupt: u32,
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
    /// Where to begin the next request, so that each partition is the first one now and then.
    turn: usize,
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
        }
    }

    /// Until the fetcher is dropped.
    pub(super) async fn run(mut self) {
        while !self.shared.closing.load(Ordering::Acquire) {
            self.follow_assignment();
            let next = self.dispatch(Instant::now());
            tokio::select! {
                () = self.shared.budget.changed() => {}
                Some(event) = self.events.recv() => self.handle(event),
                () = tokio::time::sleep_until(next.into()) => {}
            }
        }
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
                    slot,
                    preferred: None,
                    not_before: None,
                    corrupt: 0,
                }
            })
            .collect();
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Answered { node, answer } => {
                let Some(node) = self.nodes.get_mut(&node) else { return };
                let asked = std::mem::take(&mut node.asked);
                node.is_asked = false;
                match answer {
                    Ok(Answer::Records(bytes, answer)) => self.take_records(&asked, bytes, answer),
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

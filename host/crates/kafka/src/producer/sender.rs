//! The producer's own thread: takes batches that are due to the brokers that lead their partitions, and deals with what
//! the brokers answer.

mod answer;
mod ask;
mod link;
mod transaction;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use self::link::Link;
use self::transaction::Transaction;
pub(crate) use self::transaction::{Command, Order};
use super::pending::Batch;
use super::record_batch::Identity;
use super::shared::Shared;
use super::topic::{Known, TopicQueue};
use crate::error::{ErrorCode, KafkaError};
use crate::wire::messages::{ClusterMetadata, Produced};
use crate::wire::{Address, Dialer};

/// How long the sender sleeps at most; it bounds how late it sees that it should end.
const LOOK: Duration = Duration::from_millis(500);
/// Events that wait for the sender; links wait for room.
const EVENTS: usize = 256;

/// A batch that is on its way.
pub(crate) struct Shipment {
    topic: Arc<TopicQueue>,
    batch: Batch,
}

/// What the sender hears.
enum Event {
    /// A request ended: what the broker said of each batch, or why it said nothing.
    Answered {
        node: i32,
        shipments: Vec<Shipment>,
        answer: Result<Vec<Produced>, KafkaError>,
    },
    Metadata(Result<ClusterMetadata, KafkaError>),
    Identity(Result<Identity, KafkaError>),
    /// Partitions that belong to the transaction now.
    Added(Result<Vec<(Arc<str>, i32)>, KafkaError>),
    /// The coordinator has carried out an order; who the producer is after it.
    Ended(Result<Identity, KafkaError>),
}

/// Something that is asked of the cluster now and then.
enum Question {
    /// Not before then.
    Due(Instant),
    Asked,
}

/// Who the producer is, for brokers to tell repetitions by.
enum Who {
    /// It is nobody: not idempotent.
    Nobody,
    Unknown(Question),
    Known(Identity),
}

pub(crate) struct Sender {
    shared: Arc<Shared>,
    dialer: Arc<Dialer>,
    /// Where the brokers listen.
    nodes: HashMap<i32, Address>,
    links: HashMap<i32, Link>,
    who: Who,
    metadata: Question,
    /// Something is not where it was thought to be, or not known: ask as soon as the backoff allows.
    metadata_wanted: bool,
    metadata_learned: Option<Instant>,
    /// Topics that brokers did not know, for which a line was logged.
    missing: Vec<Arc<str>>,
    transaction: Transaction,
    events: mpsc::Receiver<Event>,
    events_in: mpsc::Sender<Event>,
}

/// What one broker gets next.
#[derive(Default)]
struct Load {
    shipments: Vec<Shipment>,
    bytes: usize,
}

impl Sender {
    pub(crate) fn new(shared: Arc<Shared>, dialer: Arc<Dialer>) -> Sender {
        let (events_in, events) = mpsc::channel(EVENTS);
        let who = match shared.options.idempotent {
            true => Who::Unknown(transaction::beginning(shared.options.transactional_id.is_some())),
            false => Who::Nobody,
        };
        Sender {
            shared,
            dialer,
            nodes: HashMap::new(),
            links: HashMap::new(),
            who,
            metadata: Question::Due(Instant::now()),
            metadata_wanted: false,
            metadata_learned: None,
            missing: Vec::new(),
            transaction: Transaction::default(),
            events,
            events_in,
        }
    }

    /// Until the producer is dropped; then everything that is left fails.
    pub(crate) async fn run(mut self) {
        while !self.shared.closing.load(Ordering::Acquire) {
            let next = self.dispatch(Instant::now());
            tokio::select! {
                () = self.shared.wake.notified() => {}
                Some(event) = self.events.recv() => {
                    self.handle(event);
                    while let Ok(event) = self.events.try_recv() {
                        self.handle(event);
                    }
                }
                () = tokio::time::sleep_until(next.into()) => {}
            }
        }
        for topic in self.shared.topics() {
            // Dropped, they fail.
            let given_up = topic.lock().give_up(&self.shared.options);
            drop(given_up);
        }
    }

    /// Sends and asks what is due. Returns when to look again if nothing happens before.
    fn dispatch(&mut self, now: Instant) -> Instant {
        let mut next = now + LOOK;
        self.ask_for_identity(now, &mut next);
        self.look_for_topics(now);
        match self.who {
            Who::Nobody => self.send(Identity::NONE, now, &mut next),
            Who::Known(identity) => self.send(identity, now, &mut next),
            Who::Unknown(_) => {}
        }
        self.advance_transaction(now);
        // Last: all that comes before may find that it is wanted.
        self.ask_for_metadata(now, &mut next);
        next
    }

    /// Sends what is due.
    fn send(&mut self, identity: Identity, now: Instant, next: &mut Instant) {
        let mut loads = BTreeMap::new();
        for topic in self.shared.topics() {
            if topic.busy.load(Ordering::Relaxed) {
                self.load(&topic, identity, now, next, &mut loads);
            }
        }
        for (node, load) in loads {
            self.ship(node, load);
        }
    }

    /// Takes what is due of a topic.
    fn load(
        &mut self,
        topic: &Arc<TopicQueue>,
        identity: Identity,
        now: Instant,
        next: &mut Instant,
        loads: &mut BTreeMap<i32, Load>,
    ) {
        let shared = self.shared.clone();
        let options = &shared.options;
        let flushing = shared.flushing.load(Ordering::Relaxed) > 0 || self.transaction.is_ending();
        let hurry = flushing || shared.memory.is_short();
        let linger = if hurry { Duration::ZERO } else { options.linger };
        let mut state = topic.lock();
        for partition in &mut state.partitions {
            self.give_up_late(partition, now);
            match partition.due(linger) {
                Some(due) if due <= now => {}
                Some(due) => {
                    *next = due.min(*next);
                    continue;
                }
                None => continue,
            }
            let Some(node) = partition.leader.filter(|node| self.nodes.contains_key(node)) else {
                self.metadata_wanted = true;
                continue;
            };
            if options.transactional_id.is_some() && !self.transaction.admits(&topic.name, partition.number()) {
                continue;
            }
            let load = loads.entry(node).or_default();
            let fits = load.shipments.is_empty() || load.bytes + partition.next_size() <= options.max_request;
            let in_flight = self.links.get(&node).map_or(0, |link| link.in_flight);
            if !fits || in_flight >= options.in_flight {
                continue;
            }
            if let Some(batch) = partition.take(options, identity) {
                load.bytes += batch.records.bytes().len();
                load.shipments.push(Shipment {
                    topic: topic.clone(),
                    batch,
                });
            }
        }
        if state.is_idle() {
            topic.busy.store(false, Ordering::Relaxed);
        }
    }

    /// Fails batches for which `delivery.timeout.ms` is over.
    fn give_up_late(&mut self, partition: &mut super::topic::PartitionQueue, now: Instant) {
        let shared = self.shared.clone();
        let options = &shared.options;
        let Some(limit) = options.delivery_timeout else { return };
        while !partition.in_flight
            && let Some(opened) = partition.next_opened()
            && opened + limit <= now
        {
            if partition.ready.is_empty() {
                partition.seal(options);
            }
            let Some(batch) = partition.ready.pop_front() else {
                break;
            };
            if batch.stamp.is_some() {
                // A gap in the sequence: what follows needs a new one.
                self.renew(now);
            }
            let text = format!("not delivered within {limit:?} (delivery.timeout.ms)");
            let error = KafkaError::with_message(ErrorCode::MESSAGE_TIMED_OUT, text);
            self.transaction.fail(&error);
            fail(&shared, batch, &error);
        }
    }

    fn ship(&mut self, node: i32, load: Load) {
        if load.shipments.is_empty() {
            return;
        }
        let Some(address) = self.nodes.get(&node) else { return };
        let is_current = |link: &Link| link.is_to(address);
        if !self.links.get(&node).is_some_and(is_current) {
            let link = Link::start(node, address.clone(), &self.dialer, &self.shared, &self.events_in);
            self.links.insert(node, link);
        }
        if let Some(link) = self.links.get_mut(&node) {
            link.send(load.shipments);
        }
    }

    /// Topics that are waited for: in vain for too long, or to be asked for.
    fn look_for_topics(&mut self, now: Instant) {
        let patience = self.shared.options.unknown_topic_patience;
        for topic in self.shared.topics() {
            if !topic.busy.load(Ordering::Relaxed) {
                continue;
            }
            let mut state = topic.lock();
            let Known::Wanted(Some(since)) = state.known else {
                continue;
            };
            self.metadata_wanted = true;
            if since + patience <= now && self.metadata_learned.is_some_and(|learned| learned > since) {
                let text = format!(
                    "no broker knows topic {}, and none has made it within {patience:?}: create it, or let the connector \
                     (topic.creation.*) or the brokers (auto.create.topics.enable) do so",
                    topic.name
                );
                let error = KafkaError::with_message(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, text);
                state.known = Known::Refused(error.clone());
                let given_up = state.give_up(&self.shared.options);
                drop(state);
                given_up.into_iter().for_each(|batch| fail(&self.shared, batch, &error));
                self.shared.room.made();
            }
        }
    }

    /// The sequence of records is broken: a new identity begins a new one.
    fn renew(&mut self, now: Instant) {
        // That of a transaction ends with it.
        if self.shared.options.transactional_id.is_none() && matches!(self.who, Who::Known(_)) {
            self.who = Who::Unknown(Question::Due(now));
        }
    }
}

/// Ends a batch that will not arrive.
fn fail(shared: &Shared, batch: Batch, error: &KafkaError) {
    let (records, bytes) = (batch.records.records() as usize, batch.occupies);
    shared.buffers.put(batch.fail(error));
    shared.ended(records, bytes);
}

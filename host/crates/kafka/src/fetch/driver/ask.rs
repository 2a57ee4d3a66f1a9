//! What is asked of brokers, and when.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Asked, Driver, Event, LOOK, Missing, Node, Place};
use crate::consumer::slot::{Position, Slot};
use crate::error::{ErrorCode, KafkaError};
use crate::fetch::link::{Link, Question};
use crate::wire::Address;
use crate::wire::messages::{ClusterMetadata, Fetch, FetchFrom, ListOffsets, TopicMetadata};

/// How long a broker may wait for records while there are others of it that there was no room for a moment ago.
const SHORT_WAIT: Duration = Duration::from_millis(10);
/// No request for less: it would cost more than it brings.
const LEAST: usize = 64 << 10;
/// What may be asked for however much is held, once all that came before was taken.
const SHARE: usize = 1 << 20;
/// The partition has no leader at the moment.
const NO_LEADER: i32 = -1;
/// How long a topic is unknown before it counts as gone: of one that was made a moment ago not every broker has heard.
const GONE: Duration = Duration::from_secs(3);

impl Driver {
    /// Asks for what is due. Returns when to look again if nothing happens before.
    pub(super) fn dispatch(&mut self, now: Instant) -> Instant {
        let mut next = now + LOOK;
        let mut sources: Vec<i32> = self.places.iter().filter_map(Place::source).collect();
        sources.sort_unstable();
        sources.dedup();
        // What was read keeps a share of the buffer, and each broker has one for what it is asked for meanwhile.
        let share = self.shared.options.buffer / (sources.len() + 1);
        for number in sources {
            self.ask(number, share, now, &mut next);
        }
        // Last: a broker may be wanted that nobody has named.
        self.ask_for_metadata(now, &mut next);
        next
    }

    /// Asks one broker, if it has nothing to answer yet.
    fn ask(&mut self, number: i32, share: usize, now: Instant, next: &mut Instant) {
        let is_behind = self.nodes.get(&number).is_some_and(|node| node.is_waiting) && self.has_more(number, now, next);
        match self.nodes.get_mut(&number) {
            // It waits for records, and would take no question meanwhile.
            Some(node) if is_behind => node.hang_up(),
            Some(node) if node.is_asked => return,
            Some(_) => {}
            None => {
                self.metadata_wanted = true;
                return;
            }
        }
        let question = self.offsets(number, now, next);
        let Some((question, asked)) = question.or_else(|| self.records(number, share, now, next)) else {
            return;
        };
        let (shared, dialer, events) = (&self.shared, &self.dialer, &self.events_in);
        let Some(node) = self.nodes.get_mut(&number) else {
            return;
        };
        if !node.link.as_ref().is_some_and(|link| link.is_to(&node.address)) {
            self.links += 1;
            let to = node.address.clone();
            node.link = Some(Link::start(number, self.links, to, dialer, shared, events));
        }
        let is_waiting = question.waits_longer_than(self.shared.options.max_wait);
        if node.link.as_ref().is_some_and(|link| link.ask(question)) {
            node.asked = asked;
            node.is_waiting = is_waiting;
            node.is_asked = true;
        } else {
            // The task of the link has ended; a new one is made.
            node.link = None;
            *next = (*next).min(now + self.shared.options.backoff);
        }
    }

    /// Whether there is something to ask a broker for that it was not asked for.
    fn has_more(&self, number: i32, now: Instant, next: &mut Instant) -> bool {
        let Some(node) = self.nodes.get(&number) else {
            return false;
        };
        let is_asked = |slot: &Arc<Slot>, epoch: u32| {
            let about = |asked: &Asked| Arc::ptr_eq(&asked.slot, slot) && asked.epoch == epoch;
            node.asked.iter().any(about)
        };
        self.places.iter().any(|place| {
            let is_new = match place.slot.position() {
                (_, Position::Unknown) => false,
                (_, Position::Earliest | Position::Latest) => place.leader == Some(number),
                (epoch, Position::At(_)) => {
                    place.source() == Some(number) && !place.slot.paused() && !is_asked(&place.slot, epoch)
                }
            };
            is_new && place.is_due(now, next)
        })
    }

    /// Where partitions begin or end whose position is to be found.
    fn offsets(&self, number: i32, now: Instant, next: &mut Instant) -> Option<(Question, Vec<Asked>)> {
        let mut asked = Vec::new();
        let mut partitions = Vec::new();
        for place in self.places.iter().filter(|place| place.leader == Some(number)) {
            let (epoch, position) = place.slot.position();
            let time = match position {
                Position::Earliest => -2,
                Position::Latest => -1,
                Position::At(_) | Position::Unknown => continue,
            };
            if !place.is_due(now, next) {
                continue;
            }
            let partition = &place.slot.partition;
            partitions.push((partition.topic.clone(), partition.partition, time));
            asked.push(Asked {
                slot: place.slot.clone(),
                epoch,
                offset: time,
            });
        }
        let question = Question::Offsets(ListOffsets {
            committed_only: self.shared.options.committed_only,
            partitions,
        });
        (!asked.is_empty()).then_some((question, asked))
    }

    /// Records of partitions that are not paused, as far as there is room, and no more than a share.
    fn records(
        &mut self,
        number: i32,
        share: usize,
        now: Instant,
        next: &mut Instant,
    ) -> Option<(Question, Vec<Asked>)> {
        let shared = self.shared.clone();
        let options = &shared.options;
        let mut room = shared.budget.room();
        if shared.is_drained() {
            // Everything was taken, and what is still held may be kept for partitions that are paused: the others go on.
            room = room.max(SHARE.min(options.partition_bytes));
        }
        // A small rest of the buffer is not worth a request; who frees the rest wakes us.
        if room < LEAST.min(options.buffer).min(options.partition_bytes) {
            return None;
        }
        let mut asked = Vec::new();
        for place in self.places.iter().filter(|place| place.source() == Some(number)) {
            let (epoch, Position::At(offset)) = place.slot.position() else {
                continue;
            };
            if !place.slot.paused() && place.is_due(now, next) {
                asked.push(Asked {
                    slot: place.slot.clone(),
                    epoch,
                    offset,
                });
            }
        }
        if asked.is_empty() {
            return None;
        }
        if let Some(node) = self.nodes.get_mut(&number) {
            node.turn = node.turn.wrapping_add(1);
            let begin = node.turn % asked.len();
            asked.rotate_left(begin);
        }
        let most = room.min(share.max(LEAST));
        let max_bytes = bytes(options.partition_bytes.min(most));
        let idle_wait = self.nodes.get(&number).map_or(Duration::ZERO, |node| node.wait);
        let partitions = asked.iter().map(|asked| FetchFrom {
            topic: asked.slot.partition.topic.clone(),
            partition: asked.slot.partition.partition,
            offset: asked.offset,
            max_bytes,
        });
        let wait = match room < options.partition_bytes.min(options.buffer) {
            true => SHORT_WAIT.min(options.max_wait),
            // Whoever wants more than the first byte has a reason for the time that is set.
            false if options.min_bytes > 1 => options.max_wait,
            false => options.max_wait.max(idle_wait),
        };
        let fetch = Fetch {
            max_wait: i32::try_from(wait.as_millis()).unwrap_or(i32::MAX),
            min_bytes: options.min_bytes,
            max_bytes: bytes(options.max_bytes.min(most)),
            committed_only: options.committed_only,
            rack: options.rack.clone(),
            partitions: partitions.collect(),
        };
        Some((Question::Records(fetch), asked))
    }

    fn ask_for_metadata(&mut self, now: Instant, next: &mut Instant) {
        let options = &self.shared.options;
        let is_old = |learned: Instant| learned + options.metadata_max_age <= now;
        let is_unknown = self.places.iter().any(|place| place.leader.is_none());
        let is_wanted = is_unknown || self.metadata_wanted || self.metadata_learned.is_some_and(is_old);
        if !is_wanted || self.places.is_empty() {
            return;
        }
        let Some(due) = self.metadata_due else { return };
        if due > now {
            *next = (*next).min(due);
            return;
        }
        (self.metadata_due, self.metadata_wanted) = (None, false);
        let topic = |place: &Place| place.slot.partition.topic.clone();
        let mut topics: Vec<Arc<str>> = self.places.iter().map(topic).collect();
        topics.dedup();
        let known = self.dialer.brokers(self.nodes.values().map(|node| &node.address));
        let (dialer, events, create) = (self.dialer.clone(), self.events_in.clone(), options.create_topics);
        tokio::spawn(async move {
            let topics: Vec<&str> = topics.iter().map(|topic| &**topic).collect();
            let request = TopicMetadata {
                topics: Some(&topics),
                create,
            };
            let answer = dialer.ask_any(&known, &request).await;
            let _ = events.send(Event::Metadata(answer)).await;
        });
    }

    pub(super) fn learn(&mut self, answer: Result<ClusterMetadata, KafkaError>) {
        let now = Instant::now();
        let metadata = match answer {
            Ok(metadata) => metadata,
            Err(error) => {
                self.metadata_wanted = true;
                self.metadata_due = Some(now + self.shared.options.reconnect_backoff);
                self.complain(error, None, false);
                return;
            }
        };
        self.metadata_due = Some(now + self.shared.options.backoff);
        self.metadata_learned = Some(now);
        for (number, host, port) in &metadata.brokers {
            let Some(address) = Address::new(host, *port) else {
                continue;
            };
            match self.nodes.get_mut(number) {
                Some(node) => node.address = address,
                None => {
                    self.nodes.insert(*number, Node::new(address));
                }
            }
        }
        self.miss(&metadata, now);
        let mut is_anew = false;
        for place in &mut self.places {
            let partition = &place.slot.partition;
            let topic = metadata.topics.iter().find(|topic| *topic.name == *partition.topic);
            let of_topic = topic.map_or(&[][..], |topic| &topic.partitions);
            let found = of_topic.iter().find(|(_, number, _)| *number == partition.partition);
            place.leader = found
                .map(|(_, _, leader)| *leader)
                .filter(|leader| *leader != NO_LEADER);
            place.preferred = None;
            if let Some(id) = topic.and_then(|topic| topic.id)
                && place.topic_id.replace(id).is_some_and(|before| before != id)
            {
                place.beyond = None;
                place.slot.note_anew();
                is_anew = true;
            }
        }
        if is_anew {
            (self.shared.arrived)();
        }
        for topic in &metadata.topics {
            let code = ErrorCode(i32::from(topic.code));
            if code != ErrorCode::NONE && !code.is_retriable() {
                let text = format!("{}: {}", topic.name, code.description());
                self.complain(KafkaError::with_message(code, text), None, false);
            }
        }
    }
}

impl Driver {
    /// Says once of each topic that was there that it is not any more. Whether it comes back is waited for.
    fn miss(&mut self, metadata: &ClusterMetadata, now: Instant) {
        for topic in &metadata.topics {
            let is_gone = ErrorCode(i32::from(topic.code)) == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
            let of_topic = |place: &&mut Place| *place.slot.partition.topic == *topic.name;
            let mut news = false;
            for place in self.places.iter_mut().filter(of_topic) {
                place.missing = match place.missing {
                    _ if !is_gone => Missing::No,
                    Missing::No if place.leader.is_some() => Missing::Since(now),
                    Missing::Since(since) if now.saturating_duration_since(since) >= GONE => {
                        news = true;
                        Missing::Said
                    }
                    missing => missing,
                };
            }
            if news {
                let code = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
                let text = format!("topic {} is not there any more", topic.name);
                self.complain(KafkaError::with_message(code, text), None, false);
            }
        }
    }
}

fn bytes(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

//! From frames to the producer: converted if need be, sent in runs of one topic, in the order of the frame.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use caisson_api::frame::{Entry, Frame, Role};
use caisson_kafka::{OpenAckGroup, OutRecord, SourceProducer};
use caisson_model::Failure;
use caisson_sandbox::{Delivery, Outcome};
use tokio::time::Instant;

use super::acks::{Acks, Flag, Kept};
use crate::chain::Stream;
use crate::columns::Forms;
use crate::control::{Controls, Wish};
use crate::errors::{Errors, Faults, Trail};
use crate::recode::{Order, Recoder};
use crate::settings::{SourceSettings, TopicCreator};

/// How long one wait for room in the producer takes at most, before the task looks whether it is to stop.
const ROOM_WAIT: Duration = Duration::from_millis(100);

pub struct Outlet {
    producer: Arc<SourceProducer>,
    recoder: Recoder,
    task: String,
    topics: Option<Arc<dyn TopicCreator>>,
    /// Topics that are known to exist, or to be the broker's business.
    known: Vec<String>,
}

/// What was handed to the producer of one batch.
pub struct Sent {
    pub groups: Vec<SentGroup>,
    /// The progress of all groups, those without a source partition too.
    pub flags: Vec<Arc<Flag>>,
    /// Per record of the polled batch: the group it was sent with, if it was sent at all.
    pub fate: Vec<Option<usize>>,
}

/// The records of a batch that share a source partition.
pub struct SentGroup {
    pub partition: Arc<str>,
    /// Of the last record that was sent.
    pub offset: Arc<str>,
    pub flag: Arc<Flag>,
}

impl Outlet {
    pub fn new(settings: &SourceSettings) -> Self {
        let task = &settings.task;
        Outlet {
            producer: settings.producer.clone(),
            recoder: Recoder::new(&task.converters, Role::Transform, Order::HeadersFirst),
            task: task.id.to_string(),
            topics: settings.topics.clone(),
            known: Vec::new(),
        }
    }

    /// Sees to it that the topics of a batch exist, if the connector's configuration says how they are to be made.
    async fn create_topics(&mut self, frame: &Frame<'_>) -> Result<(), Failure> {
        let Some(topics) = &self.topics else { return Ok(()) };
        for topic in frame.strings() {
            let is_topic =
                !self.known.iter().any(|known| known == topic) && frame.records().any(|record| record.topic == *topic);
            if is_topic {
                topics.ensure((*topic).to_owned()).await?;
                self.known.push((*topic).to_owned());
            }
        }
        Ok(())
    }

    /// Hands a batch to the producer. `polled` is what the guest gave (`kept`, if records of it may be asked for later),
    /// `stream` what the chain made of it. Of a batch with a
    /// failure that ends the task, it is what comes before. `None`: the task was told to stop, and the producer had no
    /// room for all of it until `patience` was over.
    pub async fn send(
        &mut self,
        (polled, kept): (&Frame<'_>, Option<&Arc<Vec<u8>>>),
        stream: &Stream<'_>,
        acks: &Arc<Acks>,
        errors: &mut Errors,
        controls: &mut Controls,
        patience: Duration,
    ) -> Result<Option<Sent>, Failure> {
        let frame =
            Frame::parse(&stream.frame).map_err(|error| Failure::host(format!("wrong batch in a chain: {error}")))?;
        let recoded;
        let (frame, origins) =
            if stream.forms == Forms::SERIALIZED || self.recoder.passes(stream.forms, Forms::SERIALIZED) {
                (frame, None)
            } else {
                let trail = Trail {
                    entry: polled,
                    consumed: None,
                };
                let at = |index| stream.origin(index);
                let forms = (stream.forms, Forms::SERIALIZED);
                recoded = self.recoder.recode(&frame, at, forms, &mut Faults { errors, trail })?;
                let frame =
                    Frame::parse(&recoded).map_err(|error| Failure::host(format!("wrong converted batch: {error}")))?;
                let origins: Vec<u32> = frame.records().map(|record| record.origin).collect();
                (frame, Some(origins))
            };
        let origin = |index: usize| {
            let index = origins.as_ref().map_or(index as u32, |origins| origins[index]);
            stream.origin(index) as usize
        };
        let end = match errors.fatal_at() {
            Some(at) => (0..frame.len())
                .find(|index| origin(*index) >= at as usize)
                .unwrap_or(frame.len()),
            None => frame.len(),
        };
        self.create_topics(&frame).await?;
        let groups = match kept {
            Some(batch) => Groups::of_single_records((polled, batch), end, &origin, acks),
            None => Groups::new(polled, end, &origin, acks),
        };
        groups.count();
        if !self.send_all(&frame, end, &groups, acks, controls, patience).await? {
            return Ok(None);
        }
        Ok(Some(groups.into_sent(polled)))
    }

    async fn send_all(
        &self,
        frame: &Frame<'_>,
        last: usize,
        groups: &Groups,
        acks: &Acks,
        controls: &mut Controls,
        patience: Duration,
    ) -> Result<bool, Failure> {
        let headers = headers(frame);
        let mut from = 0;
        let mut give_up: Option<Instant> = None;
        while from < last {
            let topic = frame.record(from).topic_index;
            let end = (from..last)
                .find(|index| frame.record(*index).topic_index != topic)
                .unwrap_or(last);
            let name = frame.record(from).topic;
            let handle = self
                .producer
                .topic(name)
                .map_err(|error| self.failed(name, &error.to_string()))?;
            controls.topic(name).await;
            let records =
                (from..end).map(|index| out(frame.record(index), &headers, index, &groups.acks[groups.of[index]]));
            let accepted = self.producer.send_batch(&handle, records);
            from += accepted;
            if from == end {
                continue;
            }
            if let Some(error) = self.producer.fatal_error() {
                return Err(self.failed(name, &error.to_string()));
            }
            if acks.has_failures() && controls.current() == Wish::Stop {
                return Ok(false);
            }
            if controls.current() == Wish::Stop {
                let end = *give_up.get_or_insert_with(|| Instant::now() + patience);
                if Instant::now() >= end {
                    return Ok(false);
                }
            }
            self.producer.wait_for_room(ROOM_WAIT);
        }
        Ok(true)
    }

    fn failed(&self, topic: &str, error: &str) -> Failure {
        Failure::host(format!("task {} cannot send to topic {topic}: {error}", self.task))
    }
}

type OutHeaders<'a> = Vec<(&'a str, Option<&'a [u8]>)>;

/// The headers of all records; empty if no record has any.
fn headers<'a>(frame: &'a Frame<'a>) -> Vec<OutHeaders<'a>> {
    if frame.records().all(|record| record.headers.is_empty()) {
        return Vec::new();
    }
    frame
        .records()
        .map(|record| record.headers.map(|header| (header.name, header.value)).collect())
        .collect()
}

fn out<'a>(record: Entry<'a>, headers: &'a [OutHeaders<'a>], index: usize, ack: &'a OpenAckGroup) -> OutRecord<'a> {
    OutRecord {
        partition: record.partition,
        timestamp: record.timestamp.millis(),
        key: record.key,
        value: record.value,
        headers: headers.get(index).map_or(&[], Vec::as_slice),
        ack,
    }
}

/// Which record is acknowledged with which others.
struct Groups {
    acks: Vec<OpenAckGroup>,
    flags: Vec<Arc<Flag>>,
    /// Per group, the polled record that was sent last.
    last: Vec<usize>,
    /// Per sent record, its group.
    of: Vec<usize>,
    /// Per polled record, its group, if it was sent.
    fate: Vec<Option<usize>>,
}

impl Groups {
    fn empty(polled: &Frame<'_>, end: usize) -> Groups {
        Groups {
            acks: Vec::new(),
            flags: Vec::new(),
            last: Vec::new(),
            of: Vec::with_capacity(end),
            fate: vec![None; polled.len()],
        }
    }

    /// Of the records before `end`, each on its own and kept until it has arrived.
    fn of_single_records(
        (polled, batch): (&Frame<'_>, &Arc<Vec<u8>>),
        end: usize,
        origin: &impl Fn(usize) -> usize,
        acks: &Arc<Acks>,
    ) -> Groups {
        let mut groups = Groups::empty(polled, end);
        for index in 0..end {
            let polled_index = origin(index);
            let (ack, flag) = acks.open(Some(Kept {
                batch: batch.clone(),
                index: polled_index,
            }));
            groups.of.push(groups.acks.len());
            groups.fate[polled_index] = Some(groups.acks.len());
            groups.acks.push(ack);
            groups.flags.push(flag);
            groups.last.push(polled_index);
        }
        groups
    }

    /// Of the records before `end`.
    fn new(polled: &Frame<'_>, end: usize, origin: &impl Fn(usize) -> usize, acks: &Arc<Acks>) -> Groups {
        let mut groups = Groups::empty(polled, end);
        // By index of the source partition in the polled frame; the last place is for records without one.
        let mut by_partition = vec![None; polled.source_partitions().len() + 1];
        for index in 0..end {
            let polled_index = origin(index);
            let source = polled.record(polled_index).source;
            let place = source.map_or(by_partition.len() - 1, |source| source.partition as usize);
            let group = *by_partition[place].get_or_insert_with(|| {
                let (ack, flag) = acks.open(None);
                groups.acks.push(ack);
                groups.flags.push(flag);
                groups.last.push(polled_index);
                groups.acks.len() - 1
            });
            groups.last[group] = polled_index;
            groups.of.push(group);
            groups.fate[polled_index] = Some(group);
        }
        groups
    }

    /// Tells each group how many records it will have.
    fn count(&self) {
        if let [flag] = &self.flags[..] {
            return flag.count(self.of.len() as u64);
        }
        let mut counts = vec![0; self.flags.len()];
        for group in &self.of {
            counts[*group] += 1;
        }
        for (flag, count) in self.flags.iter().zip(counts) {
            flag.count(count);
        }
    }

    fn into_sent(self, polled: &Frame<'_>) -> Sent {
        let group = |(flag, last): (Arc<Flag>, usize)| {
            let source = polled.record(last).source?;
            Some(SentGroup {
                partition: polled.source_partition(source.partition).into(),
                offset: source.offset.into(),
                flag,
            })
        };
        Sent {
            groups: self.flags.iter().cloned().zip(self.last).filter_map(group).collect(),
            flags: self.flags,
            fate: self.fate,
        }
    }
}

/// Delivery reports for a guest that wants them, in the order of its records.
pub struct Reports {
    wanted: bool,
    next: u64,
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    first: u64,
    /// Runs of records and the flag of their group; `None` for records that were dropped.
    runs: Vec<(u32, Option<Arc<Flag>>)>,
}

impl Reports {
    pub fn new(wanted: bool) -> Self {
        Reports {
            wanted,
            next: 0,
            waiting: VecDeque::new(),
        }
    }

    pub fn are_wanted(&self) -> bool {
        self.wanted
    }

    pub fn add(&mut self, sent: &Sent) {
        if !self.wanted || sent.fate.is_empty() {
            return;
        }
        let mut runs = Vec::new();
        for same in sent.fate.chunk_by(|one, other| one == other) {
            let flag = same[0].and_then(|group| sent.flags.get(group)).cloned();
            runs.push((same.len() as u32, flag));
        }
        self.waiting.push_back(Waiting { first: self.next, runs });
        self.next += sent.fate.len() as u64;
    }

    /// Reports of batches that are done and have no batch before them that is not.
    pub fn take_done(&mut self) -> Vec<Delivery> {
        let mut deliveries = Vec::new();
        while let Some(batch) = self.waiting.front()
            && batch
                .runs
                .iter()
                .all(|(_, flag)| flag.as_ref().is_none_or(|flag| flag.is_done()))
        {
            let mut first = batch.first;
            for (count, flag) in &batch.runs {
                let outcome = match flag {
                    None => Outcome::Dropped,
                    Some(flag) if flag.has_failed() => Outcome::Failed,
                    Some(_) => Outcome::Written,
                };
                deliveries.push(Delivery {
                    first,
                    count: *count,
                    outcome,
                });
                first += u64::from(*count);
            }
            self.waiting.pop_front();
        }
        deliveries
    }
}

//! From frames to the producer: converted if need be, sent in runs of one topic, in the order of the frame.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use caisson_api::frame::{Entry, Frame, Role};
use caisson_kafka::{OpenAckGroup, OutRecord, SourceProducer};
use caisson_model::Failure;
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
const OWN_OFFSETS: &str =
    "Source tasks may not produce to their own offsets topics when exactly-once support is enabled";

pub struct Outlet {
    producer: Arc<SourceProducer>,
    recoder: Recoder,
    task: String,
    topics: Option<Arc<dyn TopicCreator>>,
    /// Topics that are known to exist, or to be the broker's business.
    known: Vec<String>,
    /// Where the offsets of transactions go, and no record may.
    offsets_topic: Option<String>,
}

/// A batch as Kafka gets it.
pub struct Converted<'a> {
    frame: Cow<'a, [u8]>,
    /// Per record, the record of the polled batch that it comes from; in order. Those behind a failure that ends the task
    /// are left out.
    origins: Vec<u32>,
}

impl Converted<'_> {
    /// The records that come from a part of the polled batch.
    fn records(&self, part: &Range<usize>) -> Range<usize> {
        let place = |polled: usize| self.origins.partition_point(|origin| (*origin as usize) < polled);
        place(part.start)..place(part.end)
    }

    pub fn has_any(&self, part: &Range<usize>) -> bool {
        !self.records(part).is_empty()
    }
}

/// What the guest gave, or a part of it.
pub struct Polled<'a> {
    pub frame: &'a Frame<'a>,
    pub part: Range<usize>,
    /// The batch, if single records of it may be asked for later.
    pub kept: Option<&'a Arc<Vec<u8>>>,
}

/// What was handed to the producer of one batch.
pub struct Sent {
    pub groups: Vec<SentGroup>,
    /// The progress of all groups, those without a source partition too.
    pub flags: Vec<Arc<Flag>>,
    /// Per record of the part that was polled: the group it was sent with, if it was sent at all.
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
    pub fn new(settings: &SourceSettings, producer: Arc<SourceProducer>, offsets_topic: Option<String>) -> Self {
        let task = &settings.task;
        Outlet {
            producer,
            recoder: Recoder::new(&task.converters, Role::Transform, Order::HeadersFirst),
            task: task.id.to_string(),
            topics: settings.topics.clone(),
            known: Vec::new(),
            offsets_topic,
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

    /// Makes of a batch what Kafka gets. `polled` is what the guest gave, `stream` what the chain made of it. Of a batch
    /// with a failure that ends the task, it is what comes before.
    pub fn convert<'a>(
        &mut self,
        polled: &Frame<'_>,
        stream: &'a Stream<'_>,
        errors: &mut Errors,
    ) -> Result<Converted<'a>, Failure> {
        let frame =
            Frame::parse(&stream.frame).map_err(|error| Failure::host(format!("wrong batch in a chain: {error}")))?;
        let passes = stream.forms == Forms::SERIALIZED || self.recoder.passes(stream.forms, Forms::SERIALIZED);
        let (bytes, mut origins): (Cow<'a, [u8]>, Vec<u32>) = if passes {
            let origins = (0..frame.len() as u32).map(|index| stream.origin(index)).collect();
            (Cow::Borrowed(&*stream.frame), origins)
        } else {
            let trail = Trail {
                entry: polled,
                consumed: None,
            };
            let at = |index| stream.origin(index);
            let forms = (stream.forms, Forms::SERIALIZED);
            let recoded = self.recoder.recode(&frame, at, forms, &mut Faults { errors, trail })?;
            let frame =
                Frame::parse(&recoded).map_err(|error| Failure::host(format!("wrong converted batch: {error}")))?;
            let origins = frame.records().map(|record| stream.origin(record.origin)).collect();
            (Cow::Owned(recoded), origins)
        };
        if let Some(at) = errors.fatal_at() {
            origins.truncate(origins.partition_point(|origin| *origin < at));
        }
        Ok(Converted { frame: bytes, origins })
    }

    /// Hands the records that come from a part of the polled batch to the producer. `None`: the task was told to stop,
    /// and the producer had no room for all of it until `patience` was over.
    pub async fn send(
        &mut self,
        polled: Polled<'_>,
        converted: &Converted<'_>,
        acks: &Arc<Acks>,
        controls: &mut Controls,
        patience: Duration,
    ) -> Result<Option<Sent>, Failure> {
        let frame =
            Frame::parse(&converted.frame).map_err(|error| Failure::host(format!("wrong converted batch: {error}")))?;
        let records = converted.records(&polled.part);
        self.create_topics(&frame).await?;
        let groups = Groups::new(&polled, &converted.origins[records.clone()], acks);
        groups.count();
        let sent = self
            .send_all(&frame, records, &groups, acks, controls, patience)
            .await?;
        Ok(sent.then(|| groups.into_sent(polled.frame)))
    }

    async fn send_all(
        &self,
        frame: &Frame<'_>,
        all: Range<usize>,
        groups: &Groups,
        acks: &Acks,
        controls: &mut Controls,
        patience: Duration,
    ) -> Result<bool, Failure> {
        let headers = headers(frame);
        let mut from = all.start;
        let mut give_up: Option<Instant> = None;
        while from < all.end {
            let topic = frame.record(from).topic_index;
            let end = (from..all.end)
                .find(|index| frame.record(*index).topic_index != topic)
                .unwrap_or(all.end);
            let name = frame.record(from).topic;
            if self.offsets_topic.as_deref() == Some(name) {
                return Err(Failure::host(OWN_OFFSETS));
            }
            let handle = self
                .producer
                .topic(name)
                .map_err(|error| self.failed(name, &error.to_string()))?;
            controls.topic(name).await;
            let records =
                (from..end).map(|index| out(frame.record(index), &headers, index, groups.ack(index - all.start)));
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
    /// Per polled record of the part, its group, if it was sent.
    fate: Vec<Option<usize>>,
}

impl Groups {
    /// Of the records with these origins. Those that may be asked for later are each on their own and kept until they
    /// have arrived; of the others, those that share a source partition.
    fn new(polled: &Polled<'_>, origins: &[u32], acks: &Arc<Acks>) -> Groups {
        let frame = polled.frame;
        let mut groups = Groups {
            acks: Vec::new(),
            flags: Vec::new(),
            last: Vec::new(),
            of: Vec::with_capacity(origins.len()),
            fate: vec![None; polled.part.len()],
        };
        // By index of the source partition in the polled frame; the last place is for records without one.
        let mut by_partition = vec![None; frame.source_partitions().len() + 1];
        for origin in origins {
            let index = *origin as usize;
            let group = match polled.kept {
                Some(batch) => {
                    let batch = batch.clone();
                    groups.open(acks, Some(Kept { batch, index }))
                }
                None => {
                    let source = frame.record(index).source;
                    let place = source.map_or(by_partition.len() - 1, |source| source.partition as usize);
                    *by_partition[place].get_or_insert_with(|| groups.open(acks, None))
                }
            };
            groups.last[group] = index;
            groups.of.push(group);
            groups.fate[index - polled.part.start] = Some(group);
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

    fn open(&mut self, acks: &Arc<Acks>, record: Option<Kept>) -> usize {
        let (ack, flag) = acks.open(record);
        self.acks.push(ack);
        self.flags.push(flag);
        self.last.push(0);
        self.acks.len() - 1
    }

    /// What acknowledges the record that is sent at this place.
    fn ack(&self, record: usize) -> &OpenAckGroup {
        &self.acks[self.of[record]]
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

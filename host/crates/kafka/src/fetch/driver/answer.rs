//! What becomes of what brokers answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use caisson_model::TopicPartition;

use super::{Asked, Driver};
use crate::consumer::slot::{Position, Slot};
use crate::error::{ConsumerError, ErrorCode, KafkaError};
use crate::fetch::budget::Buffer;
use crate::fetch::options::Reset;
use crate::fetch::records::{self, Reading};
use crate::wire::messages::{FetchAnswer, FetchedPartition, ListedOffset};

/// The offset is before the beginning of the partition, or behind its end.
const OFFSET_OUT_OF_RANGE: i32 = 1;
/// How often bytes that cannot be read are asked for again before it is given up: the network may be to blame.
const ATTEMPTS: u32 = 3;

impl Driver {
    pub(super) fn take_records(&mut self, asked: &[Asked], bytes: Vec<u8>, mut answer: FetchAnswer) {
        let now = Instant::now();
        let is_empty = answer.partitions.iter().all(|one| one.records.is_empty());
        let buffer = self.shared.budget.hold(bytes);
        for asked in asked {
            let partition = &asked.slot.partition;
            let about =
                |one: &&mut FetchedPartition| one.partition == partition.partition && *one.topic == *partition.topic;
            match answer.partitions.iter_mut().find(about) {
                Some(one) if one.code == 0 => self.take_partition(asked, one, &buffer),
                Some(one) => self.refused(asked, i32::from(one.code)),
                // The whole request was refused.
                None if answer.code != 0 => self.ask_elsewhere(&asked.slot),
                None => {}
            }
        }
        if let Ok(throttled @ 1..) = u64::try_from(answer.throttled) {
            let until = now + Duration::from_millis(throttled);
            asked.iter().for_each(|asked| self.put_off(&asked.slot, until));
        }
        drop(buffer);
        if is_empty {
            self.shared.budget.rest();
        }
    }

    fn take_partition(&mut self, asked: &Asked, one: &mut FetchedPartition, answer: &Arc<Buffer>) {
        if one.preferred >= 0 {
            self.go_to(&asked.slot, one.preferred);
        }
        // They come in no order that is promised.
        one.aborted.sort_unstable_by_key(|(_, first)| *first);
        let reading = Reading {
            wanted: asked.offset,
            check_crcs: self.shared.options.check_crcs,
            aborted: match self.shared.options.committed_only {
                true => &one.aborted,
                false => &[],
            },
        };
        match records::decode(answer, one.records.clone(), reading, &self.shared.budget) {
            Ok(decoded) => {
                if let Some(place) = self.place(&asked.slot) {
                    place.corrupt = 0;
                }
                if decoded.next > asked.offset {
                    self.shared
                        .hand_over(&asked.slot, asked.epoch, decoded.records, decoded.next);
                }
            }
            Err(error) => self.unreadable(asked, error),
        }
    }

    pub(super) fn take_offsets(&mut self, asked: &[Asked], offsets: &[ListedOffset]) {
        for asked in asked {
            let partition = &asked.slot.partition;
            let about = |one: &&ListedOffset| one.partition == partition.partition && *one.topic == *partition.topic;
            match offsets.iter().find(about) {
                Some(one) if one.code == 0 && one.offset >= 0 => {
                    asked.slot.place(asked.epoch, Position::At(one.offset));
                }
                Some(one) if one.code != 0 => self.refused(asked, i32::from(one.code)),
                _ => self.ask_elsewhere(&asked.slot),
            }
        }
        // Whoever waits for them looks.
        (self.shared.arrived)();
    }

    /// The broker could not be reached, or its answer cannot be understood.
    pub(super) fn unanswered(&mut self, asked: &[Asked], error: KafkaError) {
        let until = Instant::now() + self.shared.options.reconnect_backoff;
        for asked in asked {
            self.ask_elsewhere(&asked.slot);
            self.put_off(&asked.slot, until);
        }
        self.complain(error, None, false);
    }

    fn refused(&mut self, asked: &Asked, code: i32) {
        let partition = &asked.slot.partition;
        if code == OFFSET_OUT_OF_RANGE {
            return self.out_of_range(asked);
        }
        self.ask_elsewhere(&asked.slot);
        let code = ErrorCode(code);
        // Another broker leads it now, or none does: that settles itself.
        if !code.is_retriable() {
            let error = KafkaError::with_message(code, format!("fetching {partition}: {}", code.description()));
            self.complain(error, Some(partition.clone()), false);
        }
    }

    /// What is there begins later, or ends before.
    fn out_of_range(&mut self, asked: &Asked) {
        let (partition, learned) = (&asked.slot.partition, self.metadata_learned);
        let Some(place) = self.place(&asked.slot) else { return };
        if place.preferred.take().is_some() {
            // A follower may lag behind: the leader knows.
            return;
        }
        let since = *place.beyond.get_or_insert_with(Instant::now);
        if place.topic_id.is_some() && learned.is_none_or(|learned| learned < since) {
            // Another topic of the same name may be what has no such offset: that is known first.
            return self.ask_elsewhere(&asked.slot);
        }
        place.beyond = None;
        let position = match self.shared.options.reset {
            Reset::Earliest => Position::Earliest,
            Reset::Latest => Position::Latest,
            Reset::None => {
                asked.slot.place(asked.epoch, Position::Unknown);
                let text = format!(
                    "{partition} has no record at offset {}, and auto.offset.reset is none: set the consumer group's \
                     offset, or consumer.override.auto.offset.reset",
                    asked.offset
                );
                let error = KafkaError::with_message(ErrorCode::AUTO_OFFSET_RESET, text);
                return self.complain(error, Some(partition.clone()), true);
            }
        };
        tracing::info!(
            target: "kafka",
            client = self.shared.reporter.client(),
            %partition,
            offset = asked.offset,
            "the partition has no such offset (any more); going on as auto.offset.reset says"
        );
        asked.slot.place(asked.epoch, position);
    }

    fn unreadable(&mut self, asked: &Asked, error: KafkaError) {
        let partition = asked.slot.partition.clone();
        self.put_off(&asked.slot, Instant::now() + self.shared.options.backoff);
        let Some(place) = self.place(&asked.slot) else { return };
        place.corrupt += 1;
        let is_final = place.corrupt >= ATTEMPTS || error.code == ErrorCode::UNSUPPORTED_FEATURE;
        if is_final {
            asked.slot.place(asked.epoch, Position::Unknown);
        }
        let message = format!("{partition} from offset {} on: {}", asked.offset, error.message);
        self.complain(KafkaError { message, ..error }, Some(partition), is_final);
    }

    /// The leader has named a nearer replica.
    fn go_to(&mut self, slot: &Arc<Slot>, replica: i32) {
        if !self.nodes.contains_key(&replica) {
            self.metadata_wanted = true;
            return;
        }
        if let Some(place) = self.place(slot) {
            place.preferred = (place.leader != Some(replica)).then_some(replica);
        }
    }

    /// Learns who leads the partition before it is asked for again.
    fn ask_elsewhere(&mut self, slot: &Arc<Slot>) {
        self.metadata_wanted = true;
        self.put_off(slot, Instant::now() + self.shared.options.backoff);
        if let Some(place) = self.place(slot) {
            place.preferred = None;
        }
    }

    fn put_off(&mut self, slot: &Arc<Slot>, until: Instant) {
        if let Some(place) = self.place(slot) {
            place.not_before = Some(until);
        }
    }

    pub(super) fn complain(&self, error: KafkaError, partition: Option<TopicPartition>, fatal: bool) {
        self.shared.report(ConsumerError {
            error,
            partition,
            fatal,
        });
    }
}

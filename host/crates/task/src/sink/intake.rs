//! From the consumer's batches to frames, some 512 KiB at a time: below 64 KiB the call into the guest weighs, above
//! 1 MiB the caches do.

use caisson_api::frame::{Boundary, Encodings, FrameError, NewRecord, Role, Timestamp};
use caisson_kafka::{Batch, Message, Run};
use caisson_model::{Failure, PartitionOffset, TopicPartition};

use crate::chain::Chain;
use crate::columns::Forms;
use crate::errors::{Consumed, Errors, Failed, Occasion, Origin};
use crate::recode::{HeaderInput, Input, Order, Recoder, Refusal, Trust};
use crate::settings::Converters;

const TARGET_BYTES: usize = 512 << 10;

/// How far a frame goes.
pub struct Slice {
    /// The first record of the batch that is not in it.
    pub end: usize,
    /// Where each of its partitions stands when the frame has been taken.
    pub consumed: Vec<PartitionOffset>,
}

pub struct Intake {
    recoder: Recoder,
    to: Forms,
    copies: Trust,
    /// Records without headers are copied as they are.
    passes: bool,
}

impl Intake {
    /// What begins a chain that ends at a sink with these encodings.
    pub fn of(converters: &Converters, chain: &Chain, encodings: Encodings) -> Self {
        match (chain.is_empty(), chain.first_encodings()) {
            (true, _) => Intake::new(converters, encodings),
            (false, Some(first)) => Intake::new(converters, first),
            (false, None) => Intake::unread(converters),
        }
    }

    /// Frames in the forms that a plugin with these encodings takes.
    fn new(converters: &Converters, encodings: Encodings) -> Self {
        let recoder = Recoder::new(converters, Role::Sink, Order::HeadersLast);
        let to = recoder.towards(Forms::SERIALIZED, encodings);
        Intake {
            passes: recoder.passes_without_headers(Forms::SERIALIZED, to),
            copies: Trust::None,
            recoder,
            to,
        }
    }

    /// Frames of Kafka's own bytes, for somebody who reads them himself.
    fn unread(converters: &Converters) -> Self {
        Intake {
            recoder: Recoder::new(converters, Role::Sink, Order::HeadersLast),
            to: Forms::SERIALIZED,
            // Nothing is checked here.
            copies: Trust::Full,
            passes: true,
        }
    }

    /// Whether the bytes in its frames are known to be what the converters take.
    pub fn trust(&self) -> Trust {
        match self.copies {
            Trust::Full => Trust::None,
            Trust::None => Trust::Full,
        }
    }

    /// The forms of the frames that it builds.
    pub fn forms(&self) -> Forms {
        self.to
    }

    /// Builds a frame of the records from `from` on, but for those of partitions that were taken away. It ends before a
    /// record whose failure ends the task.
    pub fn slice(
        &mut self,
        batch: &Batch,
        from: usize,
        revoked: &[TopicPartition],
        errors: &mut Errors,
    ) -> Result<Slice, Failure> {
        let expected = expected_records(batch, from);
        self.recoder.begin(self.to.encodings(), expected);
        let mut slice = Slice {
            end: from,
            consumed: Vec::new(),
        };
        let (mut start, mut bytes) = (0, 0);
        for run in batch.runs() {
            let skip = from.saturating_sub(start);
            start += run.len();
            if skip >= run.len() {
                continue;
            }
            if revoked.contains(run.topic_partition()) {
                slice.end = start;
                continue;
            }
            let is_first = slice.end == from;
            let taken = self.run(&run, (skip, is_first), &mut bytes, errors)?;
            slice.end = start - run.len() + skip + taken.records;
            if taken.records > 0 {
                slice.consumed.push(PartitionOffset {
                    partition: run.topic_partition().clone(),
                    offset: taken.next,
                });
            }
            if taken.is_full || bytes >= TARGET_BYTES || errors.fatal_at().is_some() {
                break;
            }
        }
        Ok(slice)
    }

    /// Takes records of a run behind the first `skip`; `is_first` of a frame in which there are none yet.
    fn run(
        &mut self,
        run: &Run<'_>,
        (skip, is_first): (usize, bool),
        bytes: &mut usize,
        errors: &mut Errors,
    ) -> Result<Taken, Failure> {
        let mut taken = Taken::default();
        let partition = run.topic_partition();
        let topic = self.recoder.builder.topic(&partition.topic);
        let topic = topic.map_err(|error| Failure::host(format!("records of {partition} make no batch: {error}")))?;
        for message in run.messages().skip(skip) {
            let has_headers = message.headers().next().is_some();
            let laid = match self.passes && !has_headers {
                true => self.pass(topic, &message),
                false => self.lay(&Consumed::from(&message), Origin::Message(message), errors),
            };
            if let Err(error) = laid {
                taken.is_full = true;
                if !is_first || taken.records > 0 {
                    // The next frame begins with it.
                    break;
                }
                self.refuse(&error, Origin::Message(message), errors);
            }
            if errors.fatal_at().is_some() {
                break;
            }
            taken.records += 1;
            taken.next = message.offset() + 1;
            *bytes += size(&message, has_headers);
            if taken.is_full || *bytes >= TARGET_BYTES {
                break;
            }
        }
        Ok(taken)
    }

    /// Notes a record that no frame has room for: it has too many headers, or is too large.
    fn refuse(&self, error: &FrameError, origin: Origin<'_>, errors: &mut Errors) {
        let (stage, class, error) = self.recoder.misfit(error);
        let failed = Failed {
            stage,
            class: &class,
            error: &error,
            occasion: Occasion::Operation,
        };
        errors.fail(u32::MAX, failed, origin);
    }

    fn pass(&mut self, topic: u16, message: &Message<'_>) -> Result<(), FrameError> {
        self.recoder.builder.push(&NewRecord {
            timestamp: timestamp(message.timestamp()),
            offset: Some(message.offset()),
            partition: Some(message.partition()),
            topic,
            key: message.key(),
            value: message.value(),
            ..NewRecord::default()
        })
    }

    /// Builds a frame of one record that came in no batch.
    pub fn single(&mut self, record: &Consumed<'_>, errors: &mut Errors) -> Result<(), Failure> {
        self.recoder.begin(self.to.encodings(), 1);
        self.lay(record, Origin::Unknown, errors)
            .map_err(|error| crate::recode::does_not_fit(record.topic, &error))
    }

    /// Builds a frame of records that came in no batch. It ends before a record whose failure ends the task.
    pub fn several(&mut self, records: &[Consumed<'_>], errors: &mut Errors) -> Result<(), Failure> {
        self.recoder.begin(self.to.encodings(), records.len());
        for record in records {
            self.lay(record, Origin::Given(record), errors)
                .map_err(|error| crate::recode::does_not_fit(record.topic, &error))?;
            if errors.fatal_at().is_some() {
                break;
            }
        }
        Ok(())
    }

    /// Lays a record down, or has it noted as failed.
    fn lay(&mut self, record: &Consumed<'_>, origin: Origin<'_>, errors: &mut Errors) -> Result<(), FrameError> {
        let headers: Vec<_> = record
            .headers
            .iter()
            .map(|(name, value)| HeaderInput {
                name,
                schema: None,
                value: *value,
            })
            .collect();
        let input = Input {
            topic: record.topic,
            partition: Some(record.partition),
            offset: Some(record.offset),
            timestamp: timestamp(record.timestamp),
            origin: 0,
            boundary: Boundary::None,
            key: (None, record.key),
            value: (None, record.value),
            headers: &headers,
            source: None,
        };
        let forms = (Forms::SERIALIZED, self.to);
        match self.recoder.push(forms, self.copies, &input, errors) {
            Ok(()) => Ok(()),
            Err(Refusal::Record { stage, class, error }) => {
                let failed = Failed {
                    stage,
                    class: &class,
                    error: &error,
                    occasion: Occasion::Operation,
                };
                // It comes after all records that are in the frame.
                errors.fail(u32::MAX, failed, origin);
                Ok(())
            }
            Err(Refusal::Frame(error)) => Err(error),
        }
    }

    /// The frame that [`Intake::slice`] has built; empty if every record was left out.
    pub fn take(&mut self) -> Vec<u8> {
        self.recoder.builder.take()
    }

    /// Memory for frames to come.
    pub fn recycle(&mut self, frame: Vec<u8>) {
        self.recoder.builder.recycle(frame);
    }
}

/// What a frame takes of a run.
#[derive(Default)]
struct Taken {
    records: usize,
    next: i64,
    /// There is no room for what comes next.
    is_full: bool,
}

/// What a header takes beside its name and its value.
const HEADER: usize = 8;

/// What a message takes of a frame. Many short headers are as good as few long ones: their names stand in a table that ends.
fn size(message: &Message<'_>, has_headers: bool) -> usize {
    let payloads = message.key().map_or(0, <[u8]>::len) + message.value().map_or(0, <[u8]>::len);
    if !has_headers {
        return payloads;
    }
    let headers = message.headers();
    let headers = headers.map(|header| HEADER + header.name.len() + header.value.map_or(0, <[u8]>::len));
    payloads + headers.sum::<usize>()
}

fn timestamp(timestamp: caisson_kafka::Timestamp) -> Timestamp {
    match timestamp {
        caisson_kafka::Timestamp::None => Timestamp::None,
        caisson_kafka::Timestamp::Create(at) => Timestamp::Create(at),
        caisson_kafka::Timestamp::LogAppend(at) => Timestamp::LogAppend(at),
    }
}

/// About how many records the next frame will have, so that room for their entries is neither wasted nor too small.
fn expected_records(batch: &Batch, from: usize) -> usize {
    let left = batch.len() - from;
    let average = (batch.bytes() / batch.len().max(1)).max(1);
    left.min(TARGET_BYTES / average + 1)
}

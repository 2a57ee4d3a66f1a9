//! Transforms change, drop or keep records on their way; predicates say to which records a transform applies.

use caisson_api::frame::{Encodings, FrameBuilder, RecordHead, Role, Timestamp};
use caisson_api::{Error, ErrorKind, Record};

use crate::column::{self, SchemaIndexes, refused};
use crate::plugin::Plugin;
use crate::settings::Settings;
use crate::sink::{RecordView, Records};

/// A single message transform (`org.apache.kafka.connect.transforms.Transformation`). Implement `apply`, or for speed
/// `apply_batch`.
pub trait Transform: Sized + 'static {
    fn plugin() -> Plugin;

    fn start(settings: &Settings) -> Result<Self, Error>;

    /// The record as it goes on; `None` drops it. An error is about this record alone if its kind is `Data`, and ends
    /// the task otherwise.
    fn apply(&mut self, record: Record) -> Result<Option<Record>, Error> {
        let _ = record;
        Err(Error::unsupported(
            "the transform implements neither apply nor apply_batch",
        ))
    }

    /// As `apply`, which it calls, with what is known of the record besides.
    fn apply_from(&mut self, record: Record, origin: Origin) -> Result<Option<Record>, Error> {
        let _ = origin;
        self.apply(record)
    }

    /// A whole batch. As it stands, calls `apply_from` for each record and answers with the least that says what came of it.
    fn apply_batch(&mut self, records: &Records<'_>, output: &mut Output) -> Result<Answer, Error> {
        apply_each(records, output, |record, origin| self.apply_from(record, origin))
    }

    /// State for the version that takes this one's place while the task runs, if the module is `stateful` (see
    /// [`plugins!`](crate::plugins)); its last call, between two batches.
    fn suspend(&mut self) -> Result<Vec<u8>, Error> {
        Ok(Vec::new())
    }

    /// Takes the state of the version before, right after `start`. An error keeps that one in its place.
    fn resume(&mut self, from_version: &str, state: &[u8]) -> Result<(), Error> {
        let _ = (from_version, state);
        Ok(())
    }

    fn stop(&mut self) {}
}

/// Where a record comes from: what `SourceRecord` and `SinkRecord` say beyond `ConnectRecord`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is on its way from a source to Kafka.
    Source,
    /// It was read from Kafka.
    Sink {
        offset: i64,
        /// As Kafka has it, whatever transforms have made of the record's time since.
        timestamp: Timestamp,
    },
}

impl Origin {
    /// By the offset: no record has one before it is in Kafka.
    pub fn of(offset: Option<i64>, timestamp: Timestamp) -> Self {
        offset.map_or(Origin::Source, |offset| Origin::Sink { offset, timestamp })
    }
}

/// A predicate (`org.apache.kafka.connect.transforms.predicates.Predicate`).
pub trait Predicate: Sized + 'static {
    fn plugin() -> Plugin;

    fn start(settings: &Settings) -> Result<Self, Error>;

    /// Whether the transform applies to the record.
    fn test(&mut self, record: &RecordView<'_>) -> Result<bool, Error>;

    fn stop(&mut self) {}
}

/// What a transform made of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// All records as they are.
    Unchanged,
    /// The records whose bit is set, as they are.
    Kept(Bitmap),
    /// The records written to the [`Output`].
    Replaced,
}

/// One bit for each record of a batch: bit i of byte i/8, lowest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bitmap {
    bytes: Vec<u8>,
    set: usize,
}

impl Bitmap {
    /// All bits clear.
    pub fn new(records: usize) -> Self {
        Bitmap {
            bytes: vec![0; records.div_ceil(8)],
            set: 0,
        }
    }

    pub fn set(&mut self, index: usize) {
        if !self.get(index) {
            self.bytes[index / 8] |= 1 << (index % 8);
            self.set += 1;
        }
    }

    pub fn get(&self, index: usize) -> bool {
        self.bytes[index / 8] & 1 << (index % 8) != 0
    }

    /// How many bits are set.
    pub fn count(&self) -> usize {
        self.set
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// The batch that a transform answers with, where it changes records.
#[derive(Debug)]
pub struct Output {
    builder: FrameBuilder,
    schemas: SchemaIndexes,
    encodings: Encodings,
}

impl Output {
    pub(crate) fn new() -> Self {
        Output {
            builder: FrameBuilder::new(Role::Transform),
            schemas: SchemaIndexes::default(),
            encodings: Encodings::default(),
        }
    }

    /// Starts a batch in the encodings of the argument.
    pub(crate) fn begin(&mut self, records: &Records<'_>) {
        self.encodings = records.frame().encodings();
        self.schemas.clear();
        self.builder.begin(self.encodings, records.len());
    }

    pub(crate) fn take(&mut self) -> Vec<u8> {
        self.builder.take()
    }

    /// Adds a record, as what became of `from`. Records have to come in the order of those they come from, at most one
    /// from each.
    pub fn push(&mut self, from: &RecordView<'_>, record: &Record) -> Result<(), Error> {
        let head = RecordHead {
            topic: self.builder.topic(&record.topic).map_err(refused)?,
            partition: record.partition,
            offset: from.offset(),
            timestamp: timestamp(from, record),
            origin: from.index() as u32,
            ..RecordHead::default()
        };
        column::write_record(&mut self.builder, &mut self.schemas, self.encodings, head, record, None)
    }
}

/// The time of a changed record: the kind that it had, unless the transform gave it another time.
fn timestamp(from: &RecordView<'_>, record: &Record) -> Timestamp {
    match (from.timestamp(), record.timestamp) {
        (Timestamp::Arrival, None) => Timestamp::Arrival,
        (_, None) => Timestamp::None,
        (Timestamp::LogAppend(was), Some(is)) if was == is => Timestamp::LogAppend(is),
        (_, Some(is)) => Timestamp::Create(is),
    }
}

/// `apply` for each record. Until a record differs from what it was, nothing is written: a batch that is only
/// filtered costs no frame.
fn apply_each(
    records: &Records<'_>,
    output: &mut Output,
    mut apply: impl FnMut(Record, Origin) -> Result<Option<Record>, Error>,
) -> Result<Answer, Error> {
    let mut kept = Bitmap::new(records.len());
    let mut changed = false;
    let mut scratch = Vec::new();
    for view in records {
        let origin = Origin::of(view.offset(), view.timestamp());
        let applied = view.to_record().and_then(|before| apply(before.record, origin));
        let after = match applied {
            Ok(Some(after)) => after,
            Ok(None) => continue,
            Err(error) if error.kind == ErrorKind::Data => {
                view.fail(error);
                continue;
            }
            Err(error) => return Err(error),
        };
        if !changed && !view.is_same(&after, &mut scratch) {
            changed = true;
            for index in (0..view.index()).filter(|index| kept.get(*index)) {
                let earlier = records.get(index);
                output.push(&earlier, &earlier.to_record()?.record)?;
            }
        }
        if changed {
            output.push(&view, &after)?;
        }
        kept.set(view.index());
    }
    Ok(match (changed, kept.count() == records.len()) {
        (true, _) => Answer::Replaced,
        (false, true) => Answer::Unchanged,
        (false, false) => Answer::Kept(kept),
    })
}

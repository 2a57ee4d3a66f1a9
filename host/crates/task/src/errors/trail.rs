//! From a record in the middle of its way back to what it was at the beginning.

use caisson_api::frame::{Encoding, Entry, Frame};
use caisson_api::schema::Schema;
use caisson_api::{Header, Record, SchemaRef, Value, typed};
use caisson_convert::column::read_json;
use caisson_kafka::{Batch, Message};

use super::subject::{Consumed, Polled, Subject};

/// The batch at the beginning of a chain.
#[derive(Clone, Copy)]
pub struct Trail<'a> {
    /// As it entered the chain: its indexes are what records are known by.
    pub entry: &'a Frame<'a>,
    /// For sinks: what was read from Kafka.
    pub consumed: Option<Source<'a>>,
}

/// Where the records of a sink are at hand.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    Batch(&'a Batch),
    /// Without Kafka.
    Given(&'a [Consumed<'a>]),
}

/// Where a record is to be found, should somebody want to know.
#[derive(Clone, Copy)]
pub enum Origin<'a> {
    Message(Message<'a>),
    Given(&'a Consumed<'a>),
    /// In a batch, at that place of its topic.
    Consumed {
        batch: &'a Batch,
        topic: &'a str,
        partition: i32,
        offset: i64,
    },
    /// In a frame of a source.
    Polled {
        frame: &'a Frame<'a>,
        index: usize,
    },
    Unknown,
}

impl<'a> Trail<'a> {
    /// The record with this index in the frame at the beginning.
    pub fn origin(&self, index: u32) -> Origin<'a> {
        let Some(source) = self.consumed else {
            return Origin::Polled {
                frame: self.entry,
                index: index as usize,
            };
        };
        let record = self.entry.record(index as usize);
        match (source, record.partition, record.offset) {
            (Source::Batch(batch), Some(partition), Some(offset)) => Origin::Consumed {
                batch,
                topic: record.topic,
                partition,
                offset,
            },
            (Source::Given(records), Some(partition), Some(offset)) => {
                Origin::among(records, record.topic, partition, offset)
            }
            (_, _, _) => Origin::Unknown,
        }
    }
}

impl<'a> Origin<'a> {
    /// One of these records.
    pub fn among(records: &'a [Consumed<'a>], topic: &str, partition: i32, offset: i64) -> Origin<'a> {
        let is_it =
            |record: &&Consumed<'_>| (record.topic, record.partition, record.offset) == (topic, partition, offset);
        records.iter().find(is_it).map_or(Origin::Unknown, Origin::Given)
    }

    /// The record itself.
    pub fn subject(self) -> Subject<'a> {
        match self {
            Origin::Message(message) => Subject::Consumed(Consumed::from(&message)),
            Origin::Given(record) => Subject::Consumed(record.clone()),
            Origin::Consumed {
                batch,
                topic,
                partition,
                offset,
            } => match find(batch, topic, partition, offset) {
                Some(message) => Subject::Consumed(Consumed::from(&message)),
                None => Subject::Unknown,
            },
            Origin::Polled { frame, index } => Subject::Polled(Box::new(polled(frame, index))),
            Origin::Unknown => Subject::Unknown,
        }
    }
}

fn find<'a>(batch: &'a Batch, topic: &str, partition: i32, offset: i64) -> Option<Message<'a>> {
    batch
        .runs()
        .filter(|run| &*run.topic_partition().topic == topic && run.topic_partition().partition == partition)
        .flat_map(|run| run.messages())
        .find(|message| message.offset() == offset)
}

/// A record of a source, decoded. What cannot be decoded is shown as its bytes: it is for people.
fn polled(frame: &Frame<'_>, index: usize) -> Polled {
    let entry = frame.record(index);
    let encodings = frame.encodings();
    let schema = |index: Option<u16>| {
        let (_, text) = frame.schema(index?);
        Schema::from_json(text).ok().map(SchemaRef::new)
    };
    let (key_schema, value_schema) = (schema(entry.key_schema), schema(entry.value_schema));
    let header = |header: caisson_api::frame::HeaderEntry<'_>| {
        let schema = schema(header.schema);
        Header {
            name: header.name.into(),
            value: value(encodings.headers, schema.as_ref(), header.value),
            schema,
        }
    };
    let source = |entry: &Entry<'_>| {
        let source = entry.source?;
        let partition = frame.source_partition(source.partition).to_owned();
        Some((partition, source.offset.to_owned()))
    };
    Polled {
        source: source(&entry),
        record: Record {
            topic: entry.topic.into(),
            partition: entry.partition,
            key: value(encodings.key, key_schema.as_ref(), entry.key),
            key_schema,
            value: value(encodings.value, value_schema.as_ref(), entry.value),
            value_schema,
            timestamp: entry.timestamp.millis(),
            headers: entry.headers.map(header).collect(),
        },
    }
}

fn value(encoding: Encoding, schema: Option<&SchemaRef>, bytes: Option<&[u8]>) -> Value {
    let Some(bytes) = bytes else { return Value::Null };
    let raw = || Value::Bytes(bytes.to_vec());
    match encoding {
        Encoding::Bytes => raw(),
        Encoding::Json => read_json(bytes).unwrap_or_else(|_| raw()),
        Encoding::Connect => typed::decode(schema.map(|schema| &**schema), bytes).unwrap_or_else(|_| raw()),
    }
}

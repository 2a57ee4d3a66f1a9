//! The records of a batch, read where they lie.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use caisson_api::frame::{Encoding, Entry, Frame, Timestamp};
use caisson_api::{Error, Failure, Header, Record, SchemaRef, Value};

use crate::column::{self, SchemaCache};

/// A batch as sinks, transforms and predicates see it. Nothing is decoded before it is asked for.
pub struct Records<'a> {
    frame: Frame<'a>,
    /// Parsed schemas, by their index in the frame.
    schemas: Vec<SchemaRef>,
    /// Topics as records own them, by their index in the frame.
    topics: RefCell<Vec<Option<Arc<str>>>>,
    failures: RefCell<Vec<Failure>>,
}

impl fmt::Debug for Records<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

impl<'a> Records<'a> {
    pub(crate) fn parse(bytes: &'a [u8], cache: &mut SchemaCache) -> Result<Self, Error> {
        let frame = Frame::parse(bytes).map_err(|error| Error::fatal(error.to_string()))?;
        let schemas = frame
            .schemas()
            .iter()
            .map(|(id, text)| cache.get(*id, text))
            .collect::<Result<_, _>>()?;
        Ok(Records {
            frame,
            schemas,
            topics: RefCell::new(Vec::new()),
            failures: RefCell::new(Vec::new()),
        })
    }

    pub fn len(&self) -> usize {
        self.frame.len()
    }

    pub fn is_empty(&self) -> bool {
        self.frame.is_empty()
    }

    /// The frame itself, for plugins that count nanoseconds.
    pub fn frame(&self) -> &Frame<'a> {
        &self.frame
    }

    /// # Panics
    /// If there are not that many records.
    pub fn get(&self, index: usize) -> RecordView<'_> {
        RecordView {
            entry: self.frame.record(index),
            index,
            records: self,
        }
    }

    pub fn iter(&self) -> Iter<'_> {
        Iter { records: self, next: 0 }
    }

    pub(crate) fn into_failures(self) -> Vec<Failure> {
        self.failures.into_inner()
    }

    fn topic(&self, entry: &Entry<'_>) -> Arc<str> {
        let index = usize::from(entry.topic_index);
        let mut topics = self.topics.borrow_mut();
        if topics.len() <= index {
            topics.resize(index + 1, None);
        }
        topics[index].get_or_insert_with(|| Arc::from(entry.topic)).clone()
    }

    fn schema(&self, index: Option<u16>) -> Option<&SchemaRef> {
        self.schemas.get(usize::from(index?))
    }
}

impl<'r> IntoIterator for &'r Records<'_> {
    type Item = RecordView<'r>;
    type IntoIter = Iter<'r>;

    fn into_iter(self) -> Iter<'r> {
        self.iter()
    }
}

/// The records of a batch in order.
#[derive(Debug)]
pub struct Iter<'r> {
    records: &'r Records<'r>,
    next: usize,
}

impl<'r> Iterator for Iter<'r> {
    type Item = RecordView<'r>;

    #[inline]
    fn next(&mut self) -> Option<RecordView<'r>> {
        let index = self.next;
        if index == self.records.len() {
            return None;
        }
        self.next += 1;
        Some(self.records.get(index))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.records.len() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Iter<'_> {}

/// One record of a batch.
#[derive(Clone, Copy)]
pub struct RecordView<'r> {
    entry: Entry<'r>,
    index: usize,
    records: &'r Records<'r>,
}

impl fmt::Debug for RecordView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entry.fmt(f)
    }
}

impl<'r> RecordView<'r> {
    /// Its place in the batch.
    pub fn index(&self) -> usize {
        self.index
    }

    pub fn topic(&self) -> &'r str {
        self.entry.topic
    }

    pub fn partition(&self) -> Option<i32> {
        self.entry.partition
    }

    /// The offset in the topic; none on the way from a source to Kafka.
    pub fn offset(&self) -> Option<i64> {
        self.entry.offset
    }

    pub fn timestamp(&self) -> Timestamp {
        self.entry.timestamp
    }

    /// The key as it lies in the frame; `None` is null.
    pub fn key_bytes(&self) -> Option<&'r [u8]> {
        self.entry.key
    }

    /// The value as it lies in the frame; `None` is null.
    pub fn value_bytes(&self) -> Option<&'r [u8]> {
        self.entry.value
    }

    pub fn key_schema(&self) -> Option<&'r SchemaRef> {
        self.records.schema(self.entry.key_schema)
    }

    pub fn value_schema(&self) -> Option<&'r SchemaRef> {
        self.records.schema(self.entry.value_schema)
    }

    pub fn key(&self) -> Result<Value, Error> {
        self.decode(self.records.frame.encodings().key, self.entry.key, self.key_schema())
    }

    pub fn value(&self) -> Result<Value, Error> {
        self.decode(
            self.records.frame.encodings().value,
            self.entry.value,
            self.value_schema(),
        )
    }

    /// The value where it is a text: in a `json` column its JSON text, in a `bytes` column its UTF-8, in a `connect`
    /// column the value of the schema STRING. `None` for everything else.
    pub fn value_text(&self) -> Option<&'r str> {
        column::read_text(
            self.records.frame.encodings().value,
            self.entry.value?,
            self.value_schema().map(|s| &**s),
        )
    }

    /// Names of the headers, which may repeat; nothing is decoded.
    pub fn header_names(&self) -> impl Iterator<Item = &'r str> + use<'r> {
        self.entry.headers.map(|header| header.name)
    }

    /// The last header of this name, as it lies in the frame; `None` if there is none, or it is null.
    pub fn header_bytes(&self, name: &str) -> Option<&'r [u8]> {
        let last = self.entry.headers.filter(|header| header.name == name).last();
        last.and_then(|header| header.value)
    }

    pub fn headers(&self) -> Result<Vec<Header>, Error> {
        let encoding = self.records.frame.encodings().headers;
        let decode = |header: caisson_api::frame::HeaderEntry<'r>| {
            let schema = self.records.schema(header.schema);
            Ok(Header {
                name: Arc::from(header.name),
                schema: schema.cloned(),
                value: self.decode(encoding, header.value, schema)?,
            })
        };
        self.entry.headers.map(decode).collect()
    }

    fn decode(&self, encoding: Encoding, bytes: Option<&[u8]>, schema: Option<&SchemaRef>) -> Result<Value, Error> {
        match bytes {
            Some(bytes) => column::read(encoding, bytes, schema.map(|schema| &**schema)),
            None => Ok(Value::Null),
        }
    }

    /// All of it decoded.
    pub fn to_record(&self) -> Result<SinkRecord, Error> {
        let record = Record {
            topic: self.records.topic(&self.entry),
            partition: self.entry.partition,
            key_schema: self.key_schema().cloned(),
            key: self.key()?,
            value_schema: self.value_schema().cloned(),
            value: self.value()?,
            timestamp: self.entry.timestamp.millis(),
            headers: self.headers()?,
        };
        Ok(SinkRecord {
            record,
            offset: self.entry.offset,
            timestamp: self.entry.timestamp,
        })
    }

    /// Whether a record is what this one is, without decoding this one. May say no where two encodings mean the same.
    pub(crate) fn is_same(&self, record: &Record, scratch: &mut Vec<u8>) -> bool {
        let encodings = self.records.frame.encodings();
        let mut same = |encoding, bytes, schema: Option<&SchemaRef>, value: &Value, now: Option<&SchemaRef>| {
            column::is_same_schema(schema, now) && column::is_same(encoding, bytes, now, value, scratch)
        };
        *record.topic == *self.entry.topic
            && record.partition == self.entry.partition
            && record.timestamp == self.entry.timestamp.millis()
            && same(
                encodings.key,
                self.entry.key,
                self.key_schema(),
                &record.key,
                record.key_schema.as_ref(),
            )
            && same(
                encodings.value,
                self.entry.value,
                self.value_schema(),
                &record.value,
                record.value_schema.as_ref(),
            )
            && (self.entry.headers.is_empty() && record.headers.is_empty()
                || self.headers().is_ok_and(|headers| headers == record.headers))
    }

    /// Reports this record as beyond help: the error tolerance of the connector decides what becomes of it.
    pub fn fail(&self, error: impl Into<Error>) {
        let failure = Failure::new(self.index as u32, error.into());
        self.records.failures.borrow_mut().push(failure);
    }
}

/// A record out of Kafka (`org.apache.kafka.connect.sink.SinkRecord`).
#[derive(Clone, Debug, PartialEq)]
pub struct SinkRecord {
    pub record: Record,
    pub offset: Option<i64>,
    pub timestamp: Timestamp,
}

impl SinkRecord {
    /// A record with a topic, partition, offset and value, for tests.
    pub fn new(topic: impl Into<Arc<str>>, partition: i32, offset: i64, value: impl Into<Value>) -> Self {
        SinkRecord {
            record: Record {
                topic: topic.into(),
                partition: Some(partition),
                key_schema: None,
                key: Value::Null,
                value_schema: None,
                value: value.into(),
                timestamp: None,
                headers: Vec::new(),
            },
            offset: Some(offset),
            timestamp: Timestamp::None,
        }
    }

    /// The same record with a key.
    pub fn key(mut self, key: impl Into<Value>) -> Self {
        self.record.key = key.into();
        self
    }

    /// The same record with a schema for its value.
    pub fn value_schema(mut self, schema: SchemaRef) -> Self {
        self.record.value_schema = Some(schema);
        self
    }

    /// The value as a text: a string, or bytes as UTF-8; else the form that the log would show.
    pub fn text(&self) -> String {
        crate::source::value_text(&self.record.value)
    }
}

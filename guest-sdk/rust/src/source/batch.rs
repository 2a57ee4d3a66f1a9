//! The records that one `poll` gives, laid down in the frame as they come.

use std::convert::Infallible;
use std::time::Duration;

use caisson_api::frame::{
    self, Boundary, Encoding, Encodings, FrameBuilder, RecordHead, Role, SourceCoordinates, Timestamp,
};
use caisson_api::{Error, SchemaRef};

use super::record::SourceRecord;
use crate::column::{self, SchemaIndexes, refused};

/// What `poll` fills.
///
/// [`Batch::push`] takes whole records. [`Batch::record`] writes payloads straight into the frame, without an
/// allocation for a record:
///
/// ```
/// # use caisson_sdk::prelude::*;
/// # fn fill(batch: &mut Batch, lines: &[&str]) -> Result<(), Error> {
/// let topic = batch.topic("lines")?;
/// let text = batch.text_schema()?;
/// let file = batch.source_partition(r#"{"filename":"a"}"#)?;
/// for (number, line) in lines.iter().enumerate() {
///     let mut record = batch.record(topic);
///     record.value_text(text, line);
///     record.finish(file, &format!(r#"{{"line":{number}}}"#))?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Batch {
    builder: FrameBuilder,
    /// Those of the plugin, and those of the batch.
    usual: Encodings,
    encodings: Encodings,
    schemas: SchemaIndexes,
    max_wait: Duration,
    max_bytes: usize,
}

impl Batch {
    pub(crate) fn new(encodings: Encodings) -> Self {
        Batch {
            builder: FrameBuilder::new(Role::Source),
            usual: encodings,
            encodings,
            schemas: SchemaIndexes::default(),
            max_wait: Duration::ZERO,
            max_bytes: 0,
        }
    }

    pub(crate) fn begin(&mut self, max_wait: Duration, max_bytes: usize) {
        self.max_wait = max_wait;
        self.max_bytes = max_bytes;
        self.encodings = self.usual;
        self.schemas.clear();
        self.builder.begin(self.encodings, 0);
    }

    pub(crate) fn take(&mut self) -> Vec<u8> {
        self.builder.take()
    }

    /// How long `poll` may wait for the first record.
    pub fn max_wait(&self) -> Duration {
        self.max_wait
    }

    /// Bytes after which the batch is full.
    pub fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// Whether it is time to return.
    pub fn is_full(&self) -> bool {
        self.builder.byte_len() >= self.max_bytes
    }

    pub fn len(&self) -> usize {
        self.builder.len()
    }

    pub fn is_empty(&self) -> bool {
        self.builder.is_empty()
    }

    /// Says how many records will come: with the right number, none is moved later. Only before all else.
    pub fn expect(&mut self, records: usize) {
        if self.builder.is_empty() {
            self.schemas.clear();
            self.builder.begin(self.encodings, records);
        }
    }

    /// Has the values of this batch in another encoding than the plugin's own. Only before all else.
    pub fn encode_values(&mut self, encoding: Encoding) {
        if self.builder.is_empty() {
            self.schemas.clear();
            self.encodings.value = encoding;
            self.builder.begin(self.encodings, 0);
        }
    }

    /// The index, in this batch, of a topic.
    pub fn topic(&mut self, name: &str) -> Result<u16, Error> {
        self.builder.topic(name).map_err(refused)
    }

    /// The index, in this batch, of a source partition given as JSON text.
    pub fn source_partition(&mut self, json: &str) -> Result<u32, Error> {
        self.builder.source_partition(json).map_err(refused)
    }

    /// The index, in this batch, of a schema; for columns with the encoding `connect`.
    pub fn schema(&mut self, schema: &SchemaRef) -> Result<u16, Error> {
        self.schemas.index(schema, &mut self.builder)
    }

    /// What [`RecordWriter::value_text`] needs in this batch.
    pub fn text_schema(&mut self) -> Result<TextSchema, Error> {
        Ok(TextSchema(match self.encodings.value {
            Encoding::Connect => Some(self.schemas.text(&mut self.builder)?),
            Encoding::Bytes | Encoding::Json => None,
        }))
    }

    /// The index, in this batch, of the name of a header.
    pub fn header_name(&mut self, name: &str) -> Result<u16, Error> {
        self.builder.header_name(name).map_err(refused)
    }

    /// Begins a record to this topic that has the time at which it reaches the worker. Key, value and headers follow
    /// in this order; the record counts once it is finished.
    pub fn record(&mut self, topic: u16) -> RecordWriter<'_> {
        self.record_with(RecordHead {
            topic,
            timestamp: Timestamp::Arrival,
            ..RecordHead::default()
        })
    }

    /// Begins a record with a time, a partition or a transaction boundary of its own.
    pub fn record_with(&mut self, head: RecordHead) -> RecordWriter<'_> {
        RecordWriter {
            inner: self.builder.record(),
            head,
            encodings: self.encodings,
        }
    }

    /// Adds a whole record.
    pub fn push(&mut self, record: SourceRecord) -> Result<(), Error> {
        let SourceRecord {
            record,
            timestamp,
            source,
            boundary,
        } = record;
        let head = RecordHead {
            topic: self.topic(&record.topic)?,
            partition: record.partition,
            timestamp,
            boundary,
            ..RecordHead::default()
        };
        let source = match source {
            Some((partition, offset)) => Some((self.source_partition(&partition.to_string())?, offset.to_string())),
            None => None,
        };
        let source = source.as_ref().map(|(partition, offset)| SourceCoordinates {
            partition: *partition,
            offset,
        });
        column::write_record(
            &mut self.builder,
            &mut self.schemas,
            self.encodings,
            head,
            &record,
            source,
        )
    }

    /// Commits the transaction after this batch (ability `transaction-boundaries`).
    pub fn commit_transaction(&mut self) {
        self.builder.set_boundary(Boundary::Commit);
    }

    /// Aborts the transaction after this batch (ability `transaction-boundaries`).
    pub fn abort_transaction(&mut self) {
        self.builder.set_boundary(Boundary::Abort);
    }
}

/// How texts stand in the value column of a batch, see [`Batch::text_schema`].
#[derive(Clone, Copy, Debug)]
pub struct TextSchema(Option<u16>);

/// A record that is being written. Dropped before it is finished, it is left out.
#[derive(Debug)]
pub struct RecordWriter<'b> {
    inner: frame::RecordWriter<'b>,
    head: RecordHead,
    encodings: Encodings,
}

impl RecordWriter<'_> {
    /// The key in the form of the column: bytes as in Kafka, JSON text, or a typed value. Without it the key is null.
    pub fn key_bytes(&mut self, key: &[u8]) {
        self.inner.key(Some(key));
    }

    /// The value in the form of the column. Without it the value is null.
    #[inline]
    pub fn value_bytes(&mut self, value: &[u8]) {
        self.inner.value(Some(value));
    }

    /// A value that is a text; in a `connect` column it has the schema STRING.
    #[inline]
    pub fn value_text(&mut self, schema: TextSchema, text: &str) {
        let encoding = self.encodings.value;
        let write = |to: &mut Vec<u8>| {
            column::write_text(encoding, text, to);
            Ok::<_, Infallible>(true)
        };
        let Ok(()) = self.inner.value_with(write);
        self.head.value_schema = schema.0;
    }

    /// As [`RecordWriter::value_text`], of bytes that are known to be UTF-8: the worker refuses them if they are not.
    #[inline]
    pub fn value_utf8(&mut self, schema: TextSchema, text: &[u8]) {
        let encoding = self.encodings.value;
        let write = |to: &mut Vec<u8>| {
            column::write_utf8(encoding, text, to);
            Ok::<_, Infallible>(true)
        };
        let Ok(()) = self.inner.value_with(write);
        self.head.value_schema = schema.0;
    }

    /// A value that `write` appends in the form of the column, with a schema from [`Batch::schema`] where the
    /// encoding is `connect`.
    #[inline]
    pub fn value_with(
        &mut self,
        schema: Option<u16>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.head.value_schema = schema;
        self.inner.value_with(|to| write(to).map(|()| true))
    }

    /// A key that `write` appends, as [`RecordWriter::value_with`].
    #[inline]
    pub fn key_with(
        &mut self,
        schema: Option<u16>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.head.key_schema = schema;
        self.inner.key_with(|to| write(to).map(|()| true))
    }

    /// A header in the form of the column, with a schema where its encoding is `connect`.
    #[inline]
    pub fn header(&mut self, name: u16, schema: Option<u16>, value: Option<&[u8]>) -> Result<(), Error> {
        self.inner.header(name, schema, value).map_err(refused)
    }

    /// A header in the form of the column; the name's index comes from [`Batch::header_name`].
    pub fn header_bytes(&mut self, name: u16, value: Option<&[u8]>) -> Result<(), Error> {
        self.inner.header(name, None, value).map_err(refused)
    }

    /// Adds the record to the batch, as coming from a source partition (of [`Batch::source_partition`]) that is to be
    /// read from `offset`, a JSON object, once the record is delivered.
    #[inline]
    pub fn finish(self, partition: u32, offset: &str) -> Result<(), Error> {
        self.inner
            .finish(self.head, Some(SourceCoordinates { partition, offset }))
            .map_err(refused)
    }

    /// Adds the record to the batch; no offset is stored for it.
    pub fn finish_without_source(self) -> Result<(), Error> {
        self.inner.finish(self.head, None).map_err(refused)
    }
}

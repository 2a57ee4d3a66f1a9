//! Converters stand between the bytes of a topic and typed values (`org.apache.kafka.connect.storage.Converter` and
//! `HeaderConverter`).

use caisson_api::frame::{Encoding, Encodings, Entry, Frame, FrameBuilder, FrameError, NewHeader, NewRecord, Role};
use caisson_api::{Error, ErrorKind, Failure, SchemaRef, Value, typed};

use crate::column::{self, SchemaCache, SchemaIndexes, refused};
use crate::plugin::Plugin;
use crate::settings::Settings;

/// What of a record a converter is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Column {
    Key,
    Value,
    Headers,
}

/// A converter of keys, values or header values.
///
/// An error is about the one record if its kind is `Data`, and ends the task otherwise.
pub trait Converter: Sized + 'static {
    fn plugin() -> Plugin;

    fn start(settings: &Settings, column: Column) -> Result<Self, Error>;

    /// The bytes that Kafka gets for a value; `None` is null.
    fn serialize(&mut self, topic: &str, schema: Option<&SchemaRef>, value: &Value) -> Result<Option<Vec<u8>>, Error>;

    /// The schema and the value that stand in Kafka's bytes; `None` is null.
    fn deserialize(&mut self, topic: &str, bytes: Option<&[u8]>) -> Result<(Option<SchemaRef>, Value), Error>;

    fn stop(&mut self) {}
}

/// A started converter and what it remembers of schemas.
pub(crate) struct Running<C> {
    converter: C,
    column: Column,
    builder: FrameBuilder,
    known: SchemaCache,
    indexes: SchemaIndexes,
}

/// A payload as it goes into the new batch: bytes, and the index of their schema.
type Cell = (Option<Vec<u8>>, Option<u16>);

impl<C: Converter> Running<C> {
    pub fn start(settings: &Settings, column: Column) -> Result<Self, Error> {
        Ok(Running {
            converter: C::start(settings, column)?,
            column,
            builder: FrameBuilder::new(Role::Transform),
            known: SchemaCache::default(),
            indexes: SchemaIndexes::default(),
        })
    }

    pub fn stop(&mut self) {
        self.converter.stop();
    }

    pub fn serialize(&mut self, batch: &[u8]) -> Result<(Vec<u8>, Vec<Failure>), Error> {
        self.convert(batch, Encoding::Bytes, |this, topic, encoding, schema, bytes| {
            let value = match bytes {
                Some(bytes) => column::read(encoding, bytes, schema.map(|schema| &**schema))?,
                None => Value::Null,
            };
            Ok((this.converter.serialize(topic, schema, &value)?, None))
        })
    }

    pub fn deserialize(&mut self, batch: &[u8]) -> Result<(Vec<u8>, Vec<Failure>), Error> {
        self.convert(batch, Encoding::Connect, |this, topic, _, _, bytes| {
            let (schema, value) = this.converter.deserialize(topic, bytes)?;
            let mut block = Vec::new();
            let present = typed::encode(schema.as_deref(), &value, &mut block)
                .map_err(|error| Error::data(format!("value does not fit its schema: {error}")))?;
            let index = match &schema {
                Some(schema) => Some(this.indexes.index(schema, &mut this.builder)?),
                None => None,
            };
            Ok((present.then_some(block), index))
        })
    }

    /// A new batch whose column is in another encoding; the rest of each record is copied as it is. Records that fail are
    /// left out.
    fn convert(
        &mut self,
        batch: &[u8],
        to: Encoding,
        mut one: impl FnMut(&mut Self, &str, Encoding, Option<&SchemaRef>, Option<&[u8]>) -> Result<Cell, Error>,
    ) -> Result<(Vec<u8>, Vec<Failure>), Error> {
        let frame = Frame::parse(batch).map_err(|error| Error::fatal(error.to_string()))?;
        let (from, encodings) = self.encodings(frame.encodings(), to);
        let known = frame.schemas().iter();
        let known: Vec<SchemaRef> = known
            .map(|(id, text)| self.known.get(*id, text))
            .collect::<Result<_, _>>()?;
        self.indexes.clear();
        self.builder.begin(encodings, frame.len());
        self.builder.set_boundary(frame.boundary());
        let mut failures = Vec::new();
        for (index, entry) in (0..).zip(frame.records()) {
            let schema = |index: Option<u16>| index.and_then(|index| known.get(usize::from(index)));
            let mut cells = |this: &mut Self, schema: Option<&SchemaRef>, bytes: Option<&[u8]>| {
                one(this, entry.topic, from, schema, bytes)
            };
            let converted = match self.column {
                Column::Key => cells(self, schema(entry.key_schema), entry.key).map(|cell| vec![cell]),
                Column::Value => cells(self, schema(entry.value_schema), entry.value).map(|cell| vec![cell]),
                Column::Headers => entry
                    .headers
                    .map(|header| cells(self, schema(header.schema), header.value))
                    .collect(),
            };
            match converted {
                Ok(cells) => self.push(&frame, &entry, index, &cells).map_err(refused)?,
                Err(error) if error.kind == ErrorKind::Data => failures.push(Failure::new(index, error)),
                Err(error) => return Err(error),
            }
        }
        Ok((self.builder.take(), failures))
    }

    /// The encoding of the column as it comes, and all encodings as they go.
    fn encodings(&self, given: Encodings, to: Encoding) -> (Encoding, Encodings) {
        let mut encodings = given;
        let of = match self.column {
            Column::Key => &mut encodings.key,
            Column::Value => &mut encodings.value,
            Column::Headers => &mut encodings.headers,
        };
        (std::mem::replace(of, to), encodings)
    }

    fn push(&mut self, frame: &Frame<'_>, entry: &Entry<'_>, origin: u32, cells: &[Cell]) -> Result<(), FrameError> {
        let mut kept = |index: Option<u16>| match index {
            Some(index) => {
                let (id, text) = frame.schema(index);
                self.builder.schema(id, text).map(Some)
            }
            None => Ok(None),
        };
        let converted = cells.first().map(|(bytes, schema)| (bytes.as_deref(), *schema));
        let (key, key_schema) = match (self.column, converted) {
            (Column::Key, Some(converted)) => converted,
            (_, _) => (entry.key, kept(entry.key_schema)?),
        };
        let (value, value_schema) = match (self.column, converted) {
            (Column::Value, Some(converted)) => converted,
            (_, _) => (entry.value, kept(entry.value_schema)?),
        };
        let mut headers = Vec::new();
        for (header, place) in entry.headers.zip(0..) {
            let (value, schema) = match (self.column, cells.get(place)) {
                (Column::Headers, Some((bytes, schema))) => (bytes.as_deref(), *schema),
                (_, _) => (header.value, kept(header.schema)?),
            };
            headers.push((header.name, schema, value));
        }
        let mut new_headers = Vec::with_capacity(headers.len());
        for (name, schema, value) in headers {
            let name = self.builder.header_name(name)?;
            new_headers.push(NewHeader { name, schema, value });
        }
        let topic = self.builder.topic(entry.topic)?;
        self.builder.push(&NewRecord {
            topic,
            timestamp: entry.timestamp,
            offset: entry.offset,
            partition: entry.partition,
            origin,
            boundary: entry.boundary,
            key,
            value,
            key_schema,
            value_schema,
            headers: &new_headers,
            source: None,
        })
    }
}

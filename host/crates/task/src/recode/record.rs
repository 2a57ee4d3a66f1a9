//! Records as values: read out of a frame for those who look at values, and laid down again.
//!
//! Only the columns that somebody looks at become values; the others go straight from one form to the other.

use std::sync::Arc;

use caisson_api::frame::{Encoding, Encodings, Entry, NewHeader, NewRecord, Timestamp};
use caisson_api::{Header, Record, SchemaRef, Value};
use caisson_convert::JsonObject;

use super::{HeaderInput, Laid, Order, Recoder, Refusal, Trust, refused, retry};
use crate::columns::{Cell, Form, Forms};
use crate::errors::{Errors, Stage};

/// A record of a frame that is being looked at.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    pub entry: &'a Entry<'a>,
    /// Of [`Recoder::schemas_of`].
    pub schemas: &'a [SchemaRef],
    /// The forms that columns have, and those that they are to get.
    pub forms: (Forms, Forms),
    /// Columns with another encoding than bytes are values meanwhile.
    pub looks: Encodings,
    /// Of a value that is a JSON object without a schema single members are looked at.
    pub by_member: bool,
    pub trust: Trust,
}

/// A record whose columns are values as far as somebody looks at them. The others may be laid down already.
pub struct Opened<'a> {
    /// None once it was dropped.
    pub record: Option<Record>,
    /// The value, instead of the one in the record.
    pub object: Option<JsonObject<'a>>,
    key: Option<Laid>,
    value: Option<Laid>,
    headers: Option<Vec<(u16, Laid)>>,
}

/// Whether somebody looks at a column.
fn is_seen(encoding: Encoding) -> bool {
    encoding != Encoding::Bytes
}

impl<'a> Seen<'a> {
    fn schema(&self, index: Option<u16>) -> Option<&'a SchemaRef> {
        index.and_then(|index| self.schemas.get(usize::from(index)))
    }

    fn key(&self) -> (Option<&'a SchemaRef>, Option<&'a [u8]>) {
        (self.schema(self.entry.key_schema), self.entry.key)
    }

    fn value(&self) -> (Option<&'a SchemaRef>, Option<&'a [u8]>) {
        (self.schema(self.entry.value_schema), self.entry.value)
    }
}

impl Recoder {
    /// Reads a record. On the way from Kafka all its columns are converted now, as Kafka Connect does before a transform
    /// sees the record; on the way to Kafka those that nobody looks at wait for the topic that the record will have.
    pub fn open<'a>(&mut self, seen: Seen<'a>, topic: Arc<str>, errors: &mut Errors) -> Result<Opened<'a>, Refusal> {
        self.trust = seen.trust;
        self.scratch.clear();
        let Seen { entry, looks, .. } = seen;
        let (from, to) = seen.forms;
        let mut opened = Opened {
            record: None,
            object: None,
            key: None,
            value: None,
            headers: None,
        };
        let record = opened.record.insert(Record {
            topic,
            partition: entry.partition,
            key_schema: None,
            key: Value::Null,
            value_schema: None,
            value: Value::Null,
            timestamp: match (entry.timestamp, self.arrival) {
                (Timestamp::Arrival, now) => now,
                (timestamp, _) => timestamp.millis(),
            },
            headers: Vec::new(),
        });
        if is_seen(looks.key) {
            (record.key_schema, record.key) =
                self.read(Stage::KeyConverter, from.key, entry.topic, seen.key(), errors)?;
        } else if self.order == Order::HeadersLast {
            let forms = (from.key, to.key);
            opened.key = Some(self.lay(Stage::KeyConverter, forms, entry.topic, seen.key(), errors)?);
        }
        if is_seen(looks.value) {
            opened.object = self.read_object(&seen);
            if opened.object.is_none() {
                (record.value_schema, record.value) =
                    self.read(Stage::ValueConverter, from.value, entry.topic, seen.value(), errors)?;
            }
        } else if self.order == Order::HeadersLast {
            let forms = (from.value, to.value);
            opened.value = Some(self.lay(Stage::ValueConverter, forms, entry.topic, seen.value(), errors)?);
        }
        if entry.headers.is_empty() {
            return Ok(opened);
        }
        if is_seen(looks.headers) {
            for header in entry.headers {
                let given = (seen.schema(header.schema), header.value);
                let (schema, value) = self.read(Stage::HeaderConverter, from.headers, entry.topic, given, errors)?;
                record.headers.push(Header {
                    name: header.name.into(),
                    schema,
                    value,
                });
            }
        } else if self.order == Order::HeadersLast {
            opened.headers = Some(self.pass_headers(seen, entry.topic, errors)?);
        }
        Ok(opened)
    }

    /// Adds a record to the frame, in the forms that columns are to get. `offset` is the one that it gets.
    pub fn close(
        &mut self,
        seen: Seen<'_>,
        opened: &mut Opened<'_>,
        offset: Option<i64>,
        errors: &mut Errors,
    ) -> Result<(), Refusal> {
        let Some(record) = &mut opened.record else {
            return Ok(());
        };
        if self.order == Order::HeadersFirst {
            self.scratch.clear();
        }
        let headers = match opened.headers.take() {
            Some(headers) => headers,
            None => self.close_headers(seen, std::mem::take(&mut record.headers), &record.topic, errors)?,
        };
        let key = match opened.key.take() {
            Some(key) => key,
            None => self.close_key(seen, record, errors)?,
        };
        let value = match (opened.value.take(), opened.object.take()) {
            (Some(value), _) => value,
            (None, Some(object)) => self.close_object(seen, object, record, errors)?,
            (None, None) => self.close_value(seen, record, errors)?,
        };
        let topic = self.topic_index(&record.topic)?;
        let bytes = |laid: &Laid| laid.bytes.clone().map(|range| &self.scratch[range]);
        let headers: Vec<NewHeader<'_>> = headers
            .iter()
            .map(|(name, laid)| NewHeader {
                name: *name,
                schema: laid.schema,
                value: bytes(laid),
            })
            .collect();
        self.builder.push(&NewRecord {
            timestamp: self.timestamp(seen.entry.timestamp, record.timestamp),
            offset,
            partition: record.partition.filter(|partition| *partition >= 0),
            origin: 0,
            topic,
            boundary: seen.entry.boundary,
            key: bytes(&key),
            value: bytes(&value),
            key_schema: key.schema,
            value_schema: value.schema,
            headers: &headers,
            source: None,
        })?;
        Ok(())
    }

    /// Lays headers down that are values by now, or those that nobody has looked at.
    fn close_headers(
        &mut self,
        seen: Seen<'_>,
        values: Vec<Header>,
        topic: &str,
        errors: &mut Errors,
    ) -> Result<Vec<(u16, Laid)>, Refusal> {
        if !is_seen(seen.looks.headers) {
            return match seen.entry.headers.is_empty() {
                true => Ok(Vec::new()),
                false => self.pass_headers(seen, topic, errors),
            };
        }
        let to = seen.forms.1.headers;
        let mut headers = Vec::with_capacity(values.len());
        for header in values {
            let laid = self.write(
                Stage::HeaderConverter,
                to,
                topic,
                (header.schema, &header.value),
                errors,
            )?;
            headers.push((self.builder.header_name(&header.name)?, laid));
        }
        Ok(headers)
    }

    fn close_key(&mut self, seen: Seen<'_>, record: &Record, errors: &mut Errors) -> Result<Laid, Refusal> {
        let (from, to) = seen.forms;
        if is_seen(seen.looks.key) {
            let given = (record.key_schema.clone(), &record.key);
            return self.write(Stage::KeyConverter, to.key, &record.topic, given, errors);
        }
        let forms = (from.key, to.key);
        self.lay(Stage::KeyConverter, forms, &record.topic, seen.key(), errors)
    }

    /// The value, if it is an object of which members may stay text.
    fn read_object<'a>(&mut self, seen: &Seen<'a>) -> Option<JsonObject<'a>> {
        let is_text = self.columns.value.is_json_text(seen.forms.0.value);
        let bytes = seen.entry.value.filter(|_| seen.by_member && is_text)?;
        JsonObject::read(bytes, &mut self.object)
    }

    fn close_object(
        &mut self,
        seen: Seen<'_>,
        object: JsonObject<'_>,
        record: &mut Record,
        errors: &mut Errors,
    ) -> Result<Laid, Refusal> {
        if !self.columns.value.is_json_text(seen.forms.1.value) {
            record.value = object.into_value();
            return self.close_value(seen, record, errors);
        }
        let start = self.scratch.len();
        let written = object.write(&mut self.scratch);
        self.object = object.into_parts();
        written.map_err(|error| refused(Stage::ValueConverter, &self.columns.value, &error))?;
        Ok(Laid {
            bytes: Some(start..self.scratch.len()),
            schema: None,
        })
    }

    fn close_value(&mut self, seen: Seen<'_>, record: &Record, errors: &mut Errors) -> Result<Laid, Refusal> {
        let (from, to) = seen.forms;
        if is_seen(seen.looks.value) {
            let given = (record.value_schema.clone(), &record.value);
            return self.write(Stage::ValueConverter, to.value, &record.topic, given, errors);
        }
        let forms = (from.value, to.value);
        self.lay(Stage::ValueConverter, forms, &record.topic, seen.value(), errors)
    }

    /// The time of a record that was looked at: the kind that it had, unless it got another time.
    fn timestamp(&self, was: Timestamp, is: Option<i64>) -> Timestamp {
        match (was, is) {
            (Timestamp::Arrival, is) if is == self.arrival => Timestamp::Arrival,
            (Timestamp::LogAppend(was), Some(is)) if was == is => Timestamp::LogAppend(is),
            (_, Some(is)) => Timestamp::Create(is),
            (_, None) => Timestamp::None,
        }
    }

    fn pass_headers(&mut self, seen: Seen<'_>, topic: &str, errors: &mut Errors) -> Result<Vec<(u16, Laid)>, Refusal> {
        let (from, to) = seen.forms;
        let inputs: Vec<_> = seen
            .entry
            .headers
            .map(|header| HeaderInput {
                name: header.name,
                schema: seen.schema(header.schema).cloned(),
                value: header.value,
            })
            .collect();
        let mut laid = Vec::with_capacity(inputs.len());
        self.lay_headers((from.headers, to.headers), topic, &inputs, &mut laid, errors)?;
        Ok(laid)
    }

    fn read(
        &mut self,
        stage: Stage,
        form: Form,
        topic: &str,
        (schema, input): (Option<&SchemaRef>, Option<&[u8]>),
        errors: &mut Errors,
    ) -> Result<(Option<SchemaRef>, Value), Refusal> {
        let column = self.columns.of(stage);
        column.read(form, topic, schema, input).or_else(|error| {
            let again = || column.read(form, topic, schema, input);
            retry(error, errors, again).map_err(|error| refused(stage, column, &error))
        })
    }

    fn write(
        &mut self,
        stage: Stage,
        form: Form,
        topic: &str,
        (schema, value): (Option<SchemaRef>, &Value),
        errors: &mut Errors,
    ) -> Result<Laid, Refusal> {
        let start = self.scratch.len();
        let column = self.columns.of(stage);
        let scratch = &mut self.scratch;
        let mut attempt = || {
            scratch.truncate(start);
            column.write(form, topic, schema.clone(), value, scratch)
        };
        let written = attempt()
            .or_else(|error| retry(error, errors, &mut attempt).map_err(|error| refused(stage, column, &error)));
        let cell: Cell = written?;
        let schema = match &cell.schema {
            Some(schema) => Some(self.schema_index(schema)?),
            None => None,
        };
        Ok(Laid {
            bytes: cell.present.then_some(start..self.scratch.len()),
            schema,
        })
    }
}

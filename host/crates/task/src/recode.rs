//! Laying records down in a frame whose columns have the forms that a plugin wants.

mod record;

use std::sync::Arc;

use caisson_api::SchemaRef;
use caisson_api::frame::{
    Boundary, Encodings, Frame, FrameBuilder, FrameError, NewHeader, NewRecord, Role, SourceCoordinates, Timestamp,
};
use caisson_convert::{ConvertError, ObjectParts};
use caisson_model::{Failure, FailureKind};

use crate::columns::{Cell, Column, Form, Forms, Schemas};
use crate::errors::{DATA_EXCEPTION, ErrorClass, Errors, Faults, Stage, Throwable};
use crate::settings::Converters;

pub use record::{Opened, Seen};

/// Builds frames, converting what has to be converted. Keeps its memory and what it knows of schemas.
pub struct Recoder {
    columns: Columns,
    pub schemas: Schemas,
    pub builder: FrameBuilder,
    /// Converted payloads of the record at hand.
    scratch: Vec<u8>,
    /// Memory for the value of a record whose members are looked at one by one.
    object: ObjectParts,
    /// The schema of the payload before, by address, and its index in the frame: mostly that of the next one too.
    last_schema: Option<(usize, u16)>,
    /// The topic of the record before, and its index in the frame.
    last_topic: Option<(Arc<str>, u16)>,
    order: Order,
    trust: Trust,
    /// What `Timestamp::Arrival` means now, in milliseconds; `None` leaves it to the producer.
    pub arrival: Option<i64>,
    /// The offset that copies get instead of their own.
    pub offset: Option<i64>,
}

/// Whether bytes in Kafka's form are known to be what the converter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    None,
    Full,
}

/// When headers are converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// On the way from Kafka.
    HeadersLast,
    /// On the way to Kafka.
    HeadersFirst,
}

/// What converts the three columns.
struct Columns {
    key: Column,
    value: Column,
    headers: Column,
}

impl Columns {
    /// The one that is at work at a stage.
    fn of(&self, stage: Stage) -> &Column {
        match stage {
            Stage::KeyConverter => &self.key,
            Stage::HeaderConverter => &self.headers,
            Stage::ValueConverter
            | Stage::Poll
            | Stage::Put
            | Stage::Transformation
            | Stage::Produce
            | Stage::Consume => &self.value,
        }
    }
}

/// A record to be laid down. Schemas are those of typed columns.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    pub topic: &'a str,
    pub partition: Option<i32>,
    pub offset: Option<i64>,
    pub timestamp: Timestamp,
    pub origin: u32,
    pub boundary: Boundary,
    pub key: (Option<&'a SchemaRef>, Option<&'a [u8]>),
    pub value: (Option<&'a SchemaRef>, Option<&'a [u8]>),
    pub headers: &'a [HeaderInput<'a>],
    /// Source partition and offset, as JSON texts.
    pub source: Option<(&'a str, &'a str)>,
}

#[derive(Clone)]
pub struct HeaderInput<'a> {
    pub name: &'a str,
    pub schema: Option<SchemaRef>,
    pub value: Option<&'a [u8]>,
}

/// Why a record could not be laid down.
pub enum Refusal {
    /// The record's own fault: the error policy decides.
    Record {
        stage: Stage,
        class: String,
        error: Throwable,
    },
    /// The frame cannot take it.
    Frame(FrameError),
}

impl From<FrameError> for Refusal {
    fn from(error: FrameError) -> Self {
        Refusal::Frame(error)
    }
}

/// A record of another frame.
#[derive(Clone, Copy)]
pub struct Copied<'a> {
    pub frame: &'a Frame<'a>,
    /// Of [`Recoder::schemas_of`].
    pub schemas: &'a [SchemaRef],
    pub index: usize,
    /// The origin that the copy gets.
    pub origin: u32,
    /// Its index in the batch at the beginning.
    pub at: u32,
}

/// A converted payload: where it lies in the scratch buffer, and its schema's index in the frame.
struct Laid {
    bytes: Option<std::ops::Range<usize>>,
    schema: Option<u16>,
}

impl Recoder {
    pub fn new(converters: &Converters, role: Role, order: Order) -> Self {
        Recoder {
            order,
            trust: Trust::None,
            columns: Columns {
                key: Column::new(converters.key.clone()),
                value: Column::new(converters.value.clone()),
                headers: Column::new(converters.header.clone()),
            },
            schemas: Schemas::default(),
            builder: FrameBuilder::new(role),
            scratch: Vec::new(),
            object: ObjectParts::default(),
            last_schema: None,
            last_topic: None,
            arrival: None,
            offset: None,
        }
    }

    /// The forms in which a plugin with these encodings gets what is in these forms now.
    pub fn towards(&self, forms: Forms, encodings: Encodings) -> Forms {
        Forms {
            key: self.columns.key.towards(forms.key, encodings.key),
            value: self.columns.value.towards(forms.value, encodings.value),
            headers: self.columns.headers.towards(forms.headers, encodings.headers),
        }
    }

    /// Whether no column needs conversion.
    pub fn passes(&self, from: Forms, to: Forms) -> bool {
        self.passes_without_headers(from, to) && self.columns.headers.passes(from.headers, to.headers)
    }

    /// Whether records without headers need no conversion.
    pub fn passes_without_headers(&self, from: Forms, to: Forms) -> bool {
        self.columns.key.passes(from.key, to.key) && self.columns.value.passes(from.value, to.value)
    }

    pub fn begin(&mut self, encodings: Encodings, expected_records: usize) {
        self.last_schema = None;
        self.last_topic = None;
        self.builder.begin(encodings, expected_records);
    }

    /// Adds one record.
    pub fn push(
        &mut self,
        (from, to): (Forms, Forms),
        trust: Trust,
        input: &Input<'_>,
        errors: &mut Errors,
    ) -> Result<(), Refusal> {
        self.trust = trust;
        self.scratch.clear();
        let Input { topic, .. } = *input;
        let mut laid = Vec::with_capacity(input.headers.len());
        // Kafka Connect serializes headers first and deserializes them last; of a record that fails in two places, the
        // first one is told.
        let headers = (from.headers, to.headers);
        if self.order == Order::HeadersFirst {
            self.lay_headers(headers, topic, input.headers, &mut laid, errors)?;
        }
        let key = self.lay(Stage::KeyConverter, (from.key, to.key), topic, input.key, errors)?;
        let value = self.lay(
            Stage::ValueConverter,
            (from.value, to.value),
            topic,
            input.value,
            errors,
        )?;
        if self.order == Order::HeadersLast {
            self.lay_headers(headers, topic, input.headers, &mut laid, errors)?;
        }
        self.add(input, (&key, &value), &laid)
    }

    /// The failure of a record that no frame has room for.
    pub fn misfit(&self, error: &FrameError) -> (Stage, String, Throwable) {
        let (stage, text) = match error {
            FrameError::TableSize(_) | FrameError::Headers { .. } => (
                Stage::HeaderConverter,
                "it has more headers than fit into a batch".to_owned(),
            ),
            other => (Stage::ValueConverter, format!("it does not fit into a batch: {other}")),
        };
        let error = Throwable::new(DATA_EXCEPTION, text).of_kind(ErrorClass::Limit);
        (stage, self.columns.of(stage).class().to_owned(), error)
    }

    /// Adds a record whose payloads are laid down.
    fn add(&mut self, input: &Input<'_>, (key, value): (&Laid, &Laid), laid: &[(u16, Laid)]) -> Result<(), Refusal> {
        let scratch = &self.scratch;
        let bytes = |laid: &Laid| laid.bytes.clone().map(|range| &scratch[range]);
        let headers: Vec<NewHeader<'_>> = laid
            .iter()
            .map(|(name, laid)| NewHeader {
                name: *name,
                schema: laid.schema,
                value: bytes(laid),
            })
            .collect();
        let source = match input.source {
            Some((partition, offset)) => Some(SourceCoordinates {
                partition: self.builder.source_partition(partition)?,
                offset,
            }),
            None => None,
        };
        let topic = self.builder.topic(input.topic)?;
        self.builder.push(&NewRecord {
            timestamp: input.timestamp,
            offset: input.offset,
            partition: input.partition,
            origin: input.origin,
            topic,
            boundary: input.boundary,
            key: bytes(key),
            value: bytes(value),
            key_schema: key.schema,
            value_schema: value.schema,
            headers: &headers,
            source,
        })?;
        Ok(())
    }

    fn lay_headers(
        &mut self,
        forms: (Form, Form),
        topic: &str,
        inputs: &[HeaderInput<'_>],
        laid: &mut Vec<(u16, Laid)>,
        errors: &mut Errors,
    ) -> Result<(), Refusal> {
        for header in inputs {
            let given = (header.schema.as_ref(), header.value);
            let converted = self.lay(Stage::HeaderConverter, forms, topic, given, errors)?;
            laid.push((self.builder.header_name(header.name)?, converted));
        }
        Ok(())
    }

    fn lay(
        &mut self,
        stage: Stage,
        forms: (Form, Form),
        topic: &str,
        (schema, input): (Option<&SchemaRef>, Option<&[u8]>),
        errors: &mut Errors,
    ) -> Result<Laid, Refusal> {
        let column = self.columns.of(stage);
        let start = self.scratch.len();
        let converted = match forms {
            (from, to) if from == to && self.trust == Trust::Full => Ok(copied(schema, input, &mut self.scratch)),
            forms => column.convert(forms, topic, schema, input, &mut self.scratch),
        };
        let cell: Cell = match converted {
            Ok(cell) => cell,
            Err(error) => {
                let scratch = &mut self.scratch;
                let again = || {
                    scratch.truncate(start);
                    column.convert(forms, topic, schema, input, scratch)
                };
                retry(error, errors, again).map_err(|error| refused(stage, column, &error))?
            }
        };
        let schema = match &cell.schema {
            Some(schema) => Some(self.schema_index(schema)?),
            None => None,
        };
        Ok(Laid {
            bytes: cell.present.then_some(start..self.scratch.len()),
            schema,
        })
    }

    fn schema_index(&mut self, schema: &SchemaRef) -> Result<u16, FrameError> {
        let address = Arc::as_ptr(schema) as usize;
        if let Some((known, index)) = self.last_schema
            && known == address
        {
            return Ok(index);
        }
        let (id, text) = self.schemas.text(schema);
        let index = self.builder.schema(id, &text)?;
        // `schemas` keeps the schema alive, so that its address stays its own while the frame is built.
        self.last_schema = Some((address, index));
        Ok(index)
    }

    fn topic_index(&mut self, topic: &Arc<str>) -> Result<u16, FrameError> {
        if let Some((known, index)) = &self.last_topic
            && Arc::ptr_eq(known, topic)
        {
            return Ok(*index);
        }
        let index = self.builder.topic(topic)?;
        self.last_topic = Some((topic.clone(), index));
        Ok(index)
    }

    /// A whole frame in other forms. The origins written into it are the indexes in `frame`; `at` tells the index that a
    /// record had at the beginning. Records that fail are left out.
    pub fn recode(
        &mut self,
        frame: &Frame<'_>,
        at: impl Fn(u32) -> u32,
        forms: (Forms, Forms),
        faults: &mut Faults<'_>,
    ) -> Result<Vec<u8>, Failure> {
        self.begin(forms.1.encodings(), frame.len());
        self.builder.set_boundary(frame.boundary());
        let schemas = self.schemas_of(frame)?;
        for index in 0..frame.len() {
            let copied = Copied {
                frame,
                schemas: &schemas,
                index,
                origin: index as u32,
                at: at(index as u32),
            };
            self.copy(copied, forms, faults)?;
        }
        Ok(self.builder.take())
    }

    /// The schemas of a frame, by their index in it.
    pub fn schemas_of(&mut self, frame: &Frame<'_>) -> Result<Vec<SchemaRef>, Failure> {
        self.schemas.of_frame(frame).map_err(|error| {
            Failure::new(
                FailureKind::Guest,
                format!("a plugin gave a schema that cannot be read: {error}"),
            )
        })
    }

    /// Adds a record of another frame. False: it failed and is left out.
    pub fn copy(&mut self, from: Copied<'_>, forms: (Forms, Forms), faults: &mut Faults<'_>) -> Result<bool, Failure> {
        let schema = |index: Option<u16>| index.and_then(|index| from.schemas.get(usize::from(index)));
        let entry = from.frame.record(from.index);
        let headers: Vec<_> = entry
            .headers
            .map(|header| HeaderInput {
                name: header.name,
                schema: schema(header.schema).cloned(),
                value: header.value,
            })
            .collect();
        let timestamp = match (entry.timestamp, self.arrival) {
            (Timestamp::Arrival, Some(now)) => Timestamp::Create(now),
            (timestamp, _) => timestamp,
        };
        let input = Input {
            topic: entry.topic,
            partition: entry.partition,
            offset: self.offset.or(entry.offset),
            timestamp,
            origin: from.origin,
            boundary: entry.boundary,
            key: (schema(entry.key_schema), entry.key),
            value: (schema(entry.value_schema), entry.value),
            headers: &headers,
            source: entry
                .source
                .map(|source| (from.frame.source_partition(source.partition), source.offset)),
        };
        match self.push(forms, Trust::Full, &input, faults.errors) {
            Ok(()) => Ok(true),
            Err(Refusal::Record { stage, class, error }) => {
                faults.fail(from.at, stage, &class, &error);
                Ok(false)
            }
            Err(Refusal::Frame(error)) => Err(does_not_fit(input.topic, &error)),
        }
    }
}

fn copied(schema: Option<&SchemaRef>, input: Option<&[u8]>, out: &mut Vec<u8>) -> Cell {
    out.extend_from_slice(input.unwrap_or_default());
    Cell {
        present: input.is_some(),
        schema: schema.cloned(),
    }
}

/// A record that no frame can hold.
pub fn does_not_fit(topic: &str, error: &FrameError) -> Failure {
    Failure::host(format!("a record of topic {topic} does not fit into a batch: {error}"))
}

fn refused(stage: Stage, column: &Column, error: &ConvertError) -> Refusal {
    Refusal::Record {
        stage,
        class: column.class().to_owned(),
        error: Throwable::from(error),
    }
}

/// Tries again what failed with an error that may pass, as long as the policy says.
fn retry<T>(
    mut error: ConvertError,
    errors: &mut Errors,
    mut again: impl FnMut() -> Result<T, ConvertError>,
) -> Result<T, ConvertError> {
    let mut attempts = errors.begin();
    while Throwable::from(&error).is_retriable() && errors.again(&mut attempts) {
        match again() {
            Ok(done) => return Ok(done),
            Err(next) => error = next,
        }
    }
    Err(error)
}

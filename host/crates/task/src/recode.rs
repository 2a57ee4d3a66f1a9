//! Laying records down in a frame whose columns have the forms that a plugin wants.

use caisson_api::SchemaRef;
use caisson_api::frame::{
    Boundary, Encodings, Frame, FrameBuilder, FrameError, NewHeader, NewRecord, Role, SourceCoordinates, Timestamp,
};
use caisson_model::{Failure, FailureKind};

use crate::columns::{Cell, Column, Form, Forms, Schemas};
use crate::errors::{Errors, Place, Stage};
use crate::settings::TaskSettings;

/// Builds frames, converting what has to be converted. Keeps its memory and what it knows of schemas.
pub struct Recoder {
    key: Column,
    value: Column,
    headers: Column,
    pub schemas: Schemas,
    pub builder: FrameBuilder,
    /// Converted payloads of the record at hand.
    scratch: Vec<u8>,
    /// The schema of the payload before, by address, and its index in the frame: mostly that of the next one too.
    last_schema: Option<(usize, u16)>,
    /// What `Timestamp::Arrival` means now, in milliseconds; `None` leaves it to the producer.
    pub arrival: Option<i64>,
    /// The offset that copies get instead of their own.
    pub offset: Option<i64>,
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
        message: String,
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
}

/// A converted payload: where it lies in the scratch buffer, and its schema's index in the frame.
struct Laid {
    bytes: Option<std::ops::Range<usize>>,
    schema: Option<u16>,
}

impl Recoder {
    pub fn new(task: &TaskSettings, role: Role) -> Self {
        Recoder {
            key: Column::new(task.key_converter.clone()),
            value: Column::new(task.value_converter.clone()),
            headers: Column::new(task.header_converter.clone()),
            schemas: Schemas::default(),
            builder: FrameBuilder::new(role),
            scratch: Vec::new(),
            last_schema: None,
            arrival: None,
            offset: None,
        }
    }

    /// Whether no column needs conversion.
    pub fn passes(&self, from: Forms, to: Forms) -> bool {
        self.passes_without_headers(from, to) && self.headers.passes(from.headers, to.headers)
    }

    /// Whether records without headers need no conversion.
    pub fn passes_without_headers(&self, from: Forms, to: Forms) -> bool {
        self.key.passes(from.key, to.key) && self.value.passes(from.value, to.value)
    }

    pub fn begin(&mut self, encodings: Encodings, expected_records: usize) {
        self.last_schema = None;
        self.builder.begin(encodings, expected_records);
    }

    /// Adds one record.
    pub fn push(&mut self, (from, to): (Forms, Forms), input: &Input<'_>) -> Result<(), Refusal> {
        self.scratch.clear();
        let key = self.lay(Stage::KeyConverter, (from.key, to.key), input.topic, input.key)?;
        let value = self.lay(Stage::ValueConverter, (from.value, to.value), input.topic, input.value)?;
        let mut laid = Vec::with_capacity(input.headers.len());
        for header in input.headers {
            let given = (header.schema.as_ref(), header.value);
            let converted = self.lay(Stage::HeaderConverter, (from.headers, to.headers), input.topic, given)?;
            laid.push((self.builder.header_name(header.name)?, converted));
        }
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
            key: bytes(&key),
            value: bytes(&value),
            key_schema: key.schema,
            value_schema: value.schema,
            headers: &headers,
            source,
        })?;
        Ok(())
    }

    fn lay(
        &mut self,
        stage: Stage,
        forms: (Form, Form),
        topic: &str,
        (schema, input): (Option<&SchemaRef>, Option<&[u8]>),
    ) -> Result<Laid, Refusal> {
        let column = match stage {
            Stage::KeyConverter => &self.key,
            Stage::HeaderConverter => &self.headers,
            Stage::ValueConverter | Stage::Put | Stage::Transformation | Stage::Produce => &self.value,
        };
        let start = self.scratch.len();
        let cell: Cell = column
            .convert(forms, topic, schema, input, &mut self.scratch)
            .map_err(|error| Refusal::Record {
                stage,
                class: column.class().to_owned(),
                message: sentence(&error),
            })?;
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
        let address = std::sync::Arc::as_ptr(schema) as usize;
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

    /// A whole frame in other forms. Origins are the indexes in `frame`; records that fail are left out if the policy
    /// allows it.
    pub fn recode(
        &mut self,
        frame: &Frame<'_>,
        forms: (Forms, Forms),
        errors: &mut Errors,
    ) -> Result<Vec<u8>, Failure> {
        self.begin(forms.1.encodings(), frame.len());
        self.builder.set_boundary(frame.boundary());
        let schemas = self.schemas_of(frame)?;
        for index in 0..frame.len() {
            self.copy(
                Copied {
                    frame,
                    schemas: &schemas,
                    index,
                    origin: index as u32,
                },
                forms,
                errors,
            )?;
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

    /// Adds a record of another frame.
    pub fn copy(&mut self, from: Copied<'_>, forms: (Forms, Forms), errors: &mut Errors) -> Result<(), Failure> {
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
        let place = Place {
            topic: entry.topic,
            partition: entry.partition,
            offset: entry.offset,
        };
        self.push_or_report(forms, &input, place, errors)
    }

    /// Adds a record, or lets the error policy decide.
    pub fn push_or_report(
        &mut self,
        forms: (Forms, Forms),
        input: &Input<'_>,
        place: Place<'_>,
        errors: &mut Errors,
    ) -> Result<(), Failure> {
        match self.push(forms, input) {
            Ok(()) => Ok(()),
            Err(Refusal::Record { stage, class, message }) => errors.record(stage, &class, Some(place), &message),
            Err(Refusal::Frame(error)) => Err(Failure::host(format!(
                "a record of topic {} does not fit into a batch: {error}",
                input.topic
            ))),
        }
    }
}

/// An error and its causes, outermost first.
fn sentence(error: &caisson_convert::ConvertError) -> String {
    let mut text = format!("{}: {}", error.class, error.message);
    for cause in error.causes() {
        text.push_str(&format!("; caused by {}: {}", cause.class, cause.message));
    }
    text
}

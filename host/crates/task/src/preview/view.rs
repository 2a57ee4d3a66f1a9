//! Records between two steps, as people are shown them.

use caisson_api::frame::{Encoding, Encodings, Frame, Role};
use caisson_api::value::to_java_string;
use caisson_api::{SchemaRef, Value};
use caisson_convert::column::write_json;
use caisson_model::preview::{Payload, Shown};
use caisson_model::{Failure, TaskId};

use super::{VALUES, parse};
use crate::chain::Stream;
use crate::errors::{Errors, Faults, Origin, Subject, Trail};
use crate::recode::Recoder;
use crate::settings::{Converters, Direction};

/// Reads batches without changing them.
pub struct Viewer {
    recoder: Recoder,
    /// What cannot be read is told by the step that has to.
    errors: Errors,
}

/// What there is of a record behind a step.
pub enum Seen {
    Nothing,
    /// Something that the converters do not understand.
    Unreadable,
    Records(Vec<Shown>),
}

impl Viewer {
    pub fn new(task: &TaskId, converters: &Converters, direction: Direction) -> Self {
        Viewer {
            recoder: Recoder::new(converters, Role::Transform, direction.order()),
            errors: Errors::noting(task.clone()),
        }
    }

    /// The records of a batch as values.
    pub fn view(&mut self, stream: &Stream<'_>) -> Result<Seen, Failure> {
        if stream.frame.is_empty() {
            return Ok(Seen::Nothing);
        }
        let frame = parse(&stream.frame)?;
        if frame.is_empty() {
            return Ok(Seen::Nothing);
        }
        let to = self.recoder.towards(stream.forms, VALUES);
        if to == stream.forms {
            return Ok(Seen::Records(shown(&frame)));
        }
        let trail = Trail {
            entry: &frame,
            consumed: None,
        };
        let faults = &mut Faults {
            errors: &mut self.errors,
            trail,
        };
        let values = self.recoder.recode(&frame, |index| index, (stream.forms, to), faults)?;
        let unreadable = !self.errors.take_noted().is_empty();
        match unreadable {
            true => Ok(Seen::Unreadable),
            false => Ok(Seen::Records(shown(&parse(&values)?))),
        }
    }

    /// The records of a batch as they are.
    pub fn bytes(&self, stream: &Stream<'_>) -> Result<Seen, Failure> {
        if stream.frame.is_empty() {
            return Ok(Seen::Nothing);
        }
        Ok(Seen::Records(shown(&parse(&stream.frame)?)))
    }
}

fn shown(frame: &Frame<'_>) -> Vec<Shown> {
    (0..frame.len()).map(|index| record(frame, index)).collect()
}

fn record(frame: &Frame<'_>, index: usize) -> Shown {
    let Encodings { key, value, headers } = frame.encodings();
    let entry = frame.record(index);
    let mut shown = Shown {
        topic: entry.topic.to_owned(),
        partition: entry.partition,
        timestamp: entry.timestamp.millis(),
        key: raw(entry.key),
        value: raw(entry.value),
        headers: entry
            .headers
            .map(|header| (header.name.to_owned(), raw(header.value)))
            .collect(),
    };
    let Subject::Polled(polled) = (Origin::Polled { frame, index }).subject() else {
        return shown;
    };
    let record = &polled.record;
    if key != Encoding::Bytes {
        shown.key = payload(record.key_schema.as_ref(), &record.key);
    }
    if value != Encoding::Bytes {
        shown.value = payload(record.value_schema.as_ref(), &record.value);
    }
    if headers != Encoding::Bytes {
        let header = |header: &caisson_api::Header| {
            let value = payload(header.schema.as_ref(), &header.value);
            (header.name.to_string(), value)
        };
        shown.headers = record.headers.iter().map(header).collect();
    }
    shown
}

fn raw(bytes: Option<&[u8]>) -> Payload {
    bytes.map_or(Payload::Null, |bytes| Payload::Bytes(bytes.to_vec()))
}

fn payload(schema: Option<&SchemaRef>, value: &Value) -> Payload {
    if schema.is_none() && value.is_null() {
        return Payload::Null;
    }
    Payload::Value {
        json: json(schema, value).unwrap_or_else(|| "null".to_owned()),
        schema: schema.map(|schema| schema.to_json()),
    }
}

/// None for null. What has no JSON has at least a text.
fn json(schema: Option<&SchemaRef>, value: &Value) -> Option<String> {
    let mut text = Vec::new();
    let present = write_json(schema, value, "", &mut text).or_else(|_| {
        text.clear();
        let words = to_java_string(schema.map(|schema| &**schema), value);
        write_json(None, &Value::String(words), "", &mut text)
    });
    match present {
        Ok(true) => String::from_utf8(text).ok(),
        Ok(false) | Err(_) => None,
    }
}

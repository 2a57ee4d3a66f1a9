//! Change events: how they are recognized, and reading their fields.

use caisson_sdk::prelude::*;

const SUFFIX: &str = ".Envelope";

/// The schema of a record's value if that is a change event. Heartbeats, changes of schemas and the like are none, and
/// pass every transform of change events as they are.
pub fn schema_of(record: &Record) -> Option<&SchemaRef> {
    let schema = record.value_schema.as_ref()?;
    let name = schema.name.as_deref()?;
    (name.ends_with(SUFFIX) && matches!(record.value, Value::Struct(_))).then_some(schema)
}

/// The name of a topic's change events.
pub fn name(topic: &str) -> String {
    format!("{topic}{SUFFIX}")
}

/// The place of a field that has to be there.
pub fn place(schema: &Schema, name: &str) -> Result<usize, Error> {
    schema
        .field_index(name)
        .ok_or_else(|| Error::data(format!("{name} is not a valid field name")))
}

/// A field's value, or its default (`Struct.get`).
pub fn value(schema: &Schema, values: &[Value], place: usize) -> Value {
    match (values.get(place), schema.fields().get(place)) {
        (Some(Value::Null) | None, Some(field)) => field.schema.default.clone().unwrap_or_default(),
        (Some(value), _) => value.clone(),
        (None, None) => Value::Null,
    }
}

/// A field's text; null has none.
pub fn text<'v>(name: &str, value: Option<&'v Value>) -> Result<Option<&'v str>, Error> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Error::data(format!("Field '{name}' is not of type STRING"))),
    }
}

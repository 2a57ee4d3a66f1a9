//! Fields of a change event that `add.fields` and `add.headers` name: `op`, `table`, `source.ts_ms:time`.

use std::sync::Arc;

use caisson_sdk::prelude::*;

use crate::fields::like;

/// One entry of such a list.
#[derive(Debug)]
pub struct FieldReference {
    /// The struct that has it; `None`: the event itself.
    parent: Option<String>,
    field: String,
    /// What it is called where it is added.
    pub name: String,
}

/// A field as it lies in the events of one schema.
#[derive(Debug)]
pub struct Found {
    pub name: Arc<str>,
    pub schema: SchemaRef,
    parent: Option<usize>,
    field: usize,
}

impl FieldReference {
    /// Parses a list.
    pub fn all(prefix: &str, entries: &[String]) -> Result<Vec<Self>, Error> {
        entries
            .iter()
            .map(|entry| entry.trim())
            .filter(|entry| !entry.is_empty())
            .map(|entry| Self::parse(prefix, entry))
            .collect()
    }

    fn parse(prefix: &str, entry: &str) -> Result<Self, Error> {
        let parts: Vec<&str> = entry.split(':').collect();
        let (path, new_name) = match parts.as_slice() {
            [path] => (*path, None),
            [path, name] => (*path, Some(*name)),
            _ => return Err(Error::config(format!("Unexpected field name: {entry}"))),
        };
        let mut steps = path.split('.');
        let first = steps.next().unwrap_or_default();
        let (parent, field, own_name) = match steps.next() {
            Some(field) => (Some(first), field, format!("{first}_{field}")),
            None => (parent_of(first), first, first.to_owned()),
        };
        Ok(FieldReference {
            parent: parent.map(str::to_owned),
            field: field.to_owned(),
            name: format!("{prefix}{}", new_name.unwrap_or(&own_name)),
        })
    }

    /// Whether it is what happened to the row, which even a tombstone says.
    pub fn is_operation(&self) -> bool {
        self.field == "op"
    }

    /// Where it is in the events of a schema; a field that another transform has put into the event itself counts too.
    pub fn find(&self, event: &Schema) -> Result<Option<Found>, Error> {
        let parent = match &self.parent {
            None => None,
            Some(parent) => match event.field_index(parent) {
                Some(place) => Some(place),
                None => return Ok(None),
            },
        };
        let of_parent = parent.map_or(event, |place| &event.fields()[place].schema);
        let (parent, field) = match (of_parent.field_index(&self.field), event.field_index(&self.field)) {
            (Some(field), _) => (parent, field),
            (None, Some(field)) => (None, field),
            (None, None) => return Ok(None),
        };
        let owner = parent.map_or(event, |place| &event.fields()[place].schema);
        let schema = &owner.fields()[field].schema;
        Ok(Some(Found {
            name: self.name.as_str().into(),
            schema: like(schema, schema.kind.clone()).optional().build()?.into(),
            parent,
            field,
        }))
    }
}

impl Found {
    /// The field's value in an event; null if the struct around it is.
    pub fn value(&self, event: &[Value]) -> Value {
        let values = match self.parent.map(|place| event.get(place)) {
            None => event,
            Some(Some(Value::Struct(values))) => values,
            Some(_) => return Value::Null,
        };
        values.get(self.field).cloned().unwrap_or_default()
    }
}

/// The struct that has a field which is named alone.
fn parent_of(field: &str) -> Option<&'static str> {
    match field {
        "op" | "ts_ms" | "ts_us" | "ts_ns" => None,
        "id" | "total_order" | "data_collection_order" => Some("transaction"),
        _ => Some("source"),
    }
}

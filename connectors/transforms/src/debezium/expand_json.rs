//! JSON text as a value with a schema that is inferred from it.

use caisson_sdk::api::schema::SchemaBuilder;
use caisson_sdk::prelude::*;
use caisson_sdk::serde_json;

/// What a null becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nulls {
    LeftOut,
    OptionalBytes,
}

/// As many schemas as are remembered, so that equal ones are one.
const CAPACITY: usize = 64;

/// Parses payloads.
#[derive(Debug)]
pub struct Expanded {
    nulls: Nulls,
    known: Vec<SchemaRef>,
}

impl Expanded {
    pub fn new(nulls: Nulls) -> Self {
        Expanded {
            nulls,
            known: Vec::new(),
        }
    }

    /// Schema and value of a payload; `None` if it is no object or array, or has no one schema: it then stays text.
    pub fn parse(&mut self, name: &str, text: &str) -> Option<(SchemaRef, Value)> {
        if !text.starts_with(['{', '[']) {
            return None;
        }
        let json: Json = serde_json::from_str(text).ok()?;
        let schema = self.schema(Some(name), &json)??;
        let value = value(&schema, &json)?;
        let schema = match self.known.iter().find(|known| ***known == schema) {
            Some(known) => known.clone(),
            None => {
                if self.known.len() == CAPACITY {
                    self.known.remove(0);
                }
                let schema: SchemaRef = schema.into();
                self.known.push(schema.clone());
                schema
            }
        };
        Some((schema, value))
    }

    /// The schema of a piece of JSON, if it has one. `None`: it has several, in an array, and so the whole has none.
    fn schema(&self, name: Option<&str>, json: &Json) -> Option<Option<Schema>> {
        let optional = |kind: Kind| Some(Some(Schema::new(kind).into_optional()));
        match json {
            Json::Null => match self.nulls {
                Nulls::LeftOut => Some(None),
                Nulls::OptionalBytes => optional(Kind::Bytes),
            },
            Json::Bool(_) => optional(Kind::Boolean),
            Json::String(_) => optional(Kind::String),
            Json::Number(number) => optional(match number.as_i64() {
                Some(number) if i32::try_from(number).is_ok() => Kind::Int32,
                Some(_) => Kind::Int64,
                None => Kind::Float64,
            }),
            Json::Array(items) => match self.element(name, items)? {
                Some(element) => optional(Kind::Array(element.into())),
                None => Some(None),
            },
            Json::Object(members) => {
                let mut builder = SchemaBuilder::structure().optional();
                if let Some(name) = name {
                    builder = builder.name(name);
                }
                for (field, json) in members {
                    if field.is_empty() {
                        // No field can be called so.
                        return None;
                    }
                    let full = match name {
                        Some(name) if !name.trim().is_empty() => format!("{name}.{field}"),
                        _ => field.clone(),
                    };
                    if let Some(schema) = self.schema(Some(&full), json)? {
                        builder = builder.field(field, schema);
                    }
                }
                Some(Some(builder.build().ok()?))
            }
        }
    }

    /// The one schema of an array's elements: objects may have different fields, anything else has to be of one type.
    fn element(&self, name: Option<&str>, items: &[Json]) -> Option<Option<Schema>> {
        let mut merged: Option<Schema> = None;
        for item in items.iter().filter(|item| !item.is_null()) {
            let found = match item {
                Json::Object(_) => self.schema(name, item)?,
                other => self.schema(None, other)?,
            };
            let Some(schema) = found else { return Some(None) };
            merged = Some(match merged {
                None => schema,
                Some(known) => merge(known, schema)?,
            });
        }
        Some(merged)
    }
}

/// One for both, which the original makes a required one if it is neither.
fn merge(mut known: Schema, other: Schema) -> Option<Schema> {
    if known.kind == other.kind {
        return Some(known);
    }
    known.optional = false;
    let (Kind::Struct(fields), Kind::Struct(more)) = (&mut known.kind, other.kind) else {
        return None;
    };
    for field in more {
        match fields.iter_mut().find(|known| known.name == field.name) {
            None => fields.push(field),
            // What was null so far is something after all.
            Some(known) if known.schema.kind == Kind::Bytes => *known = field,
            Some(_) => {}
        }
    }
    Some(known)
}

/// The value of a piece of JSON under a schema that was inferred from it; `None` if it does not fit after all.
fn value(schema: &Schema, json: &Json) -> Option<Value> {
    Some(match (&schema.kind, json) {
        (_, Json::Null) => Value::Null,
        (Kind::Boolean, Json::Bool(flag)) => Value::Boolean(*flag),
        (Kind::String, Json::String(text)) => Value::from(text.as_str()),
        (Kind::Int32, Json::Number(number)) => Value::Int32(i32::try_from(number.as_i64()?).ok()?),
        (Kind::Int64, Json::Number(number)) => Value::Int64(number.as_i64()?),
        // A whole number beyond 64 bits would lose digits.
        (Kind::Float64, Json::Number(number)) if number.is_f64() => Value::Float64(number.as_f64()?),
        (Kind::Array(element), Json::Array(items)) => {
            let values = items.iter().map(|item| value(element, item));
            Value::Array(values.collect::<Option<_>>()?)
        }
        (Kind::Struct(fields), Json::Object(members)) => {
            let values = fields.iter().map(|field| match members.get(&field.name) {
                Some(json) => value(&field.schema, json),
                None => Some(Value::Null),
            });
            Value::Struct(values.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

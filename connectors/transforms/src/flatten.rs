//! `Flatten`: makes fields of fields fields, with joined names.

use std::marker::PhantomData;

use caisson_sdk::api::schema::{SchemaBuilder, SchemaError};
use caisson_sdk::api::value::{java, unique_keys};
use caisson_sdk::prelude::*;

use crate::cache::SchemaCache;
use crate::fields::{like, structure_like};
use crate::map::key_text;
use crate::side::Side;
use crate::{require, standard};

const PURPOSE: &str = "flattening";

#[derive(Debug)]
pub struct Flatten<S> {
    delimiter: String,
    schemas: SchemaCache<Plan>,
    side: PhantomData<S>,
}

#[derive(Debug)]
struct Plan {
    updated: SchemaRef,
    steps: Vec<Step>,
    leaves: usize,
}

/// What becomes of a field.
#[derive(Debug)]
enum Step {
    Leaf(Null),
    /// Its own fields, and how many fields of the result they are.
    Struct(Vec<Step>, usize),
}

/// What a leaf is in the place of null. Below a struct that is null itself it stays null.
#[derive(Debug)]
enum Null {
    Stays,
    Becomes(Value),
    Fails(SchemaError),
}

impl<S: Side> Transform for Flatten<S> {
    fn plugin() -> Plugin {
        standard::transform_of::<S>(
            "Flatten",
            "Makes fields of fields fields of the whole, with joined names.",
        )
        .key(
            Key::new("delimiter", Type::String)
                .default(".")
                .importance(Importance::Medium)
                .documentation("What stands between the names of outer and inner fields."),
        )
    }

    fn start(settings: &Settings) -> Result<Self, Error> {
        Ok(Flatten {
            // Java joins null as a word.
            delimiter: settings.optional_text("delimiter").unwrap_or("null").to_owned(),
            schemas: SchemaCache::default(),
            side: PhantomData,
        })
    }

    fn apply(&mut self, mut record: Record) -> Result<Option<Record>, Error> {
        let (schema, value) = S::of(&mut record);
        if value.is_null() {
            return Ok(Some(record));
        }
        let delimiter = &self.delimiter;
        match schema {
            None => {
                let entries = std::mem::take(require::map(value, PURPOSE)?);
                let mut flat = Vec::with_capacity(entries.len());
                flatten_map(entries, "", delimiter, &mut flat)?;
                *value = Value::Map(unique_keys(flat));
            }
            Some(schema) => {
                let values = require::structure(value, PURPOSE)?;
                let plan = self
                    .schemas
                    .get_or_try_insert(schema, |schema| Plan::new(schema, delimiter))?;
                let mut flat = Vec::with_capacity(plan.leaves);
                flatten_struct(std::mem::take(values), &plan.steps, &mut flat)?;
                *values = flat;
                *schema = plan.updated.clone();
            }
        }
        Ok(Some(record))
    }
}

fn flatten_struct(values: Vec<Value>, steps: &[Step], flat: &mut Vec<Value>) -> Result<(), Error> {
    for (value, step) in values.into_iter().zip(steps) {
        match (step, value) {
            (Step::Struct(steps, _), Value::Struct(values)) => flatten_struct(values, steps, flat)?,
            (Step::Struct(_, leaves), _) => flat.extend(std::iter::repeat_n(Value::Null, *leaves)),
            (Step::Leaf(Null::Becomes(default)), Value::Null) => flat.push(default.clone()),
            (Step::Leaf(Null::Fails(error)), Value::Null) => return Err(error.clone().into()),
            (Step::Leaf(_), value) => flat.push(value),
        }
    }
    Ok(())
}

fn flatten_map(
    entries: require::Entries,
    prefix: &str,
    delimiter: &str,
    flat: &mut require::Entries,
) -> Result<(), Error> {
    for (key, value) in entries {
        let name = joined(prefix, delimiter, key_text(&key)?);
        let unsupported = |value: &Value| {
            let class = java::class_of(value);
            Error::data(format!(
                "Flatten transformation was passed a value of type {class} which is not supported by Connect's data API"
            ))
        };
        match value {
            Value::Map(entries) => flatten_map(entries, &name, delimiter, flat)?,
            Value::Date(_) | Value::Decimal(_) => return Err(unsupported(&value)),
            Value::Struct(_) => {
                let class = java::class_of(&value);
                return Err(Error::data(format!(
                    "Flatten transformation does not support {class} for record without schemas (for field {name})."
                )));
            }
            Value::Null
            | Value::Boolean(_)
            | Value::Int8(_)
            | Value::Int16(_)
            | Value::Int32(_)
            | Value::Int64(_)
            | Value::Float32(_)
            | Value::Float64(_)
            | Value::String(_)
            | Value::Bytes(_)
            | Value::Array(_) => flat.push((Value::String(name), value)),
        }
    }
    Ok(())
}

fn joined(prefix: &str, delimiter: &str, name: &str) -> String {
    if prefix.is_empty() {
        name.to_owned()
    } else {
        format!("{prefix}{delimiter}{name}")
    }
}

impl Plan {
    fn new(schema: &Schema, delimiter: &str) -> Result<Self, Error> {
        let mut flattener = Flattener {
            delimiter,
            builder: structure_like(schema),
            leaves: 0,
        };
        let steps = flattener.fields(schema, "", schema.optional, schema.default.as_ref())?;
        Ok(Plan {
            updated: flattener.builder.build()?.into(),
            leaves: flattener.leaves,
            steps,
        })
    }
}

struct Flattener<'d> {
    delimiter: &'d str,
    builder: SchemaBuilder,
    leaves: usize,
}

impl Flattener<'_> {
    /// Adds the leaves of a struct. They are optional if something around them is, and have the default that something
    /// around them has for them.
    fn fields(
        &mut self,
        schema: &Schema,
        prefix: &str,
        optional: bool,
        default: Option<&Value>,
    ) -> Result<Vec<Step>, Error> {
        let inherited = |index: usize| match default {
            Some(Value::Struct(values)) => values.get(index).filter(|value| !value.is_null()),
            Some(_) | None => None,
        };
        let mut steps = Vec::with_capacity(schema.fields().len());
        for (index, field) in schema.fields().iter().enumerate() {
            let name = joined(prefix, self.delimiter, &field.name);
            let optional = optional || field.schema.optional;
            let default = field.schema.default.as_ref().or_else(|| inherited(index));
            steps.push(match &field.schema.kind {
                Kind::Struct(_) => {
                    let before = self.leaves;
                    let steps = self.fields(&field.schema, &name, optional, default)?;
                    Step::Struct(steps, self.leaves - before)
                }
                Kind::Map(_, _) => {
                    // What is wrong with an earlier field is told first.
                    std::mem::replace(&mut self.builder, SchemaBuilder::structure()).build()?;
                    let kind = &field.schema.kind;
                    return Err(Error::data(format!(
                        "Flatten transformation does not support {kind} for record with schemas (for field {name})."
                    )));
                }
                _ => self.leaf(&field.schema, name, optional, default)?,
            });
        }
        Ok(steps)
    }

    fn leaf(&mut self, schema: &Schema, name: String, optional: bool, default: Option<&Value>) -> Result<Step, Error> {
        let mut builder = like(schema, schema.kind.clone());
        if optional {
            builder = builder.optional();
        }
        if let Some(default) = default {
            builder = builder.default(default.clone());
        }
        let leaf = builder.build()?;
        // A value is read with the default of its own schema, not with an inherited one.
        let null = match &schema.default {
            Some(default) => Null::Becomes(default.clone()),
            None => leaf
                .validate_field(&name, &Value::Null)
                .err()
                .map_or(Null::Stays, Null::Fails),
        };
        self.leaves += 1;
        let builder = std::mem::replace(&mut self.builder, SchemaBuilder::structure());
        self.builder = builder.field(name, leaf);
        Ok(Step::Leaf(null))
    }
}

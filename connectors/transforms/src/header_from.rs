//! `HeaderFrom`: makes headers of fields, which stay or go.

use std::marker::PhantomData;
use std::sync::Arc;

use caisson_sdk::api::config::{ConfigError, Setting};
use caisson_sdk::api::values::schema_text;
use caisson_sdk::prelude::*;

use crate::cache::SchemaCache;
use crate::fields::{Nulls, structure_like};
use crate::side::Side;
use crate::{map, require, standard};

#[derive(Debug)]
pub struct HeaderFrom<S> {
    fields: Vec<String>,
    headers: Vec<Arc<str>>,
    operation: Operation,
    replace_null_with_default: bool,
    schemas: SchemaCache<Plan>,
    side: PhantomData<S>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Move,
    Copy,
}

#[derive(Debug)]
struct Plan {
    /// Place and schema of the field of each header.
    sources: Vec<(usize, SchemaRef)>,
    /// Defaults for the headers.
    defaults: Vec<Option<Value>>,
    /// What is left of the struct, if fields go.
    rest: Option<Rest>,
}

#[derive(Debug)]
struct Rest {
    schema: SchemaRef,
    keeps: Vec<bool>,
    nulls: Nulls,
}

impl<S: Side> Transform for HeaderFrom<S> {
    fn plugin() -> Plugin {
        let list = |name: &str, documentation: &str| {
            let check = |name: &str, value: &Setting| match value {
                Setting::List(items) if !items.is_empty() => Ok(()),
                _ => Err(ConfigError::invalid(name, value, "Empty list")),
            };
            Key::new(name, Type::List)
                .validator(Validator::code("non-empty list", check))
                .importance(Importance::High)
                .documentation(documentation)
        };
        let operations = Validator::OneOf(vec!["move".into(), "copy".into()]);
        standard::transform_of::<S>("HeaderFrom", "Makes headers of fields.")
            .key(list("fields", "Fields to put into headers, separated by commas."))
            .key(list("headers", "Names of the headers, in the order of the fields."))
            .key(
                Key::new("operation", Type::String)
                    .validator(operations)
                    .importance(Importance::High)
                    .documentation("move takes the fields out of the record, copy leaves them."),
            )
            .key(standard::replace_null_with_default())
            .header_encoding(Encoding::Connect)
    }

    fn start(settings: &Settings) -> Result<Self, Error> {
        let (fields, headers) = (settings.list("fields"), settings.list("headers"));
        if fields.len() != headers.len() {
            return Err(Error::config(
                "'fields' config must have the same number of elements as 'headers' config.",
            ));
        }
        Ok(HeaderFrom {
            fields: fields.to_vec(),
            headers: headers.iter().map(|name| Arc::from(name.as_str())).collect(),
            operation: match settings.text("operation")? {
                "move" => Operation::Move,
                _ => Operation::Copy,
            },
            replace_null_with_default: settings.boolean(standard::REPLACE_NULL_WITH_DEFAULT)?,
            schemas: SchemaCache::default(),
            side: PhantomData,
        })
    }

    fn apply(&mut self, mut record: Record) -> Result<Option<Record>, Error> {
        let mut headers = std::mem::take(&mut record.headers);
        headers.reserve_exact(self.fields.len());
        let (schema, value) = S::of(&mut record);
        match schema {
            None => self.take_from_map(value, &mut headers)?,
            Some(schema) => self.take_from_struct(schema, value, &mut headers)?,
        }
        record.headers = headers;
        Ok(Some(record))
    }
}

impl<S> HeaderFrom<S> {
    fn purpose(&self) -> &'static str {
        match self.operation {
            Operation::Move => "header move",
            Operation::Copy => "header copy",
        }
    }

    fn take_from_map(&self, value: &mut Value, headers: &mut Vec<Header>) -> Result<(), Error> {
        let entries = require::map(value, self.purpose())?;
        // All are read before any is removed: a field may become two headers.
        for (field, name) in self.fields.iter().zip(&self.headers) {
            headers.push(Header {
                name: name.clone(),
                schema: None,
                value: map::get(entries, field).cloned().unwrap_or_default(),
            });
        }
        if self.operation == Operation::Move {
            let moved = |key: &Value| matches!(key, Value::String(key) if self.fields.contains(key));
            entries.retain(|(key, _)| !moved(key));
        }
        Ok(())
    }

    fn take_from_struct(
        &mut self,
        schema: &mut SchemaRef,
        value: &mut Value,
        headers: &mut Vec<Header>,
    ) -> Result<(), Error> {
        let values = require::structure(value, self.purpose())?;
        let (fields, operation, replace) = (&self.fields, self.operation, self.replace_null_with_default);
        let plan = self
            .schemas
            .get_or_try_insert(schema, |schema| Plan::new(schema, fields, operation, replace))?;
        let mut required = None;
        for (((place, schema), default), name) in plan.sources.iter().zip(&plan.defaults).zip(&self.headers) {
            let value = match (&values[*place], default) {
                (Value::Null, Some(default)) => default.clone(),
                (value, _) => value.clone(),
            };
            if value.is_null() && !schema.optional {
                required.get_or_insert(schema);
            }
            headers.push(Header {
                name: name.clone(),
                schema: Some(schema.clone()),
                value,
            });
        }
        if let Some(rest) = &plan.rest {
            let mut keeps = rest.keeps.iter();
            values.retain(|_| keeps.next().is_some_and(|keeps| *keeps));
            rest.nulls.replace(values)?;
            *schema = rest.schema.clone();
        }
        match required {
            None => Ok(()),
            Some(schema) => {
                let schema = schema_text(schema);
                Err(Error::data(format!(
                    "A null value requires an optional schema but was {schema}"
                )))
            }
        }
    }
}

impl Plan {
    fn new(schema: &Schema, names: &[String], operation: Operation, replace: bool) -> Result<Self, Error> {
        let mut sources = Vec::new();
        for name in names {
            let Some(place) = schema.field_index(name) else {
                return Err(
                    Error::data(format!("Field does not exist: {name}")).with_class("java.lang.NullPointerException")
                );
            };
            sources.push((place, schema.fields()[place].schema.clone()));
        }
        let default = |(_, schema): &(usize, SchemaRef)| schema.default.clone().filter(|_| replace);
        Ok(Plan {
            defaults: sources.iter().map(default).collect(),
            rest: match operation {
                Operation::Move => Some(Rest::new(schema, names, replace)?),
                Operation::Copy => None,
            },
            sources,
        })
    }
}

impl Rest {
    fn new(schema: &Schema, moved: &[String], replace: bool) -> Result<Self, Error> {
        let keeps: Vec<bool> = schema
            .fields()
            .iter()
            .map(|field| !moved.contains(&field.name))
            .collect();
        let kept = schema.fields().iter().zip(&keeps).filter(|(_, keeps)| **keeps);
        let builder = kept.fold(structure_like(schema), |builder, (field, _)| {
            builder.field(field.name.clone(), field.schema.clone())
        });
        let updated: SchemaRef = builder.build()?.into();
        Ok(Rest {
            nulls: Nulls::of(&updated, replace),
            schema: updated,
            keeps,
        })
    }
}

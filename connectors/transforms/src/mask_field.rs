//! `MaskField`: empty or fixed values in the place of what fields hold.

use std::marker::PhantomData;

use caisson_sdk::api::value::java;
use caisson_sdk::api::values::{Target, convert_to};
use caisson_sdk::api::{Decimal, Members};
use caisson_sdk::prelude::*;

use crate::cache::SchemaCache;
use crate::fields::Nulls;
use crate::registry::ByMember;
use crate::side::{self, Side};
use crate::{map, require, standard};

const PURPOSE: &str = "mask fields";

#[derive(Debug)]
pub struct MaskField<S> {
    fields: Vec<String>,
    replacement: Option<String>,
    replace_null_with_default: bool,
    schemas: SchemaCache<Plan>,
    side: PhantomData<S>,
}

#[derive(Debug)]
struct Plan {
    /// Places of the fields that are masked.
    masked: Vec<usize>,
    nulls: Nulls,
}

impl<S: Side> Transform for MaskField<S> {
    fn plugin() -> Plugin {
        standard::transform_of::<S>(
            "MaskField",
            "Puts empty or fixed values into the place of what fields hold.",
        )
        .key(
            Key::new("fields", Type::List)
                .validator(standard::entries(false))
                .importance(Importance::High)
                .documentation("Fields to mask, separated by commas."),
        )
        .key(
            Key::new("replacement", Type::String)
                .optional()
                .validator(Validator::NonEmpty)
                .importance(Importance::Low)
                .documentation("What to put in place of a number or text; absent for an empty value of the type."),
        )
        .key(standard::replace_null_with_default())
    }

    fn start(settings: &Settings) -> Result<Self, Error> {
        // A set of Java: its order decides which of two fields that cannot be masked is told.
        let mut fields = settings.list("fields").to_vec();
        java::sort_as_in_hash_map(&mut fields, |field| field);
        Ok(MaskField {
            fields,
            replacement: settings.optional_text("replacement").map(str::to_owned),
            replace_null_with_default: settings.boolean(standard::REPLACE_NULL_WITH_DEFAULT)?,
            schemas: SchemaCache::default(),
            side: PhantomData,
        })
    }

    fn apply(&mut self, mut record: Record) -> Result<Option<Record>, Error> {
        let (schema, value) = S::of(&mut record);
        match schema {
            None => self.mask_members(require::map(value, PURPOSE)?)?,
            Some(schema) => {
                let values = require::structure(value, PURPOSE)?;
                let (fields, replace) = (&self.fields, self.replace_null_with_default);
                let plan = self
                    .schemas
                    .get_or_try_insert(schema, |schema| Ok::<_, Error>(Plan::new(schema, fields, replace)))?;
                plan.nulls.replace(values)?;
                for place in &plan.masked {
                    mask(&mut values[*place], self.replacement.as_deref())?;
                }
            }
        }
        Ok(Some(record))
    }
}

impl<S> MaskField<S> {
    fn mask_members(&self, members: &mut dyn Members) -> Result<(), Error> {
        for field in &self.fields {
            let replacement = self.replacement.as_deref();
            match map::present(members, field) {
                Some(place) if members.is_text(place) => {
                    members.write_text(place, &mut |out| out.push_str(replacement.unwrap_or_default()));
                }
                Some(place) => mask(members.value(place), replacement)?,
                None => {}
            }
        }
        Ok(())
    }
}

impl ByMember for MaskField<side::Value> {
    fn edit(&self, members: &mut dyn Members, _: &Record, _: Origin) -> Result<(), Error> {
        self.mask_members(members)
    }
}

impl Plan {
    fn new(schema: &Schema, names: &[String], replace_null_with_default: bool) -> Self {
        Plan {
            masked: (0..)
                .zip(schema.fields())
                .filter(|(_, field)| names.contains(&field.name))
                .map(|(place, _)| place)
                .collect(),
            nulls: Nulls::of(schema, replace_null_with_default),
        }
    }
}

fn mask(value: &mut Value, replacement: Option<&str>) -> Result<(), Error> {
    if value.is_null() {
        return Ok(());
    }
    match replacement {
        None => empty(value),
        Some(text) => {
            *value = replaced(value, text)?;
            Ok(())
        }
    }
}

/// What stands for nothing in each type.
fn empty(value: &mut Value) -> Result<(), Error> {
    match value {
        Value::Boolean(value) => *value = false,
        Value::Int8(value) => *value = 0,
        Value::Int16(value) => *value = 0,
        Value::Int32(value) => *value = 0,
        Value::Int64(value) | Value::Date(value) => *value = 0,
        Value::Float32(value) => *value = 0.0,
        Value::Float64(value) => *value = 0.0,
        Value::Decimal(value) => *value = Decimal::new(&[0], 0),
        Value::String(text) => text.clear(),
        Value::Array(items) => items.clear(),
        Value::Map(entries) => entries.clear(),
        Value::Null | Value::Bytes(_) | Value::Struct(_) => {
            let class = java::class_of(value);
            return Err(Error::data(format!("Cannot mask value of type: {class}")));
        }
    }
    Ok(())
}

/// The replacement as a value of the type that is masked.
fn replaced(value: &Value, text: &str) -> Result<Value, Error> {
    let target = match value {
        Value::Int8(_) => Target::Int8,
        Value::Int16(_) => Target::Int16,
        Value::Int32(_) => Target::Int32,
        Value::Int64(_) => Target::Int64,
        Value::Float32(_) => Target::Float32,
        Value::Float64(_) => Target::Float64,
        Value::String(_) => return Ok(Value::from(text)),
        Value::Decimal(_) => {
            return java::parse_decimal(text).map(Value::Decimal).ok_or_else(|| {
                Error::data(format!("Unable to convert {text} (class java.lang.String) to number")).caused_by(
                    "java.lang.NumberFormatException",
                    format!("For input string: \"{text}\""),
                )
            });
        }
        Value::Null
        | Value::Boolean(_)
        | Value::Date(_)
        | Value::Bytes(_)
        | Value::Array(_)
        | Value::Map(_)
        | Value::Struct(_) => {
            let class = java::class_of(value);
            return Err(Error::data(format!(
                "Cannot mask value of type {class} with custom replacement."
            )));
        }
    };
    Ok(convert_to(target, None, &Value::from(text))?)
}

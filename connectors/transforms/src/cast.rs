//! `Cast`: the whole, or single fields of it, as another type.

mod spec;
mod value;

use std::marker::PhantomData;

use caisson_sdk::api::Members;
use caisson_sdk::api::schema::SchemaBuilder;
use caisson_sdk::prelude::*;

use crate::cache::SchemaCache;
use crate::fields::{Nulls, like, structure_like};
use crate::registry::ByMember;
use crate::side::{self, Side};
use crate::{map, require, standard};

pub use spec::split;
use spec::{Spec, Target};

const PURPOSE: &str = "cast types";

#[derive(Debug)]
pub struct Cast<S> {
    spec: Spec,
    replace_null_with_default: bool,
    schemas: SchemaCache<Plan>,
    side: PhantomData<S>,
}

/// How values of one schema are cast.
#[derive(Debug)]
struct Plan {
    updated: SchemaRef,
    /// Fields that are cast, by place.
    casts: Vec<(usize, Target)>,
    nulls: Nulls,
}

impl<S: Side> Transform for Cast<S> {
    fn plugin() -> Plugin {
        let documentation = "Type to cast to (int8, int16, int32, int64, float32, float64, boolean, string), or pairs of field and type such as a:int32,b:string for single fields.";
        standard::transform_of::<S>("Cast", "Casts the whole key or value, or fields of it, to other types.")
            .key(
                Key::new("spec", Type::List)
                    .validator(Validator::code(standard::PAIRS, |_, value| spec::check(value)))
                    .importance(Importance::High)
                    .documentation(documentation),
            )
            .key(standard::replace_null_with_default())
    }

    fn start(settings: &Settings) -> Result<Self, Error> {
        Ok(Cast {
            spec: Spec::parse(settings.list("spec"))?,
            replace_null_with_default: settings.boolean(standard::REPLACE_NULL_WITH_DEFAULT)?,
            schemas: SchemaCache::default(),
            side: PhantomData,
        })
    }

    fn apply(&mut self, mut record: Record) -> Result<Option<Record>, Error> {
        let (schema, value) = S::of(&mut record);
        if value.is_null() {
            return Ok(Some(record));
        }
        match schema {
            None => self.cast_schemaless(value)?,
            Some(schema) => {
                let (spec, replace) = (&self.spec, self.replace_null_with_default);
                let plan = self
                    .schemas
                    .get_or_try_insert(schema, |schema| Plan::new(schema, spec, replace))?;
                match &self.spec {
                    Spec::Whole(target) => *value = target.cast(Some(schema), std::mem::take(value))?,
                    Spec::Fields(_) => {
                        let values = require::structure(value, PURPOSE)?;
                        for (place, target) in &plan.casts {
                            let value = &mut values[*place];
                            *value = target.cast(Some(&schema.fields()[*place].schema), std::mem::take(value))?;
                        }
                        plan.nulls.replace(values)?;
                    }
                }
                *schema = plan.updated.clone();
            }
        }
        Ok(Some(record))
    }
}

impl<S> Cast<S> {
    fn cast_schemaless(&self, value: &mut Value) -> Result<(), Error> {
        match &self.spec {
            Spec::Whole(target) => *value = target.cast(None, std::mem::take(value))?,
            Spec::Fields(fields) => cast_members(require::map(value, PURPOSE)?, fields)?,
        }
        Ok(())
    }
}

fn cast_members(members: &mut dyn Members, fields: &[(String, Target)]) -> Result<(), Error> {
    for (field, target) in fields {
        if let Some(place) = map::present(members, field) {
            let value = members.value(place);
            *value = target.cast(None, std::mem::take(value))?;
        }
    }
    Ok(())
}

impl ByMember for Cast<side::Value> {
    fn is_by_member(&self) -> bool {
        matches!(self.spec, Spec::Fields(_))
    }

    fn edit(&self, members: &mut dyn Members, _: &Record, _: Origin) -> Result<(), Error> {
        match &self.spec {
            Spec::Fields(fields) => cast_members(members, fields),
            Spec::Whole(_) => Ok(()),
        }
    }
}

impl Plan {
    fn new(schema: &Schema, spec: &Spec, replace_null_with_default: bool) -> Result<Self, Error> {
        let (builder, casts) = match spec {
            Spec::Whole(target) => (like(schema, target.kind()), Vec::new()),
            Spec::Fields(fields) => cast_fields(schema, fields)?,
        };
        let builder = if schema.optional { builder.optional() } else { builder };
        let builder = match (&schema.default, spec) {
            (None, _) => builder,
            (Some(default), Spec::Whole(target)) => builder.default(target.cast(Some(schema), default.clone())?),
            // A struct is nothing that can be cast.
            (Some(_), Spec::Fields(_)) => return Err(spec::unsupported_input(schema.kind.name())),
        };
        let updated: SchemaRef = builder.build()?.into();
        Ok(Plan {
            nulls: Nulls::of(&updated, replace_null_with_default),
            updated,
            casts,
        })
    }
}

fn cast_fields(schema: &Schema, fields: &[(String, Target)]) -> Result<(SchemaBuilder, Vec<(usize, Target)>), Error> {
    if !matches!(schema.kind, Kind::Struct(_)) {
        return Err(Error::data("Cannot list fields on non-struct type"));
    }
    let mut builder = structure_like(schema);
    let mut casts = Vec::new();
    for (place, field) in schema.fields().iter().enumerate() {
        let Some((_, target)) = fields.iter().find(|(name, _)| *name == field.name) else {
            builder = builder.field(field.name.clone(), field.schema.clone());
            continue;
        };
        casts.push((place, *target));
        let mut cast = SchemaBuilder::new(target.kind());
        if field.schema.optional {
            cast = cast.optional();
        }
        if let Some(default) = &field.schema.default {
            cast = cast.default(target.cast(Some(&field.schema), default.clone())?);
        }
        builder = builder.field(field.name.clone(), cast.build()?);
    }
    Ok((builder, casts))
}

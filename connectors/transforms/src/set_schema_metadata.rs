//! `SetSchemaMetadata`: names a schema, and gives it a version.

use std::marker::PhantomData;

use caisson_sdk::prelude::*;

use crate::cache::SchemaCache;
use crate::fields::Nulls;
use crate::side::Side;
use crate::standard;

#[derive(Debug)]
pub struct SetSchemaMetadata<S> {
    name: Option<String>,
    version: Option<i32>,
    replace_null_with_default: bool,
    schemas: SchemaCache<(SchemaRef, Nulls)>,
    side: PhantomData<S>,
}

impl<S: Side> Transform for SetSchemaMetadata<S> {
    fn plugin() -> Plugin {
        standard::transform_of::<S>("SetSchemaMetadata", "Sets name and version of a struct's schema.")
            .key(
                Key::new("schema.name", Type::String)
                    .optional()
                    .importance(Importance::High)
                    .documentation("Name for the schema."),
            )
            .key(
                Key::new("schema.version", Type::Int)
                    .optional()
                    .importance(Importance::High)
                    .documentation("Version for the schema."),
            )
            .key(standard::replace_null_with_default())
    }

    fn start(settings: &Settings) -> Result<Self, Error> {
        let name = settings.optional_text("schema.name").map(str::to_owned);
        let version = settings.optional_int("schema.version");
        let replace_null_with_default = settings.boolean(standard::REPLACE_NULL_WITH_DEFAULT)?;
        if name.is_none() && version.is_none() {
            return Err(Error::config("Neither schema name nor version configured"));
        }
        Ok(SetSchemaMetadata {
            name,
            version,
            replace_null_with_default,
            schemas: SchemaCache::default(),
            side: PhantomData,
        })
    }

    fn apply(&mut self, mut record: Record) -> Result<Option<Record>, Error> {
        let (schema, value) = S::of(&mut record);
        match schema {
            None if value.is_null() => {}
            None => return Err(Error::data("Schema required for [updating schema metadata]")),
            Some(schema) => {
                let (name, version, replace) = (&self.name, self.version, self.replace_null_with_default);
                let (updated, nulls) = self.schemas.get_or_try_insert(schema, |schema| {
                    // The original lists the fields of any schema.
                    if !matches!(schema.kind, Kind::Struct(_)) {
                        return Err(Error::data("Cannot list fields on non-struct type"));
                    }
                    let updated = Schema {
                        name: name.clone().or_else(|| schema.name.clone()),
                        version: version.or(schema.version),
                        ..Schema::clone(schema)
                    };
                    Ok((SchemaRef::new(updated), Nulls::of(schema, replace)))
                })?;
                if let Value::Struct(values) = value {
                    nulls.replace(values)?;
                }
                *schema = updated.clone();
            }
        }
        Ok(Some(record))
    }
}

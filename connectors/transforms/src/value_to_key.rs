//! `ValueToKey`: makes the key of fields of the value.

use caisson_sdk::api::schema::{Field, SchemaBuilder};
use caisson_sdk::prelude::*;

use crate::cache::SchemaCache;
use crate::fields::Nulls;
use crate::{map, require, standard};

const PURPOSE: &str = "copying fields from value to key";

#[derive(Debug)]
pub struct ValueToKey {
    fields: Vec<String>,
    replace_null_with_default: bool,
    schemas: SchemaCache<Plan>,
}

/// How the key comes out of a struct.
#[derive(Debug)]
struct Plan {
    schema: SchemaRef,
    /// Places of the fields in the value.
    places: Vec<usize>,
    nulls: Nulls,
}

impl Transform for ValueToKey {
    fn plugin() -> Plugin {
        standard::transform("ValueToKey", "Makes a new key of fields of the value.")
            .key(
                Key::new("fields", Type::List)
                    .validator(standard::entries(false))
                    .importance(Importance::High)
                    .documentation("Fields of the value that make the new key, separated by commas."),
            )
            .key(standard::replace_null_with_default())
            .key_encoding(Encoding::Connect)
            .value_encoding(Encoding::Connect)
    }

    fn start(settings: &Settings) -> Result<Self, Error> {
        Ok(ValueToKey {
            fields: settings.list("fields").to_vec(),
            replace_null_with_default: settings.boolean(standard::REPLACE_NULL_WITH_DEFAULT)?,
            schemas: SchemaCache::default(),
        })
    }

    fn apply(&mut self, mut record: Record) -> Result<Option<Record>, Error> {
        match &record.value_schema {
            None => {
                let entries = require::map(&mut record.value, PURPOSE)?;
                let entry = |field: &String| {
                    let value = map::get(entries, field).cloned().unwrap_or_default();
                    (Value::from(field.as_str()), value)
                };
                record.key = Value::Map(self.fields.iter().map(entry).collect());
                record.key_schema = None;
            }
            Some(schema) => {
                let values = require::structure(&mut record.value, PURPOSE)?;
                let (fields, replace) = (&self.fields, self.replace_null_with_default);
                let plan = self
                    .schemas
                    .get_or_try_insert(schema, |schema| Plan::new(schema, fields, replace))?;
                let mut key: Vec<Value> = plan.places.iter().map(|place| values[*place].clone()).collect();
                plan.nulls.replace(&mut key)?;
                record.key = Value::Struct(key);
                record.key_schema = Some(plan.schema.clone());
            }
        }
        Ok(Some(record))
    }
}

impl Plan {
    fn new(schema: &Schema, names: &[String], replace_null_with_default: bool) -> Result<Self, Error> {
        let mut builder = SchemaBuilder::structure();
        let mut places = Vec::new();
        for name in names {
            let Some(place) = schema.field_index(name) else {
                return Err(Error::data(format!("Field does not exist: {name}")));
            };
            builder = builder.field(name.clone(), schema.fields()[place].schema.clone());
            places.push(place);
        }
        let fields: Vec<&Field> = places.iter().map(|place| &schema.fields()[*place]).collect();
        Ok(Plan {
            schema: builder.build()?.into(),
            nulls: Nulls::of_fields(fields, replace_null_with_default),
            places,
        })
    }
}

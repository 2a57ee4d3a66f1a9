//! `HoistField`: puts the whole into a field of a new struct or map.

use std::marker::PhantomData;

use caisson_sdk::prelude::*;

use crate::cache::SchemaCache;
use crate::side::Side;
use crate::standard;

#[derive(Debug)]
pub struct HoistField<S> {
    /// Null is a key of a map, though no name of a field.
    field: Option<String>,
    schemas: SchemaCache<SchemaRef>,
    side: PhantomData<S>,
}

impl<S: Side> Transform for HoistField<S> {
    fn plugin() -> Plugin {
        standard::transform_of::<S>(
            "HoistField",
            "Puts the whole key or value into a field of a new struct or map.",
        )
        .key(
            Key::new("field", Type::String)
                .importance(Importance::Medium)
                .documentation("Name of the only field of the struct or map that the whole becomes."),
        )
    }

    fn start(settings: &Settings) -> Result<Self, Error> {
        Ok(HoistField {
            field: settings.optional_text("field").map(str::to_owned),
            schemas: SchemaCache::default(),
            side: PhantomData,
        })
    }

    fn apply(&mut self, mut record: Record) -> Result<Option<Record>, Error> {
        let (schema, value) = S::of(&mut record);
        let whole = std::mem::take(value);
        match schema {
            None => *value = Value::Map(vec![(Value::from(self.field.clone()), whole)]),
            Some(inner) => {
                let field = &self.field;
                let hoisted = self.schemas.get_or_try_insert(inner, |inner| {
                    let name = field.clone().unwrap_or_default();
                    let built = caisson_sdk::api::schema::SchemaBuilder::structure().field(name, inner.clone());
                    Ok::<_, Error>(SchemaRef::new(built.build()?))
                })?;
                *schema = Some(hoisted.clone());
                *value = Value::Struct(vec![whole]);
            }
        }
        Ok(Some(record))
    }
}

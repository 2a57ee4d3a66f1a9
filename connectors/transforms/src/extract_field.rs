//! `ExtractField`: puts a field into the place of the whole.

use std::marker::PhantomData;

use caisson_sdk::prelude::*;

use crate::cache::SchemaCache;
use crate::field_path::{FieldPath, Place};
use crate::side::Side;
use crate::{require, standard};

const PURPOSE: &str = "field extraction";

#[derive(Debug)]
pub struct ExtractField<S> {
    text: String,
    path: FieldPath,
    replace_null_with_default: bool,
    schemas: SchemaCache<Place>,
    side: PhantomData<S>,
}

impl<S: Side> Transform for ExtractField<S> {
    fn plugin() -> Plugin {
        standard::transform_of::<S>("ExtractField", "Puts a field into the place of the whole key or value.")
            .key(
                Key::new("field", Type::String)
                    .importance(Importance::Medium)
                    .documentation("Name or, with field.syntax.version V2, path of the field."),
            )
            .key(standard::replace_null_with_default())
            .key(
                Key::new("field.syntax.version", Type::String)
                    .default("V1")
                    .validator(Validator::OneOfIgnoringCase(vec!["V1".into(), "V2".into()]))
                    .importance(Importance::High)
                    .documentation(
                        "V1: a field is its plain name. V2: dots lead into fields of fields; names with dots stand in backticks.",
                    ),
            )
    }

    fn start(settings: &Settings) -> Result<Self, Error> {
        let text = settings.text("field")?.to_owned();
        Ok(ExtractField {
            path: FieldPath::parse(&text, settings.text("field.syntax.version")?)?,
            text,
            replace_null_with_default: settings.boolean(standard::REPLACE_NULL_WITH_DEFAULT)?,
            schemas: SchemaCache::default(),
            side: PhantomData,
        })
    }

    fn apply(&mut self, mut record: Record) -> Result<Option<Record>, Error> {
        let (schema, value) = S::of(&mut record);
        match schema {
            None => {
                if !value.is_null() {
                    require::map(value, PURPOSE)?;
                    *value = self.path.take_from(std::mem::take(value))?;
                }
            }
            Some(schema) => {
                if !value.is_null() {
                    require::structure(value, PURPOSE)?;
                }
                let (path, text) = (&self.path, &self.text);
                let place = self.schemas.get_or_try_insert(schema, |schema| {
                    path.find(schema)?.ok_or_else(|| {
                        Error::data(format!("Unknown field: {text}")).with_class("java.lang.IllegalArgumentException")
                    })
                })?;
                let whole = std::mem::take(value);
                if !whole.is_null() {
                    *value = place.take_from(whole, self.replace_null_with_default);
                }
                *schema = place.schema.clone();
            }
        }
        Ok(Some(record))
    }
}

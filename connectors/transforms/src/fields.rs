//! Moving values from struct to struct (`Struct.get`, `Struct.put`), and building the schema of the new one.

use caisson_sdk::api::schema::{SchemaBuilder, SchemaError};
use caisson_sdk::prelude::*;

/// What a field becomes in a new struct if it is null: nothing is to be said of fields that may be.
#[derive(Debug)]
pub struct Nulls {
    rules: Vec<(usize, Null)>,
}

#[derive(Debug)]
enum Null {
    Becomes(Value),
    Fails(SchemaError),
}

impl Nulls {
    /// For all fields of a struct.
    pub fn of(schema: &Schema, replace_null_with_default: bool) -> Self {
        Self::of_fields(schema.fields(), replace_null_with_default)
    }

    /// For fields in the order in which their values come.
    pub fn of_fields<'f>(
        fields: impl IntoIterator<Item = &'f caisson_sdk::api::schema::Field>,
        replace_null_with_default: bool,
    ) -> Self {
        let rule = |field: &caisson_sdk::api::schema::Field| match &field.schema.default {
            Some(default) if replace_null_with_default => Some(Null::Becomes(default.clone())),
            Some(_) | None => field
                .schema
                .validate_field(&field.name, &Value::Null)
                .err()
                .map(Null::Fails),
        };
        let rules = fields
            .into_iter()
            .enumerate()
            .filter_map(|(index, field)| Some((index, rule(field)?)));
        Nulls { rules: rules.collect() }
    }

    /// Puts defaults into the places of nulls.
    pub fn replace(&self, values: &mut [Value]) -> Result<(), Error> {
        for (index, rule) in &self.rules {
            match (values.get_mut(*index), rule) {
                (Some(value), Null::Becomes(default)) if value.is_null() => *value = default.clone(),
                (Some(value), Null::Fails(error)) if value.is_null() => return Err(error.clone().into()),
                (Some(_) | None, Null::Becomes(_) | Null::Fails(_)) => {}
            }
        }
        Ok(())
    }
}

/// A struct without fields that has what a schema says besides its type, but neither its default nor whether it is
/// optional (`SchemaUtil.copySchemaBasics`).
pub fn structure_like(schema: &Schema) -> SchemaBuilder {
    like(schema, Kind::Struct(Vec::new()))
}

/// As [`structure_like`], of any type.
pub fn like(schema: &Schema, kind: Kind) -> SchemaBuilder {
    SchemaBuilder::from(Schema {
        name: schema.name.clone(),
        version: schema.version,
        doc: schema.doc.clone(),
        parameters: schema.parameters.clone(),
        ..Schema::new(kind)
    })
}

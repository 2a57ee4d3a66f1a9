//! Building schemas (`org.apache.kafka.connect.data.SchemaBuilder`).

use std::collections::HashSet;

use super::{Field, Kind, Schema, SchemaError, SchemaRef};
use crate::value::Value;

/// Builds a schema step by step. The first mistake is kept and returned by [`SchemaBuilder::build`].
#[derive(Clone, Debug)]
pub struct SchemaBuilder {
    schema: Schema,
    names: HashSet<String>,
    error: Option<SchemaError>,
}

impl SchemaBuilder {
    pub fn new(kind: Kind) -> Self {
        let mut builder = Self::from(Schema::new(Kind::Struct(Vec::new())));
        match kind {
            Kind::Struct(fields) => fields
                .into_iter()
                .fold(builder, |b, field| b.field(field.name, field.schema)),
            kind => {
                builder.schema.kind = kind;
                builder
            }
        }
    }

    /// A struct without fields yet.
    pub fn structure() -> Self {
        Self::new(Kind::Struct(Vec::new()))
    }

    pub fn array(element: impl Into<SchemaRef>) -> Self {
        Self::new(Kind::Array(element.into()))
    }

    pub fn map(key: impl Into<SchemaRef>, value: impl Into<SchemaRef>) -> Self {
        Self::new(Kind::Map(key.into(), value.into()))
    }

    pub fn optional(mut self) -> Self {
        self.schema.optional = true;
        self
    }

    pub fn required(mut self) -> Self {
        self.schema.optional = false;
        self
    }

    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.once(self.schema.name.is_some(), "name");
        self.schema.name = Some(name.into());
        self
    }

    pub fn version(mut self, version: i32) -> Self {
        self.once(self.schema.version.is_some(), "version");
        self.schema.version = Some(version);
        self
    }

    pub fn doc(mut self, doc: impl Into<String>) -> Self {
        self.once(self.schema.doc.is_some(), "doc");
        self.schema.doc = Some(doc.into());
        self
    }

    /// Adds a parameter, or replaces it.
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        let parameters = self.schema.parameters.get_or_insert_default();
        match parameters.iter_mut().find(|(key, _)| *key == name) {
            Some((_, old)) => *old = value,
            None => parameters.push((name, value)),
        }
        self
    }

    /// Sets the default, which has to fit the schema as it is in the end.
    pub fn default(mut self, value: Value) -> Self {
        self.once(self.schema.default.is_some(), "defaultValue");
        self.schema.default = Some(value);
        self
    }

    /// Adds a field to a struct.
    pub fn field(mut self, name: impl Into<String>, schema: impl Into<SchemaRef>) -> Self {
        let name = name.into();
        match &mut self.schema.kind {
            Kind::Struct(_) if name.is_empty() => self.fail("fieldName cannot be null.".into()),
            Kind::Struct(_) if !self.names.insert(name.clone()) => {
                self.fail(format!("Cannot create field because of field name duplication {name}"));
            }
            Kind::Struct(fields) => fields.push(Field {
                name,
                schema: schema.into(),
            }),
            kind => {
                let text = format!("Cannot create fields on type {kind}");
                self.fail(text);
            }
        }
        self
    }

    fn once(&mut self, set: bool, what: &str) {
        if set {
            self.fail(format!("Invalid SchemaBuilder call: {what} has already been set."));
        }
    }

    fn fail(&mut self, text: String) {
        self.error.get_or_insert(SchemaError::Builder(text));
    }

    pub fn build(self) -> Result<Schema, SchemaError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let mut schema = self.schema;
        // A null default is no default. The check is against the schema without it, as null would pass otherwise.
        match schema.default.take().filter(|value| !value.is_null()) {
            Some(value) => {
                schema
                    .validate(&value)
                    .map_err(|error| SchemaError::Default(error.into()))?;
                schema.default = Some(value);
            }
            None => schema.default = None,
        }
        Ok(schema)
    }
}

impl From<Schema> for SchemaBuilder {
    fn from(schema: Schema) -> Self {
        let names = schema.fields().iter().map(|field| field.name.clone()).collect();
        SchemaBuilder {
            schema,
            names,
            error: None,
        }
    }
}

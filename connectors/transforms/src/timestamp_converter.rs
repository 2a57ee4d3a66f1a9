//! `TimestampConverter`: a time in another form: text, number, or one of the logical types.

mod form;

use std::marker::PhantomData;

use caisson_sdk::api::Members;
use caisson_sdk::api::schema::Field;
use caisson_sdk::api::values::schema_text;
use caisson_sdk::prelude::*;

use crate::cache::SchemaCache;
use crate::date_format::DateFormat;
use crate::fields::{Nulls, structure_like};
use crate::registry::ByMember;
use crate::side::{self, Side};
use crate::{require, standard};

use form::{Conversion, Form, Precision};

const PURPOSE: &str = "converting timestamp formats";

#[derive(Debug)]
pub struct TimestampConverter<S> {
    /// Null is a mistake that the original notices with the first record.
    field: Option<String>,
    conversion: Conversion,
    replace_null_with_default: bool,
    schemas: SchemaCache<Plan>,
    side: PhantomData<S>,
}

/// How values of one schema are converted.
#[derive(Debug)]
enum Plan {
    Whole(SchemaRef, Form),
    Fields(SchemaRef, FieldPlan),
}

#[derive(Debug)]
struct FieldPlan {
    /// Place of the field, if it is there, and what it holds. A schema that is no time matters only if there is a value.
    field: Option<(usize, Result<Form, Error>, Option<Value>)>,
    nulls: Nulls,
}

impl<S: Side> Transform for TimestampConverter<S> {
    fn plugin() -> Plugin {
        let text = |name: &str, importance, documentation: &str| {
            Key::new(name, Type::String)
                .importance(importance)
                .documentation(documentation)
        };
        let one_of = |words: &[&str]| Validator::OneOf(words.iter().map(|word| (*word).to_owned()).collect());
        standard::transform_of::<S>(
            "TimestampConverter",
            "Converts a time between texts, numbers and logical types.",
        )
        .key(
            text(
                "field",
                Importance::High,
                "Field with the timestamp; empty if the whole is one.",
            )
            .default(""),
        )
        .key(
            text(
                "target.type",
                Importance::High,
                "What it becomes: string, unix, Date, Time or Timestamp.",
            )
            .validator(one_of(&Form::ALL.map(Form::name))),
        )
        .key(
            text(
                "format",
                Importance::Medium,
                "Pattern of Java's SimpleDateFormat for times that are text, read or written.",
            )
            .default(""),
        )
        .key(
            text(
                "unix.precision",
                Importance::Low,
                "Unit of times that are numbers, read or written.",
            )
            .default(Precision::Milliseconds.name())
            .validator(one_of(&Precision::ALL.map(Precision::name))),
        )
        .key(standard::replace_null_with_default())
    }

    fn start(settings: &Settings) -> Result<Self, Error> {
        let target = Form::of_name(settings.text("target.type")?);
        let pattern = settings.optional_text("format").filter(|text| !text.trim().is_empty());
        let replace_null_with_default = settings.boolean(standard::REPLACE_NULL_WITH_DEFAULT)?;
        if target == Form::Text && pattern.is_none() {
            return Err(Error::config(
                "TimestampConverter requires format option to be specified when using string timestamps",
            ));
        }
        let format = pattern.map(|pattern| {
            DateFormat::new(pattern).map_err(|error| {
                Error::config(format!(
                    "Invalid value java.lang.IllegalArgumentException: {error} for configuration TimestampConverter requires a SimpleDateFormat-compatible pattern for string timestamps: {pattern}"
                ))
            })
        });
        Ok(TimestampConverter {
            field: settings.optional_text("field").map(str::to_owned),
            conversion: Conversion {
                target,
                format: format.transpose()?,
                precision: Precision::of_name(settings.text("unix.precision")?),
            },
            replace_null_with_default,
            schemas: SchemaCache::default(),
            side: PhantomData,
        })
    }

    fn apply(&mut self, mut record: Record) -> Result<Option<Record>, Error> {
        let (schema, value) = S::of(&mut record);
        let Some(field) = self.field.as_deref() else {
            return Err(Error::data("no field is configured").with_class("java.lang.NullPointerException"));
        };
        let conversion = &self.conversion;
        match schema {
            None if field.is_empty() || value.is_null() => conversion.convert_any(value)?,
            None => conversion.convert_member(require::map(value, PURPOSE)?, field)?,
            Some(schema) => {
                if !field.is_empty() && !value.is_null() {
                    require::structure(value, PURPOSE)?;
                }
                let replace = self.replace_null_with_default;
                let plan = self
                    .schemas
                    .get_or_try_insert(schema, |schema| Plan::new(schema, field, conversion, replace))?;
                match (plan, &mut *value) {
                    (Plan::Whole(_, form), value) => conversion.convert(*form, value)?,
                    (Plan::Fields(_, plan), Value::Struct(values)) => plan.convert(values, conversion)?,
                    (Plan::Fields(..), _) => {}
                }
                let (Plan::Whole(updated, _) | Plan::Fields(updated, _)) = plan;
                *schema = updated.clone();
            }
        }
        Ok(Some(record))
    }
}

impl ByMember for TimestampConverter<side::Value> {
    fn is_by_member(&self) -> bool {
        self.field.as_deref().is_some_and(|field| !field.is_empty())
    }

    fn edit(&self, members: &mut dyn Members, _: &Record, _: Origin) -> Result<(), Error> {
        self.conversion
            .convert_member(members, self.field.as_deref().unwrap_or_default())
    }
}

impl Plan {
    fn new(
        schema: &Schema,
        field: &str,
        conversion: &Conversion,
        replace_null_with_default: bool,
    ) -> Result<Self, Error> {
        if field.is_empty() {
            let updated = conversion.target.schema(schema.optional);
            return Ok(Plan::Whole(updated.into(), form_of(schema)?));
        }
        if !matches!(schema.kind, Kind::Struct(_)) {
            return Err(Error::data("Cannot list fields on non-struct type"));
        }
        let mut builder = structure_like(schema);
        for Field { name, schema } in schema.fields() {
            builder = if name == field {
                builder.field(name.clone(), conversion.target.schema(schema.optional))
            } else {
                builder.field(name.clone(), schema.clone())
            };
        }
        if schema.optional {
            builder = builder.optional();
        }
        let plan = FieldPlan::new(schema, field, conversion, replace_null_with_default);
        if let Some(Value::Struct(values)) = &schema.default {
            let mut values = values.clone();
            plan.convert(&mut values, conversion)?;
            builder = builder.default(Value::Struct(values));
        }
        Ok(Plan::Fields(builder.build()?.into(), plan))
    }
}

impl FieldPlan {
    fn new(schema: &Schema, field: &str, conversion: &Conversion, replace_null_with_default: bool) -> Self {
        let default = |schema: &Schema| schema.default.clone().filter(|_| replace_null_with_default);
        let found = schema.field_index(field).map(|place| {
            let schema = &schema.fields()[place].schema;
            (place, form_of(schema), default(schema))
        });
        // A null of the field itself is looked at before it is converted, and then by its new schema.
        let mut fields = schema.fields().to_vec();
        if let Some((place, _, _)) = &found {
            let converted = conversion.target.schema(fields[*place].schema.optional);
            fields[*place].schema = converted.into();
        }
        FieldPlan {
            field: found,
            nulls: Nulls::of_fields(&fields, replace_null_with_default),
        }
    }

    fn convert(&self, values: &mut [Value], conversion: &Conversion) -> Result<(), Error> {
        if let Some((place, form, default)) = &self.field {
            let value = &mut values[*place];
            if let (Value::Null, Some(default)) = (&*value, default) {
                *value = default.clone();
            }
            conversion.convert(form.clone()?, value)?;
        }
        self.nulls.replace(values)
    }
}

/// What times of a schema look like.
fn form_of(schema: &Schema) -> Result<Form, Error> {
    Form::of_schema(schema).ok_or_else(|| {
        let schema = schema_text(schema);
        Error::data(format!(
            "Schema {schema} does not correspond to a known timestamp type format"
        ))
        .with_class("org.apache.kafka.connect.errors.ConnectException")
    })
}

//! `InsertField`: adds what is known of a record, or a fixed text, to its key or value.

use std::marker::PhantomData;

use caisson_sdk::api::Members;
use caisson_sdk::prelude::*;

use crate::cache::SchemaCache;
use crate::fields::{Nulls, structure_like};
use crate::registry::ByMember;
use crate::side::{self, Side};
use crate::{map, require, standard};

const PURPOSE: &str = "field insertion";

#[derive(Debug)]
pub struct InsertField<S> {
    insertions: Vec<Insertion>,
    replace_null_with_default: bool,
    schemas: SchemaCache<(SchemaRef, Nulls)>,
    side: PhantomData<S>,
}

#[derive(Debug)]
struct Insertion {
    field: String,
    optional: bool,
    what: What,
}

#[derive(Debug)]
enum What {
    Topic,
    Partition,
    Offset,
    Timestamp,
    Text(String),
}

impl<S: Side> Transform for InsertField<S> {
    fn plugin() -> Plugin {
        let field = |name: &str, documentation: &str| {
            Key::new(name, Type::String)
                .optional()
                .importance(Importance::Medium)
                .documentation(documentation)
        };
        let topic = "Field for the topic. A ! behind the name makes it required, a ? optional, which is the default; so for all of these.";
        standard::transform_of::<S>(
            "InsertField",
            "Adds what is known of a record, or a fixed text, as fields.",
        )
        .key(field("topic.field", topic))
        .key(field("partition.field", "Field for the partition."))
        .key(field("offset.field", "Field for the offset; of sinks only."))
        .key(field("timestamp.field", "Field for the timestamp."))
        .key(field("static.field", "Field for a fixed value."))
        .key(field("static.value", "The fixed value."))
        .key(standard::replace_null_with_default())
    }

    fn start(settings: &Settings) -> Result<Self, Error> {
        let kinds = [
            ("topic.field", What::Topic),
            ("partition.field", What::Partition),
            ("offset.field", What::Offset),
            ("timestamp.field", What::Timestamp),
        ];
        let text = settings.optional_text("static.value");
        let fixed = ("static.field", What::Text(text.unwrap_or_default().to_owned()));
        let insertions: Vec<_> = kinds
            .into_iter()
            .chain([fixed])
            .filter_map(|(key, what)| Some(Insertion::parse(settings.optional_text(key)?, what)))
            .collect();
        let replace_null_with_default = settings.boolean(standard::REPLACE_NULL_WITH_DEFAULT)?;
        if insertions.is_empty() {
            return Err(Error::config("No field insertion configured"));
        }
        if let (Some(spec), None) = (settings.optional_text("static.field"), text) {
            // Java says where the object of the specification lies.
            let identity = format!("{:x}", spec.len());
            return Err(Error::config(format!(
                "Invalid value null for configuration static.value: No value specified for static field: org.apache.kafka.connect.transforms.InsertField$InsertionSpec@{identity}"
            )));
        }
        Ok(InsertField {
            insertions,
            replace_null_with_default,
            schemas: SchemaCache::default(),
            side: PhantomData,
        })
    }

    fn apply_from(&mut self, mut record: Record, origin: Origin) -> Result<Option<Record>, Error> {
        let (topic, partition, timestamp) = (record.topic.clone(), record.partition, record.timestamp);
        let known = Known {
            topic: &topic,
            partition,
            timestamp,
            origin,
        };
        let (schema, value) = S::of(&mut record);
        if value.is_null() {
            return Ok(Some(record));
        }
        match schema {
            None => self.insert_members(require::map(value, PURPOSE)?, &known)?,
            Some(schema) => {
                let values = require::structure(value, PURPOSE)?;
                let (insertions, replace) = (&self.insertions, self.replace_null_with_default);
                let (updated, nulls) = self
                    .schemas
                    .get_or_try_insert(schema, |schema| extended(schema, insertions, replace))?;
                nulls.replace(values)?;
                values.reserve_exact(insertions.len());
                for insertion in insertions {
                    values.push(insertion.what.value(&known, Value::Date)?.unwrap_or_default());
                }
                *schema = updated.clone();
            }
        }
        Ok(Some(record))
    }
}

impl<S> InsertField<S> {
    fn insert_members(&self, members: &mut dyn Members, known: &Known<'_>) -> Result<(), Error> {
        for Insertion { field, what, .. } in &self.insertions {
            if let Some(text) = what.text(known) {
                map::put_text(members, field, text);
            } else if let Some(value) = what.value(known, Value::Int64)? {
                map::put(members, field, value);
            }
        }
        Ok(())
    }
}

impl ByMember for InsertField<side::Value> {
    fn edit(&self, members: &mut dyn Members, record: &Record, origin: Origin) -> Result<(), Error> {
        let known = Known {
            topic: &record.topic,
            partition: record.partition,
            timestamp: record.timestamp,
            origin,
        };
        self.insert_members(members, &known)
    }
}

/// The schema with the new fields behind its own.
fn extended(schema: &SchemaRef, insertions: &[Insertion], replace: bool) -> Result<(SchemaRef, Nulls), Error> {
    let fields = schema.fields().iter();
    let builder = fields.fold(structure_like(schema), |builder, field| {
        builder.field(field.name.clone(), field.schema.clone())
    });
    let builder = insertions.iter().fold(builder, |builder, insertion| {
        builder.field(insertion.field.clone(), insertion.schema())
    });
    Ok((builder.build()?.into(), Nulls::of(schema, replace)))
}

/// What can be inserted.
struct Known<'r> {
    topic: &'r str,
    partition: Option<i32>,
    timestamp: Option<i64>,
    origin: Origin,
}

impl Insertion {
    fn parse(spec: &str, what: What) -> Self {
        let (field, optional) = match (spec.strip_suffix('?'), spec.strip_suffix('!')) {
            (Some(field), _) => (field, true),
            (None, Some(field)) => (field, false),
            (None, None) => (spec, true),
        };
        Insertion {
            field: field.to_owned(),
            optional,
            what,
        }
    }

    fn schema(&self) -> Schema {
        let schema = match &self.what {
            What::Topic | What::Text(_) => Schema::new(Kind::String),
            What::Partition => Schema::new(Kind::Int32),
            What::Offset => Schema::new(Kind::Int64),
            What::Timestamp => Schema::timestamp(),
        };
        Schema {
            optional: self.optional,
            ..schema
        }
    }
}

impl What {
    /// The value for the field where it is a text.
    fn text<'k>(&'k self, known: &Known<'k>) -> Option<&'k str> {
        match self {
            What::Topic => Some(known.topic),
            What::Text(text) => Some(text),
            What::Partition | What::Offset | What::Timestamp => None,
        }
    }

    /// The value for the field; `None` where the record has none.
    fn value(&self, known: &Known<'_>, time: fn(i64) -> Value) -> Result<Option<Value>, Error> {
        Ok(match self {
            What::Topic | What::Text(_) => self.text(known).map(Value::from),
            What::Partition => known.partition.map(Value::Int32),
            What::Timestamp => known.timestamp.map(time),
            What::Offset => match known.origin {
                Origin::Sink { offset, .. } => Some(Value::Int64(offset)),
                Origin::Source => {
                    return Err(Error::data(format!(
                        "Only SinkRecord supported for [{PURPOSE}], found: org.apache.kafka.connect.source.SourceRecord"
                    )));
                }
            },
        })
    }
}

//! `ByLogicalTableRouter`: changes of many tables into one topic, with the table told apart in the key.

use std::sync::Arc;

use caisson_sdk::api::schema::SchemaBuilder;
use caisson_sdk::prelude::*;

use crate::cache::SchemaCache;
use crate::regex::{JavaRegex, Replacement};
use crate::regex_router::{replaced, valid_regex};
use crate::topics::Topics;

use super::{envelope, flag, given, optional, transform};

#[derive(Debug)]
pub struct ByLogicalTableRouter {
    topic: Renaming,
    /// What the key's new field has; `None`: the old topic.
    identifier: Option<Renaming>,
    /// The key's new field; `None`: keys stay unique by themselves.
    key_field: Option<String>,
    adjusted: bool,
    topics: Topics<Option<Route>>,
    keys: SchemaCache<SchemaRef>,
    events: SchemaCache<SchemaRef>,
}

#[derive(Debug)]
struct Renaming {
    regex: JavaRegex,
    replacement: Replacement,
}

/// Where records of a topic go.
#[derive(Clone, Debug)]
struct Route {
    topic: Arc<str>,
    identifier: Arc<str>,
}

impl Transform for ByLogicalTableRouter {
    fn plugin() -> Plugin {
        let required = |name: &str, documentation: &str| {
            Key::new(name, Type::String)
                .importance(Importance::Low)
                .documentation(documentation)
        };
        transform("ByLogicalTableRouter", "Brings changes of many tables into one topic.")
            .alias("ByLogicalTableRouter")
            .key(
                required("topic.regex", "Regular expression that a whole topic has to match.").validator(valid_regex()),
            )
            .key(required(
                "topic.replacement",
                "The new topic; $1 and so on stand for groups of the expression.",
            ))
            .key(flag(
                "key.enforce.uniqueness",
                "true",
                "Whether keys get a field that says which table they are of.",
            ))
            .key(
                Key::new("key.field.name", Type::String)
                    .default("__dbz__physicalTableIdentifier")
                    .importance(Importance::Low)
                    .documentation("The name of that field."),
            )
            .key(optional(
                "key.field.regex",
                "Regular expression that finds the table in the old topic.",
            ))
            .key(optional(
                "key.field.replacement",
                "What the field has; without it the old topic.",
            ))
            .key(
                Key::new("schema.name.adjustment.mode", Type::String)
                    .default("none")
                    .validator(Validator::OneOfIgnoringCase(vec!["none".into(), "avro".into()]))
                    .importance(Importance::Low)
                    .documentation(
                        "How names of schemas are made fit: none, or avro, which puts _ for what Avro does not take.",
                    ),
            )
            .key(
                Key::new("logical.table.cache.size", Type::Int)
                    .default("16")
                    .importance(Importance::Low)
                    .documentation("Has no effect: what is worked out about schemas and topics is kept in any case."),
            )
    }

    fn start(settings: &Settings) -> Result<Self, Error> {
        let identifier = match (
            given(settings, "key.field.regex"),
            given(settings, "key.field.replacement"),
        ) {
            (Some(_), None) => {
                return Err(Error::config(
                    "key.field.replacement must be non-empty if key.field.regex is set.",
                ));
            }
            (Some(regex), Some(replacement)) => Some(Renaming::new(&regex, &replacement)?),
            (None, _) => None,
        };
        let key_field = settings.text("key.field.name")?.to_owned();
        Ok(ByLogicalTableRouter {
            topic: Renaming::new(settings.text("topic.regex")?, settings.text("topic.replacement")?)?,
            identifier,
            key_field: settings.boolean("key.enforce.uniqueness")?.then_some(key_field),
            adjusted: settings
                .text("schema.name.adjustment.mode")?
                .eq_ignore_ascii_case("avro"),
            topics: Topics::default(),
            keys: SchemaCache::default(),
            events: SchemaCache::default(),
        })
    }

    fn apply(&mut self, mut record: Record) -> Result<Option<Record>, Error> {
        let (topic, identifier) = (&self.topic, self.identifier.as_ref());
        let route = self
            .topics
            .get_or_try_insert(&record.topic, |old| route(topic, identifier, old))?;
        let Some(route) = route.clone() else {
            return Ok(Some(record));
        };
        self.key(&mut record, &route)?;
        if let Some(schema) = envelope::schema_of(&record) {
            let adjusted = self.adjusted;
            let schema = self
                .events
                .get_or_try_insert(schema, |schema| event_schema(schema, &route.topic, adjusted))?;
            record.value_schema = Some(schema.clone());
        }
        record.topic = route.topic;
        Ok(Some(record))
    }
}

impl ByLogicalTableRouter {
    /// Renames the key's schema, and tells the table in it.
    fn key(&mut self, record: &mut Record, route: &Route) -> Result<(), Error> {
        let (Some(schema), Value::Struct(values)) = (&record.key_schema, &mut record.key) else {
            return match record.key {
                Value::Null => Ok(()),
                ref other => Err(Error::data(format!(
                    "Only Struct objects supported for [Updating schema], found: {}",
                    other.java_class()
                ))),
            };
        };
        let (field, adjusted) = (self.key_field.as_deref(), self.adjusted);
        let schema = self.keys.get_or_try_insert(schema, |schema| {
            let name = fit(format!("{}.Key", route.topic), adjusted);
            let mut builder = renamed(schema, name, |field| field.schema.clone());
            if let Some(field) = field {
                builder = builder.field(field, Schema::new(Kind::String));
            }
            Ok::<_, Error>(builder.build()?.into())
        })?;
        if self.key_field.is_some() {
            values.push(Value::from(&*route.identifier));
        }
        record.key_schema = Some(schema.clone());
        Ok(())
    }
}

impl Renaming {
    fn new(regex: &str, replacement: &str) -> Result<Self, Error> {
        Ok(Renaming {
            regex: JavaRegex::new(regex).map_err(|error| Error::config(error.to_string()))?,
            replacement: Replacement::new(replacement),
        })
    }

    /// The new name, if the expression matches the whole of the old one.
    fn apply(&self, old: &str) -> Result<Option<String>, Error> {
        replaced(&self.regex, &self.replacement, old)
    }
}

fn route(topic: &Renaming, identifier: Option<&Renaming>, old: &str) -> Result<Option<Route>, Error> {
    // An empty name is no topic: the record goes where it would have gone.
    let Some(new) = topic.apply(old)?.filter(|new| !new.is_empty()) else {
        return Ok(None);
    };
    let identifier = match identifier {
        Some(renaming) => renaming.apply(old)?,
        None => None,
    };
    Ok(Some(Route {
        topic: new.into(),
        identifier: identifier.as_deref().unwrap_or(old).into(),
    }))
}

/// A struct like another one, under a new name and with its fields' schemas as told.
fn renamed(schema: &Schema, name: String, of: impl Fn(&caisson_sdk::api::schema::Field) -> SchemaRef) -> SchemaBuilder {
    let like = SchemaBuilder::from(Schema {
        version: schema.version,
        doc: schema.doc.clone(),
        parameters: schema.parameters.clone(),
        optional: schema.optional,
        ..Schema::new(Kind::Struct(Vec::new()))
    });
    let fields = schema.fields().iter();
    fields.fold(like.name(name), |builder, field| {
        builder.field(field.name.clone(), of(field))
    })
}

/// The schema of the events in their new topic.
fn event_schema(schema: &SchemaRef, topic: &str, adjusted: bool) -> Result<SchemaRef, Error> {
    let row = &schema.fields()[envelope::place(schema, "before")?].schema;
    let row = renamed(row, fit(format!("{topic}.Value"), adjusted), |field| {
        field.schema.clone()
    });
    let row: SchemaRef = row.build()?.into();
    let event = renamed(schema, fit(envelope::name(topic), adjusted), |field| {
        match field.name.as_str() {
            "before" | "after" => row.clone(),
            _ => field.schema.clone(),
        }
    });
    Ok(event.build()?.into())
}

/// A name as it is, or as Avro takes it.
fn fit(name: String, adjusted: bool) -> String {
    if !adjusted {
        return name;
    }
    let fits = |(place, c): (usize, char)| match c {
        '.' | '_' => c,
        c if c.is_ascii_alphabetic() || place > 0 && c.is_ascii_digit() => c,
        _ => '_',
    };
    name.chars().enumerate().map(fits).collect()
}

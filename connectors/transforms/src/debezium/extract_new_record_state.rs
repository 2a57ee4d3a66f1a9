//! `ExtractNewRecordState`: the row as it is after a change, in the place of the change event.

use std::sync::Arc;

use caisson_sdk::prelude::*;

use crate::cache::SchemaCache;
use crate::fields::{Nulls, structure_like};
use crate::standard;

use super::field_reference::{FieldReference, Found};
use super::projection::{Droppable, Projections};
use super::{envelope, flag, given, optional, transform};

const DELETES: &str = "delete.tombstone.handling.mode";
const DELETED: &str = "__deleted";
const PREFIX: &str = "__";

/// What becomes of a delete and of the tombstone behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deletes {
    /// Nothing of both.
    Drop,
    /// The delete becomes a null value under the row's schema.
    Tombstone,
    /// The delete becomes the old row with the mark that it is deleted.
    Rewrite,
    /// And the tombstone stays.
    RewriteWithTombstone,
    /// The delete becomes a null value without a schema.
    DeleteToTombstone,
}

const MODES: [(&str, Deletes); 5] = [
    ("drop", Deletes::Drop),
    ("tombstone", Deletes::Tombstone),
    ("rewrite", Deletes::Rewrite),
    ("rewrite-with-tombstone", Deletes::RewriteWithTombstone),
    ("delete-to-tombstone", Deletes::DeleteToTombstone),
];

impl Deletes {
    fn rewrites(self) -> bool {
        matches!(self, Deletes::Rewrite | Deletes::RewriteWithTombstone)
    }
}

#[derive(Debug)]
pub struct ExtractNewRecordState {
    rules: Rules,
    plans: SchemaCache<Plan>,
    projections: Projections,
    /// The delete that came last, for the tombstone behind it.
    deleted: Option<Deleted>,
}

/// What a delete leaves to its tombstone: the original adds headers to both, which are one object to it.
#[derive(Debug)]
struct Deleted {
    topic: Arc<str>,
    key: Value,
    headers: Vec<Header>,
}

/// What the configuration says.
#[derive(Debug)]
struct Rules {
    deletes: Deletes,
    fields: Vec<FieldReference>,
    headers: Vec<FieldReference>,
    /// The column whose value is the topic.
    route: Option<String>,
    /// The header that names fields to leave out.
    dropping: Option<String>,
    drop_from_key: bool,
    droppable: Droppable,
    replace_null_with_default: bool,
}

impl Transform for ExtractNewRecordState {
    fn plugin() -> Plugin {
        let list = |name: &str, documentation: &str| {
            Key::new(name, Type::List)
                .default("")
                .importance(Importance::Low)
                .documentation(documentation)
        };
        let prefix = |name: &str, documentation: &str| {
            Key::new(name, Type::String)
                .default(PREFIX)
                .importance(Importance::Low)
                .documentation(documentation)
        };
        transform("ExtractNewRecordState", "The row after a change, in the place of the change event.")
            .alias("ExtractNewRecordState")
            .key(
                Key::new(DELETES, Type::String)
                    .default("tombstone")
                    .validator(Validator::OneOfIgnoringCase(MODES.map(|(name, _)| name.into()).to_vec()))
                    .importance(Importance::Medium)
                    .documentation(
                        "What becomes of deletes: drop; tombstone, a null value; rewrite, the old row with the field __deleted; \
                         rewrite-with-tombstone; delete-to-tombstone, a null value without a schema.",
                    ),
            )
            .key(list("add.fields", "Fields of the event to add to the row, as op, source.ts_ms or table:name."))
            .key(prefix("add.fields.prefix", "What the names of added fields begin with."))
            .key(list("add.headers", "Fields of the event to add as headers."))
            .key(prefix("add.headers.prefix", "What the names of added headers begin with."))
            .key(optional("route.by.field", "A column whose value becomes the topic."))
            .key(optional("drop.fields.header.name", "A header that lists fields to leave out."))
            .key(flag("drop.fields.from.key", "false", "Whether fields are left out of the key as well."))
            .key(flag(
                "drop.fields.keep.schema.compatible",
                "true",
                "Whether only optional fields may be left out.",
            ))
            .key(standard::replace_null_with_default())
    }

    fn start(settings: &Settings) -> Result<Self, Error> {
        let mode = settings.text(DELETES)?.trim();
        let named = |(name, _): &&(&str, Deletes)| name.eq_ignore_ascii_case(mode);
        let references = |list: &str, prefix: &str| FieldReference::all(settings.text(prefix)?, settings.list(list));
        Ok(ExtractNewRecordState {
            rules: Rules {
                deletes: MODES.iter().find(named).map_or(Deletes::Tombstone, |(_, mode)| *mode),
                fields: references("add.fields", "add.fields.prefix")?,
                headers: references("add.headers", "add.headers.prefix")?,
                route: given(settings, "route.by.field"),
                dropping: given(settings, "drop.fields.header.name"),
                drop_from_key: settings.boolean("drop.fields.from.key")?,
                droppable: if settings.boolean("drop.fields.keep.schema.compatible")? {
                    Droppable::Optional
                } else {
                    Droppable::All
                },
                replace_null_with_default: settings.boolean(standard::REPLACE_NULL_WITH_DEFAULT)?,
            },
            plans: SchemaCache::default(),
            projections: Projections::default(),
            deleted: None,
        })
    }

    fn apply(&mut self, mut record: Record) -> Result<Option<Record>, Error> {
        let deleted = self.deleted.take();
        if record.value.is_null() {
            return Ok(self.rules.tombstone(record, deleted));
        }
        let Some(schema) = envelope::schema_of(&record) else {
            return Ok(Some(record));
        };
        let rules = &self.rules;
        let plan = self
            .plans
            .get_or_try_insert(schema, |schema| Plan::new(schema, rules))?;
        let Value::Struct(mut event) = std::mem::take(&mut record.value) else {
            return Ok(Some(record));
        };
        let headers = plan.headers.iter().map(|found| Header {
            name: found.name.clone(),
            schema: Some(found.schema.clone()),
            value: found.value(&event),
        });
        if rules.deletes == Deletes::RewriteWithTombstone && !plan.headers.is_empty() && plan.is_delete(&event) {
            self.deleted = Some(Deleted {
                topic: record.topic.clone(),
                key: record.key.clone(),
                headers: headers.clone().collect(),
            });
        }
        record.headers.extend(headers);
        if !plan.unwrap(&mut record, &mut event, rules.deletes)? {
            return Ok(None);
        }
        self.leave_out(&mut record)?;
        Ok(Some(record))
    }
}

impl Rules {
    fn tombstone(&self, mut record: Record, deleted: Option<Deleted>) -> Option<Record> {
        if self.deletes != Deletes::RewriteWithTombstone {
            return None;
        }
        if let Some(deleted) = deleted.filter(|deleted| deleted.topic == record.topic && deleted.key == record.key) {
            record.headers.extend(deleted.headers);
        }
        for reference in self.headers.iter().filter(|reference| reference.is_operation()) {
            record.headers.push(Header {
                name: reference.name.as_str().into(),
                schema: Some(Schema::new(Kind::String).into()),
                value: Value::from("d"),
            });
        }
        Some(record)
    }
}

impl ExtractNewRecordState {
    /// Leaves out what the header says.
    fn leave_out(&mut self, record: &mut Record) -> Result<(), Error> {
        let Some(name) = &self.rules.dropping else {
            return Ok(());
        };
        let header = record.headers.iter().find(|header| &*header.name == name.as_str());
        let Some(Value::Array(items)) = header.map(|header| &header.value) else {
            return Ok(());
        };
        let fields = items.iter().filter_map(|item| match item {
            Value::String(field) => Some(field.clone()),
            _ => None,
        });
        let fields: Vec<String> = fields.collect();
        let droppable = self.rules.droppable;
        if self.rules.drop_from_key {
            self.projections
                .apply(&mut record.key_schema, &mut record.key, &fields, droppable)?;
        }
        self.projections
            .apply(&mut record.value_schema, &mut record.value, &fields, droppable)
    }
}

/// What is done with the events of one schema.
#[derive(Debug)]
struct Plan {
    before: usize,
    after: usize,
    /// The schema of null in the place of a deleted row.
    gone: SchemaRef,
    /// Of creates, updates and what a snapshot read.
    row: RowPlan,
    /// Of deletes that are rewritten.
    old_row: RowPlan,
    headers: Vec<Found>,
    /// The column whose value is the topic.
    route: Option<(String, usize)>,
}

impl Plan {
    fn new(event: &Schema, rules: &Rules) -> Result<Self, Error> {
        let (before, after) = (envelope::place(event, "before")?, envelope::place(event, "after")?);
        let found = |references: &[FieldReference]| {
            let found = references
                .iter()
                .filter_map(|reference| reference.find(event).transpose());
            found.collect::<Result<Vec<_>, Error>>()
        };
        let schema = |place: usize| &event.fields()[place].schema;
        let route = match &rules.route {
            Some(column) => Some((column.clone(), envelope::place(schema(after), column)?)),
            None => None,
        };
        Ok(Plan {
            before,
            after,
            gone: schema(after).clone(),
            row: RowPlan::new(schema(after), "false", rules, found(&rules.fields)?)?,
            old_row: RowPlan::new(schema(before), "true", rules, found(&rules.fields)?)?,
            headers: found(&rules.headers)?,
            route,
        })
    }

    fn is_delete(&self, event: &[Value]) -> bool {
        matches!(
            (event.get(self.after), event.get(self.before)),
            (Some(Value::Null), Some(Value::Struct(_)))
        )
    }

    /// Puts the row into the event's place; false if nothing of the event goes on.
    fn unwrap(&self, record: &mut Record, event: &mut [Value], deletes: Deletes) -> Result<bool, Error> {
        // Fields of the rows themselves may be among them.
        let added = match event.get(self.after) {
            Some(Value::Struct(_)) => self.row.added(event),
            _ if deletes.rewrites() => self.old_row.added(event),
            _ => Vec::new(),
        };
        let (after, before) = (
            std::mem::take(&mut event[self.after]),
            std::mem::take(&mut event[self.before]),
        );
        let (plan, row) = match (after, before) {
            (Value::Struct(row), _) => (Some(&self.row), row),
            (_, Value::Struct(row)) => (deletes.rewrites().then_some(&self.old_row), row),
            // Tables that are truncated.
            (_, _) => return Ok(false),
        };
        if let Some((column, place)) = &self.route
            && let Some(topic) = envelope::text(column, row.get(*place))?
            && !topic.trim().is_empty()
        {
            record.topic = topic.into();
        }
        let schema = match (plan, deletes) {
            (Some(plan), _) => {
                record.value = Value::Struct(plan.fill(row, added)?);
                Some(plan.schema.clone())
            }
            (None, Deletes::Drop) => return Ok(false),
            (None, Deletes::DeleteToTombstone) => None,
            (None, Deletes::Tombstone | Deletes::Rewrite | Deletes::RewriteWithTombstone) => Some(self.gone.clone()),
        };
        record.value_schema = schema;
        Ok(true)
    }
}

/// How a row becomes a value.
#[derive(Debug)]
struct RowPlan {
    schema: SchemaRef,
    nulls: Nulls,
    /// Of rewritten rows: whether it is deleted.
    deleted: Option<&'static str>,
    added: Vec<Found>,
}

impl RowPlan {
    fn new(row: &Schema, deleted: &'static str, rules: &Rules, added: Vec<Found>) -> Result<Self, Error> {
        let rewrites = rules.deletes.rewrites();
        let mut builder = row.fields().iter().fold(structure_like(row), |builder, field| {
            builder.field(field.name.clone(), field.schema.clone())
        });
        if rewrites {
            builder = builder.field(DELETED, Schema::new(Kind::String).into_optional());
        }
        let builder = added.iter().fold(builder, |builder, found| {
            builder.field(&*found.name, found.schema.clone())
        });
        Ok(RowPlan {
            schema: builder.build()?.into(),
            nulls: Nulls::of(row, rewrites && rules.replace_null_with_default),
            deleted: rewrites.then_some(deleted),
            added,
        })
    }

    /// The values of added fields.
    fn added(&self, event: &[Value]) -> Vec<Value> {
        self.added.iter().map(|found| found.value(event)).collect()
    }

    fn fill(&self, mut row: Vec<Value>, added: Vec<Value>) -> Result<Vec<Value>, Error> {
        self.nulls.replace(&mut row)?;
        row.reserve_exact(added.len() + 1);
        row.extend(self.deleted.map(Value::from));
        row.extend(added);
        Ok(row)
    }
}

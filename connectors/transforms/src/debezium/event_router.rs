//! `outbox.EventRouter`: rows that are inserted into an outbox table become messages of their own.

use caisson_sdk::api::schema::SchemaBuilder;
use caisson_sdk::prelude::*;

use crate::cache::SchemaCache;
use crate::regex::{JavaRegex, Replacement};
use crate::regex_router::{replaced, valid_regex};

use super::expand_json::{Expanded, Nulls};
use super::{envelope, flag, given, optional, transform};

const PAYLOAD: &str = "payload";

#[derive(Debug)]
pub struct EventRouter {
    columns: Columns,
    additional: Vec<Additional>,
    /// Whether any of them goes into the value, beside the payload.
    enveloped: bool,
    missing_is_error: bool,
    regex: JavaRegex,
    replacement: Replacement,
    tombstones: bool,
    on_update: OnUpdate,
    /// Present: payloads are JSON to be parsed.
    expanded: Option<Expanded>,
    plans: SchemaCache<Plan>,
    /// Schemas of values around payloads, by that of the payload and its version.
    envelopes: Vec<(SchemaRef, Option<i32>, SchemaRef)>,
}

/// Columns of the outbox table.
#[derive(Debug)]
struct Columns {
    id: String,
    key: Option<String>,
    payload: String,
    timestamp: Option<String>,
    version: Option<String>,
    route: String,
}

/// A column that goes along.
#[derive(Debug)]
struct Additional {
    column: String,
    placement: Placement,
    alias: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Placement {
    Header,
    Envelope,
    Partition,
}

/// What becomes of a row that was updated, which nobody should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OnUpdate {
    Skip,
    Fail,
}

/// More schemas of payloads than that mean that each has its own.
const CAPACITY: usize = 64;

impl Transform for EventRouter {
    fn plugin() -> Plugin {
        let plugin = transform(
            "outbox.EventRouter",
            "Makes messages of rows that are inserted into an outbox table.",
        );
        route_keys(payload_keys(column_keys(plugin.alias("EventRouter"))))
    }

    fn start(settings: &Settings) -> Result<Self, Error> {
        let text = |key: &str| settings.text(key).map(str::to_owned);
        let fails = settings
            .text("table.op.invalid.behavior")?
            .eq_ignore_ascii_case("fatal");
        let nulls = match settings.text("table.json.payload.null.behavior")? {
            given if given.eq_ignore_ascii_case("optional_bytes") => Nulls::OptionalBytes,
            _ => Nulls::LeftOut,
        };
        let additional = Additional::all(settings.list("table.fields.additional.placement"))?;
        Ok(EventRouter {
            columns: Columns {
                id: text("table.field.event.id")?,
                key: given(settings, "table.field.event.key"),
                payload: text("table.field.event.payload")?,
                timestamp: given(settings, "table.field.event.timestamp"),
                version: given(settings, "table.field.event.schema.version"),
                route: text("route.by.field")?,
            },
            enveloped: additional.iter().any(|each| each.placement == Placement::Envelope),
            additional,
            missing_is_error: settings.boolean("table.fields.additional.error.on.missing")?,
            regex: JavaRegex::new(settings.text("route.topic.regex")?)
                .map_err(|error| Error::config(error.to_string()))?,
            replacement: Replacement::new(settings.text("route.topic.replacement")?),
            tombstones: settings.boolean("route.tombstone.on.empty.payload")?,
            on_update: if fails { OnUpdate::Fail } else { OnUpdate::Skip },
            expanded: settings
                .boolean("table.expand.json.payload")?
                .then(|| Expanded::new(nulls)),
            plans: SchemaCache::default(),
            envelopes: Vec::new(),
        })
    }

    fn apply(&mut self, mut record: Record) -> Result<Option<Record>, Error> {
        if record.value.is_null() {
            return Ok(None);
        }
        let Some(schema) = envelope::schema_of(&record).cloned() else {
            return Ok(Some(record));
        };
        let Value::Struct(event) = std::mem::take(&mut record.value) else {
            return Ok(Some(record));
        };
        let op = envelope::text("op", event.get(envelope::place(&schema, "op")?))?;
        match (op, self.on_update) {
            (Some("d"), _) | (Some("u"), OnUpdate::Skip) => return Ok(None),
            (Some("u"), OnUpdate::Fail) => {
                return Err(Error::fatal("Unexpected update message received, fail.")
                    .with_class("java.lang.IllegalStateException"));
            }
            (_, _) => {}
        }
        self.message(record, &schema, &event).map(Some)
    }
}

fn text_key(name: &str, default: &str, documentation: &str) -> Key {
    Key::new(name, Type::String)
        .default(default)
        .importance(Importance::Low)
        .documentation(documentation)
}

fn one_of(names: &[&str]) -> Validator {
    Validator::OneOfIgnoringCase(names.iter().map(|name| (*name).into()).collect())
}

fn column_keys(plugin: Plugin) -> Plugin {
    plugin
        .key(text_key(
            "table.field.event.id",
            "id",
            "The column with the event's id, for the header id.",
        ))
        .key(text_key(
            "table.field.event.key",
            "aggregateid",
            "The column with the message's key.",
        ))
        .key(text_key(
            "table.field.event.type",
            "type",
            "The column with the event's type.",
        ))
        .key(text_key(
            "table.field.event.payload",
            PAYLOAD,
            "The column with the message's value.",
        ))
        .key(optional(
            "table.field.event.timestamp",
            "The column with the message's time; without it, the event's.",
        ))
        .key(
            Key::new("table.fields.additional.placement", Type::List)
                .default("")
                .importance(Importance::High)
                .documentation(
                    "More columns and where they go: column:header, column:envelope, column:partition, each with \
                     :alias if it is to be called otherwise.",
                ),
        )
        .key(flag(
            "table.fields.additional.error.on.missing",
            "true",
            "Whether a row without such a column is an error.",
        ))
        .key(optional(
            "table.field.event.schema.version",
            "The column with the version of the value's schema.",
        ))
}

fn payload_keys(plugin: Plugin) -> Plugin {
    plugin
        .key(
            text_key(
                "table.op.invalid.behavior",
                "warn",
                "What becomes of updates: warn and error leave them out, fatal fails.",
            )
            .validator(one_of(&["warn", "error", "fatal"])),
        )
        .key(flag(
            "table.expand.json.payload",
            "false",
            "Whether payloads are JSON to be parsed.",
        ))
        .key(
            text_key(
                "table.json.payload.null.behavior",
                "ignore",
                "What a null in such JSON becomes: ignore leaves the field out, optional_bytes keeps it.",
            )
            .validator(one_of(&["ignore", "optional_bytes"])),
        )
}

fn route_keys(plugin: Plugin) -> Plugin {
    plugin
        .key(text_key(
            "route.by.field",
            "aggregatetype",
            "The column that says where the message goes.",
        ))
        .key(text_key("route.topic.regex", "(?<routedByValue>.*)", "Takes that value apart.").validator(valid_regex()))
        .key(text_key(
            "route.topic.replacement",
            "outbox.event.${routedByValue}",
            "The topic, with groups of the expression.",
        ))
        .key(flag(
            "route.tombstone.on.empty.payload",
            "false",
            "Whether an empty payload makes a tombstone.",
        ))
}

impl EventRouter {
    /// The message that a new row of the outbox stands for.
    fn message(&mut self, mut record: Record, schema: &SchemaRef, event: &[Value]) -> Result<Record, Error> {
        let (columns, additional, missing) = (&self.columns, &self.additional, self.missing_is_error);
        let plan = self
            .plans
            .get_or_try_insert(schema, |schema| Plan::new(schema, columns, additional, missing))?;
        let Some(Value::Struct(row)) = event.get(plan.after) else {
            return Err(Error::data(
                "Only Struct objects supported for [Read Outbox Event], found: null",
            ));
        };
        let of = |place: usize| envelope::value(&plan.row, row, place);
        let column = |place: usize| plan.row.fields()[place].schema.clone();
        let routed = of(plan.route);
        let routed = envelope::text(&columns.route, Some(&routed))?.unwrap_or_default();
        record.timestamp = plan.timestamp(row, event)?;
        record.headers.push(header("id", column(plan.id), of(plan.id)));
        let (mut payload, mut payload_schema) = (of(plan.payload), column(plan.payload));
        if let Some(expanded) = &mut self.expanded
            && let Value::String(text) = &payload
            && let Some((new_schema, value)) = expanded.parse(&columns.payload, text)
        {
            (payload_schema, payload) = (new_schema, value);
        }
        record.partition = None;
        let mut beside = Vec::new();
        for (place, (placement, alias)) in &plan.additional {
            match placement {
                Placement::Header => record.headers.push(header(alias, column(*place), of(*place))),
                Placement::Envelope => beside.push((*place, alias.as_str())),
                Placement::Partition => record.partition = int(of(*place)),
            }
        }
        record.topic = replaced(&self.regex, &self.replacement, routed)?.map_or_else(|| routed.into(), Into::into);
        (record.key_schema, record.key) = match plan.key {
            Some(place) => (Some(column(place)), of(place)),
            None => (Some(Schema::new(Kind::String).into()), Value::Null),
        };
        let empty = match &payload {
            Value::Null => true,
            Value::String(text) => text.trim().is_empty(),
            _ => false,
        };
        (record.value_schema, record.value) = if empty && self.tombstones {
            (None, Value::Null)
        } else if !self.enveloped {
            (Some(payload_schema), payload)
        } else {
            let version = plan.version.and_then(|place| int(of(place)));
            let known = self
                .envelopes
                .iter()
                .find(|(of, known, _)| SchemaRef::ptr_eq(of, &payload_schema) && *known == version);
            let around = match known {
                Some((_, _, around)) => around.clone(),
                None => {
                    let around = around(&plan.row, &payload_schema, &beside, routed, version)?;
                    if self.envelopes.len() == CAPACITY {
                        self.envelopes.remove(0);
                    }
                    self.envelopes.push((payload_schema, version, around.clone()));
                    around
                }
            };
            let values = std::iter::once(payload).chain(beside.iter().map(|(place, _)| of(*place)));
            (Some(around), Value::Struct(values.collect()))
        };
        Ok(record)
    }
}

fn header(name: &str, schema: SchemaRef, value: Value) -> Header {
    Header {
        name: name.into(),
        schema: Some(schema),
        value,
    }
}

fn int(value: Value) -> Option<i32> {
    match value {
        Value::Int32(number) => Some(number),
        _ => None,
    }
}

/// The schema of a value with the payload and what goes along with it.
fn around(
    row: &Schema,
    payload: &SchemaRef,
    beside: &[(usize, &str)],
    routed: &str,
    version: Option<i32>,
) -> Result<SchemaRef, Error> {
    let name = match row.name.as_deref() {
        Some(name) => match name.rsplit_once('.') {
            Some((before, last)) => format!("{before}.{routed}.{last}"),
            None => format!("{routed}.{name}"),
        },
        None => routed.to_owned(),
    };
    let mut builder = SchemaBuilder::structure().name(name).field(PAYLOAD, payload.clone());
    for (place, alias) in beside {
        builder = builder.field(*alias, row.fields()[*place].schema.clone());
    }
    if let Some(version) = version {
        builder = builder.version(version);
    }
    Ok(builder.build()?.into())
}

impl Additional {
    fn all(entries: &[String]) -> Result<Vec<Self>, Error> {
        entries.iter().map(|entry| Self::parse(entry)).collect()
    }

    fn parse(entry: &str) -> Result<Self, Error> {
        let parts: Vec<&str> = entry.trim().split(':').collect();
        let (column, placement, alias) = match parts.as_slice() {
            [column, placement] => (*column, *placement, *column),
            [column, placement, alias] => (*column, *placement, *alias),
            _ => {
                return Err(Error::config(format!(
                    "table.fields.additional.placement: A comma-separated list of valid String pairs or trios is expected but got: {entry}"
                )));
            }
        };
        let placement = match placement.trim().to_ascii_lowercase().as_str() {
            "header" => Placement::Header,
            "envelope" => Placement::Envelope,
            "partition" => Placement::Partition,
            _ => {
                return Err(Error::config(format!(
                    "table.fields.additional.placement: {entry} names none of header, envelope, partition"
                )));
            }
        };
        Ok(Additional {
            column: column.to_owned(),
            placement,
            alias: alias.to_owned(),
        })
    }
}

/// Where the columns are in rows of one schema.
#[derive(Debug)]
struct Plan {
    row: SchemaRef,
    after: usize,
    processed: usize,
    id: usize,
    key: Option<usize>,
    payload: usize,
    route: usize,
    version: Option<usize>,
    /// And by how much a number of it is more than milliseconds.
    timestamp: Option<(usize, i64)>,
    additional: Vec<(usize, (Placement, String))>,
}

impl Plan {
    fn new(
        event: &Schema,
        columns: &Columns,
        additional: &[Additional],
        missing_is_error: bool,
    ) -> Result<Self, Error> {
        let after = envelope::place(event, "after")?;
        let row = &event.fields()[after].schema;
        let named = |what: &str, column: &str| {
            row.field_index(column)
                .ok_or_else(|| Error::data(format!("Unable to find {what} field {column} in event")))
        };
        let mut places = Vec::new();
        for each in additional {
            match row.field_index(&each.column) {
                Some(place) => places.push((place, (each.placement, each.alias.clone()))),
                None if missing_is_error => {
                    return Err(Error::data(format!("{} is not a valid field name", each.column)));
                }
                None => {}
            }
        }
        let timestamp = match &columns.timestamp {
            Some(column) => {
                let place = named("timestamp", column)?;
                Some((place, per_millisecond(&row.fields()[place].schema)?))
            }
            None => None,
        };
        let place = |column: &Option<String>| column.as_ref().map(|column| envelope::place(row, column)).transpose();
        Ok(Plan {
            after,
            processed: envelope::place(event, "ts_ms")?,
            id: named("event-id", &columns.id)?,
            key: place(&columns.key)?,
            payload: named(PAYLOAD, &columns.payload)?,
            route: envelope::place(row, &columns.route)?,
            version: place(&columns.version)?,
            timestamp,
            additional: places,
            row: row.clone(),
        })
    }

    /// The message's time: of its column, or of the event.
    fn timestamp(&self, row: &[Value], event: &[Value]) -> Result<Option<i64>, Error> {
        if let Some((place, per)) = self.timestamp
            && let Value::Int64(time) = envelope::value(&self.row, row, place)
        {
            return Ok(Some(time / per));
        }
        Ok(match event.get(self.processed) {
            Some(Value::Int64(time)) => Some(*time),
            _ => None,
        })
    }
}

fn per_millisecond(schema: &Schema) -> Result<i64, Error> {
    match schema.name.as_deref() {
        Some("io.debezium.time.Timestamp") => Ok(1),
        Some("io.debezium.time.MicroTimestamp") => Ok(1_000),
        Some("io.debezium.time.NanoTimestamp") => Ok(1_000_000),
        Some(name) => Err(Error::data(format!(
            "Unsupported field type {name} for event timestamp"
        ))),
        None => Err(Error::data(format!(
            "Unsupported field type {} (without logical schema name) for event timestamp",
            schema.kind
        ))),
    }
}

//! How values of a schema of Kafka Connect are written under a schema of Avro: made once, used for each value.

use caisson_api::Value;
use caisson_api::schema::{Kind as ConnectKind, Logical, Schema};
use caisson_convert::ConvertError;
use serde_json::Value as Json;

use super::anything;
use super::encode::{put_bytes, put_count, put_long};
use super::from_connect::{has_text_keys, is_union};
use super::names;
use super::options::AvroOptions;
use super::schema::{AvroSchema, Kind, NodeId, Record};
use super::to_connect::branch_name;
use crate::fault::Fault;

/// How to write a value of a schema.
#[derive(Debug)]
pub enum Plan {
    Boolean,
    Int(Number),
    Long(Number),
    Float,
    Double,
    String,
    Bytes,
    /// With the scale.
    Decimal(i32),
    /// With the number of bytes, and the scale of a decimal.
    Fixed(usize, Option<i32>),
    Enum(Vec<String>),
    Array(Box<Plan>),
    Map(Box<Plan>),
    /// A map whose keys are no text; fields of its record in their order.
    Entries(Vec<Entry>),
    Record(Vec<Field>),
    /// A branch of a union; null is another one, or not allowed.
    Branch {
        null: Option<usize>,
        index: usize,
        plan: Box<Plan>,
    },
    /// A struct that stands for one of several types.
    Union {
        null: Option<usize>,
        branches: Vec<(usize, Plan)>,
    },
    Anything,
}

/// What a whole number means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    Plain,
    Logical(Logical),
}

/// A field of a record that is written.
#[derive(Debug)]
pub enum Field {
    /// The field of the struct with this index; its default stands in for null.
    Value {
        index: usize,
        default: Option<Value>,
        plan: Plan,
    },
    /// What the struct does not have: the default of the record's field, as it is written.
    Constant(Vec<u8>),
}

#[derive(Debug)]
pub enum Entry {
    Key(Plan),
    Value(Plan),
}

/// Makes a plan for values of `schema` under a schema of Avro, which need not be the one that was made of it.
pub fn plan(options: &AvroOptions, schema: Option<&Schema>, avro: &AvroSchema) -> Result<Plan, Fault> {
    match schema {
        None if anything::is(avro) => Ok(Plan::Anything),
        None => unfit("values have no schema"),
        Some(schema) => Planner { options, avro }.plan(schema, avro.root),
    }
}

pub(super) fn unfit<T>(message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::format("org.apache.avro.AvroTypeException", message))
}

struct Planner<'a> {
    options: &'a AvroOptions,
    avro: &'a AvroSchema,
}

impl Planner<'_> {
    fn plan(&self, schema: &Schema, id: NodeId) -> Result<Plan, Fault> {
        let kind = self.avro.kind(id);
        let number = schema.logical_type().map_or(Number::Plain, Number::Logical);
        Ok(match (&schema.kind, kind) {
            (_, Kind::Union(branches)) => return self.union(schema, branches),
            (ConnectKind::Boolean, Kind::Boolean) => Plan::Boolean,
            (ConnectKind::Int8 | ConnectKind::Int16 | ConnectKind::Int32, Kind::Int) => Plan::Int(number),
            (ConnectKind::Int8 | ConnectKind::Int16 | ConnectKind::Int32 | ConnectKind::Int64, Kind::Long) => {
                Plan::Long(number)
            }
            (
                ConnectKind::Int8 | ConnectKind::Int16 | ConnectKind::Int32 | ConnectKind::Int64 | ConnectKind::Float32,
                Kind::Float,
            ) => Plan::Float,
            (
                ConnectKind::Int8
                | ConnectKind::Int16
                | ConnectKind::Int32
                | ConnectKind::Int64
                | ConnectKind::Float32
                | ConnectKind::Float64,
                Kind::Double,
            ) => Plan::Double,
            (ConnectKind::String, Kind::String | Kind::Bytes) => Plan::String,
            (ConnectKind::String, Kind::Enum(values)) => Plan::Enum(values.symbols.clone()),
            (ConnectKind::Bytes, Kind::Bytes) => match number {
                Number::Logical(Logical::Decimal) => Plan::Decimal(schema.scale().map_err(ConvertError::from)?),
                Number::Plain | Number::Logical(_) => Plan::Bytes,
            },
            (ConnectKind::Bytes, Kind::Fixed { size, .. }) => {
                let scale = match number {
                    Number::Logical(Logical::Decimal) => Some(schema.scale().map_err(ConvertError::from)?),
                    Number::Plain | Number::Logical(_) => None,
                };
                Plan::Fixed(*size, scale)
            }
            (ConnectKind::Array(inner), Kind::Array(items)) => Plan::Array(self.plan(inner, *items)?.into()),
            (ConnectKind::Map(key, inner), Kind::Map(values)) if has_text_keys(self.options, key) => {
                Plan::Map(self.plan(inner, *values)?.into())
            }
            (ConnectKind::Map(key, value), Kind::Array(items)) => return self.entries(key, value, *items),
            (ConnectKind::Struct(_), Kind::Record(record)) => return self.record(schema, record),
            (connect, kind) => return unfit(format!("{connect} cannot be written as {}", kind.full_name())),
        })
    }

    fn entries(&self, key: &Schema, value: &Schema, items: NodeId) -> Result<Plan, Fault> {
        let Kind::Record(record) = self.avro.kind(items) else {
            return unfit("a map cannot be written as an array of something else than records");
        };
        let entry = |field: &super::schema::Field| match field.name.as_str() {
            names::KEY => Ok(Entry::Key(self.plan(key, field.node)?)),
            names::VALUE => Ok(Entry::Value(self.plan(value, field.node)?)),
            other => unfit(format!("an entry of a map has no field {other}")),
        };
        record
            .fields
            .iter()
            .map(entry)
            .collect::<Result<_, _>>()
            .map(Plan::Entries)
    }

    fn record(&self, schema: &Schema, record: &Record) -> Result<Plan, Fault> {
        let field = |field: &super::schema::Field| {
            let found = schema
                .fields()
                .iter()
                .position(|own| own.name == field.name || self.options.scrub(&own.name) == field.name);
            match (found, &field.default) {
                (Some(index), _) => {
                    let own = &schema.fields()[index].schema;
                    Ok(Field::Value {
                        index,
                        default: own
                            .default
                            .clone()
                            .filter(|_| !self.options.ignore_default_for_nullables),
                        plan: self.plan(own, field.node)?,
                    })
                }
                (None, Some(default)) => {
                    let mut out = Vec::new();
                    match self.constant(field.node, default, &mut out) {
                        Some(()) => Ok(Field::Constant(out)),
                        None => unfit(format!("the default of field {} does not fit its type", field.name)),
                    }
                }
                (None, None) => unfit(format!(
                    "Field {} of {} has no value and no default",
                    field.name,
                    record.name.full()
                )),
            }
        };
        record
            .fields
            .iter()
            .map(field)
            .collect::<Result<_, _>>()
            .map(Plan::Record)
    }

    fn union(&self, schema: &Schema, branches: &[NodeId]) -> Result<Plan, Fault> {
        let null = branches
            .iter()
            .position(|branch| matches!(self.avro.kind(*branch), Kind::Null));
        if is_union(schema) {
            let others: Vec<usize> = (0..branches.len()).filter(|index| Some(*index) != null).collect();
            let mut plans = Vec::new();
            for (place, field) in schema.fields().iter().enumerate() {
                let named = others
                    .iter()
                    .find(|index| branch_name(self.options, self.avro.kind(branches[**index]), **index) == field.name);
                let Some(index) = others
                    .get(place)
                    .filter(|_| others.len() == schema.fields().len())
                    .or(named)
                else {
                    return unfit(format!("the union has no branch {}", field.name));
                };
                plans.push((*index, self.plan(&field.schema, branches[*index])?));
            }
            return Ok(Plan::Union { null, branches: plans });
        }
        // A branch of the very type counts more than one that also takes it.
        let exact = |branch: &NodeId| is_exact(schema, self.avro.kind(*branch));
        let order = (0..branches.len())
            .filter(|index| exact(&branches[*index]))
            .chain((0..branches.len()).filter(|index| !exact(&branches[*index])));
        let mut failure = None;
        for index in order.filter(|index| Some(*index) != null) {
            match self.plan(schema, branches[index]) {
                Ok(plan) => {
                    let plan = plan.into();
                    return Ok(Plan::Branch { null, index, plan });
                }
                Err(fault) => failure = failure.or(Some(fault)),
            }
        }
        Err(failure.unwrap_or_else(|| Fault::format("org.apache.avro.AvroTypeException", "Not in union: null")))
    }

    /// Writes the default of a field.
    fn constant(&self, id: NodeId, json: &Json, out: &mut Vec<u8>) -> Option<()> {
        match (self.avro.kind(id), json) {
            (Kind::Null, Json::Null) => {}
            (Kind::Boolean, Json::Bool(value)) => out.push((*value).into()),
            (Kind::Int | Kind::Long, Json::Number(number)) => put_long(number.as_i64()?, out),
            (Kind::Float, Json::Number(number)) => out.extend((number.as_f64()? as f32).to_le_bytes()),
            (Kind::Double, Json::Number(number)) => out.extend(number.as_f64()?.to_le_bytes()),
            (Kind::String, Json::String(text)) => put_bytes(text.as_bytes(), out),
            (Kind::Bytes, Json::String(text)) => put_bytes(&latin(text)?, out),
            (Kind::Fixed { size, .. }, Json::String(text)) => {
                out.extend(latin(text).filter(|bytes| bytes.len() == *size)?);
            }
            (Kind::Enum(values), Json::String(symbol)) => {
                put_long(values.symbols.iter().position(|known| known == symbol)? as i64, out);
            }
            (Kind::Array(items), Json::Array(values)) => {
                put_count(values.len(), out);
                for value in values {
                    self.constant(*items, value, out)?;
                }
                out.push(0);
            }
            (Kind::Map(inner), Json::Object(members)) => {
                put_count(members.len(), out);
                for (key, value) in members {
                    put_bytes(key.as_bytes(), out);
                    self.constant(*inner, value, out)?;
                }
                out.push(0);
            }
            (Kind::Record(record), Json::Object(members)) => {
                for field in &record.fields {
                    self.constant(field.node, members.get(&field.name).or(field.default.as_ref())?, out)?;
                }
            }
            (Kind::Union(branches), json) => {
                let start = out.len();
                let fits = |index: usize, branch: &NodeId, out: &mut Vec<u8>| {
                    out.truncate(start);
                    put_long(index as i64, out);
                    self.constant(*branch, json, out).is_some()
                };
                branches
                    .iter()
                    .enumerate()
                    .position(|(index, branch)| fits(index, branch, out))?;
            }
            _ => return None,
        }
        Some(())
    }
}

/// Whether the branch is of the type that the schema itself would become.
fn is_exact(schema: &Schema, kind: &Kind) -> bool {
    match (&schema.kind, kind) {
        (ConnectKind::Int8 | ConnectKind::Int16 | ConnectKind::Int32, Kind::Int)
        | (ConnectKind::Int64, Kind::Long)
        | (ConnectKind::Float32, Kind::Float)
        | (ConnectKind::Float64, Kind::Double)
        | (ConnectKind::Bytes, Kind::Bytes)
        | (ConnectKind::Array(_), Kind::Array(_))
        | (ConnectKind::Map(..), Kind::Map(_)) => true,
        (ConnectKind::String, Kind::String) => {
            schema.parameter(names::ENUM).is_none() && schema.parameter(names::GENERAL_ENUM).is_none()
        }
        (_, kind) => kind.own_name().is_some_and(|name| {
            let name = name.full();
            [
                schema.name.as_deref(),
                schema.parameter(names::ENUM),
                schema.parameter(names::GENERAL_ENUM),
            ]
            .contains(&Some(name.as_str()))
        }),
    }
}

fn latin(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

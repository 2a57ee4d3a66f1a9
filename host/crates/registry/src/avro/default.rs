//! Defaults in schemas, between their JSON text and values of Kafka Connect.

use caisson_api::schema::{Field, Kind as ConnectKind, Logical, Schema};
use caisson_api::{Decimal, Value};
use caisson_convert::logical;
use serde_json::Value as Json;

use super::from_connect::{has_text_keys, is_union};
use super::options::AvroOptions;
use super::schema::{AvroSchema, Kind, NodeId};

const DAY: i64 = 86_400_000;

/// What a default means under the schema that was made of the type; `None` if it does not fit.
pub fn read(avro: &AvroSchema, id: NodeId, schema: &Schema, json: &Json) -> Option<Value> {
    let kind = avro.kind(id);
    if let Kind::Union(branches) = kind {
        return union(avro, branches, schema, json);
    }
    Some(match (kind, &schema.kind, json) {
        (Kind::Null, _, Json::Null) => Value::Null,
        (Kind::Boolean, ConnectKind::Boolean, Json::Bool(value)) => Value::Boolean(*value),
        (Kind::Int | Kind::Long, _, Json::Number(number)) => integer(schema, number.as_i64()?)?,
        (Kind::Float, _, Json::Number(number)) => Value::Float32(number.as_f64()? as f32),
        (Kind::Double, _, Json::Number(number)) => Value::Float64(number.as_f64()?),
        (Kind::String | Kind::Enum(_), _, Json::String(text)) => Value::String(text.clone()),
        (Kind::Bytes | Kind::Fixed { .. }, _, Json::String(text)) => {
            let bytes: Vec<u8> = text
                .chars()
                .map(|c| u8::try_from(u32::from(c)).ok())
                .collect::<Option<_>>()?;
            match schema.logical_type() {
                Some(Logical::Decimal) => Value::Decimal(Decimal::new(&bytes, schema.scale().ok()?)),
                Some(Logical::Date | Logical::Time | Logical::Timestamp) | None => Value::Bytes(bytes),
            }
        }
        (Kind::Array(items), ConnectKind::Array(inner), Json::Array(values)) => Value::Array(
            values
                .iter()
                .map(|value| read(avro, *items, inner, value))
                .collect::<Option<_>>()?,
        ),
        // A map whose keys are no text: pairs, as Kafka Connect wrote them.
        (Kind::Array(items), ConnectKind::Map(key, value), Json::Array(pairs)) => {
            let Kind::Record(entry) = avro.kind(*items) else {
                return None;
            };
            let node = |name: &str| {
                entry
                    .fields
                    .iter()
                    .find(|field| field.name == name)
                    .map(|field| field.node)
            };
            let (key_node, value_node) = (node(super::names::KEY)?, node(super::names::VALUE)?);
            let pair = |pair: &Json| match pair.as_array()?.as_slice() {
                [k, v] => Some((read(avro, key_node, key, k)?, read(avro, value_node, value, v)?)),
                _ => None,
            };
            Value::Map(pairs.iter().map(pair).collect::<Option<_>>()?)
        }
        (Kind::Map(values), ConnectKind::Map(_, inner), Json::Object(members)) => Value::Map(
            members
                .iter()
                .map(|(key, value)| Some((Value::String(key.clone()), read(avro, *values, inner, value)?)))
                .collect::<Option<_>>()?,
        ),
        (Kind::Record(record), ConnectKind::Struct(fields), Json::Object(members)) => Value::Struct(
            record
                .fields
                .iter()
                .zip(fields)
                .map(|(own, field)| match members.get(&own.name).or(own.default.as_ref()) {
                    Some(json) => read(avro, own.node, &field.schema, json),
                    None => field.schema.default.clone(),
                })
                .collect::<Option<_>>()?,
        ),
        _ => return None,
    })
}

/// Defaults of unions are those of the first branch; Kafka Connect's own may be of any.
fn union(avro: &AvroSchema, branches: &[NodeId], schema: &Schema, json: &Json) -> Option<Value> {
    let is_null = |id: &NodeId| matches!(avro.kind(*id), Kind::Null);
    if json.is_null() {
        return branches.iter().any(is_null).then_some(Value::Null);
    }
    let others: Vec<&NodeId> = branches.iter().filter(|id| !is_null(id)).collect();
    if others.len() == 1 {
        return read(avro, *others[0], schema, json);
    }
    let ConnectKind::Struct(fields) = &schema.kind else {
        return None;
    };
    let (index, value) = others
        .iter()
        .zip(fields)
        .enumerate()
        .find_map(|(index, (id, field))| Some((index, read(avro, **id, &field.schema, json)?)))?;
    let mut values = vec![Value::Null; fields.len()];
    values[index] = value;
    Some(Value::Struct(values))
}

fn integer(schema: &Schema, number: i64) -> Option<Value> {
    Some(match (&schema.kind, schema.logical_type()) {
        (_, Some(Logical::Date)) => Value::Date(number.checked_mul(DAY)?),
        (_, Some(Logical::Time | Logical::Timestamp)) => Value::Date(number),
        (ConnectKind::Int8, _) => Value::Int8(number as i8),
        (ConnectKind::Int16, _) => Value::Int16(number as i16),
        (ConnectKind::Int32, _) => Value::Int32(i32::try_from(number).ok()?),
        (ConnectKind::Int64, _) => Value::Int64(number),
        _ => return None,
    })
}

/// The JSON of a value that is a default; `None` if it does not fit its schema.
pub fn write(options: &AvroOptions, schema: &Schema, value: &Value) -> Option<Json> {
    let all = |inner: &Schema, values: &[Value]| -> Option<Json> {
        let values: Option<Vec<Json>> = values.iter().map(|value| write(options, inner, value)).collect();
        values.map(Json::Array)
    };
    Some(match (&schema.kind, value) {
        (_, Value::Null) => Json::Null,
        (ConnectKind::Int8, Value::Int8(n)) => (*n).into(),
        (ConnectKind::Int16, Value::Int16(n)) => (*n).into(),
        (ConnectKind::Int32, Value::Int32(n)) => (*n).into(),
        (ConnectKind::Int64, Value::Int64(n)) => (*n).into(),
        (_, Value::Date(millis)) => match schema.logical_type()? {
            Logical::Date => logical::date_to_days(*millis).ok()?.into(),
            Logical::Time => logical::time_to_millis(*millis).ok()?.into(),
            Logical::Timestamp => (*millis).into(),
            Logical::Decimal => return None,
        },
        (ConnectKind::Float32, Value::Float32(n)) => float(&n.to_string())?,
        (ConnectKind::Float64, Value::Float64(n)) => Json::Number(serde_json::Number::from_f64(*n)?),
        (ConnectKind::Boolean, Value::Boolean(value)) => (*value).into(),
        (ConnectKind::String, Value::String(text)) => text.as_str().into(),
        (ConnectKind::Bytes, Value::Bytes(bytes)) => latin(bytes),
        (ConnectKind::Bytes, Value::Decimal(decimal)) => latin(logical::decimal_to_bytes(schema, decimal).ok()?),
        (ConnectKind::Array(inner), Value::Array(values)) => all(inner, values)?,
        (ConnectKind::Map(key, inner), Value::Map(entries)) if has_text_keys(options, key) => {
            let member = |(key, value): &(Value, Value)| match key {
                Value::String(key) => Some((key.clone(), write(options, inner, value)?)),
                _ => None,
            };
            Json::Object(entries.iter().map(member).collect::<Option<_>>()?)
        }
        (ConnectKind::Map(key, inner), Value::Map(entries)) => {
            let pair =
                |(k, v): &(Value, Value)| Some(Json::Array(vec![write(options, key, k)?, write(options, inner, v)?]));
            Json::Array(entries.iter().map(pair).collect::<Option<_>>()?)
        }
        (ConnectKind::Struct(fields), Value::Struct(values)) if is_union(schema) => {
            write(options, &fields.first()?.schema, values.first()?)?
        }
        (ConnectKind::Struct(fields), Value::Struct(values)) => {
            let member = |(field, value): (&Field, &Value)| {
                let value = match (value, &field.schema.default) {
                    (Value::Null, Some(default)) => default,
                    (value, _) => value,
                };
                Some((options.scrub(&field.name), write(options, &field.schema, value)?))
            };
            Json::Object(fields.iter().zip(values).map(member).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

/// The digits that a float has, not those of the double it would widen to.
fn float(text: &str) -> Option<Json> {
    serde_json::from_str(text).ok()
}

/// Bytes as the characters of the same codes.
fn latin(bytes: &[u8]) -> Json {
    bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into()
}

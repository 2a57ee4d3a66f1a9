//! Reading messages, by a plan that was made once per schema.

use std::collections::HashMap;

use caisson_api::value::unique_keys;
use caisson_api::{Decimal, Value};
use caisson_convert::ConvertError;
use prost_reflect::{DynamicMessage, FieldDescriptor, MapKey, MessageDescriptor, Value as Proto};

use super::calendar;
use crate::fault::Fault;

const DAY: i64 = 86_400_000;

/// How to read a type.
#[derive(Clone, Debug)]
pub enum Plan {
    Int8,
    Int16,
    Int32,
    Int64,
    Float,
    Double,
    Boolean,
    String,
    Bytes,
    Enum {
        name: String,
        names: HashMap<i32, String>,
    },
    EnumNumber,
    Decimal,
    Date,
    Time,
    Timestamp,
    /// A message with one field that matters.
    Wrapped(FieldDescriptor, Box<Plan>),
    List(Box<Plan>),
    Map(Box<Plan>, Box<Plan>),
    Message(Vec<Slot>),
}

/// A field of the struct.
#[derive(Clone, Debug)]
pub enum Slot {
    Field {
        field: FieldDescriptor,
        plan: Plan,
        /// Null if the message does not have it, not its default.
        only_if_set: bool,
    },
    /// A struct of which one field is set.
    OneOf(Vec<OneOf>),
}

#[derive(Clone, Debug)]
pub struct OneOf {
    pub field: FieldDescriptor,
    pub plan: Plan,
}

pub fn decode(message: &MessageDescriptor, plan: &Plan, bytes: &[u8]) -> Result<Value, Fault> {
    let message = DynamicMessage::decode(message.clone(), bytes)
        .map_err(|error| Fault::format("com.google.protobuf.InvalidProtocolBufferException", error.to_string()))?;
    Ok(match plan {
        Plan::Wrapped(field, plan) => value(plan, &message.get_field(field))?,
        Plan::Message(slots) => structure(slots, &message)?,
        plan => value(plan, &Proto::Message(message))?,
    })
}

fn structure(slots: &[Slot], message: &DynamicMessage) -> Result<Value, ConvertError> {
    let mut values = Vec::with_capacity(slots.len());
    for slot in slots {
        values.push(match slot {
            Slot::Field {
                field,
                plan,
                only_if_set,
            } => {
                if *only_if_set && !message.has_field(field) {
                    Value::Null
                } else {
                    value(plan, &message.get_field(field))?
                }
            }
            Slot::OneOf(fields) => match fields.iter().position(|one| message.has_field(&one.field)) {
                Some(set) => {
                    let mut inner = vec![Value::Null; fields.len()];
                    inner[set] = value(&fields[set].plan, &message.get_field(&fields[set].field))?;
                    Value::Struct(inner)
                }
                None => Value::Null,
            },
        });
    }
    Ok(Value::Struct(values))
}

fn value(plan: &Plan, proto: &Proto) -> Result<Value, ConvertError> {
    Ok(match (plan, proto) {
        (Plan::Int8, Proto::I32(n)) => Value::Int8(*n as i8),
        (Plan::Int16, Proto::I32(n)) => Value::Int16(*n as i16),
        (Plan::Int32, Proto::I32(n)) => Value::Int32(*n),
        (Plan::Int64, Proto::I64(n)) => Value::Int64(*n),
        (Plan::Int64, Proto::U64(n)) => Value::Int64(*n as i64),
        (Plan::Int64, Proto::U32(n)) => Value::Int64((*n).into()),
        (Plan::Float, Proto::F32(n)) => Value::Float32(*n),
        (Plan::Double, Proto::F64(n)) => Value::Float64(*n),
        (Plan::Boolean, Proto::Bool(value)) => Value::Boolean(*value),
        (Plan::String, Proto::String(text)) => Value::String(text.clone()),
        (Plan::Bytes, Proto::Bytes(bytes)) => Value::Bytes(bytes.to_vec()),
        (Plan::Enum { name, names }, Proto::EnumNumber(n)) => match names.get(n) {
            Some(name) => Value::String(name.clone()),
            None => Value::String(format!("UNKNOWN_ENUM_VALUE_{name}_{n}")),
        },
        (Plan::EnumNumber, Proto::EnumNumber(n)) => Value::Int32(*n),
        (Plan::List(inner), Proto::List(values)) => Value::Array(
            values
                .iter()
                .map(|proto| value(inner, proto))
                .collect::<Result<_, _>>()?,
        ),
        (Plan::Map(key_plan, value_plan), Proto::Map(entries)) => {
            let entry =
                |(key, proto): (&MapKey, &Proto)| Ok((value(key_plan, &map_key(key))?, value(value_plan, proto)?));
            Value::Map(unique_keys(
                entries.iter().map(entry).collect::<Result<_, ConvertError>>()?,
            ))
        }
        (Plan::Message(slots), Proto::Message(message)) => structure(slots, message)?,
        (Plan::Wrapped(field, plan), Proto::Message(message)) => value(plan, &message.get_field(field))?,
        (Plan::Decimal, Proto::Message(message)) => decimal(message),
        (Plan::Date, Proto::Message(message)) => date(message)?,
        (Plan::Time, Proto::Message(message)) => time(message)?,
        (Plan::Timestamp, Proto::Message(message)) => timestamp(message)?,
        (plan, proto) => return Err(ConvertError::data(format!("Invalid type for {plan:?}: {proto:?}"))),
    })
}

fn map_key(key: &MapKey) -> Proto {
    match key {
        MapKey::Bool(value) => Proto::Bool(*value),
        MapKey::I32(n) => Proto::I32(*n),
        MapKey::I64(n) => Proto::I64(*n),
        MapKey::U32(n) => Proto::U32(*n),
        MapKey::U64(n) => Proto::U64(*n),
        MapKey::String(text) => Proto::String(text.clone()),
    }
}

/// A whole number of a message; 0 where there is none.
fn number(message: &DynamicMessage, name: &str) -> i64 {
    match message.get_field_by_name(name).as_deref() {
        Some(Proto::I32(n)) => (*n).into(),
        Some(Proto::I64(n)) => *n,
        Some(Proto::U32(n)) => (*n).into(),
        _ => 0,
    }
}

fn decimal(message: &DynamicMessage) -> Value {
    let bytes = match message.get_field_by_name("value").as_deref() {
        Some(Proto::Bytes(bytes)) => bytes.to_vec(),
        _ => Vec::new(),
    };
    Value::Decimal(Decimal::new(&bytes, number(message, "scale") as i32))
}

fn date(message: &DynamicMessage) -> Result<Value, ConvertError> {
    let (year, month, day) = (
        number(message, "year"),
        number(message, "month"),
        number(message, "day"),
    );
    match calendar::days(year, month, day) {
        Some(days) => Ok(Value::Date(days * DAY)),
        None => Err(ConvertError::data(format!("there is no day {year}-{month}-{day}"))),
    }
}

fn time(message: &DynamicMessage) -> Result<Value, ConvertError> {
    let (hours, minutes) = (number(message, "hours"), number(message, "minutes"));
    let (seconds, nanos) = (number(message, "seconds"), number(message, "nanos"));
    if !(0..24).contains(&hours)
        || !(0..60).contains(&minutes)
        || !(0..60).contains(&seconds)
        || !(0..1_000_000_000).contains(&nanos)
    {
        return Err(ConvertError::data(format!(
            "there is no time of day {hours}:{minutes}:{seconds} and {nanos} ns"
        )));
    }
    Ok(Value::Date(
        ((hours * 60 + minutes) * 60 + seconds) * 1000 + nanos / 1_000_000,
    ))
}

fn timestamp(message: &DynamicMessage) -> Result<Value, ConvertError> {
    let (seconds, nanos) = (number(message, "seconds"), number(message, "nanos"));
    let millis = seconds
        .checked_mul(1000)
        .and_then(|millis| millis.checked_add(nanos.div_euclid(1_000_000)));
    match millis {
        Some(millis) => Ok(Value::Date(millis)),
        None => Err(ConvertError::data(format!(
            "the timestamp of {seconds} s is out of range"
        ))),
    }
}

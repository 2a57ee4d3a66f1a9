//! Writing messages: values of Kafka Connect straight to Protobuf's binary form.

use caisson_api::{Decimal, Value};
use caisson_convert::{ConvertError, logical};

use super::calendar;

/// How to write a single value.
#[derive(Debug)]
pub enum Plan {
    Int32,
    Int64,
    UInt32,
    UInt64,
    Zigzag,
    Fixed32,
    Fixed64,
    Float,
    Double,
    Boolean,
    String,
    Bytes,
    /// With the numbers of the symbols.
    Enum(Vec<(String, i32)>),
    Decimal,
    Date,
    Time,
    Timestamp,
    /// A message around the value.
    Wrapped(Box<Plan>),
    Message(Vec<Field>),
}

/// How to write a field of a struct.
#[derive(Debug)]
pub struct Field {
    /// Its index in the struct.
    pub index: usize,
    pub number: i32,
    /// Stands in for null.
    pub default: Option<Value>,
    pub how: How,
}

#[derive(Debug)]
pub enum How {
    One {
        plan: Plan,
        /// Also what is zero or empty.
        always: bool,
    },
    Repeated(Plan),
    Map(Plan, Plan),
    /// A struct of which one field is set.
    OneOf(Vec<Field>),
}

const VARINT: u64 = 0;
const EIGHT: u64 = 1;
const LENGTH: u64 = 2;
const FOUR: u64 = 5;

impl Plan {
    pub fn is_message(&self) -> bool {
        matches!(
            self,
            Plan::Decimal | Plan::Date | Plan::Time | Plan::Timestamp | Plan::Wrapped(_) | Plan::Message(_)
        )
    }

    fn wire_type(&self) -> u64 {
        match self {
            Plan::Int32 | Plan::Int64 | Plan::UInt32 | Plan::UInt64 | Plan::Zigzag | Plan::Boolean | Plan::Enum(_) => {
                VARINT
            }
            Plan::Fixed64 | Plan::Double => EIGHT,
            Plan::Fixed32 | Plan::Float => FOUR,
            Plan::String
            | Plan::Bytes
            | Plan::Decimal
            | Plan::Date
            | Plan::Time
            | Plan::Timestamp
            | Plan::Wrapped(_)
            | Plan::Message(_) => LENGTH,
        }
    }

    /// The type of Kafka Connect, for messages.
    fn name(&self) -> &'static str {
        match self {
            Plan::Int32 | Plan::Zigzag | Plan::Fixed32 => "INT32",
            Plan::Int64 | Plan::UInt32 | Plan::UInt64 | Plan::Fixed64 => "INT64",
            Plan::Float => "FLOAT32",
            Plan::Double => "FLOAT64",
            Plan::Boolean => "BOOLEAN",
            Plan::String | Plan::Enum(_) => "STRING",
            Plan::Bytes | Plan::Decimal => "BYTES",
            Plan::Date | Plan::Time => "INT32",
            Plan::Timestamp => "INT64",
            Plan::Wrapped(plan) => plan.name(),
            Plan::Message(_) => "STRUCT",
        }
    }
}

/// Writes the content of a message.
pub fn encode(plan: &Plan, value: &Value, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    match (plan, value) {
        (Plan::Message(fields), Value::Struct(values)) => {
            fields.iter().try_for_each(|field| write_field(field, values, out))
        }
        // A value at the top stands in a message of its own.
        (Plan::Wrapped(plan), value) => write_one(plan, 1, value, false, out),
        (plan, value) => Err(mismatch(plan.name(), value)),
    }
}

fn mismatch(kind: &str, value: &Value) -> ConvertError {
    ConvertError::data(format!("Invalid type for {kind}: class {}", value.java_class()))
}

fn write_field(field: &Field, values: &[Value], out: &mut Vec<u8>) -> Result<(), ConvertError> {
    let value = match (values.get(field.index), &field.default) {
        (None, _) => return Err(ConvertError::data("Mismatching struct schema")),
        (Some(Value::Null), Some(default)) => default,
        (Some(value), _) => value,
    };
    if value.is_null() {
        return Ok(());
    }
    match (&field.how, value) {
        (How::One { plan, always }, value) => write_one(plan, field.number, value, *always, out),
        (How::Repeated(plan), Value::Array(elements)) => write_repeated(plan, field.number, elements, out),
        (How::Map(key_plan, value_plan), Value::Map(entries)) => {
            for (key, value) in entries {
                put_tag(field.number, LENGTH, out);
                with_length(out, |out| {
                    write_one(key_plan, 1, key, true, out)?;
                    if value.is_null() {
                        return Ok(());
                    }
                    write_one(value_plan, 2, value, true, out)
                })?;
            }
            Ok(())
        }
        (How::OneOf(fields), Value::Struct(inner)) => {
            match fields
                .iter()
                .find(|one| inner.get(one.index).is_some_and(|value| !value.is_null()))
            {
                Some(set) => write_field(set, inner, out),
                None => Err(ConvertError::data("Cannot find non-null field")),
            }
        }
        (How::Repeated(_), value) => Err(mismatch("ARRAY", value)),
        (How::Map(..), value) => Err(mismatch("MAP", value)),
        (How::OneOf(_), value) => Err(mismatch("STRUCT", value)),
    }
}

/// Numbers stand together in one field, everything else in a field each.
fn write_repeated(plan: &Plan, number: i32, elements: &[Value], out: &mut Vec<u8>) -> Result<(), ConvertError> {
    if elements.iter().any(Value::is_null) {
        return Err(ConvertError::data("Protobuf has no null in lists"));
    }
    if plan.wire_type() == LENGTH {
        return elements
            .iter()
            .try_for_each(|element| write_one(plan, number, element, true, out));
    }
    if elements.is_empty() {
        return Ok(());
    }
    put_tag(number, LENGTH, out);
    with_length(out, |out| {
        elements.iter().try_for_each(|element| put(plan, element, out))
    })
}

fn write_one(plan: &Plan, number: i32, value: &Value, always: bool, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    let start = out.len();
    put_tag(number, plan.wire_type(), out);
    let content = out.len();
    if plan.wire_type() == LENGTH {
        with_length(out, |out| put(plan, value, out))?;
    } else {
        put(plan, value, out)?;
    }
    // Without a label nobody can tell zero from nothing, and nothing is shorter.
    if !always && out[content..].iter().all(|byte| *byte == 0) {
        out.truncate(start);
    }
    Ok(())
}

/// Writes a value without tag and length.
fn put(plan: &Plan, value: &Value, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    match (plan, value) {
        (Plan::Int32 | Plan::Int64 | Plan::UInt64, value) => put_varint(whole(plan, value)? as u64, out),
        (Plan::UInt32, value) => put_varint(whole(plan, value)? as u32 as u64, out),
        (Plan::Zigzag, value) => {
            let number = whole(plan, value)?;
            put_varint(((number << 1) ^ (number >> 63)) as u64, out);
        }
        (Plan::Fixed32, value) => out.extend_from_slice(&(whole(plan, value)? as u32).to_le_bytes()),
        (Plan::Fixed64, value) => out.extend_from_slice(&whole(plan, value)?.to_le_bytes()),
        (Plan::Float, Value::Float32(n)) => out.extend_from_slice(&n.to_le_bytes()),
        (Plan::Double, Value::Float64(n)) => out.extend_from_slice(&n.to_le_bytes()),
        (Plan::Boolean, Value::Boolean(value)) => out.push((*value).into()),
        (Plan::String, Value::String(text)) => out.extend_from_slice(text.as_bytes()),
        (Plan::Bytes, Value::Bytes(bytes)) => out.extend_from_slice(bytes),
        (Plan::Enum(values), Value::String(text)) => match values.iter().find(|(symbol, _)| symbol == text) {
            Some((_, number)) => put_varint(i64::from(*number) as u64, out),
            None => return Err(ConvertError::data(format!("The enumeration has no symbol {text}"))),
        },
        (Plan::Decimal, Value::Decimal(decimal)) => put_decimal(decimal, out),
        (Plan::Date, Value::Date(millis)) => {
            let (year, month, day) = calendar::date(logical::date_to_days(*millis)?.into());
            put_numbers(&[year, month, day], out);
        }
        (Plan::Time, Value::Date(millis)) => {
            let millis = i64::from(logical::time_to_millis(*millis)?) % logical::DAY;
            let seconds = millis / 1000;
            let nanos = millis % 1000 * 1_000_000;
            put_numbers(&[seconds / 3600, seconds / 60 % 60, seconds % 60, nanos], out);
        }
        (Plan::Timestamp, Value::Date(millis)) => {
            put_numbers(&[millis.div_euclid(1000), millis.rem_euclid(1000) * 1_000_000], out);
        }
        (Plan::Decimal | Plan::Date | Plan::Time | Plan::Timestamp, value) => {
            let (name, expected) = match plan {
                Plan::Decimal => ("Decimal", "BigDecimal"),
                Plan::Date => ("Date", "Date"),
                Plan::Time => ("Time", "Date"),
                _ => ("Timestamp", "Date"),
            };
            let class = value.java_class();
            return Err(ConvertError::data(format!(
                "Invalid type for {name}, expected {expected} but was class {class}"
            )));
        }
        (Plan::Wrapped(plan), value) => write_one(plan, 1, value, false, out)?,
        (plan @ Plan::Message(_), value) => encode(plan, value, out)?,
        (plan, value) => return Err(mismatch(plan.name(), value)),
    }
    Ok(())
}

fn whole(plan: &Plan, value: &Value) -> Result<i64, ConvertError> {
    Ok(match value {
        Value::Int8(n) => (*n).into(),
        Value::Int16(n) => (*n).into(),
        Value::Int32(n) => (*n).into(),
        Value::Int64(n) => *n,
        value => return Err(mismatch(plan.name(), value)),
    })
}

/// Whole numbers, in the fields 1 and following.
fn put_numbers(numbers: &[i64], out: &mut Vec<u8>) {
    for (number, value) in (1..).zip(numbers) {
        if *value != 0 {
            put_tag(number, VARINT, out);
            put_varint(*value as u64, out);
        }
    }
}

fn put_decimal(decimal: &Decimal, out: &mut Vec<u8>) {
    put_tag(1, LENGTH, out);
    put_varint(decimal.unscaled.len() as u64, out);
    out.extend_from_slice(&decimal.unscaled);
    let precision = decimal.unscaled_text().trim_start_matches('-').len();
    put_tag(2, VARINT, out);
    put_varint(precision as u64, out);
    if decimal.scale != 0 {
        put_tag(3, VARINT, out);
        put_varint(i64::from(decimal.scale) as u64, out);
    }
}

/// Writes something, and its length in front of it.
fn with_length(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), ConvertError>,
) -> Result<(), ConvertError> {
    let start = out.len();
    // Most are short: their length takes one byte.
    out.push(0);
    write(out)?;
    let length = out.len() - start - 1;
    if length < 0x80 {
        out[start] = length as u8;
        return Ok(());
    }
    let mut prefix = Vec::with_capacity(5);
    put_varint(length as u64, &mut prefix);
    out.splice(start..=start, prefix);
    Ok(())
}

fn put_tag(number: i32, wire_type: u64, out: &mut Vec<u8>) {
    put_varint((number as u64) << 3 | wire_type, out);
}

fn put_varint(mut rest: u64, out: &mut Vec<u8>) {
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

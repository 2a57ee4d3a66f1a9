//! Writing values: values of Kafka Connect straight to Avro's binary form.

use caisson_api::schema::Logical;
use caisson_api::{Decimal, Value};
use caisson_convert::{ConvertError, logical};

use super::anything;
use super::plan::{Entry, Field, Number, Plan, unfit};
use crate::fault::Fault;

/// Nesting of values that have no schema.
const MAX_DEPTH: usize = caisson_api::typed::MAX_DEPTH;

/// Writes a whole value.
pub fn encode(plan: &Plan, value: &Value, out: &mut Vec<u8>) -> Result<(), Fault> {
    match (plan, value) {
        // At the top, bytes are written as they are.
        (Plan::Bytes, Value::Bytes(bytes)) => out.extend_from_slice(bytes),
        (Plan::Decimal(scale), Value::Decimal(decimal)) => out.extend_from_slice(unscaled(*scale, decimal)?),
        (plan, value) => write(plan, value, out)?,
    }
    Ok(())
}

fn write(plan: &Plan, value: &Value, out: &mut Vec<u8>) -> Result<(), Fault> {
    match (plan, value) {
        (Plan::Branch { null, index, plan }, value) => match (null, value) {
            (Some(null), Value::Null) => put_long(*null as i64, out),
            (_, value) => {
                put_long(*index as i64, out);
                write(plan, value, out)?;
            }
        },
        (Plan::Union { null, branches }, value) => write_union(*null, branches, value, out)?,
        (Plan::Anything, value) => write_anything(value, 0, out)?,
        (_, Value::Null) => {
            return Err(ConvertError::data("Found null value for non-optional schema").into());
        }
        (Plan::Boolean, Value::Boolean(value)) => out.push((*value).into()),
        (Plan::Int(number) | Plan::Long(number), value) => put_long(whole(*number, value)?, out),
        (Plan::Float, value) => out.extend_from_slice(&float(value)?.to_le_bytes()),
        (Plan::Double, value) => out.extend_from_slice(&double(value)?.to_le_bytes()),
        (Plan::String, Value::String(text)) => put_bytes(text.as_bytes(), out),
        (Plan::Bytes, Value::Bytes(bytes)) => put_bytes(bytes, out),
        (Plan::Decimal(scale), Value::Decimal(decimal)) => put_bytes(unscaled(*scale, decimal)?, out),
        (Plan::Fixed(size, scale), value) => write_fixed(*size, *scale, value, out)?,
        (Plan::Enum(symbols), Value::String(text)) => match symbols.iter().position(|symbol| symbol == text) {
            Some(index) => put_long(index as i64, out),
            None => {
                let symbols = symbols.join(", ");
                return unfit(format!(
                    "enum value '{text}' is not in the enum symbol set: [{symbols}]"
                ));
            }
        },
        (Plan::Array(items), Value::Array(values)) => {
            put_count(values.len(), out);
            for value in values {
                write(items, value, out)?;
            }
            out.push(0);
        }
        (Plan::Map(inner), Value::Map(entries)) => {
            put_count(entries.len(), out);
            for (key, value) in entries {
                write(&Plan::String, key, out)?;
                write(inner, value, out)?;
            }
            out.push(0);
        }
        (Plan::Entries(fields), Value::Map(entries)) => {
            put_count(entries.len(), out);
            for (key, value) in entries {
                for field in fields {
                    match field {
                        Entry::Key(plan) => write(plan, key, out)?,
                        Entry::Value(plan) => write(plan, value, out)?,
                    }
                }
            }
            out.push(0);
        }
        (Plan::Record(fields), Value::Struct(values)) => write_record(fields, values, out)?,
        (plan, value) => return Err(mismatch(plan.name(), value)),
    }
    Ok(())
}

fn write_record(fields: &[Field], values: &[Value], out: &mut Vec<u8>) -> Result<(), Fault> {
    for field in fields {
        match field {
            Field::Constant(bytes) => out.extend_from_slice(bytes),
            Field::Value { index, default, plan } => {
                let value = match (values.get(*index), default) {
                    (None, _) => return Err(ConvertError::data("Mismatching struct schema").into()),
                    (Some(Value::Null), Some(default)) => default,
                    (Some(value), _) => value,
                };
                write(plan, value, out)?;
            }
        }
    }
    Ok(())
}

fn write_union(null: Option<usize>, branches: &[(usize, Plan)], value: &Value, out: &mut Vec<u8>) -> Result<(), Fault> {
    let set = match value {
        Value::Struct(values) => values.iter().zip(branches).find(|(value, _)| !value.is_null()),
        Value::Null => None,
        other => return Err(mismatch("STRUCT", other)),
    };
    match (set, null) {
        (Some((value, (index, plan))), _) => {
            put_long(*index as i64, out);
            write(plan, value, out)
        }
        (None, Some(null)) => {
            put_long(null as i64, out);
            Ok(())
        }
        (None, None) => Err(ConvertError::data("Found null value for non-optional schema").into()),
    }
}

fn write_fixed(size: usize, scale: Option<i32>, value: &Value, out: &mut Vec<u8>) -> Result<(), Fault> {
    let bytes = match (scale, value) {
        (Some(scale), Value::Decimal(decimal)) => unscaled(scale, decimal)?,
        (None, Value::Bytes(bytes)) if bytes.len() == size => bytes,
        (None, Value::Bytes(bytes)) => {
            return unfit(format!("{} bytes are no fixed type of {size}", bytes.len()));
        }
        (_, value) => return Err(mismatch("BYTES", value)),
    };
    let Some(missing) = size.checked_sub(bytes.len()) else {
        return unfit(format!("a decimal takes more than {size} bytes"));
    };
    let fill = if bytes.first().is_some_and(|byte| byte & 0x80 != 0) {
        0xff
    } else {
        0
    };
    out.resize(out.len() + missing, fill);
    out.extend_from_slice(bytes);
    Ok(())
}

/// A value without a schema: all nine fields, of which one is set.
fn write_anything(value: &Value, depth: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
    if depth >= MAX_DEPTH {
        return unfit(format!("a value is nested deeper than {MAX_DEPTH} levels"));
    }
    let set = match value {
        Value::Null => None,
        Value::Boolean(_) => Some("boolean"),
        Value::Int8(_) | Value::Int16(_) | Value::Int32(_) => Some("int"),
        Value::Int64(_) => Some("long"),
        Value::Float32(_) => Some("float"),
        Value::Float64(_) => Some("double"),
        Value::String(_) => Some("string"),
        Value::Array(_) => Some("array"),
        Value::Map(_) => Some("map"),
        Value::Bytes(_) | Value::Decimal(_) | Value::Date(_) | Value::Struct(_) => {
            let class = value.java_class();
            return Err(ConvertError::data(format!("Unknown Java type for schemaless data: class {class}")).into());
        }
    };
    for field in anything::FIELDS {
        if Some(field) != set {
            out.push(0);
            continue;
        }
        put_long(1, out);
        match value {
            Value::Array(values) => {
                put_count(values.len(), out);
                for value in values {
                    write_anything(value, depth + 1, out)?;
                }
                out.push(0);
            }
            Value::Map(entries) => {
                put_count(entries.len(), out);
                for (key, value) in entries {
                    write_anything(key, depth + 1, out)?;
                    write_anything(value, depth + 1, out)?;
                }
                out.push(0);
            }
            Value::Boolean(_) => write(&Plan::Boolean, value, out)?,
            Value::Float32(_) => write(&Plan::Float, value, out)?,
            Value::Float64(_) => write(&Plan::Double, value, out)?,
            Value::String(_) => write(&Plan::String, value, out)?,
            value => write(&Plan::Long(Number::Plain), value, out)?,
        }
    }
    Ok(())
}

impl Plan {
    /// The type of Kafka Connect, for messages.
    fn name(&self) -> &'static str {
        match self {
            Plan::Boolean => "BOOLEAN",
            Plan::Int(_) => "INT32",
            Plan::Long(_) => "INT64",
            Plan::Float => "FLOAT32",
            Plan::Double => "FLOAT64",
            Plan::String | Plan::Enum(_) => "STRING",
            Plan::Bytes | Plan::Decimal(_) | Plan::Fixed(..) => "BYTES",
            Plan::Array(_) => "ARRAY",
            Plan::Map(_) | Plan::Entries(_) => "MAP",
            Plan::Record(_) | Plan::Union { .. } => "STRUCT",
            Plan::Branch { plan, .. } => plan.name(),
            Plan::Anything => "null",
        }
    }
}

fn mismatch(kind: &str, value: &Value) -> Fault {
    ConvertError::data(format!("Invalid type for {kind}: class {}", value.java_class())).into()
}

fn whole(number: Number, value: &Value) -> Result<i64, Fault> {
    let expected = |name: &str| {
        let class = value.java_class();
        Fault::from(ConvertError::data(format!(
            "Invalid type for {name}, expected Date but was class {class}"
        )))
    };
    Ok(match (number, value) {
        (Number::Logical(Logical::Date), Value::Date(millis)) => logical::date_to_days(*millis)?.into(),
        (Number::Logical(Logical::Time), Value::Date(millis)) => logical::time_to_millis(*millis)?.into(),
        (Number::Logical(Logical::Timestamp), Value::Date(millis)) => *millis,
        (Number::Logical(Logical::Date), _) => return Err(expected("Date")),
        (Number::Logical(Logical::Time), _) => return Err(expected("Time")),
        (Number::Logical(Logical::Timestamp), _) => return Err(expected("Timestamp")),
        (_, Value::Int8(n)) => (*n).into(),
        (_, Value::Int16(n)) => (*n).into(),
        (_, Value::Int32(n)) => (*n).into(),
        (_, Value::Int64(n)) => *n,
        (_, value) => return Err(mismatch("INT64", value)),
    })
}

fn float(value: &Value) -> Result<f32, Fault> {
    Ok(match value {
        Value::Float32(n) => *n,
        Value::Int8(n) => (*n).into(),
        Value::Int16(n) => (*n).into(),
        Value::Int32(n) => *n as f32,
        Value::Int64(n) => *n as f32,
        value => return Err(mismatch("FLOAT32", value)),
    })
}

fn double(value: &Value) -> Result<f64, Fault> {
    Ok(match value {
        Value::Float64(n) => *n,
        Value::Float32(n) => (*n).into(),
        Value::Int8(n) => (*n).into(),
        Value::Int16(n) => (*n).into(),
        Value::Int32(n) => (*n).into(),
        Value::Int64(n) => *n as f64,
        value => return Err(mismatch("FLOAT64", value)),
    })
}

fn unscaled(scale: i32, decimal: &Decimal) -> Result<&[u8], Fault> {
    if scale != decimal.scale {
        let was = decimal.scale;
        return Err(logical::scale_mismatch(scale, was).into());
    }
    Ok(&decimal.unscaled)
}

pub(super) fn put_long(number: i64, out: &mut Vec<u8>) {
    let mut rest = ((number << 1) ^ (number >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

pub(super) fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    put_long(bytes.len() as i64, out);
    out.extend_from_slice(bytes);
}

/// The one block of an array or a map; an empty one has only its end.
pub(super) fn put_count(count: usize, out: &mut Vec<u8>) {
    if count > 0 {
        put_long(count as i64, out);
    }
}

//! Reading values: Avro's binary form straight to values of Kafka Connect, by a plan that was made once per schema.

use caisson_api::{Decimal, Value};

use super::anything;
use crate::fault::Fault;

/// Nesting of values that have no schema.
const MAX_DEPTH: usize = caisson_api::typed::MAX_DEPTH;
/// Elements that take no bytes, such as records without fields: more of them are an attack.
const MAX_EMPTY: u64 = 100_000;
const DAY: i64 = 86_400_000;

/// How to read a type.
#[derive(Clone, Debug)]
pub enum Plan {
    Boolean,
    Int8,
    Int16,
    Int,
    Date,
    Time,
    Long,
    Timestamp,
    Float,
    Double,
    String,
    Bytes,
    /// With the scale.
    Decimal(i32),
    /// With the number of bytes.
    Fixed(usize),
    FixedDecimal(usize, i32),
    Enum(Vec<String>),
    Array(Box<Plan>),
    Map(Box<Plan>),
    /// A map whose keys are no text.
    Entries {
        key: Box<Plan>,
        value: Box<Plan>,
        /// The value comes first.
        swapped: bool,
    },
    Struct(Vec<Plan>),
    /// A union of null, which has this index, and another type.
    Optional(u8, Box<Plan>),
    /// A union of one type.
    One(Box<Plan>),
    /// A union of several types, and the number of fields that its struct has.
    Union(Vec<Branch>, usize),
    /// A value without a schema.
    Anything,
}

#[derive(Clone, Debug)]
pub enum Branch {
    Null,
    /// With the index of the field.
    Field(usize, Plan),
}

/// Reads a whole value.
pub fn decode(plan: &Plan, bytes: &[u8]) -> Result<Value, Fault> {
    let mut reader = Reader {
        rest: bytes,
        empty: MAX_EMPTY,
    };
    match plan {
        // At the top, bytes are written as they are.
        Plan::Bytes => Ok(Value::Bytes(bytes.to_vec())),
        Plan::Decimal(scale) => Ok(Value::Decimal(Decimal::new(bytes, *scale))),
        plan => reader.value(plan),
    }
}

struct Reader<'b> {
    rest: &'b [u8],
    /// Elements without bytes that may still come.
    empty: u64,
}

fn malformed<T>(message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::format("org.apache.avro.AvroRuntimeException", message))
}

impl<'b> Reader<'b> {
    fn value(&mut self, plan: &Plan) -> Result<Value, Fault> {
        Ok(match plan {
            Plan::Boolean => Value::Boolean(self.take(1)? == [1]),
            Plan::Int8 => Value::Int8(self.int()? as i8),
            Plan::Int16 => Value::Int16(self.int()? as i16),
            Plan::Int => Value::Int32(self.int()?),
            Plan::Date => Value::Date(i64::from(self.int()?) * DAY),
            Plan::Time => {
                let millis = self.int()?;
                Value::Date(caisson_convert::logical::time_from_millis(millis)?)
            }
            Plan::Long => Value::Int64(self.long()?),
            Plan::Timestamp => Value::Date(self.long()?),
            Plan::Float => Value::Float32(f32::from_le_bytes(self.chunk()?)),
            Plan::Double => Value::Float64(f64::from_le_bytes(self.chunk()?)),
            Plan::String => Value::String(self.text()?),
            Plan::Bytes => Value::Bytes(self.bytes()?.to_vec()),
            Plan::Decimal(scale) => Value::Decimal(Decimal::new(self.bytes()?, *scale)),
            Plan::Fixed(size) => Value::Bytes(self.take(*size)?.to_vec()),
            Plan::FixedDecimal(size, scale) => Value::Decimal(Decimal::new(self.take(*size)?, *scale)),
            Plan::Enum(symbols) => {
                let index = self.int()?;
                match usize::try_from(index).ok().and_then(|index| symbols.get(index)) {
                    Some(symbol) => Value::String(symbol.clone()),
                    None => return malformed(format!("enumeration has no symbol {index}")),
                }
            }
            Plan::Array(items) => Value::Array(self.items(|reader| reader.value(items))?),
            Plan::Map(values) => Value::Map(unique(
                self.items(|reader| Ok((Value::String(reader.text()?), reader.value(values)?)))?,
            )),
            Plan::Entries { key, value, swapped } => Value::Map(unique(self.items(|reader| {
                if *swapped {
                    let value = reader.value(value)?;
                    Ok((reader.value(key)?, value))
                } else {
                    Ok((reader.value(key)?, reader.value(value)?))
                }
            })?)),
            Plan::Struct(plans) => {
                let mut values = Vec::with_capacity(plans.len());
                for plan in plans {
                    values.push(self.value(plan)?);
                }
                Value::Struct(values)
            }
            Plan::Optional(null, plan) => match self.long()? {
                index if index == i64::from(*null) => Value::Null,
                0 | 1 => self.value(plan)?,
                index => return malformed(format!("union has no branch {index}")),
            },
            Plan::One(plan) => match self.long()? {
                0 => self.value(plan)?,
                index => return malformed(format!("union has no branch {index}")),
            },
            Plan::Union(branches, fields) => self.union(branches, *fields)?,
            Plan::Anything => self.anything(0)?,
        })
    }

    fn union(&mut self, branches: &[Branch], fields: usize) -> Result<Value, Fault> {
        let index = self.long()?;
        match usize::try_from(index).ok().and_then(|index| branches.get(index)) {
            Some(Branch::Null) => Ok(Value::Null),
            Some(Branch::Field(field, plan)) => {
                let mut values = vec![Value::Null; fields];
                values[*field] = self.value(plan)?;
                Ok(Value::Struct(values))
            }
            None => malformed(format!("union has no branch {index}")),
        }
    }

    /// A value that says itself what it is: of the fields, the first that is set.
    fn anything(&mut self, depth: usize) -> Result<Value, Fault> {
        if depth >= MAX_DEPTH {
            return malformed(format!("a value is nested deeper than {MAX_DEPTH} levels"));
        }
        let mut found = Value::Null;
        for field in anything::FIELDS {
            match self.long()? {
                0 => continue,
                1 => {}
                index => return malformed(format!("union has no branch {index}")),
            }
            let value = match field {
                "boolean" => self.value(&Plan::Boolean)?,
                "bytes" => self.value(&Plan::Bytes)?,
                "double" => self.value(&Plan::Double)?,
                "float" => self.value(&Plan::Float)?,
                "int" => self.value(&Plan::Int)?,
                "long" => self.value(&Plan::Long)?,
                "string" => self.value(&Plan::String)?,
                "array" => Value::Array(self.items(|reader| reader.anything(depth + 1))?),
                _ => {
                    Value::Map(unique(self.items(|reader| {
                        Ok((reader.anything(depth + 1)?, reader.anything(depth + 1)?))
                    })?))
                }
            };
            if found.is_null() {
                found = value;
            }
        }
        Ok(found)
    }

    /// The elements of an array or a map: blocks, each with its number of elements, until one of none.
    fn items<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
        let mut items = Vec::new();
        loop {
            let mut count = self.long()?;
            if count == 0 {
                return Ok(items);
            }
            if count < 0 {
                // The size of the block, for those who skip it.
                self.long()?;
                count = count.checked_neg().unwrap_or(i64::MAX);
            }
            // An element of one byte at least is no more than there are bytes; elsewhere `empty` ends it.
            let expected = usize::try_from(count).unwrap_or(usize::MAX);
            items.reserve(expected.min(self.rest.len()).min(1024));
            for _ in 0..count {
                let before = self.rest.len();
                items.push(item(self)?);
                if self.rest.len() == before {
                    let Some(left) = self.empty.checked_sub(1) else {
                        return malformed(format!("more than {MAX_EMPTY} elements without any bytes"));
                    };
                    self.empty = left;
                }
            }
        }
    }

    fn take(&mut self, count: usize) -> Result<&'b [u8], Fault> {
        match self.rest.split_at_checked(count) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(Fault::format("java.io.EOFException", "the value is cut short")),
        }
    }

    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut chunk = [0; N];
        chunk.copy_from_slice(self.take(N)?);
        Ok(chunk)
    }

    fn int(&mut self) -> Result<i32, Fault> {
        let number = self.varint(5)?;
        match u32::try_from(number) {
            Ok(number) => Ok((number >> 1) as i32 ^ -((number & 1) as i32)),
            Err(_) => malformed("Invalid int encoding"),
        }
    }

    fn long(&mut self) -> Result<i64, Fault> {
        let number = self.varint(10)?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    fn varint(&mut self, most: usize) -> Result<u64, Fault> {
        let mut number = 0_u64;
        for (index, byte) in self.rest.iter().take(most).enumerate() {
            number |= u64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                self.rest = &self.rest[index + 1..];
                return Ok(number);
            }
        }
        if self.rest.len() < most {
            Err(Fault::format("java.io.EOFException", "the value is cut short"))
        } else {
            malformed("Invalid long encoding")
        }
    }

    fn bytes(&mut self) -> Result<&'b [u8], Fault> {
        let length = self.long()?;
        match usize::try_from(length) {
            Ok(length) => self.take(length),
            Err(_) => malformed(format!("Malformed data. Length is negative: {length}")),
        }
    }

    /// As Java makes a string of bytes: what is no UTF-8 is replaced.
    fn text(&mut self) -> Result<String, Fault> {
        Ok(String::from_utf8_lossy(self.bytes()?).into_owned())
    }
}

/// Of entries with one key the last one counts, as in a map of Java.
fn unique(entries: Vec<(Value, Value)>) -> Vec<(Value, Value)> {
    caisson_api::value::unique_keys(entries)
}

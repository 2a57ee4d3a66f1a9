//! Writing typed values, appended to the caller's buffer.

use super::{MAX_DEPTH, TypedError, cell, null_bytes};
use crate::schema::{DATE, DECIMAL, Kind, Schema, TIME, TIMESTAMP};
use crate::value::Value;

const DAY: i64 = 86_400_000;

/// Appends the block of a value. A null value has no block: the caller writes the length -1 instead.
pub fn encode(schema: Option<&Schema>, value: &Value, out: &mut Vec<u8>) -> Result<(), TypedError> {
    let base = out.len();
    let mut encoder = Encoder { out, base };
    match (schema, value) {
        (
            Some(Schema {
                kind: Kind::Struct(_), ..
            }),
            Value::Struct(_),
        ) => {
            encoder.aggregate(schema, value, 0)?;
        }
        _ => {
            let at = encoder.block(1)?;
            encoder.slot(schema, value, at, 0, 0)?;
        }
    }
    Ok(())
}

/// Appends the block of a string: what [`encode`] does for it, without making a value first.
pub fn encode_string(text: &str, out: &mut Vec<u8>) {
    let mut head = [0u8; 16];
    head[8] = 16;
    head[12..].copy_from_slice(&(text.len() as u32).to_le_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(text.as_bytes());
}

struct Encoder<'o> {
    out: &'o mut Vec<u8>,
    /// Where the value begins: all positions count from here.
    base: usize,
}

/// A block: where its null bits begin, and how many slots it has.
#[derive(Clone, Copy)]
struct Block {
    at: usize,
    slots: usize,
}

impl Encoder<'_> {
    fn position(&self, at: usize) -> Result<u32, TypedError> {
        u32::try_from(at - self.base).map_err(|_| TypedError::Size)
    }

    /// Lays down an empty block at the next multiple of 8.
    fn block(&mut self, slots: usize) -> Result<Block, TypedError> {
        let at = self.base + (self.out.len() - self.base).next_multiple_of(8);
        let size = null_bytes(slots)
            .checked_add(slots.checked_mul(8).ok_or(TypedError::Size)?)
            .ok_or(TypedError::Size)?;
        self.out.resize(at + size, 0);
        Ok(Block { at, slots })
    }

    fn put(&mut self, block: Block, index: usize, slot: u64) {
        let at = block.at + null_bytes(block.slots) + index * 8;
        self.out[at..at + 8].copy_from_slice(&slot.to_le_bytes());
    }

    fn put_null(&mut self, block: Block, index: usize) {
        self.out[block.at + index / 8] |= 1 << (index % 8);
    }

    /// Appends bytes; the slot that points at them.
    fn bytes(&mut self, bytes: &[u8]) -> Result<u64, TypedError> {
        let position = self.position(self.out.len())?;
        let length = u32::try_from(bytes.len()).map_err(|_| TypedError::Size)?;
        self.out.extend_from_slice(bytes);
        Ok(u64::from(position) | u64::from(length) << 32)
    }

    fn slot(
        &mut self,
        schema: Option<&Schema>,
        value: &Value,
        block: Block,
        index: usize,
        depth: usize,
    ) -> Result<(), TypedError> {
        if depth > MAX_DEPTH {
            return Err(TypedError::Depth);
        }
        if value.is_null() {
            self.put_null(block, index);
            return Ok(());
        }
        let slot = match schema {
            None => self.cell(value, depth)?,
            Some(schema) => match logical(schema, value)? {
                Some(slot) => slot,
                None => self.by_schema(schema, value, depth)?,
            },
        };
        self.put(block, index, slot);
        Ok(())
    }

    fn by_schema(&mut self, schema: &Schema, value: &Value, depth: usize) -> Result<u64, TypedError> {
        Ok(match (&schema.kind, value) {
            (Kind::Int8, Value::Int8(number)) => i64::from(*number) as u64,
            (Kind::Int16, Value::Int16(number)) => i64::from(*number) as u64,
            (Kind::Int32, Value::Int32(number)) => i64::from(*number) as u64,
            (Kind::Int64, Value::Int64(number)) => *number as u64,
            (Kind::Float32, Value::Float32(number)) => u64::from(number.to_bits()),
            (Kind::Float64, Value::Float64(number)) => number.to_bits(),
            (Kind::Boolean, Value::Boolean(truth)) => u64::from(*truth),
            (Kind::String, Value::String(text)) => self.bytes(text.as_bytes())?,
            (Kind::Bytes, Value::Bytes(bytes)) => self.bytes(bytes)?,
            (Kind::Bytes, Value::Decimal(decimal)) => self.bytes(&decimal.unscaled)?,
            (Kind::Array(_), Value::Array(_))
            | (Kind::Map(..), Value::Map(_))
            | (Kind::Struct(_), Value::Struct(_)) => self.aggregate(Some(schema), value, depth)?,
            (kind, value) => {
                return Err(TypedError::Mismatch {
                    expected: kind_name(kind),
                    actual: value_name(value),
                });
            }
        })
    }

    /// A nested block and what it holds; the slot that points at it.
    fn aggregate(&mut self, schema: Option<&Schema>, value: &Value, depth: usize) -> Result<u64, TypedError> {
        let kind = schema.map(|schema| &schema.kind);
        match (kind, value) {
            (Some(Kind::Struct(fields)), Value::Struct(values)) => {
                let block = self.block(fields.len())?;
                for (index, field) in fields.iter().enumerate() {
                    let value = values.get(index).unwrap_or(&Value::Null);
                    self.slot(Some(&field.schema), value, block, index, depth + 1)?;
                }
                Ok(u64::from(self.position(block.at)?))
            }
            (_, Value::Array(values)) => {
                let element = match kind {
                    Some(Kind::Array(element)) => Some(&**element),
                    _ => None,
                };
                let block = self.block(values.len())?;
                for (index, value) in values.iter().enumerate() {
                    self.slot(element, value, block, index, depth + 1)?;
                }
                Ok(u64::from(self.position(block.at)?) | (values.len() as u64) << 32)
            }
            (_, Value::Map(pairs)) => {
                let (key_schema, value_schema) = match kind {
                    Some(Kind::Map(key, value)) => (Some(&**key), Some(&**value)),
                    _ => (None, None),
                };
                let block = self.block(pairs.len() * 2)?;
                for (index, (key, value)) in pairs.iter().enumerate() {
                    self.slot(key_schema, key, block, index * 2, depth + 1)?;
                    self.slot(value_schema, value, block, index * 2 + 1, depth + 1)?;
                }
                Ok(u64::from(self.position(block.at)?) | (pairs.len() as u64) << 32)
            }
            (_, value) => Err(TypedError::Mismatch {
                expected: kind.map_or("none", kind_name),
                actual: value_name(value),
            }),
        }
    }

    /// A value without a schema; the slot that points at its cell.
    fn cell(&mut self, value: &Value, depth: usize) -> Result<u64, TypedError> {
        let at = self.base + (self.out.len() - self.base).next_multiple_of(8);
        self.out.resize(at + 16, 0);
        let (kind, slot) = match value {
            Value::Null => {
                return Err(TypedError::Mismatch {
                    expected: "none",
                    actual: "null",
                });
            }
            Value::Boolean(truth) => (cell::BOOLEAN, u64::from(*truth)),
            Value::Int8(number) => (cell::INT8, i64::from(*number) as u64),
            Value::Int16(number) => (cell::INT16, i64::from(*number) as u64),
            Value::Int32(number) => (cell::INT32, i64::from(*number) as u64),
            Value::Int64(number) => (cell::INT64, *number as u64),
            Value::Float32(number) => (cell::FLOAT32, u64::from(number.to_bits())),
            Value::Float64(number) => (cell::FLOAT64, number.to_bits()),
            Value::String(text) => (cell::STRING, self.bytes(text.as_bytes())?),
            Value::Bytes(bytes) => (cell::BYTES, self.bytes(bytes)?),
            Value::Date(at) => (cell::DATE, *at as u64),
            Value::Decimal(decimal) => {
                let mut bytes = decimal.scale.to_le_bytes().to_vec();
                bytes.extend_from_slice(&decimal.unscaled);
                (cell::DECIMAL, self.bytes(&bytes)?)
            }
            Value::Array(_) => (cell::ARRAY, self.aggregate(None, value, depth)?),
            Value::Map(_) => (cell::MAP, self.aggregate(None, value, depth)?),
            Value::Struct(_) => {
                return Err(TypedError::Mismatch {
                    expected: "none",
                    actual: "struct",
                });
            }
        };
        self.out[at] = kind;
        self.out[at + 8..at + 16].copy_from_slice(&slot.to_le_bytes());
        Ok(u64::from(self.position(at)?))
    }
}

/// The slot of a date, time or timestamp.
fn logical(schema: &Schema, value: &Value) -> Result<Option<u64>, TypedError> {
    let Value::Date(at) = value else { return Ok(None) };
    match schema.name.as_deref() {
        Some(DATE) => Ok(Some(at.div_euclid(DAY) as u64)),
        Some(TIME | TIMESTAMP) => Ok(Some(*at as u64)),
        _ => Err(TypedError::Mismatch {
            expected: kind_name(&schema.kind),
            actual: "date",
        }),
    }
}

/// Whether values of this schema are decimals in memory.
pub(super) fn is_decimal(schema: &Schema) -> bool {
    schema.name.as_deref() == Some(DECIMAL)
}

fn kind_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Int8 => "int8",
        Kind::Int16 => "int16",
        Kind::Int32 => "int32",
        Kind::Int64 => "int64",
        Kind::Float32 => "float32",
        Kind::Float64 => "float64",
        Kind::Boolean => "boolean",
        Kind::String => "string",
        Kind::Bytes => "bytes",
        Kind::Array(_) => "array",
        Kind::Map(..) => "map",
        Kind::Struct(_) => "struct",
    }
}

fn value_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Boolean(_) => "boolean",
        Value::Int8(_) => "int8",
        Value::Int16(_) => "int16",
        Value::Int32(_) => "int32",
        Value::Int64(_) => "int64",
        Value::Float32(_) => "float32",
        Value::Float64(_) => "float64",
        Value::String(_) => "string",
        Value::Bytes(_) => "bytes",
        Value::Decimal(_) => "decimal",
        Value::Date(_) => "date",
        Value::Array(_) => "array",
        Value::Map(_) => "map",
        Value::Struct(_) => "struct",
    }
}

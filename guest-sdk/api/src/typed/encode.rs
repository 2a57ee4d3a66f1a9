//! Writing typed values.

use super::{MAX_DEPTH, MILLIS_PER_DAY, TypedError, cell, null_bytes};
use crate::frame::MAX_FRAME;
use crate::schema::{Kind, Logical, Schema, SchemaRef};
use crate::value::{Decimal, Value};

/// Appends a value to `out` and returns true; a null appends nothing and returns false, as it has no block.
///
/// The value has to fit the schema; without one, structs cannot be written. A decimal of another scale than the
/// schema's is brought to it if no digit is lost. After an error `out` is as it was.
pub fn encode(schema: Option<&Schema>, value: &Value, out: &mut Vec<u8>) -> Result<bool, TypedError> {
    if value.is_null() {
        return Ok(false);
    }
    let base = out.len();
    let mut writer = Writer { base, out };
    let written = match (schema.map(|schema| &schema.kind), value) {
        (Some(Kind::Struct(fields)), Value::Struct(values)) => check_len(fields.len(), values.len()).and_then(|()| {
            let block = writer.block(fields.len())?;
            fields
                .iter()
                .zip(values)
                .enumerate()
                .try_for_each(|(i, (field, value))| writer.slot(Some(&field.schema), value, block, i, fields.len(), 1))
        }),
        _ => writer
            .block(1)
            .and_then(|block| writer.slot(schema, value, block, 0, 1, 1)),
    };
    if written.is_err() {
        out.truncate(base);
    }
    written.map(|()| true)
}

fn check_len(fields: usize, values: usize) -> Result<(), TypedError> {
    if fields == values {
        Ok(())
    } else {
        Err(TypedError::Mismatch("Struct schemas do not match.".into()))
    }
}

struct Writer<'o> {
    out: &'o mut Vec<u8>,
    /// Where the value starts, from which positions count.
    base: usize,
}

impl Writer<'_> {
    /// Appends an empty block at the next multiple of 8; returns where it is in `out`.
    fn block(&mut self, slots: usize) -> Result<usize, TypedError> {
        let at = self.aligned()?;
        let size = slots
            .checked_mul(8)
            .filter(|size| *size <= MAX_FRAME)
            .ok_or(TypedError::TooLarge)?;
        self.out.resize(at + null_bytes(slots) + size, 0);
        Ok(at)
    }

    fn aligned(&self) -> Result<usize, TypedError> {
        let at = (self.out.len() - self.base).next_multiple_of(8);
        if at > MAX_FRAME {
            Err(TypedError::TooLarge)
        } else {
            Ok(self.base + at)
        }
    }

    /// Writes slot `index` of the block of `slots` slots at `block`.
    fn slot(
        &mut self,
        schema: Option<&Schema>,
        value: &Value,
        block: usize,
        index: usize,
        slots: usize,
        depth: usize,
    ) -> Result<(), TypedError> {
        if value.is_null() {
            self.out[block + index / 8] |= 1 << (index % 8);
            return Ok(());
        }
        let at = block + null_bytes(slots) + index * 8;
        let word = match schema {
            Some(schema) => self.typed(schema, value, depth)?,
            None => self.cell(value, depth)?,
        };
        self.out[at..at + 8].copy_from_slice(&word.to_le_bytes());
        Ok(())
    }

    /// The content of a slot; what it points at is appended.
    fn typed(&mut self, schema: &Schema, value: &Value, depth: usize) -> Result<u64, TypedError> {
        match (&schema.kind, value) {
            (Kind::Int8, Value::Int8(n)) => Ok(i64::from(*n) as u64),
            (Kind::Int16, Value::Int16(n)) => Ok(i64::from(*n) as u64),
            (Kind::Int32, Value::Int32(n)) => Ok(i64::from(*n) as u64),
            (Kind::Int64, Value::Int64(n)) => Ok(*n as u64),
            (Kind::Int32 | Kind::Int64, Value::Date(ms)) => date(schema, *ms),
            (Kind::Boolean, Value::Boolean(value)) => Ok(u64::from(*value)),
            (Kind::Float32, Value::Float32(n)) => Ok(u64::from(n.to_bits())),
            (Kind::Float64, Value::Float64(n)) => Ok(n.to_bits()),
            (Kind::String, Value::String(text)) => self.bytes(&[text.as_bytes()]),
            (Kind::Bytes, Value::Bytes(bytes)) => self.bytes(&[bytes]),
            (Kind::Bytes, Value::Decimal(decimal)) => self.decimal(schema, decimal),
            (Kind::Array(element), Value::Array(values)) => self.array(Some(element), values, depth),
            (Kind::Map(key, value), Value::Map(entries)) => self.map(Some(key), Some(value), entries, depth),
            (Kind::Struct(fields), Value::Struct(values)) => {
                check_len(fields.len(), values.len())?;
                let block = self.nested(fields.len(), depth)?;
                for (i, (field, value)) in fields.iter().zip(values).enumerate() {
                    self.slot(Some(&field.schema), value, block, i, fields.len(), depth + 1)?;
                }
                Ok(self.point(block, 0))
            }
            _ => Err(mismatch(schema, value)),
        }
    }

    fn nested(&mut self, slots: usize, depth: usize) -> Result<usize, TypedError> {
        if depth >= MAX_DEPTH {
            Err(TypedError::Depth)
        } else {
            self.block(slots)
        }
    }

    fn point(&self, at: usize, length: usize) -> u64 {
        (at - self.base) as u64 | (length as u64) << 32
    }

    /// Appends bytes, unaligned.
    fn bytes(&mut self, parts: &[&[u8]]) -> Result<u64, TypedError> {
        let at = self.out.len();
        let length: usize = parts.iter().map(|part| part.len()).sum();
        if at - self.base + length > MAX_FRAME {
            return Err(TypedError::TooLarge);
        }
        for part in parts {
            self.out.extend_from_slice(part);
        }
        Ok(self.point(at, length))
    }

    fn decimal(&mut self, schema: &Schema, decimal: &Decimal) -> Result<u64, TypedError> {
        let scale = schema
            .scale()
            .map_err(|error| TypedError::Mismatch(error.to_string()))?;
        if scale == decimal.scale {
            return self.bytes(&[&decimal.unscaled]);
        }
        match decimal.with_scale(scale) {
            Some(decimal) => self.bytes(&[&decimal.unscaled]),
            None => Err(TypedError::Mismatch(format!(
                "Decimal value has mismatching scale for given Decimal schema. Schema has scale {scale}, value has \
                 scale {}.",
                decimal.scale
            ))),
        }
    }

    fn array(&mut self, element: Option<&SchemaRef>, values: &[Value], depth: usize) -> Result<u64, TypedError> {
        let block = self.nested(values.len(), depth)?;
        for (i, value) in values.iter().enumerate() {
            self.slot(element.map(AsRef::as_ref), value, block, i, values.len(), depth + 1)?;
        }
        Ok(self.point(block, values.len()))
    }

    fn map(
        &mut self,
        key: Option<&SchemaRef>,
        value: Option<&SchemaRef>,
        entries: &[(Value, Value)],
        depth: usize,
    ) -> Result<u64, TypedError> {
        let slots = entries.len().checked_mul(2).ok_or(TypedError::TooLarge)?;
        let block = self.nested(slots, depth)?;
        for (i, (k, v)) in entries.iter().enumerate() {
            self.slot(key.map(AsRef::as_ref), k, block, 2 * i, slots, depth + 1)?;
            self.slot(value.map(AsRef::as_ref), v, block, 2 * i + 1, slots, depth + 1)?;
        }
        Ok(self.point(block, entries.len()))
    }

    /// Appends a cell, and returns the slot that points at it.
    fn cell(&mut self, value: &Value, depth: usize) -> Result<u64, TypedError> {
        let at = self.aligned()?;
        self.out.resize(at + cell::SIZE, 0);
        let (kind, word) = match value {
            Value::Boolean(value) => (cell::BOOLEAN, u64::from(*value)),
            Value::Int8(n) => (cell::INT8, i64::from(*n) as u64),
            Value::Int16(n) => (cell::INT16, i64::from(*n) as u64),
            Value::Int32(n) => (cell::INT32, i64::from(*n) as u64),
            Value::Int64(n) => (cell::INT64, *n as u64),
            Value::Float32(n) => (cell::FLOAT32, u64::from(n.to_bits())),
            Value::Float64(n) => (cell::FLOAT64, n.to_bits()),
            Value::String(text) => (cell::STRING, self.bytes(&[text.as_bytes()])?),
            Value::Bytes(bytes) => (cell::BYTES, self.bytes(&[bytes])?),
            Value::Array(values) => (cell::ARRAY, self.array(None, values, depth)?),
            Value::Map(entries) => (cell::MAP, self.map(None, None, entries, depth)?),
            Value::Date(ms) => (cell::DATE, *ms as u64),
            Value::Decimal(decimal) => (
                cell::DECIMAL,
                self.bytes(&[&decimal.scale.to_le_bytes(), &decimal.unscaled])?,
            ),
            Value::Struct(_) => {
                return Err(TypedError::Mismatch(
                    "a struct cannot be written without a schema".into(),
                ));
            }
            Value::Null => return Err(TypedError::Mismatch("null has no cell".into())),
        };
        self.out[at] = kind;
        self.out[at + 8..at + 16].copy_from_slice(&word.to_le_bytes());
        Ok(self.point(at, 0))
    }
}

/// The number that a date travels as.
fn date(schema: &Schema, ms: i64) -> Result<u64, TypedError> {
    let number = match schema.logical_type() {
        Some(Logical::Date) => ms.div_euclid(MILLIS_PER_DAY),
        Some(Logical::Time | Logical::Timestamp) => ms,
        Some(Logical::Decimal) | None => return Err(mismatch(schema, &Value::Date(ms))),
    };
    if schema.kind == Kind::Int32 && i32::try_from(number).is_err() {
        return Err(TypedError::Number {
            kind: "int32",
            found: number,
        });
    }
    Ok(number as u64)
}

fn mismatch(schema: &Schema, value: &Value) -> TypedError {
    let name = schema
        .name
        .as_ref()
        .map(|name| format!(" \"{name}\""))
        .unwrap_or_default();
    let (kind, class) = (&schema.kind, value.java_class());
    TypedError::Mismatch(format!(
        "Invalid Java object for schema{name} with type {kind}: class {class} for value"
    ))
}

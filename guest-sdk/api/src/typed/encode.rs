//! Writing typed values.

use super::{BlockAt, Blocks, MILLIS_PER_DAY, TypedError, cell};
use crate::schema::{Field, Kind, Logical, Schema, SchemaRef};
use crate::value::{Decimal, Value};

/// Appends a value to `out` and returns true; a null appends nothing and returns false, as it has no block.
///
/// The value has to fit the schema; without one, structs cannot be written. A decimal of another scale than the
/// schema's is brought to it if no digit is lost. After an error `out` is as it was.
pub fn encode(schema: Option<&Schema>, value: &Value, out: &mut Vec<u8>) -> Result<bool, TypedError> {
    if value.is_null() {
        return Ok(false);
    }
    let mut blocks = Blocks::new(out);
    let written = match (schema.map(|schema| &schema.kind), value) {
        (Some(Kind::Struct(fields)), Value::Struct(values)) => check_len(fields.len(), values.len()).and_then(|()| {
            let block = blocks.block(fields.len())?;
            write_fields(&mut blocks, fields, values, block)
        }),
        _ => blocks
            .block(1)
            .and_then(|block| write(&mut blocks, schema, value, block, 0)),
    };
    if written.is_err() {
        blocks.undo();
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

fn write_fields(blocks: &mut Blocks<'_>, fields: &[Field], values: &[Value], block: BlockAt) -> Result<(), TypedError> {
    fields
        .iter()
        .zip(values)
        .enumerate()
        .try_for_each(|(i, (field, value))| write(blocks, Some(&field.schema), value, block, i))
}

/// Writes a slot; what it points at is appended.
fn write(
    blocks: &mut Blocks<'_>,
    schema: Option<&Schema>,
    value: &Value,
    block: BlockAt,
    index: usize,
) -> Result<(), TypedError> {
    if value.is_null() {
        blocks.null(block, index);
        return Ok(());
    }
    let Some(schema) = schema else {
        return write_cell(blocks, value, block, index);
    };
    match (&schema.kind, value) {
        (Kind::Int8, Value::Int8(n)) => blocks.number(block, index, i64::from(*n)),
        (Kind::Int16, Value::Int16(n)) => blocks.number(block, index, i64::from(*n)),
        (Kind::Int32, Value::Int32(n)) => blocks.number(block, index, i64::from(*n)),
        (Kind::Int64, Value::Int64(n)) => blocks.number(block, index, *n),
        (Kind::Int32 | Kind::Int64, Value::Date(ms)) => blocks.number(block, index, date(schema, *ms)?),
        (Kind::Boolean, Value::Boolean(value)) => blocks.boolean(block, index, *value),
        (Kind::Float32, Value::Float32(n)) => blocks.float32(block, index, *n),
        (Kind::Float64, Value::Float64(n)) => blocks.float64(block, index, *n),
        (Kind::String, Value::String(text)) => blocks.bytes(block, index, text.as_bytes())?,
        (Kind::Bytes, Value::Bytes(bytes)) => blocks.bytes(block, index, bytes)?,
        (Kind::Bytes, Value::Decimal(decimal)) => write_decimal(blocks, schema, decimal, block, index)?,
        (Kind::Array(element), Value::Array(values)) => {
            let nested = blocks.array(block, index, values.len())?;
            write_elements(blocks, Some(element), values, nested)?;
        }
        (Kind::Map(key, value), Value::Map(entries)) => {
            let nested = blocks.map(block, index, entries.len())?;
            write_entries(blocks, Some(key), Some(value), entries, nested)?;
        }
        (Kind::Struct(fields), Value::Struct(values)) => {
            check_len(fields.len(), values.len())?;
            let nested = blocks.structure(block, index, fields.len())?;
            write_fields(blocks, fields, values, nested)?;
        }
        _ => return Err(mismatch(schema, value)),
    }
    Ok(())
}

fn write_elements(
    blocks: &mut Blocks<'_>,
    element: Option<&SchemaRef>,
    values: &[Value],
    block: BlockAt,
) -> Result<(), TypedError> {
    values
        .iter()
        .enumerate()
        .try_for_each(|(i, value)| write(blocks, element.map(AsRef::as_ref), value, block, i))
}

fn write_entries(
    blocks: &mut Blocks<'_>,
    key: Option<&SchemaRef>,
    value: Option<&SchemaRef>,
    entries: &[(Value, Value)],
    block: BlockAt,
) -> Result<(), TypedError> {
    entries.iter().enumerate().try_for_each(|(i, (k, v))| {
        write(blocks, key.map(AsRef::as_ref), k, block, 2 * i)?;
        write(blocks, value.map(AsRef::as_ref), v, block, 2 * i + 1)
    })
}

fn write_decimal(
    blocks: &mut Blocks<'_>,
    schema: &Schema,
    decimal: &Decimal,
    block: BlockAt,
    index: usize,
) -> Result<(), TypedError> {
    let scale = schema
        .scale()
        .map_err(|error| TypedError::Mismatch(error.to_string()))?;
    if scale == decimal.scale {
        return blocks.bytes(block, index, &decimal.unscaled);
    }
    match decimal.with_scale(scale) {
        Some(decimal) => blocks.bytes(block, index, &decimal.unscaled),
        None => Err(TypedError::Mismatch(format!(
            "Decimal value has mismatching scale for given Decimal schema. Schema has scale {scale}, value has \
             scale {}.",
            decimal.scale
        ))),
    }
}

/// Writes a slot that points at a cell: a value that says itself what it is.
fn write_cell(blocks: &mut Blocks<'_>, value: &Value, block: BlockAt, index: usize) -> Result<(), TypedError> {
    let at = blocks.append_cell()?;
    let (kind, word) = match value {
        Value::Boolean(value) => (cell::BOOLEAN, u64::from(*value)),
        Value::Int8(n) => (cell::INT8, i64::from(*n) as u64),
        Value::Int16(n) => (cell::INT16, i64::from(*n) as u64),
        Value::Int32(n) => (cell::INT32, i64::from(*n) as u64),
        Value::Int64(n) => (cell::INT64, *n as u64),
        Value::Float32(n) => (cell::FLOAT32, u64::from(n.to_bits())),
        Value::Float64(n) => (cell::FLOAT64, n.to_bits()),
        Value::String(text) => (cell::STRING, blocks.append(&[text.as_bytes()])?),
        Value::Bytes(bytes) => (cell::BYTES, blocks.append(&[bytes])?),
        Value::Array(values) => {
            let (nested, word) = blocks.detached(block, values.len(), values.len())?;
            write_elements(blocks, None, values, nested)?;
            (cell::ARRAY, word)
        }
        Value::Map(entries) => {
            let slots = entries.len().checked_mul(2).ok_or(TypedError::TooLarge)?;
            let (nested, word) = blocks.detached(block, slots, entries.len())?;
            write_entries(blocks, None, None, entries, nested)?;
            (cell::MAP, word)
        }
        Value::Date(ms) => (cell::DATE, *ms as u64),
        Value::Decimal(decimal) => (
            cell::DECIMAL,
            blocks.append(&[&decimal.scale.to_le_bytes(), &decimal.unscaled])?,
        ),
        Value::Struct(_) => {
            return Err(TypedError::Mismatch(
                "a struct cannot be written without a schema".into(),
            ));
        }
        Value::Null => return Err(TypedError::Mismatch("null has no cell".into())),
    };
    let word = blocks.finish_cell(at, kind, word);
    blocks.word(block, index, word);
    Ok(())
}

/// The number that a date travels as.
fn date(schema: &Schema, ms: i64) -> Result<i64, TypedError> {
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
    Ok(number)
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

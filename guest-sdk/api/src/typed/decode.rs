//! Reading typed values. Every position is checked when it is followed: the bytes may come from a guest.

use super::encode::is_decimal;
use super::{MAX_DEPTH, TypedError, cell, null_bytes};
use crate::schema::{DATE, Kind, Schema, TIME, TIMESTAMP};
use crate::value::{Decimal, Value};

const DAY: i64 = 86_400_000;

/// Reads the whole of a value.
pub fn decode(schema: Option<&Schema>, bytes: &[u8]) -> Result<Value, TypedError> {
    let mut decoder = Decoder::new(TypedView::new(bytes));
    match schema {
        Some(Schema {
            kind: Kind::Struct(_), ..
        }) => decoder.value_at(schema, 0, 0),
        _ => decoder.slot(schema, Block { at: 0, slots: 1 }, 0, 0),
    }
}

/// A typed value of which only some fields may be wanted.
#[derive(Clone, Copy, Debug)]
pub struct TypedView<'a> {
    bytes: &'a [u8],
}

#[derive(Clone, Copy)]
struct Block {
    at: usize,
    slots: usize,
}

impl<'a> TypedView<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        TypedView { bytes }
    }

    /// Field `index` of a struct, without touching the others.
    pub fn field(&self, schema: &Schema, index: usize) -> Result<Value, TypedError> {
        let Kind::Struct(fields) = &schema.kind else {
            return Err(TypedError::Range);
        };
        let field = fields.get(index).ok_or(TypedError::Range)?;
        Decoder::new(*self).slot(
            Some(&field.schema),
            Block {
                at: 0,
                slots: fields.len(),
            },
            index,
            1,
        )
    }

    /// The text of a value that is a string, without copying it; `None` is null.
    pub fn text(&self) -> Result<Option<&'a str>, TypedError> {
        let block = Block { at: 0, slots: 1 };
        if self.is_null(block, 0)? {
            return Ok(None);
        }
        let bytes = self.pointed(self.word(block, 0)?)?;
        std::str::from_utf8(bytes).map(Some).map_err(|_| TypedError::Text)
    }

    /// The raw slot of field `index` of a struct with so many fields, and whether it is null.
    pub fn raw(&self, fields: usize, index: usize) -> Result<Option<u64>, TypedError> {
        let block = Block { at: 0, slots: fields };
        if self.is_null(block, index)? {
            Ok(None)
        } else {
            self.word(block, index).map(Some)
        }
    }

    /// The bytes that a slot of a string or of bytes points at.
    pub fn pointed(&self, slot: u64) -> Result<&'a [u8], TypedError> {
        let (position, length) = (slot as u32 as usize, (slot >> 32) as usize);
        let end = position.checked_add(length).ok_or(TypedError::Range)?;
        self.bytes.get(position..end).ok_or(TypedError::Range)
    }

    fn is_null(&self, block: Block, index: usize) -> Result<bool, TypedError> {
        let byte = self.bytes.get(block.at + index / 8).ok_or(TypedError::Range)?;
        Ok(byte >> (index % 8) & 1 == 1)
    }

    fn word(&self, block: Block, index: usize) -> Result<u64, TypedError> {
        let at = block.at + null_bytes(block.slots) + index * 8;
        let chunk = self
            .bytes
            .get(at..)
            .and_then(<[u8]>::first_chunk)
            .ok_or(TypedError::Range)?;
        Ok(u64::from_le_bytes(*chunk))
    }

    /// A block has to lie within the value, so that a stated count reserves no more than the value's own size.
    fn block(&self, at: usize, slots: usize) -> Result<Block, TypedError> {
        let size = slots
            .checked_mul(8)
            .and_then(|size| size.checked_add(null_bytes(slots)));
        let end = size.and_then(|size| size.checked_add(at)).ok_or(TypedError::Range)?;
        if end > self.bytes.len() {
            Err(TypedError::Range)
        } else {
            Ok(Block { at, slots })
        }
    }
}

/// Follows the positions of one value. What a well-formed value points at never overlaps, so following them reads each
/// byte once; a hostile one that points at the same bytes again and again runs out of budget instead of memory.
struct Decoder<'a> {
    view: TypedView<'a>,
    budget: usize,
}

impl<'a> Decoder<'a> {
    fn new(view: TypedView<'a>) -> Self {
        Decoder {
            view,
            budget: view.bytes.len() + 8,
        }
    }

    fn spend(&mut self, bytes: usize) -> Result<(), TypedError> {
        self.budget = self.budget.checked_sub(bytes).ok_or(TypedError::Range)?;
        Ok(())
    }

    fn pointed(&mut self, slot: u64) -> Result<&'a [u8], TypedError> {
        let bytes = self.view.pointed(slot)?;
        self.spend(bytes.len())?;
        Ok(bytes)
    }

    fn slot(&mut self, schema: Option<&Schema>, block: Block, index: usize, depth: usize) -> Result<Value, TypedError> {
        self.spend(8)?;
        if self.view.is_null(block, index)? {
            return Ok(Value::Null);
        }
        let slot = self.view.word(block, index)?;
        self.value_at(schema, slot, depth)
    }

    fn value_at(&mut self, schema: Option<&Schema>, slot: u64, depth: usize) -> Result<Value, TypedError> {
        if depth > MAX_DEPTH {
            return Err(TypedError::Depth);
        }
        let Some(schema) = schema else {
            return self.cell(slot, depth);
        };
        Ok(match &schema.kind {
            Kind::Int8 => Value::Int8(slot as i8),
            Kind::Int16 => Value::Int16(slot as i16),
            Kind::Int32 => match schema.name.as_deref() {
                Some(DATE) => Value::Date(i64::from(slot as i32) * DAY),
                Some(TIME) => Value::Date(i64::from(slot as i32)),
                _ => Value::Int32(slot as i32),
            },
            Kind::Int64 if schema.name.as_deref() == Some(TIMESTAMP) => Value::Date(slot as i64),
            Kind::Int64 => Value::Int64(slot as i64),
            Kind::Float32 => Value::Float32(f32::from_bits(slot as u32)),
            Kind::Float64 => Value::Float64(f64::from_bits(slot)),
            Kind::Boolean => Value::Boolean(slot != 0),
            Kind::String => Value::String(self.string(slot)?),
            Kind::Bytes if is_decimal(schema) => {
                let unscaled = self.pointed(slot)?.to_vec();
                Value::Decimal(Decimal {
                    unscaled,
                    scale: scale(schema),
                })
            }
            Kind::Bytes => Value::Bytes(self.pointed(slot)?.to_vec()),
            Kind::Struct(fields) => {
                let block = self.view.block(slot as u32 as usize, fields.len())?;
                let field = |index: usize| self.slot(Some(&fields[index].schema), block, index, depth + 1);
                Value::Struct((0..fields.len()).map(field).collect::<Result<_, _>>()?)
            }
            Kind::Array(element) => self.array(Some(element), slot, depth)?,
            Kind::Map(key, value) => self.map(Some((key, value)), slot, depth)?,
        })
    }

    fn string(&mut self, slot: u64) -> Result<String, TypedError> {
        let text = std::str::from_utf8(self.pointed(slot)?).map_err(|_| TypedError::Text)?;
        Ok(text.to_owned())
    }

    fn array(&mut self, element: Option<&Schema>, slot: u64, depth: usize) -> Result<Value, TypedError> {
        let count = (slot >> 32) as usize;
        let block = self.view.block(slot as u32 as usize, count)?;
        let elements = (0..count).map(|index| self.slot(element, block, index, depth + 1));
        Ok(Value::Array(elements.collect::<Result<_, _>>()?))
    }

    fn map(&mut self, schemas: Option<(&Schema, &Schema)>, slot: u64, depth: usize) -> Result<Value, TypedError> {
        let count = (slot >> 32) as usize;
        let block = self
            .view
            .block(slot as u32 as usize, count.checked_mul(2).ok_or(TypedError::Range)?)?;
        let (key_schema, value_schema) = schemas.unzip();
        let pair = |index: usize| {
            let key = self.slot(key_schema, block, index * 2, depth + 1)?;
            Ok((key, self.slot(value_schema, block, index * 2 + 1, depth + 1)?))
        };
        Ok(Value::Map((0..count).map(pair).collect::<Result<_, _>>()?))
    }

    fn cell(&mut self, slot: u64, depth: usize) -> Result<Value, TypedError> {
        let at = slot as u32 as usize;
        let kind = *self.view.bytes.get(at).ok_or(TypedError::Range)?;
        let word = self
            .view
            .bytes
            .get(at + 8..)
            .and_then(<[u8]>::first_chunk)
            .ok_or(TypedError::Range)?;
        let slot = u64::from_le_bytes(*word);
        Ok(match kind {
            cell::BOOLEAN => Value::Boolean(slot != 0),
            cell::INT8 => Value::Int8(slot as i8),
            cell::INT16 => Value::Int16(slot as i16),
            cell::INT32 => Value::Int32(slot as i32),
            cell::INT64 => Value::Int64(slot as i64),
            cell::FLOAT32 => Value::Float32(f32::from_bits(slot as u32)),
            cell::FLOAT64 => Value::Float64(f64::from_bits(slot)),
            cell::STRING => Value::String(self.string(slot)?),
            cell::BYTES => Value::Bytes(self.pointed(slot)?.to_vec()),
            cell::ARRAY => self.array(None, slot, depth)?,
            cell::MAP => self.map(None, slot, depth)?,
            cell::DATE => Value::Date(slot as i64),
            cell::DECIMAL => {
                let (scale, unscaled) = self.pointed(slot)?.split_first_chunk().ok_or(TypedError::Range)?;
                Value::Decimal(Decimal {
                    unscaled: unscaled.to_vec(),
                    scale: i32::from_le_bytes(*scale),
                })
            }
            other => return Err(TypedError::Kind(other)),
        })
    }
}

/// The parameter `scale` of a decimal's schema; a schema without one is the converter's business to refuse.
fn scale(schema: &Schema) -> i32 {
    let parameters = schema.parameters.iter().flatten();
    let mut scales = parameters.filter(|(name, _)| name == "scale");
    scales.next().and_then(|(_, value)| value.parse().ok()).unwrap_or(0)
}

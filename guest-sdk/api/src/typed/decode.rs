//! Reading whole typed values.

use super::{MAX_DEPTH, MILLIS_PER_DAY, TypedError, cell, null_bytes};
use crate::schema::{Field, Kind, Logical, Schema};
use crate::value::{Decimal, Value};

/// Reads a typed value. Never panics, and never makes more of `bytes` than they can honestly hold.
pub fn decode(schema: Option<&Schema>, bytes: &[u8]) -> Result<Value, TypedError> {
    let mut reader = Reader::whole(bytes);
    match schema {
        Some(Schema {
            kind: Kind::Struct(fields),
            ..
        }) => {
            let block = reader.block(0, 0, fields.len())?;
            reader.fields(fields, &block, 1).map(Value::Struct)
        }
        schema => {
            let block = reader.block(0, 0, 1)?;
            reader.value(schema, &block, 0, 1)
        }
    }
}

/// A block inside the bytes of a value; its slots are known to be there.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    pub at: usize,
    pub slots: usize,
}

impl Block {
    /// What the block's slots point at lies at or behind this place.
    pub fn end(&self) -> usize {
        self.at + null_bytes(self.slots) + self.slots * 8
    }

    /// The index has to be below `slots`.
    pub fn is_null(&self, bytes: &[u8], index: usize) -> bool {
        bytes[self.at + index / 8] >> (index % 8) & 1 == 1
    }

    /// The content of a slot, or `None` if it is null. The index has to be below `slots`.
    pub fn word(&self, bytes: &[u8], index: usize) -> Option<u64> {
        if self.is_null(bytes, index) {
            return None;
        }
        bytes[self.at + null_bytes(self.slots) + index * 8..]
            .first_chunk()
            .map(|word| u64::from_le_bytes(*word))
    }
}

/// Reads the parts of a value.
///
/// A position always lies behind the block that holds it, so there are no cycles. But many slots could point at the
/// same block, and so few bytes could stand for very many values; honest ones do not share, which a budget enforces.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    pub bytes: &'a [u8],
    /// Bytes that blocks, cells, texts and bytes may still cover.
    left: usize,
}

impl<'a> Reader<'a> {
    /// A reader of one value, whose parts are read one after the other.
    pub fn whole(bytes: &'a [u8]) -> Self {
        Reader {
            bytes,
            left: bytes.len(),
        }
    }

    /// A block that a slot of a block ending at `after` points at.
    pub fn block(&mut self, at: usize, after: usize, slots: usize) -> Result<Block, TypedError> {
        if at < after || !at.is_multiple_of(8) {
            return Err(TypedError::Position(at));
        }
        // Eight slots take more than the bytes there are: this also keeps the sums below from overflowing.
        if slots > self.bytes.len() / 8 {
            return Err(TypedError::Short(self.bytes.len()));
        }
        let block = Block { at, slots };
        if at > self.bytes.len() || block.end() > self.bytes.len() {
            return Err(TypedError::Short(self.bytes.len()));
        }
        self.spend(block.end() - at)?;
        Ok(block)
    }

    fn spend(&mut self, bytes: usize) -> Result<(), TypedError> {
        self.left = self.left.checked_sub(bytes).ok_or(TypedError::Overlap)?;
        Ok(())
    }

    /// What a slot of text or bytes points at; `after` is the end of the block or cell that holds the slot.
    pub fn slice(&mut self, word: u64, after: usize) -> Result<&'a [u8], TypedError> {
        let (at, length) = pointer(word);
        if at < after {
            return Err(TypedError::Position(at));
        }
        let slice = at.checked_add(length).and_then(|end| self.bytes.get(at..end));
        self.spend(length)?;
        slice.ok_or(TypedError::Short(self.bytes.len()))
    }

    /// Slot `index` of a block as a value.
    pub fn value(
        &mut self,
        schema: Option<&Schema>,
        block: &Block,
        index: usize,
        depth: usize,
    ) -> Result<Value, TypedError> {
        let Some(word) = block.word(self.bytes, index) else {
            return Ok(Value::Null);
        };
        match schema {
            Some(schema) => self.typed(schema, word, block.end(), depth),
            None => self.cell(word, block.end(), depth),
        }
    }

    fn typed(&mut self, schema: &Schema, word: u64, after: usize, depth: usize) -> Result<Value, TypedError> {
        if let Some(logical) = schema.logical_type() {
            return self.logical(logical, schema, word, after);
        }
        match &schema.kind {
            Kind::Int8 => number(word, "int8").map(Value::Int8),
            Kind::Int16 => number(word, "int16").map(Value::Int16),
            Kind::Int32 => number(word, "int32").map(Value::Int32),
            Kind::Int64 => Ok(Value::Int64(word as i64)),
            Kind::Boolean => boolean(word).map(Value::Boolean),
            Kind::Float32 => float32(word),
            Kind::Float64 => Ok(Value::Float64(f64::from_bits(word))),
            Kind::String => self.text(word, after).map(Value::String),
            Kind::Bytes => Ok(Value::Bytes(self.slice(word, after)?.to_vec())),
            Kind::Array(element) => self.array(Some(element), word, after, depth),
            Kind::Map(key, value) => self.map(Some(key), Some(value), word, after, depth),
            Kind::Struct(fields) => {
                let block = self.nested(pointer(word).0, after, fields.len(), depth)?;
                self.fields(fields, &block, depth + 1).map(Value::Struct)
            }
        }
    }

    fn logical(&mut self, logical: Logical, schema: &Schema, word: u64, after: usize) -> Result<Value, TypedError> {
        match logical {
            Logical::Decimal => {
                let scale = schema
                    .scale()
                    .map_err(|error| TypedError::Mismatch(error.to_string()))?;
                Ok(Value::Decimal(Decimal::new(self.slice(word, after)?, scale)))
            }
            Logical::Date => Ok(Value::Date(i64::from(number::<i32>(word, "int32")?) * MILLIS_PER_DAY)),
            Logical::Time => Ok(Value::Date(number::<i32>(word, "int32")?.into())),
            Logical::Timestamp => Ok(Value::Date(word as i64)),
        }
    }

    fn text(&mut self, word: u64, after: usize) -> Result<String, TypedError> {
        let text = std::str::from_utf8(self.slice(word, after)?).map_err(|_| TypedError::Text)?;
        Ok(text.to_owned())
    }

    fn nested(&mut self, at: usize, after: usize, slots: usize, depth: usize) -> Result<Block, TypedError> {
        if depth >= MAX_DEPTH {
            Err(TypedError::Depth)
        } else {
            self.block(at, after, slots)
        }
    }

    /// The fields of a struct whose block has just been opened: there are as many slots.
    fn fields(&mut self, fields: &[Field], block: &Block, depth: usize) -> Result<Vec<Value>, TypedError> {
        let mut values = Vec::with_capacity(fields.len());
        for (i, field) in fields.iter().enumerate() {
            values.push(self.value(Some(&field.schema), block, i, depth)?);
        }
        Ok(values)
    }

    fn array(&mut self, element: Option<&Schema>, word: u64, after: usize, depth: usize) -> Result<Value, TypedError> {
        let (at, count) = pointer(word);
        let block = self.nested(at, after, count, depth)?;
        let mut values = Vec::with_capacity(count);
        for i in 0..count {
            values.push(self.value(element, &block, i, depth + 1)?);
        }
        Ok(Value::Array(values))
    }

    fn map(
        &mut self,
        key: Option<&Schema>,
        value: Option<&Schema>,
        word: u64,
        after: usize,
        depth: usize,
    ) -> Result<Value, TypedError> {
        let (at, count) = pointer(word);
        let slots = count.checked_mul(2).ok_or(TypedError::Short(self.bytes.len()))?;
        let block = self.nested(at, after, slots, depth)?;
        let mut entries = Vec::with_capacity(count);
        for i in 0..count {
            let key = self.value(key, &block, 2 * i, depth + 1)?;
            entries.push((key, self.value(value, &block, 2 * i + 1, depth + 1)?));
        }
        Ok(Value::Map(entries))
    }

    /// The cell that a slot points at: its kind and content, and where it ends.
    pub fn open_cell(&mut self, word: u64, after: usize) -> Result<(u8, u64, usize), TypedError> {
        let (at, _) = pointer(word);
        if at < after || !at.is_multiple_of(8) {
            return Err(TypedError::Position(at));
        }
        let cell = self
            .bytes
            .get(at..)
            .and_then(|rest| rest.first_chunk::<{ cell::SIZE }>());
        let cell = cell.ok_or(TypedError::Short(self.bytes.len()))?;
        self.spend(cell::SIZE)?;
        let [kind, _, _, _, _, _, _, _, word @ ..] = *cell;
        Ok((kind, u64::from_le_bytes(word), at + cell::SIZE))
    }

    fn cell(&mut self, word: u64, after: usize, depth: usize) -> Result<Value, TypedError> {
        let (kind, word, after) = self.open_cell(word, after)?;
        match kind {
            cell::BOOLEAN => boolean(word).map(Value::Boolean),
            cell::INT8 => number(word, "int8").map(Value::Int8),
            cell::INT16 => number(word, "int16").map(Value::Int16),
            cell::INT32 => number(word, "int32").map(Value::Int32),
            cell::INT64 => Ok(Value::Int64(word as i64)),
            cell::FLOAT32 => float32(word),
            cell::FLOAT64 => Ok(Value::Float64(f64::from_bits(word))),
            cell::STRING => self.text(word, after).map(Value::String),
            cell::BYTES => Ok(Value::Bytes(self.slice(word, after)?.to_vec())),
            cell::ARRAY => self.array(None, word, after, depth),
            cell::MAP => self.map(None, None, word, after, depth),
            cell::DATE => Ok(Value::Date(word as i64)),
            cell::DECIMAL => {
                let bytes = self.slice(word, after)?;
                let (scale, unscaled) = bytes.split_first_chunk().ok_or(TypedError::Short(self.bytes.len()))?;
                Ok(Value::Decimal(Decimal::new(unscaled, i32::from_le_bytes(*scale))))
            }
            other => Err(TypedError::Cell(other)),
        }
    }
}

/// Position, and length or count.
pub fn pointer(word: u64) -> (usize, usize) {
    (word as u32 as usize, (word >> 32) as usize)
}

pub(super) fn number<N: TryFrom<i64>>(word: u64, kind: &'static str) -> Result<N, TypedError> {
    let found = word as i64;
    N::try_from(found).map_err(|_| TypedError::Number { kind, found })
}

pub(super) fn boolean(word: u64) -> Result<bool, TypedError> {
    match word {
        0 => Ok(false),
        1 => Ok(true),
        found => Err(TypedError::Number {
            kind: "boolean",
            found: found as i64,
        }),
    }
}

fn float32(word: u64) -> Result<Value, TypedError> {
    let bits = u32::try_from(word).map_err(|_| TypedError::Number {
        kind: "float32",
        found: word as i64,
    })?;
    Ok(Value::Float32(f32::from_bits(bits)))
}

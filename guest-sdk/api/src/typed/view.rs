//! Reading parts of a typed value, without touching the rest of it.

use super::TypedError;
use super::decode::{Block, Reader, boolean, number, pointer};
use crate::schema::{Kind, Schema};
use crate::value::Value;

/// A typed value under a schema, of which parts are read when they are asked for.
///
/// The slots of the block are known to be there; what they point at is checked when it is read.
#[derive(Clone, Copy, Debug)]
pub struct TypedView<'a> {
    bytes: &'a [u8],
    kind: &'a Kind,
    block: Block,
}

impl<'a> TypedView<'a> {
    /// A struct, array or map: the only values that have parts.
    pub fn new(schema: &'a Schema, bytes: &'a [u8]) -> Result<Self, TypedError> {
        let mut reader = Reader::whole(bytes);
        match &schema.kind {
            kind @ Kind::Struct(fields) => Ok(TypedView {
                bytes,
                kind,
                block: reader.block(0, 0, fields.len())?,
            }),
            kind => {
                let root = TypedView {
                    bytes,
                    kind,
                    block: reader.block(0, 0, 1)?,
                };
                root.open(schema, 0)?
                    .ok_or_else(|| TypedError::Mismatch("null has no parts".into()))
            }
        }
    }

    /// The number of slots: fields, elements, or twice the number of pairs.
    pub fn len(&self) -> usize {
        self.block.slots
    }

    pub fn is_empty(&self) -> bool {
        self.block.slots == 0
    }

    /// The schema of a slot: that of a field, of the elements, or of keys (even) and values (odd).
    pub fn schema(&self, index: usize) -> Option<&'a Schema> {
        match self.kind {
            Kind::Struct(fields) => fields.get(index).map(|field| field.schema.as_ref()),
            Kind::Array(element) => Some(element),
            Kind::Map(key, _) if index.is_multiple_of(2) => Some(key),
            Kind::Map(_, value) => Some(value),
            Kind::Int8
            | Kind::Int16
            | Kind::Int32
            | Kind::Int64
            | Kind::Float32
            | Kind::Float64
            | Kind::Boolean
            | Kind::String
            | Kind::Bytes => None,
        }
    }

    /// The index of a field of a struct.
    pub fn field(&self, name: &str) -> Option<usize> {
        match self.kind {
            Kind::Struct(fields) => fields.iter().position(|field| field.name == name),
            _ => None,
        }
    }

    /// # Panics
    /// If there is no slot `index`.
    pub fn is_null(&self, index: usize) -> bool {
        assert!(index < self.len(), "slot {index} of {}", self.len());
        self.block.is_null(self.bytes, index)
    }

    fn word(&self, index: usize) -> Option<u64> {
        if index < self.len() {
            self.block.word(self.bytes, index)
        } else {
            None
        }
    }

    /// An integer of any width, or what stands for a date, time or timestamp; null gives `None`.
    pub fn int(&self, index: usize) -> Result<Option<i64>, TypedError> {
        let Some(word) = self.word(index) else {
            return Ok(None);
        };
        match self.schema(index).map(|schema| &schema.kind) {
            Some(Kind::Int8) => number::<i8>(word, "int8").map(|n| Some(n.into())),
            Some(Kind::Int16) => number::<i16>(word, "int16").map(|n| Some(n.into())),
            Some(Kind::Int32) => number::<i32>(word, "int32").map(|n| Some(n.into())),
            Some(Kind::Int64) => Ok(Some(word as i64)),
            other => Err(wrong(other, "integer")),
        }
    }

    pub fn float(&self, index: usize) -> Result<Option<f64>, TypedError> {
        let Some(word) = self.word(index) else {
            return Ok(None);
        };
        match self.schema(index).map(|schema| &schema.kind) {
            Some(Kind::Float32) => Ok(Some(f32::from_bits(word as u32).into())),
            Some(Kind::Float64) => Ok(Some(f64::from_bits(word))),
            other => Err(wrong(other, "floating point number")),
        }
    }

    pub fn boolean(&self, index: usize) -> Result<Option<bool>, TypedError> {
        let Some(word) = self.word(index) else {
            return Ok(None);
        };
        match self.schema(index).map(|schema| &schema.kind) {
            Some(Kind::Boolean) => boolean(word).map(Some),
            other => Err(wrong(other, "boolean")),
        }
    }

    pub fn str(&self, index: usize) -> Result<Option<&'a str>, TypedError> {
        let Some(word) = self.word(index) else {
            return Ok(None);
        };
        match self.schema(index).map(|schema| &schema.kind) {
            Some(Kind::String) => {
                let bytes = Reader::whole(self.bytes).slice(word, self.block.end())?;
                std::str::from_utf8(bytes).map(Some).map_err(|_| TypedError::Text)
            }
            other => Err(wrong(other, "string")),
        }
    }

    pub fn bytes(&self, index: usize) -> Result<Option<&'a [u8]>, TypedError> {
        let Some(word) = self.word(index) else {
            return Ok(None);
        };
        match self.schema(index).map(|schema| &schema.kind) {
            Some(Kind::Bytes) => Reader::whole(self.bytes).slice(word, self.block.end()).map(Some),
            other => Err(wrong(other, "bytes")),
        }
    }

    /// The parts of a slot that is itself a struct, array or map.
    pub fn view(&self, index: usize) -> Result<Option<TypedView<'a>>, TypedError> {
        match self.schema(index) {
            Some(schema) => self.open(schema, index),
            None => Err(wrong(None, "struct, array or map")),
        }
    }

    /// `schema` is that of the slot.
    fn open(&self, schema: &'a Schema, index: usize) -> Result<Option<TypedView<'a>>, TypedError> {
        let Some(word) = self.word(index) else {
            return Ok(None);
        };
        let (at, count) = pointer(word);
        let slots = match &schema.kind {
            Kind::Struct(fields) => fields.len(),
            Kind::Array(_) => count,
            Kind::Map(_, _) => count.checked_mul(2).ok_or(TypedError::Short(self.bytes.len()))?,
            other => return Err(wrong(Some(other), "struct, array or map")),
        };
        let block = Reader::whole(self.bytes).block(at, self.block.end(), slots)?;
        Ok(Some(TypedView {
            bytes: self.bytes,
            kind: &schema.kind,
            block,
        }))
    }

    /// A slot as a value, with all that it holds.
    pub fn value(&self, index: usize) -> Result<Value, TypedError> {
        if index >= self.len() {
            return Ok(Value::Null);
        }
        Reader::whole(self.bytes).value(self.schema(index), &self.block, index, 1)
    }
}

fn wrong(found: Option<&Kind>, wanted: &str) -> TypedError {
    TypedError::Mismatch(match found {
        Some(kind) => format!("a slot of type {kind} was read as {wanted}"),
        None => format!("a slot that is not there was read as {wanted}"),
    })
}

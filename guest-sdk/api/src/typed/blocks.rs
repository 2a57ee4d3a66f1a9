//! Writing typed values piece by piece, without a [`Value`](crate::Value) for them: for plugins that turn a wire format
//! into records, where a tree of values per record would be most of the work.

use super::{MAX_DEPTH, TypedError, null_bytes};
use crate::frame::MAX_FRAME;

/// Appends the blocks of one typed value to a buffer. What is written has to fit the schema: nothing here checks it,
/// the worker does.
///
/// ```
/// use caisson_api::schema::{Kind, Schema, SchemaBuilder};
/// use caisson_api::typed::{self, Blocks};
/// use caisson_api::Value;
///
/// let person = SchemaBuilder::structure()
///     .field("id", Schema::new(Kind::Int64))
///     .field("name", Schema::optional(Kind::String))
///     .build()?;
/// let mut out = Vec::new();
/// let mut blocks = Blocks::new(&mut out);
/// let block = blocks.block(2)?;
/// blocks.number(block, 0, 7);
/// blocks.bytes(block, 1, b"Ada")?;
/// let expected = Value::Struct(vec![Value::Int64(7), Value::from("Ada")]);
/// assert_eq!(typed::decode(Some(&person), &out)?, expected);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Blocks<'o> {
    out: &'o mut Vec<u8>,
    /// Where the value starts, from which positions count.
    base: usize,
}

/// A block that was begun; its slots are zero until they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockAt {
    /// Where it is in the buffer.
    at: usize,
    slots: usize,
    depth: usize,
}

impl<'o> Blocks<'o> {
    /// A value that begins at the end of `out`.
    pub fn new(out: &'o mut Vec<u8>) -> Self {
        Blocks { base: out.len(), out }
    }

    /// The outermost block: of a struct one slot per field, of anything else one slot.
    #[inline]
    pub fn block(&mut self, slots: usize) -> Result<BlockAt, TypedError> {
        self.append_block(slots, 1)
    }

    #[inline]
    fn append_block(&mut self, slots: usize, depth: usize) -> Result<BlockAt, TypedError> {
        if depth > MAX_DEPTH {
            return Err(TypedError::Depth);
        }
        let at = self.aligned()?;
        let size = slots
            .checked_mul(8)
            .filter(|size| *size <= MAX_FRAME)
            .ok_or(TypedError::TooLarge)?;
        self.out.resize(at + null_bytes(slots) + size, 0);
        Ok(BlockAt { at, slots, depth })
    }

    #[inline]
    pub(super) fn aligned(&self) -> Result<usize, TypedError> {
        let at = (self.out.len() - self.base).next_multiple_of(8);
        if at > MAX_FRAME {
            Err(TypedError::TooLarge)
        } else {
            Ok(self.base + at)
        }
    }

    /// Makes a slot null.
    #[inline]
    pub fn null(&mut self, block: BlockAt, index: usize) {
        self.out[block.at + index / 8] |= 1 << (index % 8);
    }

    /// The content of a slot.
    #[inline]
    pub(super) fn word(&mut self, block: BlockAt, index: usize, word: u64) {
        let at = block.at + null_bytes(block.slots) + index * 8;
        self.out[at..at + 8].copy_from_slice(&word.to_le_bytes());
    }

    /// A number of any of the four sizes.
    #[inline]
    pub fn number(&mut self, block: BlockAt, index: usize, number: i64) {
        self.word(block, index, number as u64);
    }

    pub fn boolean(&mut self, block: BlockAt, index: usize, value: bool) {
        self.word(block, index, u64::from(value));
    }

    pub fn float32(&mut self, block: BlockAt, index: usize, number: f32) {
        self.word(block, index, u64::from(number.to_bits()));
    }

    pub fn float64(&mut self, block: BlockAt, index: usize, number: f64) {
        self.word(block, index, number.to_bits());
    }

    /// A string, bytes, or the unscaled number of a decimal.
    #[inline]
    pub fn bytes(&mut self, block: BlockAt, index: usize, bytes: &[u8]) -> Result<(), TypedError> {
        let word = self.append(&[bytes])?;
        self.word(block, index, word);
        Ok(())
    }

    /// As [`Blocks::bytes`], of bytes that `write` appends.
    #[inline]
    pub fn bytes_with(
        &mut self,
        block: BlockAt,
        index: usize,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), TypedError> {
        let at = self.out.len();
        write(self.out);
        let length = self.out.len().checked_sub(at).ok_or(TypedError::TooLarge)?;
        if self.out.len() - self.base > MAX_FRAME {
            return Err(TypedError::TooLarge);
        }
        let word = self.point(at, length);
        self.word(block, index, word);
        Ok(())
    }

    /// A struct: its block has one slot per field.
    #[inline]
    pub fn structure(&mut self, block: BlockAt, index: usize, fields: usize) -> Result<BlockAt, TypedError> {
        self.nested(block, index, fields, 0)
    }

    /// An array: its block has one slot per element.
    pub fn array(&mut self, block: BlockAt, index: usize, elements: usize) -> Result<BlockAt, TypedError> {
        self.nested(block, index, elements, elements)
    }

    /// A map: its block has the slots of key, value, key, value….
    pub fn map(&mut self, block: BlockAt, index: usize, pairs: usize) -> Result<BlockAt, TypedError> {
        let slots = pairs.checked_mul(2).ok_or(TypedError::TooLarge)?;
        self.nested(block, index, slots, pairs)
    }

    #[inline]
    fn nested(&mut self, block: BlockAt, index: usize, slots: usize, count: usize) -> Result<BlockAt, TypedError> {
        let (nested, word) = self.detached(block, slots, count)?;
        self.word(block, index, word);
        Ok(nested)
    }

    /// A block that no slot points at yet, and what the one that will has to hold.
    pub(super) fn detached(
        &mut self,
        parent: BlockAt,
        slots: usize,
        count: usize,
    ) -> Result<(BlockAt, u64), TypedError> {
        let nested = self.append_block(slots, parent.depth + 1)?;
        Ok((nested, self.point(nested.at, count)))
    }

    /// What a slot that points at `at` holds.
    #[inline]
    pub(super) fn point(&self, at: usize, length: usize) -> u64 {
        (at - self.base) as u64 | (length as u64) << 32
    }

    /// Appends bytes, unaligned; returns the slot that points at them.
    #[inline]
    pub(super) fn append(&mut self, parts: &[&[u8]]) -> Result<u64, TypedError> {
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

    /// Appends a cell of a kind that is not known yet, aligned; returns where it is.
    pub(super) fn append_cell(&mut self) -> Result<usize, TypedError> {
        let at = self.aligned()?;
        self.out.resize(at + super::cell::SIZE, 0);
        Ok(at)
    }

    pub(super) fn finish_cell(&mut self, at: usize, kind: u8, word: u64) -> u64 {
        self.out[at] = kind;
        self.out[at + 8..at + 16].copy_from_slice(&word.to_le_bytes());
        self.point(at, 0)
    }

    /// Takes back everything.
    pub(super) fn undo(&mut self) {
        self.out.truncate(self.base);
    }
}

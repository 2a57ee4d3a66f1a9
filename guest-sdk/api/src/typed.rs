//! The codec of typed values (`wit/frame.md`, "Typed values").
//!
//! [`encode`] appends a value to a buffer, [`Blocks`] one that is not a [`Value`](crate::Value) yet, [`decode`] reads it back as a whole, and [`TypedView`] reads one field of
//! it without looking at the others. [`Reader`] is for those who turn a value into something else than a
//! [`Value`](crate::Value), such as text.

mod blocks;
mod decode;
mod encode;
mod view;

pub use blocks::{BlockAt, Blocks};
pub use decode::{Block, Reader, decode, pointer};
pub use encode::encode;
pub use view::TypedView;

/// Levels of nesting.
pub const MAX_DEPTH: usize = 64;

const MILLIS_PER_DAY: i64 = 86_400_000;

/// Why a value cannot be written, or bytes cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TypedError {
    #[error("typed value is cut short at byte {0}")]
    Short(usize),
    #[error("typed value: position {0} does not lie behind the block that points at it, or not at a multiple of 8")]
    Position(usize),
    #[error("typed value: blocks overlap")]
    Overlap,
    #[error("typed value is nested deeper than {MAX_DEPTH} levels")]
    Depth,
    #[error("typed value: {found} is no {kind}")]
    Number { kind: &'static str, found: i64 },
    #[error("typed value: text is not UTF-8")]
    Text,
    #[error("typed value: a cell is of kind {0}")]
    Cell(u8),
    #[error("typed value would be larger than a frame can be")]
    TooLarge,
    /// The value does not fit the schema.
    #[error("{0}")]
    Mismatch(String),
}

impl From<TypedError> for crate::Error {
    fn from(error: TypedError) -> Self {
        crate::Error::data(error.to_string())
    }
}

/// Kinds of cells: what a value without a schema says of itself.
pub mod cell {
    /// Bytes of a cell.
    pub const SIZE: usize = 16;
    pub const BOOLEAN: u8 = 1;
    pub const INT8: u8 = 2;
    pub const INT16: u8 = 3;
    pub const INT32: u8 = 4;
    pub const INT64: u8 = 5;
    pub const FLOAT32: u8 = 6;
    pub const FLOAT64: u8 = 7;
    pub const STRING: u8 = 8;
    pub const BYTES: u8 = 9;
    pub const ARRAY: u8 = 10;
    pub const MAP: u8 = 11;
    pub const DATE: u8 = 12;
    pub const DECIMAL: u8 = 13;
}

/// Bytes of the null bits of a block of `slots` slots.
pub fn null_bytes(slots: usize) -> usize {
    slots.div_ceil(64) * 8
}

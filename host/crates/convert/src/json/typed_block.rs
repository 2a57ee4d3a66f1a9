//! JSON without a schema to typed values (`wit/frame.md`): cells, written straight from the parsed text.

use caisson_api::typed::{MAX_DEPTH, TypedError, cell, null_bytes};

use super::node::Node;
use super::number::{double, long};
use super::text::Text;
use crate::ConvertError;

/// Appends the block of a value that is not null.
pub(crate) fn write_block(out: &mut Vec<u8>, node: &Node<'_>) -> Result<(), ConvertError> {
    let mut writer = Writer { base: out.len(), out };
    let block = writer.block(1);
    writer.slot(node, (block, 1), 0, 1)?;
    Ok(())
}

struct Writer<'o> {
    out: &'o mut Vec<u8>,
    /// Where the value starts, from which positions count.
    base: usize,
}

impl Writer<'_> {
    /// Appends an empty block at the next multiple of 8; returns where it is in `out`.
    fn block(&mut self, slots: usize) -> usize {
        let at = self.base + (self.out.len() - self.base).next_multiple_of(8);
        self.out.resize(at + null_bytes(slots) + slots * 8, 0);
        at
    }

    /// Writes slot `index` of the block of `slots` slots at `block`.
    fn slot(
        &mut self,
        node: &Node<'_>,
        (block, slots): (usize, usize),
        index: usize,
        depth: usize,
    ) -> Result<(), TypedError> {
        let cell = match node {
            Node::Null => {
                self.out[block + index / 8] |= 1 << (index % 8);
                return Ok(());
            }
            Node::Boolean(value) => self.cell(cell::BOOLEAN, u64::from(*value)),
            Node::Number(number) if number.is_integral() => self.cell(cell::INT64, long(number) as u64),
            Node::Number(number) => self.cell(cell::FLOAT64, double(number).to_bits()),
            Node::String(text) => self.text(*text),
            Node::Array(nodes) => {
                let cell = self.container(cell::ARRAY, nodes.len(), nodes.len(), depth)?;
                let inner = (cell + cell::SIZE, nodes.len());
                for (index, node) in nodes.iter().enumerate() {
                    self.slot(node, inner, index, depth + 1)?;
                }
                cell
            }
            Node::Object(members) => {
                let slots = members.len() * 2;
                let cell = self.container(cell::MAP, members.len(), slots, depth)?;
                let inner = (cell + cell::SIZE, slots);
                for (index, (name, node)) in members.iter().enumerate() {
                    let name = self.text(*name);
                    self.set(inner, 2 * index, name);
                    self.slot(node, inner, 2 * index + 1, depth + 1)?;
                }
                cell
            }
        };
        self.set((block, slots), index, cell);
        Ok(())
    }

    /// Lets a slot point at the cell at `cell`.
    fn set(&mut self, (block, slots): (usize, usize), index: usize, cell: usize) {
        let at = block + null_bytes(slots) + index * 8;
        self.out[at..at + 8].copy_from_slice(&((cell - self.base) as u64).to_le_bytes());
    }

    /// Appends a cell at the next multiple of 8; returns where it is in `out`.
    fn cell(&mut self, kind: u8, word: u64) -> usize {
        let padding = (self.out.len() - self.base).next_multiple_of(8) - (self.out.len() - self.base);
        self.out.extend_from_slice(&[0; 8][..padding]);
        let at = self.out.len();
        let mut cell = [0; cell::SIZE];
        cell[0] = kind;
        cell[8..].copy_from_slice(&word.to_le_bytes());
        self.out.extend_from_slice(&cell);
        at
    }

    /// A cell of text, which follows it directly.
    fn text(&mut self, text: Text<'_>) -> usize {
        let text = text.decode();
        let end = (self.out.len() - self.base).next_multiple_of(8) + cell::SIZE;
        let at = self.cell(cell::STRING, point(end, text.len()));
        self.out.extend_from_slice(text.as_bytes());
        at
    }

    /// A cell of an array or map, whose block of slots follows it directly.
    fn container(&mut self, kind: u8, count: usize, slots: usize, depth: usize) -> Result<usize, TypedError> {
        if depth >= MAX_DEPTH {
            return Err(TypedError::Depth);
        }
        let end = (self.out.len() - self.base).next_multiple_of(8) + cell::SIZE;
        let at = self.cell(kind, point(end, count));
        self.block(slots);
        Ok(at)
    }
}

/// A position with a length or count.
fn point(at: usize, length: usize) -> u64 {
    at as u64 | (length as u64) << 32
}

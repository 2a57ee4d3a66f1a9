//! JSON without a schema to typed values (`wit/frame.md`): cells, written straight from the parsed text.

use caisson_api::typed::{MAX_DEPTH, TypedError, cell, null_bytes};

use super::node::Node;
use super::number::{double, long};
use crate::ConvertError;

/// Appends the block of a value that is not null.
pub(crate) fn write_block(out: &mut Vec<u8>, node: &Node<'_>) -> Result<(), ConvertError> {
    let mut writer = Writer { base: out.len(), out };
    let block = writer.block(1);
    writer.slot(node, block, 0, 1, 1)?;
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
        let at = self.aligned();
        self.out.resize(at + null_bytes(slots) + slots * 8, 0);
        at
    }

    fn aligned(&self) -> usize {
        self.base + (self.out.len() - self.base).next_multiple_of(8)
    }

    fn slot(
        &mut self,
        node: &Node<'_>,
        block: usize,
        index: usize,
        slots: usize,
        depth: usize,
    ) -> Result<(), TypedError> {
        if matches!(node, Node::Null) {
            self.out[block + index / 8] |= 1 << (index % 8);
            return Ok(());
        }
        let at = self.aligned();
        self.out.resize(at + cell::SIZE, 0);
        let (kind, word) = match node {
            Node::Null => return Ok(()),
            Node::Boolean(value) => (cell::BOOLEAN, u64::from(*value)),
            Node::Number(number) if number.integral => (cell::INT64, long(number) as u64),
            Node::Number(number) => (cell::FLOAT64, double(number).to_bits()),
            Node::String(text) => (cell::STRING, self.text(&text.decode())),
            Node::Array(nodes) => {
                let inner = self.nested(nodes.len(), depth)?;
                for (index, node) in nodes.iter().enumerate() {
                    self.slot(node, inner, index, nodes.len(), depth + 1)?;
                }
                (cell::ARRAY, self.point(inner, nodes.len()))
            }
            Node::Object(members) => {
                let slots = members.len() * 2;
                let inner = self.nested(slots, depth)?;
                for (index, (name, node)) in members.iter().enumerate() {
                    self.name(name, inner, 2 * index, slots);
                    self.slot(node, inner, 2 * index + 1, slots, depth + 1)?;
                }
                (cell::MAP, self.point(inner, members.len()))
            }
        };
        self.set_cell(at, kind, word);
        self.set(block, index, slots, self.point(at, 0));
        Ok(())
    }

    fn name(&mut self, name: &str, block: usize, index: usize, slots: usize) {
        let at = self.aligned();
        self.out.resize(at + cell::SIZE, 0);
        let word = self.text(name);
        self.set_cell(at, cell::STRING, word);
        self.set(block, index, slots, self.point(at, 0));
    }

    fn set(&mut self, block: usize, index: usize, slots: usize, word: u64) {
        let at = block + null_bytes(slots) + index * 8;
        self.out[at..at + 8].copy_from_slice(&word.to_le_bytes());
    }

    fn set_cell(&mut self, at: usize, kind: u8, word: u64) {
        self.out[at] = kind;
        self.out[at + 8..at + 16].copy_from_slice(&word.to_le_bytes());
    }

    fn nested(&mut self, slots: usize, depth: usize) -> Result<usize, TypedError> {
        if depth >= MAX_DEPTH {
            Err(TypedError::Depth)
        } else {
            Ok(self.block(slots))
        }
    }

    fn point(&self, at: usize, length: usize) -> u64 {
        (at - self.base) as u64 | (length as u64) << 32
    }

    fn text(&mut self, text: &str) -> u64 {
        let at = self.out.len();
        self.out.extend_from_slice(text.as_bytes());
        self.point(at, text.len())
    }
}

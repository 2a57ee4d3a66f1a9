//! The types of the pgvector extension.

use super::{Codec, Problem, Slot, number, within};

impl Codec {
    pub(super) fn write_vector(&self, slot: &mut Slot<'_, '_>, text: &[u8]) -> Result<(), Problem> {
        let inner = text
            .strip_prefix(b"[")
            .and_then(|rest| rest.strip_suffix(b"]"))
            .ok_or(Problem::Text("a vector"))?;
        let numbers: Vec<&[u8]> = inner.split(|byte| *byte == b',').filter(|n| !n.is_empty()).collect();
        let block = slot.blocks.array(slot.block, slot.index, numbers.len())?;
        for (index, text) in numbers.iter().enumerate() {
            match self {
                Codec::HalfVector => slot.blocks.float32(block, index, number(text, "a number")?),
                _ => slot.blocks.float64(block, index, number(text, "a number")?),
            }
        }
        Ok(())
    }
}

/// `{1:0.5,3:2}/5`.
pub(super) fn write_sparse_vector(slot: &mut Slot<'_, '_>, text: &[u8]) -> Result<(), Problem> {
    const WHAT: &str = "a sparse vector";
    let text = std::str::from_utf8(text).map_err(|_| Problem::Text(WHAT))?;
    let (list, dimensions) = text
        .strip_prefix('{')
        .and_then(|rest| rest.split_once("}/"))
        .ok_or(Problem::Text(WHAT))?;
    let pairs: Vec<(&str, &str)> = list.split(',').filter_map(|pair| pair.split_once(':')).collect();
    let block = slot.blocks.structure(slot.block, slot.index, 2)?;
    slot.blocks
        .number(block, 0, within::<i16>(dimensions.as_bytes(), WHAT)?);
    let map = slot.blocks.map(block, 1, pairs.len())?;
    for (index, (position, value)) in pairs.into_iter().enumerate() {
        slot.blocks
            .number(map, 2 * index, within::<i16>(position.as_bytes(), WHAT)?);
        slot.blocks.float64(map, 2 * index + 1, number(value.as_bytes(), WHAT)?);
    }
    Ok(())
}

//! Base64 with the standard alphabet and padding, as Jackson writes and reads binary values.

use crate::{Class, ConvertError};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Appends the encoding of `bytes`.
pub(crate) fn encode(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        let digit = |shift: u32| ALPHABET[(bits >> shift & 63) as usize];
        out.push(digit(18));
        out.push(digit(12));
        out.push(if chunk.len() > 1 { digit(6) } else { b'=' });
        out.push(if chunk.len() > 2 { digit(0) } else { b'=' });
    }
}

/// What `text` encodes. White space may stand between units of four characters, padding is required.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, ConvertError> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let mut rest = text.as_bytes();
    while let Some(start) = rest.iter().position(|byte| *byte > b' ') {
        let unit = rest[start..]
            .first_chunk::<4>()
            .ok_or_else(|| broken("unexpected end, padding is required"))?;
        rest = &rest[start + 4..];
        let (count, padding) = match unit {
            [_, _, b'=', b'='] => (1, 2),
            [_, _, _, b'='] => (2, 1),
            _ => (3, 0),
        };
        let mut bits = 0u32;
        for byte in &unit[..4 - padding] {
            bits = bits << 6 | u32::from(digit(*byte).ok_or_else(|| broken("illegal character"))?);
        }
        bits <<= 6 * padding;
        out.extend_from_slice(&bits.to_be_bytes()[1..=count]);
    }
    Ok(out)
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

fn broken(what: &str) -> ConvertError {
    ConvertError::new(
        Class::Foreign("com.fasterxml.jackson.databind.exc.InvalidFormatException"),
        format!("Cannot access contents of TextNode as binary due to broken Base64 encoding: {what}"),
    )
}

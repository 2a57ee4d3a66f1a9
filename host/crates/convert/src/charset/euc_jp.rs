//! EUC-JP: two bytes for JIS X 0208, three for JIS X 0212, which begin with 8F.

use std::collections::HashMap;
use std::sync::Arc;

use encoding_rs::EUC_JP;

use super::double_byte::{DoubleByte, of_the_web, push};
use super::table::{self, NOTHING};

const THREE: u8 = 0x8f;

#[derive(Debug)]
pub(crate) struct EucJp {
    pairs: Arc<DoubleByte>,
    /// By the second and the third byte.
    triples: HashMap<u16, char>,
    /// The second and the third byte of a character.
    bytes: HashMap<char, u16>,
}

impl EucJp {
    pub fn of(pairs: Arc<DoubleByte>) -> EucJp {
        let bytes = (0xa1..=0xfe).flat_map(|second| (0xa1..=0xfe).map(move |third| [second, third]));
        let triples: HashMap<u16, char> = bytes
            .map(|[second, third]| {
                let code = of_the_web(EUC_JP, &[THREE, second, third]);
                (u16::from_be_bytes([second, third]), code)
            })
            .filter(|(_, code)| *code != NOTHING)
            .map(|(bytes, code)| (bytes, table::to_char(code)))
            .collect();
        EucJp {
            bytes: triples.iter().map(|(bytes, character)| (*character, *bytes)).collect(),
            pairs,
            triples,
        }
    }

    /// Whatever begins no character is as long as one.
    pub fn decode(&self, bytes: &[u8]) -> String {
        let mut out = String::with_capacity(bytes.len());
        let mut rest = bytes;
        while let Some(first) = rest.first() {
            let length = match first {
                0..=0x7f => 1,
                &THREE => 3,
                _ => 2,
            };
            let character = match rest.get(..length) {
                Some([first]) => Some(char::from(*first)),
                Some([first, second]) => self.pairs.pair(*first, *second),
                Some([_, second, third]) => self.triples.get(&u16::from_be_bytes([*second, *third])).copied(),
                Some(_) | None => None,
            };
            out.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
            rest = rest.get(length..).unwrap_or_default();
        }
        out
    }

    pub fn encode(&self, text: &str, out: &mut Vec<u8>) {
        for character in text.chars() {
            match (self.pairs.bytes(character), self.bytes.get(&character)) {
                (Some(bytes), _) => push(bytes, out),
                (None, Some(bytes)) => {
                    out.push(THREE);
                    push(*bytes, out);
                }
                (None, None) => out.push(b'?'),
            }
        }
    }
}

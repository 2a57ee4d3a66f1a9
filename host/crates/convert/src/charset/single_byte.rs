//! Charsets whose characters are one byte each.

use super::table;

const FILE: &str = include_str!("single_byte.txt");

/// One of them.
#[derive(Debug)]
pub(crate) struct SingleByte {
    /// By byte.
    characters: [char; 256],
    /// What each character is written as, by character.
    bytes: Vec<(char, u8)>,
}

impl SingleByte {
    pub fn for_name(name: &str) -> Option<SingleByte> {
        let (_, meaning) = table::find(FILE, name)?;
        let (codes, written) = read(meaning)?;
        let characters = codes.map(table::to_char);
        let mut bytes: Vec<(char, u8)> = written
            .into_iter()
            .map(|(character, byte)| (table::to_char(character), byte as u8))
            .chain(characters.into_iter().zip(0..=u8::MAX))
            .filter(|(character, _)| *character != char::REPLACEMENT_CHARACTER)
            .collect();
        // Of several for one character the first counts.
        bytes.sort_by_key(|(character, _)| *character);
        bytes.dedup_by_key(|(character, _)| *character);
        Some(SingleByte { characters, bytes })
    }

    pub fn decode(&self, bytes: &[u8]) -> String {
        bytes.iter().map(|byte| self.characters[usize::from(*byte)]).collect()
    }

    pub fn encode(&self, text: &str, out: &mut Vec<u8>) {
        out.extend(text.chars().map(|character| {
            let known = self.bytes.binary_search_by_key(&character, |(known, _)| *known);
            known.map_or(b'?', |place| self.bytes[place].1)
        }));
    }
}

type Written = Vec<(u16, u16)>;

/// What each byte means, and what is written in another way than it is read.
fn read(meaning: &str) -> Option<([u16; 256], Written)> {
    let (told, written) = table::halves(meaning);
    let written: Written = written.collect::<Option<_>>()?;
    let (first, edits) = told.split_once(' ').unwrap_or((told, ""));
    if let Some((canonical, base)) = table::find(FILE, first)
        && canonical == first
    {
        let (mut codes, written) = read(base)?;
        for edit in edits.split_whitespace() {
            let (byte, code) = edit.split_once('=')?;
            *codes.get_mut(usize::from(table::hex(byte)?))? = table::character(code)?;
        }
        return Some((codes, written));
    }
    let mut codes = Vec::with_capacity(256);
    for token in told.split(' ') {
        let (first, more) = table::run(token)?;
        let first = table::character(first)?;
        codes.extend((0..=more).map(|place| table::nth(first, place)));
    }
    let ascii = 256_usize.checked_sub(codes.len())?;
    let all: Vec<u16> = (0..ascii as u16).chain(codes).collect();
    Some((all.try_into().ok()?, written))
}

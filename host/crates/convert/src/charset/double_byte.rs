//! Charsets whose characters are one byte or two. What the bytes mean is taken from the charsets of the web, and from what
//! Java has differently.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};

use encoding_rs::Encoding;

use super::table::{self, NOTHING};

const FILE: &str = include_str!("double_byte.txt");

/// Charsets that were asked for, by their canonical names: each takes a quarter of a megabyte.
static KNOWN: Mutex<BTreeMap<&str, Arc<DoubleByte>>> = Mutex::new(BTreeMap::new());

/// One of them.
#[derive(Debug)]
pub(crate) struct DoubleByte {
    /// By one byte, and from 256 on by two.
    characters: Vec<u16>,
    /// Whether characters begin with a byte.
    leads: [bool; 256],
    /// By character: its byte, or its two bytes; 0 if it has none.
    bytes: Vec<u16>,
}

impl DoubleByte {
    pub fn for_name(name: &str) -> Option<(&'static str, Arc<DoubleByte>)> {
        let (canonical, meaning) = table::find(FILE, name)?;
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(charset) = known.get(canonical) {
            return Some((canonical, charset.clone()));
        }
        let charset = Arc::new(DoubleByte::read(meaning)?);
        known.insert(canonical, charset.clone());
        Some((canonical, charset))
    }

    fn read(meaning: &str) -> Option<DoubleByte> {
        let (told, written) = table::halves(meaning);
        let mut tokens = told.split(' ');
        let web = Encoding::for_label(tokens.next()?.as_bytes())?;
        let (leads, trails) = tokens.next()?.split_once(':')?;
        let mut characters = vec![NOTHING; 1 << 16];
        for byte in 0..=u8::MAX {
            characters[usize::from(byte)] = of_the_web(web, &[byte]);
        }
        for lead in range(leads)? {
            for trail in range(trails)? {
                characters[usize::from(u16::from_be_bytes([lead, trail]))] = of_the_web(web, &[lead, trail]);
            }
        }
        for token in tokens {
            let (cells, code) = token.split_once('=')?;
            let (first, more) = table::run(cells)?;
            let (first, code) = (table::hex(first)?, table::character(code)?);
            for place in 0..=more {
                *characters.get_mut(usize::from(first + place))? = table::nth(code, place);
            }
        }
        let mut charset = DoubleByte {
            leads: [false; 256],
            bytes: vec![0; 1 << 16],
            characters,
        };
        for (bytes, code) in (0..=u16::MAX).zip(&charset.characters) {
            if *code != NOTHING {
                charset.leads[usize::from(bytes >> 8)] |= bytes > 0xff;
                charset.bytes[usize::from(*code)] = bytes;
            }
        }
        for exception in written {
            let (code, bytes) = exception?;
            charset.bytes[usize::from(code)] = bytes;
        }
        Some(charset)
    }

    /// What a byte means by itself.
    pub fn single(&self, byte: u8) -> Option<char> {
        self.at(u16::from(byte))
    }

    /// What two bytes mean, the first of which means nothing by itself.
    pub fn pair(&self, first: u8, second: u8) -> Option<char> {
        self.at(u16::from_be_bytes([first, second]))
    }

    fn at(&self, bytes: u16) -> Option<char> {
        let code = self.characters[usize::from(bytes)];
        (code != NOTHING).then(|| table::to_char(code))
    }

    /// The byte or the two bytes of a character.
    pub fn bytes(&self, character: char) -> Option<u16> {
        let bytes = *self.bytes.get(character as usize)?;
        (bytes != 0 || character == '\0').then_some(bytes)
    }

    pub fn decode(&self, bytes: &[u8]) -> String {
        let mut out = String::with_capacity(bytes.len());
        let mut rest = bytes;
        while let [first, after @ ..] = rest {
            let (character, length) = match (self.single(*first), after.first()) {
                (Some(character), _) => (character, 1),
                (None, None) => (char::REPLACEMENT_CHARACTER, 1),
                (None, Some(second)) => match self.pair(*first, *second) {
                    Some(character) => (character, 2),
                    None => (char::REPLACEMENT_CHARACTER, self.malformed(*first, *second)),
                },
            };
            out.push(character);
            rest = &rest[length..];
        }
        out
    }

    /// How many bytes become one replacement: the second is spared if something may begin with it.
    fn malformed(&self, first: u8, second: u8) -> usize {
        let is_lead = |byte: u8| self.leads[usize::from(byte)];
        match !is_lead(first) || is_lead(second) || self.single(second).is_some() {
            true => 1,
            false => 2,
        }
    }

    pub fn encode(&self, text: &str, out: &mut Vec<u8>) {
        for character in text.chars() {
            push(self.bytes(character).unwrap_or(u16::from(b'?')), out);
        }
    }
}

/// Appends one byte, or two.
pub(super) fn push(bytes: u16, out: &mut Vec<u8>) {
    match bytes.to_be_bytes() {
        [0, byte] => out.push(byte),
        pair => out.extend_from_slice(&pair),
    }
}

/// The one character that the bytes mean in a charset of the web.
pub(super) fn of_the_web(web: &'static Encoding, bytes: &[u8]) -> u16 {
    let text = web.decode_without_bom_handling_and_without_replacement(bytes);
    let mut characters = text.as_deref().unwrap_or_default().chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) => u16::try_from(character as u32).unwrap_or(NOTHING),
        (_, _) => NOTHING,
    }
}

fn range(text: &str) -> Option<RangeInclusive<u8>> {
    let (first, last) = text.split_once('-')?;
    let byte = |text| u8::try_from(table::hex(text)?).ok();
    Some(byte(first)?..=byte(last)?)
}

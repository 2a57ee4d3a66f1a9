//! GB18030: one byte, two, or four for whatever else Unicode has.

use encoding_rs::GB18030;

use super::double_byte::{DoubleByte, push};

/// Four bytes that mean something else on the web, where these characters have two.
const FOUR: [(u32, char); 18] = [
    (0x8431_8236, '\u{e78d}'),
    (0x8431_8238, '\u{e78e}'),
    (0x8431_8237, '\u{e78f}'),
    (0x8431_8239, '\u{e790}'),
    (0x8431_8330, '\u{e791}'),
    (0x8431_8331, '\u{e792}'),
    (0x8431_8332, '\u{e793}'),
    (0x8431_8333, '\u{e794}'),
    (0x8431_8334, '\u{e795}'),
    (0x8431_8335, '\u{e796}'),
    (0x8235_9037, '\u{e81e}'),
    (0x8235_9038, '\u{e826}'),
    (0x8235_9039, '\u{e82b}'),
    (0x8235_9130, '\u{e82c}'),
    (0x8235_9131, '\u{e832}'),
    (0x8235_9132, '\u{e843}'),
    (0x8235_9133, '\u{e854}'),
    (0x8235_9134, '\u{e864}'),
];

pub(super) fn decode(pairs: &DoubleByte, bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(first) = rest.first() {
        let (character, length) = match (first, rest.get(1)) {
            (0..=0x7f, _) => (Some(char::from(*first)), 1),
            (0x80 | 0xff, _) => (None, 1),
            (_, Some(0x30..=0x39)) => four(rest),
            (_, Some(0..=0x2f)) => (None, 1),
            (first, Some(second)) => (pairs.pair(*first, *second), 2),
            (_, None) => (None, 1),
        };
        out.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
        rest = rest.get(length..).unwrap_or_default();
    }
    out
}

/// What four bytes mean, and how many of them are spoiled if they mean nothing.
fn four(rest: &[u8]) -> (Option<char>, usize) {
    let Some(&[first, second, third, last]) = rest.first_chunk() else {
        return (None, rest.len());
    };
    if !(0x81..=0xfe).contains(&third) {
        return (None, 3);
    }
    let bytes = [first, second, third, last];
    let number = u32::from_be_bytes(bytes);
    if let Some((_, character)) = FOUR.iter().find(|(known, _)| *known == number) {
        return (Some(*character), 4);
    }
    let text = GB18030.decode_without_bom_handling_and_without_replacement(&bytes);
    let mut characters = text.as_deref().unwrap_or_default().chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) => (Some(character), 4),
        (_, _) => (None, 4),
    }
}

pub(super) fn encode(pairs: &DoubleByte, text: &str, out: &mut Vec<u8>) {
    for character in text.chars() {
        let four = FOUR.iter().find(|(_, known)| *known == character);
        match (pairs.bytes(character), four) {
            (Some(bytes), _) => push(bytes, out),
            (None, Some((bytes, _))) => out.extend_from_slice(&bytes.to_be_bytes()),
            (None, None) => out.extend_from_slice(&GB18030.encode(character.encode_utf8(&mut [0; 4])).0),
        }
    }
}

//! ISO-2022-JP: seven bits, and escape sequences that say what the bytes after them mean.

use super::double_byte::DoubleByte;

const ESCAPE: u8 = 0x1b;
const SHIFT_OUT: u8 = 0x0e;
const SHIFT_IN: u8 = 0x0f;

/// What bytes mean until the next escape sequence.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Ascii,
    /// JIS X 0201: ASCII but for two characters.
    Roman,
    Katakana,
    /// JIS X 0208, as EUC-JP has it with the highest bits set.
    Kanji,
}

impl Mode {
    fn of_escape(after: [u8; 2]) -> Option<Mode> {
        match &after {
            b"(B" => Some(Mode::Ascii),
            b"(J" => Some(Mode::Roman),
            b"(I" => Some(Mode::Katakana),
            b"$@" | b"$B" => Some(Mode::Kanji),
            _ => None,
        }
    }

    fn escape(self) -> &'static [u8] {
        match self {
            Mode::Ascii => b"\x1b(B",
            Mode::Roman => b"\x1b(J",
            Mode::Katakana => b"\x1b(I",
            Mode::Kanji => b"\x1b$B",
        }
    }
}

const HIGH: u16 = 0x8080;
const KATAKANA: u32 = 0xff40;
/// What is written for a character that there is not: a wide question mark.
const REPLACEMENT: u16 = 0x2129;

pub(super) fn decode(euc: &DoubleByte, bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    let (mut mode, mut before) = (Mode::Ascii, Mode::Ascii);
    let mut rest = bytes;
    while let Some(first) = rest.first() {
        let (character, length) = match (first, mode) {
            (0x80.., _) => (None, 1),
            (&ESCAPE, _) => match rest {
                [_, second, third, after @ ..] => match Mode::of_escape([*second, *third]) {
                    Some(next) => {
                        (mode, rest) = (next, after);
                        continue;
                    }
                    None if matches!(second, b'(' | b'$') => (None, 3),
                    None => (None, 2),
                },
                short => (None, short.len()),
            },
            (&SHIFT_OUT, _) => {
                (before, mode, rest) = (mode, Mode::Katakana, &rest[1..]);
                continue;
            }
            (&SHIFT_IN, _) => {
                (mode, rest) = (before, &rest[1..]);
                continue;
            }
            (first, Mode::Ascii) => (Some(char::from(*first)), 1),
            (0x5c, Mode::Roman) => (Some('\u{a5}'), 1),
            (0x7e, Mode::Roman) => (Some('\u{203e}'), 1),
            (first, Mode::Roman) => (Some(char::from(*first)), 1),
            (first, Mode::Katakana) if *first >= 0x60 => (None, 1),
            (first, Mode::Katakana) => (char::from_u32(u32::from(*first) + KATAKANA), 1),
            (first, Mode::Kanji) => {
                let second = rest.get(1).filter(|second| second.is_ascii());
                let pair = second.and_then(|second| euc.pair(first | 0x80, second | 0x80));
                (pair, 2)
            }
        };
        out.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
        rest = rest.get(length..).unwrap_or_default();
    }
    out
}

pub(super) fn encode(euc: &DoubleByte, text: &str, out: &mut Vec<u8>) {
    let mut mode = Mode::Ascii;
    for character in text.chars() {
        let (wanted, bytes) = match character {
            '\0'..='\x7f' => (Mode::Ascii, character as u16),
            '\u{a5}' => (Mode::Roman, 0x5c),
            '\u{203e}' => (Mode::Roman, 0x7e),
            '\u{ff61}'..='\u{ff9f}' => (Mode::Katakana, (character as u32 - KATAKANA) as u16),
            other => {
                let pair = euc.bytes(other).filter(|bytes| bytes & HIGH == HIGH);
                (Mode::Kanji, pair.map_or(REPLACEMENT, |bytes| bytes & !HIGH))
            }
        };
        if wanted != mode {
            out.extend_from_slice(wanted.escape());
            mode = wanted;
        }
        super::double_byte::push(bytes, out);
    }
    if mode != Mode::Ascii {
        out.extend_from_slice(Mode::Ascii.escape());
    }
}

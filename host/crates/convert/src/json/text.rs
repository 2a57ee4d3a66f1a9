//! Strings in JSON text: where they end, what their escapes mean, how they are written.

use std::borrow::Cow;

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;
/// What the first byte of a wide character has set.
const WIDE: u64 = 0xf0f0_f0f0_f0f0_f0f0;

/// The position, at or after `at`, of the first byte that is a quote, a backslash or a control character; the end of
/// the bytes if there is none. Eight bytes are looked at in one step.
#[inline]
pub(crate) fn find_special(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let found = special_bytes(word);
        if found != 0 {
            // Only bytes above a true match can be marked falsely, so the lowest mark is right.
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while at < bytes.len() && !is_special(bytes[at]) {
        at += 1;
    }
    at
}

/// Marks bytes that end the plain part of a string, and possibly bytes above one of them.
#[inline]
fn special_bytes(word: u64) -> u64 {
    zero_bytes(word ^ (LOW * b'"' as u64))
        | zero_bytes(word ^ (LOW * b'\\' as u64))
        | (word.wrapping_sub(LOW * 0x20) & !word & HIGH)
}

#[inline]
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(LOW) & !word & HIGH
}

#[inline]
fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// The inside of a JSON string whose escapes are known to be well-formed.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    pub raw: &'a str,
    pub escaped: bool,
}

impl<'a> Text<'a> {
    /// Whether it is this text.
    #[inline]
    pub fn is(&self, text: &str) -> bool {
        if self.escaped {
            unescape(self.raw) == text
        } else {
            self.raw == text
        }
    }

    #[inline]
    pub fn decode(self) -> Cow<'a, str> {
        if self.escaped {
            Cow::Owned(unescape(self.raw))
        } else {
            Cow::Borrowed(self.raw)
        }
    }
}

fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = rest.as_bytes().get(at + 1).copied().unwrap_or(b'\\');
        rest = rest.get(at + 2..).unwrap_or_default();
        match escape {
            b'u' => rest = unescape_unicode(&mut out, rest),
            b'b' => out.push('\u{8}'),
            b'f' => out.push('\u{c}'),
            b'n' => out.push('\n'),
            b'r' => out.push('\r'),
            b't' => out.push('\t'),
            other => out.push(char::from(other)),
        }
    }
    out.push_str(rest);
    out
}

/// Reads the digits after `\u`, and the second half of a surrogate pair. Java keeps a lone half in its string and
/// writes a question mark as soon as it has to be bytes; strings here are UTF-8 from the start.
fn unescape_unicode<'a>(out: &mut String, rest: &'a str) -> &'a str {
    let unit = hex(rest);
    let rest = rest.get(4..).unwrap_or_default();
    if (0xd800..0xdc00).contains(&unit)
        && let Some(second) = rest.strip_prefix("\\u")
        && (0xdc00..0xe000).contains(&hex(second))
    {
        let code = 0x1_0000 + ((unit - 0xd800) << 10) + (hex(second) - 0xdc00);
        out.push(char::from_u32(code).unwrap_or('?'));
        return second.get(4..).unwrap_or_default();
    }
    out.push(char::from_u32(unit).unwrap_or('?'));
    rest
}

fn hex(text: &str) -> u32 {
    text.get(..4)
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .unwrap_or(0xfffd)
}

/// Appends `text` as a JSON string, escaped as Jackson escapes: characters beyond the basic plane as two units of UTF-16.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    if is_plain(bytes) {
        out.extend_from_slice(bytes);
    } else if has_wide(bytes) {
        write_wide(out, text);
    } else {
        write_narrow(out, bytes);
    }
    out.push(b'"');
}

/// Whether a string is written as it stands: there is nothing to escape, and no wide character.
#[inline]
fn is_plain(bytes: &[u8]) -> bool {
    let odd = |word: u64| special_bytes(word) | zero_bytes((word & WIDE) ^ WIDE);
    let (chunks, rest) = bytes.as_chunks::<8>();
    // What is left is looked at with bytes before it, or in two halves that overlap.
    let last = match (bytes.last_chunk::<8>(), rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
        (Some(last), _, _) => u64::from_le_bytes(*last),
        (None, Some(&[a, b, c, d]), Some(&[e, f, g, h])) => u64::from_le_bytes([a, b, c, d, e, f, g, h]),
        (None, _, _) => return !rest.iter().any(|byte| is_special(*byte) || *byte >= 0xf0),
    };
    let found = chunks.iter().map(|chunk| odd(u64::from_le_bytes(*chunk)));
    found.fold(odd(last), |found, odd| found | odd) == 0
}

/// Whether there are characters beyond Unicode's basic plane, whose first byte nothing else has.
#[inline]
pub(crate) fn has_wide(bytes: &[u8]) -> bool {
    bytes.iter().fold(0, |most, byte| most.max(*byte)) >= 0xf0
}

fn write_narrow(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut start = 0;
    loop {
        let special = find_special(bytes, start);
        out.extend_from_slice(&bytes[start..special]);
        let Some(&byte) = bytes.get(special) else {
            break;
        };
        write_escape(out, byte);
        start = special + 1;
    }
}

#[cold]
fn write_wide(out: &mut Vec<u8>, text: &str) {
    for part in text.split_inclusive(|character| character > '\u{ffff}') {
        let wide = part.chars().next_back().filter(|last| *last > '\u{ffff}');
        let narrow = part.len() - wide.map_or(0, char::len_utf8);
        write_narrow(out, &part.as_bytes()[..narrow]);
        for unit in wide.iter().flat_map(|wide| wide.encode_utf16(&mut [0; 2]).to_vec()) {
            out.extend_from_slice(format!("\\u{unit:04X}").as_bytes());
        }
    }
}

#[cold]
fn write_escape(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        0x08 => b'b',
        0x09 => b't',
        0x0a => b'n',
        0x0c => b'f',
        0x0d => b'r',
        _ => {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            out.extend_from_slice(b"\\u00");
            out.push(DIGITS[usize::from(byte >> 4)]);
            out.push(DIGITS[usize::from(byte & 15)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

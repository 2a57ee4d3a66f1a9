//! Java's charsets: names, and what becomes of bytes and characters that do not fit.

use std::borrow::Cow;

use encoding_rs::{EncoderResult, Encoding};

/// A charset that text is written in and read from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Charset {
    Utf8,
    Ascii,
    Latin1,
    /// With a byte order mark when written, detected by it when read.
    Utf16,
    Utf16Be,
    Utf16Le,
    /// Without a byte order mark when written, looked for when read.
    Utf32,
    Utf32Be,
    Utf32Le,
    Windows1252,
    /// One of the many others, which the web knows too.
    Legacy(&'static Encoding),
}

/// Bytes 0x80 to 0x9f of windows-1252; five of them are undefined.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{fffd}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{fffd}', 'Ž', '\u{fffd}', '\u{fffd}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{fffd}', 'ž', 'Ÿ',
];

const REPLACEMENT: char = '\u{fffd}';

impl Charset {
    /// `Charset.forName`
    pub fn for_name(name: &str) -> Option<Charset> {
        Some(match name.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" | "unicode-1-1-utf-8" => Charset::Utf8,
            "us-ascii" | "ascii" | "ascii7" | "ansi_x3.4-1968" | "ansi_x3.4-1986" | "cp367" | "ibm367" | "iso-ir-6"
            | "iso646-us" | "iso_646.irv:1991" | "us" | "646" | "default" | "csascii" => Charset::Ascii,
            "iso-8859-1" | "iso8859-1" | "iso8859_1" | "iso_8859-1" | "iso_8859-1:1987" | "iso_8859_1" | "8859_1"
            | "latin1" | "l1" | "cp819" | "ibm819" | "ibm-819" | "819" | "iso-ir-100" | "csisolatin1" => {
                Charset::Latin1
            }
            "utf-16" | "utf16" | "utf_16" | "unicode" | "unicodebig" => Charset::Utf16,
            "utf-16be" | "utf_16be" | "x-utf-16be" | "iso-10646-ucs-2" | "unicodebigunmarked" => Charset::Utf16Be,
            "utf-16le" | "utf_16le" | "x-utf-16le" | "unicodelittleunmarked" => Charset::Utf16Le,
            "utf-32" | "utf_32" | "utf32" | "iso-10646-ucs-4" | "iso-10646/ucs-4" => Charset::Utf32,
            "utf-32be" | "utf_32be" | "x-utf-32be" => Charset::Utf32Be,
            "utf-32le" | "utf_32le" | "x-utf-32le" => Charset::Utf32Le,
            "windows-1252" | "cp1252" | "cp5348" | "ibm-1252" | "ibm1252" => Charset::Windows1252,
            other => Charset::Legacy(Encoding::for_label_no_replacement(other.as_bytes())?),
        })
    }

    /// Whether the form of the name is one that Java looks up at all (`Charset.checkName`).
    pub fn is_legal_name(name: &str) -> bool {
        !name.is_empty()
            && name.bytes().enumerate().all(|(at, byte)| {
                byte.is_ascii_alphanumeric() || (at > 0 && matches!(byte, b'-' | b'+' | b':' | b'_' | b'.'))
            })
    }

    /// Appends `String.getBytes(charset)`. A character that the charset lacks becomes a question mark.
    pub fn encode(self, text: &str, out: &mut Vec<u8>) {
        match self {
            Charset::Utf8 => out.extend_from_slice(text.as_bytes()),
            Charset::Ascii => out.extend(text.chars().map(|c| if c.is_ascii() { c as u8 } else { b'?' })),
            Charset::Latin1 => out.extend(text.chars().map(|c| u8::try_from(c as u32).unwrap_or(b'?'))),
            Charset::Utf16 => {
                if !text.is_empty() {
                    out.extend_from_slice(&[0xfe, 0xff]);
                }
                out.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
            }
            Charset::Utf16Be => out.extend(text.encode_utf16().flat_map(u16::to_be_bytes)),
            Charset::Utf16Le => out.extend(text.encode_utf16().flat_map(u16::to_le_bytes)),
            Charset::Utf32 | Charset::Utf32Be => out.extend(text.chars().flat_map(|c| u32::from(c).to_be_bytes())),
            Charset::Utf32Le => out.extend(text.chars().flat_map(|c| u32::from(c).to_le_bytes())),
            Charset::Windows1252 => out.extend(text.chars().map(to_windows_1252)),
            Charset::Legacy(encoding) => encode_legacy(encoding, text, out),
        }
    }

    /// `new String(bytes, charset)`. What is malformed becomes U+FFFD.
    pub fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        match self {
            Charset::Utf8 => decode_utf8(bytes),
            Charset::Ascii => bytes
                .iter()
                .map(|b| if b.is_ascii() { char::from(*b) } else { REPLACEMENT })
                .collect(),
            Charset::Latin1 => bytes.iter().map(|byte| char::from(*byte)).collect(),
            Charset::Utf16 => match bytes {
                [0xff, 0xfe, rest @ ..] => decode_utf16(rest, u16::from_le_bytes).into(),
                [0xfe, 0xff, rest @ ..] => decode_utf16(rest, u16::from_be_bytes).into(),
                bytes => decode_utf16(bytes, u16::from_be_bytes).into(),
            },
            Charset::Utf16Be => decode_utf16(bytes, u16::from_be_bytes).into(),
            Charset::Utf16Le => decode_utf16(bytes, u16::from_le_bytes).into(),
            Charset::Utf32 => match bytes {
                [0xff, 0xfe, 0, 0, rest @ ..] => decode_utf32(rest, u32::from_le_bytes).into(),
                [0, 0, 0xfe, 0xff, rest @ ..] => decode_utf32(rest, u32::from_be_bytes).into(),
                bytes => decode_utf32(bytes, u32::from_be_bytes).into(),
            },
            Charset::Utf32Be => decode_utf32(bytes, u32::from_be_bytes).into(),
            Charset::Utf32Le => decode_utf32(bytes, u32::from_le_bytes).into(),
            Charset::Windows1252 => bytes.iter().map(|byte| from_windows_1252(*byte)).collect(),
            Charset::Legacy(encoding) => encoding.decode_without_bom_handling(bytes).0,
        }
    }
}

/// Reads UTF-8 as Java does. It differs from `String::from_utf8_lossy` with encoded surrogates only, which Java takes
/// for one malformed character.
pub(crate) fn decode_utf8(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len() + 8);
    let mut rest = bytes;
    while let Some(chunk) = rest.utf8_chunks().next() {
        out.push_str(chunk.valid());
        if chunk.invalid().is_empty() {
            break;
        }
        out.push(REPLACEMENT);
        rest = &rest[chunk.valid().len()..];
        let skip = match rest {
            [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..] => 3,
            [0xed, 0xa0..=0xbf, ..] => 2,
            _ => chunk.invalid().len(),
        };
        rest = &rest[skip..];
    }
    Cow::Owned(out)
}

fn decode_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let pairs = bytes.chunks_exact(2);
    let odd = !pairs.remainder().is_empty();
    let mut text: String = char::decode_utf16(pairs.map(|pair| unit([pair[0], pair[1]])))
        .map(|decoded| decoded.unwrap_or(REPLACEMENT))
        .collect();
    if odd {
        text.push(REPLACEMENT);
    }
    text
}

fn decode_utf32(bytes: &[u8], code: fn([u8; 4]) -> u32) -> String {
    let units = bytes.chunks_exact(4);
    let rest = units.remainder().len();
    let mut text: String = units
        .map(|unit| char::from_u32(code([unit[0], unit[1], unit[2], unit[3]])).unwrap_or(REPLACEMENT))
        .collect();
    if rest > 0 {
        text.push(REPLACEMENT);
    }
    text
}

fn to_windows_1252(character: char) -> u8 {
    match character as u32 {
        code @ (0..=0x7f | 0xa0..=0xff) => code as u8,
        0xfffd => b'?',
        _ => WINDOWS_1252
            .iter()
            .position(|known| *known == character)
            .map_or(b'?', |at| 0x80 + at as u8),
    }
}

fn from_windows_1252(byte: u8) -> char {
    match byte {
        0x80..=0x9f => WINDOWS_1252[usize::from(byte - 0x80)],
        other => char::from(other),
    }
}

fn encode_legacy(encoding: &'static Encoding, text: &str, out: &mut Vec<u8>) {
    let mut encoder = encoding.new_encoder();
    let mut rest = text;
    loop {
        out.reserve(
            encoder
                .max_buffer_length_from_utf8_without_replacement(rest.len())
                .unwrap_or(rest.len()),
        );
        let (result, read) = encoder.encode_from_utf8_to_vec_without_replacement(rest, out, true);
        rest = &rest[read..];
        match result {
            EncoderResult::InputEmpty => break,
            EncoderResult::OutputFull => {}
            EncoderResult::Unmappable(_) => out.push(b'?'),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_utf8_is_replaced_as_java_replaces_it() {
        for (bytes, text) in [
            (&b"a\xc3"[..], "a\u{fffd}"),
            (b"\xed\xa0\x80", "\u{fffd}"),
            (b"\xed\xa0x", "\u{fffd}x"),
            (b"\xf0\x9f\x98", "\u{fffd}"),
            (b"\xc0\x80", "\u{fffd}\u{fffd}"),
            (b"\xf5ab", "\u{fffd}ab"),
        ] {
            assert_eq!(decode_utf8(bytes), text, "{bytes:x?}");
        }
    }

    #[test]
    fn a_legacy_charset_replaces_what_it_lacks() {
        let mut out = Vec::new();
        if let Some(charset) = Charset::for_name("Shift_JIS") {
            charset.encode("日本😀x", &mut out);
        }
        assert_eq!(out, b"\x93\xfa\x96\x7b?x");
    }
}

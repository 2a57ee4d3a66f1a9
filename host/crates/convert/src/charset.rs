//! Java's charsets: names, and what becomes of bytes and characters that do not fit.

mod double_byte;
mod euc_jp;
mod gb18030;
mod iso_2022_jp;
mod single_byte;
mod table;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::Arc;

use double_byte::DoubleByte;
use euc_jp::EucJp;
use single_byte::SingleByte;

/// A charset that text is written in and read from.
#[derive(Clone, Debug)]
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
    SingleByte(Arc<SingleByte>),
    DoubleByte(Arc<DoubleByte>),
    EucJp(Arc<EucJp>),
    Gb18030(Arc<DoubleByte>),
    /// With the characters of EUC-JP.
    Iso2022Jp(Arc<DoubleByte>),
}

const REPLACEMENT: char = '\u{fffd}';

impl Charset {
    /// `Charset.forName`
    pub fn for_name(name: &str) -> Option<Charset> {
        Some(match name.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" | "unicode-1-1-utf-8" => Charset::Utf8,
            "us-ascii" | "ascii" | "ascii7" | "ansi_x3.4-1968" | "ansi_x3.4-1986" | "cp367" | "ibm367" | "iso-ir-6"
            | "iso646-us" | "iso_646.irv:1983" | "iso_646.irv:1991" | "us" | "646" | "default" | "csascii" => {
                Charset::Ascii
            }
            "iso-8859-1" | "iso8859-1" | "iso8859_1" | "iso_8859-1" | "iso_8859-1:1987" | "iso_8859_1" | "8859_1"
            | "latin1" | "l1" | "cp819" | "ibm819" | "ibm-819" | "819" | "iso-ir-100" | "csisolatin1" => {
                Charset::Latin1
            }
            "utf-16" | "utf16" | "utf_16" | "unicode" | "unicodebig" => Charset::Utf16,
            "utf-16be" | "utf_16be" | "x-utf-16be" | "iso-10646-ucs-2" | "unicodebigunmarked" => Charset::Utf16Be,
            "utf-16le" | "utf_16le" | "x-utf-16le" | "unicodelittleunmarked" => Charset::Utf16Le,
            "utf-32" | "utf_32" | "utf32" => Charset::Utf32,
            "utf-32be" | "utf_32be" | "x-utf-32be" => Charset::Utf32Be,
            "utf-32le" | "utf_32le" | "x-utf-32le" => Charset::Utf32Le,
            "iso-2022-jp" | "csiso2022jp" | "csjisencoding" | "iso2022jp" | "jis" | "jis_encoding" => {
                Charset::Iso2022Jp(DoubleByte::for_name("EUC-JP")?.1)
            }
            other => match DoubleByte::for_name(other) {
                Some(("EUC-JP", pairs)) => Charset::EucJp(Arc::new(EucJp::of(pairs))),
                Some(("GB18030", pairs)) => Charset::Gb18030(pairs),
                Some((_, pairs)) => Charset::DoubleByte(pairs),
                None => Charset::SingleByte(Arc::new(SingleByte::for_name(other)?)),
            },
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
    pub fn encode(&self, text: &str, out: &mut Vec<u8>) {
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
            Charset::SingleByte(charset) => charset.encode(text, out),
            Charset::DoubleByte(charset) => charset.encode(text, out),
            Charset::EucJp(charset) => charset.encode(text, out),
            Charset::Gb18030(pairs) => gb18030::encode(pairs, text, out),
            Charset::Iso2022Jp(euc) => iso_2022_jp::encode(euc, text, out),
        }
    }

    /// `new String(bytes, charset)`. What is malformed becomes U+FFFD.
    pub fn decode<'b>(&self, bytes: &'b [u8]) -> Cow<'b, str> {
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
            Charset::SingleByte(charset) => charset.decode(bytes).into(),
            Charset::DoubleByte(charset) => charset.decode(bytes).into(),
            Charset::EucJp(charset) => charset.decode(bytes).into(),
            Charset::Gb18030(pairs) => gb18030::decode(pairs, bytes).into(),
            Charset::Iso2022Jp(euc) => iso_2022_jp::decode(euc, bytes).into(),
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

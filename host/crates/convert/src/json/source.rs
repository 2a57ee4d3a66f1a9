//! From bytes to the text that is parsed: the encodings that Jackson detects, and its lenience with UTF-8.

use std::borrow::Cow;

use super::fault::{Fault, FaultKind};
use crate::{Class, ConvertError};

/// Hands the text in `bytes` to `read`; what it finds wrong becomes Kafka Connect's error.
pub(crate) fn with_text<R>(bytes: &[u8], read: impl FnOnce(&str) -> Result<R, Fault>) -> Result<R, ConvertError> {
    let source = Source::new(bytes);
    read(&source.text).map_err(|fault| source.error(fault, bytes))
}

/// The text as it stands, if it is plain UTF-8 without a mark in front.
pub(crate) fn plain_text(bytes: &[u8]) -> Option<&str> {
    if is_marked(bytes) {
        None
    } else {
        std::str::from_utf8(bytes).ok()
    }
}

/// Whether the first bytes may be a byte order mark or belong to UTF-16 or UTF-32.
fn is_marked(bytes: &[u8]) -> bool {
    matches!(bytes, [0 | 0xef..=0xff, ..] | [_, 0, ..])
}

struct Source<'a> {
    text: Cow<'a, str>,
    /// Where the text had to be cut because the bytes are no UTF-8, there and in the bytes.
    broken: Option<(usize, usize)>,
}

impl<'a> Source<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        if let Some(text) = plain_text(bytes) {
            return Source {
                text: Cow::Borrowed(text),
                broken: None,
            };
        }
        match detect(bytes) {
            Detected::Utf8(skip) => Source::lenient(&bytes[skip..]),
            Detected::Utf16 { skip, big } => Source {
                text: Cow::Owned(utf16(&bytes[skip..], big)),
                broken: None,
            },
            Detected::Utf32 { skip, big } => Source {
                text: Cow::Owned(utf32(&bytes[skip..], big)),
                broken: None,
            },
        }
    }

    /// Reads UTF-8 as Jackson does: over-long forms and encoded surrogates are accepted, and only what the parser
    /// gets to see matters. The text ends at the first byte that cannot be read.
    fn lenient(bytes: &'a [u8]) -> Self {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return Source {
                text: Cow::Borrowed(text),
                broken: None,
            };
        }
        let mut text = String::with_capacity(bytes.len());
        let mut at = 0;
        while at < bytes.len() {
            let Some((unit, length)) = sequence(&bytes[at..]) else {
                let broken = Some((text.len(), at));
                // Whatever stands here, it is neither white space nor the end.
                text.push('\u{fffd}');
                return Source {
                    text: Cow::Owned(text),
                    broken,
                };
            };
            at += length;
            if (0xd800..0xdc00).contains(&unit)
                && let Some((low @ 0xdc00..=0xdfff, length)) = sequence(&bytes[at..])
            {
                at += length;
                text.push(char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00)).unwrap_or('?'));
            } else {
                text.push(char::from_u32(unit).unwrap_or('?'));
            }
        }
        Source {
            text: Cow::Owned(text),
            broken: None,
        }
    }

    fn error(&self, fault: Fault, bytes: &[u8]) -> ConvertError {
        let (class, message) = match self.broken {
            Some((end, at)) if fault.at >= end || matches!(fault.kind, FaultKind::End(_)) => {
                let fault = Fault {
                    at,
                    kind: FaultKind::Utf8,
                };
                (fault.class(), fault.message(bytes))
            }
            _ => (fault.class(), fault.message(self.text.as_bytes())),
        };
        let cause = ConvertError::new(Class::Serialization, format!("{class}: {message}"))
            .because(ConvertError::new(Class::Foreign(class), message));
        ConvertError::data("Converting byte[] to Kafka Connect data failed due to serialization error: ").because(cause)
    }
}

enum Detected {
    Utf8(usize),
    Utf16 { skip: usize, big: bool },
    Utf32 { skip: usize, big: bool },
}

/// Byte order marks, and the zero bytes around the first character, which is ASCII in JSON (RFC 4627, section 3).
fn detect(bytes: &[u8]) -> Detected {
    match bytes {
        [0, 0, 0xfe, 0xff, ..] => Detected::Utf32 { skip: 4, big: true },
        [0xff, 0xfe, 0, 0, ..] => Detected::Utf32 { skip: 4, big: false },
        [0xfe, 0xff, ..] => Detected::Utf16 { skip: 2, big: true },
        [0xff, 0xfe, ..] => Detected::Utf16 { skip: 2, big: false },
        [0xef, 0xbb, 0xbf, ..] => Detected::Utf8(3),
        [0, 0, 0, _, ..] => Detected::Utf32 { skip: 0, big: true },
        [_, 0, 0, 0, ..] => Detected::Utf32 { skip: 0, big: false },
        [0, _, ..] => Detected::Utf16 { skip: 0, big: true },
        [_, 0, ..] => Detected::Utf16 { skip: 0, big: false },
        _ => Detected::Utf8(0),
    }
}

fn utf16(bytes: &[u8], big: bool) -> String {
    let units = bytes.chunks_exact(2).map(|pair| {
        let pair = [pair[0], pair[1]];
        if big {
            u16::from_be_bytes(pair)
        } else {
            u16::from_le_bytes(pair)
        }
    });
    let mut text: String = char::decode_utf16(units)
        .map(|unit| unit.unwrap_or('\u{fffd}'))
        .collect();
    if bytes.len() % 2 == 1 {
        text.push('\u{fffd}');
    }
    text
}

fn utf32(bytes: &[u8], big: bool) -> String {
    let mut text: String = bytes
        .chunks_exact(4)
        .map(|four| {
            let four = [four[0], four[1], four[2], four[3]];
            let code = if big {
                u32::from_be_bytes(four)
            } else {
                u32::from_le_bytes(four)
            };
            char::from_u32(code).unwrap_or('\u{fffd}')
        })
        .collect();
    if !bytes.len().is_multiple_of(4) {
        text.push('\u{fffd}');
    }
    text
}

/// One sequence of UTF-8 without any check of its range: the code, and the number of bytes.
fn sequence(bytes: &[u8]) -> Option<(u32, usize)> {
    let low = |at: usize| {
        bytes
            .get(at)
            .filter(|byte| *byte & 0xc0 == 0x80)
            .map(|byte| u32::from(byte & 0x3f))
    };
    let first = *bytes.first()?;
    let lead = u32::from(first);
    match first {
        0..=0x7f => Some((lead, 1)),
        0xc0..=0xdf => Some(((lead & 0x1f) << 6 | low(1)?, 2)),
        0xe0..=0xef => Some(((lead & 0x0f) << 12 | low(1)? << 6 | low(2)?, 3)),
        0xf0..=0xf7 => Some(((lead & 0x07) << 18 | low(1)? << 12 | low(2)? << 6 | low(3)?, 4)),
        _ => None,
    }
}

//! Java's `.properties` files: comments, escapes, continued lines, and `=`, `:` or white space between name and value.
//!
//! Bytes that are UTF-8 are read as UTF-8, others as ISO-8859-1, which is what Java's own reader takes.

use crate::error::Error;
use crate::given::Given;

/// Bytes of one file; a configuration that is larger is no configuration.
pub const MAX_BYTES: usize = 8 << 20;
/// Names of one file.
pub const MAX_ENTRIES: usize = 100_000;

/// Reads the bytes of a properties file; `file` is its name for error texts. Of a name given twice the last value counts.
pub fn parse(bytes: &[u8], file: &str) -> Result<Given, Error> {
    if bytes.len() > MAX_BYTES {
        return Err(Error::TooLarge {
            file: file.to_owned(),
            what: "bytes",
            limit: MAX_BYTES,
        });
    }
    let text = decode(bytes);
    let mut given = Given::default();
    for line in logical_lines(&text) {
        let (name, value) = split(&line.text);
        let unescape = |part: &str| {
            unescape(part).map_err(|reason| Error::Properties {
                file: file.to_owned(),
                line: line.number,
                reason,
            })
        };
        given.set(unescape(name)?, Some(unescape(value)?));
        if given.len() > MAX_ENTRIES {
            return Err(Error::TooLarge {
                file: file.to_owned(),
                what: "names",
                limit: MAX_ENTRIES,
            });
        }
    }
    Ok(given)
}

fn decode(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text).to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// A line with its continuations.
struct Line {
    /// Of its first physical line, counted from 1.
    number: usize,
    text: String,
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\u{c}')
}

/// Comments and empty lines left out, continued lines joined. A comment cannot be continued; a continuation that
/// begins with `#` is no comment.
fn logical_lines(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut open: Option<Line> = None;
    for (index, physical) in physical_lines(text).enumerate() {
        let content = physical.trim_start_matches(is_blank);
        let mut line = match open.take() {
            Some(line) => line,
            None if content.is_empty() || content.starts_with(['#', '!']) => continue,
            None => Line {
                number: index + 1,
                text: String::new(),
            },
        };
        if ends_open(content) {
            line.text.push_str(&content[..content.len() - 1]);
            open = Some(line);
        } else {
            line.text.push_str(content);
            lines.push(line);
        }
    }
    lines.extend(open);
    // A backslash alone continues into nothing: Java's reader leaves such a line out.
    lines.retain(|line| !line.text.is_empty());
    lines
}

/// `\r`, `\n` and `\r\n` end a line.
fn physical_lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.find(['\r', '\n']) else {
            rest = None;
            return Some(text);
        };
        let after = &text[end..];
        let skip = if after.starts_with("\r\n") { 2 } else { 1 };
        rest = Some(&after[skip..]);
        Some(&text[..end])
    })
}

fn ends_open(line: &str) -> bool {
    let backslashes = line.bytes().rev().take_while(|byte| *byte == b'\\').count();
    backslashes % 2 == 1
}

/// The name ends at the first unescaped `=`, `:` or blank; blanks and one separator after it are no part of the value.
fn split(line: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = line
        .char_indices()
        .find(|(_, character)| {
            let ends = !escaped && (is_blank(*character) || matches!(character, '=' | ':'));
            escaped = !escaped && *character == '\\';
            ends
        })
        .map_or(line.len(), |(index, _)| index);
    let (name, rest) = line.split_at(end);
    let rest = rest.trim_start_matches(is_blank);
    let value = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    (name, value.trim_start_matches(is_blank))
}

fn unescape(text: &str) -> Result<String, &'static str> {
    if !text.contains('\\') {
        return Ok(text.to_owned());
    }
    // UTF-16, as `\uD83D\uDE00` is one character written as two escapes.
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            units.extend_from_slice(character.encode_utf16(&mut [0; 2]));
            continue;
        }
        match characters.next() {
            Some('u') => units.push(code_unit(&mut characters)?),
            Some('t') => units.push(u16::from(b'\t')),
            Some('n') => units.push(u16::from(b'\n')),
            Some('r') => units.push(u16::from(b'\r')),
            Some('f') => units.push(0xc),
            Some(other) => units.extend_from_slice(other.encode_utf16(&mut [0; 2])),
            None => {}
        }
    }
    Ok(String::from_utf16_lossy(&units))
}

fn code_unit(characters: &mut std::str::Chars<'_>) -> Result<u16, &'static str> {
    let mut unit = 0;
    for _ in 0..4 {
        let digit = characters
            .next()
            .and_then(|character| character.to_digit(16))
            .ok_or("malformed \\uXXXX escape: four hexadecimal digits are needed")?;
        unit = unit * 16 + digit;
    }
    u16::try_from(unit).map_err(|_| "malformed \\uXXXX escape")
}

#[cfg(test)]
mod tests;

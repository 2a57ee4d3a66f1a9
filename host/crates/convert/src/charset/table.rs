//! The files that say what the bytes of charsets mean.

/// What stands where bytes mean nothing.
pub(super) const NOTHING: u16 = 0xfffd;

/// The canonical name of a charset and what is told of it, by any of its names.
pub(super) fn find(file: &'static str, name: &str) -> Option<(&'static str, &'static str)> {
    let mut lines = file.lines().filter(|line| !line.starts_with('#'));
    while let (Some(names), Some(meaning)) = (lines.next(), lines.next()) {
        if names.split(' ').any(|known| known.eq_ignore_ascii_case(name)) {
            return Some((names.split(' ').next()?, meaning.trim_start()));
        }
    }
    None
}

/// What the bytes mean, and what is written in another way than it is read.
pub(super) fn halves(meaning: &str) -> (&str, impl Iterator<Item = Option<(u16, u16)>>) {
    let (read, written) = meaning.split_once(" | ").unwrap_or((meaning, ""));
    let written = written.split_whitespace().map(|token| {
        let (character, bytes) = token.split_once(':')?;
        Some((hex(character)?, hex(bytes)?))
    });
    (read, written)
}

/// `e9`, or `-` for nothing.
pub(super) fn character(text: &str) -> Option<u16> {
    match text {
        "-" => Some(NOTHING),
        text => hex(text),
    }
}

/// `e9`, or `e9+3` for this one and the three after it.
pub(super) fn run(text: &str) -> Option<(&str, u16)> {
    match text.split_once('+') {
        Some((first, more)) => Some((first, hex(more)?)),
        None => Some((text, 0)),
    }
}

/// The character at a place of a run; nothing stays nothing.
pub(super) fn nth(first: u16, place: u16) -> u16 {
    match first {
        NOTHING => NOTHING,
        first => first.wrapping_add(place),
    }
}

pub(super) fn hex(text: &str) -> Option<u16> {
    u16::from_str_radix(text, 16).ok()
}

/// The character of a code; U+FFFD for what means nothing.
pub(super) fn to_char(code: u16) -> char {
    char::from_u32(u32::from(code)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

//! Digits of all scripts, which Java reads as it reads those of ASCII.

use std::borrow::Cow;

/// The zeros of all scripts in Unicode's basic plane, ASCII aside; nine digits follow each. Java looks at texts by units of
/// UTF-16, in which digits of other planes are none.
const ZEROS: [u16; 36] = [
    0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0de6, 0x0e50,
    0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50,
    0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
];

/// `Character.digit` of a decimal number.
pub fn digit_value(character: char) -> Option<u32> {
    if character.is_ascii() {
        return character.to_digit(10);
    }
    let code = u32::from(character);
    let before = ZEROS.partition_point(|zero| u32::from(*zero) <= code);
    let zero = u32::from(*ZEROS.get(before.checked_sub(1)?)?);
    (code - zero < 10).then_some(code - zero)
}

/// The text with ASCII's digits in the place of others.
pub(crate) fn ascii_digits(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let ascii = |character| digit_value(character).and_then(|digit| char::from_digit(digit, 10));
    text.chars()
        .map(|character| ascii(character).unwrap_or(character))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_all_scripts_have_values() {
        assert!(ZEROS.is_sorted());
        for (character, value) in [
            ('7', Some(7)),
            ('a', None),
            ('\u{663}', Some(3)),
            ('\u{66a}', None),
            ('\u{ff19}', Some(9)),
            ('\u{1d7ce}', None),
            ('\u{5d0}', None),
            ('\u{e9}', None),
        ] {
            assert_eq!(digit_value(character), value, "{character}");
        }
        assert_eq!(ascii_digits("-\u{661}\u{662}.5"), "-12.5");
    }
}

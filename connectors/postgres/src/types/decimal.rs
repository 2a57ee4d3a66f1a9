//! Decimal numbers: from the server's digits to unscaled two's complement.

use caisson_sdk::api::value::Decimal;

/// A number cut into its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digits<'a> {
    pub negative: bool,
    pub whole: &'a [u8],
    pub fraction: &'a [u8],
}

impl<'a> Digits<'a> {
    /// `-12.50`; `None` for what is no finite number.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        let (negative, magnitude) = match text.split_first()? {
            (b'-', rest) => (true, rest),
            (b'+', rest) => (false, rest),
            _ => (false, text),
        };
        let (whole, fraction) = match memchr::memchr(b'.', magnitude) {
            Some(point) => (&magnitude[..point], &magnitude[point + 1..]),
            None => (magnitude, &magnitude[..0]),
        };
        let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
        let any = !whole.is_empty() || !fraction.is_empty();
        (any && digits(whole) && digits(fraction)).then_some(Digits {
            negative,
            whole,
            fraction,
        })
    }

    /// The digits behind the point, without zeros at the end.
    pub fn significant_fraction(&self) -> &'a [u8] {
        let used = self.fraction.iter().rposition(|digit| *digit != b'0');
        &self.fraction[..used.map_or(0, |last| last + 1)]
    }

    /// Appends the unscaled number at `scale`, rounded half up: only amounts of money have digits beyond it.
    pub fn write_rounded(&self, scale: usize, out: &mut Vec<u8>) {
        if self.fraction.len() <= scale || self.whole.len() + scale > 37 {
            return self.write_unscaled(scale, out);
        }
        let number = self
            .whole
            .iter()
            .chain(&self.fraction[..scale])
            .fold(0_i128, |number, digit| number * 10 + i128::from(digit - b'0'));
        let number = number + i128::from(self.fraction[scale] >= b'5');
        write_shortest(if self.negative { -number } else { number }, out);
    }

    /// Appends the unscaled number at `scale`. Digits beyond the scale are cut off.
    pub fn write_unscaled(&self, scale: usize, out: &mut Vec<u8>) {
        let kept = &self.fraction[..self.fraction.len().min(scale)];
        let zeros = scale - kept.len();
        if self.whole.len() + scale <= 38 {
            let number = self
                .whole
                .iter()
                .chain(kept)
                .fold(0_i128, |number, digit| number * 10 + i128::from(digit - b'0'));
            let number = number * 10_i128.pow(zeros as u32);
            write_shortest(if self.negative { -number } else { number }, out);
            return;
        }
        let mut text = String::with_capacity(self.whole.len() + scale + 1);
        if self.negative {
            text.push('-');
        }
        text.extend(self.whole.iter().chain(kept).map(|digit| *digit as char));
        text.extend(std::iter::repeat_n('0', zeros));
        if let Some(decimal) = Decimal::from_unscaled_text(&text, 0) {
            out.extend_from_slice(&decimal.unscaled);
        }
    }
}

/// Big-endian two's complement in as few bytes as it takes, one at least.
fn write_shortest(number: i128, out: &mut Vec<u8>) {
    let bytes = number.to_be_bytes();
    let fill = if number < 0 { 0xff } else { 0 };
    let mut start = 0;
    while start < 15 && bytes[start] == fill && (bytes[start + 1] ^ fill) & 0x80 == 0 {
        start += 1;
    }
    out.extend_from_slice(&bytes[start..]);
}

/// What the original calls numbers that have no digits.
pub fn special(text: &[u8]) -> Option<&'static [u8]> {
    match text {
        b"NaN" => Some(b"NAN"),
        b"Infinity" => Some(b"POSITIVE_INFINITY"),
        b"-Infinity" => Some(b"NEGATIVE_INFINITY"),
        _ => None,
    }
}

/// `text` with exactly `scale` digits behind the point, zeros added.
pub fn pad(text: &[u8], scale: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(text);
    let present = match memchr::memchr(b'.', text) {
        Some(point) => text.len() - point - 1,
        None if scale > 0 && text.last().is_some_and(u8::is_ascii_digit) => {
            out.push(b'.');
            0
        }
        // Not a number.
        None => scale,
    };
    out.extend(std::iter::repeat_n(b'0', scale.saturating_sub(present)));
}

/// An amount of money, whatever its currency and separators, as a plain number: `-1234.56`.
pub fn money(text: &[u8]) -> Option<Vec<u8>> {
    let negative = text.iter().any(|byte| matches!(byte, b'-' | b'('));
    // The mark before the last two digits is the point; all others only group.
    let last = text.iter().rposition(u8::is_ascii_digit)?;
    let point = last
        .checked_sub(2)
        .filter(|at| matches!(text[*at], b'.' | b',') && text[*at + 1].is_ascii_digit());
    let mut plain = Vec::with_capacity(text.len());
    if negative {
        plain.push(b'-');
    }
    for (at, byte) in text.iter().enumerate() {
        if byte.is_ascii_digit() {
            plain.push(*byte);
        } else if Some(at) == point {
            plain.push(b'.');
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn unscaled(text: &str, scale: usize) -> Vec<u8> {
        let mut out = Vec::new();
        Digits::parse(text.as_bytes()).unwrap().write_unscaled(scale, &mut out);
        out
    }

    #[test]
    fn numbers_are_twos_complement_in_few_bytes() {
        for (text, scale, bytes) in [
            ("1.10", 2, &[110][..]),
            ("1.28", 2, &[0, 128]),
            ("-1.28", 2, &[0x80]),
            ("-2.25", 2, &[0xff, 0x1f]),
            ("0.00", 2, &[0]),
            ("-0.01", 2, &[0xff]),
            ("1", 3, &[3, 0xe8]),
            ("42", 0, &[42]),
        ] {
            assert_eq!(unscaled(text, scale), bytes, "{text}");
        }
        let long = "9999999999999999999999999999.9999999999";
        assert_eq!(unscaled(long, 10), Decimal::parse(long).unwrap().unscaled);
        let longer = "-123456789012345678901234567890.123456789012345678901234567890";
        assert_eq!(unscaled(longer, 30), Decimal::parse(longer).unwrap().unscaled);
        assert_eq!(
            unscaled("1", 2046),
            Decimal::from_unscaled_text(&format!("1{}", "0".repeat(2046)), 0)
                .unwrap()
                .unscaled
        );
    }

    #[test]
    fn digits_beyond_the_scale_are_rounded_half_up() {
        for (text, scale, bytes) in [
            ("2.50", 0, &[3][..]),
            ("3.49", 0, &[3]),
            ("-2.50", 0, &[0xfd]),
            ("0.50", 0, &[1]),
            ("-0.50", 0, &[0xff]),
            ("1234.99", 0, &[4, 0xd3]),
            ("0.05", 1, &[1]),
            ("0.04", 1, &[0]),
            ("1.5", 2, &[0, 150]),
        ] {
            let mut out = Vec::new();
            Digits::parse(text.as_bytes()).unwrap().write_rounded(scale, &mut out);
            assert_eq!(out, bytes, "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", "-", ".", "NaN", "Infinity", "1e5", "1.2.3", "--1"] {
            assert_eq!(Digits::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn zeros_are_added() {
        let padded = |text: &str, scale| {
            let mut out = Vec::new();
            pad(text.as_bytes(), scale, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(padded("1.5", 3), "1.500");
        assert_eq!(padded("12300", 2), "12300.00");
        assert_eq!(padded("7", 0), "7");
        assert_eq!(padded("NaN", 2), "NaN");
    }

    #[test]
    fn money_loses_its_currency() {
        for (text, plain) in [
            ("$1,234.56", "1234.56"),
            ("-$0.01", "-0.01"),
            ("($5.00)", "-5.00"),
            ("1.234,56 €", "1234.56"),
            ("$92,233,720,368,547,758.07", "92233720368547758.07"),
            ("¥1,234", "1234"),
        ] {
            assert_eq!(money(text.as_bytes()).unwrap(), plain.as_bytes(), "{text}");
        }
        assert_eq!(money(b"$"), None);
    }
}

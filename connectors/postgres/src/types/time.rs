//! Texts of times: ISO 8601 in UTC.

use super::civil::{DAY, date_of};

/// How many digits follow the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fraction {
    /// As many as there are.
    Needed,
    /// That many at least.
    Padded(u32),
}

fn number(out: &mut Vec<u8>, number: i64, digits: usize) {
    let mut buffer = itoa::Buffer::new();
    let text = buffer.format(number);
    out.extend(std::iter::repeat_n(b'0', digits.saturating_sub(text.len())));
    out.extend_from_slice(text.as_bytes());
}

/// `2026-01-02`; years beyond four digits have a sign, as `java.time` writes them.
pub fn write_date(out: &mut Vec<u8>, days: i64) {
    let (year, month, day) = date_of(days);
    if year < 0 {
        out.push(b'-');
    } else if year > 9999 {
        out.push(b'+');
    }
    number(out, year.abs(), 4);
    out.push(b'-');
    number(out, month, 2);
    out.push(b'-');
    number(out, day, 2);
}

/// `03:04:05.678901`.
pub fn write_time(out: &mut Vec<u8>, micros: i64, fraction: Fraction) {
    let seconds = micros / 1_000_000;
    number(out, seconds / 3600, 2);
    out.push(b':');
    number(out, seconds / 60 % 60, 2);
    out.push(b':');
    number(out, seconds % 60, 2);
    write_fraction(out, micros % 1_000_000, fraction);
}

fn write_fraction(out: &mut Vec<u8>, micros: i64, fraction: Fraction) {
    let mut digits = 6;
    let mut rest = micros;
    let least = match fraction {
        Fraction::Needed => 0,
        Fraction::Padded(least) => least.min(6) as usize,
    };
    while digits > least && rest % 10 == 0 {
        rest /= 10;
        digits -= 1;
    }
    if digits > 0 {
        out.push(b'.');
        number(out, rest, digits);
    }
}

/// `2026-01-02T03:04:05.678901Z`.
pub fn write_timestamp(out: &mut Vec<u8>, micros: i64, fraction: Fraction) {
    write_date(out, micros.div_euclid(DAY));
    out.push(b'T');
    write_time(out, micros.rem_euclid(DAY), fraction);
    out.push(b'Z');
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn timestamp(micros: i64, fraction: Fraction) -> String {
        let mut out = Vec::new();
        write_timestamp(&mut out, micros, fraction);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn fractions_are_padded_or_cut() {
        assert_eq!(timestamp(0, Fraction::Needed), "1970-01-01T00:00:00Z");
        assert_eq!(timestamp(0, Fraction::Padded(6)), "1970-01-01T00:00:00.000000Z");
        assert_eq!(
            timestamp(1_767_323_045_678_000, Fraction::Padded(3)),
            "2026-01-02T03:04:05.678Z"
        );
        assert_eq!(timestamp(100_000, Fraction::Needed), "1970-01-01T00:00:00.1Z");
        assert_eq!(timestamp(-1, Fraction::Padded(6)), "1969-12-31T23:59:59.999999Z");
        assert_eq!(timestamp(1_000, Fraction::Padded(6)), "1970-01-01T00:00:00.001000Z");
    }

    #[test]
    fn years_are_written_as_java_writes_them() {
        assert_eq!(
            timestamp(-63_517_780_800_000_000, Fraction::Padded(6)),
            "-0043-03-15T12:00:00.000000Z"
        );
        assert_eq!(
            timestamp(317_336_745_600_000_000, Fraction::Padded(6)),
            "+12026-01-01T00:00:00.000000Z"
        );
    }
}

//! Dates and times of day as the server writes them, in the proleptic Gregorian calendar.

/// Microseconds of a day.
pub const DAY: i64 = 86_400_000_000;

/// A date or a point in time that may lie beyond all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Days, or microseconds, since 1970.
    At(i64),
    Infinity,
    MinusInfinity,
}

/// What is left of a text.
struct Cursor<'a> {
    rest: &'a [u8],
}

impl Cursor<'_> {
    /// Digits up to something else.
    fn number(&mut self) -> Option<i64> {
        let end = self
            .rest
            .iter()
            .position(|byte| !byte.is_ascii_digit())
            .unwrap_or(self.rest.len());
        if end == 0 || end > 9 {
            return None;
        }
        let number = self.rest[..end]
            .iter()
            .fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
        self.rest = &self.rest[end..];
        Some(number)
    }

    fn skip(&mut self, byte: u8) -> Option<()> {
        self.rest = self.rest.strip_prefix(&[byte])?;
        Some(())
    }

    fn has(&mut self, byte: u8) -> bool {
        self.skip(byte).is_some()
    }

    /// Microseconds behind the point, if there is one.
    fn fraction(&mut self) -> Option<i64> {
        if !self.has(b'.') {
            return Some(0);
        }
        let before = self.rest.len();
        let number = self.number()?;
        let digits = u32::try_from(before - self.rest.len()).ok()?;
        Some(number * 10_i64.pow(6_u32.checked_sub(digits)?))
    }

    fn date(&mut self) -> Option<(i64, i64, i64)> {
        let year = self.number()?;
        self.skip(b'-')?;
        let month = self.number()?;
        self.skip(b'-')?;
        let day = self.number()?;
        ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some((year, month, day))
    }

    /// Microseconds since midnight; 24:00 is one.
    fn time(&mut self) -> Option<i64> {
        let hour = self.number()?;
        self.skip(b':')?;
        let minute = self.number()?;
        let second = if self.has(b':') { self.number()? } else { 0 };
        let micros = self.fraction()?;
        (hour <= 24 && minute < 60 && second <= 60).then_some(((hour * 60 + minute) * 60 + second) * 1_000_000 + micros)
    }

    /// Seconds east of Greenwich.
    fn offset(&mut self) -> Option<i64> {
        let sign = if self.has(b'-') {
            -1
        } else {
            self.skip(b'+')?;
            1
        };
        let hours = self.number()?;
        let minutes = if self.has(b':') { self.number()? } else { 0 };
        let seconds = if self.has(b':') { self.number()? } else { 0 };
        Some(sign * ((hours * 60 + minutes) * 60 + seconds))
    }

    /// The year as astronomers count, after a possible ` BC` at the end.
    fn era(&mut self, year: i64) -> Option<i64> {
        let year = if self.rest == b" BC" {
            self.rest = b"";
            1 - year
        } else {
            year
        };
        self.rest.is_empty().then_some(year)
    }
}

/// Days since 1970 of a date (Howard Hinnant's `days_from_civil`).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a number of days since 1970.
pub fn date_of(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted - era * 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

fn infinite(text: &[u8]) -> Option<Moment> {
    match text {
        b"infinity" => Some(Moment::Infinity),
        b"-infinity" => Some(Moment::MinusInfinity),
        _ => None,
    }
}

/// Days since 1970 of `2026-01-02`, `0044-03-15 BC`.
pub fn date(text: &[u8]) -> Option<Moment> {
    if let Some(infinite) = infinite(text) {
        return Some(infinite);
    }
    let mut cursor = Cursor { rest: text };
    let (year, month, day) = cursor.date()?;
    let year = cursor.era(year)?;
    Some(Moment::At(days(year, month, day)))
}

/// Microseconds since midnight of `03:04:05.678901`.
pub fn time(text: &[u8]) -> Option<i64> {
    let mut cursor = Cursor { rest: text };
    let micros = cursor.time()?;
    cursor.rest.is_empty().then_some(micros)
}

/// Microseconds since midnight in UTC of `03:04:05.678901+02:30`.
pub fn time_with_zone(text: &[u8]) -> Option<i64> {
    let mut cursor = Cursor { rest: text };
    let micros = cursor.time()?;
    let offset = cursor.offset()?;
    cursor
        .rest
        .is_empty()
        .then_some((micros - offset * 1_000_000).rem_euclid(DAY))
}

/// Microseconds since 1970 of `2026-01-02 03:04:05.678901`, with or without an offset.
pub fn timestamp(text: &[u8]) -> Option<Moment> {
    if let Some(infinite) = infinite(text) {
        return Some(infinite);
    }
    let mut cursor = Cursor { rest: text };
    let (year, month, day) = cursor.date()?;
    let time = match cursor.rest {
        [b' ', digit, ..] if digit.is_ascii_digit() => {
            cursor.skip(b' ')?;
            cursor.time()?
        }
        // A default may have the date alone.
        _ => 0,
    };
    let offset = match cursor.rest.first() {
        Some(b'+' | b'-') => cursor.offset()?,
        _ => 0,
    };
    let year = cursor.era(year)?;
    let midnight = days(year, month, day).checked_mul(DAY)?;
    Some(Moment::At(midnight.checked_add(time - offset * 1_000_000)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days_since_1970() {
        for (text, expected) in [
            ("1970-01-01", 0),
            ("1969-12-31", -1),
            ("2026-01-02", 20_455),
            ("2000-02-29", 11_016),
            ("0001-01-01", -719_162),
            ("12026-01-01", 3_672_879),
            ("0044-03-15 BC", -735_160),
        ] {
            assert_eq!(date(text.as_bytes()), Some(Moment::At(expected)), "{text}");
            let (year, month, day) = date_of(expected);
            assert_eq!(days(year, month, day), expected, "{text}");
        }
        assert_eq!(date(b"infinity"), Some(Moment::Infinity));
        assert_eq!(date(b"-infinity"), Some(Moment::MinusInfinity));
    }

    #[test]
    fn points_in_time_are_microseconds() {
        for (text, expected) in [
            ("1970-01-01 00:00:00", 0),
            ("2026-01-02 03:04:05.678901", 1_767_323_045_678_901),
            ("2026-01-02 03:04:05.67+05:30", 1_767_303_245_670_000),
            ("1969-12-31 23:59:59.999999+00", -1),
            ("0044-03-15 12:00:00+00 BC", -63_517_780_800_000_000),
            ("0044-03-15 12:00:00 BC", -63_517_780_800_000_000),
            ("2020-02-02", 1_580_601_600_000_000),
        ] {
            assert_eq!(timestamp(text.as_bytes()), Some(Moment::At(expected)), "{text}");
        }
    }

    #[test]
    fn times_of_day_are_microseconds() {
        assert_eq!(time(b"24:00:00"), Some(DAY));
        assert_eq!(time(b"03:04:05.678"), Some(11_045_678_000));
        assert_eq!(time(b"01:02"), Some(3_720_000_000));
        assert_eq!(time_with_zone(b"03:04:05.678901+02:30"), Some(2_045_678_901));
        assert_eq!(time_with_zone(b"00:00:00-15:59"), Some(57_540_000_000));
    }

    #[test]
    fn garbage_is_none() {
        for text in [
            "",
            "x",
            "1",
            "1-",
            "1-2",
            "1-2-",
            "1-13-1",
            "1-1-32",
            "1970-01-01x",
            "99999999999-01-01",
            "1970-01-01 25:00",
            "1970-01-01 00:00:00+",
            "1970-01-01 00:00:00.1234567",
            "1970-01-01 00:00:00 AD",
            ":",
            "1:2:3:4",
            "1:60:00",
        ] {
            assert_eq!(date(text.as_bytes()), None, "{text}");
            assert_eq!(timestamp(text.as_bytes()), None, "{text}");
            assert_eq!(time(text.as_bytes()), None, "{text}");
            assert_eq!(time_with_zone(text.as_bytes()), None, "{text}");
        }
    }
}

//! Intervals as the server writes them in ISO 8601: `P1Y2M3DT4H5M6.789012S`.

/// The parts of an interval; each may be negative on its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interval {
    pub years: i64,
    pub months: i64,
    pub days: i64,
    pub hours: i64,
    pub minutes: i64,
    /// Microseconds of the seconds.
    pub micros: i64,
}

impl Interval {
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut rest = text.strip_prefix(b"P")?;
        let mut interval = Interval::default();
        let mut of_day = false;
        while let Some(first) = rest.first() {
            if *first == b'T' {
                of_day = true;
                rest = &rest[1..];
                continue;
            }
            let end = rest
                .iter()
                .position(|byte| !matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.'))?;
            let number = std::str::from_utf8(&rest[..end]).ok()?;
            let whole = || number.parse::<i64>().ok();
            match (of_day, rest[end]) {
                (false, b'Y') => interval.years = whole()?,
                (false, b'M') => interval.months = whole()?,
                (false, b'W') => interval.days = whole()?.checked_mul(7)?,
                (false, b'D') => interval.days = whole()?,
                (true, b'H') => interval.hours = whole()?,
                (true, b'M') => interval.minutes = whole()?,
                (true, b'S') => interval.micros = seconds(number)?,
                _ => return None,
            }
            rest = &rest[end + 1..];
        }
        Some(interval)
    }

    /// Microseconds, with months of 30.4375 days.
    pub fn total_micros(&self) -> i64 {
        let months = self.years.saturating_mul(12).saturating_add(self.months) as f64;
        let days = months * (365.25 / 12.0) + self.days as f64;
        let seconds = ((days * 24.0 + self.hours as f64) * 60.0 + self.minutes as f64) * 60.0;
        (seconds * 1_000_000.0).round() as i64 + self.micros
    }

    /// `P1Y2M3DT4H5M6.789012S`, all parts.
    pub fn iso_text(&self) -> String {
        let Interval {
            years,
            months,
            days,
            hours,
            minutes,
            micros,
        } = self;
        let sign = if *micros < 0 { "-" } else { "" };
        let (seconds, fraction) = (micros.abs() / 1_000_000, micros.abs() % 1_000_000);
        let fraction = if fraction == 0 {
            String::new()
        } else {
            format!(".{}", format!("{fraction:06}").trim_end_matches('0'))
        };
        format!("P{years}Y{months}M{days}DT{hours}H{minutes}M{sign}{seconds}{fraction}S")
    }
}

/// Microseconds of `-6.789012`.
fn seconds(text: &str) -> Option<i64> {
    let (sign, magnitude) = match text.strip_prefix('-') {
        Some(magnitude) => (-1, magnitude),
        None => (1, text),
    };
    let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));
    if fraction.len() > 6 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let fraction: i64 = format!("{fraction:0<6}").parse().ok()?;
    whole.checked_mul(1_000_000)?.checked_add(fraction)?.checked_mul(sign)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn intervals_are_parts_and_a_sum() {
        for (text, sum, iso) in [
            ("P1Y2M3DT4H5M6.789012S", 37_091_106_789_012, "P1Y2M3DT4H5M6.789012S"),
            ("P-1DT-1S", -86_401_000_000, "P0Y0M-1DT0H0M-1S"),
            ("PT0S", 0, "P0Y0M0DT0H0M0S"),
            ("P1Y2M", 36_817_200_000_000, "P1Y2M0DT0H0M0S"),
            ("PT-0.5S", -500_000, "P0Y0M0DT0H0M-0.5S"),
        ] {
            let interval = Interval::parse(text.as_bytes()).unwrap();
            assert_eq!(interval.total_micros(), sum, "{text}");
            assert_eq!(interval.iso_text(), iso, "{text}");
        }
    }

    #[test]
    fn garbage_is_none() {
        for text in [
            "",
            "1 day",
            "P1",
            "P1X",
            "PT1Y",
            "P1.5Y",
            "PT1.1234567S",
            "PT1.-5S",
            "P99999999999999999999Y",
        ] {
            assert_eq!(Interval::parse(text.as_bytes()), None, "{text}");
        }
    }
}

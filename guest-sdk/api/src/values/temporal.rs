//! Dates and times in the three ISO 8601 forms that header values have, read as leniently as `SimpleDateFormat` reads.

use crate::logical::DAY;
use crate::value::java::Moment;

/// What a text of a date or time stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Temporal {
    Date,
    Time,
    Timestamp,
}

/// Reads `HH:mm:ss.SSSZ`, `yyyy-MM-ddTHH:mm:ss.SSSZ` or `yyyy-MM-dd`; the length of the text says which.
pub(super) fn parse(text: &str) -> Option<(Temporal, i64)> {
    let unescaped = text.replace("\\:", ":");
    let mut scan = Scan { rest: &unescaped };
    match unescaped.encode_utf16().count() {
        13 => {
            let millis = scan.time()?;
            Some((Temporal::Time, millis))
        }
        24 => {
            let date = scan.date()?;
            scan.literal('T')?;
            Some((Temporal::Timestamp, date.wrapping_add(scan.time()?)))
        }
        10 => Some((Temporal::Date, scan.date()?)),
        _ => None,
    }
}

/// Reads numbers of any length between literals; what is too large runs over into the next unit.
struct Scan<'a> {
    rest: &'a str,
}

impl Scan<'_> {
    fn time(&mut self) -> Option<i64> {
        let hours = self.number()?;
        self.literal(':')?;
        let minutes = self.number()?;
        self.literal(':')?;
        let seconds = self.number()?;
        self.literal('.')?;
        let millis = self.number()?;
        self.literal('Z')?;
        Some(((hours * 60 + minutes) * 60 + seconds) * 1000 + millis)
    }

    fn date(&mut self) -> Option<i64> {
        let year = self.number()?;
        self.literal('-')?;
        let month = self.number()?;
        self.literal('-')?;
        let day = self.number()?;
        Some(Moment::days_of(year, month, day).wrapping_mul(DAY))
    }

    fn literal(&mut self, expected: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(expected)?;
        Some(())
    }

    fn number(&mut self) -> Option<i64> {
        let text = self.rest.trim_start_matches([' ', '\t']);
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let length = digits.bytes().take_while(u8::is_ascii_digit).count();
        let size: i64 = digits[..length].parse().ok()?;
        self.rest = &digits[length..];
        Some(if negative { -size } else { size })
    }
}

/// Appends a moment in the form that suits it: before the second day of the epoch as a time, without a time of day as
/// a date, and otherwise as both.
pub(super) fn write(out: &mut Vec<u8>, millis: i64) {
    let moment = Moment::of(millis);
    let year = if moment.year > 0 { moment.year } else { 1 - moment.year };
    let date = format!("{year:04}-{:02}-{:02}", moment.month, moment.day);
    let (seconds, fraction) = (moment.time / 1000, moment.time % 1000);
    let time = format!(
        "{:02}:{:02}:{:02}.{fraction:03}Z",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    );
    let text = if millis < DAY {
        time
    } else if moment.time == 0 {
        date
    } else {
        format!("{date}T{time}")
    };
    out.extend_from_slice(text.as_bytes());
}

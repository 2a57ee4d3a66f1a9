//! Moments to text.

use super::calendar::Fields;
use super::names;
use super::pattern::{Field, Item};

/// The moment that a pattern was written with last. Those of one second differ in their milliseconds alone, and mostly come
/// one after the other.
#[derive(Debug, Default)]
pub struct Latest {
    /// None before the first, and where milliseconds have not always as many digits.
    second: Option<i64>,
    text: String,
    /// Where milliseconds stand in it, and in how many digits.
    millis: Vec<(usize, usize)>,
}

impl Latest {
    /// Appends the text of a moment; `items` are those of the pattern each time.
    pub fn write(&mut self, items: &[Item], millis: i64, out: &mut String) {
        if self.second == Some(millis.div_euclid(1000)) {
            self.write_with(millis.rem_euclid(1000), out);
        } else {
            self.replace(items, millis);
            out.push_str(&self.text);
        }
    }

    fn write_with(&self, millis: i64, out: &mut String) {
        let mut start = 0;
        for (at, length) in &self.millis {
            out.push_str(&self.text[start..*at]);
            number(millis, *length, out);
            start = at + length;
        }
        out.push_str(&self.text[start..]);
    }

    fn replace(&mut self, items: &[Item], millis: i64) {
        let fields = Fields::of(millis);
        self.second = Some(millis.div_euclid(1000));
        self.text.clear();
        self.millis.clear();
        for item in items {
            match item {
                Item::Literal(text) => literal(text, &mut self.text),
                Item::Field(field, count) => {
                    match (field, count) {
                        (Field::Millisecond, ..3) => self.second = None,
                        (Field::Millisecond, length) => self.millis.push((self.text.len(), *length)),
                        (_, _) => {}
                    }
                    write_field(*field, *count, &fields, &mut self.text);
                }
            }
        }
    }
}

/// Mostly it is a single character.
fn literal(text: &str, out: &mut String) {
    match text.as_bytes() {
        [byte] => out.push(char::from(*byte)),
        _ => out.push_str(text),
    }
}

fn write_field(field: Field, count: usize, fields: &Fields, out: &mut String) {
    let month = fields.moment.month as usize - 1;
    let weekday = || fields.day_of_week();
    let hour = || fields.hour();
    match field {
        Field::Era => out.push_str(names::ERAS[fields.era()]),
        Field::Year => year(fields.year(), count, out),
        Field::WeekYear => year(fields.week_year(), count, out),
        Field::Month | Field::MonthStandalone if count >= 4 => out.push_str(names::LONG_MONTHS[month]),
        Field::Month | Field::MonthStandalone if count == 3 => out.push_str(names::MONTHS[month]),
        Field::Month | Field::MonthStandalone => number(month as i64 + 1, count, out),
        Field::DayOfWeek if count >= 4 => out.push_str(names::LONG_DAYS[weekday() as usize - 1]),
        Field::DayOfWeek => out.push_str(names::DAYS[weekday() as usize - 1]),
        Field::AmPm => out.push_str(names::AM_PM[usize::from(hour() >= 12)]),
        Field::ZoneName if count >= 4 => out.push_str(names::LONG_UTC),
        Field::ZoneName => out.push_str(names::UTC),
        Field::ZoneOffset => out.push_str("+0000"),
        Field::IsoZone => out.push('Z'),
        Field::IsoDayOfWeek => number((weekday() + 5) % 7 + 1, count, out),
        Field::HourOfDay => number(hour(), count, out),
        Field::HourOfDayFrom1 => number((hour() + 23) % 24 + 1, count, out),
        Field::Hour => number(hour() % 12, count, out),
        Field::HourFrom1 => number((hour() + 11) % 12 + 1, count, out),
        Field::Minute => number(fields.minute(), count, out),
        Field::Second => number(fields.second(), count, out),
        Field::Millisecond => number(fields.millisecond(), count, out),
        Field::DayOfMonth => number(fields.moment.day.into(), count, out),
        Field::DayOfYear => number(fields.day_of_year(), count, out),
        Field::WeekOfYear => number(fields.week_of_year(), count, out),
        Field::WeekOfMonth => number(fields.week_of_month(), count, out),
        Field::DayOfWeekInMonth => number(fields.day_of_week_in_month(), count, out),
    }
}

/// Two letters are two digits; any other number of them is a least length.
fn year(year: i64, count: usize, out: &mut String) {
    if count == 2 {
        number(year % 100, 2, out);
    } else {
        number(year, count, out);
    }
}

/// With zeros in front up to a length.
fn number(number: i64, length: usize, out: &mut String) {
    // Digit by digit: a copy of two bytes is a call.
    let digit = |number: i64| char::from(b'0' + (number % 10) as u8);
    match (number, length) {
        (0..=99, 2) => {
            out.push(digit(number / 10));
            out.push(digit(number));
        }
        (0..=999, 3) => {
            out.push(digit(number / 100));
            out.push(digit(number / 10));
            out.push(digit(number));
        }
        (0..=9999, 4) => {
            out.push(digit(number / 1000));
            out.push(digit(number / 100));
            out.push(digit(number / 10));
            out.push(digit(number));
        }
        (number, length) => any_number(number, length, out),
    }
}

fn any_number(number: i64, length: usize, out: &mut String) {
    if number < 0 {
        out.push('-');
    }
    let digits = number.unsigned_abs().to_string();
    out.extend(std::iter::repeat_n('0', length.saturating_sub(digits.len())));
    out.push_str(&digits);
}

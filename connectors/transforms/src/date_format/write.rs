//! Moments to text.

use super::calendar::Fields;
use super::names;
use super::pattern::{Field, Item};

pub fn write(items: &[Item], millis: i64, out: &mut String) {
    let fields = Fields::of(millis);
    for item in items {
        match item {
            Item::Literal(text) => out.push_str(text),
            Item::Field(field, count) => write_field(*field, *count, &fields, out),
        }
    }
}

fn write_field(field: Field, count: usize, fields: &Fields, out: &mut String) {
    let month = fields.moment.month as usize - 1;
    let weekday = fields.day_of_week();
    let hour = fields.hour();
    match field {
        Field::Era => out.push_str(names::ERAS[fields.era()]),
        Field::Year => year(fields.year(), count, out),
        Field::WeekYear => year(fields.week_year(), count, out),
        Field::Month | Field::MonthStandalone if count >= 4 => out.push_str(names::LONG_MONTHS[month]),
        Field::Month | Field::MonthStandalone if count == 3 => out.push_str(names::MONTHS[month]),
        Field::Month | Field::MonthStandalone => number(month as i64 + 1, count, out),
        Field::DayOfWeek if count >= 4 => out.push_str(names::LONG_DAYS[weekday as usize - 1]),
        Field::DayOfWeek => out.push_str(names::DAYS[weekday as usize - 1]),
        Field::AmPm => out.push_str(names::AM_PM[usize::from(hour >= 12)]),
        Field::ZoneName if count >= 4 => out.push_str(names::LONG_UTC),
        Field::ZoneName => out.push_str(names::UTC),
        Field::ZoneOffset => out.push_str("+0000"),
        Field::IsoZone => out.push('Z'),
        Field::IsoDayOfWeek => number(if weekday == 1 { 7 } else { weekday - 1 }, count, out),
        Field::HourOfDay => number(hour, count, out),
        Field::HourOfDayFrom1 => number(if hour == 0 { 24 } else { hour }, count, out),
        Field::Hour => number(hour % 12, count, out),
        Field::HourFrom1 => number(if hour % 12 == 0 { 12 } else { hour % 12 }, count, out),
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
    if number < 0 {
        out.push('-');
    }
    let size = number.unsigned_abs();
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = size;
    while rest > 0 || at == digits.len() {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let digits = &digits[at..];
    out.extend(std::iter::repeat_n('0', length.saturating_sub(digits.len())));
    out.extend(digits.iter().map(|digit| char::from(*digit)));
}

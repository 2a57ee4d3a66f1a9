//! Text to moments.

use super::calendar::{Builder, Part, iso_day};
use super::names;
use super::pattern::{Field, Item};

/// Reads what the items describe.
pub fn parse(items: &[Item], (century_start, century_year): (i64, i64), text: &str) -> Option<i64> {
    let mut parser = Parser {
        text: text.as_bytes(),
        at: 0,
        century_year,
        ambiguous: false,
        builder: Builder::default(),
    };
    for (index, item) in items.iter().enumerate() {
        match item {
            Item::Literal(literal) => parser.literal(literal)?,
            Item::Field(field, count) => {
                let limited = items.get(index + 1).is_some_and(is_number);
                parser.field(*field, *count, limited)?;
            }
        }
    }
    if parser.at == 0 {
        return None;
    }
    let millis = parser.builder.millis();
    if parser.ambiguous && millis < century_start {
        parser.builder.add_years(100);
        return Some(parser.builder.millis());
    }
    Some(millis)
}

/// Whether a number follows, so that a number before it may have only as many digits as it has letters.
fn is_number(item: &Item) -> bool {
    match item {
        Item::Field(Field::Month | Field::MonthStandalone, count) => *count <= 2,
        Item::Literal(_)
        | Item::Field(
            Field::Era | Field::DayOfWeek | Field::AmPm | Field::ZoneName | Field::ZoneOffset | Field::IsoZone,
            _,
        ) => false,
        Item::Field(..) => true,
    }
}

struct Parser<'t> {
    text: &'t [u8],
    at: usize,
    century_year: i64,
    /// A year of two digits is the first of its century, in which it may be before the start.
    ambiguous: bool,
    builder: Builder,
}

impl Parser<'_> {
    fn literal(&mut self, literal: &str) -> Option<()> {
        let rest = self.text.get(self.at..)?;
        rest.starts_with(literal.as_bytes()).then(|| self.at += literal.len())
    }

    fn field(&mut self, field: Field, count: usize, limited: bool) -> Option<()> {
        let start = self.at;
        let blanks = self.text[start..]
            .iter()
            .take_while(|c| matches!(c, b' ' | b'\t'))
            .count();
        self.at += blanks;
        self.text.get(self.at)?;
        let limit = limited.then(|| self.after_chars(start, count));
        // Words have to stand right here, numbers may have blanks before them.
        match field {
            Field::Era => return self.words(start, Part::Era, &[&names::ERAS, &names::LONG_ERAS], 0),
            Field::AmPm => return self.words(start, Part::AmPm, &[&names::AM_PM], 0),
            Field::Month | Field::MonthStandalone if count > 2 => {
                return self.words(start, Part::Month, &[&names::MONTHS, &names::LONG_MONTHS], 0);
            }
            Field::DayOfWeek => return self.words(start, Part::DayOfWeek, &[&names::DAYS, &names::LONG_DAYS], 1),
            Field::ZoneName | Field::ZoneOffset => return self.zone(start),
            Field::IsoZone => return self.iso_zone(count),
            _ => {}
        }
        let number_start = self.at;
        let number = self.number(limit)?;
        let (part, value) = match field {
            Field::Year => (Part::Year, self.year(number, count, number_start)),
            Field::WeekYear => (Part::WeekYear, self.year(number, count, number_start)),
            Field::Month | Field::MonthStandalone => (Part::Month, number.wrapping_sub(1)),
            Field::HourOfDayFrom1 => (Part::HourOfDay, if number == 24 { 0 } else { number }),
            Field::HourFrom1 => (Part::Hour, if number == 12 { 0 } else { number }),
            Field::IsoDayOfWeek => (Part::DayOfWeek, iso_day(number.into()) as i32),
            Field::HourOfDay => (Part::HourOfDay, number),
            Field::Hour => (Part::Hour, number),
            Field::Minute => (Part::Minute, number),
            Field::Second => (Part::Second, number),
            Field::Millisecond => (Part::Millisecond, number),
            Field::DayOfMonth => (Part::DayOfMonth, number),
            Field::DayOfYear => (Part::DayOfYear, number),
            Field::WeekOfYear => (Part::WeekOfYear, number),
            Field::WeekOfMonth => (Part::WeekOfMonth, number),
            Field::DayOfWeekInMonth => (Part::DayOfWeekInMonth, number),
            // Read above.
            Field::Era | Field::AmPm | Field::DayOfWeek | Field::ZoneName | Field::ZoneOffset | Field::IsoZone => {
                return None;
            }
        };
        self.builder.set(part, value);
        Some(())
    }

    /// The longest of the words that stands at `start`; the number of the first of each list is `first`.
    fn words(&mut self, start: usize, part: Part, lists: &[&[&str]], first: i32) -> Option<()> {
        let rest = &self.text[start..];
        let matches = |word: &&str| {
            let head = rest.get(..word.len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))
        };
        let (number, word) = lists
            .iter()
            .flat_map(|list| list.iter().enumerate())
            .filter(|(_, word)| matches(word))
            .max_by_key(|(_, word)| word.len())?;
        self.builder.set(part, number as i32 + first);
        self.at = start + word.len();
        Some(())
    }

    /// A year of exactly two digits is one of the current century.
    fn year(&mut self, number: i32, count: usize, start: usize) -> i32 {
        let digits = &self.text[start..self.at];
        if count > 2 || digits.len() != 2 || !digits.iter().all(u8::is_ascii_digit) {
            return number;
        }
        let (century, in_century) = (self.century_year / 100 * 100, self.century_year % 100);
        self.ambiguous = i64::from(number) == in_century;
        let next = if i64::from(number) < in_century { 100 } else { 0 };
        number + (century + next) as i32
    }

    /// The place so many characters further on.
    fn after_chars(&self, start: usize, count: usize) -> usize {
        let rest = &self.text[start..];
        if rest.is_ascii() {
            return start + count;
        }
        let begins = |byte: u8| byte & 0xc0 != 0x80;
        let starts = rest.iter().enumerate().filter(|(_, byte)| begins(**byte));
        let place = starts.map(|(place, _)| place).nth(count);
        start + place.unwrap_or(rest.len())
    }

    /// Digits with a minus before them, up to a place in the text (`NumberFormat.parse`, `Number.intValue`).
    fn number(&mut self, limit: Option<usize>) -> Option<i32> {
        let end = limit.unwrap_or(self.text.len());
        let rest = self.text.get(self.at..end)?;
        if rest.starts_with(b"NaN") {
            self.at += 3;
            return Some(0);
        }
        let (negative, digits) = match rest {
            [b'-', digits @ ..] => (true, digits),
            digits => (false, digits),
        };
        let (size, length) = if digits.starts_with(INFINITY) {
            (None, INFINITY.len())
        } else {
            leading_number(digits)
        };
        if length == 0 {
            return None;
        }
        self.at += length + usize::from(negative);
        // What fits a long is cut to an int, what does not is a double and ends at the bounds of an int.
        Some(match (size, negative) {
            (Some(size), false) => size as i32,
            (Some(size), true) => (-size) as i32,
            (None, false) => i32::MAX,
            (None, true) => i32::MIN,
        })
    }

    /// `GMT`, `GMT+1:00`, `+0100`, or the name of a zone.
    fn zone(&mut self, start: usize) -> Option<()> {
        match self.text[self.at] {
            b'+' => self.offset(self.at + 1, 1, 0, false),
            b'-' => self.offset(self.at + 1, -1, 0, false),
            _ if starts_with(self.text, start, "GMT") => {
                let sign = match self.text.get(start + 3) {
                    Some(b'+') => 1,
                    Some(b'-') => -1,
                    Some(_) | None => return self.zone_is(0, start + 3),
                };
                self.offset(start + 4, sign, 0, true)
            }
            _ => {
                let (name, offset) = ZONES.iter().find(|(name, _)| starts_with(self.text, self.at, name))?;
                self.zone_is(offset * 60_000, self.at + name.len())
            }
        }
    }

    fn iso_zone(&mut self, count: usize) -> Option<()> {
        match self.text[self.at] {
            b'Z' => self.zone_is(0, self.at + 1),
            b'+' => self.offset(self.at + 1, 1, count, count == 3),
            b'-' => self.offset(self.at + 1, -1, count, count == 3),
            _ => None,
        }
    }

    /// Hours, and minutes unless `count` is 1. Where there has to be a colon, a name's hours may be one digit.
    fn offset(&mut self, at: usize, sign: i32, count: usize, colon: bool) -> Option<()> {
        let mut at = at;
        let digit = |at: usize| {
            let c = self.text.get(at)?;
            c.is_ascii_digit().then(|| i32::from(c - b'0'))
        };
        let mut hours = digit(at)?;
        at += 1;
        match digit(at) {
            Some(second) => {
                hours = hours * 10 + second;
                at += 1;
            }
            None if count > 0 || !colon => return None,
            None => {}
        }
        let mut minutes = 0;
        if count != 1 {
            if colon {
                self.text.get(at).filter(|c| **c == b':')?;
                at += 1;
            }
            minutes = digit(at)? * 10 + digit(at + 1)?;
            at += 2;
        }
        if hours > 23 || minutes > 59 {
            return None;
        }
        self.zone_is(sign * (hours * 60 + minutes) * 60_000, at)
    }

    fn zone_is(&mut self, millis: i32, end: usize) -> Option<()> {
        self.builder.set(Part::ZoneOffset, millis);
        self.at = end;
        Some(())
    }
}

/// Zones that are known by name, with minutes east of UTC. Longer names before those that they begin with.
const ZONES: [(&str, i32); 2] = [(names::LONG_UTC, 0), (names::UTC, 0)];

fn starts_with(text: &[u8], at: usize, word: &str) -> bool {
    let head = text.get(at..at + word.len());
    head.is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))
}

const INFINITY: &[u8] = "\u{221e}".as_bytes();

/// The number at the start, if it fits, and its length in bytes.
fn leading_number(text: &[u8]) -> (Option<i64>, usize) {
    let mut size = Some(0_i64);
    let mut length = 0;
    while let Some((digit, bytes)) = digit(&text[length..]) {
        size = size.and_then(|size| size.checked_mul(10)?.checked_add(digit.into()));
        length += bytes;
    }
    (size, length)
}

/// Zeros of other scripts, behind which their other digits follow.
const ZEROS: [u32; 36] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20,
    0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0,
    0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
];

/// A digit of any script, and its length in bytes.
fn digit(text: &[u8]) -> Option<(u32, usize)> {
    let first = *text.first()?;
    if first.is_ascii() {
        return first.is_ascii_digit().then(|| ((first - b'0').into(), 1));
    }
    let head = text.get(..text.len().min(4))?;
    let c = head.utf8_chunks().next()?.valid().chars().next()?;
    let zero = ZEROS
        .into_iter()
        .find(|zero| (*zero..zero + 10).contains(&u32::from(c)))?;
    Some((u32::from(c) - zero, c.len_utf8()))
}

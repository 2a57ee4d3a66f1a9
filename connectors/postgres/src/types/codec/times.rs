//! Dates, times, timestamps and intervals.

use super::{Codec, Problem, Slot, Written};
use crate::types::civil::{self, DAY, Moment};
use crate::types::form::{Form, IntervalMode};
use crate::types::interval::Interval;
use crate::types::time::{self, Fraction};

/// Microseconds that stand for the ends of time.
const INFINITY: i64 = 9_223_372_036_825_200_000;
const MINUS_INFINITY: i64 = -9_223_372_036_832_400_000;
/// Days since 1970 of the last and the first day that Java has.
const LAST_DAY: i64 = 365_241_780_471;
const FIRST_DAY: i64 = -365_243_219_162;

impl Codec {
    pub(super) fn write_time(&self, slot: &mut Slot<'_, '_>, text: &[u8]) -> Result<(), Problem> {
        match self {
            Codec::Date(form) => {
                let date = civil::date(text).ok_or(Problem::Text("a date"))?;
                write_date(slot, *form, date)
            }
            Codec::Time(form) => {
                let micros = civil::time(text).ok_or(Problem::Text("a time of day"))?;
                write_time_of_day(slot, *form, micros)
            }
            Codec::TimeWithZone => {
                let micros = civil::time_with_zone(text).ok_or(Problem::Text("a time of day with a zone"))?;
                slot.bytes_with(|out| {
                    time::write_time(out, micros, Fraction::Needed);
                    out.push(b'Z');
                })
            }
            Codec::Timestamp(form) => {
                let moment = civil::timestamp(text).ok_or(Problem::Text("a timestamp"))?;
                write_timestamp(slot, *form, moment)
            }
            Codec::TimestampWithZone(fraction) => {
                match civil::timestamp(text).ok_or(Problem::Text("a timestamp with a zone"))? {
                    Moment::At(micros) => slot.bytes_with(|out| time::write_timestamp(out, micros, *fraction)),
                    Moment::Infinity => slot.bytes(b"infinity"),
                    Moment::MinusInfinity => slot.bytes(b"-infinity"),
                }
            }
            Codec::Interval(mode) => {
                let interval = Interval::parse(text).ok_or(Problem::Text("an interval"))?;
                match mode {
                    IntervalMode::Numeric => {
                        slot.number(interval.total_micros());
                        Ok(())
                    }
                    IntervalMode::Text => slot.bytes(interval.iso_text().as_bytes()),
                }
            }
            _ => Err(Problem::Text("a time")),
        }
    }

    /// Writes a default. Of the ends of time the original makes Java's first and last moment, whose numbers overflow; where
    /// Java notices, there is no default.
    pub fn write_default(&self, slot: &mut Slot<'_, '_>, text: &[u8]) -> Result<Written, Problem> {
        let is_last = match text {
            b"infinity" => true,
            b"-infinity" => false,
            _ => return self.write(slot, text),
        };
        let day = if is_last { LAST_DAY } else { FIRST_DAY };
        match self {
            Codec::Date(Form::IsoText) if is_last => slot.bytes(b"+999999999-12-31Z")?,
            Codec::Date(Form::IsoText) => slot.bytes(b"-999999999-01-01Z")?,
            Codec::Date(_) => slot.number(i64::from(day as i32)),
            Codec::Timestamp(Form::IsoText) if is_last => slot.bytes(b"+999999999-12-31T23:59:59.999999999Z")?,
            Codec::Timestamp(Form::IsoText) => slot.bytes(b"-999999999-01-01T00:00:00Z")?,
            Codec::Timestamp(Form::Micros) => slot.number(if is_last { i64::MIN + 999_998 } else { i64::MIN }),
            Codec::Timestamp(Form::Nanos) => {
                let within = if is_last { 1000 * DAY - 1 } else { 0 };
                slot.number(day.wrapping_mul(1000 * DAY).wrapping_add(within));
            }
            Codec::Timestamp(_) | Codec::TimestampWithZone(_) => return Ok(Written::Nothing),
            _ => return self.write(slot, text),
        }
        Ok(Written::Value)
    }
}

/// The original's numbers for a date at the ends of time.
fn write_date(slot: &mut Slot<'_, '_>, form: Form, date: Moment) -> Result<(), Problem> {
    let days = match date {
        Moment::At(days) => days,
        Moment::Infinity => -2_147_472_692,
        Moment::MinusInfinity => -2_147_472_691,
    };
    match form {
        Form::IsoText => slot.bytes_with(|out| {
            time::write_date(out, days);
            out.push(b'Z');
        }),
        Form::Days | Form::ConnectDays | Form::Millis | Form::Micros | Form::Nanos | Form::ConnectMillis => {
            i32::try_from(days).map_err(|_| Problem::Text("a date within 5.8 million years"))?;
            slot.number(days);
            Ok(())
        }
    }
}

pub(super) fn write_time_of_day(slot: &mut Slot<'_, '_>, form: Form, micros: i64) -> Result<(), Problem> {
    match form {
        Form::Micros | Form::Days | Form::ConnectDays => slot.number(micros),
        Form::Nanos => slot.number(micros * 1000),
        Form::Millis | Form::ConnectMillis => slot.number(micros / 1000),
        Form::IsoText => {
            return slot.bytes_with(|out| {
                time::write_time(out, micros % DAY, Fraction::Needed);
                out.push(b'Z');
            });
        }
    }
    Ok(())
}

fn write_timestamp(slot: &mut Slot<'_, '_>, form: Form, moment: Moment) -> Result<(), Problem> {
    let micros = match moment {
        Moment::At(micros) => micros,
        Moment::Infinity => INFINITY,
        Moment::MinusInfinity => MINUS_INFINITY,
    };
    match form {
        Form::Micros | Form::Days | Form::ConnectDays => slot.number(micros),
        // Beyond the year 2262 they come around again, as Java's do.
        Form::Nanos => slot.number(micros.wrapping_mul(1000)),
        Form::Millis | Form::ConnectMillis => slot.number(micros.div_euclid(1000)),
        Form::IsoText => return slot.bytes_with(|out| time::write_timestamp(out, micros, Fraction::Needed)),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use caisson_sdk::api::Value;
    use caisson_sdk::api::typed::{self, Blocks};

    use super::*;

    fn value(codec: &Codec, write: impl Fn(&mut Slot<'_, '_>) -> Result<Written, Problem>) -> Option<Value> {
        let mut bytes = Vec::new();
        let mut blocks = Blocks::new(&mut bytes);
        let block = blocks.block(1).unwrap();
        let mut slot = Slot {
            blocks: &mut blocks,
            block,
            index: 0,
        };
        let written = write(&mut slot).unwrap();
        (written == Written::Value).then(|| typed::decode(Some(&codec.schema()), &bytes).unwrap())
    }

    #[test]
    fn the_ends_of_time_have_numbers_of_their_own() {
        let ends = |form| {
            let codec = Codec::Timestamp(form);
            [b"infinity".as_slice(), b"-infinity"].map(|text| value(&codec, |slot| codec.write(slot, text)).unwrap())
        };
        let numbers = [9_223_372_036_825_200_000, -9_223_372_036_832_400_000].map(Value::Int64);
        assert_eq!(ends(Form::Micros), numbers);
        assert_eq!(
            ends(Form::Millis),
            [9_223_372_036_825_200, -9_223_372_036_832_400].map(Value::Int64)
        );
        assert_eq!(
            ends(Form::IsoText),
            ["+294247-01-10T04:00:25.2Z", "-290308-12-21T19:59:27.6Z"].map(Value::from)
        );
    }

    #[test]
    fn as_defaults_the_ends_of_time_overflow_or_are_none() {
        let ends = |codec: Codec| {
            [b"infinity".as_slice(), b"-infinity"].map(|text| value(&codec, |slot| codec.write_default(slot, text)))
        };
        let some = |ends: [Value; 2]| ends.map(Some);
        assert_eq!(
            ends(Codec::Timestamp(Form::Micros)),
            some([-9_223_372_036_853_775_810, i64::MIN].map(Value::Int64))
        );
        assert_eq!(ends(Codec::Timestamp(Form::Millis)), [None, None]);
        assert_eq!(ends(Codec::TimestampWithZone(Fraction::Needed)), [None, None]);
        assert_eq!(
            ends(Codec::Date(Form::Days)),
            some([169_560_311, -170_999_002].map(Value::Int32))
        );
        assert_eq!(
            ends(Codec::Date(Form::IsoText)),
            some(["+999999999-12-31Z", "-999999999-01-01Z"].map(Value::from))
        );
        assert_eq!(
            ends(Codec::Text(None)),
            some(["infinity", "-infinity"].map(Value::from))
        );
    }
}

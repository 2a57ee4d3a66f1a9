//! Dates, times, timestamps and intervals.

use super::{Codec, Problem, Slot};
use crate::types::civil::{self, DAY, Moment};
use crate::types::form::{Form, IntervalMode};
use crate::types::interval::Interval;
use crate::types::time::{self, Fraction};

/// Milliseconds or microseconds that stand for the ends of time.
const INFINITY: i64 = 9_223_372_036_825_200_000;
const MINUS_INFINITY: i64 = -9_223_372_036_832_400_000;

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
        Moment::Infinity if form != Form::IsoText => {
            slot.number(INFINITY);
            return Ok(());
        }
        Moment::MinusInfinity if form != Form::IsoText => {
            slot.number(MINUS_INFINITY);
            return Ok(());
        }
        Moment::Infinity => return slot.bytes(b"infinity"),
        Moment::MinusInfinity => return slot.bytes(b"-infinity"),
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

//! Values as Java prints them (`Object.toString`), which is what StringConverter and the file sink write.

use std::fmt::Write;

use super::Value;
use crate::schema::{Kind, Schema};

/// What `String.valueOf` gives for a value: `Struct{a=1}`, `{a=1}`, `[1, 2]`. A struct needs its schema for the names of
/// its fields; without one they are numbered.
pub fn to_java_string(schema: Option<&Schema>, value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        _ => {
            let mut out = String::new();
            write_java_string(schema, value, &mut out);
            out
        }
    }
}

/// Appends what [`to_java_string`] returns.
pub fn write_java_string(schema: Option<&Schema>, value: &Value, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = match value {
        Value::Null => out.write_str("null"),
        Value::Boolean(value) => write!(out, "{value}"),
        Value::Int8(value) => write!(out, "{value}"),
        Value::Int16(value) => write!(out, "{value}"),
        Value::Int32(value) => write!(out, "{value}"),
        Value::Int64(value) => write!(out, "{value}"),
        Value::Float32(value) => out.write_str(&float_text(*value)),
        Value::Float64(value) => out.write_str(&double_text(*value)),
        Value::String(value) => out.write_str(value),
        Value::Bytes(bytes) => write!(out, "[B@{:x}", identity(bytes)),
        Value::Decimal(value) => write!(out, "{value}"),
        Value::Date(ms) => out.write_str(&date_text(*ms)),
        Value::Array(values) => {
            let element = match schema.map(|schema| &schema.kind) {
                Some(Kind::Array(element)) => Some(element.as_ref()),
                _ => None,
            };
            write_array(element, values, out);
            Ok(())
        }
        Value::Map(entries) => {
            let schemas = match schema.map(|schema| &schema.kind) {
                Some(Kind::Map(key, value)) => (Some(key.as_ref()), Some(value.as_ref())),
                _ => (None, None),
            };
            write_map(schemas, entries, out);
            Ok(())
        }
        Value::Struct(values) => {
            write_struct(schema, values, out);
            Ok(())
        }
    };
}

fn write_array(element: Option<&Schema>, values: &[Value], out: &mut String) {
    out.push('[');
    for (i, value) in values.iter().enumerate() {
        out.push_str(if i == 0 { "" } else { ", " });
        write_java_string(element, value, out);
    }
    out.push(']');
}

fn write_map((key, value): (Option<&Schema>, Option<&Schema>), entries: &[(Value, Value)], out: &mut String) {
    out.push('{');
    for (i, (k, v)) in entries.iter().enumerate() {
        out.push_str(if i == 0 { "" } else { ", " });
        write_java_string(key, k, out);
        out.push('=');
        write_java_string(value, v, out);
    }
    out.push('}');
}

/// `Struct.toString`: nulls are left out, and there is no space.
fn write_struct(schema: Option<&Schema>, values: &[Value], out: &mut String) {
    let fields = schema.map(Schema::fields).unwrap_or_default();
    out.push_str("Struct{");
    let mut separator = "";
    for (i, value) in values.iter().enumerate().filter(|(_, value)| !value.is_null()) {
        out.push_str(separator);
        separator = ",";
        match fields.get(i) {
            Some(field) => out.push_str(&field.name),
            None => out.push_str(&i.to_string()),
        }
        out.push('=');
        write_java_string(fields.get(i).map(|field| field.schema.as_ref()), value, out);
    }
    out.push('}');
}

/// Java prints where an array lies. That has no meaning here; equal bytes print alike.
fn identity(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

/// `Float.toString`.
pub fn float_text(value: f32) -> String {
    number_text(
        value.is_nan(),
        value.is_infinite(),
        value == 0.0,
        value.is_sign_negative(),
        &two_digits(format!("{value:e}"), || format!("{value:.1e}")),
    )
}

/// `Double.toString`.
pub fn double_text(value: f64) -> String {
    number_text(
        value.is_nan(),
        value.is_infinite(),
        value == 0.0,
        value.is_sign_negative(),
        &two_digits(format!("{value:e}"), || format!("{value:.1e}")),
    )
}

/// Where one digit would do, Java asks for the closest of two, which shows with the smallest numbers: `4.9E-324`.
fn two_digits(shortest: String, two: impl Fn() -> String) -> String {
    if shortest.contains('.') {
        return shortest;
    }
    let two = two();
    if two.contains(".0e") { shortest } else { two }
}

/// Plain from 10^-3 to 10^7, with an exponent beyond; at least one digit after the point. `scientific` has the shortest
/// digits that give the number back, which is what Java prints too.
fn number_text(nan: bool, infinite: bool, zero: bool, negative: bool, scientific: &str) -> String {
    let sign = if negative { "-" } else { "" };
    if nan {
        return "NaN".into();
    }
    if infinite {
        return format!("{sign}Infinity");
    }
    if zero {
        return format!("{sign}0.0");
    }
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let fraction = |digits: &str| {
        if digits.is_empty() {
            "0".to_owned()
        } else {
            digits.to_owned()
        }
    };
    match exponent {
        -3..0 => format!("{sign}0.{}{digits}", "0".repeat((-exponent - 1) as usize)),
        0..7 => {
            let whole = exponent as usize + 1;
            let digits = format!("{digits:0<whole$}");
            format!("{sign}{}.{}", &digits[..whole], fraction(&digits[whole..]))
        }
        _ => format!("{sign}{}.{}E{exponent}", &digits[..1], fraction(&digits[1..])),
    }
}

/// Puts things into the order in which a `java.util.HashMap` gives them back when they were put in as they come, by
/// different keys.
pub fn sort_as_in_hash_map<T>(all: &mut [T], key: impl Fn(&T) -> &str) {
    // The table doubles when it is three quarters full; what shares a place stays in its order.
    let mut size = 16;
    while all.len() > size / 4 * 3 {
        size *= 2;
    }
    all.sort_by_key(|one| {
        let hash = string_hash(key(one));
        (hash ^ (hash >> 16)) as usize & (size - 1)
    });
}

/// `String.hashCode`.
fn string_hash(text: &str) -> u32 {
    text.encode_utf16()
        .fold(0, |hash: u32, unit| hash.wrapping_mul(31).wrapping_add(unit.into()))
}

const DAY: i64 = 86_400_000;

/// `java.util.Date.toString` in UTC: `Thu Jan 01 00:00:00 UTC 1970`.
pub fn date_text(ms: i64) -> String {
    const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (days, second) = (ms.div_euclid(DAY), ms.rem_euclid(DAY) / 1000);
    let (year, month, day) = civil(days);
    // Java prints the year of the era, and says nothing of the era.
    let year = if year > 0 { year } else { 1 - year };
    let weekday = WEEKDAYS[days.rem_euclid(7) as usize];
    let month = MONTHS[month as usize - 1];
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{weekday} {month} {day:02} {hour:02}:{minute:02}:{second:02} UTC {year}")
}

/// Year, month and day of a number of days since the epoch: Gregorian since 1582-10-15, Julian before, as
/// `GregorianCalendar` has it.
fn civil(days: i64) -> (i64, i64, i64) {
    const GREGORIAN_FROM: i64 = -141_427;
    // Days since 0000-03-01, in the calendar in question.
    let (era, day_of_era, years_per_era) = if days >= GREGORIAN_FROM {
        let day = days + 719_468;
        (day.div_euclid(146_097), day.rem_euclid(146_097), 400)
    } else {
        let day = days + 719_470;
        (day.div_euclid(1_461), day.rem_euclid(1_461), 4)
    };
    let leap_days = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
    let leap_days = if years_per_era == 4 {
        day_of_era / 1_460
    } else {
        leap_days
    };
    let year_of_era = (day_of_era - leap_days) / 365;
    let centuries = if years_per_era == 4 { 0 } else { year_of_era / 100 };
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - centuries);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * years_per_era + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

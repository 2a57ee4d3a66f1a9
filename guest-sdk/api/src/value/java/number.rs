//! Numbers as Java's `toString` writes them.

use std::borrow::Cow;

/// Appends what `Double.toString` of Java 17 gives. Mostly these are the shortest digits that read back as the same
/// number; large whole numbers have a digit or two more. (Java 19 and later leave those out.)
pub fn write_f64(out: &mut Vec<u8>, value: f64) {
    if !value.is_finite() {
        out.extend_from_slice(non_finite(value.is_nan(), value > 0.0).as_bytes());
        return;
    }
    let size = value.abs();
    if (1e7..WHOLE_LIMIT).contains(&size) && size.fract() == 0.0 {
        return write_whole(out, value < 0.0, size as u64, f64::MANTISSA_DIGITS);
    }
    let mut buffer = zmij::Buffer::new();
    let shortest = buffer.format_finite(value);
    if (1e-3..1e7).contains(&size) || size == 0.0 {
        write_plain(out, shortest);
    } else if is_normal_power_of_two(size) {
        write_scientific(out, &normal_power_of_two(value));
    } else if is_one_digit(shortest) {
        // Java asks for the closest of two digits, which is visible with the smallest numbers: 4.9E-324.
        write_scientific(out, &inside(value, &format!("{value:.1e}")));
    } else {
        write_scientific(out, &inside(value, shortest));
    }
}

fn is_normal_power_of_two(size: f64) -> bool {
    size >= f64::MIN_POSITIVE && size.to_bits() << (64 - f64::MANTISSA_DIGITS + 1) == 0
}

/// As [`power_of_two`], of doubles, whose distances take more digits than a double has.
fn normal_power_of_two(value: f64) -> String {
    const DIGITS: usize = 30;
    let digits = |text: &str| -> Option<(u128, i32)> {
        let (mantissa, exponent) = text.split_once('e')?;
        let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
        Some((format!("{digits:0<31}").parse().ok()?, exponent.parse().ok()?))
    };
    let exact = digits(&format!("{value:.DIGITS$e}"));
    let is_near = |text: &String| match (exact, digits(text)) {
        (Some((exact, exponent)), Some((near, other))) => {
            let near = if other > exponent { near * 10 } else { near };
            near.abs_diff(exact) < exact >> (f64::MANTISSA_DIGITS + 1)
        }
        _ => false,
    };
    let mut texts = (1..=16).map(|digits| format!("{value:.digits$e}"));
    texts.find(is_near).unwrap_or_else(|| format!("{value:.16e}"))
}

/// The text, unless it names a point right between two doubles that reads back as the even one: Java takes what lies
/// inside then, with more digits. Only numbers of more than 63 bits have such texts.
fn inside(value: f64, shortest: &str) -> Cow<'_, str> {
    if value.abs() < WHOLE_LIMIT || !is_between_doubles(value, shortest) {
        return Cow::Borrowed(shortest);
    }
    let texts = (1..=16).map(|digits| format!("{value:.digits$e}"));
    let mut good = texts.filter(|text| text.parse() == Ok(value) && !is_between_doubles(value, text));
    good.next().map_or(Cow::Borrowed(shortest), Cow::Owned)
}

/// Whether the number in the text is the middle between `value` and a neighbour: an odd number of halves of the last place.
fn is_between_doubles(value: f64, text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: String = [whole, fraction]
        .concat()
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    let (Ok(digits), Ok(exponent)) = (digits.parse::<u64>(), exponent.parse::<i32>()) else {
        return false;
    };
    let tens = exponent - fraction.len() as i32;
    let Some(fives) = u32::try_from(tens).ok().and_then(|tens| 5_u64.checked_pow(tens)) else {
        return false;
    };
    let twos = digits.trailing_zeros();
    let Some(odd) = (digits >> twos.min(63)).checked_mul(fives) else {
        return false;
    };
    let bits = value.to_bits();
    let fraction = bits & ((1 << (f64::MANTISSA_DIGITS - 1)) - 1) | 1 << (f64::MANTISSA_DIGITS - 1);
    let exponent = ((bits >> (f64::MANTISSA_DIGITS - 1)) & 0x7ff) as i32 - 1075;
    twos as i32 + tens == exponent - 1 && odd.abs_diff(2 * fraction) == 1
}

/// Appends what `Float.toString` of Java 17 gives; see [`write_f64`].
pub fn write_f32(out: &mut Vec<u8>, value: f32) {
    if !value.is_finite() {
        out.extend_from_slice(non_finite(value.is_nan(), value > 0.0).as_bytes());
        return;
    }
    let size = value.abs();
    if (1e7..WHOLE_LIMIT).contains(&f64::from(size)) && size.fract() == 0.0 {
        return write_whole(out, value < 0.0, size as u64, f32::MANTISSA_DIGITS);
    }
    let mut buffer = zmij::Buffer::new();
    let shortest = buffer.format_finite(value);
    if (1e-3..1e7).contains(&size) || size == 0.0 {
        write_plain(out, shortest);
    } else if is_power_of_two(size) {
        write_scientific(out, &power_of_two(value));
    } else if is_one_digit(shortest) {
        write_scientific(out, &format!("{value:.1e}"));
    } else {
        write_scientific(out, shortest);
    }
}

/// Whole numbers below it are written by way of an integer.
const WHOLE_LIMIT: f64 = (1_u64 << 63) as f64;

/// A whole number: of its digits those go that lie below its precision of so many bits.
fn write_whole(out: &mut Vec<u8>, negative: bool, value: u64, precision: u32) {
    let exponent = value.ilog2();
    let below = exponent.saturating_sub(precision + 1);
    let dropped = if exponent > precision && below > 1 {
        2_u64.pow(below).ilog10()
    } else {
        0
    };
    let unit = 10_u64.pow(dropped);
    let kept = value / unit + u64::from(dropped > 0 && value % unit >= unit / 2);
    let sign = if negative { "-" } else { "" };
    write_scientific(out, &format!("{sign}{kept}e{dropped}"));
}

fn is_power_of_two(size: f32) -> bool {
    let bits = size.to_bits();
    let (exponent, fraction) = (bits >> (f32::MANTISSA_DIGITS - 1), bits << 9);
    fraction == 0 && exponent > 0 || exponent == 0 && fraction.is_power_of_two()
}

/// A power of two: below it floats lie twice as close as above, and Java keeps half of the smaller distance to both sides.
fn power_of_two(value: f32) -> String {
    let exact = f64::from(value);
    let least_distance = f64::from(f32::from_bits(1));
    let distance = (exact.abs() * 2_f64.powi(-25)).max(least_distance / 4.0);
    (1..=9)
        .map(|digits| format!("{value:.digits$e}"))
        .find(|text| text.parse().is_ok_and(|read: f64| (read - exact).abs() < distance))
        .unwrap_or_else(|| format!("{value:.9e}"))
}

fn non_finite(nan: bool, positive: bool) -> &'static str {
    match (nan, positive) {
        (true, _) => "NaN",
        (false, true) => "Infinity",
        (false, false) => "-Infinity",
    }
}

/// `1.5` stays, `1` becomes `1.0`.
fn write_plain(out: &mut Vec<u8>, shortest: &str) {
    out.extend_from_slice(shortest.as_bytes());
    if !shortest.contains('.') {
        out.extend_from_slice(b".0");
    }
}

fn is_one_digit(shortest: &str) -> bool {
    let mantissa = shortest.split(['e', 'E']).next().unwrap_or_default();
    let significant = mantissa
        .bytes()
        .filter(u8::is_ascii_digit)
        .skip_while(|digit| *digit == b'0');
    let mut count = 0;
    let mut last_significant = 0;
    for digit in significant {
        count += 1;
        if digit != b'0' {
            last_significant = count;
        }
    }
    last_significant <= 1
}

/// Writes any decimal text as `d.dddE±n`.
fn write_scientific(out: &mut Vec<u8>, text: &str) {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let mut exponent: i32 = exponent.parse().unwrap_or(0);
    let mantissa = match mantissa.strip_prefix('-') {
        Some(rest) => {
            out.push(b'-');
            rest
        }
        None => mantissa,
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    exponent += whole.len() as i32 - 1;
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    digits.drain(..zeros);
    exponent -= zeros as i32;
    while digits.last() == Some(&b'0') {
        digits.pop();
    }
    let (first, rest) = digits.split_first().unwrap_or((&b'0', &[]));
    out.push(*first);
    out.push(b'.');
    out.extend_from_slice(if rest.is_empty() { b"0" } else { rest });
    out.push(b'E');
    write_i64(out, i64::from(exponent));
}

/// Appends what `Long.toString` gives.
pub fn write_i64(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// `Double.parseDouble`
pub fn parse_f64(text: &str) -> Option<f64> {
    match floating(text)? {
        Floating::Decimal(text) => text.parse().ok(),
        Floating::Hexadecimal(text) => hexadecimal(text, 53, -1074),
    }
}

/// `Float.parseFloat`
pub fn parse_f32(text: &str) -> Option<f32> {
    match floating(text)? {
        Floating::Decimal(text) => text.parse().ok(),
        // Rounded to the float's bits, the conversion is exact.
        Floating::Hexadecimal(text) => hexadecimal(text, 24, -149).map(|value| value as f32),
    }
}

enum Floating<'t> {
    Decimal(&'t str),
    Hexadecimal(&'t str),
}

/// Java takes white space around a number and a suffix, and has other words for what is no number than Rust.
fn floating(text: &str) -> Option<Floating<'_>> {
    let text = text.trim_matches(|c| c <= ' ');
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, "NaN" | "Infinity") {
        return Some(Floating::Decimal(text));
    }
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let number = text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text);
    if unsigned.starts_with("0x") || unsigned.starts_with("0X") {
        return Some(Floating::Hexadecimal(number));
    }
    Some(Floating::Decimal(number))
}

/// `-0x1.8p3`, of so many significant bits and a least exponent. More digits than there are bits for round to even.
fn hexadecimal(text: &str, bits: u32, least: i64) -> Option<f64> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = rest.get(2..)?.split_once(['p', 'P'])?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut exponent = exponent.parse::<i64>().ok()?.clamp(-100_000, 100_000);
    exponent -= 4 * i64::try_from(fraction.len()).ok()?;
    let (mut number, mut sticky) = (0_u128, false);
    for digit in whole.chars().chain(fraction.chars()) {
        let digit = u128::from(digit.to_digit(16)?);
        if number >> 100 == 0 {
            number = number << 4 | digit;
        } else {
            sticky |= digit != 0;
            exponent += 4;
        }
    }
    let length = i64::from(128 - number.leading_zeros());
    let drop = (length - i64::from(bits)).max(least - exponent);
    if drop > 0 {
        let (kept, lost) = if drop >= 128 {
            (0, number)
        } else {
            (number >> drop, number & ((1 << drop) - 1))
        };
        let half = if drop > 128 { u128::MAX } else { 1 << (drop - 1) };
        let up = lost > half || lost == half && (sticky || kept & 1 == 1);
        number = kept + u128::from(up);
        exponent += drop;
    }
    let size = scaled(number as f64, exponent);
    // What is beyond the largest float of 24 bits is infinite for it.
    let size = if bits == 24 && size > f64::from(f32::MAX) {
        f64::INFINITY
    } else {
        size
    };
    Some(if negative { -size } else { size })
}

/// `value * 2^exponent`; the value has few enough bits that no step rounds.
fn scaled(mut value: f64, mut exponent: i64) -> f64 {
    while exponent > 0 && value.is_finite() && value != 0.0 {
        let step = exponent.min(500);
        value *= 2_f64.powi(step as i32);
        exponent -= step;
    }
    while exponent < 0 && value != 0.0 {
        let step = exponent.max(-500);
        value *= 2_f64.powi(step as i32);
        exponent -= step;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn double(value: f64) -> String {
        let mut out = Vec::new();
        write_f64(&mut out, value);
        String::from_utf8_lossy(&out).into_owned()
    }

    fn float(value: f32) -> String {
        let mut out = Vec::new();
        write_f32(&mut out, value);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn doubles_are_written_as_java_writes_them() {
        for (value, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (100.0, "100.0"),
            (0.001, "0.001"),
            (9.999e-4, "9.999E-4"),
            (9_999_999.0, "9999999.0"),
            (1e7, "1.0E7"),
            (1.234_567_891_25e8, "1.23456789125E8"),
            (1e21, "1.0E21"),
            (-1.5e300, "-1.5E300"),
            (f64::MAX, "1.7976931348623157E308"),
            (4.9e-324, "4.9E-324"),
            (9_007_199_254_740_993.0 * 128.0, "1.15292150460684698E18"),
            (9_223_372_036_854_775_807.0, "9.223372036854776E18"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(double(value), text);
        }
    }

    #[test]
    fn numbers_are_read_as_java_reads_them() {
        for (text, value) in [
            ("1.5", Some(1.5)),
            (" 1e3\n", Some(1000.0)),
            ("-.5f", Some(-0.5)),
            ("2.D", Some(2.0)),
            ("-Infinity", Some(f64::NEG_INFINITY)),
            ("0x1.8p1", Some(3.0)),
            ("0x1p-1074", Some(4.9e-324)),
            ("0x1.fffffffffffff8p1023", Some(f64::INFINITY)),
            ("inf", None),
            ("1_0", None),
            ("0x1", None),
            ("0x.p1", None),
            ("", None),
            ("fd", None),
        ] {
            assert_eq!(parse_f64(text), value, "{text}");
        }
        assert_eq!(parse_f32("0x1.fffffep127"), Some(f32::MAX));
        assert_eq!(parse_f32("0x1.ffffffp127"), Some(f32::INFINITY));
        assert_eq!(parse_f32("1e-46"), Some(0.0));
    }

    #[test]
    fn floats_are_written_as_java_writes_them() {
        for (value, text) in [
            (0.1, "0.1"),
            (1e10, "1.0E10"),
            (1e-5, "1.0E-5"),
            (1.4e-45, "1.4E-45"),
            (f32::MAX, "3.4028235E38"),
            (1_234_567.9, "1234567.9"),
            (16_777_216.0, "1.6777216E7"),
            (123_456_789.0, "1.23456792E8"),
            (f32::MIN_POSITIVE, "1.17549435E-38"),
            (2_f32.powi(-40), "9.094947E-13"),
        ] {
            assert_eq!(float(value), text);
        }
    }
}

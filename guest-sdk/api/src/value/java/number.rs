//! Numbers as Java's `toString` writes them.

/// Appends what `Double.toString` gives. Java 19 and later write the shortest digits that read back as the same
/// number, and so does this; earlier ones wrote a digit more now and then.
pub fn write_f64(out: &mut Vec<u8>, value: f64) {
    if !value.is_finite() {
        out.extend_from_slice(non_finite(value.is_nan(), value > 0.0).as_bytes());
        return;
    }
    let mut buffer = zmij::Buffer::new();
    let shortest = buffer.format_finite(value);
    let size = value.abs();
    if (1e-3..1e7).contains(&size) || size == 0.0 {
        write_plain(out, shortest);
    } else if is_one_digit(shortest) {
        // Java asks for the closest of two digits, which is visible with the smallest numbers: 4.9E-324.
        write_scientific(out, &format!("{value:.1e}"));
    } else {
        write_scientific(out, shortest);
    }
}

/// Appends what `Float.toString` gives.
pub fn write_f32(out: &mut Vec<u8>, value: f32) {
    if !value.is_finite() {
        out.extend_from_slice(non_finite(value.is_nan(), value > 0.0).as_bytes());
        return;
    }
    let mut buffer = zmij::Buffer::new();
    let shortest = buffer.format_finite(value);
    let size = value.abs();
    if (1e-3..1e7).contains(&size) || size == 0.0 {
        write_plain(out, shortest);
    } else if is_one_digit(shortest) {
        write_scientific(out, &format!("{value:.1e}"));
    } else {
        write_scientific(out, shortest);
    }
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
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(double(value), text);
        }
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
        ] {
            assert_eq!(float(value), text);
        }
    }
}

//! `java.math.BigDecimal` and `BigInteger`, as far as text and bytes go.

use caisson_api::Decimal;

/// Appends what `BigDecimal.toString` gives.
pub(crate) fn write_decimal(out: &mut Vec<u8>, decimal: &Decimal) {
    let (negative, digits) = decimal_digits(&decimal.unscaled);
    if negative {
        out.push(b'-');
    }
    let scale = i64::from(decimal.scale);
    if scale == 0 {
        out.extend_from_slice(digits.as_bytes());
        return;
    }
    let adjusted = digits.len() as i64 - 1 - scale;
    if scale > 0 && adjusted >= -6 {
        write_with_point(out, &digits, scale as usize);
        return;
    }
    let (first, rest) = digits.split_at(1);
    out.extend_from_slice(first.as_bytes());
    if !rest.is_empty() {
        out.push(b'.');
        out.extend_from_slice(rest.as_bytes());
    }
    if adjusted != 0 {
        out.extend_from_slice(if adjusted > 0 { b"E+" } else { b"E" });
        super::write_i64(out, adjusted);
    }
}

fn write_with_point(out: &mut Vec<u8>, digits: &str, scale: usize) {
    match digits.len().checked_sub(scale) {
        Some(whole) if whole > 0 => {
            let (whole, fraction) = digits.split_at(whole);
            out.extend_from_slice(whole.as_bytes());
            out.push(b'.');
            out.extend_from_slice(fraction.as_bytes());
        }
        _ => {
            out.extend_from_slice(b"0.");
            out.extend(std::iter::repeat_n(b'0', scale - digits.len()));
            out.extend_from_slice(digits.as_bytes());
        }
    }
}

/// What `new BigDecimal(text)` gives: an optional sign, digits with an optional point, an optional exponent.
pub(crate) fn parse_decimal(text: &str) -> Option<Decimal> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], parse_exponent(&text[at + 1..])?),
        None => (text, 0),
    };
    let (negative, mantissa) = match mantissa.as_bytes().first()? {
        b'-' => (true, &mantissa[1..]),
        b'+' => (false, &mantissa[1..]),
        _ => (false, mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let scale = i32::try_from(fraction.len() as i64 - exponent).ok()?;
    Some(Decimal {
        unscaled: unscaled_bytes(negative, &digits),
        scale,
    })
}

fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || digits.len() > 10 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    text.strip_prefix('+').unwrap_or(text).parse().ok()
}

/// The number, if it is whole and fits (`longValueExact`).
pub(crate) fn exact_long(decimal: &Decimal) -> Option<i64> {
    let (negative, digits) = decimal_digits(&decimal.unscaled);
    if digits == "0" {
        return Some(0);
    }
    let zeros = digits.len() - digits.trim_end_matches('0').len();
    let scale = i64::from(decimal.scale);
    if scale > zeros as i64 || digits.len() as i64 - scale > 19 {
        return None;
    }
    let whole = format!(
        "{}{}",
        &digits[..digits.len() - scale.max(0) as usize],
        "0".repeat((-scale).max(0) as usize)
    );
    let size: i128 = whole.parse().ok()?;
    i64::try_from(if negative { -size } else { size }).ok()
}

/// `BigDecimal.longValue`: cut at the point, the low 64 bits.
pub(crate) fn long_value(decimal: &Decimal) -> i64 {
    let (negative, digits) = decimal_digits(&decimal.unscaled);
    let scale = i64::from(decimal.scale);
    let keep = (digits.len() as i64 - scale.max(0)).max(0) as usize;
    let mut size = digits.bytes().take(keep).fold(0u64, |value, digit| {
        value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'))
    });
    // 10^64 is a multiple of 2^64.
    for _ in 0..(-scale).clamp(0, 64) {
        size = size.wrapping_mul(10);
    }
    if negative {
        size.wrapping_neg() as i64
    } else {
        size as i64
    }
}

/// `BigDecimal.doubleValue`
pub(crate) fn double_value(decimal: &Decimal) -> f64 {
    scientific(decimal)
        .parse()
        .map_or(0.0, |value: f64| if value == 0.0 { 0.0 } else { value })
}

/// `BigDecimal.floatValue`
pub(crate) fn float_value(decimal: &Decimal) -> f32 {
    scientific(decimal)
        .parse()
        .map_or(0.0, |value: f32| if value == 0.0 { 0.0 } else { value })
}

fn scientific(decimal: &Decimal) -> String {
    let (negative, digits) = decimal_digits(&decimal.unscaled);
    let sign = if negative { "-" } else { "" };
    format!("{sign}{digits}e{}", -i64::from(decimal.scale))
}

/// Whether it is negative, and the decimal digits, of a number in big-endian two's complement.
fn decimal_digits(bytes: &[u8]) -> (bool, String) {
    let negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
    if bytes.len() <= 16 {
        let mut wide = [if negative { 0xff } else { 0 }; 16];
        wide[16 - bytes.len()..].copy_from_slice(bytes);
        return (negative, i128::from_be_bytes(wide).unsigned_abs().to_string());
    }
    let mut size = bytes.to_vec();
    if negative {
        negate(&mut size);
    }
    (negative, magnitude_digits(&size))
}

/// Divides by 10^18 until nothing is left. The work grows with the square of the length, which Kafka's limit on the
/// size of messages keeps in bounds.
fn magnitude_digits(bytes: &[u8]) -> String {
    const CHUNK: u128 = 1_000_000_000_000_000_000;
    let mut limbs: Vec<u64> = bytes
        .rchunks(8)
        .rev()
        .map(|chunk| chunk.iter().fold(0u64, |limb, byte| limb << 8 | u64::from(*byte)))
        .collect();
    let mut chunks = Vec::new();
    let mut start = 0;
    loop {
        while limbs.get(start) == Some(&0) {
            start += 1;
        }
        if start == limbs.len() {
            break;
        }
        let mut remainder = 0u128;
        for limb in &mut limbs[start..] {
            let value = remainder << 64 | u128::from(*limb);
            *limb = (value / CHUNK) as u64;
            remainder = value % CHUNK;
        }
        chunks.push(remainder as u64);
    }
    let mut digits = chunks.pop().unwrap_or_default().to_string();
    for chunk in chunks.iter().rev() {
        digits.push_str(&format!("{chunk:018}"));
    }
    digits
}

/// The shortest big-endian two's complement of a number given by its decimal digits.
fn unscaled_bytes(negative: bool, digits: &str) -> Vec<u8> {
    let mut limbs: Vec<u64> = vec![0];
    for chunk in digits.as_bytes().chunks(18) {
        let value = chunk
            .iter()
            .fold(0u64, |value, digit| value * 10 + u64::from(digit - b'0'));
        let factor = u128::from(10u64.pow(chunk.len() as u32));
        let mut carry = u128::from(value);
        for limb in &mut limbs {
            let product = u128::from(*limb) * factor + carry;
            *limb = product as u64;
            carry = product >> 64;
        }
        if carry > 0 {
            limbs.push(carry as u64);
        }
    }
    let mut bytes = vec![0];
    bytes.extend(limbs.iter().rev().flat_map(|limb| limb.to_be_bytes()));
    if negative {
        negate(&mut bytes);
    }
    shorten(bytes)
}

/// Takes away leading bytes that only repeat the sign.
pub(crate) fn shorten(bytes: Vec<u8>) -> Vec<u8> {
    let redundant = bytes
        .windows(2)
        .take_while(|pair| (pair[0] == 0 && pair[1] & 0x80 == 0) || (pair[0] == 0xff && pair[1] & 0x80 != 0))
        .count();
    bytes[redundant..].to_vec()
}

fn negate(bytes: &mut [u8]) {
    let mut carry = true;
    for byte in bytes.iter_mut().rev() {
        let (value, overflow) = (!*byte).overflowing_add(u8::from(carry));
        *byte = value;
        carry = overflow;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(text: &str, again: &str) {
        let mut out = Vec::new();
        write_decimal(&mut out, &parse_decimal(text).unwrap());
        assert_eq!(String::from_utf8(out).unwrap(), again, "{text}");
    }

    #[test]
    fn decimals_are_written_as_java_writes_them() {
        check("123.45", "123.45");
        check("-0.00", "0.00");
        check("5E3", "5E+3");
        check("1.5e10", "1.5E+10");
        check("0.0000001", "1E-7");
        check("0.000001", "0.000001");
        check("1E-10", "1E-10");
        check("-99999999999999999999.99", "-99999999999999999999.99");
        let long = "1234567890".repeat(50);
        check(&long, &long);
        check(&format!("-{long}"), &format!("-{long}"));
    }

    #[test]
    fn unscaled_bytes_are_shortest() {
        assert_eq!(unscaled_bytes(false, "0"), [0]);
        assert_eq!(unscaled_bytes(false, "255"), [0, 255]);
        assert_eq!(unscaled_bytes(true, "128"), [128]);
        assert_eq!(unscaled_bytes(true, "100"), [0x9c]);
    }
}

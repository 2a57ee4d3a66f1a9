//! The numbers of JSON as Java's types take them.

use super::parse::Number;

/// Powers of ten that a double holds exactly.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// `JsonNode.longValue()` of an integral number: the low 64 bits of what it is.
pub(crate) fn long(number: &Number<'_>) -> i64 {
    let size = number.digits().unwrap_or_else(|| {
        let digits = number.text.bytes().filter(u8::is_ascii_digit);
        digits.fold(0u64, |value, digit| {
            value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'))
        })
    });
    if number.is_negative() {
        size.wrapping_neg() as i64
    } else {
        size as i64
    }
}

/// `JsonNode.doubleValue()`. Numbers pass through `BigDecimal`, so that there is no negative zero.
pub(crate) fn double(number: &Number<'_>) -> f64 {
    if let Some((digits, fraction)) = number.plain_digits()
        && digits < (1 << 53)
        && let Some(power) = EXACT_POWERS.get(usize::from(fraction))
    {
        // Both are exact, so that one division rounds once (Clinger's fast path).
        let size = digits as f64 / power;
        return if number.is_negative() && digits != 0 {
            -size
        } else {
            size
        };
    }
    let value: f64 = number.text.parse().unwrap_or(f64::NAN);
    if value == 0.0 { 0.0 } else { value }
}

/// `JsonNode.floatValue()`.
pub(crate) fn float(number: &Number<'_>) -> f32 {
    let value: f32 = number.text.parse().unwrap_or(f32::NAN);
    if value == 0.0 { 0.0 } else { value }
}

/// `BigDecimal.longValue()` of a number with a point or an exponent: cut at the point, the low 64 bits.
pub(crate) fn truncated(number: &Number<'_>) -> i64 {
    let (mantissa, exponent) = match number.text.find(['e', 'E']) {
        Some(at) => (&number.text[..at], number.text[at + 1..].parse::<i64>().unwrap_or(0)),
        None => (number.text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let whole_digits = whole.trim_start_matches('-');
    let keep = whole_digits.len() as i64 + exponent;
    let digits = whole_digits.bytes().chain(fraction.bytes());
    let count = (whole_digits.len() + fraction.len()) as i64;
    let kept = digits.take(keep.max(0) as usize);
    let mut size = kept.fold(0u64, |value, digit| {
        value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'))
    });
    // 10^64 is a multiple of 2^64.
    for _ in 0..(keep - count).clamp(0, 64) {
        size = size.wrapping_mul(10);
    }
    if number.text.starts_with('-') {
        size.wrapping_neg() as i64
    } else {
        size as i64
    }
}

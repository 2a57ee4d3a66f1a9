//! Numbers out of `java.math.BigDecimal`.

use crate::Decimal;

use super::digit::ascii_digits;
use crate::conversion::ConvertError;

/// Longer texts and numbers are refused: the work to change the base grows with the square of their length.
const MAX_DIGITS: usize = 20_000;

/// `new BigDecimal(text)`
pub fn parse_decimal(text: &str) -> Option<Decimal> {
    if text.len() > MAX_DIGITS {
        None
    } else {
        Decimal::parse(&ascii_digits(text))
    }
}

/// `BigDecimal.toString()`
pub fn write_decimal(out: &mut Vec<u8>, decimal: &Decimal) -> Result<(), ConvertError> {
    // A byte is more than two digits.
    if decimal.unscaled.len() > MAX_DIGITS / 2 {
        let length = decimal.unscaled.len();
        return Err(ConvertError::data(format!(
            "a Decimal of {length} bytes is too long to be written as a number"
        )));
    }
    out.extend_from_slice(decimal.to_string().as_bytes());
    Ok(())
}

/// The number, if it is whole and fits (`longValueExact`).
pub fn exact_long(decimal: &Decimal) -> Option<i64> {
    let (negative, digits) = digits(decimal);
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
pub fn long_value(decimal: &Decimal) -> i64 {
    let (negative, digits) = digits(decimal);
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
pub fn double_value(decimal: &Decimal) -> f64 {
    scientific(decimal).parse().unwrap_or(0.0)
}

/// `BigDecimal.floatValue`
pub fn float_value(decimal: &Decimal) -> f32 {
    scientific(decimal).parse().unwrap_or(0.0)
}

fn scientific(decimal: &Decimal) -> String {
    let (negative, digits) = digits(decimal);
    let sign = if negative { "-" } else { "" };
    format!("{sign}{digits}e{}", -i64::from(decimal.scale))
}

/// Whether it is negative, and its digits.
fn digits(decimal: &Decimal) -> (bool, String) {
    let text = decimal.unscaled_text();
    match text.strip_prefix('-') {
        Some(digits) => (true, digits.to_owned()),
        None => (false, text),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_whole_number_that_fits_is_exact() {
        for (text, exact) in [
            ("0.0", Some(0)),
            ("1e3", Some(1000)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("1.50", None),
            ("150e-1", Some(15)),
            ("1e400", None),
            ("1e2147483647", None),
        ] {
            assert_eq!(exact_long(&Decimal::parse(text).unwrap()), exact, "{text}");
        }
    }

    #[test]
    fn a_number_is_cut_to_its_low_bits() {
        for (text, long) in [
            ("12.345", 12),
            ("-1.5", -1),
            ("99999999999999999999", 7_766_279_631_452_241_919),
            ("1e100", 0),
            ("1e-2147483647", 0),
        ] {
            assert_eq!(long_value(&Decimal::parse(text).unwrap()), long, "{text}");
        }
    }
}

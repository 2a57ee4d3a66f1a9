//! Decimal numbers of any length (`java.math.BigDecimal`), as far as moving and printing them needs.

use super::Decimal;

impl Decimal {
    /// From big-endian two's complement bytes of any length; none at all are zero.
    pub fn new(unscaled: &[u8], scale: i32) -> Self {
        let mut bytes = unscaled;
        while let [first, second, ..] = bytes {
            let sign = if second & 0x80 == 0 { 0x00 } else { 0xff };
            if *first != sign {
                break;
            }
            bytes = &bytes[1..];
        }
        Decimal {
            unscaled: if bytes.is_empty() { vec![0] } else { bytes.to_vec() },
            scale,
        }
    }

    pub fn is_negative(&self) -> bool {
        self.unscaled.first().is_some_and(|byte| byte & 0x80 != 0)
    }

    /// The digits of the unscaled number, with its sign.
    pub fn unscaled_text(&self) -> String {
        let (negative, mut rest) = self.magnitude();
        let mut groups = Vec::new();
        while !rest.is_empty() {
            groups.push(divide(&mut rest, 1_000_000_000));
        }
        let mut out = String::from(if negative { "-" } else { "" });
        match groups.pop() {
            None => out.push('0'),
            Some(first) => {
                out.push_str(&first.to_string());
                groups
                    .iter()
                    .rev()
                    .for_each(|group| out.push_str(&format!("{group:09}")));
            }
        }
        out
    }

    /// From decimal digits with an optional sign.
    pub fn from_unscaled_text(digits: &str, scale: i32) -> Option<Self> {
        let (negative, digits) = match digits.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let mut limbs = Vec::new();
        for chunk in digits.chunks(9) {
            let group = chunk
                .iter()
                .fold(0, |group, digit| group * 10 + u32::from(digit - b'0'));
            multiply(&mut limbs, 10_u32.pow(chunk.len() as u32), group);
        }
        Some(Self::from_magnitude(negative, &limbs, scale))
    }

    /// As `new BigDecimal(text)` reads it: digits, a point, an exponent.
    pub fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if fraction.starts_with(['-', '+']) {
            return None;
        }
        let scale = i64::try_from(fraction.len()).ok()? - i64::from(exponent);
        Self::from_unscaled_text(&format!("{whole}{fraction}"), i32::try_from(scale).ok()?)
    }

    /// The same number with another scale; `None` if digits would be lost, or if there would be absurdly many.
    pub fn with_scale(&self, scale: i32) -> Option<Self> {
        let by = i64::from(scale) - i64::from(self.scale);
        if by.abs() > 10_000 {
            return None;
        }
        let (negative, mut limbs) = self.magnitude();
        for _ in 0..by {
            multiply(&mut limbs, 10, 0);
        }
        for _ in by..0 {
            if divide(&mut limbs, 10) != 0 {
                return None;
            }
        }
        Some(Self::from_magnitude(negative, &limbs, scale))
    }

    /// Sign and magnitude in limbs of 32 bits, lowest first, without leading zeros.
    fn magnitude(&self) -> (bool, Vec<u32>) {
        let negative = self.is_negative();
        let fill = if negative { 0xff } else { 0 };
        let mut limbs: Vec<u32> = self
            .unscaled
            .rchunks(4)
            .map(|chunk| {
                let mut word = [fill; 4];
                word[4 - chunk.len()..].copy_from_slice(chunk);
                u32::from_be_bytes(word)
            })
            .collect();
        if negative {
            negate(&mut limbs);
        }
        trim(&mut limbs);
        (negative, limbs)
    }

    fn from_magnitude(negative: bool, limbs: &[u32], scale: i32) -> Self {
        // One limb more keeps room for the sign.
        let mut limbs = [limbs, &[0]].concat();
        if negative {
            negate(&mut limbs);
        }
        let bytes: Vec<u8> = limbs.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect();
        Self::new(&bytes, scale)
    }
}

fn trim(limbs: &mut Vec<u32>) {
    while limbs.last() == Some(&0) {
        limbs.pop();
    }
}

/// Two's complement in place.
fn negate(limbs: &mut [u32]) {
    let mut carry = true;
    for limb in limbs {
        (*limb, carry) = (!*limb).overflowing_add(carry.into());
    }
}

fn multiply(limbs: &mut Vec<u32>, by: u32, add: u32) {
    let mut carry = u64::from(add);
    for limb in limbs.iter_mut() {
        carry += u64::from(*limb) * u64::from(by);
        *limb = carry as u32;
        carry >>= 32;
    }
    if carry > 0 {
        limbs.push(carry as u32);
    }
}

/// Divides in place and returns the remainder.
fn divide(limbs: &mut Vec<u32>, by: u32) -> u32 {
    let mut rest = 0_u64;
    for limb in limbs.iter_mut().rev() {
        rest = rest << 32 | u64::from(*limb);
        *limb = (rest / u64::from(by)) as u32;
        rest %= u64::from(by);
    }
    trim(limbs);
    rest as u32
}

/// As `BigDecimal.toString` prints: plain digits, or with an exponent if the number is small or its scale negative.
impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = self.unscaled_text();
        let (sign, digits) = text
            .strip_prefix('-')
            .map_or(("", text.as_str()), |digits| ("-", digits));
        f.write_str(sign)?;
        let exponent = digits.len() as i64 - 1 - i64::from(self.scale);
        if self.scale == 0 {
            return f.write_str(digits);
        }
        if self.scale > 0 && exponent >= -6 {
            let scale = self.scale as usize;
            return match digits.len().checked_sub(scale) {
                Some(whole) if whole > 0 => write!(f, "{}.{}", &digits[..whole], &digits[whole..]),
                Some(_) | None => write!(f, "0.{digits:0>scale$}"),
            };
        }
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        write!(f, "{first}{point}{rest}")?;
        if exponent == 0 {
            Ok(())
        } else {
            write!(f, "E{exponent:+}")
        }
    }
}

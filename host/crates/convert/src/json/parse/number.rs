//! Numbers: read digit by digit where they stand, and taken up into a number on the way.

use super::{Number, NumberForm, Parser};
use crate::json::fault::{Fault, FaultKind};

/// Jackson's `StreamReadConstraints`, in characters.
const MAX_NUMBER: usize = 1000;

impl<'a> Parser<'a> {
    pub(super) fn number(&mut self, first: u8) -> Result<Number<'a>, Fault> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        if first == b'-' {
            self.at += 1;
        }
        let whole = self.at;
        let mut value = self.digits(0);
        match self.at - whole {
            0 if self.at == bytes.len() => return Err(self.end("in number")),
            0 => {
                return Err(self.unexpected("expected digit (0-9) to follow minus sign, for valid numeric value"));
            }
            1 => {}
            _ => self.lenient |= bytes[whole] == b'0',
        }
        let mut count = self.at - whole;
        let mut fraction = 0;
        let mut form = NumberForm::Integral;
        if self.peek() == Some(b'.') {
            self.at += 1;
            let point = self.at;
            value = self.digits(value);
            if self.at == point {
                return Err(self.missing_digit("Decimal point not followed by a digit"));
            }
            fraction = self.at - point;
            count += fraction;
            form = NumberForm::Fraction;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.exponent()?;
            form = NumberForm::Exponent;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        if text.len() > MAX_NUMBER && count > MAX_NUMBER {
            return Err(self.fault(FaultKind::Length("Number value length", MAX_NUMBER)));
        }
        let (count, fraction) = (count.min(255) as u8, fraction.min(255) as u8);
        Ok(Number {
            text,
            value,
            count,
            fraction,
            form,
        })
    }

    /// Steps over digits and takes them up into a number, which is only right while it fits.
    #[inline]
    fn digits(&mut self, mut value: u64) -> u64 {
        let rest = self
            .text
            .as_bytes()
            .get(self.at..)
            .and_then(|rest| rest.first_chunk::<8>());
        if let Some(eight) = rest.and_then(|chunk| eight_digits(u64::from_le_bytes(*chunk))) {
            value = value.wrapping_mul(100_000_000).wrapping_add(eight);
            self.at += 8;
        }
        while let Some(digit) = self
            .peek()
            .map(|byte| byte.wrapping_sub(b'0'))
            .filter(|digit| *digit < 10)
        {
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
            self.at += 1;
        }
        value
    }

    fn exponent(&mut self) -> Result<(), Fault> {
        self.at += 1;
        if matches!(self.peek(), Some(b'+' | b'-')) {
            self.at += 1;
        }
        let start = self.at;
        self.digits(0);
        if self.at == start {
            return Err(self.missing_digit("Exponent indicator not followed by a digit"));
        }
        // A scale is an int; the digits before the exponent move it by a thousand at most.
        let size = self
            .text
            .get(start..self.at)
            .unwrap_or_default()
            .trim_start_matches('0');
        if size.len() > 10 || size.parse::<u64>().is_ok_and(|size| size > i32::MAX as u64 - 1000) {
            return Err(self.fault(FaultKind::Exponent));
        }
        Ok(())
    }

    fn missing_digit(&self, message: &'static str) -> Fault {
        if self.at == self.text.len() {
            self.end("in number")
        } else {
            self.unexpected(message)
        }
    }
}

/// The number in eight bytes, the first of which is the lowest, if all are digits. Three multiplications take the place of
/// eight: first pairs of digits are put together, then pairs of pairs.
#[inline]
fn eight_digits(word: u64) -> Option<u64> {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    const HIGH_HALVES: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    const ALTERNATE: u64 = 0x0000_00ff_0000_00ff;
    // A byte above '9' gets another high half when six is added.
    let beyond = word.wrapping_add(0x0606_0606_0606_0606);
    if (word & HIGH_HALVES) != ZEROS || (beyond & HIGH_HALVES) != ZEROS {
        return None;
    }
    let digits = word - ZEROS;
    let pairs = digits * 10 + (digits >> 8);
    let (odd, even) = (pairs & ALTERNATE, (pairs >> 16) & ALTERNATE);
    let sum = odd
        .wrapping_mul(100 + (1_000_000 << 32))
        .wrapping_add(even.wrapping_mul(1 + (10_000 << 32)));
    Some(sum >> 32)
}

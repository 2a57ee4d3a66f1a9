//! Which JSON is written as it was read.

use super::parse::{Builder, Number};
use super::plain::{FEW, Seen};
use super::text::Text;

/// Says of each value whether JsonConverter without schemas would write it byte by byte as it stands, white space aside.
pub(crate) struct Exact;

/// An object, as far as it has been read.
#[derive(Default)]
pub(crate) struct Names<'a> {
    names: Vec<&'a str>,
    seen: Seen,
    differs: bool,
}

impl<'a> Builder<'a> for Exact {
    type Value = bool;
    type Array = bool;
    type Object = Names<'a>;

    fn null(&mut self) -> bool {
        true
    }

    fn boolean(&mut self, _value: bool) -> bool {
        true
    }

    fn number(&mut self, number: Number<'a>) -> bool {
        is_exact(&number)
    }

    fn string(&mut self, text: Text<'a>) -> bool {
        !text.escaped
    }

    fn begin_array(&mut self) -> bool {
        true
    }

    fn element(&mut self, array: &mut bool, value: bool) {
        *array &= value;
    }

    fn end_array(&mut self, array: bool) -> bool {
        array
    }

    fn begin_object(&mut self) -> Names<'a> {
        Names::default()
    }

    fn member(&mut self, object: &mut Names<'a>, name: Text<'a>, value: bool) {
        let names = &mut object.names;
        let find = |wanted: &str| names.iter().take(FEW).position(|known| *known == wanted);
        // Of two members with one name only one is written.
        let earlier = object.seen.insert(name.raw, names.len(), find);
        object.differs |= !value || name.escaped || earlier.is_some();
        names.push(name.raw);
    }

    fn end_object(&mut self, object: Names<'a>) -> bool {
        !object.differs
    }
}

/// The most digits of which any two numbers are different doubles.
const DOUBLE_DIGITS: u32 = 15;

/// Whether `Long.toString` or `Double.toString` of the number give its text.
fn is_exact(number: &Number<'_>) -> bool {
    let digits = number.text.strip_prefix('-').unwrap_or(number.text);
    let Some((size, fraction)) = number.plain_digits() else {
        return false;
    };
    if number.is_integral() {
        return !digits.starts_with('0') || number.text == "0";
    }
    // Java writes a double without an exponent from 0.001 up to 10,000,000, as shortly as it is still the same double,
    // with at least one digit behind the point.
    let (unit, whole) = (10u64.pow(u32::from(fraction)), digits.len() - 1 - usize::from(fraction));
    let leading = digits.starts_with('0') && whole > 1;
    let trailing = digits.ends_with('0') && fraction > 1;
    size < 10u64.pow(DOUBLE_DIGITS)
        && size / unit < 10_000_000
        && size.saturating_mul(1000) >= unit
        && !leading
        && !trailing
}

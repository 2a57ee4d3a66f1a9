//! From the server's text to a slot of a typed value.

use std::ops::Range;
use std::str::FromStr;

use caisson_sdk::api::typed::{BlockAt, Blocks, TypedError};

use super::civil::{self, DAY};
use super::decimal::{self, Digits};
use super::form::{BinaryMode, DecimalMode, Form, IntervalMode};
use super::kind::Kind;
use super::time::{self, Fraction};
use super::{array, bits, geometry, hstore, java};
use crate::mask::Mask;

pub mod encodings;
mod schema;
mod stand_in;
mod times;
mod vectors;

pub use encodings::hex_bytes;
use times::write_time_of_day;
use vectors::write_sparse_vector;

/// How the values of a column are written.
#[derive(Clone, Debug, PartialEq)]
pub enum Codec {
    Boolean,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Decimal {
        precision: u32,
        scale: u32,
    },
    /// Each value brings its scale.
    VariableDecimal,
    /// With that many digits behind the point, or as many as there are.
    DecimalText(Option<u32>),
    Money(DecimalMode, u32),
    /// With the name of its schema.
    Text(Option<&'static str>),
    Json,
    Enum(Vec<String>),
    Bytes(BinaryMode),
    Date(Form),
    Time(Form),
    TimeWithZone,
    Timestamp(Form),
    TimestampWithZone(Fraction),
    Interval(IntervalMode),
    Bit,
    Bits(u32),
    Point,
    Geometry(&'static str),
    Vector,
    HalfVector,
    SparseVector,
    HstoreJson,
    HstoreMap,
    Array(Box<Codec>, Elements),
    /// The text itself as bytes.
    Unknown(BinaryMode),
    /// The same, with numbers as Java writes them.
    Shape(BinaryMode),
    /// A text that is not shown as it is.
    Masked(Mask, Box<Codec>),
    /// A type that has a schema, and no values in it.
    Valueless(Box<Codec>),
}

/// What is special about the elements of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elements {
    /// Of the types that have a placeholder where an array is large and unchanged.
    Listed,
    /// Of `numeric`: with an element that is no number, such as NaN, the original has no value at all.
    Numbers,
    Others,
}

impl Elements {
    pub fn of(element: &Kind) -> Self {
        match element {
            Kind::Text | Kind::Json | Kind::Bytes | Kind::Int32 | Kind::Int64 | Kind::Date | Kind::Uuid => {
                Elements::Listed
            }
            Kind::Numeric(_) => Elements::Numbers,
            _ => Elements::Others,
        }
    }
}

/// Why a text is not what its type says.
#[derive(Debug)]
pub enum Problem {
    /// It cannot be read; what was expected.
    Text(&'static str),
    Typed(TypedError),
}

impl From<TypedError> for Problem {
    fn from(error: TypedError) -> Self {
        Problem::Typed(error)
    }
}

/// What became of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    Value,
    /// The value has no equal in the schema, such as NaN in a decimal.
    Nothing,
}

/// Where a value goes.
pub struct Slot<'b, 'o> {
    pub blocks: &'b mut Blocks<'o>,
    pub block: BlockAt,
    pub index: usize,
}

impl Slot<'_, '_> {
    fn number(&mut self, number: i64) {
        self.blocks.number(self.block, self.index, number);
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        Ok(self.blocks.bytes(self.block, self.index, bytes)?)
    }

    fn bytes_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), Problem> {
        Ok(self.blocks.bytes_with(self.block, self.index, write)?)
    }
}

fn number<T: FromStr>(text: &[u8], what: &'static str) -> Result<T, Problem> {
    std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or(Problem::Text(what))
}

/// A whole number: what most columns are.
#[inline]
fn whole(text: &[u8]) -> Result<i64, Problem> {
    let (negative, digits) = match text.split_first() {
        Some((b'-', digits)) => (true, digits),
        _ => (false, text),
    };
    if digits.is_empty() || digits.len() > 18 {
        return number(text, "a whole number");
    }
    let mut value = 0_i64;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return Err(Problem::Text("a whole number"));
        }
        value = value * 10 + i64::from(digit - b'0');
    }
    Ok(if negative { -value } else { value })
}

fn within<T>(text: &[u8], what: &'static str) -> Result<i64, Problem>
where
    T: TryFrom<i64>,
{
    let value = whole(text)?;
    T::try_from(value).map(|_| value).map_err(|_| Problem::Text(what))
}

impl Codec {
    /// Writes a value.
    pub fn write(&self, slot: &mut Slot<'_, '_>, text: &[u8]) -> Result<Written, Problem> {
        match self {
            Codec::Boolean => {
                let value = boolean(text)?;
                slot.blocks.boolean(slot.block, slot.index, value);
            }
            Codec::Bit => {
                let value = bit(text)?;
                slot.blocks.boolean(slot.block, slot.index, value);
            }
            Codec::Int16 => slot.number(within::<i16>(text, "a number of 16 bits")?),
            Codec::Int32 => slot.number(within::<i32>(text, "a number of 32 bits")?),
            Codec::Int64 => slot.number(whole(text)?),
            Codec::Float32 => {
                let value = number::<f32>(text, "a number")?;
                slot.blocks.float32(slot.block, slot.index, value);
            }
            Codec::Float64 => {
                let value = number::<f64>(text, "a number")?;
                slot.blocks.float64(slot.block, slot.index, value);
            }
            Codec::Text(_) | Codec::Json | Codec::Enum(_) => slot.bytes(text)?,
            Codec::Decimal { .. } | Codec::VariableDecimal | Codec::DecimalText(_) | Codec::Money(..) => {
                return self.write_decimal(slot, text);
            }
            Codec::Date(_)
            | Codec::Time(_)
            | Codec::TimeWithZone
            | Codec::Timestamp(_)
            | Codec::TimestampWithZone(_)
            | Codec::Interval(_) => self.write_time(slot, text)?,
            Codec::Bytes(mode) => {
                let bytes = encodings::bytea(text).ok_or(Problem::Text("hexadecimal digits or escaped bytes"))?;
                slot.bytes_with(|out| encodings::write(*mode, &bytes, out))?;
            }
            Codec::Unknown(mode) => slot.bytes_with(|out| encodings::write(*mode, text, out))?,
            Codec::Shape(mode) => {
                let text = geometry::java_shape(&String::from_utf8_lossy(text));
                slot.bytes_with(|out| encodings::write(*mode, text.as_bytes(), out))?;
            }
            Codec::Bits(_) => {
                let mut good = false;
                slot.bytes_with(|out| good = bits::write(text, out))?;
                if !good {
                    return Err(Problem::Text("bits"));
                }
            }
            Codec::Point
            | Codec::Geometry(_)
            | Codec::Vector
            | Codec::HalfVector
            | Codec::SparseVector
            | Codec::HstoreJson
            | Codec::HstoreMap => self.write_compound(slot, text)?,
            Codec::Array(element, elements) => return write_array(slot, element, *elements, text),
            Codec::Masked(mask, _) => slot.bytes_with(|out| mask.write(Some(text), out))?,
            Codec::Valueless(_) => return Ok(Written::Nothing),
        }
        Ok(Written::Value)
    }

    fn write_decimal(&self, slot: &mut Slot<'_, '_>, text: &[u8]) -> Result<Written, Problem> {
        let money;
        let text = match self {
            Codec::Money(..) => {
                money = decimal::money(text).ok_or(Problem::Text("an amount of money"))?;
                &money
            }
            _ => text,
        };
        match self {
            Codec::DecimalText(scale) => match decimal::special(text) {
                Some(name) => slot.bytes(name)?,
                None => slot.bytes_with(|out| decimal::pad(text, scale.unwrap_or(0) as usize, out))?,
            },
            // The digits that the server gives, whatever money.fraction.digits says.
            Codec::Money(DecimalMode::Text, _) => slot.bytes(text)?,
            Codec::Money(DecimalMode::Double, _) => {
                let value = number::<f64>(text, "an amount of money")?;
                slot.blocks.float64(slot.block, slot.index, value);
            }
            Codec::Decimal { scale, .. } | Codec::Money(DecimalMode::Precise, scale) => {
                let Some(digits) = Digits::parse(text) else {
                    return Ok(Written::Nothing);
                };
                slot.bytes_with(|out| digits.write_rounded(*scale as usize, out))?;
            }
            _ => {
                let Some(digits) = Digits::parse(text) else {
                    return Ok(Written::Nothing);
                };
                let scale = digits.significant_fraction().len();
                let block = slot.blocks.structure(slot.block, slot.index, 2)?;
                slot.blocks.number(block, 0, scale as i64);
                slot.blocks
                    .bytes_with(block, 1, |out| digits.write_unscaled(scale, out))?;
            }
        }
        Ok(Written::Value)
    }

    fn write_compound(&self, slot: &mut Slot<'_, '_>, text: &[u8]) -> Result<(), Problem> {
        match self {
            Codec::Point => {
                let (x, y) = geometry::point(text).ok_or(Problem::Text("a point"))?;
                write_point(slot, x, y)
            }
            Codec::Geometry(_) => {
                let (srid, wkb) = geometry::ewkb(text).ok_or(Problem::Text("a geometry in EWKB"))?;
                let block = slot.blocks.structure(slot.block, slot.index, 2)?;
                slot.blocks.bytes(block, 0, &wkb)?;
                match srid {
                    Some(srid) => slot.blocks.number(block, 1, srid.into()),
                    None => slot.blocks.null(block, 1),
                }
                Ok(())
            }
            Codec::Vector | Codec::HalfVector => self.write_vector(slot, text),
            Codec::SparseVector => write_sparse_vector(slot, text),
            Codec::HstoreJson => {
                let pairs = hstore::parse(text).ok_or(Problem::Text("an hstore"))?;
                slot.bytes(hstore::to_json(&pairs).as_bytes())
            }
            Codec::HstoreMap => {
                let pairs = hstore::parse(text).ok_or(Problem::Text("an hstore"))?;
                let block = slot.blocks.map(slot.block, slot.index, pairs.len())?;
                for (index, (key, value)) in pairs.iter().enumerate() {
                    slot.blocks.bytes(block, 2 * index, key.as_bytes())?;
                    match value {
                        Some(value) => slot.blocks.bytes(block, 2 * index + 1, value.as_bytes())?,
                        None => slot.blocks.null(block, 2 * index + 1),
                    }
                }
                Ok(())
            }
            _ => Err(Problem::Text("a compound value")),
        }
    }

    /// Writes an element of an array, which the driver gives the original by other classes: times of day are within the day
    /// there, to the millisecond, or with a zone to the second.
    fn write_element(&self, slot: &mut Slot<'_, '_>, text: &[u8]) -> Result<Written, Problem> {
        match self {
            Codec::Time(form) => {
                let micros = civil::time(text).ok_or(Problem::Text("a time of day"))?;
                write_time_of_day(slot, *form, micros % DAY / 1000 * 1000)?;
            }
            Codec::TimeWithZone => {
                let micros = civil::time_with_zone(text).ok_or(Problem::Text("a time of day with a zone"))?;
                slot.bytes_with(|out| {
                    time::write_time(out, micros.div_euclid(1_000_000) * 1_000_000, Fraction::Needed);
                    out.push(b'Z');
                })?;
            }
            _ => return self.write(slot, text),
        }
        Ok(Written::Value)
    }
}

fn write_array(slot: &mut Slot<'_, '_>, element: &Codec, kind: Elements, text: &[u8]) -> Result<Written, Problem> {
    let elements = array::parse(text).ok_or(Problem::Text("an array"))?;
    if element.is_required_in_arrays() && elements.ranges.contains(&None) {
        // Its elements cannot be null: the original has no value then.
        return Ok(Written::Nothing);
    }
    let is_number = |range: &Range<usize>| Digits::parse(&elements.plain[range.clone()]).is_some();
    if kind == Elements::Numbers && !elements.ranges.iter().flatten().all(is_number) {
        return Ok(Written::Nothing);
    }
    let block = slot.blocks.array(slot.block, slot.index, elements.ranges.len())?;
    for (index, range) in elements.ranges.iter().enumerate() {
        let mut inner = Slot {
            blocks: &mut *slot.blocks,
            block,
            index,
        };
        let written = match range {
            Some(range) => element.write_element(&mut inner, &elements.plain[range.clone()])?,
            None => Written::Nothing,
        };
        if written == Written::Nothing {
            slot.blocks.null(block, index);
        }
    }
    Ok(Written::Value)
}

fn boolean(text: &[u8]) -> Result<bool, Problem> {
    match text {
        b"t" | b"true" => Ok(true),
        b"f" | b"false" => Ok(false),
        _ => Err(Problem::Text("t or f")),
    }
}

fn bit(text: &[u8]) -> Result<bool, Problem> {
    match text {
        b"1" => Ok(true),
        b"0" => Ok(false),
        _ => Err(Problem::Text("a bit")),
    }
}

pub(super) fn write_point(slot: &mut Slot<'_, '_>, x: f64, y: f64) -> Result<(), Problem> {
    let block = slot.blocks.structure(slot.block, slot.index, 4)?;
    slot.blocks.float64(block, 0, x);
    slot.blocks.float64(block, 1, y);
    slot.blocks.bytes(block, 2, &geometry::point_wkb(x, y))?;
    slot.blocks.null(block, 3);
    Ok(())
}

/// The text that a snapshot gives an amount of money as, where decimals are texts: the original reads it as a double.
pub fn snapshot_money_text(text: &[u8]) -> Option<String> {
    let plain = decimal::money(text)?;
    let value: f64 = std::str::from_utf8(&plain).ok()?.parse().ok()?;
    Some(java::double_text(value))
}

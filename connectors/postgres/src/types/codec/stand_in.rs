//! What stands in for a value that is not there: where a column may not be null, and where the server did not send a
//! large value because it has not changed.

use md5::{Digest, Md5};

use super::{Codec, Elements, Problem, Slot, Written, encodings};
use crate::config::Placeholder;
use crate::random;
use crate::types::form::{BinaryMode, DecimalMode, Form, IntervalMode};

impl Codec {
    /// Zero, nothing, the beginning of time.
    pub fn write_stand_in(&self, slot: &mut Slot<'_, '_>) -> Result<(), Problem> {
        match self {
            Codec::Boolean
            | Codec::Bit
            | Codec::Int16
            | Codec::Int32
            | Codec::Int64
            | Codec::Float32
            | Codec::Float64
            | Codec::Money(DecimalMode::Double, _)
            | Codec::Interval(IntervalMode::Numeric) => slot.number(0),
            Codec::Decimal { .. } | Codec::Money(DecimalMode::Precise, _) => slot.bytes(&[0])?,
            Codec::VariableDecimal | Codec::DecimalText(_) => {
                self.write(slot, b"0")?;
            }
            Codec::Money(DecimalMode::Text, _) => slot.bytes(b"0")?,
            Codec::HstoreJson => slot.bytes(b"{}")?,
            Codec::Text(_)
            | Codec::Json
            | Codec::Enum(_)
            | Codec::Bytes(_)
            | Codec::Unknown(_)
            | Codec::Shape(_)
            | Codec::Bits(_) => slot.bytes(b"")?,
            Codec::Date(Form::IsoText) => slot.bytes(b"1970-01-01Z")?,
            Codec::Time(Form::IsoText) | Codec::TimeWithZone => slot.bytes(b"00:00:00Z")?,
            Codec::Timestamp(Form::IsoText) | Codec::TimestampWithZone(_) => slot.bytes(b"1970-01-01T00:00:00Z")?,
            Codec::Date(_) | Codec::Time(_) | Codec::Timestamp(_) => slot.number(0),
            Codec::Interval(IntervalMode::Text) => slot.bytes(b"P0Y0M0DT0H0M0S")?,
            Codec::Point => super::write_point(slot, 0.0, 0.0)?,
            Codec::Geometry(_) => write_geometry(slot, &[])?,
            Codec::SparseVector => {
                self.write(slot, b"{}/0")?;
            }
            Codec::Vector | Codec::HalfVector => {
                self.write(slot, b"[]")?;
            }
            Codec::HstoreMap => {
                slot.blocks.map(slot.block, slot.index, 0)?;
            }
            Codec::Array(..) => {
                slot.blocks.array(slot.block, slot.index, 0)?;
            }
            Codec::Masked(mask, _) if mask.is_for_null() => {
                slot.bytes_with(|out| mask.write(None, out))?;
            }
            Codec::Masked(_, inner) | Codec::Valueless(inner) => inner.write_stand_in(slot)?,
        }
        Ok(())
    }

    /// Whether even a null shows as something.
    pub fn masks_null(&self) -> bool {
        matches!(self, Codec::Masked(mask, _) if mask.is_for_null())
    }

    /// `unavailable.value.placeholder` in the form of the column; `Nothing` where it has none.
    pub fn write_unavailable(&self, slot: &mut Slot<'_, '_>, placeholder: &Placeholder) -> Result<Written, Problem> {
        match self {
            Codec::Text(_) | Codec::Json | Codec::Enum(_) | Codec::DecimalText(_) => {
                slot.bytes(placeholder.text.as_bytes())?;
            }
            // In Base64 they have no placeholder.
            Codec::Bytes(BinaryMode::Base64 | BinaryMode::Base64UrlSafe)
            | Codec::Unknown(BinaryMode::Base64 | BinaryMode::Base64UrlSafe)
            | Codec::Shape(BinaryMode::Base64 | BinaryMode::Base64UrlSafe) => return Ok(Written::Nothing),
            Codec::Bytes(BinaryMode::Hex) => slot.bytes(placeholder.text.as_bytes())?,
            Codec::Bytes(mode) | Codec::Unknown(mode) | Codec::Shape(mode) => {
                slot.bytes_with(|out| encodings::write(*mode, &placeholder.bytes, out))?;
            }
            Codec::HstoreJson => {
                let pairs = [(placeholder.text.clone(), Some(placeholder.text.clone()))];
                slot.bytes(crate::types::hstore::to_json(&pairs).as_bytes())?;
            }
            Codec::HstoreMap => {
                let block = slot.blocks.map(slot.block, slot.index, 1)?;
                slot.blocks.bytes(block, 0, placeholder.text.as_bytes())?;
                slot.blocks.bytes(block, 1, placeholder.text.as_bytes())?;
            }
            Codec::Geometry(_) => write_geometry(slot, &placeholder.bytes)?,
            Codec::Array(element, Elements::Listed) => return write_unavailable_array(slot, element, placeholder),
            Codec::Masked(mask, _) => slot.bytes_with(|out| mask.write(Some(placeholder.text.as_bytes()), out))?,
            _ => return Ok(Written::Nothing),
        }
        Ok(Written::Value)
    }
}

fn write_geometry(slot: &mut Slot<'_, '_>, wkb: &[u8]) -> Result<(), Problem> {
    let block = slot.blocks.structure(slot.block, slot.index, 2)?;
    slot.blocks.bytes(block, 0, wkb)?;
    slot.blocks.null(block, 1);
    Ok(())
}

/// An array of texts has the placeholder as its one element; one of numbers has its bytes as elements.
fn write_unavailable_array(
    slot: &mut Slot<'_, '_>,
    element: &Codec,
    placeholder: &Placeholder,
) -> Result<Written, Problem> {
    match element {
        Codec::Int32 | Codec::Int64 | Codec::Date(Form::Days) => {
            let block = slot.blocks.array(slot.block, slot.index, placeholder.bytes.len())?;
            for (index, byte) in placeholder.bytes.iter().enumerate() {
                slot.blocks.number(block, index, byte.cast_signed().into());
            }
            Ok(Written::Value)
        }
        Codec::Text(Some("io.debezium.data.Uuid")) => {
            let mut hash: [u8; 16] = Md5::digest(&placeholder.bytes).into();
            hash[6] = hash[6] & 0x0f | 0x30;
            let block = slot.blocks.array(slot.block, slot.index, 1)?;
            slot.blocks.bytes(block, 0, random::format_uuid(hash).as_bytes())?;
            Ok(Written::Value)
        }
        Codec::Text(_) | Codec::Json => {
            let block = slot.blocks.array(slot.block, slot.index, 1)?;
            slot.blocks.bytes(block, 0, placeholder.text.as_bytes())?;
            Ok(Written::Value)
        }
        Codec::Bytes(BinaryMode::Bytes) => {
            let block = slot.blocks.array(slot.block, slot.index, 1)?;
            slot.blocks.bytes(block, 0, &placeholder.bytes)?;
            Ok(Written::Value)
        }
        _ => Ok(Written::Nothing),
    }
}

//! The logical types of the data API: Decimal, Date, Time and Timestamp, from and to what they stand on.

use crate::Decimal;
use crate::schema::Schema;

use crate::conversion::ConvertError;

/// Milliseconds.
pub const DAY: i64 = 86_400_000;

/// `Decimal.fromLogical`: the unscaled number, if the scale is the schema's.
pub fn decimal_to_bytes<'d>(schema: &Schema, decimal: &'d Decimal) -> Result<&'d [u8], ConvertError> {
    let scale = schema.scale()?;
    if scale != decimal.scale {
        return Err(scale_mismatch(scale, decimal.scale));
    }
    Ok(&decimal.unscaled)
}

/// What is said of a decimal whose scale is not its schema's.
pub fn scale_mismatch(scale: i32, was: i32) -> ConvertError {
    ConvertError::data(format!(
        "Decimal value has mismatching scale for given Decimal schema. Schema has scale {scale}, value has scale {was}."
    ))
}

/// `Date.fromLogical`: days since the epoch.
pub fn date_to_days(millis: i64) -> Result<i32, ConvertError> {
    if millis.rem_euclid(DAY) != 0 {
        return Err(ConvertError::data(
            "Kafka Connect Date type should not have any time fields set to non-zero values.",
        ));
    }
    Ok((millis / DAY) as i32)
}

/// `Time.fromLogical`: milliseconds since midnight.
pub fn time_to_millis(millis: i64) -> Result<i32, ConvertError> {
    if !(0..=DAY).contains(&millis) {
        return Err(ConvertError::data(
            "Kafka Connect Time type should not have any date fields set to non-zero values.",
        ));
    }
    Ok(millis as i32)
}

/// `Time.toLogical`.
pub fn time_from_millis(millis: i32) -> Result<i64, ConvertError> {
    if !(0..=DAY).contains(&i64::from(millis)) {
        return Err(ConvertError::data(
            "Time values must use number of milliseconds greater than 0 and less than 86400000",
        ));
    }
    Ok(i64::from(millis))
}

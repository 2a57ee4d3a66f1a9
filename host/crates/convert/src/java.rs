//! How Java writes and reads numbers and dates.

mod date;
mod decimal;
mod number;

use caisson_api::Value;

pub(crate) use date::Moment;
pub(crate) use decimal::{double_value, exact_long, float_value, long_value, parse_decimal, write_decimal};
pub(crate) use number::{write_f32, write_f64, write_i64};

/// What `"" + value.getClass()` gives for the class that stands for a value in Kafka Connect.
pub(crate) fn class_of(value: &Value) -> String {
    format!("class {}", value.java_class())
}

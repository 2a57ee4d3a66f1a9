//! How Java writes things: names of types and classes, numbers, dates, and `toString` of the data API.

mod date;
mod decimal;
mod number;
mod text;

use caisson_api::Value;
use caisson_api::schema::Kind;

pub(crate) use date::Moment;
pub(crate) use decimal::{double_value, exact_long, float_value, long_value, parse_decimal, shorten, write_decimal};
pub(crate) use number::{write_f32, write_f64, write_i64};
pub(crate) use text::write_text;

/// `Schema.Type.toString()`.
pub(crate) fn type_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Int8 => "INT8",
        Kind::Int16 => "INT16",
        Kind::Int32 => "INT32",
        Kind::Int64 => "INT64",
        Kind::Float32 => "FLOAT32",
        Kind::Float64 => "FLOAT64",
        Kind::Boolean => "BOOLEAN",
        Kind::String => "STRING",
        Kind::Bytes => "BYTES",
        Kind::Array(_) => "ARRAY",
        Kind::Map(..) => "MAP",
        Kind::Struct(_) => "STRUCT",
    }
}

/// What `"" + value.getClass()` gives for the class that stands for a value in Kafka Connect.
pub(crate) fn class_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Boolean(_) => "class java.lang.Boolean",
        Value::Int8(_) => "class java.lang.Byte",
        Value::Int16(_) => "class java.lang.Short",
        Value::Int32(_) => "class java.lang.Integer",
        Value::Int64(_) => "class java.lang.Long",
        Value::Float32(_) => "class java.lang.Float",
        Value::Float64(_) => "class java.lang.Double",
        Value::String(_) => "class java.lang.String",
        Value::Bytes(_) => "class [B",
        Value::Decimal(_) => "class java.math.BigDecimal",
        Value::Date(_) => "class java.util.Date",
        Value::Array(_) => "class java.util.ArrayList",
        Value::Map(_) => "class java.util.LinkedHashMap",
        Value::Struct(_) => "class org.apache.kafka.connect.data.Struct",
    }
}

//! Values as Kafka Connect's data API has them (`org.apache.kafka.connect.data`).

/// One value. Which of its forms a schema allows is said in [`crate::schema::Schema::validate`].
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Value {
    #[default]
    Null,
    Boolean(bool),
    Int8(i8),
    Int16(i16),
    Int32(i32),
    Int64(i64),
    Float32(f32),
    Float64(f64),
    String(String),
    Bytes(Vec<u8>),
    /// `java.math.BigDecimal`: the logical type Decimal.
    Decimal(Decimal),
    /// `java.util.Date`, milliseconds since the epoch in UTC: the logical types Date, Time and Timestamp.
    Date(i64),
    Array(Vec<Value>),
    /// In insertion order, keys unique.
    Map(Vec<(Value, Value)>),
    /// One value per field, in the order of the schema's fields.
    Struct(Vec<Value>),
}

/// A decimal number: `unscaled * 10^-scale`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// Big-endian two's complement, shortest form, never empty.
    pub unscaled: Vec<u8>,
    pub scale: i32,
}

impl Value {
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }
}

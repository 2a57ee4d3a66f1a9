//! Values as Kafka Connect's data API has them (`org.apache.kafka.connect.data`).

pub mod base64;
mod decimal;
pub mod java;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

pub use java::to_java_string;

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

    /// The class of the value in Kafka Connect, for its messages. Null has none.
    pub fn java_class(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Boolean(_) => "java.lang.Boolean",
            Value::Int8(_) => "java.lang.Byte",
            Value::Int16(_) => "java.lang.Short",
            Value::Int32(_) => "java.lang.Integer",
            Value::Int64(_) => "java.lang.Long",
            Value::Float32(_) => "java.lang.Float",
            Value::Float64(_) => "java.lang.Double",
            Value::String(_) => "java.lang.String",
            Value::Bytes(_) => "[B",
            Value::Decimal(_) => "java.math.BigDecimal",
            Value::Date(_) => "java.util.Date",
            Value::Array(_) => "java.util.ArrayList",
            Value::Map(_) => "java.util.LinkedHashMap",
            Value::Struct(_) => "org.apache.kafka.connect.data.Struct",
        }
    }
}

macro_rules! from {
    ($($native:ty => $variant:ident),* $(,)?) => {
        $(impl From<$native> for Value {
            fn from(value: $native) -> Self {
                Value::$variant(value.into())
            }
        })*
    };
}

from! {
    bool => Boolean, i8 => Int8, i16 => Int16, i32 => Int32, i64 => Int64, f32 => Float32, f64 => Float64,
    &str => String, String => String, &[u8] => Bytes, Vec<u8> => Bytes, Decimal => Decimal,
    Vec<Value> => Array, Vec<(Value, Value)> => Map,
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

/// So many keys are compared one by one.
const FEW_KEYS: usize = 16;

/// Entries as a Java map would have them: of several with one key the last one counts, at the place of the first.
pub fn unique_keys(entries: Vec<(Value, Value)>) -> Vec<(Value, Value)> {
    // Mostly they are few, and texts.
    let text = |(key, _): &(Value, Value)| matches!(key, Value::String(_));
    let repeated = |at: usize| entries[..at].iter().any(|(key, _)| *key == entries[at].0);
    if entries.len() <= FEW_KEYS && entries.iter().all(text) && !(1..entries.len()).any(repeated) {
        return entries;
    }
    let mut places: HashMap<String, usize> = HashMap::with_capacity(entries.len());
    let mut unique: Vec<(Value, Value)> = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        match places.entry(format!("{key:?}")) {
            Entry::Occupied(place) => unique[*place.get()].1 = value,
            Entry::Vacant(place) => {
                place.insert(unique.len());
                unique.push((key, value));
            }
        }
    }
    unique
}

//! Kafka Connect's converters of single numbers and booleans, over Kafka's serializers: big-endian, fixed length.

use std::sync::{Arc, LazyLock};

use caisson_api::schema::{Kind, Schema};
use caisson_api::{SchemaRef, Value};

use crate::{Class, ConvertError, Converter, java};

/// `ShortConverter`, `IntegerConverter`, `LongConverter`, `FloatConverter` and `DoubleConverter` of
/// `org.apache.kafka.connect.converters`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberConverter {
    Short,
    Integer,
    Long,
    Float,
    Double,
}

impl NumberConverter {
    fn name(self) -> &'static str {
        match self {
            NumberConverter::Short => "short",
            NumberConverter::Integer => "integer",
            NumberConverter::Long => "long",
            NumberConverter::Float => "float",
            NumberConverter::Double => "double",
        }
    }

    fn schema(self) -> SchemaRef {
        static SCHEMAS: LazyLock<[SchemaRef; 5]> = LazyLock::new(|| {
            [Kind::Int16, Kind::Int32, Kind::Int64, Kind::Float32, Kind::Float64]
                .map(|kind| Arc::new(Schema::optional(kind)))
        });
        SCHEMAS[self as usize].clone()
    }

    fn read(self, bytes: &[u8]) -> Option<Value> {
        Some(match self {
            NumberConverter::Short => Value::Int16(i16::from_be_bytes(bytes.try_into().ok()?)),
            NumberConverter::Integer => Value::Int32(i32::from_be_bytes(bytes.try_into().ok()?)),
            NumberConverter::Long => Value::Int64(i64::from_be_bytes(bytes.try_into().ok()?)),
            NumberConverter::Float => Value::Float32(f32::from_be_bytes(bytes.try_into().ok()?)),
            NumberConverter::Double => Value::Float64(f64::from_be_bytes(bytes.try_into().ok()?)),
        })
    }

    fn wrong_size(self) -> &'static str {
        match self {
            NumberConverter::Short => "Size of data received by ShortDeserializer is not 2",
            NumberConverter::Integer => "Size of data received by IntegerDeserializer is not 4",
            NumberConverter::Long => "Size of data received by LongDeserializer is not 8",
            NumberConverter::Float => "Size of data received by Deserializer is not 4",
            NumberConverter::Double => "Size of data received by Deserializer is not 8",
        }
    }
}

impl Converter for NumberConverter {
    fn from_connect(
        &self,
        _topic: &str,
        _schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<bool, ConvertError> {
        match (self, value) {
            (_, Value::Null) => return Ok(false),
            (NumberConverter::Short, Value::Int16(value)) => out.extend_from_slice(&value.to_be_bytes()),
            (NumberConverter::Integer, Value::Int32(value)) => out.extend_from_slice(&value.to_be_bytes()),
            (NumberConverter::Long, Value::Int64(value)) => out.extend_from_slice(&value.to_be_bytes()),
            (NumberConverter::Float, Value::Float32(value)) => out.extend_from_slice(&value.to_be_bytes()),
            (NumberConverter::Double, Value::Float64(value)) => out.extend_from_slice(&value.to_be_bytes()),
            (converter, other) => {
                let (name, class) = (converter.name(), java::class_of(other));
                let cause = ConvertError::new(
                    Class::Foreign("java.lang.ClassCastException"),
                    format!("{class} cannot be cast to a {name}"),
                );
                return Err(
                    ConvertError::data(format!("Failed to serialize to {name} (was {class}): ")).because(cause),
                );
            }
        }
        Ok(true)
    }

    fn to_connect(&self, _topic: &str, bytes: Option<&[u8]>) -> Result<(Option<SchemaRef>, Value), ConvertError> {
        let value = match bytes {
            None => Value::Null,
            Some(bytes) => self.read(bytes).ok_or_else(|| {
                ConvertError::data(format!("Failed to deserialize {}: ", self.name()))
                    .because(ConvertError::new(Class::Serialization, self.wrong_size()))
            })?,
        };
        Ok((Some(self.schema()), value))
    }
}

/// `org.apache.kafka.connect.converters.BooleanConverter`
#[derive(Clone, Copy, Debug, Default)]
pub struct BooleanConverter;

static OPTIONAL_BOOLEAN: LazyLock<SchemaRef> = LazyLock::new(|| Arc::new(Schema::optional(Kind::Boolean)));

impl Converter for BooleanConverter {
    fn from_connect(
        &self,
        _topic: &str,
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<bool, ConvertError> {
        if let Some(schema) = schema
            && !matches!(schema.kind, Kind::Boolean)
        {
            let kind = &schema.kind;
            return Err(ConvertError::data(format!(
                "Invalid schema type for BooleanConverter: {kind}"
            )));
        }
        match value {
            Value::Null => Ok(false),
            Value::Boolean(value) => {
                out.push(u8::from(*value));
                Ok(true)
            }
            other => {
                let class = java::class_of(other);
                Err(ConvertError::data(format!(
                    "BooleanConverter is not compatible with objects of type {class}"
                )))
            }
        }
    }

    fn to_connect(&self, _topic: &str, bytes: Option<&[u8]>) -> Result<(Option<SchemaRef>, Value), ConvertError> {
        let wrong = |message: &str| {
            ConvertError::data("Failed to deserialize boolean: ")
                .because(ConvertError::new(Class::Serialization, message))
        };
        let value = match bytes {
            None => Value::Null,
            Some([0]) => Value::Boolean(false),
            Some([1]) => Value::Boolean(true),
            Some([other]) => {
                return Err(wrong(&format!(
                    "Unexpected byte received by BooleanDeserializer: {}",
                    *other as i8
                )));
            }
            Some(_) => return Err(wrong("Size of data received by BooleanDeserializer is not 1")),
        };
        Ok((Some(OPTIONAL_BOOLEAN.clone()), value))
    }
}

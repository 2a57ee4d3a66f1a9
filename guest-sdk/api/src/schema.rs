//! Schemas as Kafka Connect's data API has them (`org.apache.kafka.connect.data.Schema`), and their JSON text.

mod builder;
mod json;
mod parse;
mod validate;

use std::fmt;
use std::sync::Arc;

use crate::value::Value;

pub use builder::SchemaBuilder;

/// A schema that many records share.
pub type SchemaRef = Arc<Schema>;

/// Name of the logical type Decimal: on BYTES, with the parameter `scale`.
pub const DECIMAL: &str = "org.apache.kafka.connect.data.Decimal";
/// Name of the logical type Date: on INT32, days since the epoch.
pub const DATE: &str = "org.apache.kafka.connect.data.Date";
/// Name of the logical type Time: on INT32, milliseconds since midnight.
pub const TIME: &str = "org.apache.kafka.connect.data.Time";
/// Name of the logical type Timestamp: on INT64, milliseconds since the epoch in UTC.
pub const TIMESTAMP: &str = "org.apache.kafka.connect.data.Timestamp";

/// The shape of a value and what is known about it. "No schema" is the absence of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    pub kind: Kind,
    pub optional: bool,
    pub default: Option<Value>,
    pub name: Option<String>,
    pub version: Option<i32>,
    pub doc: Option<String>,
    /// In insertion order; `None` and empty differ, as they do in Kafka Connect.
    pub parameters: Option<Vec<(String, String)>>,
}

/// The type of a schema, with its parts.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Boolean,
    String,
    Bytes,
    Array(SchemaRef),
    /// Key and value.
    Map(SchemaRef, SchemaRef),
    Struct(Vec<Field>),
}

/// A field of a struct; its index is its place in [`Kind::Struct`].
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub name: String,
    pub schema: SchemaRef,
}

/// What is wrong with a schema, or with a value under it. Texts are those of Kafka Connect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// A value does not fit (`DataException`).
    #[error("{0}")]
    Data(String),
    /// A schema cannot be built like this (`SchemaBuilderException`).
    #[error("{0}")]
    Builder(String),
    #[error("Invalid default value")]
    Default(#[source] Box<SchemaError>),
    /// Text that is no JSON.
    #[error("schema is not valid JSON: {0}")]
    Json(String),
}

impl From<SchemaError> for crate::Error {
    fn from(error: SchemaError) -> Self {
        crate::conversion::ConvertError::from(error).into()
    }
}

impl Kind {
    /// As `Schema.Type` prints: `INT8`, `STRUCT`.
    pub fn name(&self) -> &'static str {
        match self {
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
            Kind::Map(_, _) => "MAP",
            Kind::Struct(_) => "STRUCT",
        }
    }

    /// As JsonConverter writes it: `int8`, `float`, `struct`.
    pub fn json_name(&self) -> &'static str {
        match self {
            Kind::Int8 => "int8",
            Kind::Int16 => "int16",
            Kind::Int32 => "int32",
            Kind::Int64 => "int64",
            Kind::Float32 => "float",
            Kind::Float64 => "double",
            Kind::Boolean => "boolean",
            Kind::String => "string",
            Kind::Bytes => "bytes",
            Kind::Array(_) => "array",
            Kind::Map(_, _) => "map",
            Kind::Struct(_) => "struct",
        }
    }

    /// Whether it is neither array, map nor struct.
    pub fn is_primitive(&self) -> bool {
        !matches!(self, Kind::Array(_) | Kind::Map(_, _) | Kind::Struct(_))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The logical types of Kafka Connect itself, which have values of their own in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Logical {
    /// On BYTES: [`Value::Decimal`].
    Decimal,
    /// On INT32, days: [`Value::Date`].
    Date,
    /// On INT32, milliseconds of the day: [`Value::Date`].
    Time,
    /// On INT64, milliseconds: [`Value::Date`].
    Timestamp,
}

impl Logical {
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            DECIMAL => Some(Logical::Decimal),
            DATE => Some(Logical::Date),
            TIME => Some(Logical::Time),
            TIMESTAMP => Some(Logical::Timestamp),
            _ => None,
        }
    }
}

impl Schema {
    /// A required schema without name, version, documentation, parameters or default.
    pub const fn new(kind: Kind) -> Self {
        Schema {
            kind,
            optional: false,
            default: None,
            name: None,
            version: None,
            doc: None,
            parameters: None,
        }
    }

    pub const fn optional(kind: Kind) -> Self {
        let mut schema = Self::new(kind);
        schema.optional = true;
        schema
    }

    /// `Decimal.schema(scale)`.
    pub fn decimal(scale: i32) -> Self {
        let parameters = Some(vec![("scale".to_owned(), scale.to_string())]);
        Schema {
            parameters,
            ..Self::logical(Kind::Bytes, DECIMAL)
        }
    }

    /// `Date.SCHEMA`.
    pub fn date() -> Self {
        Self::logical(Kind::Int32, DATE)
    }

    /// `Time.SCHEMA`.
    pub fn time() -> Self {
        Self::logical(Kind::Int32, TIME)
    }

    /// `Timestamp.SCHEMA`.
    pub fn timestamp() -> Self {
        Self::logical(Kind::Int64, TIMESTAMP)
    }

    fn logical(kind: Kind, name: &str) -> Self {
        Schema {
            name: Some(name.to_owned()),
            version: Some(1),
            ..Self::new(kind)
        }
    }

    /// The same schema, optional.
    pub fn into_optional(self) -> Self {
        Schema { optional: true, ..self }
    }

    /// The logical type, if the name says one and stands on the right type.
    pub fn logical_type(&self) -> Option<Logical> {
        let logical = Logical::from_name(self.name.as_deref()?)?;
        let fits = match logical {
            Logical::Decimal => self.kind == Kind::Bytes,
            Logical::Date | Logical::Time => self.kind == Kind::Int32,
            Logical::Timestamp => self.kind == Kind::Int64,
        };
        fits.then_some(logical)
    }

    /// The scale of a Decimal.
    pub fn scale(&self) -> Result<i32, SchemaError> {
        let Some(text) = self.parameter("scale") else {
            return Err(SchemaError::Data(
                "Invalid Decimal schema: scale parameter not found.".into(),
            ));
        };
        text.parse()
            .map_err(|_| SchemaError::Data("Invalid scale parameter found in Decimal schema: ".into()))
    }

    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .as_deref()?
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The fields of a struct; none for other types.
    pub fn fields(&self) -> &[Field] {
        match &self.kind {
            Kind::Struct(fields) => fields,
            Kind::Int8
            | Kind::Int16
            | Kind::Int32
            | Kind::Int64
            | Kind::Float32
            | Kind::Float64
            | Kind::Boolean
            | Kind::String
            | Kind::Bytes
            | Kind::Array(_)
            | Kind::Map(_, _) => &[],
        }
    }

    /// The index of a field of a struct.
    pub fn field_index(&self, name: &str) -> Option<usize> {
        self.fields().iter().position(|field| field.name == name)
    }

    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields().iter().find(|field| field.name == name)
    }
}

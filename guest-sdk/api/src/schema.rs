//! Schemas as Kafka Connect's data API has them (`org.apache.kafka.connect.data.Schema`), and their JSON text.

use std::sync::Arc;

use crate::value::Value;

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

impl Schema {
    /// A required schema without name, version, documentation, parameters or default.
    pub fn new(kind: Kind) -> Self {
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

    pub fn optional(kind: Kind) -> Self {
        Schema {
            optional: true,
            ..Self::new(kind)
        }
    }
}

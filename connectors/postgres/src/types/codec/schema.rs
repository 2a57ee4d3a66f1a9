//! The schema that the values of a codec have.

use std::sync::Arc;

use caisson_sdk::api::schema::{Field, Kind, Schema};

use super::Codec;
use crate::types::form::{BinaryMode, DecimalMode, Form, IntervalMode};

fn named(kind: Kind, name: impl Into<String>) -> Schema {
    Schema {
        name: Some(name.into()),
        version: Some(1),
        ..Schema::new(kind)
    }
}

fn field(name: &str, schema: Schema) -> Field {
    Field {
        name: name.to_owned(),
        schema: Arc::new(schema),
    }
}

fn with_parameter(mut schema: Schema, name: &str, value: String) -> Schema {
    schema.parameters.get_or_insert_default().push((name.to_owned(), value));
    schema
}

impl Codec {
    /// Required and without a default.
    pub fn schema(&self) -> Schema {
        match self {
            Codec::Boolean | Codec::Bit => Schema::new(Kind::Boolean),
            Codec::Int16 => Schema::new(Kind::Int16),
            Codec::Int32 => Schema::new(Kind::Int32),
            Codec::Int64 => Schema::new(Kind::Int64),
            Codec::Float32 => Schema::new(Kind::Float32),
            Codec::Float64 | Codec::Money(DecimalMode::Double, _) => Schema::new(Kind::Float64),
            Codec::Decimal { precision, scale } => with_parameter(
                Schema::decimal(*scale as i32),
                "connect.decimal.precision",
                precision.to_string(),
            ),
            Codec::Money(DecimalMode::Precise, digits) => Schema::decimal(*digits as i32),
            Codec::VariableDecimal => Schema {
                doc: Some("Variable scaled decimal".into()),
                ..named(
                    Kind::Struct(vec![
                        field("scale", Schema::new(Kind::Int32)),
                        field("value", Schema::new(Kind::Bytes)),
                    ]),
                    "io.debezium.data.VariableScaleDecimal",
                )
            },
            Codec::DecimalText(_) | Codec::Money(DecimalMode::Text, _) | Codec::Text(None) => Schema::new(Kind::String),
            Codec::Text(Some(name)) => named(Kind::String, *name),
            Codec::Json | Codec::HstoreJson => named(Kind::String, "io.debezium.data.Json"),
            Codec::Enum(labels) => with_parameter(
                named(Kind::String, "io.debezium.data.Enum"),
                "allowed",
                labels.join(","),
            ),
            Codec::Bytes(mode) | Codec::Unknown(mode) | Codec::Shape(mode) => match mode {
                BinaryMode::Bytes => Schema::new(Kind::Bytes),
                BinaryMode::Base64 | BinaryMode::Base64UrlSafe | BinaryMode::Hex => Schema::new(Kind::String),
            },
            Codec::Bits(bits) => {
                with_parameter(named(Kind::Bytes, "io.debezium.data.Bits"), "length", bits.to_string())
            }
            Codec::Date(_)
            | Codec::Time(_)
            | Codec::TimeWithZone
            | Codec::Timestamp(_)
            | Codec::TimestampWithZone(_)
            | Codec::Interval(_) => self.time_schema(),
            Codec::Point
            | Codec::Geometry(_)
            | Codec::Vector
            | Codec::HalfVector
            | Codec::SparseVector
            | Codec::HstoreMap
            | Codec::Array(..) => self.compound_schema(),
            Codec::Masked(_, inner) | Codec::Valueless(inner) => inner.schema(),
        }
    }

    /// The elements of arrays may be null, but for these.
    pub(super) fn is_required_in_arrays(&self) -> bool {
        matches!(
            self,
            Codec::Enum(_) | Codec::Unknown(_) | Codec::Text(Some("io.debezium.data.Tsvector"))
        )
    }

    fn time_schema(&self) -> Schema {
        match self {
            Codec::Date(Form::ConnectDays) => Schema::date(),
            Codec::Date(Form::IsoText) => named(Kind::String, "io.debezium.time.IsoDate"),
            Codec::Date(_) => named(Kind::Int32, "io.debezium.time.Date"),
            Codec::Time(Form::ConnectMillis) => Schema::time(),
            Codec::Time(Form::IsoText) => named(Kind::String, "io.debezium.time.IsoTime"),
            Codec::Time(Form::Millis) => named(Kind::Int32, "io.debezium.time.Time"),
            Codec::Time(Form::Nanos) => named(Kind::Int64, "io.debezium.time.NanoTime"),
            Codec::Time(_) => named(Kind::Int64, "io.debezium.time.MicroTime"),
            Codec::TimeWithZone => named(Kind::String, "io.debezium.time.ZonedTime"),
            Codec::Timestamp(Form::ConnectMillis) => Schema::timestamp(),
            Codec::Timestamp(Form::IsoText) => named(Kind::String, "io.debezium.time.IsoTimestamp"),
            Codec::Timestamp(Form::Millis) => named(Kind::Int64, "io.debezium.time.Timestamp"),
            Codec::Timestamp(Form::Nanos) => named(Kind::Int64, "io.debezium.time.NanoTimestamp"),
            Codec::Timestamp(_) => named(Kind::Int64, "io.debezium.time.MicroTimestamp"),
            Codec::Interval(IntervalMode::Numeric) => named(Kind::Int64, "io.debezium.time.MicroDuration"),
            Codec::Interval(IntervalMode::Text) => named(Kind::String, "io.debezium.time.Interval"),
            _ => named(Kind::String, "io.debezium.time.ZonedTimestamp"),
        }
    }

    fn compound_schema(&self) -> Schema {
        match self {
            Codec::Point => Schema {
                doc: Some("Geometry (POINT)".into()),
                ..named(
                    Kind::Struct(vec![
                        field("x", Schema::new(Kind::Float64)),
                        field("y", Schema::new(Kind::Float64)),
                        field("wkb", Schema::optional(Kind::Bytes)),
                        field("srid", Schema::optional(Kind::Int32)),
                    ]),
                    "io.debezium.data.geometry.Point",
                )
            },
            Codec::Geometry(name) => Schema {
                doc: Some((*name).to_owned()),
                ..named(
                    Kind::Struct(vec![
                        field("wkb", Schema::new(Kind::Bytes)),
                        field("srid", Schema::optional(Kind::Int32)),
                    ]),
                    format!("io.debezium.data.geometry.{name}"),
                )
            },
            Codec::Vector => named(
                Kind::Array(Arc::new(Schema::new(Kind::Float64))),
                "io.debezium.data.DoubleVector",
            ),
            Codec::HalfVector => named(
                Kind::Array(Arc::new(Schema::new(Kind::Float32))),
                "io.debezium.data.FloatVector",
            ),
            Codec::SparseVector => {
                let map = Kind::Map(Arc::new(Schema::new(Kind::Int16)), Arc::new(Schema::new(Kind::Float64)));
                Schema {
                    doc: Some("Sparse double vector".into()),
                    ..named(
                        Kind::Struct(vec![
                            field("dimensions", Schema::new(Kind::Int16)),
                            field("vector", Schema::new(map)),
                        ]),
                        "io.debezium.data.SparseDoubleVector",
                    )
                }
            }
            Codec::Array(element, _) => {
                let schema = element.schema();
                let schema = match element.is_required_in_arrays() {
                    true => schema,
                    false => schema.into_optional(),
                };
                Schema::new(Kind::Array(Arc::new(schema)))
            }
            _ => Schema::new(Kind::Map(
                Arc::new(Schema::new(Kind::String)),
                Arc::new(Schema::optional(Kind::String)),
            )),
        }
    }
}

//! Schemas of parsed values while they are being found out, when an array may not know yet what its elements are.

use std::sync::Arc;

use crate::SchemaRef;
use crate::schema::{Kind, Schema};

/// A schema, possibly with holes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    /// Neither array nor map.
    Leaf(SchemaRef),
    Array(Option<Box<Shape>>),
    Map(Option<Box<Shape>>, Option<Box<Shape>>),
}

impl Shape {
    pub fn leaf(kind: Kind) -> Shape {
        Shape::Leaf(Arc::new(Schema::new(kind)))
    }

    /// The schema. Kafka Connect has arrays and maps without a schema of their elements; here such a value is
    /// schemaless as a whole.
    pub fn into_schema(self) -> Option<SchemaRef> {
        let part = |shape: Option<Box<Shape>>| shape.and_then(|shape| shape.into_schema());
        match self {
            Shape::Leaf(schema) => Some(schema),
            Shape::Array(element) => Some(Arc::new(Schema::new(Kind::Array(part(element)?)))),
            Shape::Map(key, value) => Some(Arc::new(Schema::new(Kind::Map(part(key)?, part(value)?)))),
        }
    }
}

/// Finds the one shape that several values can have.
#[derive(Default)]
pub(super) struct Merger {
    common: Option<Shape>,
    incompatible: bool,
}

impl Merger {
    pub fn merge(&mut self, shape: Option<&Shape>) {
        let Some(shape) = shape else { return };
        if self.incompatible {
            return;
        }
        self.common = match self.common.take() {
            None => Some(shape.clone()),
            Some(common) => merge(common, shape),
        };
        self.incompatible = self.common.is_none();
    }

    /// The common shape; `None` if there were only nulls, or values of different kinds.
    pub fn into_common(self) -> Option<Shape> {
        self.common
    }
}

fn merge(previous: Shape, new: &Shape) -> Option<Shape> {
    match (&previous, new) {
        (Shape::Leaf(old), Shape::Leaf(latest)) => match (width(old), width(latest)) {
            (Some(a), Some(b)) if a != b => Some(if a > b { previous } else { new.clone() }),
            _ if std::mem::discriminant(&old.kind) == std::mem::discriminant(&latest.kind) => Some(new.clone()),
            _ => None,
        },
        (Shape::Array(_), Shape::Array(_)) | (Shape::Map(..), Shape::Map(..)) => Some(new.clone()),
        (Shape::Leaf(_) | Shape::Array(_) | Shape::Map(..), _) => None,
    }
}

/// The place of a number type in the order of widening.
fn width(schema: &Schema) -> Option<u8> {
    match schema.kind {
        Kind::Int8 => Some(0),
        Kind::Int16 => Some(1),
        Kind::Int32 => Some(2),
        Kind::Int64 => Some(3),
        Kind::Float32 => Some(4),
        Kind::Float64 => Some(5),
        Kind::Boolean | Kind::String | Kind::Bytes | Kind::Array(_) | Kind::Map(..) | Kind::Struct(_) => None,
    }
}

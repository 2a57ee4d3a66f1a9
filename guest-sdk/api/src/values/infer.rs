//! The schema that a value suggests (`Values.inferSchema`).

use std::sync::Arc;

use crate::schema::{Kind, Schema};
use crate::{SchemaRef, Value};

use crate::conversion::{Class, ConvertError};

/// The schema of a value, `None` if there is no telling.
pub fn infer_schema(value: &Value) -> Result<Option<SchemaRef>, ConvertError> {
    let kind = match kind_of(value)? {
        Inferred::Kind(kind) => kind,
        // An array or map without schemas of its elements is schemaless here.
        Inferred::Bare(_) | Inferred::Unknown => return Ok(None),
    };
    Ok(Some(Arc::new(Schema::new(kind))))
}

enum Inferred {
    Kind(Kind),
    /// An array or map that has a type but no schema for its elements.
    Bare(&'static str),
    Unknown,
}

fn kind_of(value: &Value) -> Result<Inferred, ConvertError> {
    Ok(Inferred::Kind(match value {
        Value::Boolean(_) => Kind::Boolean,
        Value::Int8(_) => Kind::Int8,
        Value::Int16(_) => Kind::Int16,
        Value::Int32(_) => Kind::Int32,
        Value::Int64(_) => Kind::Int64,
        Value::Float32(_) => Kind::Float32,
        Value::Float64(_) => Kind::Float64,
        Value::String(_) => Kind::String,
        Value::Bytes(_) => Kind::Bytes,
        Value::Array(elements) => return array(elements),
        Value::Map(entries) => return map(entries),
        Value::Null | Value::Decimal(_) | Value::Date(_) | Value::Struct(_) => return Ok(Inferred::Unknown),
    }))
}

fn array(elements: &[Value]) -> Result<Inferred, ConvertError> {
    let mut detector = Detector::default();
    for element in elements {
        if !detector.takes(element)? {
            return Ok(Inferred::Unknown);
        }
    }
    if elements.is_empty() {
        return Ok(Inferred::Unknown);
    }
    Ok(match detector.schema()? {
        Some(element) => Inferred::Kind(Kind::Array(element)),
        None => Inferred::Bare("array"),
    })
}

fn map(entries: &[(Value, Value)]) -> Result<Inferred, ConvertError> {
    let (mut keys, mut values) = (Detector::default(), Detector::default());
    for (key, value) in entries {
        if !keys.takes(key)? || !values.takes(value)? {
            return Ok(Inferred::Unknown);
        }
    }
    if entries.is_empty() {
        return Ok(Inferred::Unknown);
    }
    Ok(match (keys.schema()?, values.schema()?) {
        (Some(key), Some(value)) => Inferred::Kind(Kind::Map(key, value)),
        (Some(_) | None, Some(_) | None) => Inferred::Bare("map"),
    })
}

/// Whether all elements are of one type.
#[derive(Default)]
struct Detector {
    known: Option<(&'static str, Option<Kind>)>,
    optional: bool,
}

impl Detector {
    fn takes(&mut self, value: &Value) -> Result<bool, ConvertError> {
        if value.is_null() {
            self.optional = true;
            return Ok(true);
        }
        // Of an array or map inside only the type is kept.
        let (name, kind) = match kind_of(value)? {
            Inferred::Kind(kind @ (Kind::Array(_) | Kind::Map(..))) => (kind.name(), None),
            Inferred::Kind(kind) => (kind.name(), Some(kind)),
            Inferred::Bare("array") => ("ARRAY", None),
            Inferred::Bare(_) => ("MAP", None),
            Inferred::Unknown => return Ok(false),
        };
        match &self.known {
            Some((known, _)) => Ok(*known == name),
            None => {
                self.known = Some((name, kind));
                Ok(true)
            }
        }
    }

    fn schema(self) -> Result<Option<SchemaRef>, ConvertError> {
        match self.known {
            Some((_, Some(kind))) => Ok(Some(Arc::new(Schema {
                optional: self.optional,
                ..Schema::new(kind)
            }))),
            Some((_, None)) => Ok(None),
            None => Err(ConvertError::new(Class::SchemaBuilder, "type cannot be null")),
        }
    }
}

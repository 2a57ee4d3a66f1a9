//! Reading values, by the schema of Kafka Connect that was made of theirs.

use caisson_api::schema::{Field, Kind, Logical, Schema};
use caisson_api::value::{base64, unique_keys};
use caisson_api::{Decimal, Value};
use caisson_convert::tree::Node;
use caisson_convert::{ConvertError, logical};

use super::options;

/// The value that a node stands for; `None` is a member that is missing.
pub fn read(schema: &Schema, node: Option<&Node<'_>>) -> Result<Value, ConvertError> {
    let node = match node {
        Some(node) if !matches!(node, Node::Null) => node,
        missing => {
            return match (&schema.default, missing) {
                (Some(default), _) => Ok(default.clone()),
                (None, None) => Ok(Value::Null),
                (None, Some(_)) if schema.optional => Ok(Value::Null),
                (None, Some(_)) => Err(ConvertError::data(format!(
                    "Invalid null value for required {} field",
                    schema.kind
                ))),
            };
        }
    };
    if let Some(logical) = schema.logical_type() {
        return read_logical(schema, logical, node);
    }
    Ok(match &schema.kind {
        Kind::Boolean => Value::Boolean(matches!(node, Node::Boolean(true))),
        Kind::Int8 => Value::Int8(node.integer() as i8),
        Kind::Int16 => Value::Int16(node.integer() as i16),
        Kind::Int32 => Value::Int32(node.integer() as i32),
        Kind::Int64 => Value::Int64(node.integer()),
        Kind::Float32 => Value::Float32(node.float()),
        Kind::Float64 => Value::Float64(node.double()),
        Kind::String => node.text().map_or(Value::Null, |text| Value::String(text.into_owned())),
        Kind::Bytes => match node.text().as_deref().map(base64::decode) {
            Some(Some(bytes)) => Value::Bytes(bytes),
            Some(None) => return Err(ConvertError::data("Invalid bytes field")),
            None => Value::Null,
        },
        Kind::Array(element) => match node {
            Node::Array(nodes) => Value::Array(
                nodes
                    .iter()
                    .map(|node| read(element, Some(node)))
                    .collect::<Result<_, _>>()?,
            ),
            _ => Value::Array(Vec::new()),
        },
        Kind::Map(key, value) => read_map(key, value, node)?,
        Kind::Struct(fields) if is_union(schema) => read_union(fields, node)?,
        Kind::Struct(fields) => {
            if !matches!(node, Node::Object(_)) {
                return Err(ConvertError::data(format!(
                    "Structs should be encoded as JSON objects, but found {}",
                    node.type_name()
                )));
            }
            let read = |field: &Field| read(&field.schema, node.get(&field.name));
            Value::Struct(fields.iter().map(read).collect::<Result<_, _>>()?)
        }
    })
}

/// Whether a struct stands for a value of one of several types.
pub fn is_union(schema: &Schema) -> bool {
    schema.name.as_deref() == Some(options::ONE_OF) || schema.parameter(options::GENERAL_UNION).is_some()
}

fn read_logical(schema: &Schema, logical: Logical, node: &Node<'_>) -> Result<Value, ConvertError> {
    let whole = |name: &str, word: &str| match node {
        Node::Number(number) if number.is_integral() => Ok(node.integer()),
        _ => Err(ConvertError::data(format!(
            "Invalid type for {name}, underlying representation should be {word} but was {}",
            node.type_name()
        ))),
    };
    let int = |name: &str| {
        let number = whole(name, "integer")?;
        i32::try_from(number).map_err(|_| {
            ConvertError::data(format!(
                "Invalid type for {name}, underlying representation should be integer but was NUMBER"
            ))
        })
    };
    Ok(match logical {
        Logical::Date => Value::Date(i64::from(int("Date")?) * logical::DAY),
        Logical::Time => Value::Date(logical::time_from_millis(int("Time")?)?),
        Logical::Timestamp => Value::Date(whole("Timestamp", "integral")?),
        Logical::Decimal => match node {
            Node::Number(number) => match Decimal::parse(number.text) {
                Some(decimal) => Value::Decimal(decimal),
                None => return Err(ConvertError::data("Invalid number for Decimal field")),
            },
            Node::String(_) => match node.text().as_deref().and_then(base64::decode) {
                Some(bytes) => Value::Decimal(Decimal::new(&bytes, schema.scale()?)),
                None => return Err(ConvertError::data("Invalid bytes for Decimal field")),
            },
            _ => {
                return Err(ConvertError::data(format!(
                    "Invalid type for Decimal, underlying representation should be numeric or bytes but was {}",
                    node.type_name()
                )));
            }
        },
    })
}

fn read_map(key: &Schema, value: &Schema, node: &Node<'_>) -> Result<Value, ConvertError> {
    let mut entries = Vec::new();
    if key.kind == Kind::String && !key.optional {
        let Node::Object(members) = node else {
            return Err(ConvertError::data(format!(
                "Maps with string fields should be encoded as JSON objects, but found {}",
                node.type_name()
            )));
        };
        for (name, node) in members {
            entries.push((Value::String(name.decode().into_owned()), read(value, Some(node))?));
        }
        return Ok(Value::Map(entries));
    }
    let Node::Array(nodes) = node else {
        return Err(ConvertError::data(format!(
            "Maps with non-string fields should be encoded as JSON array of objects, but found {}",
            node.type_name()
        )));
    };
    for node in nodes {
        match node {
            Node::Object(members) if members.len() == 2 => {
                entries.push((
                    read(key, node.get(options::KEY))?,
                    read(value, node.get(options::VALUE))?,
                ));
            }
            Node::Object(members) => {
                return Err(ConvertError::data(format!(
                    "Found invalid map entry, expected length 2 but found :{}",
                    members.len()
                )));
            }
            other => {
                return Err(ConvertError::data(format!(
                    "Found invalid map entry instead of object: {}",
                    other.type_name()
                )));
            }
        }
    }
    Ok(Value::Map(unique_keys(entries)))
}

/// The first simple type that fits, else the struct that has most of the members.
fn read_union(fields: &[Field], node: &Node<'_>) -> Result<Value, ConvertError> {
    let simple = fields.iter().position(|field| fits(&field.schema, node));
    let most = || {
        let matching = |field: &Field| match (&field.schema.kind, node) {
            (Kind::Struct(inner), Node::Object(_)) => {
                Some(inner.iter().filter(|field| node.get(&field.name).is_some()).count())
            }
            _ => None,
        };
        let mut best = None;
        for (index, field) in fields.iter().enumerate() {
            if let Some(count) = matching(field)
                && best.is_none_or(|(_, most)| count > most)
            {
                best = Some((index, count));
            }
        }
        best.map(|(index, _)| index)
    };
    let Some(index) = simple.or_else(most) else {
        return Err(ConvertError::data("Did not find matching oneof field for data"));
    };
    let mut values = vec![Value::Null; fields.len()];
    values[index] = read(&fields[index].schema, Some(node))?;
    Ok(Value::Struct(values))
}

fn fits(schema: &Schema, node: &Node<'_>) -> bool {
    match (&schema.kind, node) {
        (Kind::Int8 | Kind::Int16 | Kind::Int32 | Kind::Int64, Node::Number(number)) => number.is_integral(),
        (Kind::Float32 | Kind::Float64, Node::Number(_))
        | (Kind::Boolean, Node::Boolean(_))
        | (Kind::String, Node::String(_))
        | (Kind::Array(_), Node::Array(_))
        | (Kind::Map(..), Node::Object(_) | Node::Array(_)) => true,
        (Kind::Bytes, Node::Number(number)) => !number.is_integral(),
        _ => false,
    }
}

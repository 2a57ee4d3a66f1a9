//! JSON with a schema to values (`JsonConverter.convertToConnect`).

use caisson_api::schema::{DATE, DECIMAL, Field, Kind, Schema, TIME, TIMESTAMP};
use caisson_api::{Decimal, Value};

use super::node::Node;
use super::number::{double, float, long, truncated};
use super::parse::Number;
use crate::logical::{self, DAY};
use crate::{Class, ConvertError, base64};

/// The value that `node` stands for. `None` is a member that is missing.
pub(crate) fn to_value(schema: &Schema, node: Option<&Node<'_>>, defaults: bool) -> Result<Value, ConvertError> {
    let node = match node {
        None | Some(Node::Null) => return null(schema, defaults),
        Some(node) => node,
    };
    match schema.name.as_deref() {
        Some(DECIMAL) => return decimal(schema, node),
        Some(DATE) => return Ok(Value::Date(i64::from(int_of("Date", node)?) * DAY)),
        Some(TIME) => return logical::time_from_millis(int_of("Time", node)?).map(Value::Date),
        Some(TIMESTAMP) => return timestamp(node),
        Some(_) | None => {}
    }
    Ok(match &schema.kind {
        Kind::Boolean => Value::Boolean(matches!(node, Node::Boolean(true))),
        Kind::Int8 => Value::Int8(integer(node) as i8),
        Kind::Int16 => Value::Int16(integer(node) as i16),
        Kind::Int32 => Value::Int32(integer(node) as i32),
        Kind::Int64 => Value::Int64(integer(node)),
        Kind::Float32 => Value::Float32(node.number().map_or(0.0, float)),
        Kind::Float64 => Value::Float64(node.number().map_or(0.0, double)),
        Kind::String => node.text().map_or(Value::Null, |text| Value::String(text.into_owned())),
        Kind::Bytes => bytes(node)?,
        Kind::Array(element) => array(element, node, defaults)?,
        Kind::Map(keys, values) => map(keys, values, node, defaults)?,
        Kind::Struct(fields) => structure(fields, node, defaults)?,
    })
}

fn null(schema: &Schema, defaults: bool) -> Result<Value, ConvertError> {
    match &schema.default {
        Some(default) if defaults => Ok(default.clone()),
        Some(_) | None if schema.optional => Ok(Value::Null),
        Some(_) | None => {
            let kind = &schema.kind;
            Err(ConvertError::data(format!(
                "Invalid null value for required {kind} field"
            )))
        }
    }
}

/// `longValue()`: the low 64 bits of a number cut at its point, 0 for what is no number.
fn integer(node: &Node<'_>) -> i64 {
    match node.number() {
        Some(number) if number.is_integral() => long(number),
        Some(number) => truncated(number),
        None => 0,
    }
}

fn bytes(node: &Node<'_>) -> Result<Value, ConvertError> {
    let Some(text) = node.text() else {
        return Ok(Value::Null);
    };
    let bytes = base64::decode(&text).map_err(|cause| ConvertError::data("Invalid bytes field").because(cause))?;
    Ok(Value::Bytes(bytes))
}

/// The elements of an array; the members of an object count as such, anything else has none.
fn array(element: &Schema, node: &Node<'_>, defaults: bool) -> Result<Value, ConvertError> {
    let elements: Result<Vec<Value>, ConvertError> = match node {
        Node::Array(nodes) => nodes
            .iter()
            .map(|node| to_value(element, Some(node), defaults))
            .collect(),
        Node::Object(members) => members
            .iter()
            .map(|(_, node)| to_value(element, Some(node), defaults))
            .collect(),
        Node::Null | Node::Boolean(_) | Node::Number(_) | Node::String(_) => Ok(Vec::new()),
    };
    elements.map(Value::Array)
}

fn map(keys: &Schema, values: &Schema, node: &Node<'_>, defaults: bool) -> Result<Value, ConvertError> {
    let mut entries = Vec::new();
    if let Kind::String = keys.kind {
        let Node::Object(members) = node else {
            let found = node.type_name();
            return Err(ConvertError::data(format!(
                "Maps with string fields should be encoded as JSON objects, but found {found}"
            )));
        };
        for (name, node) in members {
            let key = Value::String(name.decode().into_owned());
            entries.push((key, to_value(values, Some(node), defaults)?));
        }
        return Ok(Value::Map(entries));
    }
    let Node::Array(nodes) = node else {
        let found = node.type_name();
        return Err(ConvertError::data(format!(
            "Maps with non-string fields should be encoded as JSON array of tuples, but found {found}"
        )));
    };
    for node in nodes {
        let [key, value] = pair(node)?;
        let key = to_value(keys, Some(key), defaults)?;
        entries.push((key, to_value(values, Some(value), defaults)?));
    }
    Ok(Value::Map(crate::unique_keys(entries)))
}

fn pair<'n, 'a>(node: &'n Node<'a>) -> Result<[&'n Node<'a>; 2], ConvertError> {
    match node {
        Node::Array(pair) => match pair.as_slice() {
            [key, value] => Ok([key, value]),
            other => {
                let count = other.len();
                Err(ConvertError::data(format!(
                    "Found invalid map entry, expected length 2 but found :{count}"
                )))
            }
        },
        other => {
            let found = other.type_name();
            Err(ConvertError::data(format!(
                "Found invalid map entry instead of array tuple: {found}"
            )))
        }
    }
}

fn structure(fields: &[Field], node: &Node<'_>, defaults: bool) -> Result<Value, ConvertError> {
    let Node::Object(members) = node else {
        let found = node.type_name();
        return Err(ConvertError::data(format!(
            "Structs should be encoded as JSON objects, but found {found}"
        )));
    };
    let mut values = Vec::with_capacity(fields.len());
    for (index, field) in fields.iter().enumerate() {
        // Mostly the members stand in the order of the fields.
        let member = match members.get(index) {
            Some((name, node)) if name.is(&field.name) => Some(node),
            Some(_) | None => node.get(&field.name),
        };
        let value = to_value(&field.schema, member, defaults)?;
        if needs_validation(&field.schema, &value) {
            field.schema.validate_field(&field.name, &value)?;
        }
        values.push(value);
    }
    Ok(Value::Struct(values))
}

/// Numbers, booleans and structs fit their schema by the way they are made.
fn needs_validation(schema: &Schema, value: &Value) -> bool {
    match schema.kind {
        Kind::Int8
        | Kind::Int16
        | Kind::Int32
        | Kind::Int64
        | Kind::Float32
        | Kind::Float64
        | Kind::Boolean
        | Kind::Struct(_) => schema.name.is_some(),
        Kind::String | Kind::Bytes => value.is_null() || schema.name.is_some(),
        Kind::Array(_) | Kind::Map(..) => true,
    }
}

fn decimal(schema: &Schema, node: &Node<'_>) -> Result<Value, ConvertError> {
    match node {
        Node::Number(number) => decimal_of(number).map(Value::Decimal),
        Node::String(text) => decimal_from_base64(schema, &text.decode())
            .map(Value::Decimal)
            .map_err(|cause| ConvertError::data("Invalid bytes for Decimal field").because(cause)),
        Node::Null | Node::Boolean(_) | Node::Array(_) | Node::Object(_) => {
            let found = node.type_name();
            Err(ConvertError::data(format!(
                "Invalid type for Decimal, underlying representation should be numeric or bytes but was {found}"
            )))
        }
    }
}

fn decimal_of(number: &Number<'_>) -> Result<Decimal, ConvertError> {
    Decimal::parse(number.text)
        .ok_or_else(|| ConvertError::new(Class::Foreign("java.lang.NumberFormatException"), number.text))
}

fn decimal_from_base64(schema: &Schema, text: &str) -> Result<Decimal, ConvertError> {
    let bytes = base64::decode(text)?;
    if schema.parameters.is_none() {
        return Err(ConvertError::new(
            Class::Foreign("java.lang.NullPointerException"),
            "parameters is null",
        ));
    }
    let scale = schema.scale()?;
    if bytes.is_empty() {
        return Err(ConvertError::new(
            Class::Foreign("java.lang.NumberFormatException"),
            "Zero length BigInteger",
        ));
    }
    Ok(Decimal::new(&bytes, scale))
}

fn int_of(logical: &str, node: &Node<'_>) -> Result<i32, ConvertError> {
    node.number()
        .filter(|number| number.is_integral() && number.digits().is_some())
        .and_then(|number| i32::try_from(long(number)).ok())
        .ok_or_else(|| {
            let found = node.type_name();
            ConvertError::data(format!(
                "Invalid type for {logical}, underlying representation should be integer but was {found}"
            ))
        })
}

fn timestamp(node: &Node<'_>) -> Result<Value, ConvertError> {
    match node.number() {
        Some(number) if number.is_integral() => Ok(Value::Date(long(number))),
        Some(_) | None => {
            let found = node.type_name();
            Err(ConvertError::data(format!(
                "Invalid type for Timestamp, underlying representation should be integral but was {found}"
            )))
        }
    }
}

/// What a schema makes of no JSON at all, which Jackson represents by a node that is neither null nor anything else.
pub(crate) fn missing(schema: &Schema) -> Result<Value, ConvertError> {
    let found = "MISSING";
    match (schema.name.as_deref(), &schema.kind) {
        (Some(DECIMAL), _) => Err(ConvertError::data(format!(
            "Invalid type for Decimal, underlying representation should be numeric or bytes but was {found}"
        ))),
        (Some(name @ (DATE | TIME)), _) => {
            let short = name.rsplit('.').next().unwrap_or_default();
            Err(ConvertError::data(format!(
                "Invalid type for {short}, underlying representation should be integer but was {found}"
            )))
        }
        (Some(TIMESTAMP), _) => Err(ConvertError::data(format!(
            "Invalid type for Timestamp, underlying representation should be integral but was {found}"
        ))),
        (_, Kind::Struct(_)) => Err(ConvertError::data(format!(
            "Structs should be encoded as JSON objects, but found {found}"
        ))),
        (_, Kind::Map(keys, _)) if matches!(keys.kind, Kind::String) => Err(ConvertError::data(format!(
            "Maps with string fields should be encoded as JSON objects, but found {found}"
        ))),
        (_, Kind::Map(..)) => Err(ConvertError::data(format!(
            "Maps with non-string fields should be encoded as JSON array of tuples, but found {found}"
        ))),
        // A boolean false reads as false, 0, an empty list or nothing at all, which is what is wanted here.
        _ => to_value(schema, Some(&Node::Boolean(false)), false),
    }
}

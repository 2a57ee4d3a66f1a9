//! Values of columns with the encoding `json`, as schemaless values and back.

use caisson_api::Value;
use caisson_api::schema::{Kind, Schema};
use caisson_api::value::{base64, to_java_string};
use serde_json::{Map, Number, Value as Json};

/// As Kafka Connect's JSON converter reads without schemas: whole numbers are 64-bit, objects are maps.
pub(crate) fn to_value(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Boolean(value),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::Int64(whole),
            None => Value::Float64(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::String(text),
        Json::Array(items) => Value::Array(items.into_iter().map(to_value).collect()),
        Json::Object(members) => Value::Map(
            members
                .into_iter()
                .map(|(name, value)| (Value::String(name), to_value(value)))
                .collect(),
        ),
    }
}

/// Structs become objects by the names of their fields, and need their schema for that.
pub(crate) fn from_value(value: &Value, schema: Option<&Schema>) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(value) => Json::Bool(*value),
        Value::Int8(value) => (*value).into(),
        Value::Int16(value) => (*value).into(),
        Value::Int32(value) => (*value).into(),
        Value::Int64(value) | Value::Date(value) => (*value).into(),
        Value::Float32(value) => Number::from_f64(f64::from(*value)).map_or(Json::Null, Json::Number),
        Value::Float64(value) => Number::from_f64(*value).map_or(Json::Null, Json::Number),
        Value::String(text) => Json::String(text.clone()),
        Value::Bytes(bytes) => Json::String(base64::encode(bytes)),
        Value::Decimal(_) => Json::String(to_java_string(None, value)),
        Value::Array(items) => Json::Array(items.iter().map(|item| from_value(item, None)).collect()),
        Value::Map(pairs) => Json::Object(
            pairs
                .iter()
                .map(|(key, value)| (name(key), from_value(value, None)))
                .collect(),
        ),
        Value::Struct(values) => object(values, schema),
    }
}

fn name(key: &Value) -> String {
    match key {
        Value::String(text) => text.clone(),
        other => from_value(other, None).to_string(),
    }
}

fn object(values: &[Value], schema: Option<&Schema>) -> Json {
    let Some(Kind::Struct(fields)) = schema.map(|schema| &schema.kind) else {
        return Json::Array(values.iter().map(|value| from_value(value, None)).collect());
    };
    let members = fields.iter().zip(values);
    Json::Object(Map::from_iter(members.map(|(field, value)| {
        (field.name.clone(), from_value(value, Some(&field.schema)))
    })))
}

//! Reading the JSON text of a schema, with JsonConverter's messages.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{Kind, Logical, Schema, SchemaBuilder, SchemaError};
use crate::value::{Decimal, Value, base64};

impl Schema {
    /// Reads what [`Schema::to_json`] writes, or any JSON that JsonConverter accepts under `schema`.
    pub fn from_json(text: &str) -> Result<Schema, SchemaError> {
        let json: Json = serde_json::from_str(text).map_err(|error| SchemaError::Json(error.to_string()))?;
        read_schema(&json)
    }
}

/// A JSON value whose objects keep their order, on which the order of parameters depends.
enum Json {
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    String(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(i64::try_from(value).map_or(Json::Float(value as f64), Json::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Json::Object(members))
    }
}

impl Json {
    /// A member that is not null; the last one wins.
    fn member(&self, name: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => {
                let member = members
                    .iter()
                    .rev()
                    .find(|(key, _)| key == name)
                    .map(|(_, value)| value);
                member.filter(|value| !matches!(value, Json::Null))
            }
            Json::Null | Json::Boolean(_) | Json::Integer(_) | Json::Float(_) | Json::String(_) | Json::Array(_) => {
                None
            }
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            Json::Null | Json::Boolean(_) | Json::Integer(_) | Json::Float(_) | Json::Array(_) | Json::Object(_) => {
                None
            }
        }
    }
}

fn data<T>(text: impl Into<String>) -> Result<T, SchemaError> {
    Err(SchemaError::Data(text.into()))
}

fn read_schema(json: &Json) -> Result<Schema, SchemaError> {
    let Some(kind) = json.member("type").and_then(Json::text) else {
        return data("Schema must contain 'type' field");
    };
    let mut builder = SchemaBuilder::new(match kind {
        "boolean" => Kind::Boolean,
        "int8" => Kind::Int8,
        "int16" => Kind::Int16,
        "int32" => Kind::Int32,
        "int64" => Kind::Int64,
        "float" => Kind::Float32,
        "double" => Kind::Float64,
        "bytes" => Kind::Bytes,
        "string" => Kind::String,
        "array" => Kind::Array(read_part(json, "items", "Array schema did not specify the element type")?.into()),
        "map" => Kind::Map(
            read_part(json, "keys", "Map schema did not specify the key type")?.into(),
            read_part(json, "values", "Map schema did not specify the value type")?.into(),
        ),
        "struct" => Kind::Struct(Vec::new()),
        other => return data(format!("Unknown schema type: {other}")),
    });
    if kind == "struct" {
        builder = read_fields(json, builder)?;
    }
    if matches!(json.member("optional"), Some(Json::Boolean(true))) {
        builder = builder.optional();
    }
    if let Some(name) = json.member("name").and_then(Json::text) {
        builder = builder.name(name);
    }
    if let Some(Json::Integer(version)) = json.member("version") {
        builder = builder.version(*version as i32);
    }
    if let Some(doc) = json.member("doc").and_then(Json::text) {
        builder = builder.doc(doc);
    }
    let mut schema = builder.build()?;
    schema.parameters = read_parameters(json)?;
    if let Some(default) = json.member("default") {
        schema.default = Some(read_value(&schema, default)?);
    }
    Ok(schema)
}

fn read_part(json: &Json, member: &str, missing: &str) -> Result<Schema, SchemaError> {
    match json.member(member) {
        Some(part) => read_schema(part),
        None => data(missing),
    }
}

fn read_fields(json: &Json, mut builder: SchemaBuilder) -> Result<SchemaBuilder, SchemaError> {
    let Some(Json::Array(fields)) = json.member("fields") else {
        return data("Struct schema's \"fields\" argument is not an array.");
    };
    for field in fields {
        let Some(name) = field.member("field").and_then(Json::text) else {
            return data("Struct schema's field name not specified properly");
        };
        builder = builder.field(name, read_schema(field)?);
    }
    Ok(builder)
}

/// Parameters are a map: of two with one name the last counts, at the place of the first.
fn read_parameters(json: &Json) -> Result<Option<Vec<(String, String)>>, SchemaError> {
    let Some(Json::Object(members)) = json.member("parameters") else {
        return Ok(None);
    };
    let mut parameters: Vec<(String, String)> = Vec::with_capacity(members.len());
    for (name, value) in members {
        let Some(value) = value.text() else {
            return data("Schema parameters must have string values.");
        };
        match parameters.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => value.clone_into(old),
            None => parameters.push((name.clone(), value.to_owned())),
        }
    }
    Ok(Some(parameters))
}

/// Reads a default. What does not fit is refused, where JsonConverter would sometimes take a zero instead.
fn read_value(schema: &Schema, json: &Json) -> Result<Value, SchemaError> {
    let integer = |json: &Json| match json {
        Json::Integer(n) => Ok(*n),
        _ => data("Invalid default value"),
    };
    if let Some(value) = read_logical(schema, json) {
        return value;
    }
    match (&schema.kind, json) {
        (_, Json::Null) => Ok(Value::Null),
        (Kind::Int8, json) => Ok(Value::Int8(integer(json)? as i8)),
        (Kind::Int16, json) => Ok(Value::Int16(integer(json)? as i16)),
        (Kind::Int32, json) => Ok(Value::Int32(integer(json)? as i32)),
        (Kind::Int64, json) => Ok(Value::Int64(integer(json)?)),
        (Kind::Float32, Json::Integer(n)) => Ok(Value::Float32(*n as f32)),
        (Kind::Float32, Json::Float(n)) => Ok(Value::Float32(*n as f32)),
        (Kind::Float32, Json::String(text)) => Ok(Value::Float32(not_finite(text)? as f32)),
        (Kind::Float64, Json::Integer(n)) => Ok(Value::Float64(*n as f64)),
        (Kind::Float64, Json::Float(n)) => Ok(Value::Float64(*n)),
        (Kind::Float64, Json::String(text)) => Ok(Value::Float64(not_finite(text)?)),
        (Kind::Boolean, Json::Boolean(value)) => Ok(Value::Boolean(*value)),
        (Kind::String, Json::String(text)) => Ok(Value::String(text.clone())),
        (Kind::Bytes, Json::String(text)) => Ok(Value::Bytes(bytes(text)?)),
        (Kind::Array(element), Json::Array(items)) => items
            .iter()
            .map(|item| read_value(element, item))
            .collect::<Result<_, _>>()
            .map(Value::Array),
        (Kind::Map(key, value), json) => read_map(key, value, json),
        (Kind::Struct(fields), Json::Object(_)) => fields
            .iter()
            .map(|field| read_value(&field.schema, json.member(&field.name).unwrap_or(&Json::Null)))
            .collect::<Result<_, _>>()
            .map(Value::Struct),
        (
            Kind::Float32
            | Kind::Float64
            | Kind::Boolean
            | Kind::String
            | Kind::Bytes
            | Kind::Array(_)
            | Kind::Struct(_),
            _,
        ) => data("Invalid default value"),
    }
}

fn read_logical(schema: &Schema, json: &Json) -> Option<Result<Value, SchemaError>> {
    match (schema.logical_type()?, json) {
        (Logical::Decimal, Json::String(text)) => {
            let scale = schema.scale();
            Some(scale.and_then(|scale| Ok(Value::Decimal(Decimal::new(&bytes(text)?, scale)))))
        }
        (Logical::Decimal, Json::Integer(n)) => Some(Ok(Value::Decimal(Decimal::new(&n.to_be_bytes(), 0)))),
        (Logical::Date, Json::Integer(days)) => Some(Ok(Value::Date(days.saturating_mul(86_400_000)))),
        (Logical::Time | Logical::Timestamp, Json::Integer(ms)) => Some(Ok(Value::Date(*ms))),
        (Logical::Decimal | Logical::Date | Logical::Time | Logical::Timestamp, Json::Null) => Some(Ok(Value::Null)),
        (Logical::Decimal | Logical::Date | Logical::Time | Logical::Timestamp, _) => {
            Some(data("Invalid default value"))
        }
    }
}

fn read_map(key: &Schema, value: &Schema, json: &Json) -> Result<Value, SchemaError> {
    let entries: Result<Vec<_>, SchemaError> = match json {
        Json::Object(members) if key.kind == Kind::String => members
            .iter()
            .map(|(k, v)| Ok((Value::String(k.clone()), read_value(value, v)?)))
            .collect(),
        Json::Array(pairs) if key.kind != Kind::String => pairs
            .iter()
            .map(|pair| match pair {
                Json::Array(pair) if pair.len() == 2 => Ok((read_value(key, &pair[0])?, read_value(value, &pair[1])?)),
                _ => data("Invalid default value"),
            })
            .collect(),
        _ => data("Invalid default value"),
    };
    entries.map(Value::Map)
}

fn bytes(text: &str) -> Result<Vec<u8>, SchemaError> {
    base64::decode(text).ok_or_else(|| SchemaError::Data("Invalid bytes field".into()))
}

fn not_finite(text: &str) -> Result<f64, SchemaError> {
    match text {
        "NaN" => Ok(f64::NAN),
        "Infinity" => Ok(f64::INFINITY),
        "-Infinity" => Ok(f64::NEG_INFINITY),
        _ => data("Invalid default value"),
    }
}

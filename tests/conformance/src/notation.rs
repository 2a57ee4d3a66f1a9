//! The notation of schemas, values and data in vectors.

use std::sync::Arc;

use caisson_api::frame::Timestamp;
use caisson_api::schema::{Field, Kind, Schema};
use caisson_api::{Decimal, Header, Record, SchemaRef, Value};
use caisson_sdk::transform::Origin;
use serde_json::Value as Json;

/// Something that has no counterpart here, and what it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unbuildable(pub String);

type Built<T> = Result<T, Unbuildable>;

fn unbuildable<T>(what: impl Into<String>) -> Built<T> {
    Err(Unbuildable(what.into()))
}

/// A schema. Null is none, and so is a schema of an array or map without a schema of its elements: such values are
/// schemaless here.
pub fn schema(json: &Json) -> Built<Option<SchemaRef>> {
    if json.is_null() {
        return Ok(None);
    }
    let kind = match json["type"].as_str() {
        Some("int8") => Kind::Int8,
        Some("int16") => Kind::Int16,
        Some("int32") => Kind::Int32,
        Some("int64") => Kind::Int64,
        Some("float32") => Kind::Float32,
        Some("float64") => Kind::Float64,
        Some("boolean") => Kind::Boolean,
        Some("string") => Kind::String,
        Some("bytes") => Kind::Bytes,
        Some("array") => match schema(&json["valueSchema"])? {
            Some(element) => Kind::Array(element),
            None => return Ok(None),
        },
        Some("map") => match (schema(&json["keySchema"])?, schema(&json["valueSchema"])?) {
            (Some(key), Some(value)) => Kind::Map(key, value),
            (Some(_) | None, Some(_) | None) => return Ok(None),
        },
        Some("struct") => Kind::Struct(fields(&json["fields"])?),
        other => return unbuildable(format!("schema type {other:?}")),
    };
    let text = |name: &str| json[name].as_str().map(str::to_owned);
    let mut schema = Schema {
        optional: json["optional"] == true,
        name: text("name"),
        version: json["version"].as_i64().map(|version| version as i32),
        doc: text("doc"),
        parameters: parameters(&json["parameters"])?,
        ..Schema::new(kind)
    };
    if let Some(default) = json.get("default") {
        schema.default = Some(value(default, Some(&schema))?).filter(|default| !default.is_null());
    }
    Ok(Some(Arc::new(schema)))
}

fn fields(json: &Json) -> Built<Vec<Field>> {
    let mut fields = Vec::new();
    for field in json.as_array().map(Vec::as_slice).unwrap_or_default() {
        let name = field["name"].as_str().unwrap_or_default().to_owned();
        let Some(schema) = schema(&field["schema"])? else {
            return unbuildable("a field without a schema");
        };
        fields.push(Field { name, schema });
    }
    Ok(fields)
}

fn parameters(json: &Json) -> Built<Option<Vec<(String, String)>>> {
    let Some(members) = json.as_object() else {
        return Ok(None);
    };
    let parameter = |(name, value): (&String, &Json)| Some((name.clone(), value.as_str()?.to_owned()));
    match members.iter().map(parameter).collect() {
        Some(parameters) => Ok(Some(parameters)),
        None => unbuildable("a parameter that is no text"),
    }
}

/// A value in the context of a schema.
pub fn value(json: &Json, context: Option<&Schema>) -> Built<Value> {
    if json.is_null() {
        return Ok(Value::Null);
    }
    let Some((tag, content)) = json.as_object().and_then(|members| members.iter().next()) else {
        return unbuildable(format!("value {json}"));
    };
    let kind = context.map(|schema| &schema.kind);
    let integer = || {
        content
            .as_i64()
            .ok_or_else(|| Unbuildable(format!("integer {content}")))
    };
    let text = || content.as_str().ok_or_else(|| Unbuildable(format!("text {content}")));
    Ok(match tag.as_str() {
        "bool" => Value::Boolean(content == true),
        "i8" => Value::Int8(integer()? as i8),
        "i16" => Value::Int16(integer()? as i16),
        "i32" => Value::Int32(integer()? as i32),
        "i64" => Value::Int64(integer()?),
        "f32" => Value::Float32(number(text()?)? as f32),
        "f64" => Value::Float64(number(text()?)?),
        "str" => Value::String(text()?.to_owned()),
        "bytes" | "bytebuffer" => Value::Bytes(bytes(content)?),
        "decimal" => decimal(
            content["unscaled"].as_str().unwrap_or_default(),
            content["scale"].as_i64(),
        )?,
        // There is one type for both; a whole number of any size is a decimal without places.
        "bigint" => decimal(text()?, Some(0))?,
        "date" => Value::Date(integer()?),
        "list" => {
            let element = if let Some(Kind::Array(element)) = kind {
                Some(element.as_ref())
            } else {
                None
            };
            Value::Array(items(content).map(|item| value(item, element)).collect::<Built<_>>()?)
        }
        "map" => {
            let (key, element) = match kind {
                Some(Kind::Map(key, value)) => (Some(key.as_ref()), Some(value.as_ref())),
                Some(_) | None => (None, None),
            };
            let entry = |pair: &Json| Ok((value(&pair[0], key)?, value(&pair[1], element)?));
            Value::Map(items(content).map(entry).collect::<Built<_>>()?)
        }
        "struct" => match schema(&json["schema"])? {
            Some(own) => structure(content, &own)?,
            None => structure(
                content,
                context.ok_or_else(|| Unbuildable("a struct without a schema".to_owned()))?,
            )?,
        },
        other => return unbuildable(format!("value of kind {other}")),
    })
}

/// The schema that a struct carries beside it, when it is another than that of its context.
pub fn own_schema(json: &Json) -> Built<Option<SchemaRef>> {
    schema(&json["schema"])
}

fn items(json: &Json) -> impl Iterator<Item = &Json> {
    json.as_array().map(Vec::as_slice).unwrap_or_default().iter()
}

fn structure(json: &Json, schema: &Schema) -> Built<Value> {
    let Kind::Struct(fields) = &schema.kind else {
        return unbuildable("a struct in the place of something else");
    };
    let values = fields
        .iter()
        .map(|field| value(&json[&field.name], Some(&field.schema)));
    Ok(Value::Struct(values.collect::<Built<_>>()?))
}

fn number(text: &str) -> Built<f64> {
    match text {
        "NaN" => Ok(f64::NAN),
        "Infinity" => Ok(f64::INFINITY),
        "-Infinity" => Ok(f64::NEG_INFINITY),
        digits => digits.parse().map_err(|_| Unbuildable(format!("number {digits}"))),
    }
}

/// Base64 as it stands for bytes.
pub fn bytes(json: &Json) -> Built<Vec<u8>> {
    json.as_str()
        .and_then(caisson_api::value::base64::decode)
        .ok_or_else(|| Unbuildable(format!("bytes {json}")))
}

fn decimal(digits: &str, scale: Option<i64>) -> Built<Value> {
    let scale = scale.and_then(|scale| i32::try_from(scale).ok());
    scale
        .and_then(|scale| Decimal::from_unscaled_text(digits, scale))
        .map(Value::Decimal)
        .ok_or_else(|| Unbuildable(format!("decimal {digits}")))
}

/// A schema with a value.
pub fn data(json: &Json) -> Built<(Option<SchemaRef>, Value)> {
    let schema = schema(&json["schema"])?;
    let value = value(&json["value"], schema.as_deref())?;
    Ok((schema, value))
}

/// A record, and where it comes from.
pub fn record(json: &Json) -> Built<(Record, Origin)> {
    let Some(topic) = json["topic"].as_str() else {
        return unbuildable("a record without a topic");
    };
    let (key_schema, key) = data(&json["key"])?;
    let (value_schema, value) = data(&json["value"])?;
    let header = |json: &Json| {
        let (schema, value) = data(json)?;
        let name = json["key"].as_str().unwrap_or_default().into();
        Ok(Header { name, schema, value })
    };
    let timestamp = json["timestamp"].as_i64();
    let record = Record {
        topic: topic.into(),
        partition: json["partition"].as_i64().map(|partition| partition as i32),
        key_schema,
        key,
        value_schema,
        value,
        timestamp,
        headers: items(&json["headers"]).map(header).collect::<Built<_>>()?,
    };
    let kind = match (json["timestampType"].as_str(), timestamp) {
        (Some("LogAppendTime"), Some(timestamp)) => Timestamp::LogAppend(timestamp),
        (Some("CreateTime"), Some(timestamp)) => Timestamp::Create(timestamp),
        (Some(_) | None, Some(_) | None) => Timestamp::None,
    };
    Ok((record, Origin::of(json["offset"].as_i64(), kind)))
}

/// A configuration: texts, of which some may be null.
pub fn config(json: &Json) -> Vec<(String, Option<String>)> {
    let members = json.as_object().into_iter().flatten();
    members
        .map(|(name, value)| (name.clone(), value.as_str().map(str::to_owned)))
        .collect()
}

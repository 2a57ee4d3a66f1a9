//! Reading the notation of the recorded vectors (`tests/conformance/vectors/README.md`).

use std::path::Path;

use caisson_api::schema::{Field, Kind, Schema, SchemaBuilder, SchemaError};
use caisson_api::value::{Decimal, Value, base64};
use serde_json::Value as Json;

/// The vectors of a file.
pub fn load(file: &str) -> Vec<Json> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/conformance/vectors")
        .join(file);
    let text = std::fs::read_to_string(path).unwrap();
    let json: Json = serde_json::from_str(&text).unwrap();
    json["vectors"].as_array().unwrap().clone()
}

/// A schema, built as a user would build it.
pub fn schema(json: &Json) -> Result<Option<Schema>, SchemaError> {
    if json.is_null() {
        return Ok(None);
    }
    let part = |name: &str| Ok::<_, SchemaError>(schema(&json[name])?.unwrap().into());
    let kind = match json["type"].as_str().unwrap() {
        "int8" => Kind::Int8,
        "int16" => Kind::Int16,
        "int32" => Kind::Int32,
        "int64" => Kind::Int64,
        "float32" => Kind::Float32,
        "float64" => Kind::Float64,
        "boolean" => Kind::Boolean,
        "string" => Kind::String,
        "bytes" => Kind::Bytes,
        "array" => Kind::Array(part("valueSchema")?),
        "map" => Kind::Map(part("keySchema")?, part("valueSchema")?),
        "struct" => {
            let field = |field: &Json| -> Result<Field, SchemaError> {
                let name = field["name"].as_str().unwrap().to_owned();
                Ok(Field {
                    name,
                    schema: schema(&field["schema"])?.unwrap().into(),
                })
            };
            Kind::Struct(
                json["fields"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(field)
                    .collect::<Result<_, _>>()?,
            )
        }
        other => panic!("type {other}"),
    };
    let mut builder = SchemaBuilder::new(kind);
    if json["optional"] == true {
        builder = builder.optional();
    }
    if let Some(name) = json["name"].as_str() {
        builder = builder.name(name);
    }
    if let Some(version) = json["version"].as_i64() {
        builder = builder.version(version as i32);
    }
    if let Some(doc) = json["doc"].as_str() {
        builder = builder.doc(doc);
    }
    for (name, text) in json["parameters"].as_object().into_iter().flatten() {
        builder = builder.parameter(name, text.as_str().unwrap());
    }
    if json.get("default").is_some() {
        let bare = builder.clone().build()?;
        builder = builder.default(value(Some(&bare), &json["default"]).unwrap());
    }
    builder.build().map(Some)
}

/// A value; `None` if it cannot be expressed here.
pub fn value(schema: Option<&Schema>, json: &Json) -> Option<Value> {
    let Some((tag, content)) = json.as_object().and_then(|object| object.iter().next()) else {
        return Some(Value::Null);
    };
    let integer = || content.as_i64().unwrap();
    let text = || content.as_str().unwrap();
    Some(match tag.as_str() {
        "bool" => Value::Boolean(content.as_bool().unwrap()),
        "i8" => Value::Int8(integer() as i8),
        "i16" => Value::Int16(integer() as i16),
        "i32" => Value::Int32(integer() as i32),
        "i64" => Value::Int64(integer()),
        "f32" => Value::Float32(text().parse().unwrap()),
        "f64" => Value::Float64(text().parse().unwrap()),
        "str" => Value::String(text().into()),
        "bytes" | "bytebuffer" => Value::Bytes(base64::decode(text()).unwrap()),
        "decimal" => {
            let scale = content["scale"].as_i64().unwrap() as i32;
            Value::Decimal(Decimal::from_unscaled_text(content["unscaled"].as_str().unwrap(), scale).unwrap())
        }
        "date" => Value::Date(integer()),
        "list" => {
            let element = match schema.map(|schema| &schema.kind) {
                Some(Kind::Array(element)) => Some(element.as_ref()),
                _ => None,
            };
            Value::Array(
                content
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|item| value(element, item))
                    .collect::<Option<_>>()?,
            )
        }
        "map" => {
            let (key, element) = match schema.map(|schema| &schema.kind) {
                Some(Kind::Map(key, element)) => (Some(key.as_ref()), Some(element.as_ref())),
                _ => (None, None),
            };
            let pair = |pair: &Json| Some((value(key, &pair[0])?, value(element, &pair[1])?));
            Value::Map(content.as_array().unwrap().iter().map(pair).collect::<Option<_>>()?)
        }
        "struct" => {
            let fields = match schema {
                // A struct with a schema of its own is not that of its context, which a value here cannot say.
                Some(schema) if json.get("schema").is_none() && !schema.fields().is_empty() => schema.fields(),
                _ => return None,
            };
            let field = |field: &Field| value(Some(&field.schema), &content[&field.name]);
            Value::Struct(fields.iter().map(field).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

//! From a schema of Kafka Connect to the JSON Schema of its values.

use caisson_api::schema::{DECIMAL, Kind, Schema};
use caisson_convert::ConvertError;
use serde_json::{Map, Value as Json, json};

use super::decode::is_union;
use super::encode;
use super::options::{self, JsonSchemaOptions};

type Object = Map<String, Json>;

/// The JSON Schema.
pub fn convert(options: &JsonSchemaOptions, schema: &Schema) -> Result<Json, ConvertError> {
    whole(options, schema, None)
}

/// With null beside it if the schema is optional; `index` is the place among the fields of a struct.
fn whole(options: &JsonSchemaOptions, schema: &Schema, index: Option<usize>) -> Result<Json, ConvertError> {
    let null = json!({ "type": "null" });
    if is_union(schema) {
        let mut branches = Vec::new();
        if schema.optional {
            branches.push(null);
        }
        for (place, field) in schema.fields().iter().enumerate() {
            branches.push(required(options, &field.schema, Some(place))?);
        }
        return Ok(one_of(branches, index));
    }
    if schema.optional {
        let inner = required(
            options,
            schema,
            index.filter(|_| !matches!(schema.kind, Kind::Struct(_))),
        )?;
        let inner = match inner {
            // The place stands outside.
            Json::Object(mut object) => {
                object.shift_remove(options::INDEX);
                Json::Object(object)
            }
            other => other,
        };
        return Ok(one_of(vec![null, inner], index));
    }
    required(options, schema, index)
}

fn one_of(branches: Vec<Json>, index: Option<usize>) -> Json {
    let mut object = Object::new();
    object.insert("oneOf".to_owned(), Json::Array(branches));
    if let Some(index) = index {
        object.insert(options::INDEX.to_owned(), index.into());
    }
    Json::Object(object)
}

fn required(options: &JsonSchemaOptions, schema: &Schema, index: Option<usize>) -> Result<Json, ConvertError> {
    let mut object = Object::new();
    let mut own = Object::new();
    if let Some(kind) = word(schema) {
        object.insert("type".to_owned(), kind.into());
    }
    if let Some(name) = &schema.name {
        object.insert("title".to_owned(), name.as_str().into());
    }
    if let Some(doc) = &schema.doc {
        object.insert("description".to_owned(), doc.as_str().into());
    }
    if let Some(default) = &schema.default {
        object.insert("default".to_owned(), encode::to_json(options, schema, default)?);
    }
    content(options, schema, &mut object, &mut own)?;
    if let Some(version) = schema.version {
        own.insert(options::VERSION.to_owned(), version.into());
    }
    let parameters: Object = schema
        .parameters
        .iter()
        .flatten()
        .filter(|(key, _)| !key.starts_with(options::SPACE))
        .map(|(key, value)| (key.clone(), value.as_str().into()))
        .collect();
    if !parameters.is_empty() {
        own.insert(options::PARAMETERS.to_owned(), Json::Object(parameters));
    }
    if let Some(index) = index {
        own.insert(options::INDEX.to_owned(), index.into());
    }
    object.extend(own);
    Ok(Json::Object(object))
}

/// The type; an enumeration has none.
fn word(schema: &Schema) -> Option<&'static str> {
    Some(match &schema.kind {
        Kind::Int8 | Kind::Int16 | Kind::Int32 | Kind::Int64 => "integer",
        Kind::Float32 | Kind::Float64 => "number",
        Kind::Boolean => "boolean",
        Kind::String if is_enum(schema) => return None,
        Kind::String => "string",
        Kind::Bytes if schema.name.as_deref() == Some(DECIMAL) => "number",
        Kind::Bytes => "string",
        Kind::Array(_) => "array",
        Kind::Map(key, _) if key.kind == Kind::String && !key.optional => "object",
        Kind::Map(..) => "array",
        Kind::Struct(_) => "object",
    })
}

fn is_enum(schema: &Schema) -> bool {
    schema.parameter(options::GENERAL_ENUM).is_some() || schema.parameter(options::ENUM).is_some()
}

/// What is specific to the type: in Kafka Connect's own words in `own`.
fn content(
    options: &JsonSchemaOptions,
    schema: &Schema,
    object: &mut Object,
    own: &mut Object,
) -> Result<(), ConvertError> {
    let mut connect = |word: &str| own.insert(options::TYPE.to_owned(), word.into());
    match &schema.kind {
        Kind::Int8 => drop(connect("int8")),
        Kind::Int16 => drop(connect("int16")),
        Kind::Int32 => drop(connect("int32")),
        Kind::Int64 => drop(connect("int64")),
        Kind::Float32 => drop(connect("float32")),
        Kind::Float64 => drop(connect("float64")),
        Kind::Bytes => drop(connect("bytes")),
        Kind::Boolean => {}
        Kind::String if is_enum(schema) => {
            let prefix = format!("{}.", options.enum_parameter());
            let symbols = schema.parameters.iter().flatten().filter_map(|(key, _)| {
                let symbol = key.strip_prefix(&prefix)?;
                Some(match symbol {
                    options::NULL_MARKER => Json::Null,
                    symbol => symbol.into(),
                })
            });
            object.insert("enum".to_owned(), symbols.collect());
        }
        Kind::String => {}
        Kind::Array(inner) => {
            object.insert("items".to_owned(), whole(options, inner, None)?);
        }
        Kind::Map(key, value) => {
            connect("map");
            if key.kind == Kind::String && !key.optional {
                object.insert("additionalProperties".to_owned(), whole(options, value, None)?);
            } else {
                let properties = json!({
                    options::KEY: whole(options, key, Some(0))?,
                    options::VALUE: whole(options, value, Some(1))?,
                });
                object.insert(
                    "items".to_owned(),
                    json!({ "type": "object", "properties": properties }),
                );
            }
        }
        Kind::Struct(fields) => {
            let mut properties = Object::new();
            for (index, field) in fields.iter().enumerate() {
                properties.insert(field.name.clone(), whole(options, &field.schema, Some(index))?);
            }
            object.insert("properties".to_owned(), Json::Object(properties));
            if !options.additional_properties {
                object.insert("additionalProperties".to_owned(), false.into());
            }
        }
    }
    Ok(())
}

//! Schemas as JSON: the object that stands under `schema` in the envelope.

use std::sync::Arc;

use caisson_api::SchemaRef;
use caisson_api::schema::{Field, Kind, Schema};

use super::decode::to_value;
use super::encode::write_default;
use super::node::Node;
use super::number::long;
use super::options::JsonOptions;
use super::text::write_string;
use crate::{Class, ConvertError, java};

/// Appends the schema (`JsonConverter.asJsonSchema`).
pub(crate) fn write_schema(out: &mut Vec<u8>, schema: &Schema, options: &JsonOptions) -> Result<(), ConvertError> {
    write_open(out, schema, options)?;
    out.push(b'}');
    Ok(())
}

/// Writes everything but the closing brace, so that the name of a field can follow.
fn write_open(out: &mut Vec<u8>, schema: &Schema, options: &JsonOptions) -> Result<(), ConvertError> {
    out.extend_from_slice(b"{\"type\":\"");
    out.extend_from_slice(schema.kind.json_name().as_bytes());
    out.push(b'"');
    match &schema.kind {
        Kind::Array(element) => {
            out.extend_from_slice(b",\"items\":");
            write_schema(out, element, options)?;
        }
        Kind::Map(keys, values) => {
            out.extend_from_slice(b",\"keys\":");
            write_schema(out, keys, options)?;
            out.extend_from_slice(b",\"values\":");
            write_schema(out, values, options)?;
        }
        Kind::Struct(fields) => {
            out.extend_from_slice(b",\"fields\":[");
            for (index, field) in fields.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_open(out, &field.schema, options)?;
                out.extend_from_slice(b",\"field\":");
                write_string(out, &field.name);
                out.push(b'}');
            }
            out.push(b']');
        }
        Kind::Int8
        | Kind::Int16
        | Kind::Int32
        | Kind::Int64
        | Kind::Float32
        | Kind::Float64
        | Kind::Boolean
        | Kind::String
        | Kind::Bytes => {}
    }
    out.extend_from_slice(if schema.optional {
        b",\"optional\":true"
    } else {
        b",\"optional\":false"
    });
    write_attributes(out, schema, options)
}

fn write_attributes(out: &mut Vec<u8>, schema: &Schema, options: &JsonOptions) -> Result<(), ConvertError> {
    if let Some(name) = &schema.name {
        out.extend_from_slice(b",\"name\":");
        write_string(out, name);
    }
    if let Some(version) = schema.version {
        out.extend_from_slice(b",\"version\":");
        java::write_i64(out, i64::from(version));
    }
    if let Some(doc) = &schema.doc {
        out.extend_from_slice(b",\"doc\":");
        write_string(out, doc);
    }
    if let Some(parameters) = &schema.parameters {
        out.extend_from_slice(b",\"parameters\":{");
        for (index, (name, value)) in parameters.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            write_string(out, name);
            out.push(b':');
            write_string(out, value);
        }
        out.push(b'}');
    }
    if let Some(default) = &schema.default {
        out.extend_from_slice(b",\"default\":");
        write_default(out, schema, default, options)?;
    }
    Ok(())
}

/// Reads a schema (`JsonConverter.asConnectSchema`); null is no schema.
pub(crate) fn read_schema(node: &Node<'_>, defaults: bool) -> Result<Option<SchemaRef>, ConvertError> {
    if let Node::Null = node {
        return Ok(None);
    }
    let Some(kind) = node.get("type").and_then(Node::text) else {
        return Err(ConvertError::data("Schema must contain 'type' field"));
    };
    let kind = match kind.as_ref() {
        "boolean" => Kind::Boolean,
        "int8" => Kind::Int8,
        "int16" => Kind::Int16,
        "int32" => Kind::Int32,
        "int64" => Kind::Int64,
        "float" => Kind::Float32,
        "double" => Kind::Float64,
        "bytes" => Kind::Bytes,
        "string" => Kind::String,
        "array" => read_array(node, defaults)?,
        "map" => read_map(node, defaults)?,
        "struct" => read_struct(node, defaults)?,
        other => return Err(ConvertError::data(format!("Unknown schema type: {other}"))),
    };
    let mut schema = Schema::new(kind);
    read_attributes(&mut schema, node, defaults)?;
    Ok(Some(Arc::new(schema)))
}

fn read_array(node: &Node<'_>, defaults: bool) -> Result<Kind, ConvertError> {
    let element = match node.get("items") {
        Some(items) => read_schema(items, defaults)?,
        None => None,
    };
    element
        .map(Kind::Array)
        .ok_or_else(|| ConvertError::data("Array schema did not specify the element type"))
}

fn read_map(node: &Node<'_>, defaults: bool) -> Result<Kind, ConvertError> {
    let missing = |what: &str| ConvertError::data(format!("Map schema did not specify the {what} type"));
    let keys = node.get("keys").ok_or_else(|| missing("key"))?;
    let values = node.get("values").ok_or_else(|| missing("value"))?;
    let null = |what: &str| ConvertError::new(Class::SchemaBuilder, format!("{what}Schema cannot be null."));
    let keys = read_schema(keys, defaults)?;
    let values = read_schema(values, defaults)?;
    Ok(Kind::Map(
        keys.ok_or_else(|| null("key"))?,
        values.ok_or_else(|| null("value"))?,
    ))
}

fn read_struct(node: &Node<'_>, defaults: bool) -> Result<Kind, ConvertError> {
    let Some(Node::Array(nodes)) = node.get("fields") else {
        return Err(ConvertError::data(
            "Struct schema's \"fields\" argument is not an array.",
        ));
    };
    let mut fields: Vec<Field> = Vec::with_capacity(nodes.len());
    let mut names = std::collections::HashSet::with_capacity(nodes.len());
    for node in nodes {
        let Some(name) = node.get("field").and_then(Node::text) else {
            return Err(ConvertError::data("Struct schema's field name not specified properly"));
        };
        let schema = read_schema(node, defaults)?;
        if name.is_empty() {
            return Err(ConvertError::new(Class::SchemaBuilder, "fieldName cannot be null."));
        }
        let schema = schema.ok_or_else(|| {
            ConvertError::new(
                Class::SchemaBuilder,
                format!("fieldSchema for field {name} cannot be null."),
            )
        })?;
        if !names.insert(name.clone().into_owned()) {
            let message = format!("Cannot create field because of field name duplication {name}");
            return Err(ConvertError::new(Class::SchemaBuilder, message));
        }
        fields.push(Field {
            name: name.into_owned(),
            schema,
        });
    }
    Ok(Kind::Struct(fields))
}

fn read_attributes(schema: &mut Schema, node: &Node<'_>, defaults: bool) -> Result<(), ConvertError> {
    schema.optional = matches!(node.get("optional"), Some(Node::Boolean(true)));
    schema.name = node.get("name").and_then(Node::text).map(|name| name.into_owned());
    schema.version = node
        .get("version")
        .and_then(Node::number)
        .filter(|number| number.is_integral())
        .map(|number| long(number) as i32);
    schema.doc = node.get("doc").and_then(Node::text).map(|doc| doc.into_owned());
    if let Some(Node::Object(members)) = node.get("parameters") {
        for (name, value) in members {
            let Some(value) = value.text() else {
                return Err(ConvertError::data("Schema parameters must have string values."));
            };
            let parameter = (name.decode().into_owned(), value.into_owned());
            schema.parameters.get_or_insert_default().push(parameter);
        }
    }
    if let Some(node) = node.get("default") {
        let default = to_value(schema, Some(node), defaults)?;
        let invalid = |cause| ConvertError::new(Class::SchemaBuilder, "Invalid default value").because(cause);
        if matches!(schema.kind, Kind::Struct(_)) && !default.is_null() {
            // The struct is made of the finished schema and compared with the one still being built.
            return Err(invalid(ConvertError::data("Struct schemas do not match.")));
        }
        schema.validate(&default).map_err(|cause| invalid(cause.into()))?;
        schema.default = Some(default).filter(|default| !default.is_null());
    }
    Ok(())
}

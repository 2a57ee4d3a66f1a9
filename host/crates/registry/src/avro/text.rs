//! Writing the text of a schema, member by member in the order in which Java's library does: a registry that has the
//! schema of a Java worker is to find it in ours.

use std::collections::HashSet;

use serde_json::{Map, Value as Json};

use super::schema::{AvroSchema, Kind, Name, NodeId, SchemaParseError};

/// The text; fails if two different types have one name.
pub fn write(schema: &AvroSchema) -> Result<String, SchemaParseError> {
    let mut writer = Writer {
        schema,
        written: Vec::new(),
        names: HashSet::new(),
    };
    Ok(writer.node(schema.root, None)?.to_string())
}

struct Writer<'s> {
    schema: &'s AvroSchema,
    /// Named types that stand in the text already.
    written: Vec<NodeId>,
    names: HashSet<String>,
}

impl Writer<'_> {
    fn node(&mut self, id: NodeId, space: Option<&str>) -> Result<Json, SchemaParseError> {
        let schema = self.schema;
        let node = schema.node(id);
        if let Some(name) = node.kind.own_name() {
            if self.written.contains(&id) {
                return Ok(Json::String(reference(name, space)));
            }
            self.written.push(id);
            if !self.names.insert(name.full()) {
                return Err(SchemaParseError(format!("Can't redefine: {}", name.full())));
            }
        }
        let mut object = Map::new();
        object.insert("type".to_owned(), node.kind.word().into());
        match &node.kind {
            Kind::Union(branches) => {
                let branches: Result<Vec<Json>, _> = branches.iter().map(|branch| self.node(*branch, space)).collect();
                return branches.map(Json::Array);
            }
            Kind::Array(items) => {
                object.insert("items".to_owned(), self.node(*items, space)?);
            }
            Kind::Map(values) => {
                object.insert("values".to_owned(), self.node(*values, space)?);
            }
            Kind::Record(record) => {
                put_name(&mut object, &record.name, space)?;
                put_text(&mut object, "doc", record.doc.as_deref());
                let mut fields = Vec::with_capacity(record.fields.len());
                for field in &record.fields {
                    super::schema::check_name(&field.name)?;
                    let mut written = Map::new();
                    written.insert("name".to_owned(), field.name.as_str().into());
                    written.insert("type".to_owned(), self.node(field.node, record.name.space.as_deref())?);
                    put_text(&mut written, "doc", field.doc.as_deref());
                    if let Some(default) = &field.default {
                        written.insert("default".to_owned(), default.clone());
                    }
                    fields.push(Json::Object(written));
                }
                object.insert("fields".to_owned(), Json::Array(fields));
            }
            Kind::Enum(values) => {
                put_name(&mut object, &values.name, space)?;
                put_text(&mut object, "doc", values.doc.as_deref());
                object.insert("symbols".to_owned(), values.symbols.clone().into());
                put_text(&mut object, "default", values.default.as_deref());
            }
            Kind::Fixed { name, size } => {
                put_name(&mut object, name, space)?;
                object.insert("size".to_owned(), (*size).into());
            }
            Kind::Null
            | Kind::Boolean
            | Kind::Int
            | Kind::Long
            | Kind::Float
            | Kind::Double
            | Kind::Bytes
            | Kind::String => {
                if node.properties.is_empty() {
                    return Ok(node.kind.word().into());
                }
            }
        }
        object.extend(node.properties.clone());
        Ok(Json::Object(object))
    }
}

/// The name, and the namespace if it is not that of what is around.
fn put_name(object: &mut Map<String, Json>, name: &Name, space: Option<&str>) -> Result<(), SchemaParseError> {
    name.check()?;
    object.insert("name".to_owned(), name.name.as_str().into());
    if name.space.as_deref() != space {
        object.insert("namespace".to_owned(), name.space.as_deref().unwrap_or_default().into());
    }
    Ok(())
}

fn put_text(object: &mut Map<String, Json>, key: &str, text: Option<&str>) {
    if let Some(text) = text {
        object.insert(key.to_owned(), text.into());
    }
}

/// A name without its namespace where that is understood.
fn reference(name: &Name, space: Option<&str>) -> String {
    if name.space.as_deref() == space && Kind::primitive(&name.name).is_none() {
        name.name.clone()
    } else {
        name.full()
    }
}

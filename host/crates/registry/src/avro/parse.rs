//! Reading the text of a schema, after those that it refers to.
//!
//! Readers are to understand what the registry once accepted, so defaults and names are not checked again.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::schema::{AvroSchema, Enum, Field, Kind, MAX_NODES, Name, Node, NodeId, Record, SchemaParseError};

/// Attributes that Avro itself gives a meaning to.
const RESERVED: [&str; 10] = [
    "doc",
    "fields",
    "items",
    "name",
    "namespace",
    "size",
    "symbols",
    "values",
    "type",
    "aliases",
];

/// Reads a schema; the names in `references` are known to those that follow. Nesting is bounded by the JSON parser.
pub fn parse<'t>(references: impl IntoIterator<Item = &'t str>, text: &str) -> Result<AvroSchema, SchemaParseError> {
    let mut parser = Parser::default();
    for reference in references {
        parser.text(reference)?;
    }
    let root = parser.text(text)?;
    Ok(AvroSchema {
        nodes: parser.nodes,
        root,
    })
}

#[derive(Default)]
struct Parser {
    nodes: Vec<Node>,
    /// By full name.
    names: HashMap<String, NodeId>,
}

fn error<T>(message: impl Into<String>) -> Result<T, SchemaParseError> {
    Err(SchemaParseError(message.into()))
}

impl Parser {
    fn text(&mut self, text: &str) -> Result<NodeId, SchemaParseError> {
        match serde_json::from_str(text) {
            Ok(json) => self.schema(&json, None),
            // The registry stores a primitive type without quotes, too.
            Err(_) if Kind::primitive(text.trim()).is_some() => {
                self.schema(&Json::String(text.trim().to_owned()), None)
            }
            Err(reason) => error(reason.to_string()),
        }
    }

    fn add(&mut self, node: Node) -> Result<NodeId, SchemaParseError> {
        if self.nodes.len() >= MAX_NODES {
            return error(format!("a schema has more than {MAX_NODES} types"));
        }
        self.nodes.push(node);
        Ok(NodeId(self.nodes.len() as u32 - 1))
    }

    fn schema(&mut self, json: &Json, space: Option<&str>) -> Result<NodeId, SchemaParseError> {
        match json {
            Json::String(word) => self.word(word, space),
            Json::Array(branches) => self.union(branches, space),
            Json::Object(object) => self.object(object, space),
            Json::Null | Json::Bool(_) | Json::Number(_) => error(format!("Schema not yet supported: {json}")),
        }
    }

    fn word(&mut self, word: &str, space: Option<&str>) -> Result<NodeId, SchemaParseError> {
        if let Some(kind) = Kind::primitive(word) {
            return self.add(Node::new(kind));
        }
        let name = Name::new(word, None, space).full();
        match self.names.get(&name).or_else(|| self.names.get(word)) {
            Some(id) => Ok(*id),
            None => error(format!("\"{word}\" is not a defined name")),
        }
    }

    fn union(&mut self, branches: &[Json], space: Option<&str>) -> Result<NodeId, SchemaParseError> {
        let mut ids = Vec::with_capacity(branches.len());
        let mut names = std::collections::HashSet::new();
        for branch in branches {
            let id = self.schema(branch, space)?;
            let kind = &self.nodes[id.0 as usize].kind;
            if matches!(kind, Kind::Union(_)) {
                return error("Nested union");
            }
            if !names.insert(kind.full_name()) {
                return error(format!("Duplicate in union:{}", kind.full_name()));
            }
            ids.push(id);
        }
        self.add(Node::new(Kind::Union(ids)))
    }

    fn object(&mut self, object: &Map<String, Json>, space: Option<&str>) -> Result<NodeId, SchemaParseError> {
        let word = match object.get("type") {
            Some(Json::String(word)) => word.as_str(),
            Some(inner @ (Json::Object(_) | Json::Array(_))) => return self.schema(inner, space),
            Some(_) | None => return error(format!("No type: {}", Json::Object(object.clone()))),
        };
        let kind = match word {
            "record" | "error" => return self.record(object, space),
            "enum" => return self.enumeration(object, space),
            "fixed" => return self.fixed(object, space),
            "array" => Kind::Array(self.part(object, "items", space)?),
            "map" => Kind::Map(self.part(object, "values", space)?),
            word => match Kind::primitive(word) {
                Some(kind) => kind,
                None => return self.word(word, space),
            },
        };
        self.add(Node {
            kind,
            properties: properties(object, &[]),
        })
    }

    fn part(&mut self, object: &Map<String, Json>, key: &str, space: Option<&str>) -> Result<NodeId, SchemaParseError> {
        match object.get(key) {
            Some(json) => self.schema(json, space),
            None => error(format!("{} has no {key} type", object["type"])),
        }
    }

    /// Makes a named type known before its parts are read, which may refer to it.
    fn named(&mut self, name: &Name, node: Node) -> Result<NodeId, SchemaParseError> {
        let full = name.full();
        if self.names.contains_key(&full) {
            return error(format!("Can't redefine: {full}"));
        }
        let id = self.add(node)?;
        self.names.insert(full, id);
        Ok(id)
    }

    fn record(&mut self, object: &Map<String, Json>, space: Option<&str>) -> Result<NodeId, SchemaParseError> {
        let name = name(object, space)?;
        let record = |fields| {
            Kind::Record(Record {
                name: name.clone(),
                doc: text(object, "doc"),
                fields,
            })
        };
        let properties = properties(object, &[]);
        let id = self.named(
            &name,
            Node {
                kind: record(Vec::new()),
                properties,
            },
        )?;
        let Some(Json::Array(given)) = object.get("fields") else {
            return error(format!("Record has no fields: {}", name.full()));
        };
        let mut fields = Vec::with_capacity(given.len());
        let mut names = std::collections::HashSet::new();
        for json in given {
            let field = self.field(json, name.space.as_deref())?;
            if !names.insert(field.name.clone()) {
                return error(format!("Duplicate field {} in record {}", field.name, name.full()));
            }
            fields.push(field);
        }
        self.nodes[id.0 as usize].kind = record(fields);
        Ok(id)
    }

    fn field(&mut self, json: &Json, space: Option<&str>) -> Result<Field, SchemaParseError> {
        let Json::Object(object) = json else {
            return error("A field is no object");
        };
        let (Some(name), Some(kind)) = (text(object, "name"), object.get("type")) else {
            return error(format!("No field name or type: {json}"));
        };
        Ok(Field {
            name,
            doc: text(object, "doc"),
            default: object.get("default").cloned(),
            node: self.schema(kind, space)?,
        })
    }

    fn enumeration(&mut self, object: &Map<String, Json>, space: Option<&str>) -> Result<NodeId, SchemaParseError> {
        let name = name(object, space)?;
        let Some(Json::Array(given)) = object.get("symbols") else {
            return error(format!("Enum has no symbols: {}", name.full()));
        };
        let symbols: Option<Vec<String>> = given.iter().map(|symbol| symbol.as_str().map(str::to_owned)).collect();
        let Some(symbols) = symbols else {
            return error(format!("Enum has a symbol that is no text: {}", name.full()));
        };
        let node = Node {
            kind: Kind::Enum(Enum {
                name: name.clone(),
                doc: text(object, "doc"),
                symbols,
                default: text(object, "default"),
            }),
            properties: properties(object, &["default"]),
        };
        self.named(&name, node)
    }

    fn fixed(&mut self, object: &Map<String, Json>, space: Option<&str>) -> Result<NodeId, SchemaParseError> {
        let name = name(object, space)?;
        let size = object.get("size").and_then(Json::as_u64);
        let Some(size) = size.and_then(|size| i32::try_from(size).ok()) else {
            return error(format!("Invalid or no size: {}", name.full()));
        };
        let node = Node {
            kind: Kind::Fixed {
                name: name.clone(),
                size: size as usize,
            },
            properties: properties(object, &[]),
        };
        self.named(&name, node)
    }
}

fn name(object: &Map<String, Json>, space: Option<&str>) -> Result<Name, SchemaParseError> {
    match object
        .get("name")
        .and_then(Json::as_str)
        .filter(|name| !name.is_empty())
    {
        Some(name) => Ok(Name::new(name, object.get("namespace").and_then(Json::as_str), space)),
        None => error("No name in schema"),
    }
}

fn text(object: &Map<String, Json>, key: &str) -> Option<String> {
    object.get(key).and_then(Json::as_str).map(str::to_owned)
}

fn properties(object: &Map<String, Json>, more: &[&str]) -> Map<String, Json> {
    object
        .iter()
        .filter(|(key, _)| !RESERVED.contains(&key.as_str()) && !more.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

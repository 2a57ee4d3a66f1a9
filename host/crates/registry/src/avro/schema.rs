//! Schemas of Avro with everything that stands in their text.
//!
//! The type `Schema` of the crate `apache-avro` forgets the attributes of primitive types, and on these (`connect.type`,
//! `connect.default`, ...) hangs what Kafka Connect makes of a schema. So schemas are read and kept here, and that crate
//! is asked where its knowledge is needed: whether one schema can read what another one writes.

use serde_json::{Map, Value as Json};

/// Types that one schema may consist of.
pub const MAX_NODES: usize = 100_000;

/// The place of a type in its schema. Types that are named are referred to by it, also by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NodeId(pub u32);

/// A schema: its types, and the one at the top.
#[derive(Clone, Debug, PartialEq)]
pub struct AvroSchema {
    pub nodes: Vec<Node>,
    pub root: NodeId,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub kind: Kind,
    /// Attributes that Avro itself gives no meaning to, and `logicalType` with its own.
    pub properties: Map<String, Json>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Array(NodeId),
    Map(NodeId),
    Union(Vec<NodeId>),
    Record(Record),
    Enum(Enum),
    Fixed { name: Name, size: usize },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub name: Name,
    pub doc: Option<String>,
    pub fields: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub name: String,
    pub doc: Option<String>,
    pub default: Option<Json>,
    pub node: NodeId,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Enum {
    pub name: Name,
    pub doc: Option<String>,
    pub symbols: Vec<String>,
    pub default: Option<String>,
}

/// The name of a record, enumeration or fixed type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    pub space: Option<String>,
    pub name: String,
}

/// Why a text is no schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SchemaParseError(pub String);

impl AvroSchema {
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    pub fn kind(&self, id: NodeId) -> &Kind {
        &self.node(id).kind
    }

    /// The name at the top, which subjects may contain: that of a named type, or of the type itself.
    pub fn name(&self) -> String {
        self.kind(self.root).full_name()
    }
}

impl Node {
    pub fn new(kind: Kind) -> Self {
        Node {
            kind,
            properties: Map::new(),
        }
    }

    /// An attribute that is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.properties.get(name)?.as_str()
    }

    pub fn logical_type(&self) -> Option<&str> {
        self.text("logicalType")
    }
}

impl Kind {
    /// The name of a named type.
    pub fn own_name(&self) -> Option<&Name> {
        match self {
            Kind::Record(record) => Some(&record.name),
            Kind::Enum(values) => Some(&values.name),
            Kind::Fixed { name, .. } => Some(name),
            Kind::Null
            | Kind::Boolean
            | Kind::Int
            | Kind::Long
            | Kind::Float
            | Kind::Double
            | Kind::Bytes
            | Kind::String
            | Kind::Array(_)
            | Kind::Map(_)
            | Kind::Union(_) => None,
        }
    }

    /// `Schema.getFullName`: the name with its namespace, or the word for the type.
    pub fn full_name(&self) -> String {
        match self.own_name() {
            Some(name) => name.full(),
            None => self.word().to_owned(),
        }
    }

    /// The word for the type.
    pub fn word(&self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Boolean => "boolean",
            Kind::Int => "int",
            Kind::Long => "long",
            Kind::Float => "float",
            Kind::Double => "double",
            Kind::Bytes => "bytes",
            Kind::String => "string",
            Kind::Array(_) => "array",
            Kind::Map(_) => "map",
            Kind::Union(_) => "union",
            Kind::Record(_) => "record",
            Kind::Enum(_) => "enum",
            Kind::Fixed { .. } => "fixed",
        }
    }

    /// The type that a word stands for by itself.
    pub fn primitive(word: &str) -> Option<Kind> {
        Some(match word {
            "null" => Kind::Null,
            "boolean" => Kind::Boolean,
            "int" => Kind::Int,
            "long" => Kind::Long,
            "float" => Kind::Float,
            "double" => Kind::Double,
            "bytes" => Kind::Bytes,
            "string" => Kind::String,
            _ => return None,
        })
    }
}

impl Name {
    /// A name as it stands in a text, where `space` is that of what is around it.
    pub fn new(name: &str, given: Option<&str>, space: Option<&str>) -> Self {
        let (space, name) = match name.rsplit_once('.') {
            Some((space, name)) => (Some(space), name),
            None => (given.or(space), name),
        };
        Name {
            space: space.filter(|space| !space.is_empty()).map(str::to_owned),
            name: name.to_owned(),
        }
    }

    pub fn full(&self) -> String {
        match &self.space {
            Some(space) => format!("{space}.{}", self.name),
            None => self.name.clone(),
        }
    }

    /// What Java's library says of a name that Avro does not allow; it does not look at namespaces.
    pub fn check(&self) -> Result<(), SchemaParseError> {
        check_name(&self.name)
    }
}

/// Letters, digits and underscores, no digit first.
pub fn check_name(name: &str) -> Result<(), SchemaParseError> {
    let Some(first) = name.chars().next() else {
        return Err(SchemaParseError("Empty name".to_owned()));
    };
    if !(first.is_alphabetic() || first == '_') {
        return Err(SchemaParseError(format!("Illegal initial character: {name}")));
    }
    if !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return Err(SchemaParseError(format!("Illegal character in: {name}")));
    }
    Ok(())
}

//! From a schema of Kafka Connect to the schema of Avro that its values are written with.

use std::collections::HashMap;

use caisson_api::Value;
use caisson_api::schema::{DATE, DECIMAL, Kind as ConnectKind, Schema, TIME, TIMESTAMP};
use caisson_convert::{Class, ConvertError};
use serde_json::{Map, Value as Json};

use super::default;
use super::names;
use super::options::AvroOptions;
use super::schema::{AvroSchema, Enum, Field, Kind, MAX_NODES, Name, Node, NodeId, Record};

/// The schema of Avro for a schema of Kafka Connect.
pub fn convert(options: &AvroOptions, schema: &Schema) -> Result<AvroSchema, ConvertError> {
    let mut build = Build {
        options,
        avro: AvroSchema {
            nodes: Vec::new(),
            root: NodeId(0),
        },
        named: HashMap::new(),
        unnamed: 0,
    };
    build.avro.root = build.schema(schema)?;
    Ok(build.avro)
}

/// Whether a struct stands for a value of one of several types.
pub fn is_union(schema: &Schema) -> bool {
    schema.name.as_deref() == Some(names::UNION) || schema.parameter(names::GENERAL_UNION).is_some()
}

/// Whether a map is written as one of Avro, whose keys are text.
pub fn has_text_keys(options: &AvroOptions, key: &Schema) -> bool {
    key.kind == ConnectKind::String && (!key.optional || options.allow_optional_map_keys)
}

/// The size of bytes that are always as many.
pub fn fixed_size(schema: &Schema) -> Option<&str> {
    schema
        .parameter(names::FIXED_SIZE)
        .filter(|_| schema.kind == ConnectKind::Bytes && schema.name.is_some())
}

struct Build<'a> {
    options: &'a AvroOptions,
    avro: AvroSchema,
    /// What became a named type, by the name in Kafka Connect: it is used again where it comes again.
    named: HashMap<Option<&'a str>, Vec<(&'a Schema, NodeId)>>,
    unnamed: usize,
}

impl<'a> Build<'a> {
    fn add(&mut self, kind: Kind) -> Result<NodeId, ConvertError> {
        let nodes = &mut self.avro.nodes;
        if nodes.len() >= MAX_NODES {
            return Err(ConvertError::data(format!("A schema has more than {MAX_NODES} types")));
        }
        nodes.push(Node::new(kind));
        Ok(NodeId(nodes.len() as u32 - 1))
    }

    /// The type, with null beside it if the schema is optional.
    fn schema(&mut self, schema: &'a Schema) -> Result<NodeId, ConvertError> {
        if is_union(schema) {
            return self.union(schema);
        }
        let id = self.required(schema)?;
        if !schema.optional {
            return Ok(id);
        }
        let null = self.add(Kind::Null)?;
        // The default of a field has to fit the first branch.
        let null_first = schema.default.is_none() || matches!(schema.kind, ConnectKind::Struct(_));
        self.add(Kind::Union(if null_first { vec![null, id] } else { vec![id, null] }))
    }

    fn union(&mut self, schema: &'a Schema) -> Result<NodeId, ConvertError> {
        let mut branches = Vec::new();
        if schema.optional {
            branches.push(self.add(Kind::Null)?);
        }
        for field in schema.fields() {
            branches.push(self.required(&field.schema)?);
        }
        self.add(Kind::Union(branches))
    }

    /// The type whether optional or not.
    fn required(&mut self, schema: &'a Schema) -> Result<NodeId, ConvertError> {
        let name = schema.name.as_deref();
        if let Some(known) = self.named.get(&name)
            && let Some((_, id)) = known.iter().find(|(known, _)| is_same(known, schema))
        {
            return Ok(*id);
        }
        let id = match &schema.kind {
            ConnectKind::Int8 | ConnectKind::Int16 | ConnectKind::Int32 => self.add(Kind::Int)?,
            ConnectKind::Int64 => self.add(Kind::Long)?,
            ConnectKind::Float32 => self.add(Kind::Float)?,
            ConnectKind::Float64 => self.add(Kind::Double)?,
            ConnectKind::Boolean => self.add(Kind::Boolean)?,
            ConnectKind::String => self.string(schema)?,
            ConnectKind::Bytes => self.bytes(schema)?,
            ConnectKind::Array(items) => {
                let items = self.schema(items)?;
                self.add(Kind::Array(items))?
            }
            ConnectKind::Map(key, value) => self.map(schema, key, value)?,
            ConnectKind::Struct(_) => self.structure(schema)?,
        };
        self.describe(id, schema)?;
        let node = self.avro.node(id);
        if node.kind.own_name().is_some() || matches!(schema.kind, ConnectKind::Map(..) | ConnectKind::Array(_)) {
            self.named.entry(name).or_default().push((schema, id));
        }
        Ok(id)
    }

    fn string(&mut self, schema: &Schema) -> Result<NodeId, ConvertError> {
        let options = self.options;
        let marked = [names::GENERAL_ENUM, names::ENUM]
            .iter()
            .any(|parameter| schema.parameter(parameter).is_some());
        if !marked || !(options.generalized_sum_types || options.enhanced_schema_support) {
            return self.add(Kind::String);
        }
        let own = self.name(schema.name.as_deref());
        let parameter = options.enum_parameter();
        let prefix = format!("{parameter}.");
        let symbols = schema
            .parameters
            .iter()
            .flatten()
            .filter_map(|(key, _)| key.strip_prefix(&prefix).map(str::to_owned))
            .collect();
        let Some(name) = schema.parameter(parameter) else {
            return Err(ConvertError::data(format!(
                "The parameter {parameter} of an enumeration is missing"
            )));
        };
        let text = |key: &str| schema.parameter(key).map(str::to_owned);
        let (doc, default) = match options.discard_type_doc_default {
            true => (text(names::TYPE_ENUM_DOC), None),
            false => (
                text(&format!("{}{}", names::ENUM_DOC, own.name)),
                text(&format!("{}{}", names::ENUM_DEFAULT, own.name)),
            ),
        };
        self.add(Kind::Enum(Enum {
            name: Name::new(name, None, None),
            doc,
            symbols,
            default,
        }))
    }

    fn bytes(&mut self, schema: &Schema) -> Result<NodeId, ConvertError> {
        let id = match fixed_size(schema) {
            Some(size) => {
                let name = self.name(schema.name.as_deref());
                let size = number(names::FIXED_SIZE, size)?;
                let size = usize::try_from(size).map_err(|_| unfit(names::FIXED_SIZE))?;
                self.add(Kind::Fixed { name, size })?
            }
            None => self.add(Kind::Bytes)?,
        };
        if schema.name.as_deref() == Some(DECIMAL) {
            self.put(id, "scale", schema.scale()?.into());
            self.put(id, "precision", precision(schema)?.into());
        }
        Ok(id)
    }

    fn map(&mut self, schema: &'a Schema, key: &'a Schema, value: &'a Schema) -> Result<NodeId, ConvertError> {
        if has_text_keys(self.options, key) {
            let values = self.schema(value)?;
            return self.add(Kind::Map(values));
        }
        let name = match schema.name.as_deref() {
            None => Name {
                space: Some(names::SPACE.to_owned()),
                name: names::MAP_ENTRY.to_owned(),
            },
            name => self.name(name),
        };
        let record = self.add(Kind::Null)?;
        let fields = vec![
            self.field(names::KEY, key, None)?,
            self.field(names::VALUE, value, None)?,
        ];
        self.avro.nodes[record.0 as usize].kind = Kind::Record(Record {
            name,
            doc: None,
            fields,
        });
        if schema.name.is_some() {
            self.put(record, names::INTERNAL_TYPE, names::MAP_ENTRY.into());
        }
        self.add(Kind::Array(record))
    }

    fn structure(&mut self, schema: &'a Schema) -> Result<NodeId, ConvertError> {
        let name = self.name(schema.name.as_deref());
        let options = self.options;
        let doc = match options.discard_type_doc_default {
            true => names::TYPE_RECORD_DOC,
            false => names::RECORD_DOC,
        };
        let id = self.add(Kind::Null)?;
        let mut fields = Vec::with_capacity(schema.fields().len());
        for field in schema.fields() {
            let doc = match options.discard_type_doc_default {
                true => field.schema.doc.clone(),
                false => schema
                    .parameter(&format!("{}{}", names::FIELD_DOC, field.name))
                    .map(str::to_owned),
            };
            fields.push(self.field(&options.scrub(&field.name), &field.schema, doc)?);
        }
        self.avro.nodes[id.0 as usize].kind = Kind::Record(Record {
            name,
            doc: schema.parameter(doc).map(str::to_owned),
            fields,
        });
        Ok(id)
    }

    fn field(&mut self, name: &str, schema: &'a Schema, doc: Option<String>) -> Result<Field, ConvertError> {
        let node = self.schema(schema)?;
        let default = match &schema.default {
            Some(value) => Some(default_json(self.options, schema, value)?).filter(|json| self.fits(node, json)),
            None if schema.optional => Some(Json::Null),
            None => None,
        };
        Ok(Field {
            name: name.to_owned(),
            doc,
            default,
            node,
        })
    }

    /// Whether Avro takes a default: of a union it has to be one of the first branch.
    fn fits(&self, id: NodeId, json: &Json) -> bool {
        match self.avro.kind(id) {
            Kind::Union(branches) => branches.first().is_some_and(|first| self.allows(*first, json)),
            _ => self.allows(id, json),
        }
    }

    fn allows(&self, id: NodeId, json: &Json) -> bool {
        match (self.avro.kind(id), json) {
            (Kind::Null, Json::Null)
            | (Kind::Boolean, Json::Bool(_))
            | (Kind::Int | Kind::Long | Kind::Float | Kind::Double, Json::Number(_))
            | (Kind::String | Kind::Bytes | Kind::Fixed { .. }, Json::String(_)) => true,
            (Kind::Enum(values), Json::String(symbol)) => values.symbols.contains(symbol),
            (Kind::Array(items), Json::Array(values)) => values.iter().all(|value| self.allows(*items, value)),
            (Kind::Map(inner), Json::Object(members)) => members.values().all(|value| self.allows(*inner, value)),
            (Kind::Record(record), Json::Object(members)) => record.fields.iter().all(|field| {
                let value = members.get(&field.name).or(field.default.as_ref());
                value.is_some_and(|value| self.allows(field.node, value))
            }),
            (Kind::Union(branches), json) => branches.iter().any(|branch| self.allows(*branch, json)),
            _ => false,
        }
    }

    /// Adds what Avro has no place for, in the order in which Confluent's converter does.
    fn describe(&mut self, id: NodeId, schema: &Schema) -> Result<(), ConvertError> {
        if self.options.connect_meta_data {
            self.describe_connect(id, schema)?;
        }
        let logical = match schema.name.as_deref() {
            Some(DECIMAL) => Some("decimal"),
            Some(TIME) => Some("time-millis"),
            Some(TIMESTAMP) => Some("timestamp-millis"),
            Some(DATE) => Some("date"),
            _ => None,
        };
        if let Some(logical) = logical {
            self.put(id, "logicalType", logical.into());
        }
        for (key, value) in schema.parameters.iter().flatten() {
            if key.starts_with("avro") {
                self.put(id, key, value.as_str().into());
            }
        }
        Ok(())
    }

    fn describe_connect(&mut self, id: NodeId, schema: &Schema) -> Result<(), ConvertError> {
        if let Some(doc) = &schema.doc {
            self.put(id, names::DOC, doc.as_str().into());
        }
        if let Some(version) = schema.version {
            self.put(id, names::VERSION, version.into());
        }
        let discard = self.options.discard_type_doc_default;
        let parameters: Map<String, Json> = schema
            .parameters
            .iter()
            .flatten()
            .filter(|(key, _)| discard || key != names::FIELD_DEFAULT)
            .map(|(key, value)| (key.clone(), value.as_str().into()))
            .collect();
        if !parameters.is_empty() {
            self.put(id, names::PARAMETERS, Json::Object(parameters));
        }
        if let Some(value) = &schema.default
            && (discard || schema.parameter(names::FIELD_DEFAULT).is_none())
        {
            let json = default_json(self.options, schema, value)?;
            self.put(id, names::DEFAULT, json);
        }
        if let Some(name) = &schema.name {
            self.put(id, names::NAME, name.as_str().into());
        }
        match schema.kind {
            ConnectKind::Int8 => self.put(id, names::TYPE, "int8".into()),
            ConnectKind::Int16 => self.put(id, names::TYPE, "int16".into()),
            _ => {}
        }
        Ok(())
    }

    fn put(&mut self, id: NodeId, key: &str, value: Json) {
        self.avro.nodes[id.0 as usize].properties.insert(key.to_owned(), value);
    }

    fn name(&mut self, name: Option<&str>) -> Name {
        match name {
            Some(name) => {
                let name: Vec<String> = name.split('.').map(|part| self.options.scrub(part)).collect();
                Name::new(&name.join("."), None, None)
            }
            None => {
                self.unnamed += 1;
                let number = match self.unnamed {
                    1 => String::new(),
                    number => number.to_string(),
                };
                Name {
                    space: Some(names::SPACE.to_owned()),
                    name: format!("{}{number}", names::DEFAULT_NAME),
                }
            }
        }
    }
}

/// Equal but for being optional.
fn is_same(a: &Schema, b: &Schema) -> bool {
    std::ptr::eq(a, b)
        || (a.kind == b.kind
            && a.default == b.default
            && a.name == b.name
            && a.version == b.version
            && a.doc == b.doc
            && a.parameters == b.parameters)
}

fn number(key: &str, text: &str) -> Result<i32, ConvertError> {
    text.parse().map_err(|_| {
        let message = format!("For input string: \"{text}\"");
        ConvertError::new(Class::Foreign("java.lang.NumberFormatException"), message).because(unfit(key))
    })
}

fn unfit(key: &str) -> ConvertError {
    ConvertError::data(format!("the parameter {key} of a schema is no size"))
}

fn precision(schema: &Schema) -> Result<i64, ConvertError> {
    match schema.parameter(names::PRECISION) {
        Some(text) => number(names::PRECISION, text).map(Into::into),
        None => Ok(names::DEFAULT_PRECISION),
    }
}

/// The JSON of a default.
fn default_json(options: &AvroOptions, schema: &Schema, value: &Value) -> Result<Json, ConvertError> {
    default::write(options, schema, value).ok_or_else(|| {
        ConvertError::data(format!(
            "Invalid type used for default value of {} field: class {}",
            schema.kind,
            value.java_class()
        ))
    })
}

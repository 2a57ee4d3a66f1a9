//! From a schema of Avro to the one that Kafka Connect's records get, and to a plan by which values are read.

mod attributes;

use std::sync::Arc;

use caisson_api::schema::{Field, Kind as ConnectKind, Schema};
use caisson_convert::ConvertError;
use serde_json::Value as Json;

use self::attributes::put;
use super::decode::{Branch, Plan};
use super::names;
use super::options::AvroOptions;
use super::schema::{self as avro, AvroSchema, Kind, Node, NodeId};

/// Schemas that one schema may become: types that are used twice are there twice.
const MAX_SCHEMAS: usize = 100_000;
/// As deep as values can be nested on their way through the worker.
const MAX_DEPTH: usize = caisson_api::typed::MAX_DEPTH;

/// The schema and the plan. Version is that of the subject, for schemas that do not say one. No schema: values say
/// themselves what they are.
pub fn convert(
    options: &AvroOptions,
    schema: &AvroSchema,
    version: Option<i32>,
) -> Result<(Option<Schema>, Plan), ConvertError> {
    if super::anything::is(schema) {
        return Ok((None, Plan::Anything));
    }
    let mut walk = Walk {
        options,
        schema,
        open: Vec::new(),
        unions: 0,
        left: MAX_SCHEMAS,
    };
    let use_of = Use {
        version,
        ..Use::default()
    };
    let (schema, plan) = walk.convert(schema.root, &use_of)?;
    Ok((Some(schema), plan))
}

/// How a type is used, which becomes part of its schema.
#[derive(Default)]
struct Use<'a> {
    optional: bool,
    /// Of the field.
    default: Option<&'a Json>,
    doc: Option<&'a str>,
    version: Option<i32>,
}

struct Walk<'a> {
    options: &'a AvroOptions,
    schema: &'a AvroSchema,
    /// Records within which we are.
    open: Vec<NodeId>,
    unions: usize,
    left: usize,
}

impl Walk<'_> {
    fn convert(&mut self, id: NodeId, used: &Use<'_>) -> Result<(Schema, Plan), ConvertError> {
        self.left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| ConvertError::data(format!("The Avro schema stands for more than {MAX_SCHEMAS} schemas")))?;
        let schema = self.schema;
        let node = schema.node(id);
        if let Kind::Union(branches) = &node.kind {
            match self.simple_union(branches) {
                Some(Simple::One(only)) => {
                    let used = Use {
                        doc: used.doc,
                        ..Use::default()
                    };
                    let (schema, plan) = self.convert(only, &used)?;
                    return Ok((schema, Plan::One(plan.into())));
                }
                Some(Simple::Optional { null, other }) => {
                    let used = Use {
                        optional: true,
                        doc: used.doc,
                        ..Use::default()
                    };
                    let (schema, plan) = self.convert(other, &used)?;
                    return Ok((schema, Plan::Optional(null, plan.into())));
                }
                None => {}
            }
        }
        let (mut connect, plan) = self.base(id, node)?;
        self.describe(id, node, &mut connect, used)?;
        Ok((connect, plan))
    }

    fn simple_union(&self, branches: &[NodeId]) -> Option<Simple> {
        let is_null = |id: &NodeId| matches!(self.schema.kind(*id), Kind::Null);
        match branches {
            [only] if self.options.flatten_singleton_union => Some(Simple::One(*only)),
            [null, other] if is_null(null) => Some(Simple::Optional { null: 0, other: *other }),
            [other, null] if is_null(null) => Some(Simple::Optional { null: 1, other: *other }),
            _ => None,
        }
    }

    /// The type without what its attributes and its use add.
    fn base(&mut self, id: NodeId, node: &Node) -> Result<(Schema, Plan), ConvertError> {
        let plain = |kind, plan| Ok((Schema::new(kind), plan));
        match &node.kind {
            Kind::Null => Err(ConvertError::data(
                "Standalone null schemas are not supported by this converter",
            )),
            Kind::Boolean => plain(ConnectKind::Boolean, Plan::Boolean),
            Kind::Float => plain(ConnectKind::Float32, Plan::Float),
            Kind::Double => plain(ConnectKind::Float64, Plan::Double),
            Kind::String => plain(ConnectKind::String, Plan::String),
            Kind::Int => int(node),
            Kind::Long if is_logical(node, "timestamp-millis") => Ok((Schema::timestamp(), Plan::Timestamp)),
            Kind::Long => plain(ConnectKind::Int64, Plan::Long),
            Kind::Bytes => match decimal(node)? {
                Some((schema, scale)) => Ok((schema, Plan::Decimal(scale))),
                None => plain(ConnectKind::Bytes, Plan::Bytes),
            },
            Kind::Fixed { size, .. } => {
                let (mut schema, plan) = match decimal(node)? {
                    Some((schema, scale)) => (schema, Plan::FixedDecimal(*size, scale)),
                    None => (Schema::new(ConnectKind::Bytes), Plan::Fixed(*size)),
                };
                put(&mut schema, names::FIXED_SIZE, &size.to_string());
                Ok((schema, plan))
            }
            Kind::Enum(values) => Ok(self.enumeration(values)),
            Kind::Array(items) => self.array(*items),
            Kind::Map(values) => {
                let (values, plan) = self.inner(*values)?;
                let key = Arc::new(Schema::new(ConnectKind::String));
                plain(ConnectKind::Map(key, values.into()), Plan::Map(plan.into()))
            }
            Kind::Record(record) => self.record(id, record),
            Kind::Union(branches) => self.union(branches),
        }
    }

    fn inner(&mut self, id: NodeId) -> Result<(Schema, Plan), ConvertError> {
        self.convert(id, &Use::default())
    }

    fn array(&mut self, items: NodeId) -> Result<(Schema, Plan), ConvertError> {
        let schema = self.schema;
        let Some(record) = map_entry(schema, items) else {
            let (items, plan) = self.inner(items)?;
            let kind = ConnectKind::Array(items.into());
            return Ok((Schema::new(kind), Plan::Array(plan.into())));
        };
        let (key, value, swapped) = match record.fields.as_slice() {
            [key, value] if key.name == names::KEY && value.name == names::VALUE => (key, value, false),
            [value, key] if key.name == names::KEY && value.name == names::VALUE => (key, value, true),
            _ => {
                return Err(ConvertError::data(
                    "Found map encoded as array of key-value pairs, but array elements do not match the expected format.",
                ));
            }
        };
        let ((key, key_plan), (value, value_plan)) =
            self.within(items, |walk| Ok((walk.inner(key.node)?, walk.inner(value.node)?)))?;
        let kind = ConnectKind::Map(key.into(), value.into());
        let plan = Plan::Entries {
            key: key_plan.into(),
            value: value_plan.into(),
            swapped,
        };
        Ok((Schema::new(kind), plan))
    }

    fn record(&mut self, id: NodeId, record: &avro::Record) -> Result<(Schema, Plan), ConvertError> {
        let mut schema = Schema::new(ConnectKind::Struct(Vec::new()));
        let documented = self.options.connect_meta_data && !self.options.discard_type_doc_default;
        if let Some(doc) = record.doc.as_deref().filter(|_| documented) {
            put(&mut schema, names::RECORD_DOC, doc);
        }
        let mut fields = Vec::with_capacity(record.fields.len());
        let mut plans = Vec::with_capacity(record.fields.len());
        self.within(id, |walk| {
            for field in &record.fields {
                if let Some(doc) = field.doc.as_deref().filter(|_| documented) {
                    put(&mut schema, &format!("{}{}", names::FIELD_DOC, field.name), doc);
                }
                let used = Use {
                    default: field.default.as_ref(),
                    doc: field.doc.as_deref(),
                    ..Use::default()
                };
                let (converted, plan) = walk.convert(field.node, &used)?;
                fields.push(Field {
                    name: field.name.clone(),
                    schema: converted.into(),
                });
                plans.push(plan);
            }
            Ok(())
        })?;
        schema.kind = ConnectKind::Struct(fields);
        Ok((schema, Plan::Struct(plans)))
    }

    /// Looks at the parts of a record, which must not be the record again: schemas of Kafka Connect are trees here.
    fn within<T>(
        &mut self,
        id: NodeId,
        look: impl FnOnce(&mut Self) -> Result<T, ConvertError>,
    ) -> Result<T, ConvertError> {
        let name = || self.schema.kind(id).full_name();
        if self.open.contains(&id) {
            let name = name();
            return Err(ConvertError::data(format!(
                "The Avro record {name} contains itself, which schemas of this worker cannot"
            )));
        }
        if self.open.len() >= MAX_DEPTH {
            let name = name();
            return Err(ConvertError::data(format!(
                "The Avro record {name} is nested deeper than {MAX_DEPTH} levels"
            )));
        }
        self.open.push(id);
        let result = look(self);
        self.open.pop();
        result
    }

    fn enumeration(&self, values: &avro::Enum) -> (Schema, Plan) {
        let mut schema = Schema::new(ConnectKind::String);
        let options = self.options;
        if options.connect_meta_data {
            if let Some(doc) = &values.doc {
                let key = match options.discard_type_doc_default {
                    true => names::TYPE_ENUM_DOC.to_owned(),
                    false => format!("{}{}", names::ENUM_DOC, values.name.name),
                };
                put(&mut schema, &key, doc);
            }
            if let Some(default) = values.default.as_ref().filter(|_| !options.discard_type_doc_default) {
                put(
                    &mut schema,
                    &format!("{}{}", names::ENUM_DEFAULT, values.name.name),
                    default,
                );
            }
        }
        let parameter = options.enum_parameter();
        put(&mut schema, parameter, &values.name.full());
        for (index, symbol) in values.symbols.iter().enumerate() {
            let value = match options.generalized_sum_types {
                true => index.to_string(),
                false => symbol.clone(),
            };
            put(&mut schema, &format!("{parameter}.{symbol}"), &value);
        }
        (schema, Plan::Enum(values.symbols.clone()))
    }

    fn union(&mut self, branches: &[NodeId]) -> Result<(Schema, Plan), ConvertError> {
        let general = self.options.generalized_sum_types;
        let mut schema = Schema::new(ConnectKind::Struct(Vec::new()));
        let name = match general {
            true => format!("{}{}", names::GENERAL_UNION_PREFIX, self.unions),
            false => names::UNION.to_owned(),
        };
        if general {
            self.unions += 1;
            put(&mut schema, names::GENERAL_UNION, &name);
        }
        schema.name = Some(name);
        let mut fields: Vec<Field> = Vec::new();
        let mut plans = Vec::new();
        for (index, branch) in branches.iter().enumerate() {
            if matches!(self.schema.kind(*branch), Kind::Null) {
                schema.optional = true;
                plans.push(Branch::Null);
                continue;
            }
            let name = branch_name(self.options, self.schema.kind(*branch), index);
            if fields.iter().any(|field| field.name == name) {
                return Err(ConvertError::data(
                    "Multiple union schemas map to the Connect union field name",
                ));
            }
            let used = Use {
                optional: true,
                ..Use::default()
            };
            let (converted, plan) = self.convert(*branch, &used)?;
            plans.push(Branch::Field(fields.len(), plan));
            fields.push(Field {
                name,
                schema: converted.into(),
            });
        }
        let count = fields.len();
        schema.kind = ConnectKind::Struct(fields);
        Ok((schema, Plan::Union(plans, count)))
    }
}

enum Simple {
    One(NodeId),
    Optional { null: u8, other: NodeId },
}

/// `connect.type` and the logical types on `int`.
fn int(node: &Node) -> Result<(Schema, Plan), ConvertError> {
    if is_logical(node, "date") {
        return Ok((Schema::date(), Plan::Date));
    }
    if is_logical(node, "time-millis") {
        return Ok((Schema::time(), Plan::Time));
    }
    match node.text(names::TYPE).filter(|_| node.logical_type().is_none()) {
        None => Ok((Schema::new(ConnectKind::Int32), Plan::Int)),
        Some("int8") => Ok((Schema::new(ConnectKind::Int8), Plan::Int8)),
        Some("int16") => Ok((Schema::new(ConnectKind::Int16), Plan::Int16)),
        Some(_) => Err(ConvertError::data("Connect type annotation for Avro int field is null")),
    }
}

fn is_logical(node: &Node, name: &str) -> bool {
    node.logical_type()
        .is_some_and(|found| found.eq_ignore_ascii_case(name))
}

fn decimal(node: &Node) -> Result<Option<(Schema, i32)>, ConvertError> {
    if !is_logical(node, "decimal") {
        return Ok(None);
    }
    let number = |key: &str| node.properties.get(key).and_then(Json::as_i64);
    let scale = number("scale").and_then(|scale| i32::try_from(scale).ok()).unwrap_or(0);
    let mut schema = Schema::decimal(scale);
    if let Some(precision) = node.properties.get("precision") {
        let Some(precision) = precision.as_i64() else {
            return Err(ConvertError::data(
                "precision property must be a JSON Integer. https://avro.apache.org/docs/1.9.1/spec.html#Decimal",
            ));
        };
        if precision != names::DEFAULT_PRECISION {
            put(&mut schema, names::PRECISION, &precision.to_string());
        }
    }
    Ok(Some((schema, scale)))
}

/// The record of a map whose keys are no text.
fn map_entry(schema: &AvroSchema, items: NodeId) -> Option<&avro::Record> {
    let node = schema.node(items);
    let Kind::Record(record) = &node.kind else {
        return None;
    };
    let is_named = record.name.space.as_deref() == Some(names::SPACE) && record.name.name == names::MAP_ENTRY;
    (is_named || node.text(names::INTERNAL_TYPE) == Some(names::MAP_ENTRY)).then_some(record)
}

/// What the field of a branch is called.
pub fn branch_name(options: &AvroOptions, kind: &Kind, index: usize) -> String {
    if options.generalized_sum_types {
        return format!("{}{index}", names::GENERAL_FIELD_PREFIX);
    }
    match kind.own_name() {
        Some(name) if options.enhanced_schema_support => name.full(),
        Some(name) => options.scrub(&name.name),
        None => kind.word().to_owned(),
    }
}

//! From a message type to the schema that Kafka Connect's records get, and to a plan by which messages are read.

use std::collections::HashMap;
use std::sync::Arc;

use caisson_api::schema::{Field, Kind as ConnectKind, Schema};
use caisson_convert::ConvertError;
use prost_reflect::{Cardinality, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, OneofDescriptor, Syntax};

use super::decode::{OneOf, Plan, Slot};
use super::files::field_parameter;
use super::options::{self, ProtobufOptions};

/// Schemas that one schema may become: messages that are used twice are there twice.
const MAX_SCHEMAS: usize = 100_000;
/// As deep as values can be nested on their way through the worker.
const MAX_DEPTH: usize = caisson_api::typed::MAX_DEPTH;

/// The schema and the plan; version is that of the subject.
pub fn convert(
    options: &ProtobufOptions,
    message: &MessageDescriptor,
    version: Option<i32>,
) -> Result<(Schema, Plan), ConvertError> {
    let mut walk = Walk {
        options,
        open: Vec::new(),
        left: MAX_SCHEMAS,
    };
    let (mut schema, plan) = match unwrapped(message).filter(|_| options.wrapper_for_raw_primitives) {
        Some((schema, plan)) => (schema, plan),
        None => walk.message(message)?,
    };
    schema.version = version;
    Ok((schema, plan))
}

struct Walk<'a> {
    options: &'a ProtobufOptions,
    /// Messages within which we are.
    open: Vec<String>,
    left: usize,
}

impl Walk<'_> {
    fn message(&mut self, message: &MessageDescriptor) -> Result<(Schema, Plan), ConvertError> {
        let name = message.full_name();
        if self.open.iter().any(|open| open == name) {
            return Err(ConvertError::data(format!(
                "The Protobuf message {name} contains itself, which schemas of this worker cannot"
            )));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(ConvertError::data(format!(
                "The Protobuf message {name} is nested deeper than {MAX_DEPTH} levels"
            )));
        }
        self.open.push(name.to_owned());
        let mut fields = Vec::new();
        let mut slots = Vec::new();
        for (index, oneof) in message.oneofs().filter(|oneof| !oneof.is_synthetic()).enumerate() {
            let (schema, slot) = self.oneof(&oneof)?;
            fields.push(Field {
                name: format!("{}_{index}", oneof.name()),
                schema: schema.into(),
            });
            slots.push(slot);
        }
        for field in message.fields().filter(|field| real_oneof(field).is_none()) {
            let (schema, plan) = self.field(&field)?;
            fields.push(Field {
                name: field.name().to_owned(),
                schema: schema.into(),
            });
            let only_if_set = match field.cardinality() {
                Cardinality::Repeated => false,
                Cardinality::Optional | Cardinality::Required => {
                    matches!(field.kind(), Kind::Message(_)) || self.is_optional(&field)
                }
            };
            slots.push(Slot::Field {
                field,
                plan,
                only_if_set,
            });
        }
        self.open.pop();
        let mut schema = Schema::new(ConnectKind::Struct(fields));
        schema.name = Some(self.name(message.full_name(), message.name()));
        Ok((schema, Plan::Message(slots)))
    }

    fn name(&self, full: &str, simple: &str) -> String {
        match self.options.enhanced_schema_support {
            true => full.to_owned(),
            false => simple.to_owned(),
        }
    }

    /// Whether the label `optional` says that absence is something else than the default.
    fn is_optional(&self, field: &FieldDescriptor) -> bool {
        is_proto3_optional(field) || (self.options.optional_for_proto2 && has_optional_keyword(field))
    }

    fn oneof(&mut self, oneof: &OneofDescriptor) -> Result<(Schema, Slot), ConvertError> {
        let mut fields = Vec::new();
        let mut plans = Vec::new();
        for field in oneof.fields() {
            let (schema, plan) = self.field(&field)?;
            fields.push(Field {
                name: field.name().to_owned(),
                schema: schema.into(),
            });
            plans.push(OneOf { field, plan });
        }
        let mut schema = Schema::optional(ConnectKind::Struct(fields));
        if self.options.generalized_sum_types {
            schema.name = Some(oneof.name().to_owned());
            put(&mut schema, options::GENERAL_UNION, oneof.name());
        } else {
            let name = self.name(oneof.full_name(), oneof.name());
            schema.name = Some(format!("{}{name}", options::UNION_PREFIX));
        }
        Ok((schema, Slot::OneOf(plans)))
    }

    fn field(&mut self, field: &FieldDescriptor) -> Result<(Schema, Plan), ConvertError> {
        self.left = self.left.checked_sub(1).ok_or_else(|| {
            ConvertError::data(format!(
                "The Protobuf message stands for more than {MAX_SCHEMAS} schemas"
            ))
        })?;
        let (mut schema, mut plan) = self.base(field)?;
        if field.is_list() {
            let element = Arc::new(schema.into_optional());
            schema = Schema::optional(ConnectKind::Array(element));
            plan = Plan::List(plan.into());
        }
        if self.options.optional_for_nullables {
            schema.optional |= is_proto3_optional(field) || has_optional_keyword(field);
        } else if !self.options.wrapper_for_nullables {
            schema.optional = true;
        }
        put(&mut schema, options::TAG, &field.number().to_string());
        Ok((schema, plan))
    }

    /// The type without what its use adds.
    fn base(&mut self, field: &FieldDescriptor) -> Result<(Schema, Plan), ConvertError> {
        let typed = |kind, plan, name: Option<&str>| {
            let mut schema = Schema::new(kind);
            if let Some(name) = name {
                put(&mut schema, options::TYPE, name);
            }
            Ok((schema, plan))
        };
        let parameter = |name: &str| field_parameter(field.parent_pool(), &field.options(), name);
        match field.kind() {
            kind @ (Kind::Int32 | Kind::Sint32 | Kind::Sfixed32) => match parameter(options::CONNECT_TYPE).as_deref() {
                Some("int8") => typed(ConnectKind::Int8, Plan::Int8, None),
                Some("int16") => typed(ConnectKind::Int16, Plan::Int16, None),
                _ => typed(ConnectKind::Int32, Plan::Int32, word(&kind, "int32")),
            },
            kind @ (Kind::Uint32
            | Kind::Fixed32
            | Kind::Int64
            | Kind::Uint64
            | Kind::Sint64
            | Kind::Fixed64
            | Kind::Sfixed64) => typed(ConnectKind::Int64, Plan::Int64, word(&kind, "int64")),
            Kind::Float => typed(ConnectKind::Float32, Plan::Float, None),
            Kind::Double => typed(ConnectKind::Float64, Plan::Double, None),
            Kind::Bool => typed(ConnectKind::Boolean, Plan::Boolean, None),
            Kind::String => typed(ConnectKind::String, Plan::String, None),
            Kind::Bytes => typed(ConnectKind::Bytes, Plan::Bytes, None),
            Kind::Enum(values) => Ok(self.enumeration(&values)),
            Kind::Message(message) => self.inner_message(field, &message),
        }
    }

    fn enumeration(&self, values: &EnumDescriptor) -> (Schema, Plan) {
        let mut schema = match self.options.int_for_enums {
            true => Schema::optional(ConnectKind::Int32),
            false => Schema::optional(ConnectKind::String),
        };
        schema.name = Some(self.name(values.full_name(), values.name()));
        let parameter = self.options.enum_parameter();
        put(&mut schema, parameter, values.name());
        let mut names = HashMap::new();
        for value in values.values() {
            put(
                &mut schema,
                &format!("{parameter}.{}", value.name()),
                &value.number().to_string(),
            );
            // Of several with one number the first is its name.
            names.entry(value.number()).or_insert_with(|| value.name().to_owned());
        }
        let plan = match self.options.int_for_enums {
            true => Plan::EnumNumber,
            false => Plan::Enum {
                name: values.name().to_owned(),
                names,
            },
        };
        (schema, plan)
    }

    fn inner_message(
        &mut self,
        field: &FieldDescriptor,
        message: &MessageDescriptor,
    ) -> Result<(Schema, Plan), ConvertError> {
        let parameter = |name: &str| field_parameter(field.parent_pool(), &field.options(), name);
        let (schema, plan) = match message.full_name() {
            options::DECIMAL => {
                let number = |name: &str| parameter(name).and_then(|text| text.parse::<i32>().ok());
                let mut schema = Schema::decimal(number("scale").unwrap_or(0));
                if let Some(precision) = number("precision") {
                    put(&mut schema, options::PRECISION, &precision.to_string());
                }
                (schema, Plan::Decimal)
            }
            options::DATE => (Schema::date(), Plan::Date),
            options::TIME => (Schema::time(), Plan::Time),
            options::TIMESTAMP => (Schema::timestamp(), Plan::Timestamp),
            _ if field.is_map() => self.map(message)?,
            _ => match unwrapped(message).filter(|_| self.options.wrapper_for_nullables) {
                Some(unwrapped) => unwrapped,
                None => self.message(message)?,
            },
        };
        Ok((schema.into_optional(), plan))
    }

    fn map(&mut self, entry: &MessageDescriptor) -> Result<(Schema, Plan), ConvertError> {
        let (key, key_plan) = self.field(&entry.map_entry_key_field())?;
        let (value, value_plan) = self.field(&entry.map_entry_value_field())?;
        let mut schema = Schema::new(ConnectKind::Map(key.into(), value.into()));
        let name = self.name(entry.full_name(), entry.name());
        schema.name = Some(super::model::field_of_entry(&name));
        Ok((schema, Plan::Map(key_plan.into(), value_plan.into())))
    }
}

/// The oneof that a field was written in, not one that only stands for its label.
fn real_oneof(field: &FieldDescriptor) -> Option<OneofDescriptor> {
    field.containing_oneof().filter(|oneof| !oneof.is_synthetic())
}

fn is_proto3_optional(field: &FieldDescriptor) -> bool {
    field.containing_oneof().is_some_and(|oneof| oneof.is_synthetic())
}

fn has_optional_keyword(field: &FieldDescriptor) -> bool {
    is_proto3_optional(field)
        || (field.parent_file().syntax() == Syntax::Proto2
            && field.cardinality() == Cardinality::Optional
            && field.containing_oneof().is_none())
}

/// What a wrapper message wraps.
fn unwrapped(message: &MessageDescriptor) -> Option<(Schema, Plan)> {
    let index = options::wrapper(message.full_name())?;
    let (kind, plan) = match options::WRAPPERS[index].1 {
        "double" => (ConnectKind::Float64, Plan::Double),
        "float" => (ConnectKind::Float32, Plan::Float),
        "int32" => (ConnectKind::Int32, Plan::Int32),
        "bool" => (ConnectKind::Boolean, Plan::Boolean),
        "string" => (ConnectKind::String, Plan::String),
        "bytes" => (ConnectKind::Bytes, Plan::Bytes),
        _ => (ConnectKind::Int64, Plan::Int64),
    };
    let field = message.get_field_by_name("value")?;
    Some((Schema::new(kind), Plan::Wrapped(field, plan.into())))
}

/// The word for a type of numbers, if it is not the usual one.
fn word(kind: &Kind, usual: &str) -> Option<&'static str> {
    let word = match kind {
        Kind::Sint32 => "sint32",
        Kind::Sfixed32 => "sfixed32",
        Kind::Uint32 => "uint32",
        Kind::Fixed32 => "fixed32",
        Kind::Uint64 => "uint64",
        Kind::Sint64 => "sint64",
        Kind::Fixed64 => "fixed64",
        Kind::Sfixed64 => "sfixed64",
        _ => return None,
    };
    (word != usual).then_some(word)
}

fn put(schema: &mut Schema, name: &str, value: &str) {
    let parameters = schema.parameters.get_or_insert_default();
    match parameters.iter_mut().find(|(known, _)| known == name) {
        Some((_, old)) => value.clone_into(old),
        None => parameters.push((name.to_owned(), value.to_owned())),
    }
}

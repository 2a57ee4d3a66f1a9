//! From a schema of Kafka Connect to the file of Protobuf that its values are written with, and to a plan by which they
//! are written.

use std::collections::HashSet;

use caisson_api::schema::{Kind as ConnectKind, Logical, Schema};
use caisson_convert::{Class, ConvertError};

use super::encode::{Field as Written, How, Plan};
use super::options::{self, ProtobufOptions};

/// Messages within each other.
const MAX_DEPTH: usize = caisson_api::typed::MAX_DEPTH;

/// The file: one message, with everything that it needs inside.
#[derive(Debug, Default)]
pub struct File {
    pub package: Option<String>,
    pub imports: Vec<&'static str>,
    pub message: Message,
}

#[derive(Debug, Default)]
pub struct Message {
    pub name: String,
    pub fields: Vec<Field>,
    pub oneofs: Vec<(String, Vec<Field>)>,
    pub messages: Vec<Message>,
    pub enums: Vec<Enum>,
}

#[derive(Debug)]
pub struct Field {
    pub label: Option<&'static str>,
    /// As it stands in the text.
    pub kind: String,
    pub name: String,
    pub number: i32,
    pub parameters: Vec<(&'static str, String)>,
}

#[derive(Debug)]
pub struct Enum {
    pub name: String,
    pub values: Vec<(String, i32)>,
}

/// What a map is called of which this is the entry's name: `fields` for `FieldsEntry`.
pub fn field_of_entry(entry: &str) -> String {
    let (space, name) = match entry.rsplit_once('.') {
        Some((space, name)) => (format!("{space}."), name),
        None => (String::new(), entry),
    };
    let name = name.strip_suffix("Entry").unwrap_or(name);
    let mut characters = name.chars();
    let first = characters.next().map(|c| c.to_ascii_lowercase());
    let mut out = String::new();
    for c in first.into_iter().chain(characters) {
        if c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    format!("{space}{out}")
}

/// Whether a struct stands for one of several fields.
pub fn is_union(schema: &Schema) -> bool {
    schema
        .name
        .as_deref()
        .is_some_and(|name| name.starts_with(options::UNION))
        || schema.parameter(options::GENERAL_UNION).is_some()
}

/// The file for a struct, and how its values are written.
pub fn convert(options: &ProtobufOptions, schema: &Schema) -> Result<(File, Plan), ConvertError> {
    let mut build = Build {
        options,
        imports: Vec::new(),
        unnamed: 0,
    };
    let full = build.name(schema.name.as_deref());
    let (package, name) = match full.rsplit_once('.') {
        Some((package, name)) => (Some(package.to_owned()), name),
        None => (None, full.as_str()),
    };
    let (message, fields) = build.message(options.scrub(name), schema, 0)?;
    let file = File {
        package,
        imports: build.imports,
        message,
    };
    Ok((file, Plan::Message(fields)))
}

struct Build<'a> {
    options: &'a ProtobufOptions,
    imports: Vec<&'static str>,
    unnamed: usize,
}

fn unsupported(message: impl Into<String>) -> ConvertError {
    ConvertError::new(Class::Foreign("java.lang.IllegalArgumentException"), message)
}

impl Build<'_> {
    fn name(&mut self, name: Option<&str>) -> String {
        match name.filter(|name| !name.is_empty()) {
            Some(name) => name.to_owned(),
            None => {
                self.unnamed += 1;
                format!("{}{}", options::DEFAULT_NAME, self.unnamed)
            }
        }
    }

    /// The name without its package.
    fn simple(&mut self, name: Option<&str>) -> String {
        let full = self.name(name);
        self.options.scrub(full.rsplit('.').next().unwrap_or(&full))
    }

    fn import(&mut self, file: &'static str) {
        if !self.imports.contains(&file) {
            self.imports.push(file);
        }
    }

    fn message(
        &mut self,
        name: String,
        schema: &Schema,
        depth: usize,
    ) -> Result<(Message, Vec<Written>), ConvertError> {
        if depth >= MAX_DEPTH {
            return Err(ConvertError::data(format!(
                "A schema is nested deeper than {MAX_DEPTH} levels"
            )));
        }
        check_name(&name)?;
        let mut message = Message {
            name,
            ..Message::default()
        };
        let mut written = Vec::new();
        let mut numbers = Numbers::new(schema);
        for (index, field) in schema.fields().iter().enumerate() {
            let name = self.options.scrub(&field.name);
            if is_union(&field.schema) {
                let oneof = self.oneof(&mut message, &field.schema, &mut numbers, depth)?;
                written.push(Written {
                    index,
                    number: 0,
                    default: None,
                    how: How::OneOf(oneof),
                });
                continue;
            }
            let number = numbers.next(&field.schema);
            let (described, how) = self.field(&mut message, &field.schema, name, number, depth)?;
            message.fields.push(described);
            written.push(Written {
                index,
                number,
                default: field
                    .schema
                    .default
                    .clone()
                    .filter(|_| !self.options.ignore_default_for_nullables),
                how,
            });
        }
        written.sort_by_key(|field| field.number);
        Ok((message, written))
    }

    fn oneof(
        &mut self,
        message: &mut Message,
        union: &Schema,
        numbers: &mut Numbers,
        depth: usize,
    ) -> Result<Vec<Written>, ConvertError> {
        let name = match union.parameter(options::GENERAL_UNION) {
            Some(name) if self.options.generalized_sum_types => name,
            _ => union.name.as_deref().unwrap_or_default(),
        };
        let name = name.strip_prefix(options::UNION_PREFIX).unwrap_or(name);
        let name = self.simple(Some(name));
        check_name(&name)?;
        let mut fields = Vec::new();
        let mut written = Vec::new();
        for (index, field) in union.fields().iter().enumerate() {
            let number = numbers.next(&field.schema);
            let name = self.options.scrub(&field.name);
            let (described, how) = self.field(message, &field.schema, name, number, depth)?;
            if described.label.is_some_and(|label| label != "optional") || matches!(how, How::Map(..)) {
                return Err(unsupported("A oneof cannot have lists and maps"));
            }
            fields.push(Field {
                label: None,
                ..described
            });
            let how = match how {
                How::One { plan, .. } => How::One { plan, always: true },
                other => other,
            };
            written.push(Written {
                index,
                number,
                default: None,
                how,
            });
        }
        message.oneofs.push((name, fields));
        Ok(written)
    }

    fn field(
        &mut self,
        message: &mut Message,
        schema: &Schema,
        name: String,
        number: i32,
        depth: usize,
    ) -> Result<(Field, How), ConvertError> {
        check_name(&name)?;
        let mut parameters = Vec::new();
        let optional = self.options.optional_for_nullables && schema.optional;
        let (label, kind, how) = match &schema.kind {
            ConnectKind::Array(inner) => {
                let (kind, plan) = self.kind(message, inner, &name, &mut parameters, depth)?;
                (Some("repeated"), kind, How::Repeated(plan))
            }
            ConnectKind::Map(key, value) => {
                // Its entry takes a name, which Protobuf makes of the field's.
                self.simple(schema.name.as_deref());
                let is_key = matches!(
                    key.kind,
                    ConnectKind::Int8
                        | ConnectKind::Int16
                        | ConnectKind::Int32
                        | ConnectKind::Int64
                        | ConnectKind::Boolean
                        | ConnectKind::String
                ) && key.logical_type().is_none();
                if !is_key || matches!(value.kind, ConnectKind::Array(_) | ConnectKind::Map(..)) {
                    return Err(unsupported(format!(
                        "A map of {} to {} cannot be written in Protobuf",
                        key.kind, value.kind
                    )));
                }
                let (key, key_plan) = self.kind(message, key, "key", &mut Vec::new(), depth)?;
                let (value, value_plan) = self.kind(message, value, "value", &mut Vec::new(), depth)?;
                (None, format!("map<{key}, {value}>"), How::Map(key_plan, value_plan))
            }
            _ => {
                let (kind, plan) = self.kind(message, schema, &name, &mut parameters, depth)?;
                let always = optional || plan.is_message();
                (optional.then_some("optional"), kind, How::One { plan, always })
            }
        };
        if !parameters.is_empty() {
            self.import("confluent/meta.proto");
        }
        let field = Field {
            label,
            kind,
            name,
            number,
            parameters,
        };
        Ok((field, how))
    }

    /// The type of a single value, as it stands in the text. What has to be defined for it is, in the message.
    fn kind(
        &mut self,
        message: &mut Message,
        schema: &Schema,
        field: &str,
        parameters: &mut Vec<(&'static str, String)>,
        depth: usize,
    ) -> Result<(String, Plan), ConvertError> {
        if let Some(logical) = schema.logical_type() {
            return Ok(self.logical(schema, logical, parameters));
        }
        let plain = |word: &str, plan| (word.to_owned(), plan);
        let (word, plan) = match &schema.kind {
            ConnectKind::Int8 | ConnectKind::Int16 => {
                let word = if schema.kind == ConnectKind::Int8 {
                    "int8"
                } else {
                    "int16"
                };
                parameters.push((options::CONNECT_TYPE, word.to_owned()));
                plain("int32", Plan::Int32)
            }
            ConnectKind::Int32 if schema.parameter(options::ENUM).is_some() => {
                return self.enumeration(message, schema, Plan::Int32);
            }
            ConnectKind::Int32 => number(schema, "int32")?,
            ConnectKind::Int64 => number(schema, "int64")?,
            ConnectKind::Float32 => plain("float", Plan::Float),
            ConnectKind::Float64 => plain("double", Plan::Double),
            ConnectKind::Boolean => plain("bool", Plan::Boolean),
            ConnectKind::String => {
                if [options::ENUM, options::GENERAL_ENUM]
                    .iter()
                    .any(|name| schema.parameter(name).is_some())
                {
                    return self.enumeration(message, schema, Plan::String);
                }
                plain("string", Plan::String)
            }
            ConnectKind::Bytes => plain("bytes", Plan::Bytes),
            ConnectKind::Array(_) | ConnectKind::Map(..) => return Err(unsupported("Array cannot be nested")),
            ConnectKind::Struct(_) => return self.structure(message, schema, field, depth),
        };
        if self.options.wrapper_for_nullables && schema.optional {
            self.import("google/protobuf/wrappers.proto");
            let usual = match word.as_str() {
                "sint32" | "sfixed32" => "int32",
                "fixed32" => "uint32",
                "fixed64" => "uint64",
                "sint64" | "sfixed64" => "int64",
                other => other,
            };
            let wrapper = options::WRAPPERS.iter().find(|(_, wrapped)| *wrapped == usual);
            if let Some((wrapper, _)) = wrapper {
                let (_, plan) = number_of(usual).map_or((usual.to_owned(), plan), |plan| (usual.to_owned(), plan));
                return Ok(((*wrapper).to_owned(), Plan::Wrapped(plan.into())));
            }
        }
        Ok((word, plan))
    }

    fn logical(
        &mut self,
        schema: &Schema,
        logical: Logical,
        parameters: &mut Vec<(&'static str, String)>,
    ) -> (String, Plan) {
        let (file, name, plan) = match logical {
            Logical::Decimal => {
                for (key, parameter) in [("precision", options::PRECISION), ("scale", "scale")] {
                    if let Some(value) = schema.parameter(parameter) {
                        parameters.push((key, value.to_owned()));
                    }
                }
                ("confluent/type/decimal.proto", options::DECIMAL, Plan::Decimal)
            }
            Logical::Date => ("google/type/date.proto", options::DATE, Plan::Date),
            Logical::Time => ("google/type/timeofday.proto", options::TIME, Plan::Time),
            Logical::Timestamp => ("google/protobuf/timestamp.proto", options::TIMESTAMP, Plan::Timestamp),
        };
        self.import(file);
        (name.to_owned(), plan)
    }

    fn enumeration(
        &mut self,
        message: &mut Message,
        schema: &Schema,
        plain: Plan,
    ) -> Result<(String, Plan), ConvertError> {
        let parameter = match schema.parameter(options::GENERAL_ENUM) {
            Some(_) if self.options.generalized_sum_types || schema.parameter(options::ENUM).is_none() => {
                options::GENERAL_ENUM
            }
            _ => options::ENUM,
        };
        let name = match schema.parameter(parameter).filter(|name| !name.is_empty()) {
            Some(name) => self.simple(Some(name)),
            None => self.simple(schema.name.as_deref()),
        };
        check_name(&name)?;
        let prefix = format!("{parameter}.");
        let values = schema.parameters.iter().flatten().filter_map(|(key, value)| {
            let symbol = key.strip_prefix(&prefix)?;
            Some((symbol.to_owned(), value.parse().ok()?))
        });
        let mut values: Vec<(String, i32)> = values.collect();
        values.iter().try_for_each(|(symbol, _)| check_name(symbol))?;
        // The first one of proto3 is zero.
        values.sort_by_key(|(_, number)| (*number != 0, 0));
        if values.first().is_none_or(|(_, number)| *number != 0) {
            return Err(unsupported(format!("The enumeration {name} has no symbol of number 0")));
        }
        if !message.enums.iter().any(|known| known.name == name) {
            message.enums.push(Enum {
                name: name.clone(),
                values: values.clone(),
            });
        }
        let plan = match plain {
            Plan::String => Plan::Enum(values),
            number => number,
        };
        Ok((name, plan))
    }

    fn structure(
        &mut self,
        message: &mut Message,
        schema: &Schema,
        field: &str,
        depth: usize,
    ) -> Result<(String, Plan), ConvertError> {
        let mut name = self.simple(schema.name.as_deref());
        if name == field {
            name.push_str("Message");
        }
        let (inner, fields) = self.message(name.clone(), schema, depth + 1)?;
        if !message.messages.iter().any(|known| known.name == name) {
            message.messages.push(inner);
        }
        Ok((name, Plan::Message(fields)))
    }
}

/// Numbers of fields: those that the schema says, else one after the other.
struct Numbers {
    taken: HashSet<i32>,
    next: i32,
}

impl Numbers {
    fn new(schema: &Schema) -> Self {
        let inner = |field: &caisson_api::schema::Field| field.schema.clone();
        let all = schema.fields().iter().map(inner).flat_map(|schema| {
            let of_union = if is_union(&schema) { schema.fields() } else { &[] };
            let mut all: Vec<_> = of_union.iter().map(inner).collect();
            all.push(schema);
            all
        });
        Numbers {
            taken: all.filter_map(|schema| said(&schema)).collect(),
            next: 1,
        }
    }

    fn next(&mut self, schema: &Schema) -> i32 {
        if let Some(said) = said(schema) {
            return said;
        }
        // Protobuf keeps these for itself.
        while self.taken.contains(&self.next) || (19_000..20_000).contains(&self.next) {
            self.next += 1;
        }
        self.next += 1;
        self.next - 1
    }
}

fn said(schema: &Schema) -> Option<i32> {
    let number = schema.parameter(options::TAG)?.parse().ok()?;
    ((1..=536_870_911).contains(&number) && !(19_000..20_000).contains(&number)).then_some(number)
}

fn number(schema: &Schema, usual: &str) -> Result<(String, Plan), ConvertError> {
    let word = schema.parameter(options::TYPE).unwrap_or(usual);
    match number_of(word) {
        Some(plan) => Ok((word.to_owned(), plan)),
        None => Err(ConvertError::data(format!("{word} is no type of numbers"))),
    }
}

fn number_of(word: &str) -> Option<Plan> {
    Some(match word {
        "int32" => Plan::Int32,
        "int64" => Plan::Int64,
        "uint32" => Plan::UInt32,
        "uint64" => Plan::UInt64,
        "sint32" | "sint64" => Plan::Zigzag,
        "fixed32" | "sfixed32" => Plan::Fixed32,
        "fixed64" | "sfixed64" => Plan::Fixed64,
        _ => return None,
    })
}

/// A letter or an underscore, then digits, too.
fn check_name(name: &str) -> Result<(), ConvertError> {
    let good = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if good {
        return Ok(());
    }
    Err(ConvertError::new(
        Class::Foreign("com.google.protobuf.Descriptors$DescriptorValidationException"),
        format!("\"{name}\" is not a valid identifier."),
    ))
}

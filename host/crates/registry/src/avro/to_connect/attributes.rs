//! What the attributes of an Avro type, and the way it is used, add to the schema of Kafka Connect.

use caisson_api::schema::{DATE, DECIMAL, Schema, TIME, TIMESTAMP};
use caisson_convert::ConvertError;
use serde_json::Value as Json;

use super::super::default;
use super::super::names;
use super::super::schema::{Kind, Node, NodeId};
use super::{Use, Walk};

impl Walk<'_> {
    /// Adds what attributes and use say.
    pub(super) fn describe(
        &mut self,
        id: NodeId,
        node: &Node,
        schema: &mut Schema,
        used: &Use<'_>,
    ) -> Result<(), ConvertError> {
        self.document(node, schema, used);
        version(node, schema, used.version)?;
        if self.options.connect_meta_data
            && let Some(parameters) = node.properties.get(names::PARAMETERS)
        {
            let Json::Object(parameters) = parameters else {
                return Err(ConvertError::data(format!(
                    "Expected JSON object for schema parameters but found: {parameters}"
                )));
            };
            for (key, value) in parameters {
                let Json::String(value) = value else {
                    return Err(ConvertError::data(format!(
                        "Expected schema parameter values to be strings but found: {}",
                        plain(value)
                    )));
                };
                put(schema, key, value);
            }
        }
        for (key, value) in node.properties.iter().filter(|(key, _)| key.starts_with("avro")) {
            put(schema, key, &plain(value));
        }
        self.default(id, node, schema, used);
        name(node, schema)?;
        schema.optional |= used.optional;
        Ok(())
    }

    fn document(&self, node: &Node, schema: &mut Schema, used: &Use<'_>) {
        let own = match &node.kind {
            Kind::Record(record) => record.doc.as_deref(),
            Kind::Enum(values) => values.doc.as_deref(),
            _ => None,
        };
        if self.options.discard_type_doc_default {
            let doc = used.doc.or(own).or_else(|| node.text(names::DOC));
            schema.doc = doc.map(str::to_owned);
            if let Some(doc) = own.filter(|_| self.options.connect_meta_data) {
                put(schema, names::TYPE_RECORD_DOC, doc);
            }
        } else if self.options.connect_meta_data {
            schema.doc = node.text(names::DOC).map(str::to_owned);
        }
    }

    /// The default of the field, else that which Kafka Connect had. One that does not fit is left out.
    fn default(&mut self, id: NodeId, node: &Node, schema: &mut Schema, used: &Use<'_>) {
        let own = node.properties.get(names::DEFAULT);
        if used.default.is_some()
            && own.is_none()
            && self.options.connect_meta_data
            && !self.options.discard_type_doc_default
        {
            put(schema, names::FIELD_DEFAULT, "true");
        }
        let Some(json) = used.default.or(own) else {
            return;
        };
        // The name decides about logical types, and is set last.
        match default::read(self.schema, id, schema, json) {
            Some(value) if !value.is_null() && schema.validate(&value).is_ok() => schema.default = Some(value),
            Some(_) | None => tracing::debug!(schema = node.kind.full_name(), "a default that does not fit is ignored"),
        }
    }
}

fn version(node: &Node, schema: &mut Schema, of_subject: Option<i32>) -> Result<(), ConvertError> {
    match node.properties.get(names::VERSION) {
        Some(given) => {
            let Some(version) = given.as_i64().and_then(|version| i32::try_from(version).ok()) else {
                return Err(ConvertError::data(format!(
                    "Invalid Connect version found: {}",
                    plain(given)
                )));
            };
            match schema.version {
                Some(set) if set != version => Err(ConvertError::data(format!(
                    "Mismatched versions: version already added to SchemaBuilder ({set}) differs from version in source \
                     schema ({version})"
                ))),
                _ => {
                    schema.version = Some(version).filter(|version| *version >= 0).or(schema.version);
                    Ok(())
                }
            }
        }
        // A logical type has a version of its own.
        None => {
            schema.version = schema.version.or(of_subject);
            Ok(())
        }
    }
}

fn name(node: &Node, schema: &mut Schema) -> Result<(), ConvertError> {
    let name = match node.properties.get(names::NAME) {
        Some(Json::String(name)) => name.clone(),
        Some(other) => return Err(ConvertError::data(format!("Invalid schema name: {}", plain(other)))),
        // A decimal on a fixed type is called a decimal.
        None if is_logical_name(schema.name.as_deref()) => return Ok(()),
        None => match node.kind.own_name() {
            Some(name) => name.full(),
            None => return Ok(()),
        },
    };
    if name.starts_with(names::DEFAULT_FULL_NAME) {
        return Ok(());
    }
    match &schema.name {
        Some(set) if *set != name => Err(ConvertError::data(format!(
            "Mismatched names: name already added to SchemaBuilder ({set}) differs from name in source schema ({name})"
        ))),
        _ => {
            schema.name = Some(name);
            Ok(())
        }
    }
}

/// As Java prints it: text without quotes.
fn plain(json: &Json) -> String {
    json.as_str().map_or_else(|| json.to_string(), str::to_owned)
}

fn is_logical_name(name: Option<&str>) -> bool {
    matches!(name, Some(DECIMAL | DATE | TIME | TIMESTAMP))
}

pub(super) fn put(schema: &mut Schema, name: &str, value: &str) {
    let parameters = schema.parameters.get_or_insert_default();
    match parameters.iter_mut().find(|(known, _)| known == name) {
        Some((_, old)) => value.clone_into(old),
        None => parameters.push((name.to_owned(), value.to_owned())),
    }
}

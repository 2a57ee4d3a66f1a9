//! From a JSON Schema to the schema that Kafka Connect's records get.

use caisson_api::schema::{Field, Kind, Schema};
use caisson_convert::{Class, ConvertError, tree};
use serde_json::{Map, Value as Json};

use super::decode;
use super::options::{self, JsonSchemaOptions};

/// Schemas that one schema may become: definitions that are used twice are there twice.
const MAX_SCHEMAS: usize = 100_000;
/// As deep as values can be nested on their way through the worker, with `$ref` and `oneOf` between.
const MAX_DEPTH: usize = caisson_api::typed::MAX_DEPTH * 4;

/// A schema, with those that it refers to by name.
pub struct Documents {
    pub main: Json,
    pub others: Vec<(String, Json)>,
}

type Object = Map<String, Json>;

/// The schema; version is that of the subject.
pub fn convert(
    options: &JsonSchemaOptions,
    documents: &Documents,
    version: Option<i32>,
) -> Result<Schema, ConvertError> {
    let mut walk = Walk {
        options,
        documents,
        open: Vec::new(),
        unions: 0,
        left: MAX_SCHEMAS,
    };
    let used = Use {
        optional: false,
        version,
    };
    walk.schema(&documents.main, &documents.main, used)
}

#[derive(Clone, Copy)]
struct Use {
    optional: bool,
    version: Option<i32>,
}

const PLAIN: Use = Use {
    optional: false,
    version: None,
};

struct Walk<'a> {
    options: &'a JsonSchemaOptions,
    documents: &'a Documents,
    /// Addresses of the schemas within which we are.
    open: Vec<*const Json>,
    unions: usize,
    left: usize,
}

fn unsupported<T>(message: impl Into<String>) -> Result<T, ConvertError> {
    Err(ConvertError::data(message))
}

impl<'a> Walk<'a> {
    /// `root` is the document in which references are looked up.
    fn schema(&mut self, root: &'a Json, json: &'a Json, used: Use) -> Result<Schema, ConvertError> {
        let Some(left) = self.left.checked_sub(1) else {
            return unsupported(format!("The JSON Schema stands for more than {MAX_SCHEMAS} schemas"));
        };
        self.left = left;
        if self.open.contains(&std::ptr::from_ref(json)) {
            return unsupported("The JSON Schema contains itself, which schemas of this worker cannot");
        }
        if self.open.len() >= MAX_DEPTH {
            return unsupported("The JSON Schema is nested too deep");
        }
        let Json::Object(object) = json else {
            return unsupported(format!("Unsupported schema type {json}"));
        };
        self.open.push(json);
        let schema = self.object(root, object, used);
        self.open.pop();
        schema
    }

    fn object(&mut self, root: &'a Json, object: &'a Object, used: Use) -> Result<Schema, ConvertError> {
        if let Some(Json::String(reference)) = object.get("$ref") {
            let (root, target) = self.resolve(root, reference)?;
            return self.schema(root, target, used);
        }
        if let Some(Json::Array(all)) = object.get("allOf") {
            return self.all_of(root, object, all, used);
        }
        for key in ["oneOf", "anyOf"] {
            if let Some(Json::Array(branches)) = object.get(key) {
                return self.union(root, object, branches, used);
            }
        }
        let types = match object.get("type") {
            Some(Json::Array(types)) => types.iter().filter_map(Json::as_str).collect(),
            Some(Json::String(one)) => vec![one.as_str()],
            _ => Vec::new(),
        };
        let others: Vec<&str> = types.iter().copied().filter(|one| *one != "null").collect();
        let nullable = others.len() < types.len();
        let kind = match others.as_slice() {
            [one] => one,
            [] if nullable => return unsupported("Unsupported schema type null"),
            [] if object.contains_key("properties") => "object",
            [] if object.contains_key("items") => "array",
            [] if object.contains_key("enum") => "string",
            [] => return unsupported(format!("Unsupported schema type {}", Json::Object(object.clone()))),
            _ => return self.union_of_types(root, object, &others, nullable, used),
        };
        let schema = self.typed(root, object, kind)?;
        self.describe(object, schema, used, nullable)
    }

    fn typed(&mut self, root: &'a Json, object: &'a Object, kind: &str) -> Result<Schema, ConvertError> {
        let connect = object.get(options::TYPE).and_then(Json::as_str);
        Ok(match kind {
            "boolean" => Schema::new(Kind::Boolean),
            "integer" | "number" => Schema::new(match connect {
                None if kind == "integer" => Kind::Int64,
                None => Kind::Float64,
                Some("int8") => Kind::Int8,
                Some("int16") => Kind::Int16,
                Some("int32") => Kind::Int32,
                Some("int64") => Kind::Int64,
                Some("float32") => Kind::Float32,
                Some("float64") => Kind::Float64,
                Some("bytes") => Kind::Bytes,
                Some(other) => {
                    let class = Class::Foreign("java.lang.IllegalArgumentException");
                    return Err(ConvertError::new(class, format!("Unsupported type {other}")));
                }
            }),
            "string" if connect == Some("bytes") => Schema::new(Kind::Bytes),
            "string" => self.text(object),
            "array" => self.array(root, object, connect)?,
            "object" => self.structure(root, object, connect)?,
            other => return unsupported(format!("Unsupported schema type {other}")),
        })
    }

    /// Text, perhaps one of few.
    fn text(&self, object: &Object) -> Schema {
        let mut schema = Schema::new(Kind::String);
        if let Some(Json::Array(values)) = object.get("enum") {
            let parameter = self.options.enum_parameter();
            put(&mut schema, parameter, "");
            for (index, value) in values.iter().enumerate() {
                let symbol = match value {
                    Json::Null => options::NULL_MARKER.to_owned(),
                    Json::String(text) => text.clone(),
                    other => other.to_string(),
                };
                let value = match self.options.generalized_sum_types {
                    true => index.to_string(),
                    false => symbol.clone(),
                };
                put(&mut schema, &format!("{parameter}.{symbol}"), &value);
            }
        }
        schema
    }

    fn array(&mut self, root: &'a Json, object: &'a Object, connect: Option<&str>) -> Result<Schema, ConvertError> {
        let Some(items @ Json::Object(inner)) = object.get("items") else {
            return unsupported("Array schema did not specify the items type");
        };
        if connect == Some("map")
            && let Some(Json::Object(properties)) = inner.get("properties")
            && let (Some(key), Some(value)) = (properties.get(options::KEY), properties.get(options::VALUE))
        {
            let (key, value) = (self.schema(root, key, PLAIN)?, self.schema(root, value, PLAIN)?);
            return Ok(Schema::new(Kind::Map(key.into(), value.into())));
        }
        let items = self.schema(root, items, PLAIN)?;
        Ok(Schema::new(Kind::Array(items.into())))
    }

    fn structure(&mut self, root: &'a Json, object: &'a Object, connect: Option<&str>) -> Result<Schema, ConvertError> {
        if connect == Some("map") {
            let Some(values) = object.get("additionalProperties") else {
                return unsupported("Map schema did not specify the type of its values");
            };
            let values = self.schema(root, values, PLAIN)?;
            let key = Schema::new(Kind::String);
            return Ok(Schema::new(Kind::Map(key.into(), values.into())));
        }
        let mut fields = Vec::new();
        self.properties(root, object, &mut fields)?;
        Ok(Schema::new(Kind::Struct(fields)))
    }

    /// Adds the properties as fields, by the place that Kafka Connect gave them.
    fn properties(&mut self, root: &'a Json, object: &'a Object, fields: &mut Vec<Field>) -> Result<(), ConvertError> {
        let Some(Json::Object(properties)) = object.get("properties") else {
            return Ok(());
        };
        let required = |name: &str| match object.get("required") {
            Some(Json::Array(names)) => names.iter().any(|known| known == name),
            _ => false,
        };
        let mut ordered: Vec<(i64, &String, &Json)> = properties
            .iter()
            .enumerate()
            .map(|(place, (name, json))| {
                let index = json.get(options::INDEX).and_then(Json::as_i64);
                (index.unwrap_or(place as i64), name, json)
            })
            .collect();
        ordered.sort_by_key(|(index, ..)| *index);
        for (_, name, json) in ordered {
            let used = Use {
                optional: self.options.optional_for_nonrequired && !required(name),
                version: None,
            };
            let schema = self.schema(root, json, used)?.into();
            match fields.iter_mut().find(|field| field.name == *name) {
                Some(field) => field.schema = schema,
                None => fields.push(Field {
                    name: name.clone(),
                    schema,
                }),
            }
        }
        Ok(())
    }

    fn union(
        &mut self,
        root: &'a Json,
        object: &'a Object,
        branches: &'a [Json],
        used: Use,
    ) -> Result<Schema, ConvertError> {
        let is_null = |json: &&Json| json.get("type").is_some_and(|kind| kind == "null");
        let others: Vec<&Json> = branches.iter().filter(|json| !is_null(json)).collect();
        let nullable = others.len() < branches.len();
        if let (true, [only]) = (branches.len() == 2 && nullable, others.as_slice()) {
            let used = Use { optional: true, ..used };
            return self.schema(root, only, used);
        }
        let mut schema = self.begin_union();
        let mut fields = Vec::new();
        let inner = Use {
            optional: true,
            version: None,
        };
        for (index, branch) in others.into_iter().enumerate() {
            fields.push(Field {
                name: self.branch_name(index),
                schema: self.schema(root, branch, inner)?.into(),
            });
        }
        schema.kind = Kind::Struct(fields);
        self.describe(object, schema, used, nullable)
    }

    /// `"type": ["string", "integer"]`
    fn union_of_types(
        &mut self,
        root: &'a Json,
        object: &'a Object,
        types: &[&str],
        nullable: bool,
        used: Use,
    ) -> Result<Schema, ConvertError> {
        let mut schema = self.begin_union();
        let mut fields = Vec::new();
        for (index, kind) in types.iter().enumerate() {
            fields.push(Field {
                name: self.branch_name(index),
                schema: self.typed(root, object, kind)?.into_optional().into(),
            });
        }
        schema.kind = Kind::Struct(fields);
        self.describe(object, schema, used, nullable)
    }

    fn begin_union(&mut self) -> Schema {
        let mut schema = Schema::new(Kind::Struct(Vec::new()));
        if self.options.generalized_sum_types {
            let name = format!("{}{}", options::GENERAL_UNION_PREFIX, self.unions);
            self.unions += 1;
            put(&mut schema, options::GENERAL_UNION, &name);
            schema.name = Some(name);
        } else {
            schema.name = Some(options::ONE_OF.to_owned());
        }
        schema
    }

    fn branch_name(&self, index: usize) -> String {
        match self.options.generalized_sum_types {
            true => format!("{}{index}", options::GENERAL_FIELD_PREFIX),
            false => format!("{}.field.{index}", options::ONE_OF),
        }
    }

    /// The properties of all together, or the one part that says a type.
    fn all_of(
        &mut self,
        root: &'a Json,
        object: &'a Object,
        all: &'a [Json],
        used: Use,
    ) -> Result<Schema, ConvertError> {
        let mut fields = Vec::new();
        for part in all {
            let (root, part) = self.follow(root, part)?;
            if let Json::Object(part) = part {
                self.properties(root, part, &mut fields)?;
            }
        }
        self.properties(root, object, &mut fields)?;
        if !fields.is_empty() {
            return self.describe(object, Schema::new(Kind::Struct(fields)), used, false);
        }
        let says = |part: &&Json| {
            ["type", "$ref", "oneOf", "anyOf", "enum"]
                .iter()
                .any(|key| part.get(key).is_some())
        };
        match all.iter().find(says) {
            Some(part) => self.schema(root, part, used),
            None => unsupported("Unsupported criterion allOf"),
        }
    }

    /// What a schema is once its references are followed.
    fn follow(&self, mut root: &'a Json, mut json: &'a Json) -> Result<(&'a Json, &'a Json), ConvertError> {
        for _ in 0..MAX_DEPTH {
            let Some(Json::String(reference)) = json.get("$ref") else {
                return Ok((root, json));
            };
            (root, json) = self.resolve(root, reference)?;
        }
        unsupported("References of the JSON Schema go in a circle")
    }

    fn resolve(&self, root: &'a Json, reference: &str) -> Result<(&'a Json, &'a Json), ConvertError> {
        let (name, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let known = |name: &str| {
            let others = &self.documents.others;
            let found = others.iter().find(|(known, json)| {
                known == name || json.get("$id").is_some_and(|id| id == name) || known.rsplit('/').next() == Some(name)
            });
            found.map(|(_, json)| json)
        };
        let root = match name {
            "" => Some(root),
            name if root.get("$id").is_some_and(|id| id == name) => Some(root),
            name => known(name),
        };
        let target = root.and_then(|root| Some((root, root.pointer(pointer)?)));
        target.ok_or_else(|| ConvertError::data(format!("The JSON Schema refers to {reference}, which is not there")))
    }

    /// Adds name, version, documentation, parameters and default.
    fn describe(
        &mut self,
        object: &Object,
        mut schema: Schema,
        used: Use,
        nullable: bool,
    ) -> Result<Schema, ConvertError> {
        let text = |key: &str| object.get(key).and_then(Json::as_str).map(str::to_owned);
        schema.name = schema.name.or_else(|| text("title"));
        let version = object.get(options::VERSION).and_then(Json::as_i64);
        schema.version = version.and_then(|version| i32::try_from(version).ok()).or(used.version);
        schema.doc = text("description");
        if let Some(Json::Object(parameters)) = object.get(options::PARAMETERS) {
            for (key, value) in parameters {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                put(&mut schema, key, &value);
            }
        }
        schema.optional |= nullable;
        if let Some(default) = object.get("default").filter(|default| !default.is_null()) {
            let text = default.to_string();
            let value = tree::with_tree(text.as_bytes(), |node| decode::read(&schema, node))??;
            schema.validate(&value)?;
            schema.default = Some(value);
        }
        schema.optional |= used.optional;
        Ok(schema)
    }
}

fn put(schema: &mut Schema, name: &str, value: &str) {
    let parameters = schema.parameters.get_or_insert_default();
    match parameters.iter_mut().find(|(known, _)| known == name) {
        Some((_, old)) => value.clone_into(old),
        None => parameters.push((name.to_owned(), value.to_owned())),
    }
}

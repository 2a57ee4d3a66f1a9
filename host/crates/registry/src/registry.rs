//! What converters ask of a schema registry (Confluent's REST interface), and nothing of HTTP.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::client::{Client, segment};
use crate::error::Error;
use crate::wire::SchemaId;

/// Schemas that one schema may need, directly or not.
const MAX_REFERENCES: usize = 1000;

/// The format of a schema, as the registry calls it; Avro need not be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SchemaType {
    #[serde(rename = "AVRO")]
    Avro,
    #[serde(rename = "PROTOBUF")]
    Protobuf,
    #[serde(rename = "JSON")]
    Json,
}

/// Another schema that a schema needs: what it calls it, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    pub name: String,
    pub subject: String,
    pub version: i32,
}

/// A schema as it stands in the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaText {
    pub kind: SchemaType,
    pub text: String,
    pub references: Vec<Reference>,
}

/// A schema of a subject.
#[derive(Clone, Debug)]
pub struct Registered {
    pub id: i32,
    pub version: i32,
    pub schema: SchemaText,
}

/// A schema with everything that it needs.
#[derive(Clone, Debug)]
pub struct Resolved {
    pub schema: SchemaText,
    /// Names and texts; one that needs another comes after it.
    pub references: Vec<(String, String)>,
}

/// A registry.
pub struct Registry {
    client: Client,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    schema: &'a str,
    #[serde(skip_serializing_if = "is_avro")]
    schema_type: SchemaType,
    #[serde(skip_serializing_if = "<[Reference]>::is_empty")]
    references: &'a [Reference],
}

/// With `serde`, a function that takes a reference is what is asked for.
fn is_avro(kind: &SchemaType) -> bool {
    *kind == SchemaType::Avro
}

#[derive(Deserialize)]
struct Id {
    id: i32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    id: i32,
    #[serde(default)]
    version: i32,
    #[serde(default)]
    schema_type: Option<SchemaType>,
    #[serde(default)]
    references: Option<Vec<Reference>>,
    schema: String,
}

impl Answer {
    fn text(self) -> SchemaText {
        SchemaText {
            kind: self.schema_type.unwrap_or(SchemaType::Avro),
            text: self.schema,
            references: self.references.unwrap_or_default(),
        }
    }
}

impl From<Answer> for Registered {
    fn from(answer: Answer) -> Self {
        Registered {
            id: answer.id,
            version: answer.version,
            schema: answer.text(),
        }
    }
}

impl Registry {
    pub fn new(client: Client) -> Self {
        Registry { client }
    }

    /// The schema of an id; the subject, if it is known, says in which context ids count.
    pub fn schema(&self, id: SchemaId, subject: Option<&str>) -> Result<SchemaText, Error> {
        let path = match id {
            SchemaId::Number(id) => format!("/schemas/ids/{id}?fetchMaxId=false"),
            SchemaId::Guid(_) => format!("/schemas/guids/{id}?format="),
        };
        let path = match subject {
            Some(subject) => format!("{path}&subject={}", segment(subject)),
            None => path,
        };
        self.client.get::<Answer>(&path).map(Answer::text)
    }

    /// Registers a schema, or finds it registered, and returns its id.
    pub fn register(&self, subject: &str, schema: &SchemaText, normalize: bool) -> Result<i32, Error> {
        let path = format!("/subjects/{}/versions?normalize={normalize}", segment(subject));
        self.client.post::<Id>(&path, &request(schema)).map(|answer| answer.id)
    }

    /// Finds a schema under a subject; `deleted` finds one that was deleted, too.
    pub fn look_up(
        &self,
        subject: &str,
        schema: &SchemaText,
        normalize: bool,
        deleted: bool,
    ) -> Result<Registered, Error> {
        let path = format!("/subjects/{}?normalize={normalize}&deleted={deleted}", segment(subject));
        self.client.post::<Answer>(&path, &request(schema)).map(Into::into)
    }

    pub fn latest(&self, subject: &str) -> Result<Registered, Error> {
        let path = format!("/subjects/{}/versions/latest", segment(subject));
        self.client.get::<Answer>(&path).map(Into::into)
    }

    /// The newest schema of a subject that has all of this metadata.
    pub fn latest_with(&self, subject: &str, metadata: &[(String, String)]) -> Result<Registered, Error> {
        let pairs: Vec<String> = metadata
            .iter()
            .map(|(key, value)| format!("key={}&value={}", segment(key), segment(value)))
            .collect();
        let path = format!(
            "/subjects/{}/metadata?{}&deleted=true",
            segment(subject),
            pairs.join("&")
        );
        self.client.get::<Answer>(&path).map(Into::into)
    }

    fn version(&self, subject: &str, version: i32) -> Result<SchemaText, Error> {
        let path = format!("/subjects/{}/versions/{version}?deleted=true", segment(subject));
        self.client.get::<Answer>(&path).map(Answer::text)
    }

    /// Fetches what a schema needs.
    pub fn resolve(&self, schema: SchemaText) -> Result<Resolved, Error> {
        let mut walk = Walk {
            registry: self,
            seen: HashSet::new(),
            found: Vec::new(),
        };
        walk.visit(&schema, 0)?;
        Ok(Resolved {
            schema,
            references: walk.found,
        })
    }
}

/// A walk over references, those first that others need.
struct Walk<'a> {
    registry: &'a Registry,
    seen: HashSet<String>,
    found: Vec<(String, String)>,
}

impl Walk<'_> {
    fn visit(&mut self, schema: &SchemaText, depth: usize) -> Result<(), Error> {
        for reference in &schema.references {
            if self.seen.len() >= MAX_REFERENCES || depth >= MAX_REFERENCES / 10 {
                return Err(Error::Answer {
                    url: reference.subject.clone(),
                    reason: format!("a schema needs more than {MAX_REFERENCES} others"),
                });
            }
            // One that was seen is known already, or, in a circle, cannot be known before.
            if self.seen.insert(reference.name.clone()) {
                let needed = self.registry.version(&reference.subject, reference.version)?;
                self.visit(&needed, depth + 1)?;
                self.found.push((reference.name.clone(), needed.text));
            }
        }
        Ok(())
    }
}

fn request(schema: &SchemaText) -> Request<'_> {
    Request {
        schema: &schema.text,
        schema_type: schema.kind,
        references: &schema.references,
    }
}

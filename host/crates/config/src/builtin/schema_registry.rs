//! Keys of the converters that keep their schemas in a schema registry, as Confluent's classes of these names have
//! them: what they share, and what each has of its own.

use caisson_api::config::Importance::{High, Low, Medium};
use caisson_api::config::Type;

use crate::definition::Default::{Null, Required, Text};
use crate::definition::{Check, Definition, Line, definitions, line};
use crate::tables::security;

/// What the keys of the registry's client may have in front, too.
pub const CLIENT_PREFIX: &str = "schema.registry.";

/// One of the converters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaRegistryConverter {
    Avro,
    Protobuf,
    JsonSchema,
}

impl SchemaRegistryConverter {
    pub const ALL: [SchemaRegistryConverter; 3] = [
        SchemaRegistryConverter::Avro,
        SchemaRegistryConverter::Protobuf,
        SchemaRegistryConverter::JsonSchema,
    ];

    /// The full name of the class.
    pub fn class(self) -> &'static str {
        match self {
            SchemaRegistryConverter::Avro => "io.confluent.connect.avro.AvroConverter",
            SchemaRegistryConverter::Protobuf => "io.confluent.connect.protobuf.ProtobufConverter",
            SchemaRegistryConverter::JsonSchema => "io.confluent.connect.json.JsonSchemaConverter",
        }
    }

    /// All keys, the common ones first.
    pub fn definitions(self) -> Vec<Definition> {
        let own = match self {
            SchemaRegistryConverter::Avro => AVRO,
            SchemaRegistryConverter::Protobuf => PROTOBUF,
            SchemaRegistryConverter::JsonSchema => JSON_SCHEMA,
        };
        let tls = security::SSL.iter().map(|line| {
            let mut definition = line.definition();
            definition.key.name = format!("{CLIENT_PREFIX}{}", definition.key.name);
            definition.key.display = definition.key.name.clone();
            definition
        });
        definitions(REGISTRY)
            .into_iter()
            .chain(tls)
            .chain(definitions(MAPPING))
            .chain(definitions(own))
            .collect()
    }
}

const BOTH_SUBJECTS: &str = "How subjects are named: io.confluent.kafka.serializers.subject.TopicNameStrategy, \
     RecordNameStrategy or TopicRecordNameStrategy of the same package.";

/// The registry and what is asked of it.
static REGISTRY: &[Line] = &[
    line(
        "schema.registry.url",
        Type::List,
        Required,
        High,
        "Addresses of the registry, separated by commas; if one fails the next is asked.",
    ),
    line(
        "max.schemas.per.subject",
        Type::Int,
        Text("1000"),
        Low,
        "Schemas of the registry to remember.",
    ),
    line(
        "normalize.schemas",
        Type::Boolean,
        Text("false"),
        Medium,
        "Whether the registry compares schemas without regard to order where order means nothing.",
    ),
    line(
        "auto.register.schemas",
        Type::Boolean,
        Text("true"),
        Medium,
        "Whether the schemas of what is written are registered.",
    ),
    line(
        "use.schema.id",
        Type::Int,
        Text("-1"),
        Low,
        "Id of the schema to write with, if schemas are not registered.",
    ),
    line(
        "id.compatibility.strict",
        Type::Boolean,
        Text("true"),
        Low,
        "Whether the schema of use.schema.id has to be able to read what the value's own schema writes.",
    ),
    line(
        "use.latest.version",
        Type::Boolean,
        Text("false"),
        Low,
        "Whether to write with the newest schema of the subject, if schemas are not registered.",
    ),
    line(
        "latest.compatibility.strict",
        Type::Boolean,
        Text("true"),
        Low,
        "Whether the newest schema has to be able to read what the value's own schema writes.",
    ),
    line(
        "use.latest.with.metadata",
        Type::String,
        Null,
        Low,
        "Write with the newest schema that has this metadata, such as application.version=v1.",
    ),
    line(
        "latest.cache.ttl.sec",
        Type::Int,
        Text("-1"),
        Low,
        "Seconds after which the newest schema is asked for again; -1 for never.",
    ),
    line(
        "key.subject.name.strategy",
        Type::Class,
        Text("io.confluent.kafka.serializers.subject.TopicNameStrategy"),
        Medium,
        BOTH_SUBJECTS,
    ),
    line(
        "value.subject.name.strategy",
        Type::Class,
        Text("io.confluent.kafka.serializers.subject.TopicNameStrategy"),
        Medium,
        BOTH_SUBJECTS,
    ),
    line(
        "basic.auth.credentials.source",
        Type::String,
        Text("URL"),
        Medium,
        "Where user and password come from: URL, USER_INFO (basic.auth.user.info) or SASL_INHERIT (sasl.jaas.config).",
    ),
    line(
        "basic.auth.user.info",
        Type::Password,
        Text(""),
        Medium,
        "User and password, separated by a colon.",
    ),
    line(
        "sasl.jaas.config",
        Type::Password,
        Null,
        Low,
        "Login module with username and password, for the source SASL_INHERIT.",
    ),
    line(
        "bearer.auth.credentials.source",
        Type::String,
        Text("STATIC_TOKEN"),
        Medium,
        "Where the bearer token comes from: STATIC_TOKEN (bearer.auth.token) or OAUTHBEARER (an identity provider). \
         Tokens are used only if this key is given.",
    ),
    line(
        "bearer.auth.token",
        Type::Password,
        Text(""),
        Medium,
        "The bearer token of the source STATIC_TOKEN.",
    ),
    line(
        "bearer.auth.issuer.endpoint.url",
        Type::String,
        Null,
        Medium,
        "Address at which the identity provider gives tokens for client credentials (RFC 6749, section 4.4).",
    ),
    line(
        "bearer.auth.client.id",
        Type::String,
        Null,
        Medium,
        "Client's name at the identity provider.",
    ),
    line(
        "bearer.auth.client.secret",
        Type::Password,
        Null,
        Medium,
        "Client's secret at the identity provider.",
    ),
    line(
        "bearer.auth.scope",
        Type::String,
        Null,
        Medium,
        "Scope to ask the identity provider for.",
    ),
    line(
        "bearer.auth.logical.cluster",
        Type::String,
        Null,
        Medium,
        "Sent along with a token in the header target-sr-cluster.",
    ),
    line(
        "bearer.auth.identity.pool.id",
        Type::String,
        Null,
        Medium,
        "Sent along with a token in the header Confluent-Identity-Pool-Id.",
    ),
    line(
        "bearer.auth.cache.expiry.buffer.seconds",
        Type::Short,
        Text("300"),
        Low,
        "Seconds before its end at which a token of the identity provider is replaced.",
    )
    .check(Check::Between(0, 3600)),
    line(
        "proxy.host",
        Type::String,
        Text(""),
        Low,
        "HTTP proxy between this worker and the registry.",
    ),
    line("proxy.port", Type::Int, Text("-1"), Low, "Port of the proxy."),
    line(
        "http.connect.timeout.ms",
        Type::Int,
        Text("60000"),
        Low,
        "Longest time that connecting may take.",
    ),
    line(
        "http.read.timeout.ms",
        Type::Int,
        Text("60000"),
        Low,
        "Longest time that an answer may take.",
    ),
    line(
        "max.retries",
        Type::Int,
        Text("3"),
        Low,
        "How often a request is repeated that failed for a passing reason.",
    ),
    line(
        "retries.wait.ms",
        Type::Int,
        Text("1000"),
        Low,
        "Longest wait before the first repetition; each next one may take twice as long.",
    ),
    line(
        "retries.max.wait.ms",
        Type::Int,
        Text("20000"),
        Low,
        "Longest wait before any repetition.",
    ),
];

/// How schemas become those of Kafka Connect, and back.
static MAPPING: &[Line] = &[
    line(
        "generalized.sum.type.support",
        Type::Boolean,
        Text("false"),
        Medium,
        "Whether enumerations and unions are marked in the same way for all formats.",
    ),
    line(
        "ignore.default.for.nullables",
        Type::Boolean,
        Text("false"),
        Medium,
        "Whether a null stays null where its schema has a default.",
    ),
    line(
        "schemas.cache.config",
        Type::Int,
        Text("1000"),
        Low,
        "Converted schemas to remember.",
    ),
    line(
        "scrub.invalid.names",
        Type::Boolean,
        Text("false"),
        Medium,
        "Whether characters that the format does not allow in names are replaced.",
    ),
];

static AVRO: &[Line] = &[
    line(
        "enhanced.avro.schema.support",
        Type::Boolean,
        Text("false"),
        Medium,
        "Whether enumerations are written as such, and branches of unions are called by their full names.",
    ),
    line(
        "connect.meta.data",
        Type::Boolean,
        Text("true"),
        Low,
        "Whether what Avro has no place for is kept in properties of the schema (connect.name, connect.version, ...).",
    ),
    line(
        "discard.type.doc.default",
        Type::Boolean,
        Text("false"),
        Low,
        "Whether of documentation and defaults only those of fields are kept.",
    ),
    line(
        "allow.optional.map.keys",
        Type::Boolean,
        Text("false"),
        Low,
        "Whether a map with optional text keys is written as a map of Avro.",
    ),
    line(
        "flatten.singleton.union",
        Type::Boolean,
        Text("true"),
        Low,
        "Whether a union of one type counts as that type.",
    ),
];

static PROTOBUF: &[Line] = &[
    line(
        "enhanced.protobuf.schema.support",
        Type::Boolean,
        Text("false"),
        Medium,
        "Whether names keep their package.",
    ),
    line(
        "int.for.enums",
        Type::Boolean,
        Text("false"),
        Medium,
        "Whether enumerations become numbers.",
    ),
    line(
        "optional.for.nullables",
        Type::Boolean,
        Text("false"),
        Medium,
        "Whether optional fields are written with the label optional.",
    ),
    line(
        "optional.for.proto2",
        Type::Boolean,
        Text("true"),
        Medium,
        "Whether the label optional means as much in proto2 as it does in proto3.",
    ),
    line(
        "wrapper.for.nullables",
        Type::Boolean,
        Text("false"),
        Medium,
        "Whether optional fields are written as google.protobuf.Int32Value and the like.",
    ),
    line(
        "wrapper.for.raw.primitives",
        Type::Boolean,
        Text("true"),
        Medium,
        "Whether such a message at the top is the value that it wraps.",
    ),
];

static JSON_SCHEMA: &[Line] = &[
    line(
        "object.additional.properties",
        Type::Boolean,
        Text("true"),
        Medium,
        "Whether objects may have properties that the schema does not name.",
    ),
    line(
        "use.optional.for.nonrequired",
        Type::Boolean,
        Text("false"),
        Medium,
        "Whether properties that are not required become optional fields.",
    ),
    line(
        "decimal.format",
        Type::String,
        Text("BASE64"),
        Low,
        "How decimals are written: BASE64 for their bytes, NUMERIC for a JSON number.",
    )
    .check(Check::OneOfIgnoringCase(&["BASE64", "NUMERIC"])),
    line(
        "json.fail.invalid.schema",
        Type::Boolean,
        Text("false"),
        Medium,
        "Accepted as false only: values are not validated against their schemas.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_defined_twice() {
        for converter in SchemaRegistryConverter::ALL {
            let mut names: Vec<_> = converter
                .definitions()
                .into_iter()
                .map(|definition| definition.key.name)
                .collect();
            let all = names.len();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), all, "{converter:?}");
        }
    }
}

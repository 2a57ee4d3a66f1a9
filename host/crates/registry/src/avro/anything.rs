//! The schema that Confluent's converter has for values without a schema: a record of nine fields, of which the one that
//! fits is set.

use super::schema::{AvroSchema, Kind};

/// Its text, as Java's library writes it.
pub const TEXT: &str = concat!(
    r#"{"type":"record","name":"Anything","namespace":"io.confluent.connect.avro","fields":["#,
    r#"{"name":"boolean","type":["null","boolean"],"default":null},"#,
    r#"{"name":"bytes","type":["null","bytes"],"default":null},"#,
    r#"{"name":"double","type":["null","double"],"default":null},"#,
    r#"{"name":"float","type":["null","float"],"default":null},"#,
    r#"{"name":"int","type":["null","int"],"default":null},"#,
    r#"{"name":"long","type":["null","long"],"default":null},"#,
    r#"{"name":"string","type":["null","string"],"default":null},"#,
    r#"{"name":"array","type":["null",{"type":"array","items":"Anything"}],"default":null},"#,
    r#"{"name":"map","type":["null",{"type":"array","items":{"type":"record","name":"MapEntry","fields":["#,
    r#"{"name":"key","type":"Anything"},{"name":"value","type":"Anything"}]}}],"default":null}]}"#,
);

/// Its fields, in order.
pub const FIELDS: [&str; 9] = [
    "boolean", "bytes", "double", "float", "int", "long", "string", "array", "map",
];

/// Whether it is this schema.
pub fn is(schema: &AvroSchema) -> bool {
    match schema.kind(schema.root) {
        Kind::Record(record) => {
            record.name.full() == super::names::ANYTHING
                && record.fields.iter().map(|field| field.name.as_str()).eq(FIELDS)
        }
        _ => false,
    }
}

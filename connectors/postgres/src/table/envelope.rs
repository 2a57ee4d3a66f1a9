//! The schemas around a row: envelope, source, transaction.

use std::sync::{Arc, LazyLock};

use caisson_sdk::api::Value;
use caisson_sdk::api::schema::{Field, Kind, Schema, SchemaRef};

/// The version that records say wrote them: the one whose format this is.
pub const VERSION: &str = "3.5.0.Final";
/// The connector's name in records and headers.
pub const CONNECTOR: &str = "postgresql";

/// Slots of the envelope.
pub mod slot {
    pub const BEFORE: usize = 0;
    pub const AFTER: usize = 1;
    pub const SOURCE: usize = 2;
    pub const TRANSACTION: usize = 3;
    pub const OP: usize = 4;
    pub const TS_MS: usize = 5;
    pub const TS_US: usize = 6;
    pub const TS_NS: usize = 7;
    pub const COUNT: usize = 8;
}

/// A field of a primitive type.
pub fn field(name: &str, schema: Schema) -> Field {
    Field {
        name: name.to_owned(),
        schema: Arc::new(schema),
    }
}

pub fn required(name: &str, kind: Kind) -> Field {
    field(name, Schema::new(kind))
}

pub fn optional(name: &str, kind: Kind) -> Field {
    field(name, Schema::optional(kind))
}

/// A struct with a name and a version.
pub fn named(name: &str, fields: Vec<Field>) -> Schema {
    Schema {
        name: Some(name.to_owned()),
        version: Some(1),
        ..Schema::new(Kind::Struct(fields))
    }
}

/// `source`: where a record comes from.
pub static SOURCE: LazyLock<SchemaRef> = LazyLock::new(|| {
    let snapshot = Schema {
        name: Some("io.debezium.data.Enum".into()),
        version: Some(1),
        parameters: Some(vec![(
            "allowed".into(),
            "true,first,first_in_data_collection,last_in_data_collection,last,false,incremental".into(),
        )]),
        default: Some(Value::from("false")),
        ..Schema::optional(Kind::String)
    };
    Arc::new(named(
        "io.debezium.connector.postgresql.Source",
        vec![
            required("version", Kind::String),
            required("connector", Kind::String),
            required("name", Kind::String),
            required("ts_ms", Kind::Int64),
            field("snapshot", snapshot),
            required("db", Kind::String),
            optional("sequence", Kind::String),
            optional("ts_us", Kind::Int64),
            optional("ts_ns", Kind::Int64),
            required("schema", Kind::String),
            required("table", Kind::String),
            optional("txId", Kind::Int64),
            optional("lsn", Kind::Int64),
            optional("xmin", Kind::Int64),
            optional("origin", Kind::String),
            optional("origin_lsn", Kind::Int64),
        ],
    ))
});

/// `transaction`: the place of a change in its transaction.
pub static TRANSACTION: LazyLock<SchemaRef> = LazyLock::new(|| {
    let block = named(
        "event.block",
        vec![
            required("id", Kind::String),
            required("total_order", Kind::Int64),
            required("data_collection_order", Kind::Int64),
        ],
    );
    Arc::new(block.into_optional())
});

/// The value of a change: the row before and after it, and what is known of it.
pub fn schema(row: SchemaRef, name: String) -> SchemaRef {
    let fields = vec![
        Field {
            name: "before".into(),
            schema: row.clone(),
        },
        Field {
            name: "after".into(),
            schema: row,
        },
        Field {
            name: "source".into(),
            schema: SOURCE.clone(),
        },
        Field {
            name: "transaction".into(),
            schema: TRANSACTION.clone(),
        },
        required("op", Kind::String),
        optional("ts_ms", Kind::Int64),
        optional("ts_us", Kind::Int64),
        optional("ts_ns", Kind::Int64),
    ];
    Arc::new(Schema {
        name: Some(name),
        version: Some(2),
        ..Schema::new(Kind::Struct(fields))
    })
}

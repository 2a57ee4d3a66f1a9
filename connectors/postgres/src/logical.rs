//! Messages of `pg_logical_emit_message`.

use std::sync::{Arc, LazyLock};

use caisson_sdk::api::schema::{Field, Kind, SchemaRef};
use caisson_sdk::api::typed::Blocks;

use crate::emit::{Out, Place, typed, write_place_at};
use crate::error::Result;
use crate::source_info::SourceInfo;
use crate::table::envelope::{self, field, named, optional, required};
use crate::types::codec::encodings;
use crate::types::form::BinaryMode;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogicalMessage {
    pub transactional: bool,
    pub prefix: String,
    pub content: Vec<u8>,
}

static KEY: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(named(
        "io.debezium.connector.postgresql.MessageKey",
        vec![optional("prefix", Kind::String)],
    ))
});

static VALUE_OF_BYTES: LazyLock<SchemaRef> = LazyLock::new(|| value_schema(Kind::Bytes));
static VALUE_OF_TEXT: LazyLock<SchemaRef> = LazyLock::new(|| value_schema(Kind::String));

fn value_schema(content: Kind) -> SchemaRef {
    let message = named(
        "io.debezium.connector.postgresql.Message",
        vec![optional("prefix", Kind::String), optional("content", content)],
    );
    Arc::new(named(
        "io.debezium.connector.postgresql.MessageValue",
        vec![
            required("op", Kind::String),
            optional("ts_ms", Kind::Int64),
            Field {
                name: "source".into(),
                schema: envelope::SOURCE.clone(),
            },
            Field {
                name: "transaction".into(),
                schema: envelope::TRANSACTION.clone(),
            },
            field("message", message),
        ],
    ))
}

impl LogicalMessage {
    /// Writes it to the topic of messages.
    pub fn write(
        &self,
        source: &SourceInfo,
        place: Option<&Place>,
        now: i64,
        offset: &str,
        out: &mut Out<'_>,
    ) -> Result<()> {
        let mut key = Vec::new();
        let mut blocks = Blocks::new(&mut key);
        let block = blocks.block(1).map_err(typed)?;
        blocks.bytes(block, 0, self.prefix.as_bytes()).map_err(typed)?;
        let mut value = Vec::new();
        let mut blocks = Blocks::new(&mut value);
        let block = blocks.block(5).map_err(typed)?;
        blocks.bytes(block, 0, b"m").map_err(typed)?;
        blocks.number(block, 1, now.div_euclid(1000));
        source
            .write(&mut blocks, block, 2, out.emitter.names(), "", "")
            .map_err(typed)?;
        write_place_at(&mut blocks, block, 3, place)?;
        let message = blocks.structure(block, 4, 2).map_err(typed)?;
        blocks.bytes(message, 0, self.prefix.as_bytes()).map_err(typed)?;
        let mode = out.options.modes.binary;
        blocks
            .bytes_with(message, 1, |out| encodings::write(mode, &self.content, out))
            .map_err(typed)?;
        let topic = out.options.naming.topic(&[&out.options.prefix, "message"]);
        // The content is bytes, or a text as `binary.handling.mode` says.
        let schema = match mode {
            BinaryMode::Bytes => &VALUE_OF_BYTES,
            BinaryMode::Base64 | BinaryMode::Base64UrlSafe | BinaryMode::Hex => &VALUE_OF_TEXT,
        };
        out.emitter
            .plain(out.batch, &topic, (&KEY, &key), (schema, &value), offset)
    }
}

//! Messages of `pg_logical_emit_message`.

use std::sync::{Arc, OnceLock};

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

fn key_schema() -> SchemaRef {
    static KEY: OnceLock<SchemaRef> = OnceLock::new();
    KEY.get_or_init(|| {
        Arc::new(named(
            "io.debezium.connector.postgresql.MessageKey",
            vec![optional("prefix", Kind::String)],
        ))
    })
    .clone()
}

/// The content is bytes, or a text as `binary.handling.mode` says.
fn value_schema(mode: BinaryMode) -> SchemaRef {
    static OF_BYTES: OnceLock<SchemaRef> = OnceLock::new();
    static OF_TEXT: OnceLock<SchemaRef> = OnceLock::new();
    let (schema, content) = match mode {
        BinaryMode::Bytes => (&OF_BYTES, Kind::Bytes),
        BinaryMode::Base64 | BinaryMode::Base64UrlSafe | BinaryMode::Hex => (&OF_TEXT, Kind::String),
    };
    schema
        .get_or_init(|| {
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
                        schema: envelope::source(),
                    },
                    Field {
                        name: "transaction".into(),
                        schema: envelope::transaction(),
                    },
                    field("message", message),
                ],
            ))
        })
        .clone()
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
        out.emitter.plain(
            out.batch,
            &topic,
            (&key_schema(), &key),
            (&value_schema(mode), &value),
            offset,
        )
    }
}

//! Headers that records carry: where they come from, and the other key of a changed one.

use std::sync::{Arc, LazyLock};

use caisson_sdk::api::schema::{Kind, Schema, SchemaRef};
use caisson_sdk::api::typed::Blocks;
use caisson_sdk::prelude::Batch;
use caisson_sdk::source::RecordWriter;

use crate::error::{Error, Result};
use crate::random;

pub const NEW_KEY: &str = "__debezium.newkey";
pub const OLD_KEY: &str = "__debezium.oldkey";
const CONTEXT: &str = "__debezium.context.";

/// The headers of a task, their values encoded once.
pub struct Headers {
    context: Vec<(String, Vec<u8>)>,
    /// In the batch at hand: the schema of texts, the names of the context, of the new and the old key.
    prepared: Option<Prepared>,
}

struct Prepared {
    text: u16,
    context: Vec<u16>,
    keys: Option<[u16; 2]>,
}

static TEXT: LazyLock<SchemaRef> = LazyLock::new(|| Arc::new(Schema::new(Kind::String)));

fn text_value(text: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut blocks = Blocks::new(&mut bytes);
    let block = blocks.block(1).map_err(super::typed)?;
    blocks.bytes(block, 0, text.as_bytes()).map_err(super::typed)?;
    Ok(bytes)
}

impl Headers {
    pub fn new(with_context: bool, prefix: &str, task: &str, connector: &str) -> Result<Self> {
        let mut context = Vec::new();
        if with_context {
            for (name, text) in [
                ("connectorLogicalName", prefix),
                ("taskId", task),
                ("connectorName", connector),
                ("runId", &random::time_uuid()?),
            ] {
                context.push((format!("{CONTEXT}{name}"), text_value(text)?));
            }
        }
        Ok(Headers {
            context,
            prepared: None,
        })
    }

    pub fn begin(&mut self) {
        self.prepared = None;
    }

    /// Looks up what the next record's headers need in this batch.
    pub fn prepare(&mut self, batch: &mut Batch, with_key: bool) -> Result<()> {
        let prepared = match self.prepared.as_mut() {
            Some(prepared) => prepared,
            None => {
                let names = self.context.iter().map(|(name, _)| batch.header_name(name));
                let context = names.collect::<std::result::Result<_, _>>().map_err(Error::Batch)?;
                let text = if self.context.is_empty() {
                    0
                } else {
                    batch.schema(&TEXT).map_err(Error::Batch)?
                };
                self.prepared.insert(Prepared {
                    text,
                    context,
                    keys: None,
                })
            }
        };
        if with_key && prepared.keys.is_none() {
            let mut name = |name| batch.header_name(name).map_err(Error::Batch);
            prepared.keys = Some([name(NEW_KEY)?, name(OLD_KEY)?]);
        }
        Ok(())
    }

    /// Adds the headers: the other key first.
    pub fn write(
        &self,
        record: &mut RecordWriter<'_>,
        key_schema: Option<u16>,
        key: Option<(&'static str, &[u8])>,
    ) -> Result<()> {
        let Some(prepared) = &self.prepared else { return Ok(()) };
        if let (Some((name, value)), Some([new, old])) = (key, prepared.keys) {
            let name = if name == NEW_KEY { new } else { old };
            record.header(name, key_schema, Some(value)).map_err(Error::Batch)?;
        }
        for (name, (_, value)) in prepared.context.iter().zip(&self.context) {
            record
                .header(*name, Some(prepared.text), Some(value))
                .map_err(Error::Batch)?;
        }
        Ok(())
    }
}

//! Heartbeats: records that carry the offset on when no captured table changes, and a statement that makes one change.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use caisson_sdk::api::schema::{Kind, SchemaRef};
use caisson_sdk::api::typed::Blocks;

use crate::clock;
use crate::config::Options;
use crate::emit::{Out, typed};
use crate::error::{Error, Result};
use crate::protocol::Session;
use crate::table::envelope::{named, required};

/// When the next one is due.
#[derive(Debug)]
pub struct Heartbeats {
    interval: Option<Duration>,
    next: Instant,
    topic: String,
}

static KEY: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(named(
        "io.debezium.connector.common.ServerNameKey",
        vec![required("serverName", Kind::String)],
    ))
});

static VALUE: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(named(
        "io.debezium.connector.common.Heartbeat",
        vec![required("ts_ms", Kind::Int64)],
    ))
});

impl Heartbeats {
    /// The first is due at once.
    pub fn new(options: &Options) -> Self {
        Heartbeats {
            interval: options.heartbeat.interval,
            next: Instant::now(),
            topic: [options.heartbeat.topic_prefix.as_str(), &options.prefix].join(&options.naming.delimiter),
        }
    }

    pub fn is_due(&self) -> bool {
        self.interval.is_some() && Instant::now() >= self.next
    }

    /// Writes a heartbeat and runs the statement.
    pub fn beat(&mut self, sql: &mut Session, offset: &str, out: &mut Out<'_>) -> Result<()> {
        let Some(interval) = self.interval else { return Ok(()) };
        self.next = Instant::now() + interval;
        let mut key = Vec::new();
        let mut blocks = Blocks::new(&mut key);
        let block = blocks.block(1).map_err(typed)?;
        blocks.bytes(block, 0, out.options.prefix.as_bytes()).map_err(typed)?;
        let mut value = Vec::new();
        let mut blocks = Blocks::new(&mut value);
        let block = blocks.block(1).map_err(typed)?;
        blocks.number(block, 0, clock::now().div_euclid(1000));
        out.emitter
            .plain(out.batch, &self.topic, (&KEY, &key), (&VALUE, &value), offset)?;
        if let Some(query) = &out.options.heartbeat.query {
            match sql.query(query) {
                // The heartbeat itself is out: as in the original, a statement that fails is told and no more.
                Err(Error::Server(error)) => caisson_sdk::error!("heartbeat.action.query failed: {error}"),
                other => drop(other?),
            }
        }
        Ok(())
    }
}

//! Notifications: how snapshots go, in the log and in a topic, as `notification.enabled.channels` says.

use std::sync::{Arc, LazyLock};

use caisson_sdk::api::schema::{Kind, Schema, SchemaRef};
use caisson_sdk::api::typed::Blocks;

use crate::clock;
use crate::emit::{Out, typed};
use crate::error::Result;
use crate::random;
use crate::table::envelope::{field, named, required};
use crate::types::java::hash_map_order;

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Of the signal that it goes back to; `None`: it gets one of its own.
    pub id: Option<String>,
    about: &'static str,
    kind: &'static str,
    /// Without the name of the connector.
    data: Vec<(&'static str, String)>,
}

impl Notification {
    /// Of a first snapshot, or one for which the stream stands still.
    pub fn initial(kind: &'static str) -> Self {
        Notification {
            id: None,
            about: "Initial Snapshot",
            kind,
            data: Vec::new(),
        }
    }

    /// Of one beside the stream; the signal is not known where the snapshot goes on after a restart.
    pub fn incremental(id: &str, kind: &'static str) -> Self {
        Notification {
            id: (!id.is_empty()).then(|| id.to_owned()),
            about: "Incremental Snapshot",
            kind,
            data: Vec::new(),
        }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.data.push((name, value.into()));
        self
    }

    /// A table is read.
    pub fn scanned(self, table: impl Into<String>, rows: u64, status: &str) -> Self {
        self.with("scanned_collection", table)
            .with("total_rows_scanned", rows.to_string())
            .with("status", status)
    }

    /// Tells it on every channel that is enabled.
    pub fn tell(self, offset: &str, out: &mut Out<'_>) -> Result<()> {
        let channels = &out.options.notifications;
        if !channels.log && channels.topic.is_none() {
            return Ok(());
        }
        let id = match self.id {
            Some(id) => id,
            None => random::uuid()?,
        };
        let mut data = self.data;
        data.push(("connector_name", out.options.prefix.clone()));
        let order = hash_map_order(data.iter().map(|(name, _)| *name));
        let data: Vec<(&str, &str)> = order.into_iter().map(|at| (data[at].0, data[at].1.as_str())).collect();
        let now = clock::now().div_euclid(1000);
        if channels.log {
            let list: Vec<String> = data.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let (about, kind, list) = (self.about, self.kind, list.join(", "));
            caisson_sdk::info!(
                "[Notification Service]  {{id='{id}', aggregateType='{about}', type='{kind}', \
                 additionalData={{{list}}}, timestamp={now}}}"
            );
        }
        let Some(topic) = &channels.topic else { return Ok(()) };
        let mut key = Vec::new();
        let mut blocks = Blocks::new(&mut key);
        let block = blocks.block(1).map_err(typed)?;
        blocks.bytes(block, 0, id.as_bytes()).map_err(typed)?;
        let mut value = Vec::new();
        let mut blocks = Blocks::new(&mut value);
        let block = blocks.block(5).map_err(typed)?;
        for (index, text) in [id.as_str(), self.kind, self.about].into_iter().enumerate() {
            blocks.bytes(block, index, text.as_bytes()).map_err(typed)?;
        }
        let map = blocks.map(block, 3, data.len()).map_err(typed)?;
        for (index, (name, value)) in data.into_iter().enumerate() {
            blocks.bytes(map, 2 * index, name.as_bytes()).map_err(typed)?;
            blocks.bytes(map, 2 * index + 1, value.as_bytes()).map_err(typed)?;
        }
        blocks.number(block, 4, now);
        out.emitter
            .plain(out.batch, topic, (&KEY, &key), (&VALUE, &value), offset)
    }
}

static KEY: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(named(
        "io.debezium.connector.common.NotificationKey",
        vec![required("id", Kind::String)],
    ))
});

static VALUE: LazyLock<SchemaRef> = LazyLock::new(|| {
    let text = || Arc::new(Schema::new(Kind::String));
    Arc::new(named(
        "io.debezium.connector.common.Notification",
        vec![
            required("id", Kind::String),
            required("type", Kind::String),
            required("aggregate_type", Kind::String),
            field("additional_data", Schema::optional(Kind::Map(text(), text()))),
            required("timestamp", Kind::Int64),
        ],
    ))
});

/// How a first snapshot, or one for which the stream stands still, is told of.
#[derive(Debug)]
pub struct SnapshotTeller {
    /// The tables to be read, and all that are captured.
    read: String,
    captured: String,
    has_begun: bool,
}

impl SnapshotTeller {
    /// Of these tables, with commas in between.
    pub fn new(tables: String) -> Self {
        SnapshotTeller {
            captured: tables.clone(),
            read: tables,
            has_begun: false,
        }
    }

    /// These are all that are captured.
    pub fn among(&mut self, captured: String) {
        self.captured = captured;
    }

    /// The snapshot begins, unless that was told.
    pub fn begin(&mut self, offset: &str, out: &mut Out<'_>) -> Result<()> {
        if self.has_begun {
            return Ok(());
        }
        self.has_begun = true;
        Notification::initial("STARTED").tell(offset, out)
    }

    pub fn table(&self, table: String, offset: &str, out: &mut Out<'_>) -> Result<()> {
        Notification::initial("IN_PROGRESS")
            .with("current_collection_in_progress", table)
            .with("data_collections", &self.read)
            .tell(offset, out)
    }

    pub fn table_end(&self, table: String, rows: u64, offset: &str, out: &mut Out<'_>) -> Result<()> {
        Notification::initial("TABLE_SCAN_COMPLETED")
            .scanned(table, rows, "SUCCEEDED")
            .with("data_collections", &self.captured)
            .tell(offset, out)
    }

    pub fn end(&self, offset: &str, out: &mut Out<'_>) -> Result<()> {
        Notification::initial("COMPLETED").tell(offset, out)
    }
}

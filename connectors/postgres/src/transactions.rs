//! `provide.transaction.metadata`: beginnings and ends of transactions in a topic of their own, and numbers for the
//! changes in between.

use std::sync::{Arc, LazyLock};

use caisson_sdk::api::schema::{Kind, Schema, SchemaRef};
use caisson_sdk::api::typed::Blocks;

use crate::catalog::TableName;
use crate::config::Options;
use crate::emit::{Out, Place, typed};
use crate::error::Result;
use crate::lsn::Lsn;
use crate::offsets::{self, Extras, MessageType, Position, Told};
use crate::table::envelope::{field, named, optional, required};
use crate::types::java::hash_map_order;

/// The transaction that is open.
pub struct Transactions {
    topic: Option<String>,
    /// What was told of it; at first, of the one in which a stream before this one ended.
    told: Option<Told>,
    /// Position and time of the beginning, until it was told.
    untold: Option<(Lsn, i64)>,
}

static KEY: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(named(
        "io.debezium.connector.common.TransactionMetadataKey",
        vec![required("id", Kind::String)],
    ))
});

static VALUE: LazyLock<SchemaRef> = LazyLock::new(|| {
    let collection = named(
        "event.collection",
        vec![
            required("data_collection", Kind::String),
            required("event_count", Kind::Int64),
        ],
    );
    let collections = Kind::Array(Arc::new(collection.into_optional()));
    Arc::new(named(
        "io.debezium.connector.common.TransactionMetadataValue",
        vec![
            required("status", Kind::String),
            required("id", Kind::String),
            optional("event_count", Kind::Int64),
            field("data_collections", Schema::optional(collections)),
            required("ts_ms", Kind::Int64),
        ],
    ))
});

impl Transactions {
    /// `told`: what offsets say of a transaction that the stream may begin within.
    pub fn new(options: &Options, told: Option<Told>) -> Self {
        let events = &options.events;
        let topic = || {
            let parts = [options.prefix.as_str(), events.transaction_topic.as_str()];
            options.naming.topic(&parts)
        };
        Transactions {
            topic: events.transaction_metadata.then(topic),
            told: told.filter(|_| events.transaction_metadata),
            untold: None,
        }
    }

    pub fn begin(&mut self, xid: u32, lsn: Lsn, time: i64) {
        if self.topic.is_none() {
            return;
        }
        let is_told = self.told.as_ref().is_some_and(|told| told.transaction == xid);
        if !is_told {
            self.untold = Some((lsn, time));
            self.told = Some(Told {
                transaction: xid,
                tables: Vec::new(),
            });
        }
    }

    /// The transaction is over.
    pub fn end(&mut self) {
        self.told = None;
        self.untold = None;
    }

    /// Tells the beginning, unless that is done, or nobody wants to know; whether it did. `offset` gets that of its record.
    pub fn tell_begin(&mut self, position: &Position, offset: &mut String, out: &mut Out<'_>) -> Result<bool> {
        let Some((begin, time)) = self.untold.take() else {
            return Ok(false);
        };
        let position = Position {
            lsn: begin.max(position.last_commit),
            changes: 0,
            message: MessageType::Begin,
            ..position.clone()
        };
        let extras = Extras {
            told: self.told.as_ref(),
            incremental: None,
        };
        offsets::write_stream(offset, &position, extras);
        self.tell("BEGIN", begin, None, time, offset, out)?;
        Ok(true)
    }

    /// What offsets say of the transaction.
    pub fn told(&self) -> Option<&Told> {
        self.told.as_ref().filter(|_| self.untold.is_none())
    }

    /// The place of the next change, or message. The first one of a transaction whose beginning was passed by has it told
    /// before it.
    pub fn place(
        &mut self,
        table: &dyn std::fmt::Display,
        lsn: Lsn,
        position: &Position,
        offset: &mut String,
        out: &mut Out<'_>,
    ) -> Result<Option<Place>> {
        self.tell_begin(position, offset, out)?;
        let Some(told) = &mut self.told else { return Ok(None) };
        let table_order = told.count(table.to_string());
        Ok(Some(Place {
            id: format!("{}:{}", told.transaction, lsn.0),
            total_order: told.total(),
            table_order,
        }))
    }

    /// The change at hand becomes two.
    pub fn count_another(&mut self, table: &TableName) {
        if let Some(told) = &mut self.told {
            told.count(table.to_string());
        }
    }

    /// Whether somebody wants to hear of transactions.
    pub fn are_told(&self) -> bool {
        self.topic.is_some()
    }

    /// Tells the end, if the beginning was told.
    pub fn commit(&mut self, lsn: Lsn, time: i64, offset: &str, out: &mut Out<'_>) -> Result<()> {
        let Some(told) = self.told() else { return Ok(()) };
        let order = hash_map_order(told.tables.iter().map(|(table, _)| table.as_str()));
        let counts: Vec<(String, i64)> = order.into_iter().map(|index| told.tables[index].clone()).collect();
        self.tell("END", lsn, Some(&counts), time, offset, out)
    }

    fn tell(
        &self,
        status: &str,
        lsn: Lsn,
        counts: Option<&[(String, i64)]>,
        time: i64,
        offset: &str,
        out: &mut Out<'_>,
    ) -> Result<()> {
        let (Some(topic), Some(told)) = (&self.topic, &self.told) else {
            return Ok(());
        };
        let id = format!("{}:{}", told.transaction, lsn.0);
        let mut key = Vec::new();
        let mut blocks = Blocks::new(&mut key);
        let block = blocks.block(1).map_err(typed)?;
        blocks.bytes(block, 0, id.as_bytes()).map_err(typed)?;
        let mut value = Vec::new();
        let mut blocks = Blocks::new(&mut value);
        let block = blocks.block(5).map_err(typed)?;
        blocks.bytes(block, 0, status.as_bytes()).map_err(typed)?;
        blocks.bytes(block, 1, id.as_bytes()).map_err(typed)?;
        match counts {
            None => {
                blocks.null(block, 2);
                blocks.null(block, 3);
            }
            Some(counts) => {
                blocks.number(block, 2, told.total());
                let list = blocks.array(block, 3, counts.len()).map_err(typed)?;
                for (index, (table, count)) in counts.iter().enumerate() {
                    let own = blocks.structure(list, index, 2).map_err(typed)?;
                    blocks.bytes(own, 0, table.as_bytes()).map_err(typed)?;
                    blocks.number(own, 1, *count);
                }
            }
        }
        blocks.number(block, 4, time.div_euclid(1000));
        out.emitter
            .plain(out.batch, topic, (&KEY, &key), (&VALUE, &value), offset)
    }
}

//! `provide.transaction.metadata`: beginnings and ends of transactions in a topic of their own, and numbers for the
//! changes in between.

use std::sync::{Arc, OnceLock};

use caisson_sdk::api::schema::{Kind, Schema, SchemaRef};
use caisson_sdk::api::typed::Blocks;

use crate::catalog::TableName;
use crate::config::Options;
use crate::emit::{Out, Place, typed};
use crate::error::Result;
use crate::lsn::Lsn;
use crate::offsets::{self, Extras, MessageType, Position};
use crate::table::envelope::{field, named, optional, required};
use crate::types::java::hash_map_order;

/// The transaction that is open.
pub struct Transactions {
    topic: Option<String>,
    xid: u32,
    /// Position and time of the beginning, until it was told.
    untold: Option<(Lsn, i64)>,
    total: i64,
    /// Changes of each table, in the order in which tables came.
    tables: Vec<(String, i64)>,
    open: bool,
    offset: String,
}

fn key_schema() -> SchemaRef {
    static KEY: OnceLock<SchemaRef> = OnceLock::new();
    KEY.get_or_init(|| {
        Arc::new(named(
            "io.debezium.connector.common.TransactionMetadataKey",
            vec![required("id", Kind::String)],
        ))
    })
    .clone()
}

fn value_schema() -> SchemaRef {
    static VALUE: OnceLock<SchemaRef> = OnceLock::new();
    VALUE
        .get_or_init(|| {
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
        })
        .clone()
}

impl Transactions {
    pub fn new(options: &Options) -> Self {
        Transactions {
            topic: options.events.transaction_metadata.then(|| {
                options
                    .naming
                    .topic(&[&options.prefix, &options.events.transaction_topic])
            }),
            xid: 0,
            untold: None,
            total: 0,
            tables: Vec::new(),
            open: false,
            offset: String::new(),
        }
    }

    pub fn begin(&mut self, xid: u32, lsn: Lsn, time: i64) {
        if self.topic.is_some() {
            self.xid = xid;
            self.untold = Some((lsn, time));
            self.total = 0;
            self.tables.clear();
            self.open = true;
        }
    }

    /// Tells the beginning, unless that is done, or nobody wants to know; whether it did.
    pub fn tell_begin(&mut self, position: &Position, out: &mut Out<'_>) -> Result<bool> {
        if self.topic.is_none() {
            return Ok(false);
        }
        let Some((begin, time)) = self.untold.take() else {
            return Ok(false);
        };
        let position = Position {
            lsn: begin.max(position.last_commit),
            changes: 1,
            message: MessageType::Begin,
            ..position.clone()
        };
        let extras = self.extras();
        offsets::write_stream(&mut self.offset, &position, &extras);
        self.tell("BEGIN", begin, None, time, out)?;
        Ok(true)
    }

    /// What offsets say of the transaction.
    pub fn extras(&self) -> Extras {
        match self.topic {
            Some(_) if self.xid != 0 => Extras {
                transaction: Some(self.xid),
                table_orders: self.tables.clone(),
                incremental: None,
            },
            Some(_) | None => Extras::default(),
        }
    }

    /// The place of the next change, or message. The first one of a transaction whose beginning was passed by has it told
    /// before it.
    pub fn place(
        &mut self,
        table: &dyn std::fmt::Display,
        lsn: Lsn,
        position: &Position,
        out: &mut Out<'_>,
    ) -> Result<Option<Place>> {
        if self.topic.is_none() {
            return Ok(None);
        }
        self.tell_begin(position, out)?;
        self.total += 1;
        let name = table.to_string();
        let order = match self.tables.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => {
                *count += 1;
                *count
            }
            None => {
                self.tables.push((name, 1));
                1
            }
        };
        Ok(Some(Place {
            id: format!("{}:{}", self.xid, lsn.0),
            total_order: self.total,
            table_order: order,
        }))
    }

    /// A change turned out to be two.
    pub fn count_another(&mut self, table: &TableName) {
        if self.topic.is_none() {
            return;
        }
        self.total += 1;
        let name = table.to_string();
        if let Some((_, count)) = self.tables.iter_mut().find(|(known, _)| *known == name) {
            *count += 1;
        }
    }

    /// Whether somebody wants to hear of transactions.
    pub fn are_told(&self) -> bool {
        self.topic.is_some()
    }

    /// Tells the end, if the beginning was told.
    pub fn commit(&mut self, lsn: Lsn, time: i64, offset: &str, out: &mut Out<'_>) -> Result<()> {
        if self.topic.is_none() || !self.open {
            return Ok(());
        }
        self.open = false;
        if self.untold.take().is_some() {
            return Ok(());
        }
        self.offset.clear();
        self.offset.push_str(offset);
        let order = hash_map_order(self.tables.iter().map(|(table, _)| table.as_str()));
        let counts: Vec<(String, i64)> = order.into_iter().map(|index| self.tables[index].clone()).collect();
        self.tell("END", lsn, Some(&counts), time, out)
    }

    fn tell(
        &self,
        status: &str,
        lsn: Lsn,
        counts: Option<&[(String, i64)]>,
        time: i64,
        out: &mut Out<'_>,
    ) -> Result<()> {
        let Some(topic) = &self.topic else { return Ok(()) };
        let id = format!("{}:{}", self.xid, lsn.0);
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
                blocks.number(block, 2, self.total);
                let list = blocks.array(block, 3, counts.len()).map_err(typed)?;
                for (index, (table, count)) in counts.iter().enumerate() {
                    let own = blocks.structure(list, index, 2).map_err(typed)?;
                    blocks.bytes(own, 0, table.as_bytes()).map_err(typed)?;
                    blocks.number(own, 1, *count);
                }
            }
        }
        blocks.number(block, 4, time.div_euclid(1000));
        out.emitter.plain(
            out.batch,
            topic,
            (&key_schema(), &key),
            (&value_schema(), &value),
            &self.offset,
        )
    }
}

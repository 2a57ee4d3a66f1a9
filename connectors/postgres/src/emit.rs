//! Records into the batch of one `poll`.

use std::collections::HashMap;

use caisson_sdk::api::schema::SchemaRef;
use caisson_sdk::api::typed::Blocks;
use caisson_sdk::prelude::Batch;

use crate::config::{Options, Placeholder};
use crate::error::{Error, Result};
use crate::row::{Content, Row};
use crate::source_info::{SourceInfo, SourceNames};
use crate::table::envelope::{CONNECTOR, slot};
use crate::table::{Table, TableKey};

mod headers;
mod values;

use headers::Headers;
pub use values::{typed, write_place_at};
use values::{write_columns, write_place, write_struct};

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Read,
    Create,
    Update,
    Delete,
    Truncate,
}

impl Op {
    pub fn letter(self) -> char {
        match self {
            Op::Read => 'r',
            Op::Create => 'c',
            Op::Update => 'u',
            Op::Delete => 'd',
            Op::Truncate => 't',
        }
    }
}

/// A change's place in its transaction.
#[derive(Clone, Debug)]
pub struct Place {
    pub id: String,
    pub total_order: i64,
    pub table_order: i64,
}

impl Place {
    /// The place of another change of the same table.
    pub fn next(&self) -> Self {
        Place {
            id: self.id.clone(),
            total_order: self.total_order + 1,
            table_order: self.table_order + 1,
        }
    }
}

/// One change.
#[derive(Clone, Copy)]
pub struct Change<'a> {
    pub op: Op,
    pub before: Option<Row<'a>>,
    pub after: Option<Row<'a>>,
    pub source: &'a SourceInfo,
    pub place: Option<&'a Place>,
    /// The place after it: of the create, if the change turns out to be a delete and a create.
    pub next_place: Option<&'a Place>,
    /// Microseconds since 1970 at which it is processed.
    pub now: i64,
    /// JSON text. Only the last of the records that it becomes has this offset: whoever goes on after another one has to make
    /// all of them again.
    pub offset: &'a str,
    /// That of the others.
    pub previous_offset: &'a str,
}

/// Where records go, and by which rules.
pub struct Out<'a> {
    pub batch: &'a mut Batch,
    pub emitter: &'a mut Emitter,
    pub options: &'a Options,
}

/// The other key, where an update has changed it.
#[derive(Clone, Copy)]
enum OtherKey<'a> {
    None,
    New(&'a [u8]),
    Old(&'a [u8]),
}

/// Writes records. Keeps what is the same in all of them.
pub struct Emitter {
    names: SourceNames,
    /// JSON text of the source partition.
    partition: String,
    unavailable: Placeholder,
    tombstones: bool,
    /// Letters of operations that are not written.
    skipped: Vec<char>,
    headers: Headers,
    /// Indexes in the batch at hand, by topic.
    indexes: HashMap<String, Indexes>,
    partition_index: Option<u32>,
    /// Keys as they are compared, and as headers have them.
    old_key: Vec<u8>,
    new_key: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Indexes {
    topic: u16,
    key: Option<u16>,
    value: Option<u16>,
    /// The schemas' addresses: a changed table has others.
    identity: (usize, usize),
}

fn address(schema: Option<&SchemaRef>) -> usize {
    schema.map_or(0, |schema| std::sync::Arc::as_ptr(schema) as usize)
}

impl Emitter {
    pub fn new(options: &Options, task: &str) -> Result<Self> {
        Ok(Emitter {
            names: SourceNames {
                prefix: options.prefix.clone(),
                database: options.target.database.clone(),
            },
            partition: crate::offsets::partition(&options.prefix),
            unavailable: options.events.unavailable.clone(),
            tombstones: options.events.tombstones,
            skipped: options.events.skipped.clone(),
            headers: Headers::new(options.events.context_headers, &options.prefix, task, CONNECTOR)?,
            indexes: HashMap::new(),
            partition_index: None,
            old_key: Vec::new(),
            new_key: Vec::new(),
        })
    }

    pub fn names(&self) -> &SourceNames {
        &self.names
    }

    /// Every batch has indexes of its own.
    pub fn begin(&mut self) {
        self.indexes.clear();
        self.partition_index = None;
        self.headers.begin();
    }

    /// Writes a change: an update that changes the key as a delete and a create, a delete with its tombstone.
    pub fn change(&mut self, batch: &mut Batch, table: &Table, change: &Change<'_>) -> Result<()> {
        match (change.op, &table.key) {
            (Op::Update, Some(key)) if change.before.is_some() => {
                if self.key_changes(key, table, change.before, change.after)? {
                    return self.moved(batch, table, change);
                }
                self.record(batch, table, change, OtherKey::None)
            }
            (Op::Delete, _) => self.delete(batch, table, change, OtherKey::None),
            (Op::Read | Op::Create | Op::Update | Op::Truncate, _) => self.record(batch, table, change, OtherKey::None),
        }
    }

    /// Whether a change becomes two events: an update that changes the key.
    pub fn makes_two(
        &mut self,
        op: Op,
        table: &Table,
        before: Option<Row<'_>>,
        after: Option<Row<'_>>,
    ) -> Result<bool> {
        let is_told = |op: Op| !self.skipped.contains(&op.letter());
        Ok(op == Op::Update && is_told(Op::Delete) && is_told(Op::Create) && self.is_moved(table, before, after)?)
    }

    /// The key of a row as bytes, by which rows are told apart; `None`: the table has none. What an update did not touch
    /// is in the row before it.
    pub fn key_of(&self, table: &Table, row: Row<'_>, unchanged: Option<Row<'_>>) -> Result<Option<Vec<u8>>> {
        let Some(key) = &table.key else { return Ok(None) };
        let mut bytes = Vec::new();
        write_struct(&mut bytes, table, &key.columns, row, unchanged, &self.unavailable)?;
        Ok(Some(bytes))
    }

    /// Whether an update leaves every captured column as it was, as far as the server has sent what was before.
    pub fn is_unchanged(&self, table: &Table, before: Row<'_>, after: Row<'_>) -> bool {
        table.columns.iter().all(|column| match after.get(column.cell) {
            Content::Unchanged => true,
            content => content == before.get(column.cell),
        })
    }

    /// Whether an update gives the row another key.
    pub fn is_moved(&mut self, table: &Table, before: Option<Row<'_>>, after: Option<Row<'_>>) -> Result<bool> {
        match &table.key {
            Some(key) if before.is_some() => self.key_changes(key, table, before, after),
            Some(_) | None => Ok(false),
        }
    }

    fn key_changes(
        &mut self,
        key: &TableKey,
        table: &Table,
        before: Option<Row<'_>>,
        after: Option<Row<'_>>,
    ) -> Result<bool> {
        let mut old = std::mem::take(&mut self.old_key);
        let mut new = std::mem::take(&mut self.new_key);
        old.clear();
        new.clear();
        if let Some(row) = before {
            write_struct(&mut old, table, &key.columns, row, None, &self.unavailable)?;
        }
        if let Some(row) = after {
            write_struct(&mut new, table, &key.columns, row, before, &self.unavailable)?;
        }
        let changes = old != new;
        (self.old_key, self.new_key) = (old, new);
        Ok(changes)
    }

    fn moved(&mut self, batch: &mut Batch, table: &Table, change: &Change<'_>) -> Result<()> {
        let (old, new) = (std::mem::take(&mut self.old_key), std::mem::take(&mut self.new_key));
        let comes = !self.skipped.contains(&Op::Create.letter());
        let goes = !self.skipped.contains(&Op::Delete.letter());
        let gone = Change {
            op: Op::Delete,
            after: None,
            offset: if comes { change.previous_offset } else { change.offset },
            ..*change
        };
        let come = Change {
            op: Op::Create,
            before: None,
            place: if goes { change.next_place } else { change.place },
            ..*change
        };
        if goes {
            self.delete(batch, table, &gone, OtherKey::New(&new))?;
        }
        let come_after = Moved {
            change: come,
            unchanged: change.before,
        };
        if comes {
            self.record_with(batch, table, &come_after, OtherKey::Old(&old))?;
        }
        (self.old_key, self.new_key) = (old, new);
        Ok(())
    }

    /// A delete and its tombstone.
    fn delete(&mut self, batch: &mut Batch, table: &Table, change: &Change<'_>, other: OtherKey<'_>) -> Result<()> {
        if !self.tombstones {
            return self.record(batch, table, change, other);
        }
        let first = Change {
            offset: change.previous_offset,
            ..*change
        };
        self.record(batch, table, &first, other)?;
        self.tombstone(batch, table, change, other)
    }

    fn record(&mut self, batch: &mut Batch, table: &Table, change: &Change<'_>, other: OtherKey<'_>) -> Result<()> {
        let moved = Moved {
            change: *change,
            unchanged: change.before,
        };
        self.record_with(batch, table, &moved, other)
    }

    fn record_with(&mut self, batch: &mut Batch, table: &Table, moved: &Moved<'_>, other: OtherKey<'_>) -> Result<()> {
        let change = &moved.change;
        let indexes = self.indexes(batch, table)?;
        let partition = self.partition_index(batch)?;
        self.headers.prepare(batch, !matches!(other, OtherKey::None))?;
        let key_schema = self.other_key_schema(batch, table, other)?;
        let mut record = batch.record(indexes.topic);
        let key_row = change.after.or(change.before);
        if let (Some(key), Some(row)) = (&table.key, key_row) {
            let unchanged = if change.after.is_some() { moved.unchanged } else { None };
            let unavailable = &self.unavailable;
            let mut failed = None;
            let written = record.key_with(indexes.key, |out| {
                write_struct(out, table, &key.columns, row, unchanged, unavailable)
                    .map_err(|error| keep(error, &mut failed))
            });
            settle(written, failed)?;
        }
        let mut failed = None;
        let written = record.value_with(indexes.value, |out| {
            self.write_envelope(out, table, moved)
                .map_err(|error| keep(error, &mut failed))
        });
        settle(written, failed)?;
        self.headers.write(&mut record, key_schema, header_key(other))?;
        record.finish(partition, change.offset).map_err(Error::Batch)
    }

    fn tombstone(&mut self, batch: &mut Batch, table: &Table, change: &Change<'_>, other: OtherKey<'_>) -> Result<()> {
        let indexes = self.indexes(batch, table)?;
        let partition = self.partition_index(batch)?;
        self.headers.prepare(batch, !matches!(other, OtherKey::None))?;
        let key_schema = self.other_key_schema(batch, table, other)?;
        let mut record = batch.record(indexes.topic);
        if let (Some(key), Some(row)) = (&table.key, change.before) {
            let mut failed = None;
            let unavailable = &self.unavailable;
            let written = record.key_with(indexes.key, |out| {
                write_struct(out, table, &key.columns, row, None, unavailable).map_err(|error| keep(error, &mut failed))
            });
            settle(written, failed)?;
        }
        self.headers.write(&mut record, key_schema, header_key(other))?;
        record.finish(partition, change.offset).map_err(Error::Batch)
    }

    /// The schema of the header with the other key, in this batch.
    fn other_key_schema(&self, batch: &mut Batch, table: &Table, other: OtherKey<'_>) -> Result<Option<u16>> {
        match (other, &table.key) {
            (OtherKey::New(_) | OtherKey::Old(_), Some(key)) => {
                batch.schema(&key.schema).map(Some).map_err(Error::Batch)
            }
            _ => Ok(None),
        }
    }

    /// A record that is no change of a row: heartbeats, transactions, messages. Key and value are typed values.
    pub fn plain(
        &mut self,
        batch: &mut Batch,
        topic: &str,
        (key_schema, key): (&SchemaRef, &[u8]),
        (value_schema, value): (&SchemaRef, &[u8]),
        offset: &str,
    ) -> Result<()> {
        let topic = batch.topic(topic).map_err(Error::Batch)?;
        let key_index = batch.schema(key_schema).map_err(Error::Batch)?;
        let value_index = batch.schema(value_schema).map_err(Error::Batch)?;
        let partition = self.partition_index(batch)?;
        let mut record = batch.record(topic);
        let append = |bytes: &[u8], out: &mut Vec<u8>| {
            out.extend_from_slice(bytes);
            Ok(())
        };
        record
            .key_with(Some(key_index), |out| append(key, out))
            .and_then(|()| record.value_with(Some(value_index), |out| append(value, out)))
            .map_err(Error::Batch)?;
        record.finish(partition, offset).map_err(Error::Batch)
    }

    fn partition_index(&mut self, batch: &mut Batch) -> Result<u32> {
        match self.partition_index {
            Some(index) => Ok(index),
            None => {
                let index = batch.source_partition(&self.partition).map_err(Error::Batch)?;
                self.partition_index = Some(index);
                Ok(index)
            }
        }
    }

    fn indexes(&mut self, batch: &mut Batch, table: &Table) -> Result<Indexes> {
        let key_schema = table.key.as_ref().map(|key| &key.schema);
        let identity = (address(key_schema), address(Some(&table.envelope)));
        if let Some(known) = self.indexes.get(&table.topic)
            && known.identity == identity
        {
            return Ok(*known);
        }
        let indexes = Indexes {
            topic: batch.topic(&table.topic).map_err(Error::Batch)?,
            key: key_schema
                .map(|schema| batch.schema(schema))
                .transpose()
                .map_err(Error::Batch)?,
            value: Some(batch.schema(&table.envelope).map_err(Error::Batch)?),
            identity,
        };
        self.indexes.insert(table.topic.clone(), indexes);
        Ok(indexes)
    }

    fn write_envelope(&self, out: &mut Vec<u8>, table: &Table, moved: &Moved<'_>) -> Result<()> {
        let change = &moved.change;
        let mut blocks = Blocks::new(out);
        let block = blocks.block(slot::COUNT).map_err(typed)?;
        match change.before {
            Some(row) => {
                let own = blocks
                    .structure(block, slot::BEFORE, table.columns.len())
                    .map_err(typed)?;
                write_columns(&mut blocks, own, table, &table.columns, row, None, &self.unavailable)?;
            }
            None => blocks.null(block, slot::BEFORE),
        }
        match change.after {
            Some(row) => {
                let own = blocks
                    .structure(block, slot::AFTER, table.columns.len())
                    .map_err(typed)?;
                write_columns(
                    &mut blocks,
                    own,
                    table,
                    &table.columns,
                    row,
                    moved.unchanged,
                    &self.unavailable,
                )?;
            }
            None => blocks.null(block, slot::AFTER),
        }
        let (schema, name) = (&table.name.schema, &table.name.table);
        change
            .source
            .write(&mut blocks, block, slot::SOURCE, &self.names, schema, name)
            .map_err(typed)?;
        write_place(&mut blocks, block, change.place)?;
        let mut letter = [0; 4];
        let letter = change.op.letter().encode_utf8(&mut letter);
        blocks.bytes(block, slot::OP, letter.as_bytes()).map_err(typed)?;
        blocks.number(block, slot::TS_MS, change.now.div_euclid(1000));
        blocks.number(block, slot::TS_US, change.now);
        blocks.number(block, slot::TS_NS, change.now.saturating_mul(1000));
        Ok(())
    }
}

/// A change, and the row that has what an unchanged cell of `after` would say.
struct Moved<'a> {
    change: Change<'a>,
    unchanged: Option<Row<'a>>,
}

fn header_key(other: OtherKey<'_>) -> Option<(&'static str, &[u8])> {
    match other {
        OtherKey::None => None,
        OtherKey::New(key) => Some((headers::NEW_KEY, key)),
        OtherKey::Old(key) => Some((headers::OLD_KEY, key)),
    }
}

/// Closures of the SDK speak its errors; ours is kept beside.
fn keep(error: Error, failed: &mut Option<Error>) -> caisson_sdk::api::Error {
    *failed = Some(error);
    caisson_sdk::api::Error::data("")
}

fn settle(written: std::result::Result<(), caisson_sdk::api::Error>, failed: Option<Error>) -> Result<()> {
    match failed {
        Some(error) => Err(error),
        None => written.map_err(Error::Batch),
    }
}

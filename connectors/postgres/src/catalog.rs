//! What the server's catalogue says of tables.

use std::collections::HashMap;

use crate::error::Result;
use crate::protocol::{Rows, Session, literal};

/// A table's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName {
    pub schema: String,
    pub table: String,
}

impl std::fmt::Display for TableName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.schema, self.table)
    }
}

/// A table as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableInfo {
    pub oid: u32,
    pub name: TableName,
    pub columns: Vec<ColumnInfo>,
    /// Columns of the primary key, or of the first unique index if there is none; in the index's order.
    pub key: Vec<String>,
    pub identity: Identity,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnInfo {
    pub name: String,
    pub type_oid: u32,
    pub modifier: i32,
    pub optional: bool,
    /// The expression.
    pub default: Option<String>,
    /// Computed from others: part of a snapshot, but not of the stream.
    pub generated: bool,
}

/// `REPLICA IDENTITY`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    Default,
    Full,
    Index,
    Nothing,
}

/// A table of the list, before its columns are known.
#[derive(Clone, Debug)]
pub struct Listed {
    pub oid: u32,
    pub name: TableName,
    pub identity: Identity,
    /// The planner's guess.
    pub rows: f64,
}

fn cell(rows: &Rows, row: usize, column: usize) -> &str {
    rows.get(row, column).unwrap_or_default()
}

/// All tables, partitioned ones and partitions included, in the order of their names.
pub fn list_tables(session: &mut Session) -> Result<Vec<Listed>> {
    let rows = session.query(
        "select c.oid, n.nspname, c.relname, c.relreplident, c.reltuples from pg_catalog.pg_class c \
         join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
         where c.relkind in ('r', 'p') and c.relpersistence <> 't' \
         order by n.nspname::text collate \"C\", c.relname::text collate \"C\"",
    )?;
    Ok((0..rows.rows.len())
        .map(|row| Listed {
            oid: cell(&rows, row, 0).parse().unwrap_or(0),
            name: TableName {
                schema: cell(&rows, row, 1).to_owned(),
                table: cell(&rows, row, 2).to_owned(),
            },
            identity: match cell(&rows, row, 3) {
                "f" => Identity::Full,
                "i" => Identity::Index,
                "n" => Identity::Nothing,
                _ => Identity::Default,
            },
            rows: cell(&rows, row, 4).parse().unwrap_or(0.0),
        })
        .collect())
}

/// Columns and keys of tables.
pub fn describe(session: &mut Session, tables: &[Listed]) -> Result<Vec<TableInfo>> {
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let oids: Vec<String> = tables.iter().map(|table| table.oid.to_string()).collect();
    let oids = oids.join(",");
    let mut columns = read_columns(session, &oids)?;
    let mut keys = read_keys(session, &oids)?;
    Ok(tables
        .iter()
        .map(|table| TableInfo {
            oid: table.oid,
            name: table.name.clone(),
            columns: columns.remove(&table.oid).unwrap_or_default(),
            key: keys.remove(&table.oid).unwrap_or_default(),
            identity: table.identity,
        })
        .collect())
}

/// One table by its name, if it is still there.
pub fn find(session: &mut Session, name: &TableName) -> Result<Option<TableInfo>> {
    let rows = session.query(&format!(
        "select c.oid, c.relreplident from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
         where c.relkind in ('r', 'p') and n.nspname = {} and c.relname = {}",
        literal(&name.schema),
        literal(&name.table)
    ))?;
    let Some(oid) = rows.single().and_then(|oid| oid.parse().ok()) else {
        return Ok(None);
    };
    let listed = Listed {
        oid,
        name: name.clone(),
        identity: match cell(&rows, 0, 1) {
            "f" => Identity::Full,
            "i" => Identity::Index,
            "n" => Identity::Nothing,
            _ => Identity::Default,
        },
        rows: 0.0,
    };
    Ok(describe(session, &[listed])?.pop())
}

fn read_columns(session: &mut Session, oids: &str) -> Result<HashMap<u32, Vec<ColumnInfo>>> {
    let generated = if session.version() >= 120_000 {
        "a.attgenerated <> ''"
    } else {
        "false"
    };
    let rows = session.query(&format!(
        "select a.attrelid, a.attname, a.atttypid, a.atttypmod, a.attnotnull or (t.typtype = 'd' and t.typnotnull), \
         pg_catalog.pg_get_expr(d.adbin, d.adrelid), {generated} \
         from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid \
         left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum \
         where a.attrelid in ({oids}) and a.attnum > 0 and not a.attisdropped order by a.attrelid, a.attnum"
    ))?;
    let mut columns: HashMap<u32, Vec<ColumnInfo>> = HashMap::new();
    for row in 0..rows.rows.len() {
        let generated = cell(&rows, row, 6) == "t";
        let column = ColumnInfo {
            name: cell(&rows, row, 1).to_owned(),
            type_oid: cell(&rows, row, 2).parse().unwrap_or(0),
            modifier: cell(&rows, row, 3).parse().unwrap_or(-1),
            optional: cell(&rows, row, 4) != "t",
            default: rows.get(row, 5).filter(|_| !generated).map(str::to_owned),
            generated,
        };
        columns
            .entry(cell(&rows, row, 0).parse().unwrap_or(0))
            .or_default()
            .push(column);
    }
    Ok(columns)
}

/// The primary key of each table, or else its first unique index: clustered ones first, then by name.
fn read_keys(session: &mut Session, oids: &str) -> Result<HashMap<u32, Vec<String>>> {
    let key_columns = if session.version() >= 110_000 {
        "i.indnkeyatts"
    } else {
        "i.indnatts"
    };
    let rows = session.query(&format!(
        "select i.indrelid, i.indexrelid, a.attname from pg_catalog.pg_index i \
         join pg_catalog.pg_class c on c.oid = i.indexrelid \
         cross join lateral unnest(i.indkey) with ordinality k(attnum, place) \
         left join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum and k.attnum > 0 \
         where i.indisunique and i.indrelid in ({oids}) and k.place <= {key_columns} \
         order by i.indrelid, i.indisprimary desc, i.indisclustered desc, c.relname::text collate \"C\", k.place"
    ))?;
    let mut keys: HashMap<u32, (String, Vec<String>)> = HashMap::new();
    for row in 0..rows.rows.len() {
        let index = cell(&rows, row, 1);
        let (first, columns) = keys
            .entry(cell(&rows, row, 0).parse().unwrap_or(0))
            .or_insert_with(|| (index.to_owned(), Vec::new()));
        // Expressions have no column.
        if let (true, Some(column)) = (first == index, rows.get(row, 2)) {
            columns.push(column.to_owned());
        }
    }
    Ok(keys.into_iter().map(|(table, (_, columns))| (table, columns)).collect())
}

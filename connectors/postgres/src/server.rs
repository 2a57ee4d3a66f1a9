//! What has to be true of the server: logical decoding, the publication, the slot.

use std::collections::HashSet;

use crate::catalog::Listed;
use crate::config::{Autocreate, Options, Publication, filters};
use crate::error::{Error, LOST_SLOT, Result};
use crate::lsn::Lsn;
use crate::protocol::{Mode, Rows, Session, identifier, literal};

/// How the server lists the connections of this connector.
pub const SQL_APPLICATION: &str = "Caisson PostgreSQL source";
pub const STREAM_APPLICATION: &str = "Caisson PostgreSQL source, streaming";

/// Oldest version with pgoutput.
const OLDEST: u32 = 100_000;

/// A connection for queries, with the configured statements run.
pub fn connect(options: &Options) -> Result<Session> {
    let mut session = Session::open(&options.target, Mode::Sql, SQL_APPLICATION)?;
    for statement in &options.initial_statements {
        session.query(statement)?;
    }
    Ok(session)
}

/// Fails with what has to be changed.
pub fn check(session: &mut Session, options: &Options) -> Result<()> {
    if session.version() < OLDEST {
        return Err(Error::config(
            "the server is older than PostgreSQL 10, which has no pgoutput",
        ));
    }
    if options.snapshot.mode.streams() {
        check_replication(session, &options.target.user)?;
    }
    Ok(())
}

/// What the stream of changes needs of the server and of the user.
fn check_replication(session: &mut Session, user: &str) -> Result<()> {
    let level = session.query("show wal_level")?;
    match level.single() {
        Some("logical") | None => {}
        Some(level) => {
            return Err(Error::config(format!(
                "Postgres server wal_level property must be 'logical' but is: '{level}'; set wal_level = logical in \
                 postgresql.conf and restart the server"
            )));
        }
    }
    let role = session.query(&format!(
        "select r.rolsuper or r.rolreplication or exists (select from pg_catalog.pg_roles m \
         where m.rolname in ('rds_replication', 'rds_superuser', 'azure_pg_admin', 'cloudsqlsuperuser', 'alloydbsuperuser') \
         and pg_catalog.pg_has_role(r.oid, m.oid, 'member')) from pg_catalog.pg_roles r where r.rolname = {}",
        literal(user)
    ))?;
    if role.single() == Some("f") {
        return Err(Error::config(format!(
            "user {user} may not replicate: alter role {} replication",
            identifier(user)
        )));
    }
    Ok(())
}

/// What is known of the slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotState {
    /// Up to where a reader has said that it has everything: the server sends what is committed after it.
    pub confirmed: Lsn,
    /// From where the server keeps its log for the slot.
    pub restart: Lsn,
    pub active: bool,
    pub plugin: String,
    pub lost: bool,
    pub xmin: Option<u64>,
}

pub fn slot_state(session: &mut Session, options: &Options) -> Result<Option<SlotState>> {
    let status = if session.version() >= 130_000 {
        "coalesce(wal_status, '')"
    } else {
        "''"
    };
    let rows = session.query(&format!(
        "select confirmed_flush_lsn, active, plugin, {status}, catalog_xmin, database, restart_lsn from pg_catalog.pg_replication_slots \
         where slot_name = {}",
        literal(&options.slot.name)
    ))?;
    if rows.rows.is_empty() {
        return Ok(None);
    }
    let cell = |column: usize| rows.get(0, column).unwrap_or_default();
    let state = SlotState {
        confirmed: Lsn::parse(cell(0)).unwrap_or_default(),
        restart: Lsn::parse(cell(6)).unwrap_or_default(),
        active: cell(1) == "t",
        plugin: cell(2).to_owned(),
        lost: cell(3) == "lost",
        xmin: rows.get(0, 4).and_then(|xmin| xmin.parse().ok()),
    };
    let (name, database) = (&options.slot.name, cell(5));
    if state.plugin != "pgoutput" {
        return Err(Error::config(format!(
            "replication slot {name} is of the plugin {}, not of pgoutput: choose another slot.name, or drop it (select \
             pg_drop_replication_slot('{name}'))",
            state.plugin
        )));
    }
    if database != options.target.database {
        return Err(Error::config(format!(
            "replication slot {name} belongs to database {database}: choose another slot.name"
        )));
    }
    if state.lost {
        return Err(Error::config(format!(
            "replication slot {name} has lost its WAL: {LOST_SLOT}"
        )));
    }
    Ok(Some(state))
}

/// Whether the publication is there, or can be made; what is missing otherwise.
pub fn check_publication(session: &mut Session, options: &Options, captured: &[Listed]) -> Result<()> {
    let publication = &options.publication;
    if publication_exists(session, publication)? {
        return Ok(());
    }
    let (name, quoted) = (&publication.name, identifier(&publication.name));
    let missing = |why: &str, remedy: String| {
        Err(Error::config(format!(
            "publication {name} does not exist, and {why}: {remedy}"
        )))
    };
    let user = identifier(&options.target.user);
    if publication.autocreate == Autocreate::Disabled {
        let why = "publication.autocreate.mode is disabled";
        return missing(why, format!("create publication {quoted} for table ..."));
    }
    if is_superuser(session, options)? {
        return Ok(());
    }
    if publication.autocreate == Autocreate::AllTables {
        let remedy = format!(
            "make it (create publication {quoted} for all tables), or set publication.autocreate.mode to filtered"
        );
        return missing("only a superuser can make one for all tables", remedy);
    }
    let may = session.query("select pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')")?;
    if may.single() == Some("f") {
        let database = identifier(&options.target.database);
        let remedy = format!(
            "grant create on database {database} to {user}, or have it made by who may (create publication {quoted} for \
             table ...)"
        );
        return missing(&format!("user {user} may not make one"), remedy);
    }
    let foreign = match publication.autocreate {
        Autocreate::Filtered => first_foreign_table(session, captured)?,
        Autocreate::Disabled | Autocreate::AllTables | Autocreate::NoTables => None,
    };
    match foreign {
        Some(table) => {
            let remedy = format!(
                "make {user} a member of the role that owns the table, or have the publication made by that role (create \
                 publication {quoted} for table ...)"
            );
            missing(
                &format!("user {user} does not own {table}, which it is to publish"),
                remedy,
            )
        }
        None => Ok(()),
    }
}

/// A captured table that this user does not own: only owners put tables into publications.
fn first_foreign_table(session: &mut Session, captured: &[Listed]) -> Result<Option<String>> {
    let rows = session.query(
        "select oid from pg_catalog.pg_class where relkind in ('r', 'p') \
         and not pg_catalog.pg_has_role(relowner, 'USAGE')",
    )?;
    let foreign: HashSet<u32> = (0..rows.rows.len())
        .filter_map(|row| rows.get(row, 0)?.parse().ok())
        .collect();
    let found = captured.iter().find(|table| foreign.contains(&table.oid));
    Ok(found.map(|table| table.name.to_string()))
}

fn publication_exists(session: &mut Session, publication: &Publication) -> Result<bool> {
    let rows = session.query(&format!(
        "select 1 from pg_catalog.pg_publication where pubname = {}",
        literal(&publication.name)
    ))?;
    Ok(!rows.rows.is_empty())
}

fn is_superuser(session: &mut Session, options: &Options) -> Result<bool> {
    let rows = session.query(&format!(
        "select rolsuper from pg_catalog.pg_roles where rolname = {}",
        literal(&options.target.user)
    ))?;
    Ok(rows.single() != Some("f"))
}

/// Makes the publication, or fits it to the captured tables.
pub fn ensure_publication(session: &mut Session, options: &Options, captured: &[Listed]) -> Result<()> {
    check_publication(session, options, captured)?;
    let publication = &options.publication;
    let name = identifier(&publication.name);
    let exists = publication_exists(session, publication)?;
    let root = if publication.via_root && session.version() >= 130_000 {
        " with (publish_via_partition_root = true)"
    } else {
        ""
    };
    let tables = || -> Result<String> {
        if captured.is_empty() {
            return Err(Error::config(format!(
                "no table is captured, so publication {} cannot be made for them: check table.include.list",
                publication.name
            )));
        }
        let list: Vec<String> = captured
            .iter()
            .map(|table| format!("{}.{}", identifier(&table.name.schema), identifier(&table.name.table)))
            .collect();
        Ok(list.join(", "))
    };
    match (publication.autocreate, exists) {
        (Autocreate::Disabled, _) | (Autocreate::AllTables | Autocreate::NoTables, true) => {}
        (Autocreate::AllTables, false) => {
            session.query(&format!("create publication {name} for all tables{root}"))?;
        }
        (Autocreate::NoTables, false) => {
            session.query(&format!("create publication {name}{root}"))?;
        }
        (Autocreate::Filtered, false) => {
            session.query(&format!("create publication {name} for table {}{root}", tables()?))?;
        }
        (Autocreate::Filtered, true) => {
            if !publishes_all(session, publication)? {
                session.query(&format!("alter publication {name} set table {}", tables()?))?;
            }
        }
    }
    Ok(())
}

fn publishes_all(session: &mut Session, publication: &Publication) -> Result<bool> {
    let rows = session.query(&format!(
        "select puballtables from pg_catalog.pg_publication where pubname = {}",
        literal(&publication.name)
    ))?;
    Ok(rows.single() == Some("t"))
}

/// `replica.identity.autoset.values`.
pub fn set_identities(session: &mut Session, options: &Options, captured: &[Listed]) -> Result<()> {
    for (tables, identity) in &options.publication.identities {
        let pattern = filters::compile("replica.identity.autoset.values", tables)?;
        let upper = identity.to_ascii_uppercase();
        let identity = match upper.split_once(' ') {
            None if matches!(upper.as_str(), "FULL" | "DEFAULT" | "NOTHING") => upper,
            Some(("INDEX", _)) => format!("USING INDEX {}", identifier(identity[5..].trim())),
            _ => {
                return Err(Error::config(format!(
                    "replica.identity.autoset.values: {identity} is none of FULL, DEFAULT, NOTHING, INDEX name"
                )));
            }
        };
        for table in captured
            .iter()
            .filter(|table| pattern.is_match(&table.name.to_string()))
        {
            session.query(&format!(
                "alter table {}.{} replica identity {identity}",
                identifier(&table.name.schema),
                identifier(&table.name.table)
            ))?;
        }
    }
    Ok(())
}

/// The command that makes the slot. Its answer names the snapshot that it exports.
pub fn create_slot_command(options: &Options, version: u32) -> String {
    let name = identifier(&options.slot.name);
    if options.slot.failover && version >= 170_000 {
        format!("CREATE_REPLICATION_SLOT {name} LOGICAL pgoutput (SNAPSHOT 'export', FAILOVER true)")
    } else {
        format!("CREATE_REPLICATION_SLOT {name} LOGICAL pgoutput EXPORT_SNAPSHOT")
    }
}

/// A slot that was just made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedSlot {
    pub start: Lsn,
    pub snapshot: Option<String>,
}

impl CreatedSlot {
    /// From the answer: name, consistent point, snapshot, plugin.
    pub fn parse(rows: &Rows) -> Result<Self> {
        let start = rows
            .get(0, 1)
            .and_then(Lsn::parse)
            .ok_or_else(|| Error::Protocol("a new slot has no position".into()))?;
        Ok(CreatedSlot {
            start,
            snapshot: rows.get(0, 2).map(str::to_owned),
        })
    }
}

/// The command that begins to stream from `start`.
pub fn start_command(options: &Options, version: u32, start: Lsn) -> String {
    let mut parameters = vec![
        ("proto_version".to_owned(), "1".to_owned()),
        ("publication_names".to_owned(), identifier(&options.publication.name)),
    ];
    if version >= 140_000 {
        parameters.push(("messages".to_owned(), "true".to_owned()));
    }
    for (name, value) in &options.slot.parameters {
        parameters.retain(|(known, _)| known != name);
        parameters.push((name.clone(), value.clone()));
    }
    let parameters: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{} {}", identifier(name), literal(value)))
        .collect();
    format!(
        "START_REPLICATION SLOT {} LOGICAL {start} ({})",
        identifier(&options.slot.name),
        parameters.join(", ")
    )
}

/// Drops the slot, if nobody reads it.
pub fn drop_slot(session: &mut Session, options: &Options) -> Result<()> {
    session.query(&format!(
        "select pg_catalog.pg_drop_replication_slot(slot_name) from pg_catalog.pg_replication_slots \
         where slot_name = {} and not active",
        literal(&options.slot.name)
    ))?;
    Ok(())
}

//! Keys of the group Postgres, in order.

use super::{Row, row};
use caisson_sdk::api::config::{
    Importance::{High, Low, Medium},
    Type, Width,
};

pub const ROWS: [Row; 32] = [
    row("topic.prefix", Type::String, None, High, Width::Medium, "Topic prefix", "Name of this source: first part of its topics, and the key of its offsets. Never change it."),
    row("database.hostname", Type::String, None, High, Width::Medium, "Hostname", "Host name or address of the server."),
    row("database.port", Type::Int, Some("5432"), High, Width::Short, "Port", "Port of the server."),
    row("database.user", Type::String, None, High, Width::Short, "User", "User to log in as; needs REPLICATION and SELECT on the captured tables."),
    row("database.password", Type::Password, None, High, Width::Short, "Password", "Password of the user."),
    row("database.dbname", Type::String, None, High, Width::Medium, "Database", "Database to capture changes from."),
    row("database.query.timeout.ms", Type::Int, Some("600000"), Low, Width::None, "Query timeout", "How long a query may take on the server."),
    row("plugin.name", Type::String, Some("decoderbufs"), Medium, Width::Medium, "Plugin", "Output plugin of the replication slot. Only pgoutput, which every server since PostgreSQL 10 has, is supported.").choices(&["decoderbufs", "pgoutput"]),
    row("slot.name", Type::String, Some("debezium"), Medium, Width::Medium, "Slot", "Name of the replication slot. Each connector needs one of its own."),
    row("publication.name", Type::String, Some("dbz_publication"), Medium, Width::Medium, "Publication", "Name of the publication that says which tables are sent."),
    row("publication.autocreate.mode", Type::String, Some("all_tables"), Medium, Width::Medium, "Publication Auto Create Mode", "What to do when the publication does not exist: all_tables makes one for all tables, filtered one for the captured tables, no_tables an empty one, disabled demands that it is there.").choices(&["no_tables", "filtered", "disabled", "all_tables"]),
    row("replica.identity.autoset.values", Type::String, None, Medium, Width::Long, "Replica Identity Auto Set Values", "Replica identities to set on tables, as table:identity, separated by commas."),
    row("slot.drop.on.stop", Type::Boolean, Some("false"), Medium, Width::None, "Drop slot on stop", "Whether to drop the slot when the connector stops. Changes are lost meanwhile; for tests."),
    row("slot.failover", Type::Boolean, Some("false"), Medium, Width::None, "Create failover slot", "Whether the slot is to be synchronized to standby servers (PostgreSQL 17)."),
    row("slot.stream.params", Type::String, None, Low, Width::Long, "Optional parameters to pass to the logical decoder when the stream is started.", "More options of the output plugin, as name=value, separated by semicolons."),
    row("database.initial.statements", Type::String, None, Low, Width::Long, "Initial statements", "Statements to run on each connection for queries, separated by semicolons; two stand for one."),
    row("database.sslmode", Type::String, Some("prefer"), Medium, Width::Medium, "SSL mode", "disable, allow, prefer, require (encrypted, without a look at the certificate), verify-ca (the certificate has to be trusted) or verify-full (and be for this host).").choices(&["allow", "prefer", "disable", "verify-ca", "require", "verify-full"]),
    row("database.sslcert", Type::String, None, Medium, Width::Long, "SSL Client Certificate", "File with the certificate (PEM) to be known by."),
    row("database.sslpassword", Type::Password, None, Medium, Width::Medium, "SSL Client Key Password", "Password of the key; keys with a password are not supported."),
    row("database.sslrootcert", Type::String, None, Medium, Width::Long, "SSL Root Certificate", "File with the certificates (PEM) to trust."),
    row("database.sslkey", Type::String, None, Medium, Width::Long, "SSL Client Key", "File with the key of the certificate (PEM, or PKCS#8 in DER), without a password."),
    row("slot.max.retries", Type::Int, Some("6"), Low, Width::None, "Retry count", "How often to try to get hold of the slot."),
    row("slot.retry.delay.ms", Type::Long, Some("10000"), Low, Width::None, "Retry delay", "How long to wait between two tries to get hold of the slot."),
    row("database.sslfactory", Type::String, None, Medium, Width::Long, "SSL Root Certificate", "SSL Root Certificate."),
    row("status.update.interval.ms", Type::Int, Some("10000"), Medium, Width::Short, "Status update interval (ms)", "How often to tell the server what has been processed."),
    row("lsn.flush.timeout.ms", Type::Long, Some("30000"), Medium, Width::Short, "LSN flush timeout (ms)", "LSN flush timeout (ms)."),
    row("lsn.flush.timeout.action", Type::String, Some("fail"), Medium, Width::Medium, "LSN flush timeout action", "LSN flush timeout action.").choices(&["fail", "warn", "ignore"]),
    row("database.tcpKeepAlive", Type::Boolean, Some("true"), Medium, Width::Short, "TCP keep-alive probe", "TCP keep-alive probe."),
    row("xmin.fetch.interval.ms", Type::Long, Some("0"), Medium, Width::Short, "Xmin fetch interval (ms)", "How often to read the xmin of the slot; 0 means never."),
    row("skipped.operations", Type::List, Some("t"), Low, Width::Short, "Skipped Operations", "Operations to leave out: c, u, d, t (truncate), or none."),
    row("lsn.flush.mode", Type::String, None, Low, Width::Short, "LSN flush mode", "connector: the server is told of what is committed. connector_and_driver: of what concerns nobody, too. manual: of nothing.").choices(&["connector_and_driver", "connector", "manual"]),
    row("flush.lsn.source", Type::Boolean, Some("true"), Low, Width::Short, "Boolean to determine if Debezium should flush LSN in the source database", "false is the older name of lsn.flush.mode=manual."),
];

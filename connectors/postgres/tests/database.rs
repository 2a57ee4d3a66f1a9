//! The connector on a real server: `CAISSON_TEST_POSTGRES=postgresql://user:password@host:port/database`, which has to
//! have `wal_level=logical`, and `psql`. Without it these tests are skipped.

#![allow(clippy::unwrap_used)]

use std::process::Command;
use std::time::Duration;

use caisson_postgres::PostgresConnector;
use caisson_sdk::prelude::*;
use caisson_sdk::testing::SourceHarness;

/// A database of a test's own, dropped with its slot at the end.
struct Database {
    url: String,
    name: String,
}

impl Database {
    fn create(name: &str) -> Option<Self> {
        let Ok(url) = std::env::var("CAISSON_TEST_POSTGRES") else {
            println!("skipped: CAISSON_TEST_POSTGRES is not set");
            return None;
        };
        let database = Database {
            url,
            name: format!("caisson_{name}_{}", std::process::id()),
        };
        database.admin(&format!("create database {}", database.name));
        Some(database)
    }

    fn parts(&self) -> (String, String, String, String) {
        let rest = self.url.split_once("://").unwrap().1;
        let (login, address) = rest.split_once('@').unwrap();
        let (user, password) = login.split_once(':').unwrap();
        let (host, port) = address.split('/').next().unwrap().split_once(':').unwrap();
        (user.into(), password.into(), host.into(), port.into())
    }

    fn psql(&self, database: &str, sql: &str) -> String {
        let (user, password, host, port) = self.parts();
        let output = Command::new("psql")
            .args([
                "-qAtX",
                "-v",
                "ON_ERROR_STOP=1",
                "-h",
                &host,
                "-p",
                &port,
                "-U",
                &user,
                "-d",
                database,
                "-c",
                sql,
            ])
            .env("PGPASSWORD", password)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{sql}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn admin(&self, sql: &str) -> String {
        self.psql("postgres", sql)
    }

    fn run(&self, sql: &str) -> String {
        self.psql(&self.name, sql)
    }

    /// Whether somebody reads the slot.
    fn is_read(&self) -> bool {
        let slot = &self.name;
        self.admin(&format!(
            "select active from pg_replication_slots where slot_name = '{slot}'"
        )) == "t"
    }

    /// To log in again from within.
    fn login(&self) -> String {
        let (user, password, host, port) = self.parts();
        format!(
            "dbname={} host={host} port={port} user={user} password={password}",
            self.name
        )
    }

    fn source(&self, more: &[(&str, &str)]) -> SourceHarness<PostgresConnector> {
        let (user, password, host, port) = self.parts();
        let mut config = vec![
            ("database.hostname", host.as_str()),
            ("database.port", &port),
            ("database.user", &user),
            ("database.password", &password),
            ("database.dbname", &self.name),
            ("topic.prefix", "t"),
            ("slot.name", &self.name),
            ("plugin.name", "pgoutput"),
        ];
        config.extend_from_slice(more);
        SourceHarness::new(config).max_wait(Duration::from_millis(100))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let slot = format!(
            "select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = '{0}' and active",
            self.name
        );
        self.admin(&slot);
        for _ in 0..50 {
            let left = self.admin(&format!(
                "select count(pg_drop_replication_slot(slot_name)) from pg_replication_slots where slot_name = '{0}' and not active; \
                 select count(*) from pg_replication_slots where slot_name = '{0}'",
                self.name
            ));
            if left.ends_with('0') {
                break;
            }
        }
        self.admin(&format!("drop database {} with (force)", self.name));
    }
}

fn field<'v>(record: &'v SourceRecord, path: &[&str]) -> &'v Value {
    let mut schema = record.record.value_schema.clone().unwrap();
    let mut value = &record.record.value;
    for name in path {
        let index = schema.field_index(name).unwrap();
        let Value::Struct(values) = value else {
            panic!("{name} of {value:?}")
        };
        value = &values[index];
        schema = schema.fields()[index].schema.clone();
    }
    value
}

fn op(record: &SourceRecord) -> &str {
    match field(record, &["op"]) {
        Value::String(op) => op,
        other => panic!("{other:?}"),
    }
}

#[test]
fn rows_come_by_snapshot_and_stream_without_a_gap() {
    let Some(database) = Database::create("flow") else {
        return;
    };
    database.run("create table t (id int primary key, name text, n numeric(6,2)); insert into t values (1, 'one', 1.5), (2, null, null)");
    let mut source = database.source(&[]);
    source.start().unwrap();
    let snapshot = source.poll_until(2).unwrap();
    assert_eq!(op(&snapshot[0]), "r");
    assert_eq!(snapshot[0].record.topic.as_ref(), "t.public.t");
    assert_eq!(*field(&snapshot[0], &["after", "name"]), Value::from("one"));
    assert_eq!(*field(&snapshot[1], &["source", "snapshot"]), Value::from("last"));
    database.run("insert into t values (3, 'three', 3); update t set name = 'two' where id = 2; update t set id = 4 where id = 3; delete from t where id = 1");
    let stream = source.poll_until(7).unwrap();
    let ops: Vec<String> = stream
        .iter()
        .map(|record| {
            if record.record.value.is_null() {
                "-".into()
            } else {
                op(record).to_owned()
            }
        })
        .collect();
    assert_eq!(ops, ["c", "u", "d", "-", "c", "d", "-"]);
    assert_eq!(*field(&stream[1], &["after", "name"]), Value::from("two"));
    assert_eq!(stream[2].record.headers[0].name.as_ref(), "__debezium.newkey");
    source.stop();
}

#[test]
fn the_stream_stands_still_for_a_snapshot_that_a_signal_asks_for() {
    let Some(database) = Database::create("blocking") else {
        return;
    };
    database.run("create table signals (id text primary key, type text, data text); create table t (id int primary key); insert into t values (1), (2), (3)");
    let mut source = database.source(&[("signal.data.collection", "public.signals")]);
    source.start().unwrap();
    source.poll_until(3).unwrap();
    database.run(
        "insert into signals values ('1', 'execute-snapshot', '{\"data-collections\": [\"public.t\"], \"type\": \"blocking\"}'); \
         insert into t values (4)",
    );
    let records = source.poll_until(6).unwrap();
    let ops: Vec<&str> = records.iter().map(op).collect();
    assert_eq!(ops, ["c", "r", "r", "r", "r", "c"]);
    let mark = |record| field(record, &["source", "snapshot"]).clone();
    let marks: Vec<Value> = records.iter().map(mark).collect();
    assert_eq!(
        marks,
        ["false", "first", "true", "true", "last", "false"].map(Value::from)
    );
    source.stop();
}

#[test]
fn the_stream_goes_on_after_the_stored_offset() {
    let Some(database) = Database::create("resume") else {
        return;
    };
    database.run("create table t (id int primary key)");
    let mut source = database.source(&[]);
    source.start().unwrap();
    // The slot is there once the stream is read.
    while !database.is_read() {
        source.poll().unwrap();
    }
    database.run("begin; insert into t select generate_series(1, 5); commit; insert into t values (6)");
    let records = source.poll_until(6).unwrap();
    source.stop();
    // As if the third row had been the last one to reach Kafka.
    let (partition, offset) = records[2].source.clone().unwrap();
    database.run("insert into t values (7)");
    while database.is_read() {}
    let mut again = database.source(&[]).offset(partition, offset);
    again.start().unwrap();
    let rest = again.poll_until(4).unwrap();
    let ids: Vec<Value> = rest
        .iter()
        .map(|record| field(record, &["after", "id"]).clone())
        .collect();
    assert_eq!(ids, [4, 5, 6, 7].map(Value::Int32));
    again.stop();
}

/// Begins again after a record, and sees these.
fn goes_on(
    database: &Database,
    config: &[(&str, &str)],
    after: &SourceRecord,
    expected: &[String],
    label: impl Fn(&SourceRecord) -> String,
) {
    let (partition, offset) = after.source.clone().unwrap();
    while database.is_read() {}
    let mut again = database.source(config).offset(partition, offset.clone());
    again.start().unwrap();
    let rest = again.poll_until(expected.len()).unwrap();
    let rest: Vec<String> = rest.iter().map(label).collect();
    assert_eq!(rest, expected, "after {offset}");
    again.stop();
}

#[test]
fn nothing_is_missed_wherever_the_stream_goes_on() {
    let Some(database) = Database::create("anywhere") else {
        return;
    };
    database.run("create extension dblink; create table t (id int primary key); create table u (id int primary key)");
    let config = [("snapshot.mode", "no_data"), ("skipped.operations", "none")];
    let mut source = database.source(&config);
    source.start().unwrap();
    while !database.is_read() {
        source.poll().unwrap();
    }
    // A transaction that begins before another one and is committed after it.
    database.run(&format!(
        "begin; insert into t values (1); select dblink_exec('{}', 'insert into t values (2)'); \
         insert into t values (3), (4); commit",
        database.login()
    ));
    // Rows that share one record of the log, changes that become several records, and one that is of two tables.
    database.run("copy t from program 'seq 11 14'");
    database.run("update t set id = 20 where id = 11; delete from t where id = 12");
    database.run("truncate t, u");
    let label = |record: &SourceRecord| {
        let op = if record.record.value.is_null() { "-" } else { op(record) };
        format!("{} {op} {:?}", record.record.topic, record.record.key)
    };
    let records = source.poll_until(15).unwrap();
    let labels: Vec<String> = records.iter().map(label).collect();
    source.stop();
    // The first record that comes after each one: those of one change come again together.
    let next = [1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 11, 11, 13, 14];
    for (record, next) in records.iter().zip(next) {
        goes_on(&database, &config, record, &labels[next..], label);
    }
}

/// Resumed after any record, the stream tells neither a beginning nor an end again, and goes on with the numbers of changes.
#[test]
fn transactions_are_told_once_wherever_the_stream_goes_on() {
    let Some(database) = Database::create("transactions") else {
        return;
    };
    database.run("create extension dblink; create table t (id int primary key); create table u (id int primary key)");
    let config = [("snapshot.mode", "no_data"), ("provide.transaction.metadata", "true")];
    let mut source = database.source(&config);
    source.start().unwrap();
    while !database.is_read() {
        source.poll().unwrap();
    }
    // One that begins before another, is committed after it, and has a change that becomes two.
    database.run(&format!(
        "begin; insert into t values (1); select dblink_exec('{}', 'insert into t values (2)'); \
         insert into u values (3); update t set id = 5 where id = 1; commit",
        database.login()
    ));
    database.run("insert into t values (9)");
    let label = |record: &SourceRecord| {
        let (topic, key) = (&record.record.topic, &record.record.key);
        match &record.record.value {
            Value::Null => format!("{topic} {key:?} -"),
            value if topic.as_ref() == "t.transaction" => format!("{topic} {value:?}"),
            _ => format!("{topic} {key:?} {} {:?}", op(record), field(record, &["transaction"])),
        }
    };
    let records = source.poll_until(13).unwrap();
    let labels: Vec<String> = records.iter().map(label).collect();
    source.stop();
    let order = |at: usize| field(&records[at], &["transaction", "total_order"]).clone();
    assert_eq!([4, 5, 6, 8].map(order), [1, 2, 3, 4].map(Value::Int64), "{labels:#?}");
    // The first record that comes after each one.
    for (record, next) in records.iter().zip([1, 2, 3, 4, 5, 6, 6, 6, 9, 10, 11, 12]) {
        goes_on(&database, &config, record, &labels[next..], label);
    }
}

#[test]
fn a_wrong_password_is_an_error_of_its_key() {
    let Some(database) = Database::create("password") else {
        return;
    };
    let source = database.source(&[("database.password", "wrong")]);
    let values = source.validate().unwrap();
    let wrong: Vec<_> = values.iter().filter(|value| !value.errors.is_empty()).collect();
    assert_eq!(wrong.len(), 1);
    assert_eq!(wrong[0].name, "database.password");
    assert!(
        wrong[0].errors[0].contains("check database.user and database.password"),
        "{:?}",
        wrong[0].errors
    );
}

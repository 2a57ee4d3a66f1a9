//! What people meet whose database is not as the source needs it: each message says what to do.

use std::collections::BTreeMap;

use caisson_e2e::{Postgres, Rest, System, until};
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};

/// The configuration that everybody has, with other values for some of its keys.
fn source(postgres: &Postgres, changes: &[(&str, &str)]) -> Value {
    let mut config = json!({
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector", "tasks.max": "1",
        "database.hostname": "127.0.0.1", "database.port": postgres.port.to_string(),
        "database.user": "connect_user", "database.password": "db_password", "database.dbname": "mydatabase",
        "table.include.list": "public.customers", "topic.prefix": "refused", "plugin.name": "pgoutput",
        "key.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    });
    for (key, value) in changes {
        config[*key] = json!(value);
    }
    config
}

/// A server with a table.
fn database(system: &System) -> Postgres {
    let postgres = Postgres::start(system);
    postgres.sql("create table customers (id int primary key, name text)");
    postgres
}

/// Asks for a connector, and wants a refusal whose message has these parts.
#[track_caller]
fn check_refused(rest: &Rest, config: &Value, parts: &[&str]) {
    let answer = rest.post("/connectors", &json!({"name": "refused", "config": config}));
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert_has(answer.body["message"].as_str().unwrap(), parts);
}

#[track_caller]
fn assert_has(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{part}: {message}");
    }
}

#[test]
fn what_a_database_lacks_is_said_when_the_connector_is_created() {
    let Some(system) = System::with_search() else { return };
    let postgres = database(&system);
    let worker = system.worker("lacks").start();
    let rest = &worker.rest;
    let refused = |changes: &[(&str, &str)], parts: &[&str]| check_refused(rest, &source(&postgres, changes), parts);

    refused(
        &[("database.password", "wrong")],
        &[
            "password authentication failed",
            "check database.user and database.password",
        ],
    );
    refused(
        &[("database.dbname", "none")],
        &["does not exist", "check database.dbname"],
    );
    postgres.sql("create role plain login password 'p'; create role replicator login replication password 'p'");
    let replicator = |mode| {
        [
            ("database.user", "replicator"),
            ("database.password", "p"),
            ("publication.autocreate.mode", mode),
        ]
    };
    refused(
        &[("database.user", "plain"), ("database.password", "p")],
        &["user plain may not replicate", "alter role \"plain\" replication"],
    );
    refused(
        &replicator("disabled"),
        &[
            "publication dbz_publication does not exist",
            "create publication \"dbz_publication\" for table",
        ],
    );
    refused(
        &replicator("all_tables"),
        &[
            "only a superuser",
            "for all tables",
            "publication.autocreate.mode to filtered",
        ],
    );
    refused(
        &replicator("filtered"),
        &[
            "user \"replicator\" may not make one",
            "grant create on database \"mydatabase\" to \"replicator\"",
        ],
    );
    postgres.sql("grant create on database mydatabase to replicator");
    refused(
        &replicator("filtered"),
        &[
            "does not own public.customers",
            "member of the role that owns the table",
        ],
    );

    secure(&postgres);
    refused(
        &[("database.sslmode", "verify-full")],
        &["the certificate of 127.0.0.1 is not trusted", "database.sslrootcert"],
    );

    postgres.stop();
    postgres.begin_with(&[("WAL_LEVEL", "replica")]);
    refused(
        &[],
        &[
            "must be 'logical' but is: 'replica'",
            "set wal_level = logical in postgresql.conf",
        ],
    );
    postgres.stop();
    refused(&[], &["cannot be reached"]);
}

/// Gives the server a certificate that nobody vouches for.
fn secure(postgres: &Postgres) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = certificate.self_signed(&key).unwrap();
    for (file, text) in [("server.crt", certificate.pem()), ("server.key", key.serialize_pem())] {
        // As the server's user, and with the rights that it insists on.
        postgres.sql(&format!(
            "copy (select unnest(string_to_array('{}', E'\\n'))) to program 'umask 077; cat > {file}'",
            text.replace('\r', "")
        ));
    }
    postgres.sql("alter system set ssl = on");
    postgres.sql("select pg_reload_conf()");
    until("the server has TLS", || {
        (postgres.sql("show ssl") == "on").then_some(())
    });
}

#[test]
fn a_slot_that_is_held_gone_or_lost_fails_the_task_with_advice() {
    let Some(system) = System::with_search() else { return };
    let postgres = database(&system);
    let worker = system.worker("slot").start();
    let rest = &worker.rest;
    let streams = || {
        until("the slot has a reader", || {
            (slot(&postgres, "active") == "t").then_some(())
        })
    };
    rest.create_running("first", &source(&postgres, &[]));
    streams();

    let second = [
        ("topic.prefix", "second"),
        ("slot.max.retries", "1"),
        ("slot.retry.delay.ms", "100"),
    ];
    rest.create("second", &source(&postgres, &second));
    let trace = rest.await_failed_task("second");
    assert_has(
        &trace,
        &[
            "is active for PID",
            "another reader holds the replication slot",
            "slot.name",
        ],
    );
    rest.delete("/connectors/second").expect(204);

    // One record, so that there is an offset.
    postgres.sql("insert into customers values (1, 'a')");
    until("its offset is stored", || {
        let offsets = rest.get("/connectors/first/offsets").body;
        (offsets["offsets"] != json!([])).then_some(())
    });
    let stop = || {
        rest.put("/connectors/first/stop").expect(204);
        until("nobody reads the slot", || {
            (slot(&postgres, "active") == "f").then_some(())
        });
    };
    stop();
    postgres.sql("alter system set max_slot_wal_keep_size = '1MB'");
    postgres.sql("select pg_reload_conf()");
    until("the slot is lost", || {
        postgres.sql("insert into customers values (2, 'b') on conflict (id) do update set name = 'c'");
        postgres.sql("select pg_switch_wal()");
        postgres.sql("checkpoint");
        (slot(&postgres, "wal_status") == "lost").then_some(())
    });
    rest.put("/connectors/first/resume").expect(202);
    let advice = [
        "pg_drop_replication_slot",
        "delete the connector's offsets",
        "max_slot_wal_keep_size",
    ];
    let trace = rest.await_failed_task("first");
    assert_has(&trace, &["replication slot debezium has lost its WAL"]);
    assert_has(&trace, &advice);

    postgres.sql("select pg_drop_replication_slot('debezium')");
    rest.post("/connectors/first/tasks/0/restart", &Value::Null).expect(204);
    let trace = until("the task has failed again", || {
        let trace = rest.await_failed_task("first");
        trace.contains("is not there").then_some(trace)
    });
    assert_has(
        &trace,
        &["replication slot debezium is not there", "snapshot.mode=when_needed"],
    );
    assert_has(&trace, &advice[1..]);
}

/// A column of the slot.
fn slot(postgres: &Postgres, column: &str) -> String {
    postgres.sql(&format!(
        "select {column} from pg_replication_slots where slot_name = 'debezium'"
    ))
}

#[test]
fn a_table_without_a_key_is_captured_and_warned_about() {
    let Some(system) = System::with_search() else { return };
    let postgres = database(&system);
    postgres.sql("create table keyless (n int); insert into keyless values (7)");
    let worker = system.worker("keyless").start();
    let prefix = system.name("keyless");
    let config = source(
        &postgres,
        &[("topic.prefix", &prefix), ("table.include.list", "public.keyless")],
    );
    worker.rest.create_running("keyless", &config);
    worker.await_log(&[
        "a captured table has no primary key",
        "REPLICA IDENTITY FULL",
        "public.keyless",
    ]);
    let records = system.consume(&format!("{prefix}.public.keyless"), 1);
    let (key, value) = records[0].split_once('\t').unwrap();
    let value: BTreeMap<String, Value> = serde_json::from_str(value).unwrap();
    assert_eq!((key, &value["payload"]["after"]), ("null", &json!({"n": 7})));
}

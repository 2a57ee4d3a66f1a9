//! What people meet whose database is not as the source needs it: each message says what to do.

use std::collections::BTreeMap;

use caisson_e2e::{Postgres, Rest, System, until};
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};

use crate::slot::await_reader;

/// The configuration that everybody has, with other values for some of its keys.
pub fn source(postgres: &Postgres, changes: &[(&str, &str)]) -> Value {
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
pub fn database(system: &System) -> Postgres {
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

/// Wants nothing to be said against a configuration.
#[track_caller]
fn accepted(rest: &Rest, config: &Value) {
    let class = config["connector.class"].as_str().unwrap();
    let mut config = config.clone();
    config["name"] = json!("accepted");
    let answer = rest.call(
        "PUT",
        &format!("/connector-plugins/{class}/config/validate"),
        Some(&config),
    );
    assert_eq!(answer.expect(200)["error_count"], 0);
}

#[track_caller]
pub fn assert_has(message: &str, parts: &[&str]) {
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

    // A snapshot alone needs neither a publication nor a user who may replicate.
    let only = [
        ("database.user", "plain"),
        ("database.password", "p"),
        ("publication.autocreate.mode", "disabled"),
        ("snapshot.mode", "initial_only"),
    ];
    accepted(rest, &source(&postgres, &only));

    postgres.stop();
    postgres.begin_with(&[("WAL_LEVEL", "replica")]);
    accepted(rest, &source(&postgres, &only));
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
fn a_server_that_shuts_down_is_not_held_up_and_is_read_on_when_it_is_back() {
    let Some(system) = System::with_search() else { return };
    let postgres = database(&system);
    // What is in Kafka counts as done with its offset, and no offset is stored meanwhile.
    let worker = system
        .worker("shutdown")
        .property("offset.flush.interval.ms", "600000")
        .start();
    let prefix = system.name("shutdown");
    worker
        .rest
        .create_running("shutdown", &source(&postgres, &[("topic.prefix", &prefix)]));
    await_reader(&postgres);
    let topic = format!("{prefix}.public.customers");
    postgres.sql("insert into customers values (1, 'a')");
    system.consume(&topic, 1);
    postgres.stop();
    worker.await_log(&["poll asks for patience", "cannot be reached"]);
    postgres.begin();
    postgres.sql("insert into customers values (2, 'b')");
    let records = system.consume(&topic, 2);
    for (record, id) in records.iter().zip([1, 2]) {
        let value: Value = serde_json::from_str(record.split_once('\t').unwrap().1).unwrap();
        assert_eq!(value["payload"]["after"]["id"], id);
    }
    assert_eq!(worker.rest.status("shutdown")["tasks"][0]["state"], "RUNNING");
}

#[test]
fn a_paused_source_does_not_hold_up_a_server_that_shuts_down() {
    let Some(system) = System::with_search() else { return };
    let postgres = database(&system);
    // Without this a server gives up a reader that is silent for a minute.
    postgres.sql("alter system set wal_sender_timeout = 0");
    postgres.stop();
    postgres.begin();
    let worker = system.worker("paused").start();
    let prefix = system.name("paused");
    let rest = &worker.rest;
    rest.create_running("paused", &source(&postgres, &[("topic.prefix", &prefix)]));
    await_reader(&postgres);
    let topic = format!("{prefix}.public.customers");
    postgres.sql("insert into customers values (1, 'a')");
    system.consume(&topic, 1);
    rest.put("/connectors/paused/pause").expect(202);
    rest.await_states("paused", "PAUSED", "PAUSED");
    postgres.sql("insert into customers values (2, 'b')");
    postgres.stop();
    worker.await_log(&["the server could not be told what is done"]);
    postgres.begin();
    rest.put("/connectors/paused/resume").expect(202);
    system.consume(&topic, 2);
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
